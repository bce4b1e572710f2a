"""Reading plan files: every fault of form at once, with its line; `checking.py` finds the faults of sense."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

import msgspec

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.places import Basin
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.respond.contingency.checking import Where, check_plan, check_versions
from liuyu.monitor.respond.contingency.form import (
    LEVELS,
    Action,
    Both,
    Condition,
    Contact,
    ContactList,
    Detention,
    Ends,
    Level,
    Plan,
    rank,
)

KIND = "contingency_plan"
Office = tuple[tuple[Contact, ...], tuple[ContactList, ...]]
_UNREAD = Plan(
    code="?", version="?", effective_from="1970-01-01", name=Both("?", "?"), authority=Both("?", "?"), source="?"
)
_TABLES = ("level", "recipient", "list", "detention")


@dataclass(frozen=True, slots=True)
class PlanFile:
    """A plan and the file that it was read from; `plan` is None where faults of form left nothing to use."""

    path: Path
    plan: Plan | None
    faults: tuple[Fault, ...]


def plans_of(basin: Basin, owners: Sequence[str]) -> tuple[Plan, ...]:
    """The plans that a basin package names. Raises BadPackage with every fault of every file."""
    return read_plans([Path(basin.folder) / each for each in basin.plan_files], basin, owners)


def read_plans(files: Iterable[Path], basin: Basin, owners: Sequence[str]) -> tuple[Plan, ...]:
    """The plans of a basin, by code and first day. Raises BadPackage with every fault of every file.

    `owners` are the roles of the playbook that actions may be given to.
    """
    read = check_plans(files, basin, owners)
    faults = [fault for each in read for fault in each.faults]
    if faults:
        raise BadPackage(basin.folder or basin.code, faults)
    plans = [each.plan for each in read if each.plan is not None]
    return tuple(sorted(plans, key=lambda plan: (plan.code, plan.effective_from)))


def check_plans(files: Iterable[Path], basin: Basin, owners: Sequence[str]) -> tuple[PlanFile, ...]:
    """Every plan file with its plan and its faults, those of form and those of sense, by line. Raises nothing."""
    office = _office(basin)
    sheets = [_Sheet(path, office) for path in files]
    for sheet in sheets:
        if sheet.plan is not None:
            check_plan(sheet.plan, basin, owners, sheet)
    named = [(sheet.plan, sheet) for sheet in sheets if sheet.plan is not None]
    check_versions([(plan, sheet) for plan, sheet in named if plan.code != _UNREAD.code])
    return tuple(PlanFile(each.file.path, each.plan, _sorted(each.file.faults)) for each in sheets)


def in_force(plans: Iterable[Plan], now: int, basin: Basin) -> tuple[Plan, ...]:
    """Of each plan the version in force at a time [s UTC]."""
    found: dict[str, Plan] = {}
    for plan in plans:
        begins, ends = span(plan, basin)
        if begins <= now < ends and (plan.code not in found or found[plan.code].effective_from < plan.effective_from):
            found[plan.code] = plan
    return tuple(found.values())


def span(plan: Plan, basin: Basin) -> tuple[int, int]:
    """The first and the last moment [s UTC] of a plan; its days are those of the basin's clock."""

    def at(day: str) -> int:
        return epoch(datetime.combine(date.fromisoformat(day), datetime.min.time(), tzinfo=basin.zone))

    return at(plan.effective_from), at(plan.effective_until) if plan.effective_until else 2**62


def _office(basin: Basin) -> Office:
    """The recipients and lists of the office that sends orders, as far as sound; their own reader checks them."""
    if not basin.recipients_file:
        return (), ()
    data = TomlFile(Path(basin.folder) / basin.recipients_file).data
    people, lists = list[Contact](), list[ContactList]()
    for row in data.get("recipient", []):
        with suppress(msgspec.ValidationError):
            people.append(msgspec.convert(row, Contact))
    for row in data.get("list", []):
        with suppress(msgspec.ValidationError):
            lists.append(msgspec.convert(row, ContactList))
    return tuple(people), tuple(lists)


def _sorted(faults: Iterable[Fault]) -> tuple[Fault, ...]:
    return tuple(dict.fromkeys(sorted(faults, key=lambda each: (each.line or 0, each.field, each.problem))))


class _Sheet(Where):
    """One plan file under reading; it knows where each level, condition and action stands."""

    def __init__(self, path: Path, office: Office) -> None:
        super().__init__()
        self.file = TomlFile(path)
        self._office = office
        self._at: dict[tuple[str, int], tuple[str, int]] = {}
        self._kept: list[msgspec.Struct] = []
        self.plan: Plan | None = None
        if not self.file.data:
            return
        if self.file.kind != KIND:
            cure = f'write kind = "{KIND}" at the top'
            self.file.fault("is no contingency plan", cure, key="kind", value=self.file.kind)
            return
        self.plan = self._plan()

    def fault(self, thing: object, problem: str, cure: str, *, key: str = "", value: object = "") -> None:
        """Note a fault at a thing of the plan; a string names a key of the file itself."""
        if isinstance(thing, str):
            self.file.fault(problem, cure, key=thing, value=value)
            return
        table, index = self._at.get(("", id(thing)), ("", 0))
        self.file.fault(problem, cure, table=table, index=index, key=key, value=value)

    def _note(self, thing: msgspec.Struct, table: str, index: int) -> None:
        self._kept.append(thing)  # so that no later thing takes its id
        self._at["", id(thing)] = (table, index)
        if isinstance(thing, Condition):
            for each in thing.parts:
                self._note(each, table, index)

    def _plan(self) -> Plan:
        data = {key: value for key, value in self.file.data.items() if key not in {"kind", *_TABLES}}
        for key in ("effective_from", "effective_until"):
            if key in data:
                data[key] = self._day(key, data[key])
        levels = self._levels()
        contacts, lists = self._contacts(levels)
        detention = self._detention()
        head = self.file.convert(data, Plan) or _UNREAD  # a plan with a bad head is checked all the same
        for key in ("levels", "contacts", "lists", "detention"):
            if key in data:
                cure = "write [[level]], [[recipient]], [[list]] and [[detention]] tables"
                self.file.fault("unknown key", cure, key=key)
        return msgspec.structs.replace(head, levels=levels, contacts=contacts, lists=lists, detention=detention)

    def _day(self, key: str, value: object) -> str:
        text = str(value)
        try:
            return date.fromisoformat(text).isoformat()
        except ValueError:
            self.file.fault("is no day", 'write it as "2026-05-01"', key=key, value=text)
            return "1970-01-01"

    def _rows(self, name: str, kind: type[Any]) -> tuple[Any, ...]:
        found = self.file.tables(name, kind)
        for index, each in found:
            self._note(each, name, index)
        return tuple(each for _, each in found)

    def _contacts(self, levels: Iterable[Level]) -> tuple[tuple[Contact, ...], tuple[ContactList, ...]]:
        """The recipients and lists of the file, with those of the office that it names."""
        people, lists = self._office
        own_people, own_lists = self._rows("recipient", Contact), self._rows("list", ContactList)
        named = {name for level in levels for name in level.notify} | {each.code for each in own_lists}
        taken = tuple(each for each in lists if each.code in named)
        named |= {name for each in (*taken, *own_lists) for name in each.recipients} | {
            each.code for each in own_people
        }
        return (*(each for each in people if each.code in named), *own_people), (*taken, *own_lists)

    def _levels(self) -> tuple[Level, ...]:
        rows = self.file.data.get("level", [])
        if not isinstance(rows, list) or not rows:
            self.file.fault("holds no level", "add a [[level]] for each of IV, III, II and I")
            return ()
        found: list[Level] = []
        conditions = actions = 0
        for index, row in enumerate(rows):
            own = {key: value for key, value in row.items() if key not in {"condition", "action", "ends"}}
            these = self._nested(row.get("condition", []), "level.condition", conditions, Condition)
            doings = self._nested(row.get("action", []), "level.action", actions, Action)
            conditions += len(row.get("condition", []))
            actions += len(row.get("action", []))
            ends = self._ends(row.get("ends"), index, sum("ends" in each for each in rows[:index]))
            level = self.file.convert({**own, "ends": {"after_h": 1}}, Level, table="level", index=index)
            if level is None:
                continue
            for key in ("conditions", "actions"):
                if key in own:
                    cure = f"write [[level.{key.removesuffix('s')}]] tables"
                    self.file.fault("unknown key", cure, table="level", index=index, key=key)
            level = msgspec.structs.replace(level, conditions=these, actions=doings, ends=ends or level.ends)
            self._note(level, "level", index)
            found.append(level)
        return tuple(sorted(found, key=lambda level: rank(level.code)))

    def _ends(self, row: object, level: int, before: int) -> Ends | None:
        if not isinstance(row, Mapping):
            cure = f"add [level.ends] with after_h; the levels are {', '.join(LEVELS)}"
            self.file.fault("says not when it ends", cure, table="level", index=level)
            return None
        found = self.file.convert(row, Ends, table="level.ends", index=before)
        if found is not None:
            self._note(found, "level.ends", before)
            for each in found.also:
                self._note(each, "level.ends", before)
        return found

    def _nested(self, rows: object, table: str, first: int, kind: type[Any]) -> tuple[Any, ...]:
        if not isinstance(rows, list):
            self.file.fault("must be a list of tables", f"write [[{table}]]", table=table, index=first)
            return ()
        found = []
        for place, row in enumerate(rows):
            each = self.file.convert(row, kind, table=table, index=first + place)
            if each is not None:
                self._note(each, table, first + place)
                found.append(each)
            elif isinstance(row.get("code"), str):
                self.broken.add(row["code"])
        return tuple(found)

    def _detention(self) -> tuple[Detention, ...]:
        rows = self.file.data.get("detention", [])
        if not isinstance(rows, list):
            self.file.fault("must be a list of tables", "write [[detention]]", key="detention")
            return ()
        found: list[Detention] = []
        conditions = 0
        for index, row in enumerate(rows):
            own = {key: value for key, value in row.items() if key != "condition"}
            these = self._nested(row.get("condition", []), "detention.condition", conditions, Condition)
            conditions += len(row.get("condition", []))
            each = self.file.convert(own, Detention, table="detention", index=index)
            if each is not None:
                each = msgspec.structs.replace(each, conditions=these)
                self._note(each, "detention", index)
                found.append(each)
        return tuple(sorted(found, key=lambda one: one.order))
