"""The rule language as records: what a rule file may say. `docs/reference/rules.md` explains it with examples."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from liuyu.basin.errors import BadInput
from liuyu.basin.events import Severity, Text

Meta = msgspec.Meta
Duration = Annotated[
    str, Meta(pattern=r"^\d+(\.\d+)?(min|h|d)$", description='a number and a unit, as "90min" or "2h"')
]
Name = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]*$", description="small letters, digits and hyphens")]
Titles = Annotated[Mapping[str, str], Meta(description='both languages: { zh = "...", en = "..." }')]

PLACEHOLDERS = (
    *("station", "river", "reservoir", "quantity", "value", "unit", "threshold", "line", "margin"),
    *("tendency", "severity", "time", "rule"),
)
_UNITS = {"min": 60, "h": 3600, "d": 86400}


def seconds(text: str) -> int:
    """Whole seconds of a duration.

    >>> seconds("90min")
    5400
    """
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(min|h|d)", text)
    if match is None:
        raise BadInput(f'duration {text!r} is not understood; write "90min", "2h" or "1d"')
    return round(float(match.group(1)) * _UNITS[match.group(2)])


class Test(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One condition. Where a table names several tests, all of them must hold.

    above, below: a threshold kind; the value is at the line or beyond it by `by` [unit], negative for "near".
    value_above, value_below [unit]; rising, falling [unit/h]: the tendency is at least this; return_period [years];
    trend: rising, falling or steady. `slack` [unit/h or years] is how far a tendency or return period may go back
    before it ceases; for values the rule's `clear_below` says so.
    """

    above: str = ""
    below: str = ""
    by: float = 0.0
    value_above: float | None = None
    value_below: float | None = None
    rising: float | None = None
    falling: float | None = None
    return_period: float | None = None
    trend: str = ""
    slack: Annotated[float, Meta(ge=0)] = 0.0

    @property
    def tests(self) -> tuple[str, ...]:
        """The names of the tests that are set."""
        names = ("above", "below", "value_above", "value_below", "rising", "falling", "return_period", "trend")
        return tuple(name for name in names if getattr(self, name) not in {"", None})


class Level(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A severity and when it holds: if any of the conditions does."""

    severity: Severity
    when: tuple[Test, ...]


class Match(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which series a rule watches: one quantity, narrowed by whatever else is named; empty means any.

    threshold: only where such a threshold exists; kinds: SL 323 station types; reservoirs: codes, or ["*"] for every
    station that reports a reservoir.
    """

    quantity: str
    threshold: str = ""
    stations: tuple[str, ...] = ()
    rivers: tuple[str, ...] = ()
    reservoirs: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    rank: int = 0


class Rule(msgspec.Struct, frozen=True, kw_only=True):
    """One alert rule. A rule of one level may write `severity` and `when` instead of `level`.

    holds_for: how long a level must hold before it counts. clear_below [unit]: how far back over the line, and
    clear_for: how long there, before it ceases. inhibits: rules of the same station that this one makes needless.
    escalate_after: raised again when unacknowledged so long, as escalate_to if given. silent_after: without a usable
    value for so long, the alert stays and says so.
    """

    name: Name
    title: Titles
    match: Match
    source: str = ""
    severity: Severity | None = None
    when: tuple[Test, ...] = ()
    level: tuple[Level, ...] = ()
    holds_for: Duration = "0h"
    clear_below: Annotated[float, Meta(ge=0, description="0 or more, in the quantity's unit")] = 0.0
    clear_for: Duration = "0h"
    group: str = "{rule}"
    inhibits: tuple[str, ...] = ()
    escalate_after: Duration | None = None
    escalate_to: Severity | None = None
    silent_after: Duration = "12h"

    @property
    def levels(self) -> tuple[Level, ...]:
        """The levels, mildest first."""
        return self.level or ((Level(severity=self.severity, when=self.when),) if self.severity else ())


class Criterion(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A station's line for numbering floods: its threshold of kind `flood_number`, or `reaches` where that is given.

    fall: the water must have stood this far below the line since the last flood. jump: a value farther than this from
    the one before must be borne out by the next. All three in the quantity's unit.
    """

    station: str
    quantity: str
    reaches: float | None = None
    fall: Annotated[float, Meta(ge=0)] = 0.0
    jump: Annotated[float, Meta(gt=0)] = float("inf")
    source: str = ""


class Joins(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The flood of another section arrives: within so long after its last hour at its line, no new number."""

    section: str
    within: Duration


class Section(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the river judged by itself. Any criterion will do.

    apart: least time between two numbers. rest: how long every criterion must have been unmet.
    """

    code: Annotated[str, Meta(pattern=r"^[a-z0-9_]+$", description="small letters, digits and underscores")]
    name: Titles
    apart: Duration
    rest: Duration
    criterion: tuple[Criterion, ...]
    joins: tuple[Joins, ...] = ()


class FloodRule(msgspec.Struct, frozen=True, kw_only=True):
    """How a river's floods are numbered: one running count a year over all sections. `name` has {year}, {number}."""

    name: Titles
    sections: tuple[Section, ...]
    source: str = ""
    file: str = ""


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the alert stage goes by."""

    alerts: tuple[Rule, ...] = ()
    floods: tuple[FloodRule, ...] = ()


class _Blank(dict[str, Any]):
    """Placeholders without a value stay empty."""

    def __missing__(self, key: str) -> str:
        return ""


def fill(template: str, values: Mapping[str, Any]) -> str:
    """A text with its placeholders filled in.

    >>> fill("{station} {value} {unit}", {"station": "汉口", "value": 27.3})
    '汉口 27.3 '
    """
    return template.format_map(_Blank(values))


def both(template: Mapping[str, str], values: Mapping[str, Mapping[str, Any]]) -> Text:
    """A text of both languages with the placeholders of each filled in."""
    return {language: fill(template[language], values[language]) for language in ("zh", "en")}
