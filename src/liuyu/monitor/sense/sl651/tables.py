"""The tables of SL 651-2014 as data: elements (appendix C), parameters (appendix D), functions (appendix B), states.

Lengths and decimals are those of the reporting draft and of open implementations; what a station sends in its own
definition byte always wins over the table.
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from typing import Literal, TypeVar

import msgspec

Kind = Literal["number", "step", "state", "text", "picture", "series", "mark", "hex", "order"]
Body = Literal["none", "report", "series", "state", "parameters", "version", "events", "control", "period", "elements"]
T = TypeVar("T", bound=msgspec.Struct)

CATEGORIES = {
    0x50: ("降水", "rain"),
    0x48: ("河道", "river"),
    0x4B: ("水库(湖泊)", "reservoir or lake"),
    0x5A: ("闸坝", "sluice or dam"),
    0x44: ("泵站", "pump"),
    0x54: ("潮汐", "tide"),
    0x4D: ("墒情", "soil moisture"),
    0x47: ("地下水", "groundwater"),
    0x51: ("水质", "water quality"),
    0x49: ("取水口", "intake"),
    0x4F: ("排水口", "outfall"),
}


class Field(msgspec.Struct, frozen=True, kw_only=True):
    """An element or a parameter as the standard declares it: N(digits, decimals) [unit]."""

    id: str
    name_zh: str
    name_en: str
    digits: int
    decimals: int
    unit: str
    kind: Kind
    symbol: str = ""
    quantity: str = ""
    interval: int | None = None

    @property
    def length(self) -> int:
        """Bytes of data that the digits take."""
        return (self.digits + 1) // 2

    @property
    def definition(self) -> int:
        """The definition byte: five bits of length, three of decimals; a series declares no decimals."""
        return self.length << 3 | (0 if self.kind == "series" else self.decimals)


class Function(msgspec.Struct, frozen=True, kw_only=True):
    """A function code: what its body holds on the way up and down, and whether the centre replies to it."""

    code: int
    name_zh: str
    name_en: str
    up: Body
    down: Body
    reply: Literal["never", "asked", "answer"]


class State(msgspec.Struct, frozen=True, kw_only=True):
    """A bit of the state word: it tells of `state_en` where it equals `set_when`."""

    bit: int
    name_zh: str
    name_en: str
    set_when: int
    state_zh: str
    state_en: str


def _rows(name: str, kind: type[T]) -> list[T]:
    text = files(__package__).joinpath(name).read_text(encoding="utf-8")
    rows = [{key: value for key, value in row.items() if value != ""} for row in csv.DictReader(text.splitlines())]
    filled = [{"unit": "", **row} if "unit" in kind.__struct_fields__ else row for row in rows]
    return msgspec.convert(filled, list[kind], strict=False)  # type: ignore[valid-type]


@cache
def elements() -> dict[str, Field]:
    """Every element by its identifier in hex digits.

    >>> elements()["39"].symbol, elements()["39"].definition
    ('Z', 35)
    """
    return {each.id: each for each in _rows("elements.csv", Field)}


@cache
def symbols() -> dict[str, Field]:
    """Every element by the name that the ASCII form uses."""
    return {each.symbol.upper(): each for each in elements().values()}


@cache
def parameters() -> dict[str, Field]:
    """Every parameter of a station's configuration by its identifier in hex digits."""
    return {each.id: each for each in _rows("parameters.csv", Field)}


@cache
def functions() -> dict[int, Function]:
    """Every function code of the standard."""
    text = files(__package__).joinpath("functions.csv").read_text(encoding="utf-8")
    rows = [{**row, "code": int(row["code"], 16)} for row in csv.DictReader(text.splitlines())]
    return {each.code: each for each in msgspec.convert(rows, list[Function], strict=False)}


@cache
def function(code: int) -> Function:
    """A function by its code; E0H to FFH are the user's and read as reports, all others as bodies of nothing known."""
    known = functions().get(code)
    if known is not None:
        return known
    body: Body = "report" if code >= 0xE0 else "control"
    return Function(code=code, name_zh="用户自定义", name_en="user's own", up=body, down="control", reply="asked")


@cache
def states() -> tuple[State, ...]:
    """The bits of element 45H that are defined."""
    return tuple(_rows("states.csv", State))


def told(word: int) -> tuple[State, ...]:
    """What a state word reports: alarms, faults, an open door, a running pump.

    >>> [each.name_en for each in told(0b1000_0000_0100)]
    ['water level', 'door', 'pump', 'water left']
    """
    return tuple(each for each in states() if (word >> each.bit & 1) == each.set_when)
