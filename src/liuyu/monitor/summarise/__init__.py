"""What it came to: reports and bulletins computed from the log and the series, in Chinese and English."""

from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.forms import (
    FORMS,
    KINDS,
    Form,
    Kind,
    bulletin_file,
    bulletin_pages,
    report_file,
)
from liuyu.monitor.summarise.report import report

__all__ = ["FORMS", "KINDS", "Form", "Kind", "Report", "bulletin_file", "bulletin_pages", "report", "report_file"]
