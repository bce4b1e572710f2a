"""The mapping file: what loggers that cannot be told what to send mean by their topics and JSON. TOML, read as a whole.

The format is told in docs/howto/mqtt.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from liuyu.basin.errors import BadInput, BadPackage, LiuyuError
from liuyu.basin.quantities import quantity
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.sense.mqtt.packets import is_filter, matches
from liuyu.monitor.sense.readers.times import find_zone
from liuyu.monitor.sense.readers.units import conversion

TIME_FORMS = ("iso", "s", "ms", "us")
_NAME = re.compile(r"\{(\w*)\}")
_Path = Annotated[str, msgspec.Meta(description='a path into the JSON, such as "data.0.level"')]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a quantity stands, and in which unit. It counts where `when_path` holds `when`, if that is given.

    `add` [unit of the quantity] is added after the unit is converted.
    """

    quantity: str
    path: _Path
    unit: str = ""
    add: float = 0.0
    missing: tuple[float | str, ...] = ()
    when_path: str = ""
    when: str | int | float | bool = ""


class Rule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the messages of some topics mean.

    topic: a filter in which one level may be {station}. station: a path, where the topic does not name the station, or
    `code` for one station. each: the path of an array, each of whose elements is an observation; what stands outside
    it is found by a path from the root, `/name`. time: a path, empty for the time of arrival. time_form: iso, s, ms,
    us, or a strptime pattern. zone: for times without one.
    """

    topic: str
    values: tuple[Value, ...]
    station: str = ""
    code: str = ""
    codes: dict[str, str] = {}
    each: str = ""
    time: str = ""
    time_form: str = "iso"
    zone: str = ""

    @property
    def filter(self) -> str:
        """The topic as an MQTT filter."""
        return _NAME.sub("+", self.topic)

    def station_in(self, topic: str) -> str:
        """What stands in the topic where the rule has {station}; empty where it has none."""
        levels = self.topic.split("/")
        return topic.split("/")[levels.index("{station}")] if "{station}" in levels else ""


class LoggerMapping(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping file. Messages on topics that match `ignore` are let go without a word."""

    kind: Literal["mqtt"] = "mqtt"
    ignore: tuple[str, ...] = ()
    messages: tuple[Rule, ...] = ()

    def find(self, topic: str) -> Rule | None:
        """The first rule for a topic."""
        return next((each for each in self.messages if matches(each.filter, topic)), None)

    def ignores(self, topic: str) -> bool:
        """Whether messages on a topic are let go."""
        return any(matches(each, topic) for each in self.ignore)

    @property
    def filters(self) -> tuple[str, ...]:
        """What to subscribe to, each once."""
        return tuple(dict.fromkeys(each.filter for each in self.messages))


def read_logger_mapping(path: Path) -> LoggerMapping:
    """The mapping in a file. Raises BadPackage, which lists every fault with its line."""
    toml = TomlFile(path)
    head = None
    rules: list[Rule] = []
    if not toml.faults:
        head = toml.convert({name: each for name, each in toml.data.items() if name != "messages"}, LoggerMapping)
        for index, rule in toml.tables("messages", Rule):
            rules.append(rule)
            for key, value, problem, cure in _faults(rule):
                toml.fault(problem, cure, key=key, value=value, table="messages", index=index)
        for each in head.ignore if head else ():
            if not is_filter(each):
                toml.fault("is no filter", "wildcards + and # stand alone between slashes", key="ignore", value=each)
    if toml.faults or head is None:
        raise BadPackage(str(path), toml.faults)
    return msgspec.structs.replace(head, messages=tuple(rules))


def _faults(rule: Rule) -> Iterator[tuple[str, str, str, str]]:
    """Key, value, problem and cure of each thing that is wrong with a rule."""
    names = _NAME.findall(rule.topic)
    if not is_filter(rule.filter) or names not in ([], ["station"]):
        yield "topic", rule.topic, "is no filter", "write it as loggers/{station}/up, or with + and #"
    if sum(map(bool, (names, rule.station, rule.code))) != 1:
        yield "topic", rule.topic, "must tell the station once", "put {station} into it, or give station or code"
    if rule.time_form not in TIME_FORMS and "%" not in rule.time_form:
        yield "time_form", rule.time_form, "is no form", f"write one of {', '.join(TIME_FORMS)}, or a strptime pattern"
    if not rule.values:
        yield "values", "", "names no quantity", "add [[messages.values]] with quantity and path"
    try:
        if rule.zone:
            find_zone(rule.zone)
    except BadInput as error:
        yield "zone", rule.zone, *_split(error)
    for each in rule.values:
        try:
            conversion(each.unit, quantity(each.quantity))
        except LiuyuError as error:
            yield "values", each.quantity, *_split(error)


def _split(error: Exception) -> tuple[str, str]:
    problem, _, cure = str(error).partition("; ")
    return problem, cure


def at_path(content: Any, path: str) -> Any:
    """What stands at a path of names and numbers parted by dots; None where nothing does.

    >>> at_path({"data": [{"level": 2.5}]}, "data.0.level")
    2.5
    """
    for step in path.split(".") if path else ():
        if isinstance(content, Mapping) and step in content:
            content = content[step]
        elif isinstance(content, list) and step.isdecimal() and int(step) < len(content):
            content = content[int(step)]
        else:
            return None
    return content
