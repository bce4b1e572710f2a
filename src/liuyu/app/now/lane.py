"""The loop on the wall clock: what the pipeline of a replay does, and besides what only the present needs.

Several sources tell of one station, sources fall silent as a whole, units and clocks go wrong, values come late: here
the gate is told where each value came from, and late values reopen what was assessed without them.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from liuyu.app.now.reopen import Reopen
from liuyu.app.pipeline import Observed, Pipeline, Step
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.series import Batch
from liuyu.basin.stage import Stage
from liuyu.monitor.gather import Gather, Precedence
from liuyu.outlook.forecast.stage import Layer
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin

_log = logging.getLogger("liuyu")


class Lane(Pipeline):
    """A pipeline of the present. `ranks` by name of source."""

    replays = False

    def __init__(
        self,
        basin: Basin,
        store: Store,
        ranks: Mapping[str, int],
        *,
        forecast_hours: int = 6,
        rain: Callable[[RiverTwin], Layer | None] = lambda _: None,
    ) -> None:
        super().__init__(basin, store, forecast_hours=forecast_hours, rain=rain)
        self.gather = Gather(basin, live=True)
        self.precedence = Precedence(basin.roster, ranks)
        self.reopen = Reopen(basin, self.rules)

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in the order of the loop."""
        return (self.precedence, *super().stages, self.reopen)

    def take(self, parcels: Sequence[Parcel], told: Sequence[Event], before: int, now: int) -> Step:
        """One step of the loop up to `now` [s UTC], since `before`: what sources delivered, and what they announced."""
        for parcel in parcels:
            self._set_aside(parcel.asides, now)
        observed = self._observe_all(parcels, now)
        observed.events.extend(told)
        due = now // self._forecast_every > before // self._forecast_every
        observed.events.extend(self.reopen.step(observed.late, self.store, now))
        return self._step(observed, now, now // HOUR * HOUR if due else None)

    def _look_ahead(self, at: int, now: int) -> list[Event]:
        """Forecast and warn. In the present a model that breaks must not keep alerts from being raised."""
        try:
            with self.store.transaction():
                return super()._look_ahead(at, now)
        except (StoreFailed, OSError):
            raise
        except Exception as error:
            _log.exception("the forecast of %s failed", moment(at))
            return self._note_model(now, failed=True, why=f"{type(error).__name__}: {error}")

    def _observe_all(self, parcels: Sequence[Parcel], now: int) -> Observed:
        """Sort out who tells what, keep as versions what does not count, and observe what does."""
        batches = [each.batch for each in parcels if len(each.batch)]
        if not batches:
            nothing = np.empty(0, np.int16)
            arrived = Batch.empty(self.basin.roster)
            return self._keep(self.gather.step(arrived, now, nothing, self.precedence.names), now)
        numbers = [self.precedence.number(each.source) for each in parcels if len(each.batch)]
        origin = np.repeat(np.array(numbers, np.int16), [len(each) for each in batches])
        sorted_out = self.precedence.sort_out(Batch.join(batches), origin, self.store)
        if len(sorted_out.outdone):
            self.store.write(sorted_out.outdone, received=now)
        gathered = self.gather.step(sorted_out.batch, now, sorted_out.origin, self.precedence.names)
        observed = self._keep(gathered, now)
        if len(sorted_out.restored):
            self.store.write(sorted_out.restored, received=now)
        return observed
