"""Time: aware in records, seconds since 1970 UTC in arrays, and always an argument.

A clock says what time it is for the twin. Live it follows the machine; in a replay it follows the user.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from typing import Protocol
from zoneinfo import ZoneInfo

from liuyu.basin.errors import BadInput

HOUR = 3600
DAY = 86400


class Clock(Protocol):
    """Anything that tells the twin's time."""

    def now(self) -> datetime:
        """The present moment of the twin, aware."""
        ...


def epoch(moment: datetime) -> int:
    """Whole seconds since 1970-01-01 UTC of an aware datetime. Raises BadInput for a naive one."""
    if moment.tzinfo is None:
        raise BadInput(f"time {moment.isoformat()} has no zone; give one, such as +08:00")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(seconds=1))


def moment(seconds: int, zone: tzinfo = UTC) -> datetime:
    """The aware datetime of seconds since 1970-01-01 UTC, shown in a zone."""
    return datetime.fromtimestamp(int(seconds), tz=zone)


def parse_time(text: str, zone: tzinfo | str) -> datetime:
    """An aware datetime from ISO 8601 text; where the text names no zone, the given one holds.

    >>> parse_time("2020-08-10", "Asia/Shanghai").isoformat()
    '2020-08-10T00:00:00+08:00'
    """
    zone = ZoneInfo(zone) if isinstance(zone, str) else zone
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise BadInput(f"time {text!r} is not ISO 8601; write it as 2020-08-10 or 2020-08-10T14:00+08:00") from None
    return value if value.tzinfo else value.replace(tzinfo=zone)
