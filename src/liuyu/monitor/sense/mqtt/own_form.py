"""Our own payloads, for loggers that can be told what to send.

    liuyu/BASIN/STATION/QUANTITY   {"time": ..., "value": 23.41, "unit": "m"}, an array of those, or in columns
                                   {"unit": "m", "time": [...], "value": [...]}
    liuyu/BASIN/STATION            {"time": ..., "values": {"water_level": 23.41, "rainfall": 0.5}, "units": {...}},
                                   or an array of those

A time is ISO 8601 with its zone, or seconds since 1970 UTC. Without a unit a value is in the quantity's own. null means
that there is no value. `interval` [s] says what rain was summed over; where it is not the station's own the rain is
refused. One observation that cannot be read does not take the others of its array with it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.mqtt.found import Found, time_of
from liuyu.monitor.sense.readers.times import Times

_TIMES = Times()
_Time = str | int | float
T = TypeVar("T", "_One", "_Many", "_Wide")


class _One(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    time: _Time
    value: float | None
    unit: str = ""
    interval: int | None = None


class _Many(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    time: list[_Time]
    value: list[float | None]
    unit: str = ""
    interval: int | None = None


class _Wide(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    time: _Time
    values: Mapping[str, float | None]
    units: Mapping[str, str] = {}
    interval: int | None = None


_ones = msgspec.json.Decoder(list[_One])


def read_quantity(topic: str, payload: bytes, station: str, quantity: str, found: Found) -> None:
    """A message on a topic of a station and quantity. Raises BadInput where nothing of it can be read."""
    place = found.station(station)
    found.unit(quantity, "")
    try:
        ones = _ones.decode(payload)
    except msgspec.ValidationError:
        ones = _loosely(topic, payload, found)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(error) from None
    for each in ones:
        try:
            _take(each, place, quantity, found)
        except BadInput as error:
            if len(ones) == 1:
                raise
            found.set_aside(str(error), topic, msgspec.json.encode(each))


def read_station(topic: str, payload: bytes, station: str, found: Found) -> None:
    """A message on a topic of a station. Raises BadInput where nothing of it can be read."""
    place = found.station(station)
    content = decode(payload)
    for each in content if isinstance(content, list) else [content]:
        try:
            wide = _convert(each, _Wide)
            time = time_of(wide.time, _TIMES)
        except BadInput as error:
            if each is content:
                raise
            found.set_aside(str(error), topic, msgspec.json.encode(each))
            continue
        for name, value in wide.values.items():
            try:
                unit = found.unit(name, wide.units.get(name, ""))
                found.check_interval(place, unit[0], wide.interval)
                if value is not None:
                    found.take(place, unit, time, value)
            except BadInput as error:
                alone = msgspec.structs.replace(wide, values={name: value})
                found.set_aside(str(error), topic, msgspec.json.encode(alone))


def decode(payload: bytes) -> Any:
    """JSON. Raises BadInput."""
    try:
        return msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise _no_json(error) from None


def _take(each: _One, place: int, name: str, found: Found) -> None:
    unit = found.unit(name, each.unit)
    found.check_interval(place, unit[0], each.interval)
    time = time_of(each.time, _TIMES)
    if each.value is not None:
        found.take(place, unit, time, each.value)


def _loosely(topic: str, payload: bytes, found: Found) -> list[_One]:
    """What is no array of sound observations: one alone, columns, or an array of which some are not sound."""
    content = decode(payload)
    if isinstance(content, dict) and isinstance(content.get("time"), list):
        many = _convert(content, _Many)
        if len(many.time) != len(many.value):
            raise BadInput(f"{len(many.time)} times and {len(many.value)} values do not pair; send as many of each")
        pairs = zip(many.time, many.value, strict=True)
        return [_One(time, value, many.unit, many.interval) for time, value in pairs]
    if not isinstance(content, list):
        return [_convert(content, _One)]
    ones = []
    for each in content:
        try:
            ones.append(_convert(each, _One))
        except BadInput as error:
            found.set_aside(str(error), topic, msgspec.json.encode(each))
    return ones


def _convert(content: Any, kind: type[T]) -> T:
    try:
        return msgspec.convert(content, kind)
    except msgspec.ValidationError as error:
        raise BadInput(f"payload: {error}; see docs/howto/mqtt.md for its form") from None


def _no_json(error: Exception) -> BadInput:
    return BadInput(f"payload is not JSON ({error}); send UTF-8 JSON, or name the topic in a mapping")
