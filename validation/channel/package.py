"""Writes the calibrated main stem, 寸滩 to 大通, as the `channel` part of the Yangtze's package.

    python validation/channel/package.py

Sections stand where shapes change; `refine` puts others between them. Series are named: `drivers.toml` makes them.
Offsets of gauges are those of `offsets.csv`, which `channel.py` writes.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
from calibrate import read
from main_stem import CHAINAGE, FOLDER, GAUGES, KM, KNOTS, LAKES, LATERALS, Shape, lower_reaches, upper_reach
from pool import read_pool

from liuyu.twin.channel import Network, write_sections

HERE = Path(__file__).parent
YEAR = 2023.0
START = {  # [m] levels of an ordinary June; used where no gauge says more
    "库区": ((0.0, 165.0), (131e3, 152.0), (323e3, 148.0), (614e3, 147.0)),
    "荆江": ((0.0, 46.5), (44e3, 46.0), (192e3, 37.5), (443e3, 28.5)),
    "莲花塘-湖口": ((0.0, 28.5), (233e3, 22.0), (499e3, 15.8), (528e3, 15.2)),
    "湖口-大通": ((0.0, 15.2), (222e3, 10.0)),
    "七里山": ((0.0, 28.6), (12e3, 28.5)),
    "湖口水道": ((0.0, 15.3), (12e3, 15.2)),
}


def write(name: str, header: str, rows: list[tuple[object, ...]]) -> None:
    """One file of the package."""
    with (FOLDER / name).open("w", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        csv.writer(file, lineterminator="\n").writerows(rows)


def scour(shape: Shape) -> list[tuple[object, ...]]:
    """How the beds fall, by reach."""
    rows: list[tuple[object, ...]] = []
    at = [CHAINAGE[each] for each in KNOTS]
    ends = {"荆江": (-44.0, 399.0), "莲花塘-湖口": (399.0, 927.0), "湖口-大通": (927.0, 1149.0)}
    for reach, (first, last) in ends.items():
        for x in sorted({first, last, *(each for each in at if first < each < last)}):
            fall = float(np.interp(x, at, shape.scour))
            rows.append((reach, f"{(x + 44.0) * KM - (first + 44.0) * KM:g}", f"{fall:.4f}", f"{YEAR:g}"))
    for reach, gauge in (("七里山", "莲花塘"), ("湖口水道", "湖口")):
        rows.append((reach, "0", f"{float(np.interp(CHAINAGE[gauge], at, shape.scour)):.4f}", f"{YEAR:g}"))
    return rows


def offsets() -> dict[str, str]:
    """What the model stands above each gauge [m]."""
    with (HERE / "offsets.csv").open(encoding="utf-8") as file:
        return {each["gauge"]: each["offset_m"] for each in csv.DictReader(file)}


def main() -> None:
    """Write every file but `drivers.toml`, which is written by hand."""
    shape = read()
    network = Network(reaches=(upper_reach(read_pool()), *lower_reaches(shape, YEAR)), lakes=LAKES)
    write_sections(FOLDER, network)
    ends = [("寸滩", "discharge", "flow at 60105400", ""), ("大通", "level", "level at 60115000", "")]
    write("boundaries.csv", "node,kind,series,slope", list(ends))
    dam = ("三峡", "release", "坝前", "坝下", "", "", "", "release of 60106980")
    write("structures.csv", "structure,kind,start,end,crest_m,width_m,coefficient,series", [dam])
    begin = {each.name: each.sections[0].chainage for each in network.reaches}
    laterals = [(name, reach, f"{x:g}" if reach else "", node, name) for name, reach, x, node in LATERALS]
    write("laterals.csv", "lateral,reach,chainage_m,node,series", list(laterals))
    known = offsets()
    gauges = [(g.name, g.station, g.reach, f"{g.chainage:g}", known.get(g.name, "0")) for g in GAUGES]
    write("gauges.csv", "gauge,station,reach,chainage_m,offset_m", list(gauges))
    rows = [(reach, f"{x + begin[reach]:g}", f"{z:g}") for reach, each in START.items() for x, z in each]
    write("start.csv", "reach,chainage_m,level_m", list(rows))
    moved = [(reach, f"{float(str(x)) + begin[str(reach)]:g}", fall, year) for reach, x, fall, year in scour(shape)]
    write("scour.csv", "reach,chainage_m,fall_m_per_year,from_year", list(moved))


if __name__ == "__main__":
    main()
