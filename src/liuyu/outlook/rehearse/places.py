"""What a basin's package offers to a scenario: flood cases, levees with their lengths, a plain beside the river."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import numpy as np

from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.flooding.ground import length_of
from liuyu.twin.plain import PlainPackage, read_plain


def plain_of(basin: Basin) -> PlainPackage | None:
    """The plain of a basin's package, None where it has none. Raises BadPackage."""
    if not basin.plain:
        return None
    file = Path(basin.folder) / basin.plain / "plain.toml"
    return _read(str(file.parent), file.stat().st_mtime_ns)


@lru_cache(maxsize=2)
def _read(folder: str, changed: int) -> PlainPackage:
    return read_plain(Path(folder))


def length_m(package: PlainPackage, code: str) -> float:
    """Length [m] of a levee's line on the plain."""
    levee = package.levee(code)
    assert levee is not None
    return float(np.hypot(*np.diff(np.array(levee.line), axis=0).T).sum())


def shipped_cases(basin: Basin) -> dict[str, Path]:
    """Flood cases of a basin package, by name: the files of its folder `floods`."""
    return {each.stem: each for each in sorted((Path(basin.folder) / "floods").glob("*.toml"))}


def find_case(case: str, basin: Basin | None, folder: str) -> Path | None:
    """The file of a case: one of the basin's by its name, or a path beside the scenario; None for neither."""
    if basin is not None and case in shipped_cases(basin):
        return shipped_cases(basin)[case]
    path = Path(folder) / case
    return path if folder and path.is_file() else None


def levee_lengths(basin: Basin) -> dict[str, float]:
    """Lengths [m] of the levees of a basin and of its plain, by code."""
    return {each.code: length_of(each.line) for each in basin.levees} | plain_places(basin)[0]


def plain_places(basin: Basin) -> tuple[dict[str, float], list[str]]:
    """Levees of the basin's plain with their lengths [m], and its detention basins; nothing where it has no plain."""
    package = plain_of(basin)
    if package is None:
        return {}, []
    return {each.code: length_m(package, each.code) for each in package.levees}, [
        each.code for each in package.detention_basins
    ]
