"""Meters of SZY 206 and SL/T 427 on the same port: their values under the identifiers of SL 651, and their answers.

What is behind the server reads one noun, so a meter's report becomes a report of SL 651: the same station, the same
time, each value under the element that means the same. Values without such an element stay in the raw log.
"""

from __future__ import annotations

from functools import cache

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Element, Group, Message, Packet
from liuyu.monitor.sense.sl651.tables import elements

REPORT, PRESENT, HEARTBEAT = 0x32, 0x37, 0x2F
REPORTS = frozenset([0xC0, 0x81, 0x82, 0x84])
CONFIRMED = REPORTS | {0x02, 0x83}
LINK, QUERY = 0x02, 0xB0
LONGEST = 248
ONLY = Packet(1, 1)


@cache
def _element_of() -> dict[str, str]:
    """The element of SL 651 that means a quantity: the first one at an instant."""
    found: dict[str, str] = {}
    for name, field in elements().items():
        if field.quantity and field.kind == "number" and not field.interval:
            found.setdefault(field.quantity, name)
    return found | {"water_level": "39", "discharge": "27"}


def as_report(said: szy206.Message, now: int) -> Message:
    """A meter's message as one of SL 651. A report without a time is of `now` [s UTC], when it arrived.

    It has the place of an only packet, for its bytes are no frame of SL 651 and must not be read as one.
    """
    time = now if said.sent is None else said.sent
    code = HEARTBEAT if said.function == LINK else PRESENT if said.function == QUERY else REPORT
    told = tuple(_told(each, time) for each in said.elements if each.quantity in _element_of())
    groups = (Group(station=said.station, observed=time, elements=told),) if told and code != HEARTBEAT else ()
    remarks = tuple(each for each in said.remarks if each == "clock")
    return Message(
        function=code, station=said.station, sent=time, serial=0, groups=groups, remarks=remarks, packet=ONLY
    )


def _told(value: szy206.Element, time: int) -> Element:
    field = elements()[_element_of()[value.quantity or ""]]
    return Element(
        id=field.id,
        definition=field.definition,
        raw=value.raw,
        values=(value.value,),
        times=(time,),
        quantity=value.quantity,
        unit=value.unit,
        interval=field.interval,
    )


def answer(said: szy206.Message) -> bytes | None:
    """The centre's confirmation of a report or a link check, None where none belongs."""
    return szy206.encode(szy206.confirm(said)) if said.function in CONFIRMED and said.direction == "up" else None


def whole(said: szy206.Message, parts: szy206.Joiner, now: int) -> szy206.Message | None:
    """The message, once its last part is there; its values are read then, where one frame could have held them."""
    joined = parts.add(said)
    if joined is None or joined is said or len(joined.data) > LONGEST:
        return joined
    read = szy206.decode(szy206.encode(joined), now)
    return read if isinstance(read, szy206.Message) else joined
