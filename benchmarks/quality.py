"""Quality control: values a second, live and in hindsight, beside ioos_qc where it is installed.

    python benchmarks/quality.py [--stations 30000] [--steps 6]

`pip install ioos_qc` to compare; it runs QARTOD's gross range, spike, rate-of-change and flat-line tests on one series,
which is less than is done here. Read the ratios: machines differ.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liuyu.basin.places import Basin, Station
from liuyu.basin.series import Batch
from liuyu.monitor.quality import Quality, check_file

QUANTITIES = (1, 2, 6)


def clock(work: Callable[[], object]) -> float:
    """Seconds that a call takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def live(stations: int, steps: int) -> None:
    """Step a stage through five-minute reports of many stations, three quantities each."""
    places = tuple(Station(code=f"{k:08d}", name=f"站{k}", name_en=f"Station {k}") for k in range(stations))
    basin = Basin(
        code="bench", name="基准", name_en="Bench", time_zone="UTC", synthetic=True, folder="", stations=places
    )
    rng = np.random.default_rng(7)
    stage = Quality(basin)
    station = np.repeat(np.arange(stations, dtype=np.int32), len(QUANTITIES))
    quantity = np.tile(np.array(QUANTITIES, np.int16), stations)
    value = np.where(quantity == 1, 20.0, np.where(quantity == 2, 5000.0, 0.0))
    size = np.where(quantity == 1, 0.01, np.where(quantity == 2, 20.0, 0.0))
    spent = []
    for step in range(steps + 60):
        value = value + size * rng.standard_normal(len(value)).round(2)
        seen = value + np.where(rng.random(len(value)) < 1e-4, 200 * size, 0.0)
        batch = Batch.of(basin.roster, station, quantity, np.full(len(value), 300 * step), seen)
        spent.append(clock(lambda batch=batch, step=step: stage.step(batch, 300 * step)))
    mean = float(np.mean(spent[60:]))
    blob = stage.dump()
    print(f"live: {len(value)} series, {len(value) / mean:,.0f} values/s ({mean:.3f} s a step)")
    out, back = 1e3 * clock(stage.dump), 1e3 * clock(lambda: stage.load(blob))
    print(f"dump: {len(blob) / 1e6:.0f} MB in {out:.0f} ms; load {back:.0f} ms")


def hindsight(series: int, length: int) -> tuple[np.ndarray, np.ndarray]:
    """Check a file of a million values, and return one of its series: time [s], value [m]."""
    rng = np.random.default_rng(8)
    level = 20 + np.cumsum(0.02 * rng.standard_normal((series, length)), axis=1).round(2)
    moments = np.arange(length) * np.timedelta64(3600, "s") + np.datetime64("2020-01-01T00:00:00")
    table = pa.table(
        {
            "stcd": pa.array(np.repeat([f"{k:08d}" for k in range(series)], length)),
            "time_cst": pa.array(np.tile(moments, series)),
            "z_m": pa.array(level.ravel().astype(np.float32)),
        }
    )
    folder = Path(tempfile.mkdtemp())
    pq.write_table(table, folder / "in.parquet")
    check_file(folder / "in.parquet", folder / "out.csv")
    spent = clock(lambda: check_file(folder / "in.parquet", folder / "out.csv"))
    print(f"hindsight: {spent / level.size * 1e6:.2f} s a million values, file to file")
    return moments.astype("datetime64[s]").astype(np.int64), level[0]


def peer(moments: np.ndarray, value: np.ndarray) -> None:
    """The same four simple tests by ioos_qc on one series."""
    try:
        from ioos_qc import qartod  # noqa: PLC0415
    except ImportError:
        print("peer: ioos_qc is not installed (pip install ioos_qc)")
        return

    def all_tests() -> None:
        qartod.gross_range_test(value, fail_span=(-500, 9000), suspect_span=(0, 50))
        qartod.spike_test(value, suspect_threshold=0.3, fail_threshold=1.0)
        qartod.rate_of_change_test(value, moments.astype("datetime64[s]"), threshold=1.0)
        qartod.flat_line_test(
            value, moments.astype("datetime64[s]"), suspect_threshold=21600, fail_threshold=43200, tolerance=0.001
        )

    all_tests()
    spent = clock(all_tests)
    print(f"peer: ioos_qc, four tests, {spent / len(value) * 1e6:.2f} s a million values, in memory")


def main() -> None:
    """Run all."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--stations", type=int, default=30000)
    options.add_argument("--steps", type=int, default=6)
    given = options.parse_args()
    live(given.stations, given.steps)
    peer(*hindsight(20, 50000))


if __name__ == "__main__":
    main()
