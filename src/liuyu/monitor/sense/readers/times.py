"""Times of files: text of many forms into seconds since 1970 UTC, never by a zone that nobody named."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liuyu.basin.errors import BadInput

_FIRST = datetime(1800, 1, 1, tzinfo=UTC)
_LAST = datetime(2200, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def find_zone(name: str) -> ZoneInfo:
    """The time zone of an IANA name, such as Asia/Shanghai. Raises BadInput."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise BadInput(f"zone {name!r} is not known; write an IANA name, such as Asia/Shanghai or UTC") from None


class Times:
    """Reads the times of one file. `pattern` is a strptime format, empty for ISO 8601; `zone` is for naive times.

    Raises BadInput for a text that is no time, for a naive time without a zone, and for the hour that summer time
    skips or doubles, since no reader can know which of the two was meant.
    """

    def __init__(self, zone: str = "", pattern: str = "", shift: int = 0) -> None:
        self._zone: tzinfo | None = find_zone(zone) if zone else None
        self._pattern, self._shift = pattern, shift
        self._seen: dict[str, int] = {}

    def read(self, text: str) -> int:
        """Seconds since 1970 UTC of a text, with the shift [s] added."""
        found = self._seen.get(text)
        if found is None:
            found = self._seen[text] = self.of(self._parsed(text))
        return found

    def of(self, moment: datetime) -> int:
        """Seconds since 1970 UTC of a datetime, with the shift [s] added."""
        aware = moment if moment.tzinfo else self._placed(moment)
        if not _FIRST <= aware <= _LAST:
            raise BadInput(f"time {moment.isoformat()} lies outside 1800 to 2200; correct it")
        return int((aware - _EPOCH) // _SECOND) + self._shift

    def _parsed(self, text: str) -> datetime:
        plain = text.strip()
        try:
            if self._pattern:
                return datetime.strptime(plain, self._pattern)  # noqa: DTZ007  a zone follows in `of`
            return datetime.fromisoformat(plain.replace("/", "-"))
        except ValueError:
            wanted = f"of the form {self._pattern!r}" if self._pattern else "ISO 8601, as 2020-08-20 08:00"
            raise BadInput(f"is no time {wanted}; correct it, or set time.format in the mapping") from None

    def _placed(self, moment: datetime) -> datetime:
        if self._zone is None:
            raise BadInput("has no zone; set zone in the mapping, or write the time with its offset")
        placed = moment.replace(tzinfo=self._zone, fold=0)
        if placed.utcoffset() != moment.replace(tzinfo=self._zone, fold=1).utcoffset():
            back = placed.astimezone(UTC).astimezone(self._zone).replace(tzinfo=None)
            what = "comes twice" if back == moment else "does not exist"
            raise BadInput(f"{what} in {self._zone}, where summer time changes; write the time with its offset")
        return placed
