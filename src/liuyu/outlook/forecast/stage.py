"""The stage that issues forecasts, and the event that says so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any, NamedTuple, Protocol

from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, ForecastRun, announce
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin
from liuyu.twin.known import Known, known
from liuyu.twin.product import forecasts, parts
from liuyu.twin.river import Outlook


class Layer(Protocol):
    """Something that is laid on an expected future before it is issued, rain members for one."""

    def lay(self, outlook: Outlook) -> tuple[Outlook, Mapping[str, Any]]:
        """The outlook with it, and a note for the drivers of each forecast."""
        ...


class Issue(NamedTuple):
    """What was issued together: the forecasts, and what each model that was combined says by itself (one member)."""

    forecasts: tuple[Forecast, ...]
    parts: tuple[Forecast, ...]


class Forecaster:
    """The stage that issues forecasts. It keeps no memory: what was known and the time of issue say everything."""

    name = "forecast"

    def __init__(self, basin: Basin, twin: RiverTwin | None = None, rain: Layer | None = None) -> None:
        self.twin = twin if twin is not None else RiverTwin(basin)
        self.rain = rain

    @property
    def targets(self) -> tuple[tuple[str, str], ...]:
        """Station and quantity of every series that it forecasts."""
        return self.twin.targets

    @property
    def history_h(self) -> int:
        """Hours of the past that it reads."""
        return self.twin.model.history_h

    @property
    def horizon_h(self) -> int:
        """Hours that it looks ahead."""
        return self.twin.model.horizon_h

    def issue(self, store: Store, now: int) -> tuple[Forecast, ...]:
        """A forecast of each series, hour by hour to the horizon, from values observed at or before `now` [s UTC].

        Raises ModelFailed naming station, time and reason where none can be issued; nothing is issued then.
        """
        return self.run(store, now).forecasts

    def run(self, store: Store, now: int) -> Issue:
        """The same, and what each model that was combined says by itself."""
        twin = self.twin
        return self.run_from(known(store, twin.stations, twin.quantities, now, self.history_h, twin.basin.roster))

    def issue_from(self, known: Known) -> tuple[Forecast, ...]:
        """Forecasts from what was known, which cannot hold anything later than its `now`. Raises ModelFailed."""
        return self.run_from(known).forecasts

    def run_from(self, known: Known) -> Issue:
        """Forecasts from what was known, and what each model says by itself. Raises ModelFailed."""
        outlook, note = self.twin.ahead(self.twin.look(known.batch, known.now)), None
        if self.rain is not None:
            outlook, note = self.rain.lay(outlook)
        return Issue(forecasts(self.twin, outlook, note=note), parts(self.twin, outlook))

    def dump(self) -> bytes:
        """Nothing: a forecast depends on the store and the time alone."""
        return b""

    def load(self, blob: bytes) -> None:
        """Takes back nothing."""


def announce_forecasts(forecasts: Sequence[Forecast]) -> Event:
    """The event that says that forecasts were issued together. Raises BadInput for none."""
    if not forecasts:
        raise BadInput("no forecasts to announce; issue some first")
    first = forecasts[0]
    run = ForecastRun(
        id=f"forecast:{first.model}:{first.issued.astimezone(UTC):%Y%m%dT%H%MZ}",
        issued=first.issued,
        model=first.model,
        stations=tuple(dict.fromkeys(each.station for each in forecasts)),
        horizon_h=len(first.time),
        members=len(first.members),
    )
    return announce(run, state="issued", time=first.issued, subject=first.station)
