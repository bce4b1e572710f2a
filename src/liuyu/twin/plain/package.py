"""A plain beside a river, from a folder: `plain.toml` names the network, the ground, levees, detention basins, layers.

All faults of the file are told at once. Lengths in m, levels in the datum of the network.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput, BadPackage, Fault, NotFound
from liuyu.basin.toml_file import TomlFile
from liuyu.twin.channel.needs import Needs, needs_of
from liuyu.twin.flood.places import cells_in
from liuyu.twin.flood.problem import Floats
from liuyu.twin.flood.rasters import Grid, read_raster, write_raster
from liuyu.twin.plain.recipe import Line, Recipe, make

Side = Literal["wall", "open"]


class LeveeLine(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A levee: its line (x, y) on the plain's edge, the reach it stands along and from which chainage to which [m], and
    its crest [m] at both ends."""

    code: str
    name: str
    name_en: str
    reach: str
    start_m: float
    end_m: float
    crest_m: tuple[float, float]
    line: Line
    coefficient: float = 0.385


class Detention(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A detention basin: its outline (x, y), and the gate in a levee that lets the river in.

    The gate stands at a chainage [m], is `width_m` wide and opens from `sill_m` to `height_m` above it, in `moves_s`.
    """

    code: str
    name: str
    name_en: str
    levee: str
    chainage_m: float
    width_m: float
    sill_m: float
    height_m: float
    moves_s: float = 1800.0
    outline: Line


class Ground(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[terrain]`: a raster, or a recipe and the grid it is made on (south-western corner, cell [m], columns, rows)."""

    raster: str = ""
    manning: float | str = 0.045
    reference: str = ""
    x: float = 0.0
    y: float = 0.0
    cell_m: float = 100.0
    columns: int = 0
    rows: int = 0
    recipe: Recipe | None = None


class Coupling(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[coupling]`: spacing of the river's sections [m], its step [s], the days by which it is brought to the flow of
    the start, and what a cell of the plain may rise between two exchanges [m]."""

    spacing_m: float = 2000.0
    step_s: float = 120.0
    spin_up_days: float = 30.0
    rise_m: float = 0.4
    threads: int = 1


class Layer(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[exposure]]`: what may be hit, per cell: a raster, or the layer of the recipe of that code."""

    code: str
    name: str
    name_en: str
    unit: str
    raster: str = ""


class _File(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    code: str
    name: str
    name_en: str
    synthetic: bool
    note: dict[str, str]
    network: str
    reaches: tuple[str, ...] = ()
    terrain: Ground
    levees: tuple[LeveeLine, ...]
    detention_basins: tuple[Detention, ...] = ()
    exposure: tuple[Layer, ...] = ()
    coupling: Coupling = Coupling()
    sides: dict[str, Side] = {}


class PlainPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A plain ready to be flooded. Arrays (rows, columns), row 0 in the south, NaN where there is no ground.

    `terrain` [m], `manning` [s/m^(1/3)]; `layers` by code, amounts per cell. `upstream` and `downstream` are the names
    of the series that the river needs: what flows in, and levels it ends at; `elsewhere` those of other parts of its
    network, `reaches` the part that is run (all where empty), `structures` the names of its dams and gates. `note`
    says, in both languages, what the plain is; `synthetic` that nothing of it was surveyed.
    """

    folder: str
    code: str
    name: str
    name_en: str
    synthetic: bool
    note: dict[str, str]
    network: str
    grid: Grid
    terrain: Floats
    manning: Floats
    levees: tuple[LeveeLine, ...]
    detention_basins: tuple[Detention, ...]
    exposure: tuple[Layer, ...]
    layers: dict[str, Floats]
    coupling: Coupling
    sides: dict[str, Side]
    towns: tuple[tuple[str, str, float, float], ...]
    reaches: tuple[str, ...]
    upstream: tuple[str, ...]
    downstream: tuple[str, ...]
    elsewhere: tuple[str, ...]
    structures: tuple[str, ...]

    def levee(self, code: str) -> LeveeLine | None:
        """The levee of a code."""
        return next((each for each in self.levees if each.code == code), None)

    def detention(self, code: str) -> Detention | None:
        """The detention basin of a code."""
        return next((each for each in self.detention_basins if each.code == code), None)

    def inside(self, code: str) -> Any:
        """Which cells (rows, columns) lie in a detention basin. Raises BadInput for a code that is none."""
        found = self.detention(code)
        if found is None:
            known = ", ".join(each.code for each in self.detention_basins) or "none"
            raise BadInput(f"there is no detention basin {code!r}; known: {known}")
        held = np.zeros(self.grid.shape, bool)
        held[tuple(cells_in(self.grid, found.outline).T)] = True
        return held & np.isfinite(self.terrain)


def read_plain(folder: Path | str) -> PlainPackage:
    """The plain of a folder. Raises BadPackage with every fault of `plain.toml` and of what it names."""
    folder = Path(folder)
    toml = TomlFile(folder / "plain.toml")
    file = toml.convert(toml.data, _File) if toml.data else None
    faults = toml.faults
    if file is None:
        raise BadPackage(str(folder), faults)
    network = (folder / file.network).resolve()
    needs = Needs()
    try:
        needs = needs_of(network, file.reaches)
    except (BadInput, NotFound) as error:
        _fault(faults, "network", file.network, str(error).replace("\n", " "), "name the folder of a network")
    built = _ground(folder, file, faults)
    if built is not None:
        _check_places(file, built[0], faults)
    if faults or built is None:
        raise BadPackage(str(folder), faults)
    grid, terrain, manning, layers = built
    towns = file.terrain.recipe.towns if file.terrain.recipe else ()
    return PlainPackage(
        folder=str(folder), code=file.code, name=file.name, name_en=file.name_en, synthetic=file.synthetic,
        note=file.note, network=str(network), grid=grid, terrain=terrain, manning=manning, levees=file.levees,
        detention_basins=file.detention_basins, exposure=file.exposure, layers=layers, coupling=file.coupling,
        sides=file.sides, towns=tuple((each.name, each.name_en, *each.centre) for each in towns),
        reaches=file.reaches, upstream=needs.upstream, downstream=needs.downstream, elsewhere=needs.elsewhere,
        structures=needs.structures,
    )  # fmt: skip


def _fault(faults: list[Fault], field: str, value: str, problem: str, cure: str) -> None:
    faults.append(Fault(file="plain.toml", field=field, value=value, problem=problem, cure=cure))


def _ground(folder: Path, file: _File, faults: list[Fault]) -> tuple[Grid, Floats, Floats, dict[str, Floats]] | None:
    """Grid, terrain, Manning and layers; None, with the faults noted, where there are none."""
    ground, made = file.terrain, None
    try:
        if ground.raster:
            terrain, grid = read_raster(folder / ground.raster)
            manning = _raster(folder, ground.manning, grid)
        elif ground.recipe is not None and min(ground.columns, ground.rows) > 0 and ground.cell_m > 0.0:
            grid = Grid(
                x=ground.x, y=ground.y, cell=ground.cell_m, shape=(ground.rows, ground.columns),
                reference=ground.reference,
            )  # fmt: skip
            made = make(ground.recipe, grid, [each.line for each in file.levees])
            terrain, manning = made.terrain, made.manning
        else:
            cure = "give raster, or recipe with columns, rows and cell_m"
            _fault(faults, "terrain", "", "says neither what the ground is nor how it is made", cure)
            return None
    except BadInput as error:
        _fault(faults, "terrain", ground.raster, str(error), "mend it")
        return None
    layers = {}
    for each in file.exposure:
        known = {} if made is None else {"people": made.people, "cropland": made.cropland}
        try:
            layers[each.code] = _raster(folder, each.raster, grid) if each.raster else known[each.code]
        except BadInput as error:
            _fault(faults, "exposure", each.code, str(error), "mend it")
        except KeyError:
            cure = "name a raster; a recipe makes people and cropland"
            _fault(faults, "exposure", each.code, "has no raster and is no layer of the recipe", cure)
    return grid, terrain, manning, layers


def _raster(folder: Path, given: float | str, grid: Grid) -> Floats:
    if not isinstance(given, str):
        return np.full(grid.shape, float(given))
    values, own = read_raster(folder / given)
    if own.shape != grid.shape or (abs(own.x - grid.x), abs(own.y - grid.y)) > (0.5 * grid.cell, 0.5 * grid.cell):
        raise BadInput(f"{given} does not lie on the terrain's grid; warp it to that grid")
    return values


def _check_places(file: _File, grid: Grid, faults: list[Fault]) -> None:
    codes = {each.code for each in file.levees}
    if not file.levees:
        _fault(faults, "levees", "", "there is none", "add one [[levees]]: without it no water comes from the river")
    for levee in file.levees:
        if not levee.end_m > levee.start_m:
            _fault(faults, "end_m", f"{levee.end_m:g}", f"levee {levee.code} must end below its start", "set it higher")
        if len(levee.line) < 2:
            _fault(faults, "line", levee.code, "has fewer than two points", "give its corners as [x, y]")
        for x, y in levee.line:
            if not (0 <= x - grid.x <= grid.shape[1] * grid.cell and 0 <= y - grid.y <= grid.shape[0] * grid.cell):
                _fault(faults, "line", f"[{x:g}, {y:g}]", f"levee {levee.code} leaves the grid", "move the point")
    for basin in file.detention_basins:
        if basin.levee not in codes:
            cure = f"known: {', '.join(sorted(codes))}"
            _fault(faults, "levee", basin.levee, f"detention basin {basin.code} names no levee", cure)
        if len(basin.outline) < 3:
            _fault(faults, "outline", basin.code, "has fewer than three points", "give its corners as [x, y]")


def write_layers(package: PlainPackage, folder: Path) -> dict[str, Path]:
    """Write terrain.tif and a GeoTIFF for each exposure layer, amounts per cell; where they are, by code."""
    folder.mkdir(parents=True, exist_ok=True)
    made = {"terrain": package.terrain, **package.layers}
    for code, values in made.items():
        write_raster(folder / f"{code}.tif", {code: values}, package.grid)
    return {code: folder / f"{code}.tif" for code in made}
