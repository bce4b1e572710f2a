"""The playbook of a basin, as data: what opens an incident, which task it brings, whose it is and by when.

docs/reference/playbook.md describes the file.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from pathlib import Path
from string import Formatter
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.events import Severity
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.toml_file import TomlFile

Trigger = Literal["incident", "flood", "notice", "proposal", "accepted", "response", "silence"]
Name = Annotated[str, Meta(min_length=1, description="a short name in small letters")]
Hours = Annotated[int, Meta(ge=1, le=2000, description="whole hours, at least 1")]
Colour = Annotated[Severity, Meta(description="blue, yellow, orange or red")]
_WORDS = {
    "incident": ("basin", "river", "year", "month"),
    "task": ("basin", "incident", "subject", "flood", "response"),
}


class Both(msgspec.Struct, frozen=True):
    """A text in both languages."""

    zh: str
    en: str


Texts = Annotated[Both, Meta(description='both languages: { zh = "...", en = "..." }')]


class IncidentRules(msgspec.Struct, frozen=True, kw_only=True):
    """What makes an incident, and what ends it.

    Alerts and notices on `thresholds` of at least `opens_at` open one; weaker ones, and those on `joining`, only join
    one that is open. What lies in the same basin or, with `group_by` "river", on the same river, is one flood. A
    numbered flood counts as `flood_level`. Changes are gathered for `gather_h` unless they are pressing. With nothing
    active for `closing_after_h` the incident is closing, after `closed_after_h` it is closed.
    """

    title: Texts
    group_by: Annotated[Literal["basin", "river"], Meta(description="basin or river")] = "basin"
    thresholds: tuple[str, ...]
    joining: tuple[str, ...] = ()
    opens_at: Colour = "yellow"
    flood_level: Colour = "yellow"
    gather_h: Hours = 6
    closing_after_h: Hours = 12
    closed_after_h: Hours = 48


class Owner(msgspec.Struct, frozen=True, kw_only=True):
    """A role that tasks are given to, and the role above it, to which an overdue task goes."""

    code: Name
    name: Texts
    superior: str = ""


class TaskRule(msgspec.Struct, frozen=True, kw_only=True):
    """A task and when it is given.

    `on` is what brings it: "incident" (its level reaches `level`), "flood" (a flood is numbered), "notice" (one of at
    least `level`), "proposal" (a release is proposed), "accepted" (one is accepted), "response" (a start, change or end
    of an emergency response waits for a decision; the decision settles the task), "silence" (a station of rank 1 or
    2 falls silent). It is given once an incident, or once for each station or thing where `per` is "subject"; with
    `again_after_h` a new cause brings it again after so long; with `repeat_h` it comes by itself every so many hours
    while the level holds.
    """

    code: Name
    title: Texts
    owner: str
    deadline_h: Hours
    on: Annotated[Trigger, Meta(description="incident, flood, notice, proposal, accepted, response or silence")]
    level: Colour = "blue"
    per: Annotated[Literal["incident", "subject"], Meta(description="incident or subject")] = "incident"
    again_after_h: Annotated[int, Meta(ge=0, description="whole hours; 0 means never")] = 0
    repeat_h: Annotated[int, Meta(ge=0, description="whole hours; 0 means never")] = 0


class Playbook(msgspec.Struct, frozen=True, kw_only=True):
    """A playbook in force."""

    version: str
    incident: IncidentRules
    owners: tuple[Owner, ...]
    tasks: tuple[TaskRule, ...]


def read_playbook(files: Iterable[Path], basin: Basin) -> Playbook:
    """The playbook of a basin from its rule files; files of another kind are passed over, a later one adds tasks.

    Without any file the playbook is empty, and nothing ever opens an incident. Raises BadPackage with every fault of
    every file: its line, its value and what would mend it.
    """
    version, incident = "", None
    owners, tasks, faults = list[Owner](), list[TaskRule](), list[Fault]()
    files = list(files)
    if not files:
        return Playbook(version="", incident=IncidentRules(title=Both("", ""), thresholds=()), owners=(), tasks=())
    for path in files:
        file = TomlFile(path)
        if file.kind == "playbook":
            version = str(file.data.get("version", version))
            incident = _incident(file) or incident
            owners += [each for _, each in file.tables("owner", Owner)]
            rows = file.tables("task", TaskRule)
            tasks += [each for _, each in rows]
            _check(file, rows, owners)
        faults += file.faults if file.kind in {"playbook", ""} else []
    if incident is None and not faults:
        faults.append(Fault(file=basin.folder, problem="no playbook", cure='add a file with kind = "playbook"'))
    if faults or incident is None:
        raise BadPackage(basin.folder or basin.code, faults)
    return Playbook(version=version, incident=incident, owners=tuple(owners), tasks=tuple(tasks))


def _incident(file: TomlFile) -> IncidentRules | None:
    row = file.data.get("incident")
    if not isinstance(row, dict):
        file.fault("[incident] is missing", "add the table [incident] with title and thresholds")
        return None
    found = file.convert(row, IncidentRules, table="incident")
    if found is None:
        return None
    for key in ("thresholds", "joining"):
        for kind in getattr(found, key):
            if kind and kind not in THRESHOLD_KINDS:
                cure = _near(kind, THRESHOLD_KINDS)
                file.fault("no such kind of threshold", cure, table="incident", key=key, value=kind)
    if found.closed_after_h <= found.closing_after_h:
        cure = f"make it more than closing_after_h ({found.closing_after_h})"
        value = found.closed_after_h
        file.fault("closed before it is closing", cure, table="incident", key="closed_after_h", value=value)
    _check_words(file, found.title, "incident", 0)
    return found


def _check(file: TomlFile, rows: Sequence[tuple[int, TaskRule]], owners: Sequence[Owner]) -> None:
    """Note names that do not exist or are used twice, and placeholders that nothing fills."""
    codes = [each.code for each in owners]
    for index, owner in enumerate(owners):
        if owner.superior and owner.superior not in codes:
            cure = _near(owner.superior, codes)
            file.fault("no such owner", cure, table="owner", index=index, key="superior", value=owner.superior)
        if codes.index(owner.code) != index:
            file.fault("owner given twice", "keep one", table="owner", index=index, key="code", value=owner.code)
    names = [rule.code for _, rule in rows]
    for place, (index, rule) in enumerate(rows):
        if rule.owner not in codes:
            file.fault(
                "no such owner", _near(rule.owner, codes), table="task", index=index, key="owner", value=rule.owner
            )
        if names.index(rule.code) != place:
            file.fault(
                "task given twice", "give it its own code", table="task", index=index, key="code", value=rule.code
            )
        _check_words(file, rule.title, "task", index)


def _check_words(file: TomlFile, text: Both, table: str, index: int) -> None:
    for language in (text.zh, text.en):
        try:
            used = [name for _, name, _, _ in Formatter().parse(language) if name is not None]
        except ValueError as error:
            file.fault(str(error), "pair the braces", table=table, index=index, key="title", value=language)
            continue
        for name in used:
            if name not in _WORDS[table]:
                cure = f"known here: {', '.join(_WORDS[table])}"
                file.fault("nothing fills this placeholder", cure, table=table, index=index, key="title", value=name)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:12])}"
