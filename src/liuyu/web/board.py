"""The duty board: the newest state of each thing that happened, as of any moment, computed from the log of events."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from datetime import timedelta

import msgspec

from liuyu.basin.clock import moment
from liuyu.basin.events import Event
from liuyu.monitor.respond.dispatch import runs
from liuyu.store.interface import Store

COLUMN_OF = {
    "alert": "alerts",
    "notice": "notices",
    "numbered_flood": "floods",
    "incident": "incidents",
    "task": "tasks",
    "response": "responses",
    "dispatch": "dispatches",
    "handover": "handovers",
    "rehearsal": "rehearsals",
    "proposal": "proposals",
    "report": "reports",
    "quality": "quality",
    "source": "sources",
}
_OPEN = {
    "alert": {"raised", "changed", "acknowledged", "escalated"},
    "notice": {"issued", "updated"},
    "incident": {"opened", "updated", "closing"},
    "task": {"assigned", "acknowledged", "overdue"},
    "dispatch": {"drafted"},
    "handover": {"offered"},
    "proposal": {"proposed"},
    "response": {"proposed", "started", "adjusted"},
    "quality": {"doubted"},
    "source": {"silent"},
}
_LONG_KEPT = {"numbered_flood": 400}

_Newest = dict[tuple[str, str], Event]


class Board(msgspec.Struct, frozen=True, kw_only=True):
    """The newest event of each thing, by kind, newest first."""

    alerts: tuple[Event, ...] = ()
    notices: tuple[Event, ...] = ()
    floods: tuple[Event, ...] = ()
    incidents: tuple[Event, ...] = ()
    tasks: tuple[Event, ...] = ()
    responses: tuple[Event, ...] = ()
    dispatches: tuple[Event, ...] = ()
    handovers: tuple[Event, ...] = ()
    rehearsals: tuple[Event, ...] = ()
    proposals: tuple[Event, ...] = ()
    reports: tuple[Event, ...] = ()
    quality: tuple[Event, ...] = ()
    sources: tuple[Event, ...] = ()


class Boards:
    """Boards of one store. The present one is kept and led on by the events since; a past one is read from the log."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._newest: _Newest = {}
        self._seq = 0

    def at(self, now: int, *, present: bool, days: int) -> Board:
        """The board as of `now` [s UTC]: all that is open, and what ended or happened within the last `days`."""
        if present:
            with self._lock:
                fresh = self._store.events(after=self._seq)
                _lead_on(self._newest, fresh)
                self._seq = fresh[-1].seq if fresh else self._seq
                newest = list(self._newest.values())
        else:
            newest = list(_lead_on({}, self._store.events(kinds=list(COLUMN_OF), end=now + 1)).values())
        return _arrange(newest, now, days)


def _lead_on(newest: _Newest, events: Iterable[Event]) -> _Newest:
    for event in events:
        if event.kind in COLUMN_OF:
            newest[event.kind, event.id] = event
    return newest


def _arrange(events: list[Event], now: int, days: int) -> Board:
    columns: dict[str, list[Event]] = {name: [] for name in COLUMN_OF.values()}
    for event in sorted(events, key=lambda each: (each.time, each.seq), reverse=True):
        oldest = moment(now) - timedelta(days=max(days, _LONG_KEPT.get(event.kind, 0)))
        in_force = event.kind == "response" and bool(event.body.get("level"))  # also where a change was declined
        in_force |= event.kind == "dispatch" and runs(event.state, event.body.get("report_due"))
        if in_force or event.state in _OPEN.get(event.kind, ()) or event.time >= oldest:
            columns[COLUMN_OF[event.kind]].append(event)
    return Board(**{name: tuple(each) for name, each in columns.items()})
