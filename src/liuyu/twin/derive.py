"""A first network from a basin's own reaches, for a basin that no one has calibrated yet.

Reaches between gauges are strung together through junctions, their travel times added; a gauge that nothing feeds is a
boundary. Laws of stage are left out: a level without one is forecast to stay as it is until the basin is calibrated.
"""

from __future__ import annotations

from liuyu.basin.places import Basin
from liuyu.twin.model import Inflow, Model, Node, SeriesModel

_LEADS = (1, 3, 6, 12, 18, 24, 36, 48, 60, 72, 96, 120, 144, 168, 192, 216, 240)


def derive(basin: Basin) -> Model:
    """The uncalibrated model of a basin: nodes in downstream order, travel times and weights as its reaches say."""
    alias = {each.code: each.station for each in basin.reservoirs}
    held = {each.station for each in basin.reservoirs}
    gauged = {s.code for s in basin.stations if "discharge" in s.quantities or s.code in held}
    into: dict[str, list[tuple[str, float, float]]] = {}
    for reach in basin.reaches:
        upper, lower = alias.get(reach.upper, reach.upper), alias.get(reach.lower, reach.lower)
        into.setdefault(lower, []).append((upper, reach.travel_hours, reach.muskingum_x))

    def sources(code: str, travel: float, x: float, seen: frozenset[str]) -> list[Inflow]:
        found = []
        for upper, hours, weight in into.get(code, ()):
            if upper in seen:
                continue
            total, lightest = travel + hours, min(x, weight)
            if upper in gauged:
                found.append(Inflow(source=upper, travel_h=total, x=lightest))
            else:
                found += sources(upper, total, lightest, seen | {upper})
        return found

    feeds = {code: sources(code, 0.0, 0.3, frozenset([code])) for code in gauged}
    nodes: list[Node] = []
    waiting = [each.code for each in basin.stations if each.code in gauged]
    while waiting:
        done = {node.station for node in nodes}
        ready = [code for code in waiting if all(each.source in done for each in feeds[code])] or waiting[:1]
        for code in ready:
            kind = "reservoir" if code in held else "channel" if feeds[code] else "boundary"
            kept = tuple(each for each in feeds[code] if each.source in done)
            nodes.append(Node(station=code, kind=kind, inflows=kept))  # type: ignore[arg-type]
        waiting = [code for code in waiting if code not in ready]
    return Model(
        name=f"{basin.code}-derived",
        history_h=240,
        horizon_h=240,
        members=51,
        leads_h=_LEADS,
        nodes=tuple(nodes),
        series=series_of(basin, tuple(nodes)),
    )


def series_of(basin: Basin, nodes: tuple[Node, ...]) -> tuple[SeriesModel, ...]:
    """Every series of the nodes and of lakes' outlets that the basin's stations report, with the widest ranges."""
    codes = {code for node in nodes for code in (node.station, node.outlet) if code}
    wanted = ("water_level", "discharge", "reservoir_inflow", "reservoir_outflow")
    return tuple(
        SeriesModel(station=each.code, quantity=name, lower=-1e5, upper=1e7, spike=1e7, mean=0.0, spread=1.0)
        for each in basin.stations
        if each.code in codes
        for name in wanted
        if name in each.quantities
    )
