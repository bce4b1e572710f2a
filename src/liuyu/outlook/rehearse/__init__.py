"""NEXT, third: what if? A scenario laid upon the newest state, routed, beside the forecast without it."""

from __future__ import annotations

from liuyu.basin.clock import epoch, moment
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.records import Rehearsal, Scenario
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin
from liuyu.twin.compare import binding_of, rehearsal_event, rows
from liuyu.twin.product import forecasts


def rehearse(basin: Basin, store: Store, scenario: Scenario, now: int, *, twin: RiverTwin | None = None) -> Rehearsal:
    """Run a scenario from the state at `now` [s UTC]; every member moves by routed(with) - routed(without).

    Raises BadInput listing every fault of the scenario, ModelFailed where no forecast is possible.
    """
    twin = twin if twin is not None else RiverTwin(basin)
    outlook = twin.ahead(twin.view(store, now))
    alternative = twin.alternative(outlook, scenario)
    note = {"scenario": {"zh": scenario.name, "en": scenario.name_en or scenario.name}}
    return Rehearsal(
        scenario=scenario,
        issued=moment(now),
        forecasts=forecasts(twin, outlook, alternative, note),
        reservoirs=alternative.reservoirs,
        binding=binding_of(twin, outlook, alternative, scenario),
    )


def announce_rehearsal(basin: Basin, store: Store, rehearsal: Rehearsal, *, twin: RiverTwin | None = None) -> Event:
    """The event of a rehearsal: per station the peak with and without, when, and the hours above warning."""
    twin = twin if twin is not None else RiverTwin(basin)
    now = epoch(rehearsal.issued)
    outlook = twin.ahead(twin.view(store, now))
    without = {s: outlook.members[row] for row, (s, name) in enumerate(twin.targets) if name == "water_level"}
    changed = {each.station: each.members for each in rehearsal.forecasts if each.quantity == "water_level"}
    return rehearsal_event(twin, rehearsal.scenario, now, rows(twin, now, without, changed), rehearsal.binding)


__all__ = ["announce_rehearsal", "rehearse"]
