"""How an order reaches people: each kind of channel is one file here and one line below.

A kind's file holds `Settings`, the fields of its `[[channels]]` tables, and `open_channel`, which makes a Channel of
them. It is read when a configuration names it, so that its libraries are needed by none else.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from liuyu.basin.errors import Fault
from liuyu.basin.toml_file import read_kinds
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
    cure = "give each its own name; page and cap are there without being told"
    return read_kinds(file, "channels", "channel", KINDS, _settings_of, taken=LOGGED, cure=cure)


def _settings_of(kind: str) -> type[Settings]:
    settings: type[Settings] = kind_of(kind).Settings
    return settings
