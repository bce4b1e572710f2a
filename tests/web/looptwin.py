"""A small twin that is real: a store on disk, a clock, users with roles, and messages; it only lacks the pipeline."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import msgspec

from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.store.interface import Store
from liuyu.web.papers import DispatchDesk, ShiftDesk
from liuyu.web.ports import ROLES, ClockState, LetterDesk, Message, OrderDesk, ResponseDesk, User
from liuyu.web.rehearsing import RehearsalDesk


class LoopTwin:
    """A twin whose clock moves when it is told to. Users sign in with their own name as password, tokens work once."""

    def __init__(self, basin: Basin, store: Store, clock: ClockState) -> None:
        self._basin = basin
        self._store = store
        self._clock = clock
        self._lock = threading.Lock()
        self.orders: OrderDesk | None = None
        self.letters: LetterDesk | None = None
        self.responses: ResponseDesk | None = None
        self.dispatches: DispatchDesk | None = None
        self.shift: ShiftDesk | None = None
        self.rehearsals: RehearsalDesk | None = None
        self._listeners: list[tuple[asyncio.AbstractEventLoop, asyncio.Queue[Message]]] = []
        self.users = {name: User(name, name) for name in ROLES}  # type: ignore[arg-type]
        self.tokens = {"once-only": self.users["duty_officer"]}

    @property
    def basin(self) -> Basin:
        return self._basin

    @property
    def store(self) -> Store:
        return self._store

    def clock(self) -> ClockState:
        return self._clock

    def set_clock(self, user: User, *, phase: str | None, speed: float | None, run_to: datetime | None) -> ClockState:
        self._need(user, "duty_officer")
        changes: dict[str, Any] = {"phase": phase, "speed": speed, "now": run_to}
        given = {name: value for name, value in changes.items() if value is not None}
        if run_to is not None and not self._clock.start <= run_to <= self._clock.end:
            raise BadInput(f"run_to={run_to.isoformat()} lies outside the replay; choose a time within it")
        self._clock = msgspec.structs.replace(self._clock, **given)
        self.tell(Message(topic="clock", data=self._clock))
        return self._clock

    def acknowledge(self, user: User, alert: str, note: str) -> Event:
        return self._change(user, "alert", alert, "acknowledged", acknowledged_by=user.name, note=note)

    def update_task(self, user: User, task: str, state: str, note: str) -> Event:
        return self._change(user, "task", task, state, done_by=user.name, note=note)

    def decide(self, user: User, proposal: str, accept: bool, note: str) -> Event:
        newest = self._newest("proposal", proposal)
        if newest.state != "proposed":
            raise BadInput(f"proposal {proposal!r} is {newest.state} already; wait for the next one")
        state = "accepted" if accept else "rejected"
        return self._change(user, "proposal", proposal, state, decided_by=user.name, note=note)

    def silence(self, user: User, match: Mapping[str, str], until: datetime, note: str) -> Event:
        self._need(user, "duty_officer")
        if until <= self._clock.now:
            raise BadInput(f"until={until.isoformat()} has passed; choose a later time")
        name = "silence:" + ",".join(f"{key}={value}" for key, value in sorted(match.items()))
        body = {"id": name, "match": dict(match), "until": until.isoformat(), "note": note, "by": user.name}
        return self._log(Event(kind="silence", time=self._clock.now, id=name, state="set", subject="", body=body))

    def rehearse(self, user: User, name: str, releases: Mapping[str, Sequence[float]], inflow_factor: float) -> Event:
        self._need(user, "duty_officer")
        known = {each.code for each in self._basin.reservoirs}
        for reservoir in releases:
            if reservoir not in known:
                raise BadInput(f"no reservoir {reservoir!r}; choose from {', '.join(sorted(known))}")
        key = f"rehearsal:{self._clock.now:%Y%m%dT%H%MZ}:{name}"
        body = {"id": key, "name": {"zh": name, "en": name}, "releases": releases, "inflow_factor": inflow_factor}
        return self._log(Event(kind="rehearsal", time=self._clock.now, id=key, state="run", subject="", body=body))

    def report(self, kind: str, language: str, at: datetime | None) -> bytes:
        seen = self._store.events(end=None if at is None else epoch(at) + 1)
        if kind == "pdf":
            return b"%PDF-1.4\n% " + str(len(seen)).encode() + b" events\n%%EOF\n"
        if kind == "docx":
            return b"PK\x03\x04 " + str(len(seen)).encode() + b" events"
        return f'<!doctype html><html lang="{language}"><p>{len(seen)} events</p></html>'.encode()

    def sign_in(self, name: str, password: str) -> User | None:
        return self.users.get(name) if name == password else None

    def sign_in_with_token(self, token: str) -> User | None:
        return self.tokens.pop(token, None)

    async def messages(self) -> AsyncIterator[Message]:
        queue: asyncio.Queue[Message] = asyncio.Queue()
        entry = (asyncio.get_running_loop(), queue)
        self._listeners.append(entry)
        try:
            while True:
                yield await queue.get()
        finally:
            self._listeners.remove(entry)

    def tell(self, message: Message) -> None:
        """Send a message to every listener, from any thread."""
        for loop, queue in list(self._listeners):
            loop.call_soon_threadsafe(queue.put_nowait, message)

    def _need(self, user: User, role: str) -> None:
        if ROLES.index(user.role) < ROLES.index(role):  # type: ignore[arg-type]
            raise NotAllowed(f"{user.name} is a {user.role} and this needs a {role}; ask one to do it")

    def _newest(self, kind: str, name: str) -> Event:
        found = self._store.events(id=name, kinds=(kind,), limit=1, newest_first=True)
        if not found:
            raise NotFound(f"no {kind} {name!r}; see /api/board")
        return found[0]

    def _change(self, user: User, kind: str, name: str, state: str, **changes: str) -> Event:
        self._need(user, "duty_officer")
        newest = self._newest(kind, name)
        body = {**newest.body, **changes}
        now = moment(epoch(self._clock.now))
        return self._log(Event(kind=kind, time=now, id=name, state=state, subject=newest.subject, body=body))

    def _log(self, event: Event) -> Event:
        with self._lock:
            (kept,) = self._store.append([event])
        self.tell(Message(topic="event", data=kept))
        return kept
