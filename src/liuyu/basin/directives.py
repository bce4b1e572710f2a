"""What people propose, sign, send and hand on while a flood is under control; `events.py` announces it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

Text = Mapping[str, str]


class Response(msgspec.Struct, frozen=True, kw_only=True):
    """An emergency response 应急响应 under a plan. States: proposed, started, adjusted, terminated, declined.

    The engine or a person proposes (`proposed_level`, "" where it is to end, `proposed_by`, `why`), a person approves.
    `level` is the one in force, I the gravest, "" before the start and after the end; `state` is what happened last, so
    a response whose adjustment was declined is still in force. `version` and `digest` name the frozen copy of the plan
    that is in force; the event of its start carries it whole in `frozen`. `trace` holds what each condition found, with
    values, lines, margins and times. `notify` is the list that is told of a start, an adjustment and the end.
    """

    id: str
    plan: str
    version: str
    digest: str
    incident: str
    title: Text
    level: Literal["", "I", "II", "III", "IV"] = ""
    proposed_level: Literal["", "I", "II", "III", "IV"] = ""
    proposed_by: str = ""
    approved_by: str = ""
    why: tuple[Text, ...] = ()
    note: str = ""
    trace: tuple[Mapping[str, Any], ...] = ()
    notify: tuple[Recipient, ...] = ()
    frozen: Mapping[str, Any] = {}


class Recipient(msgspec.Struct, frozen=True, kw_only=True):
    """Who gets an order: an office or a person of the notification list, and the channels that reach them."""

    code: str
    name: Text
    channels: tuple[str, ...] = ()


class Receipt(msgspec.Struct, frozen=True, kw_only=True):
    """What a recipient answered: that the order was received, or that it was carried out. `by` is the person."""

    recipient: str
    what: Literal["acknowledged", "reported"]
    at: datetime
    by: str
    note: str = ""


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """A written order 调度令, or a notification 通知, to people.

    States: drafted, signed, acknowledged (by all), reported (carried out by all), overdue, cancelled.
    `number` is its number in the year, `wording` its text in the standard form, `releases` what it orders of each
    reservoir [m3/s] hour by hour from `effective`. `due` is when it must be acknowledged, `report_due` when reported;
    an overdue one names whom it went up to. `version` counts what was changed in it, drafts and receipts alike.
    `supersedes` and `superseded_by` are the ids of the order that this one replaces, or that replaced it. `exercise`
    says that it was made in a replay or a synthetic basin and binds nobody; `office` who issues it.
    """

    id: str
    form: Literal["order", "notification"]
    number: Text
    title: Text
    wording: Text
    recipients: tuple[Recipient, ...]
    incident: str = ""
    proposal: str = ""
    response: str = ""
    releases: Mapping[str, tuple[float, ...]] = {}
    effective: datetime | None = None
    due: datetime | None = None
    report_due: datetime | None = None
    drafted_by: str = ""
    signed_by: str = ""
    signed: datetime | None = None
    receipts: tuple[Receipt, ...] = ()
    escalated_to: Text = {}
    note: str = ""
    version: int = 1
    supersedes: str = ""
    superseded_by: str = ""
    exercise: bool = False
    office: Text = {}


class Delivery(msgspec.Struct, frozen=True, kw_only=True):
    """An order on its way to a recipient by one channel. States: sent, failed, withheld.

    `occasion` is what is told of it: order, overdue (to the superior), cancelled. `attempt` counts from 1. `duplicate`:
    sent again in doubt. `key` stands in the message itself, alike in each attempt. A failed one is tried again unless
    `final`; one that is withheld stays here with the reason, such as an exercise.
    """

    id: str
    dispatch: str
    recipient: str
    channel: str
    attempt: int
    reason: str = ""
    duplicate: bool = False
    key: str = ""
    occasion: str = "order"
    final: bool = False


class Handover(msgspec.Struct, frozen=True, kw_only=True):
    """A shift hands over to the next. States: offered, taken. `open` lists what is not done, from the log."""

    id: str
    shift: Text
    given_by: str
    taken_by: str = ""
    open: tuple[Text, ...] = ()
    note: str = ""


class Attachment(msgspec.Struct, frozen=True, kw_only=True):
    """A file laid to an incident, a task or an order. State: added. `digest` is the SHA-256 of its bytes."""

    id: str
    target: str
    name: str
    media_type: str
    size: int
    digest: str
    added_by: str
    note: str = ""
