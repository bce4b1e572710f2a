"""Basin packages: a basin is a folder of plain files that a person can read and edit.

`check_basin` finds every fault at once, `read_basin` gives the basin or raises them all, `find_basin` finds a package
by folder or by name. The format is told in docs/reference/basin-package.md and declared in `columns.csv`.
"""

from __future__ import annotations

import difflib
from pathlib import Path

from liuyu.basin import bundle
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput, BadPackage, Fault, NotFound
from liuyu.basin.package.assemble import assemble
from liuyu.basin.package.columns import CONFIG_FILE, LEVEES_FILE, REQUIRED_FILES, columns
from liuyu.basin.package.config import Config, read_config
from liuyu.basin.package.limits import check_limits
from liuyu.basin.package.lines import read_features, read_levees
from liuyu.basin.package.network import check_network
from liuyu.basin.package.reading import Faults, inside, near
from liuyu.basin.package.references import Tables, check_references
from liuyu.basin.package.tables import Row, read_table
from liuyu.basin.places import Basin

__all__ = ["basin_file", "check_basin", "find_basin", "read_basin", "shipped_basins"]


def read_basin(folder: Path) -> Basin:
    """The basin of a package. Raises BadPackage, which lists every fault, where the package has any.

    >>> read_basin(find_basin("qingxi")).synthetic
    True
    """
    basin, faults = check_basin(folder)
    if basin is None:
        raise BadPackage(str(folder), faults)
    return basin


def check_basin(folder: Path) -> tuple[Basin | None, tuple[Fault, ...]]:
    """The basin of a package and no faults, or None and every fault of it, by file and line. Raises nothing."""
    folder = Path(folder).resolve()
    faults = Faults()
    if not folder.is_dir():
        faults.add(str(folder), "is no folder", f"give the folder that holds {CONFIG_FILE}")
        return None, faults.sorted()
    for file in REQUIRED_FILES:
        if not (folder / file).exists():
            faults.add(file, "is missing", "add it; docs/reference/basin-package.md tells what it holds")
    config = read_config(folder, faults) if (folder / CONFIG_FILE).exists() else Config()
    tables = {file: read_table(folder, file, faults) for file in columns() if (folder / file).exists()}
    if (folder / LEVEES_FILE).exists():
        tables[LEVEES_FILE] = read_levees(folder, faults)
    _check_strangers(folder, config, faults)
    _check_layers(folder, config, faults)
    check_references(tables, faults)
    check_network(tables, faults)
    check_limits(tables, faults)
    _check_known_floods(tables, config, faults)
    if (folder / "stations.csv").exists() and not tables["stations.csv"] and not len(faults):
        faults.add("stations.csv", "names no station", "add a row for each station", line=2)
    return (None if len(faults) else assemble(folder, config, tables)), faults.sorted()


def _check_strangers(folder: Path, config: Config, faults: Faults) -> None:
    """A table that nobody reads is a misspelt one, or one that should be told of."""
    known = [*columns(), LEVEES_FILE]
    for path in sorted(folder.iterdir()):
        table = path.suffix.lower() in (".csv", ".geojson")
        if table and path.name not in known and path.name not in config.named_files:
            cure = near(path.name, known, f"remove it, or name it in {CONFIG_FILE}")
            faults.add(path.name, "is not part of a basin package", cure)


def _check_layers(folder: Path, config: Config, faults: Faults) -> None:
    for layer in config.layers:
        if layer.path.endswith((".geojson", ".json")) and (folder / layer.path).is_file():
            read_features(folder, layer.path, faults)


def _check_known_floods(tables: Tables, config: Config, faults: Faults) -> None:
    seen: dict[tuple[int, int], Row] = {}
    for row in tables.get("known_floods.csv", ()):
        key = (row["year"], row["number"])
        if key in seen:
            problem = f"flood {row['number']} of {row['year']} is there already (line {seen[key].line})"
            faults.add(row.file, problem, "remove one of them", line=row.line, field="number", value=row["number"])
        elif None not in key:
            seen[key] = row
        if not row["time"]:
            continue
        try:
            year = parse_time(row["time"], config.zone or "UTC").year
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            faults.add(row.file, problem, cure, line=row.line, field="time", value=row["time"])
            continue
        if row["year"] is not None and year != row["year"]:
            problem = f"lies in {year}, but the flood is counted in {row['year']}"
            faults.add(row.file, problem, "correct one of the two", line=row.line, field="time", value=row["time"])


def shipped_basins() -> dict[str, Path]:
    """The packages that come with liuyu, by name: in a checkout those of `basins/`, else those beside this module."""
    here = Path(__file__).resolve()
    for root in (here.parents[4] / "basins", here.parents[1] / "packages"):
        if root.is_dir():
            found = sorted(each.parent for each in (*root.glob(f"*/{CONFIG_FILE}"), *root.glob(f"zoo/*/{CONFIG_FILE}")))
            return {path.relative_to(root).as_posix(): path for path in found}
    return {}


def find_basin(name: str) -> Path:
    """The folder of a package, by its path or by the name of a shipped one, such as "yangtze" or "zoo/confluence".

    Raises NotFound, with the nearest names, where there is neither.
    """
    shipped = shipped_basins()
    folder = Path(name)
    if name in shipped and not (folder / CONFIG_FILE).is_file():
        return shipped[name]
    if folder.is_dir():
        return folder.resolve()
    close = difflib.get_close_matches(name, shipped, n=3, cutoff=0.5)
    known = ", ".join(close or [each for each in shipped if not each.startswith("zoo/")])
    hint = f"did you mean {known}?" if close else f"shipped: {known}"
    raise NotFound(f"no basin package {name!r}, neither a folder nor a shipped name; {hint}")


def basin_file(basin: Basin, path: str) -> Path | None:
    """A file that a package names, in the package or else in the data bundle; None where neither has it.

    Raises BadInput for a path that leads out of the package.
    """
    if not inside(path):
        raise BadInput(f"path {path!r} leads out of the package of {basin.code}; name a file within it")
    bundled = bundle.bundle_folder()
    for root in (Path(basin.folder), *([bundled] if bundled else [])):
        if (root / path).exists():
            return root / path
    return None
