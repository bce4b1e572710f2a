"""What the stage remembers: open incidents with what is active in them, and the tasks that were given."""

from __future__ import annotations

import msgspec

from liuyu.basin.events import SEVERITIES, Severity, Task

Text = dict[str, str]


class Member(msgspec.Struct):
    """An alert or a notice that is active in an incident."""

    kind: str
    station: str
    threshold: str
    severity: Severity
    title: Text


class Case(msgspec.Struct):
    """An incident that is not closed. Times [s UTC], -1 for never; `given` is when each task was last given.

    `proposed` is the last proposal told for each reservoir. `fresh` and `ended` gather what changed since the incident
    was last told, `said` what else is to be told.
    """

    id: str
    group: str
    title: Text
    opened: int
    level: Severity
    told: int = -1
    calm: int = -1
    state: str = ""
    pressing: bool = True
    highest: int = -1
    stations: list[str] = []
    floods: dict[str, Text] = {}
    members: dict[str, Member] = {}
    fresh: dict[str, Text] = {}
    ended: list[Text] = []
    said: list[Text] = []
    given: dict[str, int] = {}
    proposed: dict[str, str] = {}
    serial: int = 0

    def worst(self) -> Severity:
        """The worst severity that is active; the level as it stands where nothing is."""
        ranks = [SEVERITIES.index(each.severity) for each in self.members.values()]
        return SEVERITIES[max(ranks)] if ranks else self.level

    def lines(self) -> dict[str, int]:
        """How many stations have an alert active on each kind of threshold, in order of kind."""
        found: dict[str, set[str]] = {}
        for each in self.members.values():
            if each.kind == "alert" and each.threshold:
                found.setdefault(each.threshold, set()).add(each.station)
        return {kind: len(found[kind]) for kind in sorted(found)}


class Job(msgspec.Struct):
    """A task that was given; `cause` is the id of what brought it."""

    task: Task
    state: str
    cause: str
    trigger: str


class Memory(msgspec.Struct):
    """The whole memory."""

    cases: list[Case]
    jobs: dict[str, Job]
    contingency: bytes = b""
