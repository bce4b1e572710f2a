"""Times as SensorThings writes them: an instant, or an interval of two with a slash between; always with a zone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput

_SHAPE = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d(:\d\d(:\d\d([.,]\d{1,9})?)?)?(Z|[+-]\d\d(:?\d\d)?)", re.ASCII | re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Span:
    """An instant (start equals end) or an interval [s UTC]; `whole` is False where a fraction of a second was cut."""

    start: int
    end: int
    whole: bool = True

    @property
    def instant(self) -> bool:
        """True for an instant."""
        return self.start == self.end


def read_time(name: str, text: object) -> Span:
    """An instant or an interval from ISO 8601 text. Raises BadInput, which names the property."""
    if not isinstance(text, str):
        raise BadInput(f"{name}={str(text)[:40]!r} is no text; write a time as 2020-08-10T14:00:00+08:00")
    parts = text.strip().split("/")
    if len(parts) > 2:
        raise BadInput(f"{name}={text[:80]!r} has {len(parts)} parts; give an instant, or start/end")
    moments = [_moment(name, each) for each in parts]
    start, end = epoch(moments[0]), epoch(moments[-1])
    if end < start:
        raise BadInput(f"{name}={text[:80]!r} ends before it starts; exchange the two")
    return Span(start, end, whole=not any(each.microsecond for each in moments))


def read_instant(name: str, text: object) -> int:
    """An instant [s UTC]. Raises BadInput, also for an interval."""
    span = read_time(name, text)
    if not span.instant:
        raise BadInput(f"{name}={str(text)[:80]!r} is an interval; give an instant")
    return span.start


def _moment(name: str, text: str) -> datetime:
    if not _SHAPE.fullmatch(text):
        raise BadInput(f"{name}={text[:40]!r} is no time with a zone; write it as 2020-08-10T14:00:00+08:00 or with Z")
    try:
        found = datetime.fromisoformat(text.upper().replace(",", "."))
        epoch(found)
    except (ValueError, OverflowError):
        raise BadInput(f"{name}={text[:40]!r} is no time; no calendar or clock has it") from None
    return found
