"""What the page may ask of the running twin. `app` implements it; `web` only calls it.

Every method that changes something takes the user who asks, is refused with NotAllowed below its role, is durable when
it returns, and leaves a line in the audit log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, Protocol

import msgspec

from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.store.interface import Store

Role = Literal["viewer", "duty_officer", "administrator"]
ROLES: tuple[Role, ...] = ("viewer", "duty_officer", "administrator")


class User(msgspec.Struct, frozen=True):
    """Someone who is signed in."""

    name: str
    role: Role


class ClockState(msgspec.Struct, frozen=True, kw_only=True):
    """Where the twin's time stands. `speed` is twin seconds per second; phase: running, paused, ended."""

    now: datetime
    start: datetime
    end: datetime
    speed: float
    phase: Literal["running", "paused", "ended"]


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One server-sent event: `topic` clock (ClockState), values (columns of a batch) or event (an Event)."""

    topic: Literal["clock", "values", "event"]
    data: Any


class Twin(Protocol):
    """The running twin."""

    @property
    def basin(self) -> Basin:
        """The basin that it twins."""
        ...

    @property
    def store(self) -> Store:
        """What it remembers."""
        ...

    def clock(self) -> ClockState:
        """Where its time stands."""
        ...

    def set_clock(self, user: User, *, phase: str | None, speed: float | None, run_to: datetime | None) -> ClockState:
        """Play, pause, change speed, or run as fast as possible up to a time, then pause. Needs duty_officer."""
        ...

    def acknowledge(self, user: User, alert: str, note: str) -> Event:
        """Acknowledge an alert. Needs duty_officer. Raises NotFound."""
        ...

    def update_task(self, user: User, task: str, state: str, note: str) -> Event:
        """Set a task to acknowledged or done. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def decide(self, user: User, proposal: str, accept: bool, note: str) -> Event:
        """Accept or reject a release proposal. Needs duty_officer. Raises NotFound, BadInput if decided already."""
        ...

    def silence(self, user: User, match: Mapping[str, str], until: datetime, note: str) -> Event:
        """Silence alerts that match (subject, rule, severity) until a time. Needs duty_officer."""
        ...

    def rehearse(self, user: User, name: str, releases: Mapping[str, Sequence[float]], inflow_factor: float) -> Event:
        """Run a what-if on the newest forecast. Needs duty_officer. Raises BadInput."""
        ...

    def report(self, kind: Literal["html", "pdf"], language: Literal["zh", "en"], at: datetime | None) -> bytes:
        """The report as of a time, made from the log."""
        ...

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        ...

    def sign_in_with_token(self, token: str) -> User | None:
        """The user to whom a one-time address was printed at start; a token works once."""
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What happens from now on, as it happens."""
        ...
