"""What the page may ask of the duty office: orders and notifications, their answers, the shift's handover, files, push.

`app` implements it, as it does `ports.py`; every rule of that file holds here too.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Literal, Protocol

import msgspec

from liuyu.basin.directives import Attachment, Dispatch, Recipient, Text
from liuyu.basin.events import Event
from liuyu.monitor.respond.dispatch import Wish

if TYPE_CHECKING:
    from liuyu.web.ports import User

DispatchState = Literal["drafted", "signed", "acknowledged", "reported", "overdue", "cancelled"]
Answer = Literal["acknowledged", "reported"]


class DeliverySheet(msgspec.Struct, frozen=True, kw_only=True):
    """How a paper fared on its way to a recipient by one channel: the last that is known of it.

    state: queued (or tried in vain so far, with the reason), sent, failed for good, withheld (exercise, or needless).
    """

    recipient: str
    channel: str
    occasion: Literal["order", "overdue", "cancelled"]
    state: Literal["queued", "sent", "failed", "withheld"]
    attempts: int
    at: datetime | None = None
    reason: str = ""
    duplicate: bool = False


class DispatchSheet(msgspec.Struct, frozen=True, kw_only=True):
    """An order or a notification as it stands. `document` is the whole paper as text; `acts` what may be done to it.

    `waiting` are the recipients that have not acknowledged; `unreported` those that have not reported where they must.
    """

    id: str
    state: DispatchState
    time: datetime
    seq: int
    dispatch: Dispatch
    document: Text
    waiting: tuple[str, ...]
    unreported: tuple[str, ...]
    deliveries: tuple[DeliverySheet, ...]
    acts: tuple[Literal["amend", "sign", "cancel", "receipt"], ...]


class GroupSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A notification list."""

    code: str
    name: Text
    recipients: tuple[str, ...]


class DirectorySheet(msgspec.Struct, frozen=True, kw_only=True):
    """Who may be written to. `channels` are those that this twin sends by."""

    office: Text
    acknowledge_h: int
    report_h: int
    sign_role: str
    recipients: tuple[Recipient, ...]
    lists: tuple[GroupSheet, ...]
    channels: tuple[str, ...]
    exercise: bool


class PaperSheet(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipient's address on a phone leads to."""

    sheet: DispatchSheet
    recipient: Recipient
    acknowledged: bool
    reported: bool


class HandoverSheet(msgspec.Struct, frozen=True, kw_only=True):
    """Where the watch stands: the shift of this hour, what is open in it, and the newest handovers, newest first."""

    shift: Text
    open: tuple[Text, ...]
    handovers: tuple[Event, ...]


class DispatchDesk(Protocol):
    """Orders and notifications."""

    def listed(
        self, *, state: str, form: str, incident: str, proposal: str, response: str, limit: int
    ) -> list[DispatchSheet]:
        """Papers, newest first, of a state, a form, an incident, a proposal, a response; empty for all."""
        ...

    def find(self, id: str) -> DispatchSheet:
        """One paper. Raises NotFound."""
        ...

    def directory(self) -> DirectorySheet:
        """Who may be written to."""
        ...

    def draft(self, user: User, wish: Wish, proposal: str) -> DispatchSheet:
        """A draft, of an accepted proposal or by hand. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def amend(self, user: User, id: str, wish: Wish) -> DispatchSheet:
        """Change a draft. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def sign(self, user: User, id: str, note: str) -> DispatchSheet:
        """Number, sign and send. Needs the role that the office asks for. Raises NotFound, BadInput."""
        ...

    def cancel(self, user: User, id: str, note: str) -> DispatchSheet:
        """Cancel; whoever has been sent it is told. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def receive(self, user: User, id: str, recipient: str, what: Answer, by: str, note: str) -> DispatchSheet:
        """Note that a recipient has it, or has carried it out. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def paper(self, token: str) -> PaperSheet:
        """What an address leads to. Raises NotFound."""
        ...

    def answer(self, token: str, what: Answer, by: str, note: str) -> PaperSheet:
        """Answer by such an address; the same answer again changes nothing. Raises NotFound, BadInput."""
        ...


class ShiftDesk(Protocol):
    """Handing over, files, and browsers that want to be told."""

    def handover(self) -> HandoverSheet:
        """Where the watch stands."""
        ...

    def offer(self, user: User, note: str, by: str = "") -> Event:
        """Hand over: what is open is written down; `by` names who, where an account is shared. Needs duty_officer."""
        ...

    def take(self, user: User, id: str, note: str, by: str = "") -> Event:
        """Take over, somebody else than who hands over. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def attach(self, user: User, target: str, name: str, content: bytes, note: str) -> Event:
        """Lay a file to a thing. Needs duty_officer. Raises NotFound, BadInput for a type that is not taken."""
        ...

    def attachments(self, target: str) -> list[Event]:
        """The files of a thing, or of all, newest first."""
        ...

    def attachment(self, id: str) -> tuple[Attachment, bytes]:
        """A file. Raises NotFound."""
        ...

    def push_key(self) -> str:
        """The public key for web push. Raises NotFound where the twin has no such channel."""
        ...

    def subscribe(self, user: User, endpoint: str, p256dh: str, auth: str, recipient: str) -> None:
        """Have a browser told what goes to a recipient. Needs viewer. Raises NotFound, BadInput."""
        ...

    def unsubscribe(self, user: User, endpoint: str) -> None:
        """Leave a browser in peace. Raises NotFound."""
        ...
