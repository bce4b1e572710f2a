"""Quality control of the real archive of the Yangtze's gauges."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.monitor.quality import check_file

pytestmark = [
    pytest.mark.data,
    pytest.mark.skipif(bundle_folder() is None, reason="no data bundle"),
]
VALIDATION = Path(__file__).resolve().parents[2] / "validation" / "quality"


@pytest.fixture(scope="module")
def flags(tmp_path_factory: pytest.TempPathFactory) -> pd.DataFrame:
    path = tmp_path_factory.mktemp("qc") / "flags.csv"
    check_file(bundle_file("yangtze_gauges_hourly/observations.parquet"), path)
    return pd.read_csv(path, dtype={"stcd": str, "test": str}, parse_dates=["time"], keep_default_na=False)


@pytest.fixture
def score() -> Iterator[object]:
    sys.path.insert(0, str(VALIDATION))
    try:
        import score as module  # noqa: PLC0415

        yield module
    finally:
        sys.path.remove(str(VALIDATION))


def doubted(flags: pd.DataFrame, station: str, quantity: str, start: str, end: str) -> pd.Series:
    """Whether each value of a series in a period is SUSPECT or BAD, by time."""
    part = flags[(flags.stcd == station) & (flags.quantity == quantity) & flags.time.between(start, end)]
    return part.set_index("time").flag.isin([3, 4])


def test_the_runaway_at_hankou_is_found_and_nothing_around_it(flags: pd.DataFrame) -> None:
    found = doubted(flags, "60112200", "water_level", "2023-02-11", "2023-02-15")
    assert found[found].index.min() == pd.Timestamp("2023-02-12 19:00")
    assert found[found].index.max() == pd.Timestamp("2023-02-13 07:00")
    assert found["2023-02-12 19:00":"2023-02-13 07:00"].all()


@pytest.mark.parametrize(
    ("station", "moment"),
    [
        ("60115000", "2021-04-03 11:00"),
        ("60115000", "2025-05-06 02:00"),
        ("60113400", "2020-12-06 13:00"),
        ("60113400", "2021-04-03 11:00"),
        ("62601600", "2021-05-10 15:00"),
        ("62601600", "2025-09-20 12:00"),
        ("61802500", "2021-10-19 14:00"),
        ("61802500", "2021-10-21 00:00"),
    ],
)
def test_the_known_spikes_are_found(flags: pd.DataFrame, station: str, moment: str) -> None:
    assert doubted(flags, station, "water_level", moment, moment).tolist() == [True]


def test_the_backflow_at_hukou_is_kept(flags: pd.DataFrame) -> None:
    data = pd.read_parquet(bundle_file("yangtze_gauges_hourly/observations.parquet"))
    back = data[(data.stcd == "62601600") & data.q_m3s.between(-1800, -1)]
    found = doubted(flags, "62601600", "discharge", "2020-01-01", "2027-01-01")
    assert len(back) > 300
    assert found.loc[back.time_cst].mean() < 0.005


def test_the_great_flood_of_2020_is_not_doubted(flags: pd.DataFrame) -> None:
    for station, quantity in (("60105400", "water_level"), ("60105400", "discharge"), ("60106980", "reservoir_inflow")):
        assert not doubted(flags, station, quantity, "2020-08-10", "2020-08-31").any()


def test_labels_made_by_looking_are_met(flags: pd.DataFrame, score: object) -> None:
    part = score.marked(flags)  # type: ignore[attr-defined]
    fault = part.verdict == "fault"
    hits, false = (fault & part.found).sum(), ((part.verdict == "fine") & part.found).sum()
    assert hits / fault.sum() >= 0.95
    assert hits / (hits + false) >= 0.95


def test_a_million_values_take_less_than_five_seconds(flags: pd.DataFrame, tmp_path: Path) -> None:
    start = time.process_time()  # of this process alone, so that a busy machine does not fail it
    check_file(bundle_file("yangtze_gauges_hourly/observations.parquet"), tmp_path / "flags.csv")
    assert (time.process_time() - start) / len(flags) * 1e6 < 5.0
