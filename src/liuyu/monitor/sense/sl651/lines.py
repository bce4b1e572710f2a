"""Messages as plain objects for JSON, times as the station's wall clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect, Dialects
from liuyu.monitor.sense.sl651.messages import ENDS, Element, Group, Message, Refusal
from liuyu.monitor.sense.sl651.tables import elements, function, parameters, told


def to_line(said: Message | Refusal, dialect: Dialect | Dialects = STANDARD) -> dict[str, Any]:
    """A message as an object with `crc_ok`, `station`, `function`, `send_time` and `elements`, or why it is none.

    `elements` has an entry for each value. Facts that the frame does not hold are left out, save these.
    """
    if isinstance(said, Refusal):
        claimed = {
            "station": said.station or None,
            "function": None if said.function is None else f"{said.function:02X}",
        }
        return {"crc_ok": said.crc_ok, "error": str(said), "reason": said.reason, "claimed": claimed}
    way = dialect.of(said.station) if isinstance(dialect, Dialects) else dialect
    what = function(said.function)
    line = {
        "crc_ok": True,
        "station": said.station,
        "function": f"{said.function:02X}",
        "name": what.name_zh,
        "direction": said.direction,
        "form": said.form,
        "centre": said.centre,
        "serial": said.serial,
        "send_time": wall_clock(said.sent, way),
        "zone": zone_of(way),
        "end": ENDS[said.end],
        "elements": [entry for group, each in said.elements() for entry in _entries(said, group, each, way)],
    }
    classes = [f"{group.category:02X}" for group in said.groups if group.category is not None]
    line |= {"class": classes[0]} if classes else {}
    return line | _rest(said, way)


def _rest(said: Message, way: Dialect) -> dict[str, Any]:
    facts: dict[str, Any] = {}
    if said.packet is not None:
        facts["packet"] = {"total": said.packet.total, "number": said.packet.number, "bytes": len(said.payload)}
    elif said.payload:
        facts["payload"] = said.payload.hex().upper()
    if said.period is not None:
        start, end = wall_clock(said.period.start, way), wall_clock(said.period.end, way)
        facts["period"] = {"start": start, "end": end, "step": said.period.step}
    for name in ("wanted", "text", "events", "remarks"):
        if getattr(said, name):
            facts[name] = getattr(said, name)
    return facts


def _entries(said: Message, group: Group, each: Element, way: Dialect) -> list[dict[str, Any]]:
    """An entry for each value of an element."""
    settings = function(said.function).up == "parameters"
    known = (parameters() if settings else elements()).get(each.id)
    odd = way.odd(each.id)
    extra: dict[str, Any] = {"name": (odd.name if odd else "") or (known.name_zh if known else "")}
    if group.station is not None and group.station != said.station:
        extra["station"] = group.station
    if each.interval is not None:
        extra["interval"] = each.interval
    if each.id == "F3":
        extra["bytes"] = len(each.raw)
    elif len(each.values) == 1 and each.id != "F2":
        extra["raw"] = each.raw.hex().upper() if said.form == "hex" else each.raw.decode("ascii", "replace")
    if each.id == "45" and isinstance(each.values[0], float) and not settings:
        extra["state"] = [f"{one.name_zh}:{one.state_zh}" for one in told(int(each.values[0]))]
    quantity = None if settings else each.quantity
    return [
        {
            "id": each.id,
            "quantity": quantity,
            "value": value,
            "unit": each.unit,
            "time": wall_clock(time, way),
            **extra,
        }
        for value, time in zip(each.values, each.times, strict=True)
    ]


def wall_clock(seconds: int | None, way: Dialect = STANDARD) -> str | None:
    """A time as the station's clock shows it.

    >>> wall_clock(1500346816)
    '2017-07-18 11:00:16'
    """
    if seconds is None:
        return None
    return datetime.fromtimestamp(seconds + way.offset, UTC).strftime("%Y-%m-%d %H:%M:%S")


def zone_of(way: Dialect) -> str:
    """The offset of a station's clock from UTC.

    >>> zone_of(STANDARD)
    '+08:00'
    """
    minutes = round(way.zone * 60)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
