"""What a frame of SZY 206-2016 or SL/T 427-2021 says, as frozen records; times are seconds since 1970-01-01 UTC."""

from __future__ import annotations

from typing import Literal, NamedTuple

import msgspec

Direction = Literal["up", "down"]
Reason = Literal["start", "short", "length", "end", "crc"]
LOGIN, LOGOUT, KEEP = 0xF0, 0xF1, 0xF2


class Address(NamedTuple):
    """Who a station is. Method 1: an administrative code and a number; method 2: eight hex digits."""

    method: int
    division: str
    number: int


class Stamp(msgspec.Struct, frozen=True, kw_only=True):
    """The time tag: wall time of the station and minutes for which the frame may be late.

    SZY 206-2016 sends five bytes, without month and year (both None); SL/T 427-2021 sends seven.
    """

    day: int
    hour: int
    minute: int
    second: int
    month: int | None = None
    year: int | None = None
    delay: int = 0


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One value [unit]: None where it is invalid. id: the type in two hex digits, for quality with its bit, "0A.01"."""

    id: str
    name: str
    value: float | None
    unit: str
    quantity: str | None
    raw: bytes


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One frame. `data` is what stands between the function and the tail, `elements` what of it could be read.

    kind: the type of value in the control byte, 0 for a confirmation. part: how many frames of a divided message are
    still to come, this one counted; None where it is whole. password: key and word. alarm, state: the words of the
    tail. sent: the tag as a time, where it has month and year or the centre's clock supplies them.
    """

    station: str
    function: int
    direction: Direction = "up"
    kind: int = 0
    counter: int = 3
    part: int | None = None
    data: bytes = b""
    elements: tuple[Element, ...] = ()
    alarm: int | None = None
    state: int | None = None
    password: tuple[int, int] | None = None
    stamp: Stamp | None = None
    sent: int | None = None
    remarks: tuple[str, ...] = ()

    @property
    def address(self) -> Address:
        """The station's address, read by its method.

        >>> Message(station="5303810D00", function=0xC0).address
        Address(method=1, division='530381', number=13)
        """
        if self.station.startswith("00"):
            return Address(2, self.station[2:], 0)
        return Address(1, self.station[:6], int.from_bytes(bytes.fromhex(self.station[6:]), "little"))


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a frame is not taken. `station` and `function` are what it claims, where it reaches that far."""

    reason: Reason
    detail: str
    crc_ok: bool = False
    station: str = ""
    function: int | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"


REMARKS = {
    "clock": "the tag cannot be right: before 2010, after 2049, or a day off the centre's clock",
    "not-decimal": "data that are no decimal number",
    "tail": "alarm, state and tag do not stand where they should; the data are kept unread",
    "trailing": "bytes 7EH, 00H or FFH behind the end",
}


def method_one(division: str, number: int) -> str:
    """The address of a station by six digits of its administrative division and a number, 1 to 60000.

    >>> method_one("530381", 13)
    '5303810D00'
    """
    return division + number.to_bytes(2, "little").hex().upper()


def method_two(code: str) -> str:
    """The address of a station by eight hex digits."""
    return "00" + code.upper()
