"""A TOML file of rules, read so that every fault is told at once, each with its line.

`tomllib` forgets where a value stood; `TomlFile` finds the line again by the table's header and the key.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast, get_args, get_type_hints

import msgspec

from liuyu.basin.errors import Fault

T = TypeVar("T", bound=msgspec.Struct)
_HEADER = re.compile(r"^\s*\[\[?\s*([\w.-]+)\s*\]?\]\s*(#.*)?$")


class TomlFile:
    """One parsed file. `faults` grows as its tables are read; `data` is empty where the file cannot be parsed."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.faults: list[Fault] = []
        self.data: Mapping[str, Any] = {}
        self._lines: list[str] = []
        try:
            text = path.read_text(encoding="utf-8")
            self._lines = text.splitlines()
            self.data = tomllib.loads(text)
        except OSError as error:
            self.fault("the file cannot be read", f"check its name and rights ({error.strerror})")
        except UnicodeDecodeError as error:
            self.fault(f"not UTF-8 at byte {error.start}", "save it as UTF-8; GB 18030 text must be converted")
        except tomllib.TOMLDecodeError as error:
            found = re.search(r"line (\d+)", str(error))
            self.faults.append(
                Fault(
                    file=str(path),
                    line=int(found.group(1)) if found else None,
                    problem=f"not TOML: {error}",
                    cure="mend this line; texts stand in quotes and tables in [brackets]",
                )
            )

    @property
    def kind(self) -> str:
        """What the file holds, as it says itself in `kind = "..."`."""
        return str(self.data.get("kind", ""))

    def line(self, table: str = "", index: int = 0, key: str = "") -> int | None:
        """The line (from 1) of a key in the index-th table of a name, or of its header; None where unknown."""
        inside, header, seen = table == "", None, -1
        for number, text in enumerate(self._lines, 1):
            match = _HEADER.match(text)
            if match:
                seen += match.group(1) == table
                inside = match.group(1) == table and seen == index
                header = number if inside else header
            elif inside and key and re.match(rf"^\s*\"?{re.escape(key)}\"?\s*(\.[\w-]+\s*)?=", text):
                return number
        return header

    def fault(
        self, problem: str, cure: str, *, table: str = "", index: int = 0, key: str = "", value: object = ""
    ) -> None:
        """Note a fault of this file."""
        line = self.line(table, index, key)
        shown = value if isinstance(value, str) else str(value)
        self.faults.append(Fault(file=str(self.path), line=line, field=key, value=shown, problem=problem, cure=cure))

    def tables(self, name: str, kind: type[T]) -> list[tuple[int, T]]:
        """Every `[[name]]` that is sound, with its place in the file; what is wrong with the others is in `faults`."""
        rows = self.data.get(name, [])
        if not isinstance(rows, list):
            self.fault("must be a list of tables", f"write [[{name}]]", table=name, key=name)
            return []
        found = [(index, self.convert(row, kind, table=name, index=index)) for index, row in enumerate(rows)]
        return [(index, each) for index, each in found if each is not None]

    def convert(self, row: Mapping[str, Any], kind: type[T], *, table: str = "", index: int = 0) -> T | None:
        """One table as a record, or None with every fault of it noted: unknown, missing and ill-typed keys."""
        hints = get_type_hints(kind, include_extras=True)
        before = len(self.faults)
        for key in row:
            if key not in hints and not (table == "" and isinstance(row[key], list | dict)):
                near = difflib.get_close_matches(key, hints, n=1)
                cure = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(hints)}"
                self.fault("unknown key", cure, table=table, index=index, key=key, value=row[key])
        values: dict[str, Any] = {}
        for info in msgspec.structs.fields(kind):
            if info.name in row:
                try:
                    values[info.name] = msgspec.convert(row[info.name], hints[info.name])
                except msgspec.ValidationError as error:
                    cure = _meant(hints[info.name]) or "correct the value"
                    self.fault(str(error), cure, table=table, index=index, key=info.name, value=row[info.name])
            elif info.required:
                cure = f"add it: {_meant(hints[info.name])}" if _meant(hints[info.name]) else "add it"
                self.fault(f"{info.name} is missing", cure, table=table, index=index)
        return kind(**values) if len(self.faults) == before else None


class KindOfThing(Protocol):
    """What each table of a configuration that has kinds may say: `kind`, `name`, and fields of its own."""

    @property
    def title(self) -> str:
        """Its name, or that of its kind."""
        ...

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell: key, problem and cure."""
        ...


S = TypeVar("S", bound=KindOfThing)


def read_kinds(
    file: Path,
    table: str,
    noun: str,
    kinds: Sequence[str],
    settings_of: Callable[[str], type[S]],
    *,
    taken: Sequence[str] = (),
    cure: str = "give each its own name",
) -> tuple[tuple[S, ...], list[Fault]]:
    """The `[[table]]`s of a file in which each row names its kind, and every fault of theirs with its line.

    settings_of: the type of a kind's row; no two rows may have one title, nor one of those `taken`.
    """
    toml = TomlFile(file)
    rows = toml.data.get(table, [])
    if not isinstance(rows, list):
        toml.fault("must be a list of tables", f"write [[{table}]]", table=table, key=table)
        return (), toml.faults
    found = [(index, _of_kind(toml, table, noun, index, row, kinds, settings_of)) for index, row in enumerate(rows)]
    met = set(taken)
    for index, each in found:
        if each is not None:
            if each.title in met:
                toml.fault(f"is another {noun}'s name", cure, table=table, index=index, key="name", value=each.title)
            met.add(each.title)
    return tuple(each for _, each in found if each is not None), toml.faults


def _of_kind(
    toml: TomlFile,
    table: str,
    noun: str,
    index: int,
    row: Mapping[str, Any],
    kinds: Sequence[str],
    settings_of: Callable[[str], type[S]],
) -> S | None:
    kind = row.get("kind")
    if kind not in kinds:
        near = difflib.get_close_matches(str(kind), kinds, n=1)
        cure = f"did you mean {near[0]!r}?" if near else f"known: {', '.join(kinds)}"
        toml.fault(f"is no kind of {noun}", cure, table=table, index=index, key="kind", value=kind or "")
        return None
    settings: S | None = toml.convert(row, cast(Any, settings_of(str(kind))), table=table, index=index)
    if settings is not None:
        for key, problem, cure in settings.faults():
            toml.fault(problem, cure, table=table, index=index, key=key, value=getattr(settings, key))
    return settings


def _meant(hint: object) -> str:
    """What a field's annotation says it should be, from `Meta(description=...)`."""
    return next((one.description for one in get_args(hint) if isinstance(one, msgspec.Meta) and one.description), "")
