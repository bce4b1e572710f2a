"""What a person may say of an order or a notification that is being drafted."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Line = Annotated[str, Meta(min_length=1, max_length=300)]
Words = Annotated[str, Meta(min_length=1, max_length=8000)]
Flow = Annotated[float, Meta(ge=0, le=1e6, description="Outflow [m3/s]")]
Id = Annotated[str, Meta(max_length=200)]
Time = Annotated[datetime, Meta(tz=True)]
Hourly = Annotated[tuple[Flow, ...], Meta(min_length=1, max_length=720)]


class TitleText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A title in both languages."""

    zh: Line
    en: Line


class WordingText(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The text in both languages."""

    zh: Words
    en: Words


class Wish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is to stand in a draft; null leaves it as it is, or as the standard form has it.

    recipients: codes of recipients or of notification lists. releases: of each reservoir [m3/s], hour by hour from
    `effective`. due, report_due: when it must be acknowledged and reported; else so long after the signature as the
    office asks. supersedes: the order that this one replaces once it is signed.
    """

    form: Literal["order", "notification"] | None = None
    title: TitleText | None = None
    wording: WordingText | None = None
    recipients: Annotated[tuple[Annotated[str, Meta(max_length=80)], ...], Meta(max_length=200)] | None = None
    releases: Annotated[Mapping[str, Hourly], Meta(max_length=64)] | None = None
    effective: Time | None = None
    due: Time | None = None
    report_due: Time | None = None
    incident: Id | None = None
    response: Id | None = None
    supersedes: Id | None = None
    note: Annotated[str, Meta(max_length=2000)] | None = None
