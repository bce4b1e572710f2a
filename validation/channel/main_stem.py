"""The main stem from 寸滩 to 大通: its record, its synthetic sections, its network, and a season of it.

Two parts that the dam joins: above, 寸滩's discharge comes in and the record of the forebay holds the level; below, the
releases of Three Gorges come in and the record of 大通 holds the level. Both lakes are storage behind a channel; what
enters them follows from the record of their mouths. Chainages [km] from 宜昌 as in the package (approximate).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_file
from liuyu.twin.channel import Boundary, ChannelModel, Lake, Lateral, Network, Reach, Section, refine
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
HOUR = 3600.0
KM = 1000.0
CODES = {
    "寸滩": "60105400", "武隆": "60803000", "三峡": "60106980", "宜昌": "60107300", "沙市": "60108300",
    "莲花塘": "60111200", "七里山": "61512000", "汉口": "60112200", "九江": "60113400", "湖口": "62601600",
    "大通": "60115000", "万县": "60106000",
}  # fmt: skip
CHAINAGE = {"宜昌": 0.0, "沙市": 148.0, "莲花塘": 399.0, "汉口": 632.0, "九江": 898.0, "湖口": 927.0, "大通": 1149.0}
KNOTS = ("宜昌", "沙市", "莲花塘", "汉口", "九江", "大通")
UPPER = {"寸滩": -658.0, "清溪场": -527.0, "万县": -335.0, "坝前": -44.0}
DONGTING = (
    np.array([15.0, 20.0, 24.0, 28.0, 31.0, 34.0, 40.0]),
    np.array([100, 300, 600, 1500, 2300, 2700, 2800]) * 1e6,
)
POYANG = (np.array([2.0, 7.0, 11.0, 14.0, 17.0, 20.0, 26.0]), np.array([100, 300, 700, 1600, 2700, 3300, 3500]) * 1e6)
SHARES = np.array([0.03, 0.1, 0.25, 0.5, 0.75, 1.0, 1.3, 1.6])
DEEP = 20.0  # [m] depth at which a section has its full width


@dataclass(frozen=True)
class Shape:
    """Sections by knot: bed [m], width [m] at 20 m of depth, power of the width; Manning between knots."""

    bed: Floats
    width: Floats
    power: Floats
    manning: Floats


@dataclass(frozen=True)
class Season:
    """Hourly record by station, gaps bridged and spikes taken out: levels [m], discharges [m³/s]; start as text."""

    start: str
    level: dict[str, Floats]
    flow: dict[str, Floats]

    @property
    def hours(self) -> int:
        """How many hours it has."""
        return len(self.level["大通"])


def section(chainage: float, bed: float, width: float, power: float, manning: float, deep: float = DEEP) -> Section:
    """A synthetic section: its width grows as a power of depth and is `width` at the depth `deep` [m]."""
    half = 0.5 * width * SHARES**power
    station = np.concatenate([-half[::-1], half]) + half[-1]
    level = bed + deep * np.concatenate([SHARES[::-1], SHARES])
    level[len(SHARES) - 1 : len(SHARES) + 1] = bed
    return Section(chainage=chainage, station=station, level=level, manning=manning, synthetic=True)


def records(start: str, end: str) -> Season:
    """The record from one day to another."""
    table = pa.parquet.read_table(bundle_file("yangtze_gauges_hourly/observations.parquet"))
    codes = np.asarray(table["stcd"].cast(pa.string()).to_numpy(zero_copy_only=False), str)
    wall = table["time_cst"].cast(pa.timestamp("s")).to_numpy().astype("datetime64[h]").astype(np.int64)
    first, last = (np.datetime64(each, "h").astype(np.int64) for each in (start, end))
    level, flow = {}, {}
    for name, code in CODES.items():
        keep = (codes == code) & (wall >= first - 240) & (wall < last + 48)
        hours = wall[keep] - first
        column = "outflow_m3s" if name == "三峡" else "q_m3s"
        level[name] = _clean(hours, np.asarray(table["z_m"])[keep], last - first, 0.5)
        flow[name] = _clean(hours, np.asarray(table[column])[keep], last - first, 6000.0)
    return Season(start, level, flow)


def _clean(hours: NDArray[np.int64], value: Floats, count: int, jump: float) -> Floats:
    """Hourly values without those that leave the median of their day by more than `jump`, gaps bridged."""
    grid = np.full(count + 288, np.nan)
    real = np.isfinite(value)
    grid[hours[real] + 240] = value[real]
    if not np.isfinite(grid).any():
        return np.full(count, np.nan)
    at = np.flatnonzero(np.isfinite(grid))
    full = np.interp(np.arange(len(grid)), at, grid[at])
    padded = np.pad(full, 12, mode="edge")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, 25), axis=1)
    at = at[np.abs(grid[at] - middle[at]) <= jump]
    return np.asarray(np.interp(np.arange(240, 240 + count), at, grid[at]))


def smooth(value: Floats, hours: int) -> Floats:
    """Running mean over so many hours, the ends held."""
    padded = np.pad(value, (hours // 2, hours - 1 - hours // 2), mode="edge")
    return np.convolve(padded, np.ones(hours) / hours, mode="valid")


def later(value: Floats, hours: int) -> Floats:
    """A series moved to later hours, its first value held."""
    return np.concatenate([np.full(hours, value[0]), value[: len(value) - hours]])


def rests(season: Season) -> dict[float, Floats]:
    """What enters or leaves ungauged [m³/s] by chainage [km]: the smoothed difference of recorded discharges.

    Before 宜昌 葛洲坝 holds back and gives; before 沙市 松滋 and 太平 leave and 清江 comes in; 藕池 leaves by a
    rule of 沙市's discharge; 汉江 comes in at 汉口.
    """
    q = season.flow
    ouchi = -0.13 * np.maximum(smooth(q["沙市"], 24) - 15_000.0, 0.0)
    above = later(q["沙市"] + ouchi, 42) + later(q["七里山"], 26)
    return {
        -20.0: smooth(q["宜昌"] - later(q["三峡"], 2), 12),
        75.0: smooth(q["沙市"] - later(q["宜昌"], 12), 30),
        225.0: ouchi,
        600.0: smooth(q["汉口"] - above, 36),
        780.0: smooth(q["九江"] - later(q["汉口"], 26), 36),
        1040.0: smooth(q["大通"] - later(q["九江"] + q["湖口"], 26), 36),
    }


def _inflow(level: Floats, flow: Floats, lake: tuple[Floats, Floats]) -> Floats:
    """What enters a lake [m³/s]: what leaves it and what it stores."""
    calm = smooth(level, 25)
    return smooth(flow, 25) + np.interp(calm, *lake) * np.gradient(calm) / HOUR


def lower_network(shape: Shape, season: Season, spacing: float) -> Network:
    """From the dam to 大通, driven by a season."""
    hours = np.arange(season.hours) * HOUR

    def series(value: Floats) -> Series:
        return Series(times=hours, values=value)

    at = np.array([CHAINAGE[each] for each in KNOTS])

    def cut(x: float, upward: bool) -> Section:
        bed, width, power = (np.interp(x, at, each) for each in (shape.bed, shape.width, shape.power))
        bed += 2e-5 * KM * max(-x, 0.0)
        k = int(np.clip(np.searchsorted(at, x, side="left" if upward else "right") - 1, 0, len(shape.manning) - 1))
        return section((x + 44.0) * KM, float(bed), float(width), float(power), float(shape.manning[k]))

    def reach(name: str, start: str, end: str, places: list[float]) -> Reach:
        cuts = [cut(x, k > 0) for k, x in enumerate(places)]
        return refine(Reach(name=name, start=start, end=end, sections=tuple(cuts)), spacing)

    def mouth(name: str, lake: str, end: str, bed: float, width: float) -> Reach:
        ends = tuple(section(x, bed, width, 0.3, 0.022) for x in (0.0, 12e3))
        return refine(Reach(name=name, start=lake, end=end, sections=ends), max(spacing, 4000.0))

    bed = np.interp([CHAINAGE["莲花塘"], CHAINAGE["湖口"]], at, shape.bed)
    reaches = (
        reach("荆江", "坝下", "莲花塘", [-44.0, -20.0, 0.0, 75.0, 148.0, 225.0, 399.0]),
        reach("莲花塘-湖口", "莲花塘", "湖口", [399.0, 500.0, 632.0, 780.0, 898.0, 927.0]),
        reach("湖口-大通", "湖口", "大通", [927.0, 1040.0, 1149.0]),
        mouth("七里山", "洞庭湖", "莲花塘", float(bed[0]) + 2.0, 1600.0),
        mouth("湖口水道", "鄱阳湖", "湖口", float(bed[1]) + 4.0, 1600.0),
    )
    laterals = [
        Lateral(name=f"rest at {x:g} km", reach="荆江" if x < 399 else "莲花塘-湖口" if x < 927 else "湖口-大通",
                chainage=(x + 44.0) * KM, series=series(value)) for x, value in rests(season).items()
    ]  # fmt: skip
    for node, name, lake in (("洞庭湖", "七里山", DONGTING), ("鄱阳湖", "湖口", POYANG)):
        enters = _inflow(season.level[name], season.flow[name], lake)
        laterals.append(Lateral(name=f"into {node}", node=node, series=series(enters)))
    return Network(
        reaches=reaches,
        lakes=tuple(
            Lake(node=node, level=np.asarray(each[0]), surface=np.asarray(each[1]))
            for node, each in (("洞庭湖", DONGTING), ("鄱阳湖", POYANG))
        ),
        boundaries=(
            Boundary(node="坝下", kind="discharge", series=series(season.flow["三峡"])),
            Boundary(node="大通", kind="level", series=series(season.level["大通"])),
        ),
        laterals=tuple(laterals),
    )


def run_upper(
    manning: float, season: Season, spacing: float, step_h: int, bed: float = 152.0
) -> tuple[Floats, ChannelModel]:
    """Level at 寸滩 [m] by step; the record of the forebay holds the dam's end. What comes in ungauged is left out."""
    hours = np.arange(season.hours) * HOUR
    knots = zip(UPPER.values(), (bed, 138.0, 105.0, 60.0), (850.0, 900.0, 900.0, 1200.0), strict=True)
    cuts = tuple(section((x + 658.0) * KM, z, wide, 0.5, manning, (178.0 - z) / 1.3) for x, z, wide in knots)
    network = Network(
        reaches=(refine(Reach(name="库区", start="寸滩", end="坝前", sections=cuts), spacing),),
        boundaries=(
            Boundary(node="寸滩", kind="discharge", series=Series(times=hours, values=season.flow["寸滩"])),
            Boundary(node="坝前", kind="level", series=Series(times=hours, values=season.level["三峡"])),
        ),
        laterals=(
            Lateral(
                name="乌江", reach="库区", chainage=120.0 * KM, series=Series(times=hours, values=season.flow["武隆"])
            ),
        ),
    )
    model = ChannelModel(network, step=step_h * HOUR, theta=0.8)
    x = model.built.chainage["库区"]
    model.level[model.cells("库区")] = np.interp(x, [0.0, x[-1]], [season.level["寸滩"][0], season.level["三峡"][0]])
    model.refill()
    course = model.advance((season.hours - 1) // step_h * step_h * HOUR)
    return course.level[:, model.cells("库区")[0]], model


def begin(model: ChannelModel, season: Season) -> None:
    """Levels at the start: the record of the gauges, straight between them."""
    x = np.array([-44.0, *CHAINAGE.values()])
    z = [season.level["宜昌"][0] + 0.5, *(season.level[each][0] for each in CHAINAGE)]
    for name in ("荆江", "莲花塘-湖口", "湖口-大通"):
        model.level[model.cells(name)] = np.interp(model.built.chainage[name] / KM - 44.0, x, z)
    for name, gauge in (("七里山", "七里山"), ("湖口水道", "湖口")):
        model.level[model.cells(name)[:-1]] = season.level[gauge][0]
    model.refill()


def run_lower(shape: Shape, season: Season, spacing: float, step_h: int) -> tuple[dict[str, Floats], ChannelModel]:
    """Levels [m] at the gauges by step, and the model as it stands at the end."""
    model = ChannelModel(lower_network(shape, season, spacing), step=step_h * HOUR, theta=0.8)
    begin(model, season)
    course = model.advance((season.hours - 1) // step_h * step_h * HOUR)
    names = {
        "宜昌": "荆江",
        "沙市": "荆江",
        "莲花塘": "荆江",
        "汉口": "莲花塘-湖口",
        "九江": "莲花塘-湖口",
        "湖口": "莲花塘-湖口",
    }
    levels = {}
    for gauge, reach in names.items():
        x = model.built.chainage[reach] / KM - 44.0
        k = int(np.clip(np.searchsorted(x, CHAINAGE[gauge], side="right"), 1, len(x) - 1))
        share = (CHAINAGE[gauge] - x[k - 1]) / (x[k] - x[k - 1])
        cells = model.cells(reach)
        levels[gauge] = (1 - share) * course.level[:, cells[k - 1]] + share * course.level[:, cells[k]]
    return levels, model
