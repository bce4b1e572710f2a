"""Flood cases of a basin package: the folder `floods`, with drivers.csv that says which gauge drives which."""

from __future__ import annotations

import csv
from pathlib import Path

from msgspec.structs import replace

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.flooding.floods import structures_of
from liuyu.outlook.rehearse.flooding.ground import cell_at, stretch
from liuyu.outlook.rehearse.places import shipped_cases
from liuyu.outlook.rehearse.scenario import FloodTable, Setup
from liuyu.twin.flood import Grid, read_case


def drivers_of(basin: Basin) -> dict[str, dict[str, str]]:
    """Rows of floods/drivers.csv by case: station, quantity, into, offset_m."""
    path = Path(basin.folder) / "floods" / "drivers.csv"
    if not path.is_file():
        return {}
    lines = [each for each in path.read_text(encoding="utf-8").splitlines() if not each.startswith("#")]
    return {row["case"]: row for row in csv.DictReader(lines)}


def completed(setup: Setup, basin: Basin) -> Setup:
    """The scenario with what the basin's package knows: who drives its cases, and which case a breach or a gate is in.

    Raises BadInput where drivers.csv cannot be used.
    """
    floods = setup.floods
    wanted = bool(setup.breaches or setup.gates or any(each.inflow_m3s is None for each in setup.detentions))
    if wanted and not floods:
        floods = tuple(
            FloodTable(case=name) for name, path in shipped_cases(basin).items() if _holds(setup, basin, path)
        )
    drivers = drivers_of(basin)
    return replace(setup, floods=tuple(_driven(each, drivers) for each in floods))


def _driven(table: FloodTable, drivers: dict[str, dict[str, str]]) -> FloodTable:
    row = drivers.get(table.case)
    if row is None or table.station:
        return table
    try:
        offset = float(row["offset_m"]) if row.get("offset_m") else None
        return replace(table, station=row["station"], quantity=row["quantity"], into=row["into"], offset_m=offset)
    except (KeyError, ValueError) as error:
        raise BadInput(f"floods/drivers.csv: the row of {table.case!r} cannot be used ({error}); mend it") from None


def _holds(setup: Setup, basin: Basin, path: Path) -> bool:
    """Whether a case has something that the scenario changes."""
    names = structures_of(str(path))
    if any(each.basin in names for each in setup.detentions) or any(each.gate in names for each in setup.gates):
        return True
    lines = {each.code: each.line for each in basin.levees}
    grid = grid_of(path)
    points = [stretch(lines[b.levee], b.chainage_m, b.chainage_m)[0] for b in setup.breaches if b.levee in lines]
    return any(cell_at(grid, each) is not None for each in points)


def grid_of(path: Path) -> Grid:
    """Where a case lies."""
    return read_case(path).grid
