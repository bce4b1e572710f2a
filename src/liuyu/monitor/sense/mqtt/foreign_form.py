"""Payloads of loggers that a mapping file describes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.mqtt.found import Found, time_of
from liuyu.monitor.sense.mqtt.mapping import Rule, Value, at_path
from liuyu.monitor.sense.mqtt.own_form import decode
from liuyu.monitor.sense.readers.times import Times

_SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6}


def read_by_rule(topic: str, payload: bytes, rule: Rule, now: int, found: Found) -> None:
    """A message of a foreign logger, received at `now` [s UTC]. Raises BadInput where nothing of it can be read."""
    root = decode(payload)
    parts = at_path(root, rule.each)
    if rule.each and not isinstance(parts, list):
        raise BadInput(f"no array at {rule.each!r}; correct `each` in the mapping")
    times = Times(rule.zone)
    for part in parts if isinstance(parts, list) else [parts]:
        try:
            station = found.station(_station(topic, root, part, rule), rule.codes)
            time = _time(root, part, rule, times, now)
        except BadInput as error:
            found.set_aside(str(error), topic, _alone(root, part, rule))
            continue
        for value in rule.values:
            try:
                _take(root, part, value, station, time, found)
            except BadInput as error:
                found.set_aside(str(error), topic, _alone(root, part, rule))


def _take(root: Any, part: Any, value: Value, station: int, time: int, found: Found) -> None:
    if value.when_path and _at(root, part, value.when_path) != value.when:
        return
    told = _at(root, part, value.path)
    if told is None or told in value.missing:
        return
    if isinstance(told, bool):
        raise BadInput(f"{value.quantity} is {told} at {value.path!r}, which is no number; correct the path")
    try:
        number = float(told)
    except (TypeError, ValueError):
        shown = str(told)[:40]
        raise BadInput(
            f"{value.quantity} is {shown!r} at {value.path!r}, which is no number; correct the path, or name it missing"
        ) from None
    found.take(station, found.unit(value.quantity, value.unit), time, number, value.add)


def _station(topic: str, root: Any, part: Any, rule: Rule) -> str:
    if rule.code:
        return rule.code
    if not rule.station:
        return rule.station_in(topic)
    told = _at(root, part, rule.station)
    if not isinstance(told, str | int) or isinstance(told, bool):
        raise BadInput(f"no station at {rule.station!r}; correct `station` in the mapping")
    return str(told)


def _time(root: Any, part: Any, rule: Rule, times: Times, now: int) -> int:
    if not rule.time:
        return now
    told = _at(root, part, rule.time)
    if told is None or isinstance(told, bool) or not isinstance(told, str | int | float):
        raise BadInput(f"no time at {rule.time!r}; correct `time` in the mapping")
    if rule.time_form in _SECONDS:
        try:
            return time_of(float(told) * _SECONDS[rule.time_form], times)
        except ValueError:
            raise BadInput(f"time {told!r} is no number; correct `time_form` in the mapping") from None
    if rule.time_form == "iso":
        return time_of(str(told), times)
    try:
        return times.of(datetime.strptime(str(told), rule.time_form))  # noqa: DTZ007  a zone follows in `of`
    except ValueError:
        raise BadInput(f"time {told!r} is not of the form {rule.time_form!r}; correct `time_form`") from None
    except BadInput as error:
        raise BadInput(f"time {told!r} {error}") from None


def _at(root: Any, part: Any, path: str) -> Any:
    return at_path(root, path[1:]) if path.startswith("/") else at_path(part, path)


def _alone(root: Any, part: Any, rule: Rule) -> bytes:
    """The message with one element of its array alone, so that it can be read again."""
    if part is root or not rule.each:
        return msgspec.json.encode(part)
    steps = rule.each.split(".")
    content: Any = [part]
    for place in range(len(steps) - 1, -1, -1):
        around = at_path(root, ".".join(steps[:place]))
        content = {**around, steps[place]: content} if isinstance(around, dict) else content
    return msgspec.json.encode(content)
