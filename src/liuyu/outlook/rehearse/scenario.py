"""What a rehearsal changes, and on what: the nouns of a scenario, as a file or a page gives them.

Times are moments (aware), or hours after the base moment as numbers; `read.py` makes sure of them.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

_TIME = Meta(description='"2020-08-20T00:00+08:00", or hours after the base moment as a number')
_SERIES = Meta(description="a CSV of hours and m3/s, or a list, hour by hour")
Time = Annotated[Any, _TIME]
Stuck = Literal["closed", "open"] | Annotated[float, Meta(ge=0, le=1)]
Share = Annotated[float, Meta(gt=0)]


class BaseTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[base]`: the state from which it starts: a moment of an archive, or a store of a twin and its newest moment."""

    at: Annotated[Any, Meta(description='a moment, "2020-08-19T08:00+08:00"')] = None
    observations: str = ""
    store: str = ""


class ReleaseTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[release]]`: what a reservoir lets go from one time to another [m3/s]: constant, delta, or a series."""

    reservoir: Annotated[str, Meta(description="the code of a reservoir")]
    constant: Annotated[float, Meta(ge=0)] | None = None
    delta: float | None = None
    series: Annotated[str | list[float], _SERIES] | None = None
    start: Time = 0.0
    end: Time = None


class RainTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[rain]`: a factor on the water that enters from outside; the rain itself where the twin has runoff."""

    factor: Annotated[float, Meta(gt=0, le=5, description="factor = 1.2 for a fifth more")] = 1.0


class BreachTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[breach]]`: a levee gives way around a chainage [m] along its line."""

    levee: Annotated[str, Meta(description="the code of a levee")]
    chainage_m: Annotated[float, Meta(ge=0, description="metres along the levee's line")]
    at: Time = 0.0
    width_m: Annotated[float, Meta(gt=0, le=5000)] = 200.0
    bottom_m: float | None = None
    duration_h: Annotated[float, Meta(ge=0, le=240)] = 1.0


class DetentionTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[detention]]`: a detention basin opens.

    `inflow_m3s` is what the river loses to it in the routed twin, until it is full; a flood with the basin's gate, or
    the joined plain, computes that itself.
    """

    basin: Annotated[str, Meta(description="the code of a detention basin")]
    opens: Time = 0.0
    closes: Time = None
    inflow_m3s: Annotated[float, Meta(gt=0)] | None = None


class GateTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[gate]]`: a gate, culvert, weir or pump that does not do what it should: closed, open, or open by a share."""

    gate: Annotated[str, Meta(description="the name of a structure in a flood, or the code of a detention basin")]
    stuck: Stuck = "closed"


class FloodTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[flood]]`: a stand-alone case in two dimensions, driven at a side or an inflow by what a gauge will show.

    `offset_m` takes levels of the gauge to those of the terrain; `share` is the part of the discharge that enters.
    """

    case: Annotated[str, Meta(description="the path of a case, or the name of one in the basin's floods folder")]
    station: str = ""
    quantity: Literal["water_level", "discharge"] = "water_level"
    into: str = ""
    offset_m: float | None = None
    share: Share = 1.0
    hours: Annotated[float, Meta(gt=0)] | None = None
    output_min: Annotated[float, Meta(gt=0)] = 60.0
    name: str = ""


class PlainTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[plain]`: the basin's plain, joined to its river; run without it too where a breach or an opening needs it."""

    run: bool = True
    output_min: Annotated[float, Meta(gt=0)] = 60.0


class EnsembleTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[ensemble]`: how many members of the forecast go through the floods; 0 takes the median alone."""

    members: Annotated[int, Meta(ge=0, le=200)] = 0


class ImpactTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[impact]`: exposure layers: GeoTIFF of something per cell, GeoJSON or GeoPackage with columns of numbers."""

    layers: list[str] = []


class PlaceTable(msgspec.Struct, frozen=True, kw_only=True):
    """`[[place]]`: somewhere whose arrival and depth are told: longitude and latitude."""

    name: str
    name_en: str = ""
    position: tuple[
        Annotated[float, Meta(ge=-180, le=180)],
        Annotated[float, Meta(ge=-90, le=90, description="position = [longitude, latitude]")],
    ]


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """What stands above all tables."""

    name: Annotated[str, Meta(min_length=1, max_length=120, description='name = "what is tried"')]
    name_en: Annotated[str, Meta(max_length=120)] = ""
    basin: str = ""
    hours: Annotated[int, Meta(gt=0, le=720, description="hours ahead")] | None = None


class Setup(msgspec.Struct, frozen=True, kw_only=True):
    """A whole scenario. `folder` is where its relative paths begin, "" where none may be named."""

    head: Head
    base: BaseTable = BaseTable()
    releases: tuple[ReleaseTable, ...] = ()
    rain: RainTable = RainTable()
    breaches: tuple[BreachTable, ...] = ()
    detentions: tuple[DetentionTable, ...] = ()
    gates: tuple[GateTable, ...] = ()
    floods: tuple[FloodTable, ...] = ()
    plain: PlainTable | None = None
    ensemble: EnsembleTable = EnsembleTable()
    impact: ImpactTable = ImpactTable()
    places: tuple[PlaceTable, ...] = ()
    folder: str = ""

    @property
    def name(self) -> dict[str, str]:
        """Its name in both languages."""
        return {"zh": self.head.name, "en": self.head.name_en or self.head.name}

    @property
    def digest(self) -> str:
        """A name for exactly this content, wherever it lies."""
        plain = msgspec.to_builtins(msgspec.structs.replace(self, folder=""))
        return hashlib.sha256(msgspec.json.encode(plain, order="deterministic")).hexdigest()[:16]


ONE: dict[str, type[msgspec.Struct]] = {
    "base": BaseTable,
    "rain": RainTable,
    "plain": PlainTable,
    "ensemble": EnsembleTable,
    "impact": ImpactTable,
}
MANY: dict[str, tuple[str, type[msgspec.Struct]]] = {
    "release": ("releases", ReleaseTable),
    "breach": ("breaches", BreachTable),
    "detention": ("detentions", DetentionTable),
    "gate": ("gates", GateTable),
    "flood": ("floods", FloodTable),
    "place": ("places", PlaceTable),
}
