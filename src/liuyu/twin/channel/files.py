"""A network from a folder of CSV files, and back: the `channel` part of a basin package.

reaches.csv       reach,start,end
sections.csv      reach,chainage_m,station_m,level_m,manning,synthetic[,deepening]     one row per point
lakes.csv         node,level_m,surface_m2                                  one row per knot; may be absent
boundaries.csv    node,kind,series,slope                                   kind as in `Boundary`; may be absent
structures.csv    structure,kind,start,end,crest_m,width_m,coefficient,series     as in `Structure`; may be absent
laterals.csv      lateral,reach,chainage_m,node,series                     may be absent

A series is named; its numbers come from the caller, or from a file of seconds and values in the folder when its name
ends in .csv. A rating is such a file too, of levels [m] and discharges [m³/s].
"""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import cast

import numpy as np

from liuyu.basin.errors import BadPackage, Fault
from liuyu.twin.channel.network import Boundary, Ends, Kind, Lake, Lateral, Network, Reach, Section, Structure
from liuyu.twin.flood.problem import Series
from liuyu.twin.flood.series_file import read_series

Row = dict[str, str]
_STRUCTURES = "structure,kind,start,end,crest_m,width_m,coefficient,series"


class Folder:
    """Rows of files with their faults."""

    def __init__(self, path: Path, series: Mapping[str, Series]) -> None:
        self.path, self.series, self.faults = path, series, list[Fault]()

    def rows(self, name: str, columns: str, *, needed: bool = False) -> list[tuple[int, Row]]:
        """The rows of a table with their lines; none, and a fault, where it lacks a column."""
        file = self.path / name
        if not file.exists():
            if needed:
                self.fault(name, None, "", "", "is absent", f"write it with the columns {columns}")
            return []
        with file.open(encoding="utf-8-sig", newline="") as text:
            table = csv.DictReader(line for line in text if not line.startswith("#"))
            missing = [each for each in columns.split(",") if each not in (table.fieldnames or [])]
            if missing:
                self.fault(name, 1, "header", "", f"lacks {', '.join(missing)}", f"columns are {columns}")
                return []
            return [(table.line_num, {k: (v or "").strip() for k, v in row.items() if k}) for row in table]

    def fault(self, file: str, line: int | None, field: str, value: str, problem: str, cure: str) -> None:
        """Note a fault."""
        self.faults.append(Fault(file=file, line=line, field=field, value=value, problem=problem, cure=cure))

    def number(self, file: str, line: int, row: Row, field: str, default: float | None = None) -> float:
        """A number of a row; 0 and a fault where it is none."""
        text = row[field]
        if not text and default is not None:
            return default
        try:
            value = float(text)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            self.fault(file, line, field, text, "is no number", "write a number, as 12.5")
            return 0.0
        return value

    def named(self, file: str, line: int, name: str) -> Series | None:
        """The series of a name or of a .csv; None, and a fault, where there is no such."""
        if not name:
            return None
        if name in self.series:
            return self.series[name]
        if name.endswith(".csv"):
            return read_series(self.path / name, self.faults)
        given = ", ".join(sorted(self.series)) or "none"
        self.fault(file, line, "series", name, "is not among the series given", f"give it, or name a .csv ({given})")
        return None


def read_network(path: Path, series: Mapping[str, Series] | None = None) -> Network:
    """The network of a folder. Raises BadPackage with every fault of every file."""
    folder = Folder(path, series or {})
    network = Network(
        reaches=_reaches(folder),
        lakes=_lakes(folder),
        boundaries=_boundaries(folder),
        structures=_structures(folder),
        laterals=_laterals(folder),
    )
    if folder.faults:
        raise BadPackage(str(path), folder.faults)
    return network


def series_names(path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Names of the series that a folder's network needs from outside: what flows, and the levels that it ends at.

    Raises BadPackage where a file lacks columns.
    """
    folder = Folder(path, {})
    ends = folder.rows("boundaries.csv", "node,kind,series,slope")
    flows = [row for _, row in ends if row["kind"] == "discharge"]
    flows += [row for _, row in folder.rows("structures.csv", _STRUCTURES)]
    flows += [row for _, row in folder.rows("laterals.csv", "lateral,reach,chainage_m,node,series")]
    levels = [row for _, row in ends if row["kind"] == "level"]
    folder.rows("reaches.csv", "reach,start,end", needed=True)
    if folder.faults:
        raise BadPackage(str(path), folder.faults)
    named = [tuple(dict.fromkeys(row["series"] for row in each)) for each in (flows, levels)]
    upstream, downstream = (tuple(name for name in each if name and not name.endswith(".csv")) for each in named)
    return upstream, downstream


def _reaches(folder: Folder) -> tuple[Reach, ...]:
    points: dict[str, dict[float, list[tuple[float, float, float, bool, float]]]] = {}
    name = "sections.csv"
    for line, row in folder.rows(name, "reach,chainage_m,station_m,level_m,manning,synthetic", needed=True):
        values = (folder.number(name, line, row, each) for each in ("chainage_m", "station_m", "level_m", "manning"))
        chainage, station, level, manning = values
        synthetic = row["synthetic"].lower() in ("1", "true", "yes")
        deepening = folder.number(name, line, {"deepening": row.get("deepening", "")}, "deepening", 0.0)
        point = (station, level, manning, synthetic, deepening)
        points.setdefault(row["reach"], {}).setdefault(chainage, []).append(point)
    reaches = []
    for line, row in folder.rows("reaches.csv", "reach,start,end", needed=True):
        if row["reach"] not in points:
            folder.fault("reaches.csv", line, "reach", row["reach"], "has no section", "add its sections.csv rows")
        sections = tuple(_section(x, each) for x, each in sorted(points.get(row["reach"], {}).items()))
        reaches.append(Reach(name=row["reach"], start=row["start"], end=row["end"], sections=sections))
    return tuple(reaches)


def _section(chainage: float, points: list[tuple[float, float, float, bool, float]]) -> Section:
    station, level, manning = (np.array([each[k] for each in points]) for k in range(3))
    return Section(
        chainage=chainage, station=station, level=level, manning=manning, synthetic=any(each[3] for each in points),
        deepening=points[0][4],
    )  # fmt: skip


def _lakes(folder: Folder) -> tuple[Lake, ...]:
    knots: dict[str, list[tuple[float, float]]] = {}
    for line, row in folder.rows("lakes.csv", "node,level_m,surface_m2"):
        level, surface = (folder.number("lakes.csv", line, row, each) for each in ("level_m", "surface_m2"))
        knots.setdefault(row["node"], []).append((level, surface))
    return tuple(
        Lake(node=node, level=np.array([a for a, _ in each]), surface=np.array([b for _, b in each]))
        for node, each in knots.items()
    )


def _boundaries(folder: Folder) -> tuple[Boundary, ...]:
    made = []
    name = "boundaries.csv"
    for line, row in folder.rows(name, "node,kind,series,slope"):
        if row["kind"] not in ("level", "discharge", "rating", "normal", "critical"):
            kinds = "level, discharge, rating, normal or critical"
            folder.fault(name, line, "kind", row["kind"], "is no kind of boundary", f"write {kinds}")
            continue
        kind, series = cast(Ends, row["kind"]), folder.named(name, line, row["series"])
        rating = (series.times, series.values) if kind == "rating" and series is not None else None
        slope = folder.number(name, line, row, "slope", 0.0)
        made.append(Boundary(node=row["node"], kind=kind, series=series, rating=rating, slope=slope))
    return tuple(made)


def _structures(folder: Folder) -> tuple[Structure, ...]:
    made = []
    name = "structures.csv"
    for line, row in folder.rows(name, _STRUCTURES):
        if row["kind"] not in ("release", "hold", "weir", "gate"):
            folder.fault(
                name, line, "kind", row["kind"], "is no kind of structure", "write release, hold, weir or gate"
            )
            continue
        crest, width = (folder.number(name, line, row, each, 0.0) for each in ("crest_m", "width_m"))
        coefficient = folder.number(name, line, row, "coefficient", 0.6 if row["kind"] == "gate" else 0.385)
        made.append(
            Structure(
                name=row["structure"], kind=cast(Kind, row["kind"]), start=row["start"], end=row["end"], crest=crest,
                width=width, coefficient=coefficient, series=folder.named(name, line, row["series"]),
            )
        )  # fmt: skip
    return tuple(made)


def _laterals(folder: Folder) -> tuple[Lateral, ...]:
    made = []
    name = "laterals.csv"
    for line, row in folder.rows(name, "lateral,reach,chainage_m,node,series"):
        series = folder.named(name, line, row["series"])
        chainage = folder.number(name, line, row, "chainage_m", 0.0)
        if series is None:
            folder.fault(name, line, "series", row["series"], "is needed", "name a series")
            continue
        made.append(
            Lateral(name=row["lateral"], series=series, reach=row["reach"], chainage=chainage, node=row["node"])
        )
    return tuple(made)


def write_sections(path: Path, network: Network) -> None:
    """Write reaches.csv, sections.csv and lakes.csv of a network into a folder."""
    _write(path / "reaches.csv", "reach,start,end", [(each.name, each.start, each.end) for each in network.reaches])
    rows: list[tuple[object, ...]] = []
    for reach in network.reaches:
        for each in reach.sections:
            manning = np.broadcast_to(np.asarray(each.manning, float), each.level.shape)
            points = zip(each.station.tolist(), each.level.tolist(), manning.tolist(), strict=True)
            rows += [(reach.name, f"{each.chainage:g}", f"{x:.2f}", f"{z:.3f}", f"{n:.5f}", int(each.synthetic),
                      f"{each.deepening:.4f}") for x, z, n in points]  # fmt: skip
    _write(path / "sections.csv", "reach,chainage_m,station_m,level_m,manning,synthetic,deepening", rows)
    knots = [
        (lake.node, f"{z:g}", f"{a:g}")
        for lake in network.lakes
        for z, a in zip(lake.level.tolist(), lake.surface.tolist(), strict=True)
    ]
    _write(path / "lakes.csv", "node,level_m,surface_m2", knots)


def _write(path: Path, header: str, rows: Sequence[Sequence[object]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        file.write(header + "\n")
        csv.writer(file, lineterminator="\n").writerows(rows)
