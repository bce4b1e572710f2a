"""A scenario beside the forecast without it, a row per station, and its announcement as an event."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.events import Event, RehearsalRun, announce
from liuyu.basin.records import Scenario
from liuyu.twin.limits import Text, binding
from liuyu.twin.product import level_rows
from liuyu.twin.river import Alternative, Outlook, RiverTwin

Floats = NDArray[np.float64]


def binding_of(twin: RiverTwin, outlook: Outlook, alternative: Alternative, scenario: Scenario) -> tuple[Text, ...]:
    """What binds every schedule of a scenario, reservoir by reservoir."""
    texts: list[Text] = []
    for code in scenario.releases:
        reservoir = twin.reservoir(code)
        if reservoir is not None:
            place = twin.reservoir_places[reservoir.code]
            row = twin.plumbing.flow_row[place]
            release = float(outlook.here.window.value[row, -1]) if row >= 0 else float(outlook.here.anchor[place])
            day = moment(outlook.now, twin.basin.zone).date()
            texts += binding(twin.basin, reservoir, release, alternative.reservoirs[reservoir.code], day)
    return tuple(texts)


def rows(
    twin: RiverTwin, now: int, without: Mapping[str, Floats], changed: Mapping[str, Floats]
) -> tuple[dict[str, Any], ...]:
    """Per station peak level with and without, their times and the mean hours above warning, by median and members.

    without, changed: members (members, hours) [m] of the level by station.
    """
    found = []
    day = moment(now, twin.basin.zone).date()
    for code, _ in level_rows(twin, twin.stations):
        if code not in without or code not in changed:
            continue
        lines = [t.value for t in twin.basin.thresholds_of(code, "water_level", day) if t.kind == "warning"]
        row: dict[str, Any] = {"station": code, "quantity": "water_level", "unit": "m"}
        for label, members in (("without", without[code]), ("with", changed[code])):
            middle = np.median(members, axis=0)
            hour = int(np.argmax(middle))
            row[f"peak_{label}"] = round(float(middle[hour]), 3)
            row[f"peak_time_{label}"] = moment(now + HOUR * (hour + 1)).isoformat().replace("+00:00", "Z")
            if lines:
                row[f"hours_above_warning_{label}"] = round(float((members > lines[0]).mean(axis=0).sum()), 1)
        row["peak_change"] = round(row["peak_with"] - row["peak_without"], 3)
        if lines:
            row["warning"] = lines[0]
        found.append(row)
    return tuple(found)


def rehearsal_event(
    twin: RiverTwin, scenario: Scenario, now: int, results: Sequence[Mapping[str, Any]], texts: Sequence[Text]
) -> Event:
    """The event that says that a what-if was run."""
    digest = hashlib.sha256(msgspec.json.encode(scenario, order="deterministic")).hexdigest()[:8]
    run = RehearsalRun(
        id=f"rehearsal:{digest}:{moment(now).astimezone(UTC):%Y%m%dT%H%MZ}",
        name={"zh": scenario.name, "en": scenario.name_en or scenario.name},
        issued=moment(now),
        releases={code: tuple(round(float(each), 1) for each in series) for code, series in scenario.releases.items()},
        results=tuple(results),
        binding=tuple(texts),
    )
    subject = next(iter(scenario.releases), twin.basin.code)
    return announce(run, state="run", time=moment(now), subject=subject)
