"""How far can each value be trusted? Quality control of a whole archive, with hindsight."""

import tempfile
from pathlib import Path

from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.quality import check_file
from liuyu.twin import make_archive

basin = read_basin(find_basin("qingxi"))
with tempfile.TemporaryDirectory() as scratch:
    archive, flags = Path(scratch) / "observations.parquet", Path(scratch) / "flags.csv"
    make_archive(basin, archive, seed=7)
    print(check_file(archive, flags, basin))
    doubted = [line for line in flags.read_text(encoding="utf-8").splitlines()[1:] if line.split(",")[3] in "34"]
    print("\n".join(doubted[:10]))
