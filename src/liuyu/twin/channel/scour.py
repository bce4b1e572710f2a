"""Beds that fall or rise over the years, as below a dam that keeps the sand back.

scour.csv         reach,chainage_m,fall_m_per_year,from_year      straight between rows; may be absent
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from msgspec.structs import replace

from liuyu.basin.errors import BadPackage
from liuyu.twin.channel.files import Folder
from liuyu.twin.channel.network import Network, Reach

FILE = "scour.csv"
Rows = dict[str, list[tuple[float, float, float]]]


def read_scour(path: Path) -> Rows:
    """By reach: chainage [m], fall [m a year], and the year in which the sections stand as given. Raises BadPackage."""
    folder = Folder(path, {})
    found: Rows = {}
    for line, row in folder.rows(FILE, "reach,chainage_m,fall_m_per_year,from_year"):
        values = (folder.number(FILE, line, row, each) for each in ("chainage_m", "fall_m_per_year", "from_year"))
        chainage, fall, year = values
        found.setdefault(row["reach"], []).append((chainage, fall, year))
    if folder.faults:
        raise BadPackage(str(path), folder.faults)
    return {reach: sorted(each) for reach, each in found.items()}


def in_year(network: Network, scour: Rows, year: float) -> Network:
    """The network with its sections where they are in a year such as 2023.5."""
    return replace(network, reaches=tuple(_moved(each, scour.get(each.name, []), year) for each in network.reaches))


def _moved(reach: Reach, rows: list[tuple[float, float, float]], year: float) -> Reach:
    if not rows:
        return reach
    x, fall, since = (np.array(each) for each in zip(*rows, strict=True))

    def down(chainage: float) -> float:
        return float(np.interp(chainage, x, fall * (year - since)))

    return replace(
        reach,
        sections=tuple(replace(each, level=each.level - down(each.chainage)) for each in reach.sections),
    )


def year_of(seconds: float) -> float:
    """The year of a time [s UTC], with its share that has passed."""
    return 1970.0 + seconds / (365.2425 * 86_400.0)
