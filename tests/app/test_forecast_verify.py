"""`liuyu forecast verify`: the table it promises, from nothing later than each issue, on poor files too."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner, Result

from liuyu.app.commands.forecast import forecast
from liuyu.app.verify import verify
from liuyu.basin.clock import DAY, HOUR, epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin
from liuyu.twin import make_archive

COLUMNS = "stcd,quantity,lead_h,n,rmse,mae,bias,rmse_persistence,skill,nse,dc,qr,grade,crps"
STATIONS = ("99000500", "99000600")


@pytest.fixture(scope="module")
def basin(basins: Path) -> Basin:
    return read_basin(basins / "qingxi")


@pytest.fixture(scope="module")
def season(basin: Basin, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A season alone: three days before the first issue and nothing earlier."""
    folder = tmp_path_factory.mktemp("verify")
    whole = pq.read_table(make_archive(basin, folder / "whole.parquet", 2020))
    time = whole["time_cst"]
    first, last = (
        pa.scalar(np.datetime64(each, "s"), pa.timestamp("s")).cast(time.type)
        for each in ("2021-06-27T00:00", "2021-07-10T00:00")
    )
    mask = pc.and_(pc.greater_equal(time, first), pc.less_equal(time, last))
    pq.write_table(whole.filter(mask), folder / "season.parquet")
    return folder / "season.parquet"


def period(basin: Basin, first: str, last: str) -> tuple[int, int]:
    return epoch(parse_time(first, basin.zone)), epoch(parse_time(last, basin.zone))


def run(season: Path, out: Path, *more: str) -> Result:
    words = ["verify", "--observations", str(season), "--from", "2021-06-30", "--to", "2021-07-05", "--out", str(out)]
    return CliRunner().invoke(forecast, [*words, "--step", "6", *more])


def test_the_table_has_its_columns_and_a_row_for_each_series_and_lead(season: Path, tmp_path: Path) -> None:
    files = ["--reliability", str(tmp_path / "r.csv"), "--peaks", str(tmp_path / "p.csv")]
    done = run(season, tmp_path / "t.csv", "--stations", ",".join(STATIONS), "--leads", "24,48", *files)
    assert done.exit_code == 0, done.output
    lines = (tmp_path / "t.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == COLUMNS
    rows = list(csv.DictReader(lines))
    keys = [(row["stcd"], row["quantity"], row["lead_h"]) for row in rows]
    names = ("water_level", "discharge")
    assert keys == [(code, name, lead) for code in STATIONS for name in names for lead in ("24", "48")]
    for row in rows:
        assert 18 <= int(row["n"]) <= 24
        assert 0.0 < float(row["rmse"]) < 1.2 * float(row["rmse_persistence"])
        assert row["grade"] in ("甲", "乙", "丙", "估报")
    assert (tmp_path / "r.csv").read_text(encoding="utf-8").startswith("stcd,quantity,lead_h,n,coverage_50,coverage_80")
    assert (tmp_path / "p.csv").read_text(encoding="utf-8").startswith("stcd,quantity,lead_from_h")


def test_the_basin_is_found_by_its_stations_or_names(season: Path, tmp_path: Path) -> None:
    assert run(season, tmp_path / "t.csv", "--stations", "99000600", "--leads", "24").exit_code == 0
    done = run(season, tmp_path / "t.csv", "--stations", "99000600,nowhere", "--leads", "24")
    assert "nowhere" in str(done.exception)


def test_nothing_after_an_issue_moves_what_it_said(basin: Basin, season: Path, tmp_path: Path) -> None:
    first, last = period(basin, "2021-06-30", "2021-07-01")
    table = pq.read_table(season)
    time = table["time_cst"].cast(pa.timestamp("s")).to_numpy()
    late = time > np.datetime64("2021-07-01T00:00")
    for name in ("z_m", "q_m3s", "inflow_m3s", "outflow_m3s"):
        if name in table.column_names:
            value = np.where(late, 3.0 * table[name].to_numpy() + 50.0, table[name].to_numpy())
            table = table.set_column(table.column_names.index(name), name, pa.array(value))
    pq.write_table(table, tmp_path / "poisoned.parquet")
    said = [
        verify(basin, file, first, last, STATIONS, [24], 6).walk for file in (season, tmp_path / "poisoned.parquet")
    ]
    assert len(said[0].issued) == 5
    assert np.array_equal(said[0].members, said[1].members)
    assert np.array_equal(said[0].at_issue, said[1].at_issue)


def test_a_file_without_inflows_and_without_a_gauge_still_gives_forecasts(
    basin: Basin, season: Path, tmp_path: Path
) -> None:
    table = pq.read_table(season)
    poor = table.filter(pc.not_equal(table["stcd"].cast(pa.string()), "99000300"))
    poor = poor.drop_columns([each for each in ("inflow_m3s", "outflow_m3s") if each in poor.column_names])
    pq.write_table(poor, tmp_path / "poor.parquet")
    first, last = period(basin, "2021-06-30", "2021-07-01")
    found = verify(basin, tmp_path / "poor.parquet", first, last, STATIONS, [24], 12)
    assert found.walk.failed == 0
    assert np.isfinite(found.walk.members).all()


def test_a_period_or_lead_that_cannot_be_judged_is_refused(basin: Basin, season: Path) -> None:
    first, last = period(basin, "2021-06-30", "2021-07-01")
    with pytest.raises(BadInput, match="holds 2021-06-27"):
        verify(basin, season, first + 365 * DAY, last + 365 * DAY, STATIONS, [24])
    with pytest.raises(BadInput, match="leads must lie within"):
        verify(basin, season, first, last, STATIONS, [24, 9999])
    with pytest.raises(BadInput, match="forecasts none of"):
        verify(basin, season, first, first + HOUR, ["nowhere"], [24])
