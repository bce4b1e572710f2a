"""The running twin behind the page, over an archive: a thread that runs the loop on a clock that the user sets.

Steps of the loop and acts of users (acts.py) take turns under one lock; each is one transaction, so that what was
answered with success is durable and what was not has left no trace.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Literal

from liuyu.app.acts import Acts
from liuyu.app.choice import Course
from liuyu.app.replay import finish
from liuyu.app.run import Run
from liuyu.app.users import Users
from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Store
from liuyu.web.ports import ClockState, Message, User

_log = logging.getLogger("liuyu")
_IDLE = 0.05  # [s] between looks at the clock
_BURST = 6  # steps between two looks at the user's wishes while running as fast as possible

Phase = Literal["running", "paused", "ended"]


class LiveTwin(Acts):
    """A run over an archive on a clock that plays, pauses and hurries; implements `web.ports.Twin`."""

    _run: Run

    def __init__(self, course: Course, store: Store, users: Users, folder: Path, *, speed: float) -> None:
        super().__init__(course.basin, store, users, Run(course, store), course.start)
        self._course = course
        self._folder = folder
        self._stopping = threading.Event()
        self._speed = speed
        self._phase: Phase = "ended" if self._run.finished else "paused"
        self._run_to: int | None = None
        self._anchor = (time.monotonic(), self._run.now)
        self._thread = threading.Thread(target=self._drive, name="liuyu-loop", daemon=True)
        self.rehearse_in(folder / "rehearsals")

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
        self.begin_rehearsals()

    def stop(self) -> None:
        """End the loop after the step in hand, and every page's stream."""
        self._stopping.set()
        self.end_rehearsals()
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
            self._mend()
            steps = self._run.advance_steps(due)
            ended = self._run.ended
            files = finish(self._run, self._folder / "report") if ended else ()
        except Exception:  # whatever it was: the thread must not die and leave a page that seems to run
            _log.exception("the loop stopped at %s; it stands paused at its last good step", moment(self._run.now))
            self._run = self._reopened()
            self._run.pipeline.postbox = self._postbox
            self._set_phase("paused")
            return False
        for step in steps:
            self._announce(step.events)
        if steps and len(steps[-1].values):
            self._tell_values([step.values for step in steps if len(step.values)])
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

    def deliver(self, parcel: Parcel) -> None:
        """Refused: what was observed comes out of the archive. Raises BadInput."""
        raise BadInput(
            f"this twin replays an archive and takes no observations ({parcel.source}); start one with liuyu up --live"
        )

    def _reopened(self) -> Run:
        return Run(self._course, self._store)
