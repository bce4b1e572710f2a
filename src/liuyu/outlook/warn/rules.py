"""When a forecast becomes a notice, as data: files of `kind = "notices"` in a basin package."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import msgspec
from msgspec import Meta

from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.events import SEVERITIES, Severity, Text
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.quantities import quantities
from liuyu.basin.toml_file import TomlFile

Chance = Annotated[float, Meta(ge=0, le=1, description="a chance between 0 and 1")]
Hours = Annotated[int, Meta(ge=1, le=1000, description="whole hours, at least 1")]


Money = Annotated[float, Meta(ge=0, description="an amount in any one unit, not negative")]


class Step(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An action that takes a greater chance than the one before it, and how severe the notice is from there on."""

    severity: Annotated[Severity, Meta(description="blue, yellow, orange or red")]
    cost: Money = 0.0
    loss: Money = 0.0
    cost_loss_ratio: Chance = 0.0
    action: Text = {}

    @property
    def limit(self) -> float:
        """The chance above which acting pays, C / L [1]."""
        return self.cost / self.loss if self.loss > 0.0 else self.cost_loss_ratio


class WarningRule(msgspec.Struct, frozen=True, kw_only=True):
    """One kind of notice: for which line, how severe, and from which chance on.

    Acting costs C whether the line is crossed or not; not acting costs L where it is crossed. Acting is the cheaper on
    average where p L > C, so the notice goes out where the chance p > C / L (Murphy 1977, Mon. Wea. Rev. 105, 803-816).
    `cost` and `loss` give C and L in any one unit, L being what the action saves; or `cost_loss_ratio` gives C / L.
    `action` says what is to be done then. `escalate` holds costlier actions: the notice becomes as severe as the last
    one whose own limit the chance passes. It is withdrawn below `withdraw_below`. `near` [unit of the quantity] moves
    the line to the safe side, so that "close to the warning line" can be a rule of its own. `unless` names another
    rule: while that one has a notice out at the same station, this one says nothing.
    """

    name: Annotated[str, Meta(min_length=1, description="a short name in small letters")]
    threshold: str
    severity: Annotated[Severity, Meta(description="blue, yellow, orange or red")]
    withdraw_below: Chance
    cost: Money = 0.0
    loss: Money = 0.0
    cost_loss_ratio: Chance = 0.0
    action: Text = {}
    escalate: tuple[Step, ...] = ()
    near: Annotated[float, Meta(ge=0, description="a distance from the line, not negative")] = 0.0
    horizon_h: Hours = 168
    quantities: tuple[str, ...] = ()
    stations: tuple[str, ...] = ()
    unless: str = ""

    @property
    def steps(self) -> tuple[Step, ...]:
        """The actions, the first one first."""
        first = Step(
            severity=self.severity,
            cost=self.cost,
            loss=self.loss,
            cost_loss_ratio=self.cost_loss_ratio,
            action=self.action,
        )
        return (first, *self.escalate)

    @property
    def limit(self) -> float:
        """The chance above which the notice goes out, C / L [1]."""
        return self.steps[0].limit


class WarningRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules in force and what they have in common.

    A notice is told anew when its crossing moves by more than `crossing_moved_h` and by more than
    `crossing_moved_share` of the time that was left; when its chance enters another of the `chance_classes` and has
    moved by `chance_moved`; or when its severity changes. It is withdrawn after `withdraw_after` issues in a row below
    the limit. A line counts as left when the river has been below it for `rearm_after_h`; a notice counts as false when
    `grace_h` have gone by since the end of its range without a crossing. A crossing less than `judged_after_h` after
    the first forecast of its line is not judged: no notice could have come in time.
    """

    version: str = ""
    crossing_moved_h: Hours = 12
    crossing_moved_share: Annotated[float, Meta(ge=0, le=1, description="a share between 0 and 1")] = 0.25
    withdraw_after: Annotated[int, Meta(ge=1, description="a number of issues, at least 1")] = 2
    chance_classes: tuple[Chance, ...] = (0.3, 0.5, 0.7, 0.9)
    chance_moved: Chance = 0.15
    rearm_after_h: Hours = 12
    grace_h: Hours = 24
    judged_after_h: Hours = 6
    rules: tuple[WarningRule, ...] = ()


def read_warning_rules(files: Iterable[Path], basin: Basin) -> WarningRules:
    """The warning rules of a basin from its rule files; files of another kind are passed over.

    Raises BadPackage with every fault of every file: its line, its value and what would mend it.
    """
    common, rules, faults = WarningRules(), [], list[Fault]()
    for path in files:
        file = TomlFile(path)
        if file.kind == "notices":
            rest = {key: value for key, value in file.data.items() if key not in {"kind", "rule"}}
            common = file.convert(rest, WarningRules) or common
            rows = file.tables("rule", WarningRule)
            _check(file, rows, basin)
            rules += [rule for _, rule in rows]
        faults += file.faults if file.kind in {"notices", ""} else []
    if faults:
        raise BadPackage(basin.folder or basin.code, faults)
    return msgspec.structs.replace(common, rules=tuple(rules))


def _check(file: TomlFile, rows: Sequence[tuple[int, WarningRule]], basin: Basin) -> None:
    """Note what no single field can show: names that do not exist, limits that contradict one another."""
    names = [rule.name for _, rule in rows]
    known_quantities = [each.name for each in quantities()]
    for index, rule in rows:

        def wrong(key: str, value: object, problem: str, cure: str, index: int = index) -> None:
            file.fault(problem, cure, table="rule", index=index, key=key, value=value)

        if rule.threshold not in THRESHOLD_KINDS:
            wrong("threshold", rule.threshold, "no such kind of threshold", _near(rule.threshold, THRESHOLD_KINDS))
        for name in rule.quantities:
            if name not in known_quantities:
                wrong("quantities", name, "no such quantity", _near(name, known_quantities))
        for code in rule.stations:
            if code not in basin.station_by_code:
                wrong("stations", code, "no such station in this basin", _near(code, basin.station_by_code))
        _check_limits(rule, wrong)
        if rule.unless and (rule.unless == rule.name or rule.unless not in names):
            wrong("unless", rule.unless, "names no other rule of this file", _near(rule.unless, names))
        if names.count(rule.name) > 1:
            wrong("name", rule.name, "used by two rules", "give each rule its own name")


def _check_limits(rule: WarningRule, wrong: Callable[[str, object, str, str], None]) -> None:
    """Note limits that are missing, told twice, or not in order."""
    for step in rule.steps:
        ratio, pair = step.cost_loss_ratio > 0.0, step.cost > 0.0 or step.loss > 0.0
        if ratio == pair:
            wrong(
                "cost_loss_ratio", step.cost_loss_ratio, "limit not told in one way", "give cost and loss, or the ratio"
            )
        elif pair and not 0.0 < step.cost < step.loss:
            wrong("cost", step.cost, f"not between 0 and the loss ({step.loss:g})", "acting pays where it costs less")
    if 0.0 < rule.limit <= rule.withdraw_below:
        cure = f"put it below the limit of issuing, cost / loss ({rule.limit:g}), or notices flicker"
        wrong("withdraw_below", rule.withdraw_below, "not below the limit of issuing", cure)
    for lower, upper in pairwise(rule.steps):
        if upper.limit <= lower.limit or SEVERITIES.index(upper.severity) <= SEVERITIES.index(lower.severity):
            cure = "order the steps: each graver than the one before, at a greater cost / loss"
            wrong("escalate", upper.severity, "no step up", cure)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    near = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {near[0]!r}?" if near else f"known: {', '.join(known[:12])}"
