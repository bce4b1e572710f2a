"""Gauges along a network: where a station stands, and what it would read.

gauges.csv        gauge,station,reach,chainage_m,offset_m      may be absent; offset: model's level less the gauge's [m]
"""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np

from liuyu.basin.errors import BadPackage
from liuyu.twin.channel.files import Folder
from liuyu.twin.channel.model import ChannelModel
from liuyu.twin.flood.problem import Floats

FILE = "gauges.csv"
COLUMNS = "gauge,station,reach,chainage_m,offset_m"


class GaugePlace(msgspec.Struct, frozen=True, kw_only=True):
    """A row of gauges.csv. The datum of a gauge may be unknown: `offset` [m] is what calibration found."""

    name: str
    station: str
    reach: str
    chainage: float
    offset: float = 0.0


class Gauge(msgspec.Struct, frozen=True):
    """A gauge in a model: between two cells by a weight, and the face whose discharge it has."""

    place: GaugePlace
    above: int
    below: int
    weight: float
    face: int

    def level(self, level: Floats) -> Floats:
        """What it reads [m] of levels (..., cells)."""
        between = (1.0 - self.weight) * level[..., self.above] + self.weight * level[..., self.below]
        return np.asarray(between - self.place.offset)

    def discharge(self, discharge: Floats) -> Floats:
        """Discharge there [m³/s] of discharges (..., faces)."""
        return np.asarray(discharge[..., self.face])


def read_gauges(path: Path) -> tuple[GaugePlace, ...]:
    """The gauges of a network's folder. Raises BadPackage with every fault."""
    folder = Folder(path, {})
    found = []
    for line, row in folder.rows(FILE, COLUMNS):
        chainage = folder.number(FILE, line, row, "chainage_m")
        offset = folder.number(FILE, line, row, "offset_m", 0.0)
        found.append(
            GaugePlace(name=row["gauge"], station=row["station"], reach=row["reach"], chainage=chainage, offset=offset)
        )
    if folder.faults:
        raise BadPackage(str(path), folder.faults)
    return tuple(found)


def gauges_of(path: Path | str, model: ChannelModel) -> tuple[Gauge, ...]:
    """The gauges of a network's folder that stand along the reaches of a model. Raises BadPackage."""
    return tuple(at(model, each) for each in read_gauges(Path(path)) if each.reach in model.built.cells)


def at(model: ChannelModel, place: GaugePlace) -> Gauge:
    """A gauge in a model."""
    cells, x, faces = model.cells(place.reach), model.built.chainage[place.reach], model.faces(place.reach)
    k = int(np.clip(np.searchsorted(x, place.chainage, side="right") - 1, 0, len(x) - 2))
    weight = float(np.clip((place.chainage - x[k]) / (x[k + 1] - x[k]), 0.0, 1.0))
    return Gauge(place, int(cells[k]), int(cells[k + 1]), weight, int(faces[k]))
