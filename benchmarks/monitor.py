"""The lane of NOW at the size of the whole Yangtze: 30,000 stations, 3 quantities each, a report every 5 minutes.

    python benchmarks/monitor.py [--stations 30000] [--json FILE]

Prints, from one run: values per second through gather, quality control, assess, alert and a durable store; the latency
from a value's arrival to its alert in the log, at ten times the rate at which such a network reports; the latest value
of every station; and thirty days of one station.
"""

from __future__ import annotations

import argparse
import json
import shutil
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.app.pipeline import Pipeline
from liuyu.basin.clock import DAY
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

QUANTITIES = ("water_level", "discharge", "rainfall")
INTERVAL = 300
BEGIN = 1_600_000_200 // INTERVAL * INTERVAL
WARM_TICKS, TICKS = 4, 8
RUSH, RUSH_SECONDS, CYCLE = 10, 30.0, 0.25


RULES = """
kind = "alerts"

[[rule]]
name = "level-above-guarantee"
title = { zh = "{station}水位超保证", en = "{station}: water level above guarantee" }
severity = "orange"
match = { quantity = "water_level", threshold = "guarantee" }
when = [{ above = "guarantee" }]
clear_below = 0.10
clear_for = "6h"
inhibits = ["level-above-warning"]

[[rule]]
name = "level-above-warning"
title = { zh = "{station}水位超警戒", en = "{station}: water level above warning" }
severity = "yellow"
match = { quantity = "water_level", threshold = "warning" }
when = [{ above = "warning" }]
clear_below = 0.10
clear_for = "6h"

[[rule]]
name = "rapid-rise"
title = { zh = "{station}水位快速上涨({tendency})", en = "{station}: water level rising fast ({tendency})" }
severity = "blue"
match = { quantity = "water_level" }
when = [{ rising = 0.5 }]
holds_for = "1h"
clear_for = "3h"
"""


def network(stations: int, folder: Path) -> Basin:
    """A basin of gauges with a warning and a guarantee line each, under three rules of the kind that packages ship."""
    (folder / "alerts.toml").write_text(RULES, encoding="utf-8")
    codes = [f"{90000000 + number}" for number in range(stations)]
    gauges = tuple(
        Station(code=code, name=code, name_en=code, quantities=QUANTITIES, interval=INTERVAL, datum="bench")
        for code in codes
    )
    lines = tuple(
        Threshold(station=code, quantity="water_level", kind=kind, value=value, datum="bench")
        for code in codes
        for kind, value in (("warning", 12.0), ("guarantee", 14.0))
    )
    return Basin(
        code="bench",
        name="基准",
        name_en="Benchmark",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder=str(folder),
        stations=gauges,
        thresholds=lines,
        rule_files=("alerts.toml",),
    )


def levels(places: NDArray[np.int64], tick: NDArray[np.int64] | int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Levels [m] of gauges at a tick: slow waves, each with its own phase, some of them crossing the warning line."""
    return np.round(10.0 + 2.05 * np.sin(places * 0.61803 + tick * 0.02) + rng.normal(0, 0.002, len(places)), 3)


def tick_of(basin: Basin, tick: int, rng: np.random.Generator) -> Batch:
    """What the whole network reports at one tick: (3 x stations) values."""
    count = len(basin.stations)
    level = levels(np.arange(count), tick, rng)
    values = np.concatenate([level, np.round(400 * level**1.5, 0), np.zeros(count)])
    numbers = np.repeat([quantity(each).number for each in QUANTITIES], count)
    places = np.tile(np.arange(count), len(QUANTITIES))
    return Batch.of(
        basin.roster, places, numbers, np.full(len(values), BEGIN + tick * INTERVAL), values, source="bench"
    )


def commit(store: Store, pipeline: Pipeline, batch: Batch, now: int) -> int:
    """One durable step; returns how many alerts it raised."""
    with store.transaction():
        step = pipeline.step(batch, now)
        pipeline.save()
    return sum(event.kind == "alert" for event in step.events)


def sustained(basin: Basin, store: Store, pipeline: Pipeline, rng: np.random.Generator) -> dict[str, Any]:
    """Values per second over several ticks of the whole network, after a few that compile and fill the memories."""
    for tick in range(WARM_TICKS):
        commit(store, pipeline, tick_of(basin, tick, rng), BEGIN + tick * INTERVAL)
    batches = [tick_of(basin, tick, rng) for tick in range(WARM_TICKS, WARM_TICKS + TICKS)]
    began = time.perf_counter()
    alerts = sum(commit(store, pipeline, each, int(each.time[0])) for each in batches)
    spent = time.perf_counter() - began
    values = sum(map(len, batches))
    return {"values": values, "seconds": round(spent, 2), "values_per_second": round(values / spent), "alerts": alerts}


def rush(basin: Basin, store: Store, pipeline: Pipeline, rng: np.random.Generator) -> dict[str, Any]:
    """Latency from arrival to alert [s] while stations report spread evenly in time, ten times as often as they would.

    The wall gives the arrivals: in each cycle the values that arrived since the last are taken as one step.
    """
    count = len(basin.stations)
    rate = RUSH * count * len(QUANTITIES) / INTERVAL
    order = rng.permutation(count)
    first = WARM_TICKS + TICKS
    latencies: list[float] = []
    sent = 0
    began = time.perf_counter()
    while (elapsed := time.perf_counter() - began) < RUSH_SECONDS:
        until = int(elapsed * rate / len(QUANTITIES))
        if until == sent:
            time.sleep(0.01)
            continue
        turns = np.arange(sent, until)
        arrived = began + (turns + 1) * len(QUANTITIES) / rate
        places = order[turns % count]
        now = BEGIN + (first + 1 + turns // count) * INTERVAL
        level = levels(places, first + 1 + turns // count, rng)
        batch = Batch.of(
            basin.roster,
            np.repeat(places, len(QUANTITIES)),
            np.tile([quantity(each).number for each in QUANTITIES], len(turns)),
            np.repeat(now, len(QUANTITIES)),
            np.column_stack([level, np.round(400 * level**1.5), np.zeros(len(turns))]).ravel(),
            source="bench",
        )
        commit(store, pipeline, batch.ordered(), int(now[-1]))
        latencies.extend(time.perf_counter() - arrived)
        sent = until
        time.sleep(max(0.0, CYCLE - (time.perf_counter() - began - elapsed)))
    p50, p99 = np.quantile(latencies, [0.5, 0.99])
    return {
        "rate_values_per_second": round(rate),
        "kept_up": bool(sent * len(QUANTITIES) >= 0.95 * rate * RUSH_SECONDS),
        "arrival_to_alert_p50_s": round(float(p50), 3),
        "arrival_to_alert_p99_s": round(float(p99), 3),
    }


def questions(basin: Basin, store: Store, rng: np.random.Generator) -> dict[str, Any]:
    """Milliseconds for the latest value of all stations, and for 30 days of one in a store full of the others."""
    count, code = len(basin.stations), basin.stations[count_half(basin)].code
    level = quantity("water_level").number
    start = BEGIN - 31 * DAY
    for day in range(30):
        everyone = Batch.of(
            basin.roster,
            np.arange(count),
            np.full(count, level),
            np.full(count, start + day * DAY + 1),
            levels(np.arange(count), day, rng),
            np.full(count, Flag.GOOD),
        )
        times = start + day * DAY + np.arange(0, DAY, INTERVAL)
        one = Batch.of(
            basin.roster,
            np.full(len(times), count_half(basin)),
            np.full(len(times), level),
            times,
            np.round(10 + rng.normal(0, 0.1, len(times)), 3),
            np.full(len(times), Flag.GOOD),
        )
        store.write(everyone, received=BEGIN)
        store.write(one, received=BEGIN)
    latest = timed(lambda: store.latest(basin.roster))
    series = timed(lambda: store.series(code, "water_level", start, start + 30 * DAY))
    return {
        "latest_series": len(store.latest(basin.roster)),
        "latest_of_all_ms": latest,
        "series_30_days_values": len(store.series(code, "water_level", start, start + 30 * DAY)),
        "series_30_days_ms": series,
    }


def count_half(basin: Basin) -> int:
    """The place of the station in the middle of the roster."""
    return len(basin.stations) // 2


def timed(call: Any, times: int = 21) -> float:
    """The median of several calls [ms]."""
    spent = []
    for _ in range(times):
        began = time.perf_counter()
        call()
        spent.append(time.perf_counter() - began)
    return round(1000 * float(np.median(spent)), 2)


def main() -> None:
    """Run it all once on a store of its own."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--stations", type=int, default=30_000)
    parser.add_argument("--json", type=Path)
    arguments = parser.parse_args()
    rng = np.random.default_rng(1)
    folder = Path(tempfile.mkdtemp(prefix="liuyu-bench-"))
    basin = network(arguments.stations, folder)
    try:
        with closing(open_store(folder / "store")) as store:
            pipeline = Pipeline(basin, store)
            result = {
                "stations": arguments.stations,
                "sustained": sustained(basin, store, pipeline, rng),
                "rush": rush(basin, store, pipeline, rng),
                "questions": questions(basin, store, rng),
            }
    finally:
        shutil.rmtree(folder)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.json:
        arguments.json.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
