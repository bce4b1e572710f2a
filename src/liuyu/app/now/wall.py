"""The running twin of the present: a thread that steps the loop on the wall clock over what sources deliver.

What breaks a step is taken back with it, logged once, and tried again; a parcel on which the loop fails each time is
set aside alone, so that nothing holds up what stands behind it.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from datetime import datetime

from liuyu.app.acts import Acts
from liuyu.app.config import Live
from liuyu.app.now.present import MOST, Duty, Present
from liuyu.app.pipeline import NOTHING, Step
from liuyu.app.users import Users
from liuyu.basin.clock import DAY, moment
from liuyu.basin.errors import BadInput, LiuyuError, StoreFailed
from liuyu.basin.events import Event
from liuyu.store.inbox.interface import Inbox, Parcel
from liuyu.store.interface import Store, Written
from liuyu.web.ports import ClockState, Message, User

IDLE = 0.1  # [s] between looks at the clock
JUMP = 60  # [s] by which the clock may be behind before anybody is told
LONGEST_WAIT = 60.0
_log = logging.getLogger("liuyu")


class WallTwin(Acts):
    """A twin of what is now; implements `web.ports.Twin`. `clock` tells the time [s UTC], and alone it does."""

    _run: Present

    def __init__(
        self, duty: Duty, store: Store, inbox: Inbox, users: Users, *, clock: Callable[[], int], live: Live
    ) -> None:
        run = Present(duty, store, inbox, clock())
        run.follow_inbox(clock())
        super().__init__(duty.basin, store, users, run, run.begin)
        self._duty, self._inbox, self._clock, self._live = duty, inbox, clock, live
        self._stopping = threading.Event()
        self._told: list[Event] = []
        self._failures, self._limit, self._set_back = 0, MOST, False
        self.written = NOTHING
        self._thread = threading.Thread(target=self._drive, name="liuyu-loop", daemon=True)

    # the loop

    def start(self) -> None:
        """Start the thread of the loop."""
        self._thread.start()
        self.begin_rehearsals()

    def stop(self) -> None:
        """End the loop when it has taken all that was delivered, and every page's stream."""
        self._stopping.set()
        self.end_rehearsals()
        if self._thread.is_alive():
            self._thread.join()
        self._broadcast.close()

    def deliver(self, parcel: Parcel) -> None:
        """Put what somebody observed into the inbox, durably. Raises InboxFull, StoreFailed."""
        self._inbox.put([parcel])

    def tell(self, events: Sequence[Event]) -> None:
        """Have a source's own announcements logged with the next step. From any thread."""
        self._told.extend(events)

    def turn(self) -> bool:
        """Take a step if one is due; False where there is none to take now. What the thread does again and again."""
        with self._lock:
            now = self._clock()
            if not self._due(now):
                return False
            told = self._told[:]
            try:
                self._mend()
                step = self._run.step(now, told, limit=self._limit)
            except Exception as error:  # whatever it was: the loop of the present must not end
                self._failed(error, now)
                return False
            del self._told[: len(told)]
            self._went_well(now)
        self._show(step)
        return True

    def _drive(self) -> None:
        while not (self._stopping.is_set() and (self._failures or not self._waiting())):
            if self.turn():
                self.keep_up()
            else:
                pause = threading.Event() if self._stopping.is_set() else self._stopping
                pause.wait(min(IDLE * 2**self._failures, LONGEST_WAIT))

    def _waiting(self) -> bool:
        """Whether anything delivered is yet to be taken."""
        try:
            return self._run.behind()
        except LiuyuError as error:
            _log.error("the inbox cannot be asked what waits: %s", error)
            return False

    def _due(self, now: int) -> bool:
        """A step is due when its time has come, or the next second where more waits than one step takes."""
        since = now - self._run.now
        if since < -JUMP and not self._set_back:
            _log.error("the clock was set back by %d s; the loop waits until it has caught up", -since)
        self._set_back = since < -JUMP
        hurried = self._run.more or self._failures or self._stopping.is_set()
        return since >= (1 if hurried else self._live.step_seconds)

    def _went_well(self, now: int) -> None:
        if self._failures:
            _log.warning("the loop goes on at %s", moment(now))
        self._failures, self._limit = 0, min(2 * self._limit, MOST)

    def _failed(self, error: Exception, now: int) -> None:
        """Take memory back to what is kept. Where it is not the store that fails, take fewer parcels, at last one."""
        self._failures += 1
        self._stale = True
        if self._failures == 1:
            _log.error("a step of the loop at %s failed and is tried again: %s", moment(now), error, exc_info=error)
        if isinstance(error, StoreFailed | OSError | MemoryError):
            return
        if self._limit > 1:
            self._limit = max(1, self._limit // 8)
            return
        try:
            self._mend()
            self._run.set_aside(now, f"{type(error).__name__}: {error}")
        except Exception as again:  # the store, most likely: all is tried again
            _log.error("what the loop fails on cannot be set aside: %s", again)
            self._stale = True

    def keep_up(self) -> None:
        """The day's upkeep of the store, where it is due; what fails in it is tried again."""
        with self._lock:
            try:
                self._run.keep_up(self._clock())
            except Exception as error:
                _log.error("the day's upkeep of the store failed; it is tried again: %s", error)
                self._stale = True

    def _show(self, step: Step) -> None:
        old, new = self.written, step.written
        self.written = Written(old.new + new.new, old.same + new.same, old.corrected + new.corrected)
        self._announce(step.events)
        if len(step.values):
            self._tell_values([step.values])
        self._broadcast.publish(Message(topic="clock", data=self.clock()))

    # the clock

    def clock(self) -> ClockState:
        """Where its time stands: at the last step, on the pace of the wall."""
        now = self._run.now
        start = min(self._begin, now // DAY * DAY - self._live.shown_days * DAY)
        return ClockState(now=moment(now), start=moment(start), end=moment(now), speed=1.0, phase="running")

    def set_clock(self, user: User, *, phase: str | None, speed: float | None, run_to: datetime | None) -> ClockState:
        """Refused: this twin's time is everyone's. Raises BadInput, and NotAllowed as in a replay."""
        self._need(user, "duty_officer", "set the clock")
        raise BadInput("this twin follows the wall clock, which cannot be set; play the past in a replay of its own")

    def _reopened(self) -> Present:
        return Present(self._duty, self._store, self._inbox, self._clock())
