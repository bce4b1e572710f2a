"""What the twin computed, as the records that stages hand on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

import liuyu
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.twin.river import ROUTED, UNCALIBRATED, Alternative, Outlook, RiverTwin

COMBINED = "river-twin+learned"
RELEASE_BY_RULE = {
    "zh": "水库按以往同类水情下的调度习惯泄流（由历史出库回归得到）；不含人为改变",
    "en": "reservoirs release as they used to in like states (a regression on past releases); no changed order",
}
RELEASE_HELD = {"zh": "水库出库维持现状", "en": "reservoirs keep their present release"}
NOT_CALIBRATED = {
    "zh": "模型未率定：河段传播时间取自流域资料包，无水位流量关系，水位按不变处理，不给出不确定性",
    "en": "uncalibrated: travel times from the basin package, no laws of stage, levels kept as they are, no spread",
}


def forecasts(
    twin: RiverTwin, outlook: Outlook, alternative: Alternative | None = None, note: Mapping[str, Any] | None = None
) -> tuple[Forecast, ...]:
    """Every series of an outlook, or of an alternative to it, as forecasts; `note` is added to the drivers of each."""
    members = outlook.members if alternative is None else alternative.members
    hours = members.shape[2]
    time = outlook.now + HOUR * np.arange(1, hours + 1, dtype=np.int64)
    shared = {"assumption": _assumption(twin), "missing": _missing(twin, outlook), **(note or {})}
    provenance = _provenance(twin, outlook)
    return tuple(
        Forecast(
            station=station,
            quantity=name,
            issued=moment(outlook.now),
            model=name_of(twin) if alternative is None else f"{name_of(twin)}-scenario",
            time=time,
            members=np.ascontiguousarray(members[row]).round(quantity(name).decimals),
            drivers={
                **shared,
                "inputs": _inputs(twin, outlook, station),
                "models": shares_of(twin, station, name),
                "skill": skill_of(twin, station, name),
            },
            provenance=provenance,
        )
        for row, (station, name) in enumerate(twin.targets)
    )


def parts(twin: RiverTwin, outlook: Outlook) -> tuple[Forecast, ...]:
    """What each model that was combined says by itself: forecasts of one member under the model's name, to compare.

    None where nothing was combined. Their drivers name the forecast that they are a part of and their share in it.
    """
    time = outlook.now + HOUR * np.arange(1, outlook.median.shape[1] + 1, dtype=np.int64)
    provenance = _provenance(twin, outlook)
    return tuple(
        Forecast(
            station=station,
            quantity=name,
            issued=moment(outlook.now),
            model=model,
            time=time,
            members=said[row : row + 1].round(quantity(name).decimals),
            drivers={"part_of": name_of(twin), "share": _share(twin, model, station, name)},
            provenance=provenance,
        )
        for model, said in outlook.parts.items()
        for row, (station, name) in enumerate(twin.targets)
        if np.isfinite(said[row]).all()
    )


def _share(twin: RiverTwin, model: str, station: str, name: str) -> list[dict[str, Any]]:
    part = "routed" if model == ROUTED else "learned"
    return [{"lead_h": each["lead_h"], "share": each[part]} for each in shares_of(twin, station, name)]


def _provenance(twin: RiverTwin, outlook: Outlook) -> Provenance:
    return Provenance(
        code="liuyu.twin",
        version=liuyu.__version__,
        inputs_until=moment(outlook.now),
        parameters=f"{twin.model.name}@{twin.calibrated.digest}",
    )


def name_of(twin: RiverTwin) -> str:
    """Name of the model: whether a data-driven one has a part in it."""
    return ROUTED if twin.calibrated.learned is None else COMBINED


def shares_of(twin: RiverTwin, station: str, name: str) -> list[dict[str, Any]]:
    """The parts of the routed and the data-driven forecast in that of a series, by lead; empty without the latter."""
    learned = twin.calibrated.learned
    if learned is None or (station, name) not in learned.targets:
        return []
    routed = learned.routed[learned.targets.index((station, name))]
    return [
        {"lead_h": lead, "routed": round(float(part), 3), "learned": round(1.0 - float(part), 3)}
        for lead, part in zip(learned.recipe.leads_h, routed, strict=True)
    ]


def skill_of(twin: RiverTwin, station: str, name: str) -> list[dict[str, Any]]:
    """How good forecasts of a series were in seasons that the calibration never saw, a row per lead."""
    return [
        {
            "lead_h": each.lead_h,
            "n": each.n,
            "rmse": each.rmse,
            "mae": each.mae,
            "rmse_persistence": each.rmse_persistence,
            "coverage_80": each.coverage_80,
            **({} if each.qr is None else {"qr": each.qr}),
            **({} if each.dc is None else {"dc": each.dc, "grade": each.grade}),
        }
        for each in twin.calibrated.skill
        if (each.station, each.quantity) == (station, name)
    ]


def _assumption(twin: RiverTwin) -> Mapping[str, str]:
    if twin.calibrated.digest == UNCALIBRATED:
        return NOT_CALIBRATED
    return RELEASE_BY_RULE if twin.calibrated.drivers is not None else RELEASE_HELD


def _missing(twin: RiverTwin, outlook: Outlook) -> list[dict[str, Any]]:
    """Series that had no value in the last day, and for how many hours."""
    age = outlook.here.window.age
    return [
        {"station": twin.targets[row][0], "quantity": twin.targets[row][1], "hours": int(age[row])}
        for row in outlook.stale
    ]


def _inputs(twin: RiverTwin, outlook: Outlook, station: str) -> list[dict[str, Any]]:
    """What reaches a station now: the flow at each node that feeds it, with its travel time, and what comes between."""
    nodes = {node.station: place for place, node in enumerate(twin.model.nodes)}
    nodes.update({node.outlet: place for place, node in enumerate(twin.model.nodes) if node.outlet})
    place = nodes[station]
    value = outlook.here.window.value
    rows: list[dict[str, Any]] = []
    for inflow in twin.model.nodes[place].inflows:
        row = int(twin.plumbing.flow_row[nodes[inflow.source]])
        if row >= 0:
            rows.append({"station": inflow.source, "discharge": _round(value[row, -1]), "travel_h": inflow.travel_h,
                         "share": inflow.share})  # fmt: skip
    rows.append({"station": station, "from_outside": _round(outlook.here.anchor[place])})
    return rows


def _round(value: float) -> float:
    return float(round(float(value), 1))


def first_above(values: NDArray[np.float64], line: float) -> int | None:
    """Hour (0-based) in which values first pass a line, or None."""
    above = np.flatnonzero(values > line)
    return int(above[0]) if len(above) else None


def level_rows(twin: RiverTwin, codes: Sequence[str]) -> list[tuple[str, int]]:
    """Stations among codes whose level the twin forecasts, with the series' row."""
    return [
        (code, twin.plumbing.row[code, "water_level"]) for code in codes if (code, "water_level") in twin.plumbing.row
    ]
