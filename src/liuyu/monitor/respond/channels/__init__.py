"""How an order reaches people: each kind of channel is one file here and one line below.

A kind's file holds `Settings`, the fields of its `[[channels]]` tables, and `open_channel`, which makes a Channel of
them. It is read when a configuration names it, so that its libraries are needed by none else.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from liuyu.basin.errors import Fault
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.respond.channels.channel import Channel, NobodyThere, NotSent, Place, Settings
from liuyu.monitor.respond.channels.message import Message

__all__ = [
    "KINDS",
    "LOGGED",
    "Channel",
    "Message",
    "NobodyThere",
    "NotSent",
    "Place",
    "Settings",
    "open_channels",
    "read_channels",
]

KINDS = (
    "page",
    "cap",
    "smtp",
    "webhook",
    "spool",
    "push",
)
LOGGED = ("page", "cap")
"""Those that every twin has, and that have done their work when the event is in the log."""


def kind_of(name: str) -> ModuleType:
    """The file of a kind."""
    return import_module(f"liuyu.monitor.respond.channels.{name}")


def open_channels(settings: tuple[Settings, ...], place: Place) -> dict[str, Channel]:
    """The channels by name. Raises BadInput where one cannot be opened."""
    return {each.title: kind_of(each.kind).open_channel(each, place) for each in settings}


def read_channels(file: Path) -> tuple[tuple[Settings, ...], list[Fault]]:
    """The `[[channels]]` of a configuration file, and every fault of theirs with its line."""
    toml = TomlFile(file)
    tables = toml.data.get("channels", [])
    if not isinstance(tables, list):
        toml.fault("must be a list of tables", "write [[channels]]", table="channels", key="channels")
        return (), toml.faults
    found = [(index, _read(toml, index, row)) for index, row in enumerate(tables)]
    met: set[str] = set(LOGGED)
    for index, each in found:
        if each is not None:
            if each.title in met:
                cure = "give each its own name; page and cap are there without being told"
                toml.fault(
                    "is another channel's name", cure, table="channels", index=index, key="name", value=each.title
                )
            met.add(each.title)
    return tuple(each for _, each in found if each is not None), toml.faults


def _read(toml: TomlFile, index: int, row: Mapping[str, Any]) -> Settings | None:
    kind = row.get("kind")
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KINDS)}"
        toml.fault("is no kind of channel", cure, table="channels", index=index, key="kind", value=kind or "")
        return None
    read: type[Settings] = kind_of(str(kind)).Settings
    settings = toml.convert(row, read, table="channels", index=index)
    if settings is not None:
        for key, problem, cure in settings.faults():
            toml.fault(problem, cure, table="channels", index=index, key=key, value=getattr(settings, key))
    return settings
