"""Numbers and times in binary coded decimal, plain enough that Numba compiles the same functions for the fast path."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, TypeVar

from numba.extending import register_jitable

NO_TIME: Final = -(2**62)
NO_NUMBER: Final = -(2**62)
LONGEST: Final = 9
Plain = TypeVar("Plain", bound=Callable[..., Any])
PLAUSIBLE: Final = (1262304000, 2524608000)  # 2010 to 2050: outside, no one ever set the clock


def _compiled_too(plain: Plain) -> Plain:
    """The same function, which compiled ones may call."""
    register_jitable(plain)
    return plain


@_compiled_too
def pair(byte: int) -> int:
    """Two decimal digits of a byte, or -1 where one is none."""
    high, low = byte >> 4, byte & 15
    return -1 if high > 9 or low > 9 else high * 10 + low


@_compiled_too
def number_of(data: Sequence[int], start: int, length: int) -> int:
    """The whole number of `length` bytes, or NO_NUMBER where they are none.

    All FF is invalid; a first byte FF is a minus (for an odd number of digits FF0...). More than 18 digits are none.
    """
    if length == 0 or length > LONGEST:
        return NO_NUMBER
    minus = data[start] == 0xFF
    if minus and length == 1:
        return NO_NUMBER
    value = 0
    for place in range(start + 1 if minus else start, start + length):
        two = pair(data[place])
        if two < 0:
            return NO_NUMBER
        value = value * 100 + two
    return -value if minus else value


@_compiled_too
def word_of(data: Sequence[int], start: int, length: int) -> int:
    """The whole number of `length` bytes, high byte first, or NO_NUMBER for none or more than six."""
    if length == 0 or length > 6:
        return NO_NUMBER
    value = 0
    for place in range(start, start + length):
        value = value * 256 + data[place]
    return value


@_compiled_too
def seconds_of(year: int, month: int, day: int, hour: int, minute: int, second: int) -> int:
    """Seconds since 1970 of a wall time of the years 2000 to 2099, or NO_TIME where there is no such time."""
    if month < 1 or month > 12 or day < 1 or hour < 0 or hour > 23 or minute < 0 or minute > 59:
        return NO_TIME
    longest = 30 if month in (4, 6, 9, 11) else 31
    if month == 2:
        longest = 29 if year % 4 == 0 else 28
    if year < 0 or day > longest or second < 0 or second > 59:
        return NO_TIME
    past = (month + 9) % 12
    turns = 2000 + year - (1 if month < 3 else 0)
    days = 365 * turns + turns // 4 - turns // 100 + turns // 400 + (153 * past + 2) // 5 + day - 719469
    return days * 86400 + hour * 3600 + minute * 60 + second


@_compiled_too
def time_of(data: Sequence[int], start: int, length: int) -> int:
    """Seconds since 1970 of a wall time YYMMDDHH, YYMMDDHHmm or YYMMDDHHmmSS, or NO_TIME where it is none."""
    minute = pair(data[start + 4]) if length > 4 else 0
    second = pair(data[start + 5]) if length > 5 else 0
    return seconds_of(
        pair(data[start]), pair(data[start + 1]), pair(data[start + 2]), pair(data[start + 3]), minute, second
    )


@_compiled_too
def step_of(data: Sequence[int], start: int) -> int:
    """Seconds of a time step DDHHmm, 0 where it is none."""
    days, hours, minutes = pair(data[start]), pair(data[start + 1]), pair(data[start + 2])
    return 0 if days < 0 or hours < 0 or minutes < 0 else (days * 24 + hours) * 3600 + minutes * 60
