"""SL 323-2011, 实时雨水情数据库表结构与标识符: a basin, its observations and forecasts to the tables, and back.

The tables lie in a SQLite file or on a PostgreSQL server, and may be an office's own: columns that it lacks are passed
over, columns that it has besides are left alone.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from liuyu.basin.errors import BadInput, Fault
from liuyu.basin.package import check_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantities
from liuyu.basin.records import Forecast
from liuyu.basin.series import Aside, Batch, Roster
from liuyu.monitor.sense.readers.times import find_zone
from liuyu.monitor.sense.sl323.basics import export_basics, station_codes
from liuyu.monitor.sense.sl323.database import Database, open_database
from liuyu.monitor.sense.sl323.forecasts import export_forecasts, import_forecasts
from liuyu.monitor.sense.sl323.observed import export_observed, import_observed
from liuyu.monitor.sense.sl323.package import Draft, draft_package, reported
from liuyu.monitor.sense.sl323.rules import FILE, Rules, read_rules
from liuyu.monitor.sense.sl323.tendency import Check

__all__ = ["Exported", "Imported", "export_tables", "import_records", "import_tables", "open_database"]

_BEIJING = "Asia/Shanghai"


@dataclass(frozen=True, slots=True)
class Exported:
    """The rows written to each table, and what no column holds, raw."""

    rows: Mapping[str, int]
    asides: tuple[Aside, ...]


@dataclass(frozen=True, slots=True)
class Imported:
    """Observations, forecasts, the files of the package, faults of the package they make, and what could not be used.

    `tendency` tells for each table how its codes of rising and falling agree with the levels.
    """

    batch: Batch
    forecasts: tuple[Forecast, ...]
    files: tuple[str, ...]
    faults: tuple[Fault, ...]
    asides: tuple[Aside, ...]
    tendency: Mapping[str, Check]


def export_tables(
    basin: Basin, database: Database, batch: Batch | None = None, forecasts: Sequence[Forecast] = ()
) -> Exported:
    """Write a basin, and observations and forecasts where there are some, all or nothing.

    Rows that are there already are replaced by their key. TM is wall time of the zone in the package's `sl323.toml`,
    else of the basin. Raises BadPackage for station codes that do not fit, StoreFailed where nothing can be written.
    """
    rules = read_rules(Path(basin.folder))
    zone = find_zone(rules.zone or basin.time_zone)
    codes = station_codes(basin, rules)
    with database.transaction():
        rows, asides = export_basics(basin, database, rules)
        if batch is not None and len(batch):
            stations = [basin.station_by_code[code] for code in batch.roster.codes]
            theirs = [codes[code] for code in batch.roster.codes]
            more, aside = export_observed(batch, stations, theirs, database, rules, zone)
            rows, asides = rows | more, asides + aside
        if forecasts:
            more, aside = export_forecasts(forecasts, basin, codes, database, rules, zone)
            rows, asides = rows | more, asides + aside
    return Exported(rows, tuple(asides))


def import_tables(
    database: Database, folder: Path, code: str, name: str = "", name_en: str = "", rules: Rules | None = None
) -> Imported:
    """Read a basin package and its observations from the tables, and write the package to a folder.

    The folder may hold `sl323.toml`, and nothing else of a package yet. What SL 323 does not tell is given its default,
    and the `source` of each row says where it came from. Raises BadInput where there is a package already, or the
    tables hold no station.
    """
    if (folder / "basin.toml").exists():
        raise BadInput(f"{folder} holds a package already; name another folder")
    rules = rules or read_rules(folder)
    zone_name = rules.zone or _BEIJING
    theirs_to_ours = {theirs: ours for ours, theirs in rules.stations.items()}
    draft = draft_package(database, theirs_to_ours)
    stations = draft.files.get("stations.csv", [])
    if not stations:
        raise BadInput(f"{database.name} has no station in ST_STBPRP_B; fill that table first")
    roster = Roster(tuple(row["code"] for row in stations))
    zone = find_zone(zone_name)
    observed = import_observed(database, roster, draft.ours, rules, zone)
    reported(draft, _reported(observed.batch))
    files = _write(draft, folder, code, name or code, name_en or code, zone_name, database.name)
    places, faults = check_basin(folder)
    known = places.station_by_code if places else {}
    forecasts, lost = import_forecasts(database, known, draft.ours, rules, zone)
    faults = (*faults, *_exchanged(observed.tendency, folder))
    asides = (*draft.asides(database.name), *observed.asides, *lost)
    return Imported(observed.batch, tuple(forecasts), files, faults, asides, observed.tendency)


def import_records(database: Database, basin: Basin) -> Imported:
    """Read observations and forecasts of the stations of a basin that there is already; no file is written."""
    rules = read_rules(Path(basin.folder))
    zone = find_zone(rules.zone or basin.time_zone)
    ours = {theirs: code for code, theirs in station_codes(basin, rules).items()}
    observed = import_observed(database, basin.roster, ours, rules, zone)
    forecasts, lost = import_forecasts(database, basin.station_by_code, ours, rules, zone)
    faults = tuple(_exchanged(observed.tendency, Path(basin.folder)))
    return Imported(observed.batch, tuple(forecasts), (), faults, (*observed.asides, *lost), observed.tendency)


def _reported(batch: Batch) -> dict[str, list[str]]:
    names = {each.number: each.name for each in quantities()}
    found: dict[str, list[str]] = {}
    for place, number in sorted(set(zip(batch.station.tolist(), batch.quantity.tolist(), strict=True))):
        found.setdefault(batch.roster.codes[place], []).append(names[number])
    return found


def _exchanged(tendency: Mapping[str, Check], folder: Path) -> list[Fault]:
    cure = f'write [wptn] falling = "5" and rising = "4" in {folder / FILE}, and import again'
    return [
        Fault(file=table, field="WPTN" if table == "ST_RIVER_R" else "RWPTN", problem=each.problem, cure=cure)
        for table, each in tendency.items()
        if each.problem
    ]


def _write(draft: Draft, folder: Path, code: str, name: str, name_en: str, zone: str, source: str) -> tuple[str, ...]:
    texts = {"code": code, "name": name, "name_en": name_en, "time_zone": zone}
    lines = [f"{key} = {msgspec.json.encode(value).decode()}" for key, value in texts.items()]
    lines += [
        f"synthetic = {str(draft.synthetic).lower()}",
        f"attribution = {msgspec.json.encode(f'SL 323 tables of {source}').decode()}",
    ]
    tomllib.loads("\n".join(lines))
    contents = {file: draft.text(file) for file in sorted(draft.files)}
    for file, text in {**contents, "basin.toml": "\n".join(lines) + "\n"}.items():
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        (folder / file).write_text(text, encoding="utf-8")
    return (*contents, "basin.toml")
