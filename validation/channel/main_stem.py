"""The main stem from 寸滩 to 大通: its record, its synthetic sections, its network, and a season of it.

One network that the dam joins: 寸滩's discharge comes in, the recorded release passes the dam, the record of 大通 holds
the level at the end. Both lakes are storage behind a channel; what is ungauged is made by `drivers.toml` of the
package. Chainages [km] from 宜昌 as in the package (approximate).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_file
from liuyu.twin.channel import (
    Boundary,
    ChannelModel,
    Lake,
    Lateral,
    Network,
    Reach,
    Section,
    Structure,
    part,
    refine,
)  # fmt: skip
from liuyu.twin.channel.drivers import Drivers, Term, drive, read_drivers
from liuyu.twin.channel.gauges import GaugePlace, at
from liuyu.twin.channel.start import from_gauges, settle
from liuyu.twin.flood.problem import Series

Floats = NDArray[np.float64]
FOLDER = Path(__file__).parents[2] / "basins" / "yangtze" / "channel"
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
LAKES = tuple(
    Lake(node=node, level=each[0], surface=each[1]) for node, each in (("洞庭湖", DONGTING), ("鄱阳湖", POYANG))
)
LATERALS = (
    ("flow at 60803000", "库区", 120e3, ""), ("rest above the dam", "库区", 300e3, ""),
    ("rest at -20 km", "荆江", 24e3, ""), ("rest at 75 km", "荆江", 119e3, ""), ("rest at 225 km", "荆江", 269e3, ""),
    ("rest at 600 km", "莲花塘-湖口", 644e3, ""), ("rest at 780 km", "莲花塘-湖口", 824e3, ""),
    ("rest at 1040 km", "湖口-大通", 1084e3, ""),
    ("into 洞庭湖", "", 0.0, "洞庭湖"), ("into 鄱阳湖", "", 0.0, "鄱阳湖"),
)  # fmt: skip
STEM = {"宜昌": "荆江", "沙市": "荆江", "莲花塘": "荆江", "汉口": "莲花塘-湖口", "九江": "莲花塘-湖口",
        "湖口": "莲花塘-湖口"}  # fmt: skip
GAUGES = (
    GaugePlace(name="七里山", station="61512000", reach="七里山", chainage=0.0),
    *(GaugePlace(name=each, station=CODES[each], reach="库区", chainage=x)
      for each, x in (("寸滩", 0.0), ("万县", 323e3), ("三峡", 614e3))),
    *(GaugePlace(name=each, station=CODES[each], reach=reach, chainage=(CHAINAGE[each] + 44.0) * KM)
      for each, reach in STEM.items()),
)  # fmt: skip
SHARES = np.array([0.03, 0.1, 0.25, 0.5, 0.75, 1.0, 1.3, 1.6])
DEEP = 20.0  # [m] depth at which a section has its full width


@dataclass(frozen=True)
class Shape:
    """Sections by knot: bed [m] at the start of 2023, width [m] at 20 m of depth, power of the width; `manning` between
    knots at 10 m of depth, and `deepening`, the power by which it falls with depth. `scour` is how much the bed falls
    in a year [m]: below the dam the river has been digging since 2003. `ouchi` is the share of what 沙市 carries above
    15,000 m³/s that leaves by 藕池口.
    """

    bed: Floats
    width: Floats
    power: Floats
    manning: Floats
    scour: Floats
    deepening: Floats
    ouchi: float = 0.13

    def bed_at(self, year: float) -> Floats:
        """Beds [m] in a year, such as 2021.6."""
        return self.bed - self.scour * (year - 2023.0)


@dataclass(frozen=True)
class Pool:
    """Sections of the reservoir by knot: bed [m], width [m] at a third below 178 m, Manning; one power of the width,
    and one of Manning with depth."""

    bed: Floats
    width: Floats
    manning: Floats
    power: float
    deepening: float


POOL = Pool(np.array([152.0, 138.0, 105.0, 60.0]), np.array([850.0, 900.0, 900.0, 1200.0]), np.full(4, 0.026), 0.5, 0.0)


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

    @property
    def year(self) -> float:
        """Its middle, in years."""
        day = np.datetime64(self.start, "D") + np.timedelta64(self.hours // 48, "D")
        return 1970.0 + float(day.astype(np.int64)) / 365.2425


def section(
    chainage: float, bed: float, width: float, power: float, manning: float, deep: float = DEEP, deepening: float = 0.0
) -> Section:
    """A synthetic section: its width grows as a power of depth and is `width` at the depth `deep` [m]."""
    half = 0.5 * width * SHARES**power
    station = np.concatenate([-half[::-1], half]) + half[-1]
    level = bed + deep * np.concatenate([SHARES[::-1], SHARES])
    level[len(SHARES) - 1 : len(SHARES) + 1] = bed
    return Section(
        chainage=chainage, station=station, level=level, manning=manning, deepening=deepening, synthetic=True
    )


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


def drivers_of(shape: Shape) -> Drivers:
    """The package's drivers, with the share that 藕池口 takes as a shape has it."""
    found = read_drivers(FOLDER)
    assert found is not None

    def term(each: Term) -> Term:
        share = float(np.sign(each.factor)) * shape.ouchi if each.above is not None else each.factor
        return replace(each, factor=share)

    return Drivers(tuple(replace(one, terms=tuple(map(term, one.terms))) for one in found.series))


def driven(shape: Shape, season: Season, network: Network) -> dict[str, Series]:
    """The series of a season."""
    hourly = {(CODES[name], "water_level"): each for name, each in season.level.items()}
    hourly |= {(CODES[name], "discharge"): each for name, each in season.flow.items()}
    hourly[CODES["三峡"], "reservoir_outflow"] = season.flow["三峡"]
    return drive(drivers_of(shape), hourly, network)


def lower_reaches(shape: Shape, year: float) -> tuple[Reach, ...]:
    """From the dam to 大通, with both lakes' mouths."""
    at = np.array([CHAINAGE[each] for each in KNOTS])
    beds = shape.bed_at(year)

    def cut(x: float, upward: bool) -> Section:
        bed, width, power = (np.interp(x, at, each) for each in (beds, shape.width, shape.power))
        bed += 2e-5 * KM * max(-x, 0.0)
        k = int(np.clip(np.searchsorted(at, x, side="left" if upward else "right") - 1, 0, len(shape.manning) - 1))
        manning, deepening = float(shape.manning[k]), float(shape.deepening[k])
        return section((x + 44.0) * KM, float(bed), float(width), float(power), manning, deepening=deepening)

    def reach(name: str, start: str, end: str, places: list[float]) -> Reach:
        return Reach(name=name, start=start, end=end, sections=tuple(cut(x, k > 0) for k, x in enumerate(places)))

    def mouth(name: str, lake: str, end: str, bed: float, width: float) -> Reach:
        return Reach(
            name=name, start=lake, end=end, sections=tuple(section(x, bed, width, 0.3, 0.022) for x in (0.0, 12e3))
        )

    bed = np.interp([CHAINAGE["莲花塘"], CHAINAGE["湖口"]], at, beds)
    return (
        reach("荆江", "坝下", "莲花塘", [-44.0, -20.0, 0.0, 75.0, 148.0, 225.0, 399.0]),
        reach("莲花塘-湖口", "莲花塘", "湖口", [399.0, 500.0, 632.0, 780.0, 898.0, 927.0]),
        reach("湖口-大通", "湖口", "大通", [927.0, 1040.0, 1149.0]),
        mouth("七里山", "洞庭湖", "莲花塘", float(bed[0]) + 2.0, 1600.0),
        mouth("湖口水道", "鄱阳湖", "湖口", float(bed[1]) + 4.0, 1600.0),
    )


def upper_reach(pool: Pool) -> Reach:
    """From 寸滩 to the dam: the reservoir."""
    cuts = [
        section((x + 658.0) * KM, bed, wide, pool.power, manning, (178.0 - bed) / 1.3, pool.deepening)
        for x, bed, wide, manning in zip(UPPER.values(), pool.bed, pool.width, pool.manning, strict=True)
    ]
    return Reach(name="库区", start="寸滩", end="坝前", sections=tuple(cuts))


def whole(shape: Shape, pool: Pool, season: Season, spacing: float) -> Network:
    """From 寸滩 to 大通, joined by the dam, driven by a season."""
    reaches = (upper_reach(pool), *lower_reaches(shape, season.year))
    still = Network(reaches=tuple(_finer(each, spacing) for each in reaches), lakes=LAKES)
    series = driven(shape, season, still)
    laterals = [
        Lateral(name=name, reach=reach, chainage=x, node=node, series=series[name]) for name, reach, x, node in LATERALS
    ]
    return replace(
        still,
        boundaries=(
            Boundary(node="寸滩", kind="discharge", series=series["flow at 60105400"]),
            Boundary(node="大通", kind="level", series=series["level at 60115000"]),
        ),
        structures=(
            Structure(name="三峡", kind="release", start="坝前", end="坝下", series=series["release of 60106980"]),
        ),
        laterals=tuple(laterals),
    )


def _finer(reach: Reach, spacing: float) -> Reach:
    return refine(reach, max(spacing, 4000.0) if reach.name in ("七里山", "湖口水道") else spacing)


def lower(network: Network) -> Network:
    """The part below the dam."""
    return part(network, tuple(each.name for each in network.reaches if each.name != "库区"))


def upper(network: Network, season: Season) -> Network:
    """The part above the dam, the record of the forebay holding its level."""
    ends = Boundary(node="坝前", kind="level", series=Series(times=hours_of(season), values=season.level["三峡"]))
    above = part(network, ("库区",))
    return replace(above, boundaries=(*above.boundaries, ends))


def hours_of(season: Season) -> Floats:
    """Its hours [s]."""
    return np.arange(season.hours) * HOUR


def begin(model: ChannelModel, season: Season) -> None:
    """The record of the gauges, straight between them, then five days of the first flows."""
    first = {CODES[name]: float(each[0]) for name, each in season.level.items()}
    model.begin(settle(model.network, from_gauges(model.network, GAUGES, first, {}), 5.0))


def run(network: Network, season: Season, step_h: int) -> tuple[dict[str, Floats], ChannelModel]:
    """Levels [m] at the gauges by step, and the model as it stands at the end."""
    model = ChannelModel(network, step=step_h * HOUR, theta=0.8)
    begin(model, season)
    course = model.advance((season.hours - 1) // step_h * step_h * HOUR)
    found = [at(model, each) for each in GAUGES if each.reach in model.built.cells]
    return {each.place.name: each.level(course.level) for each in found}, model


def run_lower(shape: Shape, season: Season, spacing: float, step_h: int) -> tuple[dict[str, Floats], ChannelModel]:
    """The part below the dam through a season."""
    return run(lower(whole(shape, POOL, season, spacing)), season, step_h)
