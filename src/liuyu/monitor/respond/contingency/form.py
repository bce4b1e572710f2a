"""A contingency plan (预案) as data: levels with conditions, actions, lists of whom to tell, detention basins, endings.

docs/reference/contingency.md describes the file. Frozen nouns; nothing here acts.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

LEVELS = ("IV", "III", "II", "I")
"""From the mildest to the gravest."""

LevelCode = Literal["I", "II", "III", "IV"]
ConditionKind = Literal[
    "observed",
    "forecast",
    "rising",
    "return_period",
    "numbered_flood",
    "notice",
    "alert",
    "reported",
    "any",
    "all",
]
Name = Annotated[str, Meta(min_length=1, max_length=64, description="a short name")]
Hours = Annotated[int, Meta(ge=1, le=2000, description="whole hours, at least 1")]
SomeHours = Annotated[int, Meta(ge=0, le=2000, description="whole hours, 0 or more")]
Share = Annotated[float, Meta(gt=0, le=1, description="a chance above 0 and up to 1")]
Count = Annotated[int, Meta(ge=1, le=1000, description="a whole number, at least 1")]
Line = Annotated[float | str, Meta(description='a number, or a kind of threshold as "warning"')]
Evidence = Literal["note", "attachment", "value"]


class Both(msgspec.Struct, frozen=True):
    """A text in both languages."""

    zh: Annotated[str, Meta(min_length=1)]
    en: Annotated[str, Meta(min_length=1)]

    def text(self) -> dict[str, str]:
        """The two languages as plain data."""
        return {"zh": self.zh, "en": self.en}


Texts = Annotated[Both, Meta(description='both languages: { zh = "...", en = "..." }')]


class Condition(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """What must be so. `kind` says which of the other keys count; docs/reference/contingency.md has the table.

    observed, forecast, rising, return_period look at stations: one `station`, some `stations`, those of a `river`, or
    the gauge of a `reservoir`; `at_least` of them must meet it. `above` (or `below`) is a number in the unit of the
    quantity or a kind of threshold, moved by `by`; it must hold for `for_h` hours. A forecast counts where the share of
    members that pass within `within_h` hours is at least `chance`. any and all join `parts`. `reported` is what no
    gauge sees: a person proposes the level by hand.
    """

    kind: ConditionKind
    text: Texts | None = None
    station: str = ""
    stations: tuple[str, ...] = ()
    river: str = ""
    reservoir: str = ""
    quantity: str = "water_level"
    above: Line | None = None
    below: Line | None = None
    by: float = 0.0
    at_least: Count = 1
    for_h: SomeHours = 0
    within_h: Hours = 72
    chance: Share = 0.5
    rate: Annotated[float, Meta(gt=0, description="unit of the quantity per hour, above 0")] | None = None
    years: Annotated[float, Meta(gt=0, description="years, above 0")] | None = None
    threshold: str = ""
    severity: Annotated[
        Literal["", "blue", "yellow", "orange", "red"], Meta(description="blue, yellow, orange or red")
    ] = ""
    rule: str = ""
    parts: tuple[Condition, ...] = ()

    def leaves(self) -> Iterator[Condition]:
        """The condition itself, or those that it joins, to the last."""
        if self.kind in {"any", "all"}:
            for each in self.parts:
                yield from each.leaves()
        else:
            yield self


class Action(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an owner must do before a deadline, counted from when it is given.

    It is given when every action that `after` names is done, and is closed only with its `evidence`: a note, an
    attachment, a value (a number in the note). With `repeat_h` it comes again every so many hours.
    """

    code: Name
    title: Texts
    owner: str
    deadline_h: Hours
    after: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    repeat_h: SomeHours = 0


class Ends(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """When a level may be left: none of its conditions met, not even eased, for `after_h`, and all of `also` met.

    `easing` says by how much a line is lowered [unit of the quantity] while the level is in force, `chance_easing` by
    how much a chance is.
    """

    after_h: Hours
    easing: Mapping[str, Annotated[float, Meta(ge=0)]] = {}
    chance_easing: Annotated[float, Meta(ge=0, lt=1)] = 0.15
    also: tuple[Condition, ...] = ()


class Level(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One response level. Its conditions are joined by `match`: any, all, or at least so many.

    `signatory` is who signs it on paper, `approver_role` the role that may approve it here; with `two_people` whoever
    proposed it may not. `notify` names recipients and lists.
    """

    code: LevelCode
    name: Texts | None = None
    signatory: Texts | None = None
    approver_role: Literal["duty_officer", "administrator"] = "duty_officer"
    two_people: bool = False
    notify: tuple[str, ...] = ()
    match: Literal["any", "all"] | int = "any"
    conditions: tuple[Condition, ...] = ()
    actions: tuple[Action, ...] = ()
    ends: Ends


class Contact(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Someone on the notification lists: an office or a person, their role, and the channels that reach them."""

    code: Name
    name: Texts
    role: Texts | None = None
    channels: tuple[str, ...] = ()


class ContactList(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A list of contacts under one name."""

    code: Name
    name: Texts
    recipients: tuple[str, ...]


class Detention(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A detention basin 蓄滞洪区 and when it is made ready and opened.

    `order` is its place in the order of use: a later one is thought of only when those before it were given. From
    `level` on, when the conditions are met, `owner` must move `population` within `move_h` hours, and then ask to open.
    """

    code: Name
    name: Texts
    order: Count
    level: LevelCode
    owner: str
    move_h: Hours
    population: Annotated[int, Meta(ge=0, description="people, a whole number")] | None = None
    capacity_m3: Annotated[float, Meta(gt=0)] | None = None
    conditions: tuple[Condition, ...] = ()
    source: str = ""


class Plan(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A contingency plan. `effective_from` is its first day, `effective_until` the day on which it ends.

    A value counts as a trigger while it is no older than `fresh_h`; a level is not left for want of a gauge that fell
    silent above its line until it has been silent for `silent_h`. What was declined is proposed again no sooner than
    `ask_again_h`. A forecast counts for `forecast_h` after its issue.
    """

    code: Name
    version: Name
    effective_from: str
    effective_until: str = ""
    name: Texts
    authority: Texts
    source: str
    note: Texts | None = None
    fresh_h: Hours = 12
    silent_h: Hours = 72
    forecast_h: Hours = 18
    ask_again_h: Hours = 24
    levels: tuple[Level, ...] = ()
    contacts: tuple[Contact, ...] = ()
    lists: tuple[ContactList, ...] = ()
    detention: tuple[Detention, ...] = ()

    def level(self, code: str) -> Level:
        """The level of a code. Raises KeyError."""
        return next(each for each in self.levels if each.code == code)

    def upto(self, code: str) -> tuple[Level, ...]:
        """The levels from the mildest to that of a code: what is done at a level includes what milder ones ask."""
        return tuple(each for each in self.levels if rank(each.code) <= rank(code))

    def told(self, code: str) -> tuple[Contact, ...]:
        """Who is told of a level: its own list and those of the milder ones, each once."""
        lists = {each.code: each.recipients for each in self.lists}
        people = {each.code: each for each in self.contacts}
        named = [name for level in reversed(self.upto(code)) for name in level.notify]
        codes = dict.fromkeys(each for name in named for each in lists.get(name, (name,)))
        return tuple(people[each] for each in codes if each in people)


def rank(code: str) -> int:
    """How grave a level is: 1 for IV to 4 for I, 0 for none."""
    return LEVELS.index(code) + 1 if code else 0


def digest(plan: Plan) -> str:
    """The SHA-256 of a plan as data, whatever its file looks like: comments and order of keys do not count."""
    return hashlib.sha256(msgspec.json.encode(plan, order="deterministic")).hexdigest()
