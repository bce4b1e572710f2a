"""The clock of a SHEF message: a date and time that D codes change as the message is read.

After the Standard Hydrometeorological Exchange Format (SHEF) Code Manual, National Weather Service 10-944, sections 3
and 5.1. Without a time of day it is 12 in universal time and 24 in a local zone.
"""

from __future__ import annotations

import calendar
import re
from datetime import UTC, date, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

from liuyu.basin.errors import BadInput

_NAMED = {
    "N": ("America/St_Johns", -3.5),
    "A": ("America/Halifax", -4),
    "E": ("America/New_York", -5),
    "C": ("America/Chicago", -6),
    "M": ("America/Denver", -7),
    "P": ("America/Los_Angeles", -8),
    "Y": ("America/Whitehorse", -9),
    "L": ("America/Anchorage", -9),
    "H": ("Pacific/Honolulu", -10),
    "B": ("America/Adak", -11),
    "J": ("Asia/Shanghai", 8),
}
_ORDER = "TYMDHNS"
CODE = re.compile(r"D([TYMDHNSJ])(\d+|M+|MSG)", re.IGNORECASE)
RELATIVE = re.compile(r"DR([SNHDMYE])([+-]?\d+)", re.IGNORECASE)
STEP = re.compile(r"DI([SNHDMEY])([+-]?\d+)", re.IGNORECASE)
_LONGEST = 366 * 86400 * 100
_SECONDS = {"S": 1, "N": 60, "H": 3600, "D": 86400}


class NoTime(Exception):
    """The time of a report is given as missing."""


def zone_of(code: str) -> tzinfo | None:
    """The zone of a code: a letter for local time, with S or D for standard or daylight time; None if it is none."""
    code = code.upper()
    if code == "Z":
        return UTC
    if code[:1] not in _NAMED or code[1:] not in ("", "S", "D"):
        return None
    name, hours = _NAMED[code[0]]
    if not code[1:]:
        return ZoneInfo(name)
    return timezone(timedelta(hours=hours + (code[1:] == "D")))


def header_date(text: str, near: datetime | None) -> date:
    """mmdd, yymmdd or ccyymmdd; a date without a year, or of two digits, is the one nearest to `near`.

    Raises BadInput for what is no date, or lacks its year where `near` is None.
    """
    try:
        match len(text):
            case 8:
                return date(int(text[:4]), int(text[4:6]), int(text[6:]))
            case 6:
                years = [century + int(text[:2]) for century in (1900, 2000)]
                day = near or datetime(2000, 1, 1, tzinfo=UTC)
                return date(min(years, key=lambda year: abs(year - day.year)), int(text[2:4]), int(text[4:]))
            case 4:
                if near is None:
                    raise BadInput(f"date {text} has no year; say near which day it lies")
                return nearest(near.date(), int(text[:2]), int(text[2:]))
    except ValueError:
        pass
    raise BadInput(f"date {text!r} is none; write it as mmdd, yymmdd or ccyymmdd")


def nearest(day: date, month: int, number: int) -> date:
    """The date of a month and day that lies nearest to another. Raises ValueError where no year has it."""
    found = []
    for year in (day.year - 1, day.year, day.year + 1):
        if number <= calendar.monthrange(year, month)[1]:
            found.append(date(year, month, number))
    return min(found, key=lambda each: abs(each - day))


def add_months(moment: datetime, months: int, *, to_end: bool = False) -> datetime:
    """The same day so many months on, or the last of that month."""
    count = moment.year * 12 + moment.month - 1 + months
    year, month = divmod(count, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return moment.replace(year=year, month=month + 1, day=last if to_end else min(moment.day, last))


def shift(moment: datetime, unit: str, count: int) -> datetime:
    """A day that lies so many months M, ends of months E or years Y on."""
    return add_months(moment, count * 12 if unit == "Y" else count, to_end=unit == "E")


class Clock:
    """Where a message stands in time. `change` takes a D code; `moment` is the time as seconds since 1970 UTC."""

    def __init__(self, day: date, zone: tzinfo) -> None:
        self._day, self._zone = day, zone
        self._seconds = 43200 if zone is UTC else 86400
        self._relative: list[tuple[str, int]] = []
        self._known = True

    def copy(self) -> Clock:
        """Another that changes apart from this one."""
        made = Clock(self._day, self._zone)
        made._seconds, made._relative, made._known = self._seconds, list(self._relative), self._known
        return made

    def change(self, code: str) -> bool:
        """Take a code that tells a time; False where it tells none. Raises BadInput where it is faulty."""
        found, relative = CODE.fullmatch(code), RELATIVE.fullmatch(code)
        if relative:
            self._relative = [(relative[1].upper(), int(relative[2]))]
            return True
        if not found:
            return False
        if found[2].upper().startswith("M"):
            self._known = False
            return True
        try:
            self._set(found[1].upper(), found[2])
        except ValueError:
            raise BadInput(f"{code} is no time; correct it") from None
        self._relative, self._known = [], True
        return True

    def _set(self, unit: str, digits: str) -> None:
        if unit == "J":
            self._set_julian(digits)
            return
        if len(digits) % 2 or len(digits) > 14:
            raise ValueError(digits)
        values = [int(digits[place : place + 2]) for place in range(0, len(digits), 2)]
        given = dict(zip(_ORDER[_ORDER.index(unit) :], values, strict=False))
        self._set_day(given)
        hours = {name: given[name] for name in "HNS" if name in given}
        if hours:
            hour, minute, second = (hours.get(name, 0) for name in "HNS")
            if "H" not in hours:
                hour = self._seconds // 3600
                minute = hours.get("N", self._seconds // 60 % 60)
            if hour > 24 or minute > 59 or second > 59 or (hour == 24 and minute + second):
                raise ValueError(digits)
            self._seconds = hour * 3600 + minute * 60 + second

    def _set_day(self, given: dict[str, int]) -> None:
        century = given.get("T", self._day.year // 100) * 100
        if "Y" in given:
            self._day = date(century + given["Y"], given.get("M", 1), given.get("D", 1))
        elif "M" in given:
            self._day = nearest(self._day, given["M"], given.get("D", 1))
        elif "D" in given:
            self._day = self._nearest_day(given["D"])

    def _nearest_day(self, number: int) -> date:
        first = datetime.combine(self._day.replace(day=1), datetime.min.time())
        months = [add_months(first, step) for step in (-1, 0, 1)]
        days = [
            each.date().replace(day=number)
            for each in months
            if number <= calendar.monthrange(each.year, each.month)[1]
        ]
        if not 1 <= number <= 31:
            raise ValueError(number)
        return min(days, key=lambda each: abs(each - self._day))

    def _set_julian(self, digits: str) -> None:
        year = {3: self._day.year, 5: self._day.year // 100 * 100 + int(digits[:-3] or 0), 7: int(digits[:-3] or 0)}
        if len(digits) not in year:
            raise ValueError(digits)
        made = date(year[len(digits)], 1, 1) + timedelta(days=int(digits[-3:]) - 1)
        if made.year != year[len(digits)]:
            raise ValueError(digits)
        self._day = made

    def moment(self, steps: tuple[str, int] | None = None) -> int:
        """Seconds since 1970 UTC, with steps of an interval added. Raises NoTime where the time is missing."""
        if not self._known:
            raise NoTime
        every = (*self._relative, *([steps] if steps else []))
        try:
            wall = datetime.combine(self._day, datetime.min.time()) + timedelta(seconds=self._seconds)
            for unit, count in every:
                wall = wall if unit in _SECONDS else shift(wall, unit, count)
            exact = sum(count * _SECONDS[unit] for unit, count in every if unit in _SECONDS)
            return int(wall.replace(tzinfo=self._zone).timestamp()) + _bounded(exact)
        except (ValueError, OverflowError):
            raise BadInput("leads to a day that no calendar has; correct the time") from None


def _bounded(seconds: int) -> int:
    """A span [s] that a datetime can hold. Raises OverflowError beyond."""
    if abs(seconds) > _LONGEST:
        raise OverflowError(seconds)
    return seconds
