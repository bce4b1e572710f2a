"""A what-if at once: releases and inflow laid upon the newest state, and its event for the log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from liuyu.basin.clock import epoch, moment
from liuyu.basin.events import Event, RehearsalRun, announce
from liuyu.basin.places import Basin
from liuyu.basin.records import Rehearsal, Scenario
from liuyu.outlook.rehearse.scenario import Setup
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin
from liuyu.twin.compare import binding_of, rehearsal_event, rows
from liuyu.twin.product import forecasts

ROW_FIELDS = ("station", "quantity", "unit", "peak_", "hours_above_", "warning", "guarantee")


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


def announce_scenario(twin: RiverTwin, setup: Setup, told: Mapping[str, Any], job: str, now: int) -> Event:
    """The event of a scenario that a running twin ran: rows as of a what-if, and what its floods come to."""
    rows = [
        {name: value for name, value in each.items() if name.startswith(ROW_FIELDS)}
        for each in told["gauges"]
        if each["quantity"] == "water_level"
    ]
    median = [each for each in told["floods"] if each["member"] == "median"]
    run = RehearsalRun(
        id=f"rehearsal:{job}",
        name=setup.name,
        issued=moment(now),
        releases={code: tuple(series) for code, series in told["releases"].items()},
        results=tuple(rows),
        binding=tuple(told["binding"]),
        job=job,
        floods=tuple({name: each[name] for name in ("flood", "flooded_area_km2", "impact")} for each in median),
    )
    subject = next(iter(told["releases"]), twin.basin.code)
    return announce(run, state="run", time=moment(now), subject=subject)


__all__ = ["announce_rehearsal", "announce_scenario", "rehearse"]
