"""The tables of SZY 206-2016 and SL/T 427-2021 as data: types of values, water quality, functions, alarms, states.

Bytes and decimals are those that public implementations agree upon; see `docs/reference/telemetry.md` for what is not
verified. The low bit of `combined` is water quality's, as two public decoders have it.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

FLOW, QUALITY, WIND, STATE, COMBINED = 3, 10, 8, 13, 14
MODES = {
    0: ("自报/遥测", "reports and answers"),
    1: ("自报确认", "reports and waits for confirmation"),
    2: ("遥测", "answers"),
    3: ("调试/维修", "under repair"),
}


class Kind(msgspec.Struct, frozen=True, kw_only=True):
    """A type of value: bytes of one, low byte first, decimals, whether it may be negative [unit]."""

    code: int
    name_zh: str
    name_en: str
    bytes: int
    decimals: int
    signed: Literal["yes", "no"]
    many: Literal["yes", "no"]
    unit: str = ""
    quantity: str | None = None
    combined: int | None = None


class Quality(msgspec.Struct, frozen=True, kw_only=True):
    """A parameter of water quality by its bit in the list of five bytes."""

    bit: int
    name_zh: str
    name_en: str
    decimals: int
    unit: str = ""
    quantity: str | None = None


class Bit(msgspec.Struct, frozen=True, kw_only=True):
    """A bit of the alarm or the state word and what it says where it is set."""

    word: Literal["alarm", "state"]
    bit: int
    name_zh: str
    name_en: str


def _rows(name: str) -> list[dict[str, str]]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    return [{key: value for key, value in row.items() if value} for row in csv.DictReader(text.splitlines())]


@cache
def kinds() -> dict[int, Kind]:
    """Every type of value by its code in the control byte.

    >>> kinds()[3].name_en, kinds()[3].bytes
    ('flow', 5)
    """
    return {each.code: each for each in msgspec.convert(_rows("types.csv"), list[Kind], strict=False)}


@cache
def qualities() -> dict[int, Quality]:
    """Every parameter of water quality by its bit."""
    return {each.bit: each for each in msgspec.convert(_rows("quality.csv"), list[Quality], strict=False)}


@cache
def functions() -> dict[int, tuple[str, str]]:
    """The name of every application function, in Chinese and English."""
    return {int(row["code"], 16): (row["name_zh"], row["name_en"]) for row in _rows("functions.csv")}


@cache
def bits() -> tuple[Bit, ...]:
    """The bits of alarm and state that are defined."""
    return tuple(msgspec.convert(_rows("states.csv"), list[Bit], strict=False))


def told(word: Literal["alarm", "state"], value: int) -> tuple[Bit, ...]:
    """What an alarm or state word says.

    >>> [each.name_en for each in told("state", 0x0060)]
    ['door closed', 'running on battery']
    """
    return tuple(each for each in bits() if each.word == word and value >> each.bit & 1)
