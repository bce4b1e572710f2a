"""The loop, as one list that can be read aloud: what happens in a step, in which order, on one clock.

A step takes what was observed since the last one and hands it from stage to stage. Whoever drives the pipeline wraps
steps in a transaction of the store and calls `save` within it, so that a twin killed at any moment goes on as if
nothing had been.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from liuyu.app.outbox import Postbox
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.basin.events import Event, ModelNote, announce
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.records import Forecast, Scenario
from liuyu.basin.series import Aside, Batch
from liuyu.basin.stage import PartedStage, Stage
from liuyu.monitor.alert import Alert, read_rules
from liuyu.monitor.assess import Assess
from liuyu.monitor.gather import Gather, Gathered
from liuyu.monitor.quality import Quality
from liuyu.monitor.respond import Respond, read_playbook
from liuyu.monitor.respond.contingency import plans_of
from liuyu.monitor.respond.dispatch import Dispatches, read_directory
from liuyu.outlook.forecast import Forecaster, announce_forecasts
from liuyu.outlook.forecast.stage import Layer
from liuyu.outlook.plan import Plan
from liuyu.outlook.rehearse import announce_rehearsal, rehearse
from liuyu.outlook.warn import Warn, read_warning_rules
from liuyu.store.interface import Store, Written
from liuyu.twin import RiverTwin

NOTHING = Written(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Step:
    """What a step did: the values it took, with their flags, what it announced, and what the store made of it."""

    now: int
    values: Batch
    events: tuple[Event, ...]
    written: Written = NOTHING


@dataclass(frozen=True, slots=True)
class Observed:
    """What arrived, flagged and kept: what is to be assessed, by time; which of it is late (a batch); the events."""

    values: Batch
    late: Batch
    events: list[Event]
    written: Written


class Pipeline:
    """Every stage of the loop over one basin and one store; with a `postbox`, what is ordered goes out too."""

    replays = True
    """Whether what it steps through is past: then every order is an exercise."""

    def __init__(
        self,
        basin: Basin,
        store: Store,
        *,
        forecast_hours: int = 6,
        rain: Callable[[RiverTwin], Layer | None] = lambda _: None,
    ) -> None:
        folder = Path(basin.folder)
        rule_files = [folder / each for each in basin.rule_files]
        notice_files = [folder / each for each in basin.notice_files]
        playbook = [folder / basin.playbook_file] if basin.playbook_file else []
        self.basin = basin
        self.store = store
        self.gather = Gather(basin)
        self.quality = Quality(basin)
        self.assess = Assess(basin)
        self.rules = read_rules(rule_files, basin)
        self.alert = Alert(basin, self.rules)
        self.twin = RiverTwin(basin) if basin.model_file else None
        self.forecast = Forecaster(basin, self.twin, rain(self.twin)) if self.twin else None
        self.warn = Warn(basin, read_warning_rules(notice_files, basin))
        self.plan = Plan(basin, self.twin) if self.twin else None
        book = read_playbook(playbook, basin)
        self.respond = Respond(basin, book, plans_of(basin, [each.code for each in book.owners]))
        recipients = [folder / basin.recipients_file] if basin.recipients_file else []
        self.dispatch = Dispatches(basin, read_directory(recipients, basin), exercise=self.replays)
        self.postbox: Postbox | None = None
        self._forecast_every = forecast_hours * HOUR
        self._model_failed = False

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The stages in the order of the loop."""
        every = (
            self.gather,
            self.quality,
            self.assess,
            self.alert,
            self.forecast,
            self.warn,
            self.plan,
            self.respond,
            self.dispatch,
        )
        return tuple(each for each in every if each is not None)

    def step(self, arrived: Batch, now: int) -> Step:
        """One step of the loop up to `now` [s UTC]: monitor, assess, alert, forecast, warn, plan, respond."""
        return self._step(self._observe(arrived, now), now, now if now % self._forecast_every == 0 else None)

    def _step(self, observed: Observed, now: int, forecast_at: int | None) -> Step:
        """What follows from what was observed; a forecast is issued as of `forecast_at` where that is a time."""
        values, events = observed.values, list(observed.events)
        assessed = self.assess.step(values, now)
        events += self.alert.step(assessed, now)
        self.respond.contingency.observe(assessed)
        events += self.warn.observe(assessed, now)
        if forecast_at is not None:
            events += self._look_ahead(forecast_at, now)
        if self.plan is not None:
            events += self.plan.step(events, self.store, now)
        events += self.respond.step(events, now)
        events += self.dispatch.step(events, now)
        return Step(now, values, self._log(events), observed.written)

    def warm_up(self, arrived: Batch, now: int) -> None:
        """A step that only learns: values are checked, kept and assessed, nothing is announced."""
        self.respond.contingency.observe(self.assess.step(self._observe(arrived, now).values, now))

    def issue(self, now: int) -> tuple[Forecast, ...]:
        """A forecast from what the store knows at `now`, kept nowhere. Raises BadInput without a model, ModelFailed."""
        if self.forecast is None:
            raise BadInput(f"basin {self.basin.code!r} names no model in basin.toml; calibrate one first")
        return self.forecast.issue(self.store, now)

    def rehearse(self, scenario: Scenario, now: int) -> Event:
        """The outcome of a what-if from the state at `now`. Raises BadInput without a model or for a bad scenario."""
        if self.twin is None:
            raise BadInput(f"basin {self.basin.code!r} names no model in basin.toml; calibrate one first")
        done = rehearse(self.basin, self.store, scenario, now, twin=self.twin)
        return announce_rehearsal(self.basin, self.store, done, twin=self.twin)

    def answer(self, event: Event, now: int) -> tuple[Event, ...]:
        """Log what a person did, and what follows from it."""
        events = [event, *self.respond.step([event], now)]
        return self._log([*events, *self.dispatch.step(events, now)])

    def _log(self, events: Sequence[Event]) -> tuple[Event, ...]:
        """Log events, and in the same transaction queue what is to be sent of them."""
        logged = self.store.append(events)
        if self.postbox is not None:
            logged += self.store.append(self.postbox.post(self.store, logged, self.dispatch.directory))
        return tuple(logged)

    def save(self) -> None:
        """Keep the memory of every stage in the store."""
        for stage in self.stages:
            if isinstance(stage, PartedStage):
                for part, blob in stage.changes():
                    self.store.save_state(f"{stage.name}/{part}", blob)
            else:
                self.store.save_state(stage.name, stage.dump())
        self.store.save_state("pipeline", b"failed" if self._model_failed else b"")

    def restore(self) -> None:
        """Take back the memory of every stage from the store."""
        for stage in self.stages:
            if isinstance(stage, PartedStage):
                stage.load_parts(partial(self._part, stage.name))
            elif (blob := self.store.load_state(stage.name)) is not None:
                stage.load(blob)
        self._model_failed = self.store.load_state("pipeline") == b"failed"

    def _part(self, stage: str, part: str) -> bytes | None:
        return self.store.load_state(f"{stage}/{part}")

    def _observe(self, arrived: Batch, now: int) -> Observed:
        """Gather, check and keep what arrived."""
        return self._keep(self.gather.step(arrived, now), now)

    def _keep(self, gathered: Gathered, now: int) -> Observed:
        """Check and keep what was gathered. Values that look odd are kept as suspect and teach nobody anything."""
        self._set_aside(gathered.asides, now)
        odd = gathered.batch.take(gathered.odd)
        checked = self.quality.step(gathered.batch.take(~gathered.odd) if len(odd) else gathered.batch, now)
        values = checked.batch
        if len(odd):
            doubted = odd.flagged(np.full(len(odd), Flag.SUSPECT, np.uint8))
            values = Batch.join([values, doubted]).ordered()
        written = self.store.write(values, received=now)
        if len(checked.revised):
            self.store.reflag(checked.revised)
            cleared = checked.revised.usable()  # a jump that later values confirmed counts from its own time
            if len(cleared):
                values = Batch.join([cleared, values]).ordered()
        late = gathered.batch.take(gathered.late)
        return Observed(values, late, [*gathered.events, *checked.events], written)

    def _look_ahead(self, at: int, now: int) -> list[Event]:
        """Forecast and warn. A model that fails says so once, and once more when it works again."""
        if self.forecast is None:
            return []
        try:
            forecasts, parts = self.forecast.run(self.store, at)
        except ModelFailed as error:
            return self._note_model(now, failed=True, why=str(error))
        self.store.put_forecasts((*forecasts, *parts))
        self.respond.contingency.foresee(forecasts)
        events = [*self._note_model(now, failed=False), announce_forecasts(forecasts)]
        return events + self.warn.step(forecasts, now)

    def _note_model(self, now: int, *, failed: bool, why: str = "") -> list[Event]:
        if failed == self._model_failed:
            return []
        self._model_failed = failed
        title = (
            {"zh": f"预报模型未能发布预报：{why}", "en": f"The model could not issue a forecast: {why}"}
            if failed
            else {"zh": "预报模型恢复发布", "en": "The model issues forecasts again"}
        )
        note = ModelNote(id="model:forecast", model="forecast", title=title)
        state = "failed" if failed else "recovered"
        return [announce(note, state=state, time=moment(now), subject=self.basin.code)]

    def _set_aside(self, asides: Sequence[Aside], now: int) -> None:
        for each in asides:
            self.store.set_aside(each.source, each.reason, each.payload, received=now)
