"""The river in one dimension: time of a flood season on one core.

    python benchmarks/channel.py [--sections 1000] [--days 90]

1,500 km, 1,000 sections, 90 days by the hour, of a synthetic river with a lake, a confluence and a flood wave.
The limit is 10 s on one core (ratio = time / 10 s). Processor time is told beside the wall's: others may use the
machine too.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from liuyu.twin.channel import Boundary, ChannelModel, Lake, Lateral, Network, Reach, Section, refine
from liuyu.twin.flood.problem import Series

LIMIT = 10.0  # [s]
DAY = 86_400.0


def section(chainage: float, bed: float) -> Section:
    """A compound section: 1,200 m of channel between 2,000 m of foreland on each side."""
    station = np.array([0.0, 100.0, 2000.0, 2200.0, 3200.0, 3400.0, 5300.0, 5400.0])
    level = bed + np.array([24.0, 16.0, 15.0, 0.0, 0.0, 15.0, 16.0, 24.0])
    manning = np.array([0.04, 0.04, 0.024, 0.024, 0.024, 0.04, 0.04, 0.04])
    return Section(chainage=chainage, station=station, level=level, manning=manning, synthetic=True)


def river(count: int) -> Network:
    """Two reaches of 750 km that meet a lake's mouth."""
    slope, half = 3e-5, 750e3
    spacing = 2.0 * half / (count - 12)

    def reach(name: str, start: str, end: str, bed: float, length: float) -> Reach:
        ends = (section(0.0, bed), section(length, bed - slope * length))
        return refine(Reach(name=name, start=start, end=end, sections=ends), min(spacing, length / 10.0))

    times = np.array([0.0, 10.0, 25.0, 40.0, 60.0, 90.0]) * DAY
    wave = Series(times=times, values=np.array([15e3, 15e3, 50e3, 25e3, 45e3, 15e3]))
    return Network(
        reaches=(
            reach("upper", "a", "mouth", 45.0, half),
            reach("lower", "mouth", "sea", 22.5, half),
            reach("lake's mouth", "lake", "mouth", 23.0, 20e3),
        ),
        lakes=(Lake(node="lake", level=np.array([20.0, 30.0, 45.0]), surface=np.array([3e8, 1e9, 3e9])),),
        boundaries=(
            Boundary(node="a", kind="discharge", series=wave),
            Boundary(node="sea", kind="normal", slope=slope),
        ),
        laterals=(Lateral(name="into the lake", node="lake", series=Series.constant(4000.0)),),
    )


def main() -> None:
    """Print the time, its ratio to the limit, and what it buys."""
    ask = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    ask.add_argument("--sections", type=int, default=1000)
    ask.add_argument("--days", type=float, default=90.0)
    given = ask.parse_args()
    network = river(given.sections)
    ChannelModel(network, step=3600.0, depth=8.0).advance(3600.0)  # compiles
    wall, processor = time.perf_counter(), time.process_time()
    model = ChannelModel(network, step=3600.0, depth=8.0)
    built = time.process_time() - processor
    course = model.advance(given.days * DAY)
    wall, processor = time.perf_counter() - wall, time.process_time() - processor
    steps = len(course.time)
    print(f"{len(model.level)} sections, {given.days:g} days, {steps} steps of 1 h, one core")
    print(f"wall {wall:.2f} s, processor {processor:.2f} s ({built:.2f} s of it building), limit {LIMIT:g} s")
    print(f"ratio to the limit: {processor / LIMIT:.2f} by the processor, {wall / LIMIT:.2f} by the wall")
    print(f"{1e6 * (processor - built) / steps / len(model.level):.2f} us per section and step")
    print(f"mass error {model.balance.relative_error:.1e} of all water")


if __name__ == "__main__":
    main()
