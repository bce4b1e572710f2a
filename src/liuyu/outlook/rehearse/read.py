"""Reads a scenario, from a file or as a page sends it, and tells every fault of it at once, each with its cure."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.basin.places import Basin
from liuyu.basin.toml_file import TomlFile
from liuyu.outlook.rehearse.flooding.layers import LAYER_ENDINGS
from liuyu.outlook.rehearse.places import find_case, levee_lengths, plain_places, shipped_cases
from liuyu.outlook.rehearse.scenario import MANY, ONE, Head, Setup
from liuyu.twin.flood.series_file import read_series

_ALIAS = {"from": "start", "to": "end"}  # as people write them; the first is no name in Python
_TIMES = {"release": ("start", "end"), "breach": ("at",), "detention": ("opens", "closes")}
LONGEST = 720 * HOUR


class ScenarioFile(TomlFile):
    """A scenario while it is read."""

    def __init__(self, path: Path, data: Mapping[str, Any] | None = None) -> None:
        if data is None:
            super().__init__(path)
        else:
            self.path, self.faults, self.data, self._lines = path, [], data, []
        self.data = {name: _renamed(each) for name, each in self.data.items()}

    def line(self, table: str = "", index: int = 0, key: str = "") -> int | None:
        """The line of a key, by whichever of its names it was written."""
        header = super().line(table, index)
        found = super().line(table, index, key)
        other = next((alias for alias, name in _ALIAS.items() if name == key), "")
        return super().line(table, index, other) if other and found == header else found


def read_scenario(path: Path, basin: Basin | None = None) -> Setup:
    """The scenario of a file. Raises BadPackage with every fault that it has, also against a basin that is given."""
    return _read(ScenarioFile(path), basin, str(path.parent))


def scenario_of(data: Mapping[str, Any], basin: Basin) -> Setup:
    """The scenario that a page sends: the tables of a file as JSON. It may name cases of the basin and no other file.

    Raises BadPackage.
    """
    return _read(ScenarioFile(Path("scenario"), data), basin, "")


def seconds_of(value: Any, base: int, basin: Basin | None) -> int:
    """A time of a scenario [s UTC]: a number is hours after the base. Raises BadInput."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        return base + round(value * HOUR)
    return moment_of(value, basin)


def moment_of(value: Any, basin: Basin | None) -> int:
    """A moment [s UTC], in the basin's zone where it names none. Raises BadInput."""
    zone = basin.zone if basin is not None else "UTC"
    if isinstance(value, datetime):
        value = value.isoformat()
    if not isinstance(value, str):
        raise BadInput(f"{value!r} is no time; write it as 2020-08-19T08:00+08:00")
    return epoch(parse_time(value, zone))


def _renamed(value: Any) -> Any:
    if isinstance(value, list):
        return [_renamed(each) for each in value]
    if isinstance(value, dict):
        return {_ALIAS.get(name, name): each for name, each in value.items()}
    return value


def _read(file: ScenarioFile, basin: Basin | None, folder: str) -> Setup:
    known = [*Head.__struct_fields__, *ONE, *MANY]
    for name, value in file.data.items():
        if name not in known and isinstance(value, list | dict):
            near = difflib.get_close_matches(name, known, n=1)
            cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join([*ONE, *MANY])}"
            file.fault("unknown table", cure, table=name, key=name)
    head = None if file.faults and not file.data else file.convert(_above(file), Head)
    parts: dict[str, Any] = {}
    for name, kind in ONE.items():
        row = file.data.get(name)
        if isinstance(row, dict):
            parts[name] = file.convert(row, kind, table=name)
        elif row is not None:
            file.fault("must be a table", f"write [{name}]", key=name, value=row)
    for name, (field, kind) in MANY.items():
        found = file.tables(name, kind)
        _check_times(file, name, found, parts.get("base"), basin)
        parts[field] = tuple(each for _, each in found)
        _CHECKS.get(name, _nothing)(file, found, basin, folder)
    _check_base(file, parts.get("base"), basin, folder)
    _check_layers(file, parts.get("impact"), folder)
    if file.faults or head is None:
        raise BadPackage(str(file.path), sorted(file.faults, key=lambda each: each.line or 0))
    return Setup(head=head, folder=folder, **{name: each for name, each in parts.items() if each is not None})


def _above(file: ScenarioFile) -> dict[str, Any]:
    return {name: each for name, each in file.data.items() if name not in ONE and name not in MANY}


def _nothing(*_: Any) -> None:
    return


def _check_times(file: ScenarioFile, table: str, rows: list[tuple[int, Any]], base: Any, basin: Basin | None) -> None:
    """Every time is one, not before the base where that is known, and ends come after beginnings."""
    start = None
    if base is not None and base.at is not None:
        try:
            start = moment_of(base.at, basin)
        except BadInput:
            start = None  # told where the base is checked
    for index, row in rows:
        seen: list[int] = []
        for key in _TIMES.get(table, ()):
            value = getattr(row, key)
            if value is None:
                continue
            try:
                at = seconds_of(value, start or 0, basin)
            except BadInput as error:
                problem, _, cure = str(error).partition("; ")
                file.fault(problem, cure, table=table, index=index, key=key, value=value)
                continue
            relative = isinstance(value, int | float)
            if (start is not None or relative) and not 0 <= at - (start or 0) <= LONGEST:
                text = f"lies {(at - (start or 0)) / HOUR:g} h after the base moment"
                cure = "choose a time from the base on, up to 720 h after it"
                file.fault(text, cure, table=table, index=index, key=key, value=value)
            if seen and relative == isinstance(getattr(row, _TIMES[table][0]), int | float) and at <= seen[-1]:
                file.fault("ends before it begins", "exchange the two", table=table, index=index, key=key, value=value)
            seen.append(at)


def _check_base(file: ScenarioFile, base: Any, basin: Basin | None, folder: str) -> None:
    if base is None:
        return
    if base.at is None and not base.store:
        cure = 'write at = "2020-08-19T08:00+08:00", or store = the folder of a twin'
        file.fault("names neither a moment nor a store", cure, table="base")
    if base.at is not None:
        try:
            moment_of(base.at, basin)
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            file.fault(problem, cure, table="base", key="at", value=base.at)
    if base.store and base.observations:
        file.fault("store and observations are both given", "keep one", table="base", key="observations")
    for key in ("store", "observations"):
        value = getattr(base, key)
        if value and not folder:
            file.fault("names a file, which a page may not", "leave it out", table="base", key=key, value=value)
        elif value and not (Path(folder) / value).exists():
            file.fault("is not there", "correct the path", table="base", key=key, value=value)


def _check_layers(file: ScenarioFile, impact: Any, folder: str) -> None:
    for path in [] if impact is None else impact.layers:
        if not folder:
            cure = "leave it out: the basin's own layers are taken"
            file.fault("names a file, which a page may not", cure, table="impact", key="layers", value=path)
        elif Path(path).suffix.lower() not in LAYER_ENDINGS:
            cure = f"give a file that ends in {', '.join(LAYER_ENDINGS)}"
            file.fault("is no exposure layer", cure, table="impact", key="layers", value=path)
        elif not (Path(folder) / path).is_file():
            file.fault("is not there", "correct the path", table="impact", key="layers", value=path)


def _check_releases(file: ScenarioFile, rows: list[tuple[int, Any]], basin: Basin | None, folder: str) -> None:
    for index, row in rows:
        given = [key for key in ("constant", "delta", "series") if getattr(row, key) is not None]
        if len(given) != 1:
            file.fault(
                f"gives {' and '.join(given) or 'no amount'}", "give one of constant, delta, series [m3/s]",
                table="release", index=index,
            )  # fmt: skip
        if basin is not None:
            codes = [each.code for each in basin.reservoirs] + [each.station for each in basin.reservoirs]
            _known(file, "release", index, "reservoir", row.reservoir, codes)
        if isinstance(row.series, str):
            if not folder:
                cure = "send the numbers: series = [m3/s, hour by hour]"
                file.fault("names a file, which a page may not", cure, table="release", index=index, key="series")
            else:
                read_series(Path(folder) / row.series, file.faults)
        elif row.series is not None and (not row.series or min(row.series) < 0.0):
            cure = "give at least one number of 0 or more [m3/s]"
            file.fault("is no series", cure, table="release", index=index, key="series", value=row.series)


def _check_breaches(file: ScenarioFile, rows: list[tuple[int, Any]], basin: Basin | None, _: str) -> None:
    if basin is None:
        return
    known = levee_lengths(basin)
    for index, row in rows:
        if _known(file, "breach", index, "levee", row.levee, list(known)) and row.chainage_m > known[row.levee]:
            cure = f"the levee is {known[row.levee]:.0f} m long"
            file.fault("lies beyond the levee's end", cure, table="breach", index=index, key="chainage_m",
                       value=row.chainage_m)  # fmt: skip


def _check_detentions(file: ScenarioFile, rows: list[tuple[int, Any]], basin: Basin | None, _: str) -> None:
    if basin is None:
        return
    known = [*(each.code for each in basin.detention_basins), *plain_places(basin)[1]]
    for index, row in rows:
        _known(file, "detention", index, "basin", row.basin, known)


def _check_floods(file: ScenarioFile, rows: list[tuple[int, Any]], basin: Basin | None, folder: str) -> None:
    seen: set[str] = set()
    for index, row in rows:
        name = row.name or Path(row.case).stem
        if name in seen:
            file.fault(f"{name!r} is there already", "give each a name", table="flood", index=index, key="name")
        seen.add(name)
        case = find_case(row.case, basin, folder)
        if case is None:
            known = ", ".join(shipped_cases(basin)) if basin is not None else ""
            cure = f"correct the path{', or take a case of the basin: ' + known if known else ''}"
            file.fault("is no case", cure, table="flood", index=index, key="case", value=row.case)
        if row.station and basin is not None:
            _known(file, "flood", index, "station", row.station, list(basin.station_by_code))
        if row.station and row.quantity == "water_level" and row.offset_m is None:
            cure = "say by how much the terrain's levels lie above the gauge's; 0 where both have one datum"
            file.fault("offset_m is missing", cure, table="flood", index=index)
        if row.station and not row.into:
            cure = "name the side (west, east, north, south) or the inflow that the gauge drives"
            file.fault("into is missing", cure, table="flood", index=index)


def _known(file: ScenarioFile, table: str, index: int, key: str, value: str, known: list[str]) -> bool:
    if value in known:
        return True
    near = difflib.get_close_matches(value, known, n=1)
    cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known) or 'none in this basin'}"
    file.fault(f"no such {key}", cure, table=table, index=index, key=key, value=value)
    return False


_CHECKS: dict[str, Any] = {
    "release": _check_releases,
    "breach": _check_breaches,
    "detention": _check_detentions,
    "flood": _check_floods,
}


def faults_of(error: BadPackage) -> list[dict[str, Any]]:
    """The faults of a scenario as plain data."""
    return [_plain(each) for each in error.faults]


def _plain(fault: Fault) -> dict[str, Any]:
    return {name: each for name, each in msgspec.structs.asdict(fault).items() if each not in (None, "")}


def said(at: int, basin: Basin) -> str:
    """A moment as the basin's people write it."""
    return moment(at, basin.zone).isoformat()
