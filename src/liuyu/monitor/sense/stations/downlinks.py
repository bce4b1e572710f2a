"""What a centre can order a station to do, as a table, and the frame of each order in the way the station speaks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Literal, NamedTuple

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense import sl651, szy206
from liuyu.monitor.sense.sl651.tables import parameters
from liuyu.monitor.sense.szy206.tables import functions as meter_functions
from liuyu.monitor.sense.szy206.tables import kinds

Standard = Literal["sl651", "szy206"]
Takes = Literal["nothing", "period", "elements", "parameters", "parameter_ids", "password", "data", "kind", "clock"]
Said = sl651.Message | szy206.Message
RUNNING = 0x20  # SL 651 numbers running parameters from here on
_HEX = re.compile(r"([0-9A-F]{2})+")
_SECRET = re.compile(r"[0-9A-F]{4}")


class Downlink(msgspec.Struct, frozen=True, kw_only=True):
    """An order: its function code in hex digits, who may give it, what it takes, how long an answer may take [s]."""

    protocol: Standard
    name: str
    code: str
    role: Literal["duty_officer", "administrator"]
    takes: Takes
    patience: int
    name_zh: str
    name_en: str

    @property
    def function(self) -> int:
        """The function code."""
        return int(self.code, 16)


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """What an order is to say: identifiers, values by identifier, a period [s UTC], hex digits, a new password."""

    elements: tuple[str, ...] = ()
    values: dict[str, float | str] = {}
    start: int | None = None
    end: int | None = None
    step: int = 3600
    data: str = ""
    password: str = ""


class Way(NamedTuple):
    """How a station speaks, as its last frame or its dialect tells: protocol, centre, password, form."""

    protocol: Standard = "sl651"
    centre: int = 1
    password: str = "0000"
    form: Literal["hex", "ascii"] = "hex"


@cache
def downlinks() -> tuple[Downlink, ...]:
    """Every order of the table.

    >>> [each.name for each in downlinks() if each.code == "37"]
    ['query']
    """
    text = files(__package__).joinpath("downlinks.csv").read_text(encoding="utf-8")
    return tuple(msgspec.convert(list(csv.DictReader(text.splitlines())), list[Downlink], strict=False))


def find_downlink(protocol: Standard, name: str, wish: Wish) -> Downlink:
    """The order of a name or a function code. Raises BadInput, with the names that there are.

    `query` with elements asks for these alone; `config` reads or, with values, sets parameters of either table.
    """
    asked = name
    if protocol == "sl651":
        ids = [*wish.elements, *wish.values]
        if name == "query" and wish.elements:
            asked = "elements"
        elif name == "config":
            running = [int(each, 16) >= RUNNING for each in ids if _HEX.fullmatch(each)]
            if any(running) and not all(running):
                raise BadInput(
                    f"parameters {', '.join(ids)} belong to two tables, below and from 20H on; send two orders"
                )
            asked = ("set-" if wish.values else "") + ("running" if any(running) else "config")
    for each in downlinks():
        if each.protocol == protocol and asked in (each.name, each.code):
            return each
    return _by_code(protocol, asked.upper())


def _by_code(protocol: Standard, code: str) -> Downlink:
    """An order that the table does not name: the user's own functions, and the rest of SZY 206."""
    known = meter_functions()
    if re.fullmatch(r"[0-9A-F]{2}", code):
        number = int(code, 16)
        if protocol == "sl651" and number >= 0xE0:
            return _unnamed(protocol, code, "administrator", ("用户自定义", "user's own"))
        if protocol == "szy206" and number in known and number < 0xB0 and not 0x80 <= number < 0x90 and number != 0x02:
            role: Literal["duty_officer", "administrator"] = (
                "duty_officer" if 0x50 <= number < 0x80 else "administrator"
            )
            return _unnamed(protocol, code, role, known[number])
    names = ", ".join(f"{each.name} ({each.code}H)" for each in downlinks() if each.protocol == protocol)
    raise BadInput(f"no order {code.lower()!r} in {protocol}; there are {names}")


def _unnamed(
    protocol: Standard, code: str, role: Literal["duty_officer", "administrator"], names: tuple[str, str]
) -> Downlink:
    return Downlink(
        protocol=protocol,
        name=code,
        code=code,
        role=role,
        takes="data",
        patience=30,
        name_zh=names[0],
        name_en=names[1],
    )


def message_of(downlink: Downlink, station: str, wish: Wish, way: Way, now: int) -> Said:
    """The message of an order, sent at `now` [s UTC]. Raises BadInput where the wish has too little or too much."""
    _check(downlink, wish)
    return (_meter if downlink.protocol == "szy206" else _hydrological)(downlink, station, wish, way, now)


def _hydrological(downlink: Downlink, station: str, wish: Wish, way: Way, now: int) -> sl651.Message:
    orders, code = sl651.Orders(station, centre=way.centre, password=way.password, form=way.form), downlink.function
    if way.form == "ascii" and downlink.takes not in ("nothing", "data"):
        raise BadInput(f"{downlink.name} cannot be written in the ASCII form that station {station} uses; set it there")
    values = {each: _value(each, value) for each, value in wish.values.items()}
    makers: dict[Takes, Callable[[], sl651.Message]] = {
        "period": lambda: orders.period(wish.elements[0], wish.start or 0, wish.end or 0, wish.step, now),
        "elements": lambda: orders.elements(wish.elements, now),
        "parameters": lambda: orders.write(values, now, running=code == 0x42),
        "parameter_ids": lambda: orders.read(wish.elements, now, running=code == 0x43),
        "password": lambda: orders.change_password(wish.password, now),
        "data": lambda: orders.control(code, bytes.fromhex(wish.data), now),
    }
    plain = {0x47: orders.clear, 0x48: orders.restore}.get(code, lambda at: orders.order(code, at))
    return makers.get(downlink.takes, lambda: plain(now))()


def _value(identifier: str, value: float | str) -> float | str:
    """A number where the parameter is one, else the digits, however they were given."""
    field = parameters().get(identifier)
    if field is None or field.kind != "number":
        return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
    try:
        return float(value)
    except ValueError:
        raise BadInput(f"parameter {identifier} takes a number, not {value!r}") from None


def _meter(downlink: Downlink, station: str, wish: Wish, way: Way, now: int) -> szy206.Message:
    code = downlink.function
    secret = (int(way.password[0]), int(way.password[1:])) if way.password.isdecimal() else (0, 0)
    if downlink.takes == "clock":
        return szy206.set_clock(station, now, secret)
    data = bytes.fromhex(wish.data)
    if downlink.takes == "kind":
        return szy206.order(station, code, data, kind=int(wish.elements[0]))
    if 0x50 <= code < 0x90 or code >= 0xB0:
        return szy206.order(station, code, data)
    return szy206.order(station, code, data, password=secret, stamp=szy206.stamp_of(now))


def _check(downlink: Downlink, wish: Wish) -> None:
    """Raise BadInput where something is missing, or given in vain."""
    takes, name = downlink.takes, downlink.name
    needs = {
        "period": (bool(len(wish.elements) == 1 and wish.start and wish.end), "one element, a start and an end"),
        "elements": (bool(wish.elements), "at least one element, such as 39"),
        "parameters": (bool(wish.values), "values by parameter, such as 20=1"),
        "parameter_ids": (bool(wish.elements), "at least one parameter, such as 20"),
        "password": (bool(_SECRET.fullmatch(wish.password)), "a new password of four hex digits"),
        "kind": (len(wish.elements) == 1 and wish.elements[0] in map(str, kinds()), "one type of value, such as 2"),
        "data": (not wish.data or bool(_HEX.fullmatch(wish.data)), "hex digits in pairs as data"),
    }
    right, what = needs.get(takes, (True, ""))
    if not right:
        raise BadInput(f"order {name} ({downlink.code}H) needs {what}; give that")
    if takes == "period" and wish.start is not None and wish.end is not None and wish.end <= wish.start:
        raise BadInput(f"order {name}: the period ends at {wish.end}, not after its start {wish.start}; exchange them")
    given = {
        "elements": wish.elements and takes not in ("period", "elements", "parameter_ids", "kind"),
        "values": wish.values and takes != "parameters",
        "a period": (wish.start or wish.end) and takes != "period",
        "data": wish.data and (takes != "data" and downlink.protocol == "sl651"),
        "a password": wish.password and takes != "password",
    }
    if wrong := [each for each, there in given.items() if there]:
        raise BadInput(f"order {name} ({downlink.code}H) takes no {wrong[0]}; leave that out")
