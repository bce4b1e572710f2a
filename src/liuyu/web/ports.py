"""What the page may ask of the running twin. `app` implements it; `web` only calls it.

Every method that changes something takes the user who asks, is refused with NotAllowed below its role, is durable when
it returns, and leaves a line in the audit log. Only `deliver` takes none: whoever lets sources in checks them.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal, Protocol

import msgspec

from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency.sheet import PlanHead, PlanSheet, ResponseSheet
from liuyu.monitor.summarise import Form
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Store
from liuyu.web.papers import DispatchDesk, ShiftDesk
from liuyu.web.rehearsing import RehearsalDesk

Role = Literal["device", "viewer", "duty_officer", "administrator"]
ROLES: tuple[Role, ...] = ("device", "viewer", "duty_officer", "administrator")
"""Each may do what those before it may, but for a device: it may deliver observations, which a viewer may not."""


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
    """One server-sent event: `topic` clock (ClockState), values (columns of a batch), event (an Event) or rehearsal (a
    RehearsalSheet)."""

    topic: Literal["clock", "values", "event", "rehearsal"]
    data: Any


Code = Annotated[str, msgspec.Meta(pattern="^(FF)?[0-9A-F]{2}$", description="Identifier in hex digits, as 39 or 20")]
OrderState = Literal["queued", "sent", "answered", "refused", "expired"]


class OrderWish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An order for a station: its name or function code, and what it takes.

    elements: identifiers, or the type of value of SZY 206. values: parameters by identifier. start, end, step [s]: the
    period of `history`. data: hex digits as the maker defines them. password: the new one. hours: how long it may wait.
    """

    order: Annotated[str, msgspec.Meta(min_length=1, max_length=20, description="As query, clock, config, or 37")]
    elements: Annotated[tuple[Annotated[str, msgspec.Meta(max_length=4)], ...], msgspec.Meta(max_length=64)] = ()
    values: Annotated[dict[Code, float | Annotated[str, msgspec.Meta(max_length=62)]], msgspec.Meta(max_length=32)] = {}
    start: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    end: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    step: Annotated[int, msgspec.Meta(ge=60, le=86400)] = 3600
    data: Annotated[str, msgspec.Meta(max_length=400)] = ""
    password: Annotated[str, msgspec.Meta(max_length=4)] = ""
    hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 24.0
    protocol: Literal["sl651", "szy206"] | None = None


class StationOrder(msgspec.Struct, frozen=True, kw_only=True):
    """An order and what became of it. `address` is the station's in its frames, `code` the function code in hex digits.

    attempts: how often it was tried. reason: why it is not answered. answer: what the station said, decoded. Passwords
    are shown as stars.
    """

    id: str
    station: str
    address: str
    protocol: Literal["sl651", "szy206"]
    order: str
    code: str
    name: Mapping[str, str]
    wish: OrderWish
    by: str
    at: datetime
    deadline: datetime
    state: OrderState
    attempts: int
    ended: datetime | None = None
    reason: str = ""
    answer: Mapping[str, Any] | None = None


class OrderDesk(Protocol):
    """Orders to stations, where a twin listens to some."""

    def send(self, user: User, station: str, wish: OrderWish) -> StationOrder:
        """Queue an order. Needs duty_officer, for what changes a station administrator. Raises NotFound, BadInput."""
        ...

    def listed(self, user: User, *, station: str, state: str, limit: int) -> list[StationOrder]:
        """Orders, newest first. Needs duty_officer."""
        ...

    def find(self, user: User, id: str) -> StationOrder:
        """One order. Needs duty_officer. Raises NotFound."""
        ...


class LetterSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A dead letter. `size` in bytes, `hex` the bytes, 4,096 of them at most in a list, `said` what they say."""

    id: int
    source: str
    reason: str
    received: datetime
    state: Literal["waiting", "replayed", "refused"]
    size: int
    hex: str
    marked: datetime | None = None
    note: str = ""
    said: Mapping[str, Any] | None = None


class LetterDesk(Protocol):
    """What was set aside, and trying it again."""

    def listed(
        self,
        user: User,
        *,
        source: str,
        reason: str,
        state: str,
        start: int | None,
        end: int | None,
        before: int | None,
        limit: int,
    ) -> list[LetterSheet]:
        """Letters, newest first; see `Store.letters`. Needs duty_officer. Raises BadInput."""
        ...

    def find(self, user: User, id: int) -> LetterSheet:
        """One letter, read as far as it can be. Needs duty_officer. Raises NotFound."""
        ...

    def replay(self, user: User, id: int) -> LetterSheet:
        """Decode a letter again and deliver what is in it. Needs administrator. Raises NotFound, BadInput."""
        ...


class ResponseDesk(Protocol):
    """Contingency plans, and the responses under them."""

    def decide(self, user: User, response: str, approve: bool, level: str | None, note: str) -> Event:
        """Approve what is proposed, or another level, or decline. Needs duty_officer, or what the plan asks for.

        Raises NotFound, BadInput where nothing is proposed, NotAllowed.
        """
        ...

    def propose(self, user: User, plan: str, level: str, note: str) -> Event:
        """Propose a level by hand, with its reason. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def plans(self) -> list[PlanHead]:
        """Every version of every plan in the files of the basin."""
        ...

    def plan(self, code: str, version: str) -> PlanSheet:
        """A plan: the version named, or the one in force, or the newest. Raises NotFound."""
        ...

    def response(self, id: str) -> ResponseSheet:
        """A response, open or over. Raises NotFound."""
        ...


class Twin(Protocol):
    """The running twin."""

    @property
    def responses(self) -> ResponseDesk | None:
        """Plans and responses; None where it follows none."""
        ...

    @property
    def orders(self) -> OrderDesk | None:
        """Orders to stations; None where it listens to none."""
        ...

    @property
    def letters(self) -> LetterDesk | None:
        """Its dead letters; None where it takes nothing in."""
        ...

    @property
    def dispatches(self) -> DispatchDesk | None:
        """Orders and notifications to people; None where there is no office."""
        ...

    @property
    def shift(self) -> ShiftDesk | None:
        """The shift's handover, files and push; None where there is no office."""
        ...

    @property
    def rehearsals(self) -> RehearsalDesk | None:
        """Its scenarios; None where they are not run."""
        ...

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

    def report(self, kind: Form, language: Literal["zh", "en"], at: datetime | None) -> bytes:
        """The report as of a time, made from the log."""
        ...

    def sign_in(self, name: str, password: str) -> User | None:
        """The user, if the password is right."""
        ...

    def sign_in_with_token(self, token: str) -> User | None:
        """The user to whom a one-time address was printed at start; a token works once."""
        ...

    def deliver(self, parcel: Parcel) -> None:
        """Keep what a source delivers until the loop takes it; durable when it returns.

        Raises BadInput in a twin that replays an archive, InboxFull where the loop is too far behind, StoreFailed.
        """
        ...

    def messages(self) -> AsyncIterator[Message]:
        """What happens from now on, as it happens."""
        ...
