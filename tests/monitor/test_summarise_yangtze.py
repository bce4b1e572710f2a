"""The report on the real flood of August 2020, against what the public bulletins said of it."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from liuyu.basin.bundle import bundle_file
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.package import read_basin
from liuyu.monitor import summarise
from liuyu.monitor.sense import Archive
from liuyu.store.sqlite import open_store


@pytest.mark.data
def test_the_record_flood_is_told_as_the_bulletins_told_it(basins: Path, tmp_path: Path) -> None:
    basin = read_basin(basins / "yangtze")
    start, end = (epoch(parse_time(day, basin.zone)) for day in ("2020-08-10", "2020-08-31"))
    with closing(open_store(tmp_path)) as store:
        store.write(Archive(bundle_file(basin.archive), basin).take(start - 1, end - 1), received=end)
        report = summarise.report(basin, store, start, end)
    peaks = {each.name["zh"]: each for each in report.peaks}
    at_eight = epoch(parse_time("2020-08-20T08:00", basin.zone))
    assert (peaks["寸滩"].level, peaks["寸滩"].time) == (191.55, at_eight)
    assert peaks["寸滩"].margins["guarantee"] == pytest.approx(8.05)
    dam = next(each for each in report.reservoirs if each.name["zh"].startswith("三峡"))
    whole = dam.operations[0]
    assert (whole.inflow, whole.inflow_time) == (75000.0, at_eight)
    assert 49200 <= whole.outflow <= 49500  # 49,200 at 08:00, a little more later
    assert whole.level_high == 167.65
    assert report.quality.received > 10000
    assert not report.synthetic
    page = summarise.report_file(report, "html", "zh").decode()
    assert "191.55" in page
    assert "75,000" in page
