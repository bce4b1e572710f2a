"""Where observations come from: each kind of source is one file here and one line below.

A kind's file holds `Settings`, the fields of its `[[sources]]` tables, and `open_source`, which makes a Source of them.
It is read when a configuration names it, so that its libraries are needed by none else.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from types import ModuleType

from liuyu.app.sources.source import Settings
from liuyu.basin.errors import Fault
from liuyu.basin.toml_file import read_kinds

KINDS = (
    "stations",
    "service",
    "folder",
    "mqtt",
    "sl323",
)


def kind_of(name: str) -> ModuleType:
    """The file of a kind."""
    return import_module(f"liuyu.app.sources.{name}")


def read_sources(file: Path) -> tuple[tuple[Settings, ...], list[Fault]]:
    """The `[[sources]]` of a configuration file, and every fault of theirs with its line."""
    return read_kinds(file, "sources", "source", KINDS, _settings_of)


def _settings_of(kind: str) -> type[Settings]:
    settings: type[Settings] = kind_of(kind).Settings
    return settings
