"""The running twin behind the page: a thread that runs the loop on a clock that the user sets, and what users may do.

Steps of the loop and acts of users take turns under one lock; each is one transaction, so that what was answered with
success is durable and what was not has left no trace.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from liuyu.app.broadcast import Broadcast
from liuyu.app.choice import Course
from liuyu.app.replay import finish
from liuyu.app.run import Run
from liuyu.app.users import Users
from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput, NotAllowed, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.records import Scenario
from liuyu.monitor.summarise import report, to_html, to_pdf
from liuyu.store.interface import Store
from liuyu.web.ports import ROLES, ClockState, Message, Role, User

_log = logging.getLogger("liuyu")
_IDLE = 0.05  # [s] between looks at the clock
_BURST = 6  # steps between two looks at the user's wishes while running as fast as possible

Phase = Literal["running", "paused", "ended"]


class LiveTwin:
    """A run over an archive on a clock that plays, pauses and hurries; implements `web.ports.Twin`."""

    def __init__(self, course: Course, store: Store, users: Users, folder: Path, *, speed: float) -> None:
        self._course = course
        self._store = store
        self._users = users
        self._folder = folder
        self._run = Run(course, store)
        self._broadcast = Broadcast()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._speed = speed
        self._phase: Phase = "ended" if self._run.finished else "paused"
        self._run_to: int | None = None
        self._anchor = (time.monotonic(), self._run.now)
        self._thread = threading.Thread(target=self._drive, name="liuyu-loop", daemon=True)

    # the loop

    def warm_up(self, tell: Callable[[float], None]) -> None:
        """Learn from the days before the start; `tell` hears the share of them that is done."""
        for share in self._run.warm_up():
            tell(share)

    def start(self, *, playing: bool) -> None:
        """Start the thread of the loop, playing or paused."""
        with self._lock:
            if playing and self._phase != "ended":
                self._play()
        self._thread.start()

    def stop(self) -> None:
        """End the loop after the step in hand, and every page's stream."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()
        self._broadcast.close()

    def _drive(self) -> None:
        while not self._stopping.is_set():
            with self._lock:
                worked = self._work()
            if not worked:
                self._stopping.wait(_IDLE)

    def _work(self) -> bool:
        """Take the steps that are due; False where there is nothing to do now."""
        if self._phase != "running":
            return False
        due = self._due()
        if due == 0 and not self._run.ended:  # ended but still running: the report is yet to be written
            return False
        try:
            steps = self._run.advance_steps(due)
            ended = self._run.ended
            files = finish(self._run, self._folder / "report") if ended else ()
        except Exception:  # whatever it was: the thread must not die and leave a page that seems to run
            _log.exception("the loop stopped at %s; it stands paused at its last good step", moment(self._run.now))
            self._run = Run(self._course, self._store)
            self._set_phase("paused")
            return False
        for step in steps:
            self._announce(step.events)
        if steps and len(steps[-1].values):
            self._tell_values(steps)
        if ended:
            self._announce(self._store.events(kinds=["report"], newest_first=True, limit=1) if files else ())
            self._set_phase("ended")
        elif self._run_to is not None and self._run.now >= self._run_to:
            self._set_phase("paused")
        else:
            self._broadcast.publish(Message(topic="clock", data=self._state()))
        return True

    def _due(self) -> int:
        """How many steps the clock is behind the wall."""
        if self._run_to is not None:
            return min(_BURST, max(0, -(-(self._run_to - self._run.now) // self._course.step)))
        began, at = self._anchor
        target = at + (time.monotonic() - began) * self._speed
        return min(_BURST, max(0, int(target - self._run.now) // self._course.step))

    def _tell_values(self, steps: Sequence[Any]) -> None:
        batches = [step.values for step in steps if len(step.values)]
        columns = {
            name: [each for batch in batches for each in getattr(batch, name).tolist()]
            for name in ("station", "quantity", "time", "value", "flag")
        }
        self._broadcast.publish(Message(topic="values", data=columns))

    def _announce(self, events: Sequence[Event]) -> None:
        for event in events:
            self._broadcast.publish(Message(topic="event", data=event))

    # the clock

    def clock(self) -> ClockState:
        """Where its time stands."""
        return self._state()

    def set_clock(self, user: User, *, phase: str | None, speed: float | None, run_to: datetime | None) -> ClockState:
        """Play, pause, change speed, or run as fast as possible up to a time, then pause. Needs duty_officer."""
        self._need(user, "duty_officer", "set the clock")
        if phase not in (None, "running", "paused"):
            raise BadInput(f"phase {phase!r} does not exist; use 'running' or 'paused'")
        if speed is not None and not 1 <= speed <= 1e7:
            raise BadInput(f"speed {speed:g} is out of range; give 1 to 10,000,000 twin seconds per second")
        with self._lock:
            goal = self._goal(run_to)
            self._speed = speed if speed is not None else self._speed
            if goal is not None:
                self._run_to, self._phase = goal, "running"
            elif phase == "paused" and self._phase == "running":
                self._phase, self._run_to = "paused", None
            elif (phase == "running" or self._phase == "running") and self._phase != "ended":
                self._play()
            detail = {"phase": phase, "speed": speed, "run_to": run_to.isoformat() if run_to else None}
            self._audit(user, "set_clock", "clock", {name: each for name, each in detail.items() if each is not None})
            state = self._state()
        self._broadcast.publish(Message(topic="clock", data=state))
        return state

    def _goal(self, run_to: datetime | None) -> int | None:
        if run_to is None:
            return None
        goal = min(epoch(run_to), self._course.end)
        if goal <= self._run.now:
            raise BadInput(f"{run_to.isoformat()} is not after the twin's time, {moment(self._run.now).isoformat()}")
        return goal

    def _play(self) -> None:
        self._phase, self._run_to = "running", None
        self._anchor = (time.monotonic(), self._run.now)

    def _set_phase(self, phase: Phase) -> None:
        self._phase, self._run_to = phase, None
        self._broadcast.publish(Message(topic="clock", data=self._state()))

    def _state(self) -> ClockState:
        return ClockState(
            now=moment(self._run.now),
            start=moment(self._course.start),
            end=moment(self._course.end),
            speed=self._speed,
            phase=self._phase,
        )

    # what people do

    @property
    def basin(self) -> Basin:
        """The basin that it twins."""
        return self._course.basin

    @property
    def store(self) -> Store:
        """What it remembers."""
        return self._store

    def acknowledge(self, user: User, alert: str, note: str) -> Event:
        """Acknowledge an alert. Needs duty_officer. Raises NotFound."""
        self._need(user, "duty_officer", "acknowledge an alert")
        stage = self._run.pipeline.alert
        return self._act(
            user, "acknowledge", alert, {"note": note}, lambda now: stage.acknowledge(alert, user.name, note, now)
        )

    def update_task(self, user: User, task: str, state: str, note: str) -> Event:
        """Set a task to acknowledged or done. Needs duty_officer. Raises NotFound, BadInput."""
        self._need(user, "duty_officer", "update a task")
        stage = self._run.pipeline.respond
        detail = {"state": state, "note": note}
        return self._act(user, "task", task, detail, lambda now: stage.update_task(task, state, user.name, note, now))

    def decide(self, user: User, proposal: str, accept: bool, note: str) -> Event:
        """Accept or reject a release proposal. Needs duty_officer. Raises NotFound, BadInput if decided already."""
        self._need(user, "duty_officer", "decide on a proposal")
        stage = self._run.pipeline.plan
        if stage is None:
            raise BadInput(f"basin {self.basin.code!r} has no model, so there are no proposals; calibrate one first")
        detail = {"accept": accept, "note": note}
        return self._act(
            user, "decide", proposal, detail, lambda now: stage.decide(proposal, accept, user.name, note, now)
        )

    def silence(self, user: User, match: Mapping[str, str], until: datetime, note: str) -> Event:
        """Silence alerts that match (subject, rule, severity) until a time. Needs duty_officer."""
        self._need(user, "duty_officer", "silence alerts")
        stage = self._run.pipeline.alert
        end = epoch(until)
        detail = {"match": dict(match), "until": until.isoformat(), "note": note}
        return self._act(user, "silence", "alerts", detail, lambda now: stage.silence(match, end, user.name, note, now))

    def rehearse(self, user: User, name: str, releases: Mapping[str, Sequence[float]], inflow_factor: float) -> Event:
        """Run a what-if on the newest forecast. Needs duty_officer. Raises BadInput."""
        self._need(user, "duty_officer", "run a what-if")
        held = {code: tuple(map(float, series)) for code, series in releases.items()}
        scenario = Scenario(name=name, releases=held, inflow_factor=inflow_factor)

        detail = {"inflow_factor": inflow_factor, "reservoirs": sorted(held)}
        return self._act(user, "rehearse", name, detail, lambda now: self._run.pipeline.rehearse(scenario, now))

    def report(self, kind: Literal["html", "pdf"], language: Literal["zh", "en"], at: datetime | None) -> bytes:
        """The report as of a time, made from the log."""
        end = min(epoch(at) if at else self._run.now, self._run.now)
        if end < self._course.start:
            raise BadInput("the report begins with the run, which is still warming up; wait for its first step")
        made = report(self.basin, self._store, self._course.start, end + 1)
        return to_html(made, language) if kind == "html" else to_pdf(made, language)

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        return self._users.check(name, password)

    def sign_in_with_token(self, token: str) -> User | None:
        """The user to whom a one-time address was printed at start; a token works once."""
        return self._users.redeem(token)

    def messages(self) -> AsyncIterator[Message]:
        """What happens from now on, as it happens."""
        return self._broadcast.listen()

    def _act(
        self, user: User, action: str, target: str, detail: Mapping[str, Any], do: Callable[[int], Event]
    ) -> Event:
        with self._lock:
            now = self._run.now
            try:
                with self._run.commit():
                    logged = self._run.pipeline.answer(do(now), now)
                    self._audit(user, action, target, detail)
            except StoreFailed:
                self._run = Run(self._course, self._store)  # memory must not be ahead of what is kept
                raise
        self._announce(logged)
        if not logged:
            raise BadInput(f"{action} of {target!r} at this moment is in the log already; let the clock move on")
        return logged[0]

    def _audit(self, user: User, action: str, target: str, detail: Mapping[str, Any]) -> None:
        who = f"{user.name} ({user.role})"
        self._store.audit(at=self._run.now, user=who, action=action, target=target, detail=msgspec.to_builtins(detail))

    def _need(self, user: User, role: Role, what: str) -> None:
        if ROLES.index(user.role) < ROLES.index(role):
            raise NotAllowed(f"{user.name!r} is a {user.role} and may not {what}; sign in as {role}")
