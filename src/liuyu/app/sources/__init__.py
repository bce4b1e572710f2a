"""Where observations come from: each kind of source is one file here and one line below.

A kind's file holds `Settings`, the fields of its `[[sources]]` tables, and `open_source`, which makes a Source of them.
It is read when a configuration names it, so that its libraries are needed by none else.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from liuyu.app.sources.source import Settings
from liuyu.basin.errors import Fault
from liuyu.basin.toml_file import TomlFile

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
    toml = TomlFile(file)
    tables = toml.data.get("sources", [])
    if not isinstance(tables, list):
        toml.fault("must be a list of tables", "write [[sources]]", table="sources", key="sources")
        return (), toml.faults
    found = [(index, _read(toml, index, row)) for index, row in enumerate(tables)]
    sources = [(index, each) for index, each in found if each is not None]
    met: set[str] = set()
    for index, each in sources:
        if each.title in met:
            cure = "give each its own name"
            toml.fault("is another source's name", cure, table="sources", index=index, key="name", value=each.title)
        met.add(each.title)
    return tuple(each for _, each in sources), toml.faults


def _read(toml: TomlFile, index: int, row: Mapping[str, Any]) -> Settings | None:
    kind = row.get("kind")
    if kind not in KINDS:
        near = difflib.get_close_matches(str(kind), KINDS, n=1)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(KINDS)}"
        toml.fault("is no kind of source", cure, table="sources", index=index, key="kind", value=kind or "")
        return None
    read: type[Settings] = kind_of(str(kind)).Settings
    settings = toml.convert(row, read, table="sources", index=index)
    if settings is not None:
        for key, problem, cure in settings.faults():
            value = getattr(settings, key)
            toml.fault(problem, cure, table="sources", index=index, key=key, value=value)
    return settings
