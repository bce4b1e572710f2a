"""NEXT, first: a forecast of every gauge that the twin knows, with its spread, from what was known at the time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, ForecastRun, announce
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin
from liuyu.twin.product import forecasts


class Forecaster:
    """The stage that issues forecasts. It keeps no memory: the store and the time of issue say everything."""

    name = "forecast"

    def __init__(self, basin: Basin, twin: RiverTwin | None = None) -> None:
        self.twin = twin if twin is not None else RiverTwin(basin)

    def issue(self, store: Store, now: int) -> tuple[Forecast, ...]:
        """A forecast of each series, hour by hour to the horizon, from values observed at or before `now` [s UTC].

        Raises ModelFailed naming station, time and reason where none can be issued; nothing is issued then.
        """
        return forecasts(self.twin, self.twin.ahead(self.twin.view(store, now)))

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
