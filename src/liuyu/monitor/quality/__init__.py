"""Quality control: which values may be trusted. `Quality` judges as they arrive, `check_file` a file in hindsight."""

from liuyu.monitor.quality.file import Summary, check_file
from liuyu.monitor.quality.stage import Checked, Quality
from liuyu.monitor.quality.table import NAMES, TESTS, QualityTest, QualityTestName

__all__ = ["NAMES", "TESTS", "Checked", "Quality", "QualityTest", "QualityTestName", "Summary", "check_file"]
