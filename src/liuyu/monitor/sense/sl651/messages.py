"""What a frame of SL 651-2014 says, as frozen records; times are seconds since 1970-01-01 UTC."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

import msgspec

Value = float | str | None
Form = Literal["hex", "ascii"]
Direction = Literal["up", "down"]
Reason = Literal["start", "short", "length", "direction", "mark", "crc", "text"]

ETX, ETB, ENQ, ACK, NAK, EOT, ESC = 0x03, 0x17, 0x05, 0x06, 0x15, 0x04, 0x1B
STX, SYN = 0x02, 0x16
ENDS = {ETX: "ETX", ETB: "ETB", ENQ: "ENQ", ACK: "ACK", NAK: "NAK", EOT: "EOT", ESC: "ESC"}


class Element(msgspec.Struct, frozen=True, kw_only=True):
    """One identifier of a body with its data: as it came, and what that means.

    id: hex digits as in the frame, "39" or "FF92". definition: the definition byte, 0 in the ASCII form. values and
    times: one for each value of the data [unit], [s UTC]; None where it is invalid or unreadable. interval: the
    period [s] that each value sums up, None for an instant or where the standard fixes none.
    """

    id: str
    definition: int
    raw: bytes
    values: tuple[Value, ...]
    times: tuple[int | None, ...]
    quantity: str | None = None
    unit: str = ""
    interval: int | None = None


class Group(msgspec.Struct, frozen=True, kw_only=True):
    """The elements of one station at one time of observation; None where the body names none."""

    station: str | None = None
    category: int | None = None
    observed: int | None = None
    elements: tuple[Element, ...] = ()


class Packet(msgspec.Struct, frozen=True):
    """The place of a frame in a message of several packets, from 1."""

    total: int
    number: int


class Period(msgspec.Struct, frozen=True, kw_only=True):
    """What a query 38H asks for: from `start` to `end` by whole hours [s UTC], every `step` [s]."""

    start: int
    end: int
    step: int


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One frame. `payload` is the part of the body that is not read: packets of a picture, control words, leftovers.

    station and password are hex digits. `packet` is None where the body stands in one frame. `wanted` are identifiers
    with their definition byte, as in "3923". `remarks` name what was odd yet could be read: see `REMARKS`.
    """

    function: int
    station: str
    centre: int = 1
    password: str = "0000"
    form: Form = "hex"
    direction: Direction = "up"
    end: int = ETX
    packet: Packet | None = None
    serial: int | None = None
    sent: int | None = None
    groups: tuple[Group, ...] = ()
    period: Period | None = None
    wanted: tuple[str, ...] = ()
    text: str = ""
    events: tuple[int, ...] = ()
    payload: bytes = b""
    remarks: tuple[str, ...] = ()

    def elements(self) -> Iterator[tuple[Group, Element]]:
        """Every element with the group it stands in."""
        for group in self.groups:
            for element in group.elements:
                yield group, element


REMARKS = {
    "clock": "the time of sending cannot be right: before 2010, after 2049, or a day off the centre's clock",
    "time": "a time that is none",
    "series-end": "the time of observation was read as that of the last value of the hour",
    "definition": "a series declares another length than the standard's",
    "not-decimal": "data that are no decimal number",
    "short": "the body ends before its last element does",
    "leftover": "bytes at the end of the body that are no element",
    "trailing": "7EH after the check code",
    "password": "another password than the station's",
}


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """Why a frame is not taken. `station` and `function` are what it claims, where it reaches that far."""

    reason: Reason
    detail: str
    crc_ok: bool = False
    station: str = ""
    function: int | None = None

    def __str__(self) -> str:
        return f"{self.reason}: {self.detail}"
