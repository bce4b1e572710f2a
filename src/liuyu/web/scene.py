"""The scene: everything about a basin that does not change while the twin runs, in one answer."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from liuyu.basin.places import (
    THRESHOLD_KINDS,
    Basin,
    Camera,
    DetentionBasin,
    Intake,
    Junction,
    Levee,
    Reach,
    Reservoir,
    Station,
    SubBasin,
    Threshold,
)
from liuyu.basin.quantities import Quantity, quantities


class SceneLayer(msgspec.Struct, frozen=True, kw_only=True):
    """A layer of the map: what it shows, where to fetch it, whence it comes and under which licence."""

    kind: str
    url: str
    source: str = ""
    licence: str = ""


class Scene(msgspec.Struct, frozen=True, kw_only=True):
    """A basin as the page needs it. `stations` stand in the order of the roster, by which values name them."""

    code: str
    name: str
    name_en: str
    time_zone: str
    synthetic: bool
    attribution: str
    attribution_zh: str
    stations: tuple[Station, ...]
    thresholds: tuple[Threshold, ...]
    reaches: tuple[Reach, ...]
    junctions: tuple[Junction, ...]
    subbasins: tuple[SubBasin, ...]
    reservoirs: tuple[Reservoir, ...]
    levees: tuple[Levee, ...]
    detention_basins: tuple[DetentionBasin, ...]
    cameras: tuple[Camera, ...]
    intakes: tuple[Intake, ...]
    layers: tuple[SceneLayer, ...]
    quantities: tuple[Quantity, ...]
    threshold_kinds: Mapping[str, tuple[str, str]]


def scene_of(basin: Basin, layers: tuple[SceneLayer, ...]) -> Scene:
    """The scene of a basin with the layers that can be served."""
    return Scene(
        code=basin.code,
        name=basin.name,
        name_en=basin.name_en,
        time_zone=basin.time_zone,
        synthetic=basin.synthetic,
        attribution=basin.attribution,
        attribution_zh=basin.attribution_zh or basin.attribution,
        stations=basin.stations,
        thresholds=basin.thresholds,
        reaches=basin.reaches,
        junctions=basin.junctions,
        subbasins=basin.subbasins,
        reservoirs=basin.reservoirs,
        levees=basin.levees,
        detention_basins=basin.detention_basins,
        cameras=basin.cameras,
        intakes=basin.intakes,
        layers=layers,
        quantities=quantities(),
        threshold_kinds=THRESHOLD_KINDS,
    )
