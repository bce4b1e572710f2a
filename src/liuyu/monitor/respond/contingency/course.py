"""What the stage remembers: the advice under each plan, and each response from its proposal to its end."""

from __future__ import annotations

import msgspec

from liuyu.monitor.respond.contingency.form import Plan
from liuyu.monitor.respond.contingency.situation import Memory as SituationMemory


class Advice(msgspec.Struct):
    """The level that the conditions of a plan call for, "" for none, whatever people decided. Times [s UTC], -1: never.

    `calm` is since when each level is not held any more. `answered` is the advice that a person has decided on last:
    it is not put again until it changes or, where it was declined, some time has gone by. `rose`: it went up last.
    """

    level: str = ""
    at: int = -1
    calm: dict[str, int] = {}
    answered: str | None = None
    answered_at: int = -1
    declined: bool = False
    rose: bool = False
    serial: int = 0


class Course(msgspec.Struct):
    """A response that is not over. `plan` is a copy: the frozen one as soon as the response was started.

    `level` is the one in force, "" before the start. `proposed` is what waits for a decision: a level, "" for the end,
    None where nothing does; `why` says what for. `given` says when each action was last given, `done` which are done;
    `told` when each state was last announced.
    """

    id: str
    plan: Plan
    digest: str
    incident: str
    level: str = ""
    state: str = ""
    proposed: str | None = None
    proposed_by: str = ""
    why: list[dict[str, str]] = []
    given: dict[str, int] = {}
    tasks: dict[str, str] = {}
    done: list[str] = []
    attached: dict[str, int] = {}
    told: dict[str, int] = {}
    serial: int = 0


class Memory(msgspec.Struct):
    """The whole memory."""

    situation: SituationMemory
    advice: dict[str, Advice]
    courses: list[Course]
