"""What a test of a plan expects at a moment, and what is not so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import msgspec
from msgspec import Meta

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.directives import Response
from liuyu.basin.events import Event, newest, record

_OPEN = {"assigned", "acknowledged", "overdue"}


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be so at an hour of the test, under a plan; what is left out may be anything.

    `level` is the one in force, "" for none; `proposed` what waits for a decision: a level, "end", or "" for nothing.
    `since` is the hour at which that was proposed. Each of `because` stands in a line of its reasons. `open` are
    exactly the actions whose tasks are open, `told` exactly who was told last. `proposals` counts all proposals so far.
    """

    at: Annotated[float, Meta(ge=0, description="hours from the start of the test")]
    plan: str = ""
    level: str | None = None
    proposed: str | None = None
    since: float | None = None
    because: tuple[str, ...] = ()
    open: tuple[str, ...] | None = None
    told: tuple[str, ...] | None = None
    proposals: int | None = None


def differences(expected: Expectation, events: Sequence[Event], start: int) -> Iterator[str]:
    """Each thing that is not as expected, in words."""
    at = f"at {expected.at:g} h"
    told = [(each, record(each, Response)) for each in events if each.kind == "response"]
    told = [(event, response) for event, response in told if expected.plan in {"", response.plan}]
    event, response = told[-1] if told else (None, None)
    level = response.level if response else ""
    if expected.level is not None and expected.level != level:
        yield f"{at}: level {expected.level or 'none'} in force expected, {level or 'none'} is"
    pending = event is not None and event.state == "proposed"
    proposed = (response.proposed_level or "end") if response and pending else ""
    if expected.proposed is not None and expected.proposed != proposed:
        yield f"{at}: {expected.proposed or 'nothing'} proposed expected, {proposed or 'nothing'} is"
    if expected.since is not None:
        since = (epoch(event.time) - start) / HOUR if event and pending else None
        if since != expected.since:
            got = "not at all" if since is None else f"{since:g} h"
            yield f"{at}: proposed at {expected.since:g} h expected, {got}"
    why = [text for each in (response.why if response else ()) for text in each.values()]
    for words in expected.because:
        if not any(words in each for each in why):
            yield f"{at}: {words!r} expected among the reasons, found: {' | '.join(why) or 'none'}"
    yield from _others(expected, events, told, at)


def _others(
    expected: Expectation, events: Sequence[Event], told: Sequence[tuple[Event, Response]], at: str
) -> Iterator[str]:
    if expected.open is not None:
        mine = {response.id for _, response in told}
        tasks = newest(each for each in events if each.kind == "task" and each.body.get("response") in mine)
        found = sorted(each.body["rule"] for each in tasks.values() if each.state in _OPEN)
        if found != sorted(expected.open):
            wanted = ", ".join(sorted(expected.open)) or "none"
            yield f"{at}: open tasks {wanted} expected, {', '.join(found) or 'none'}"
    if expected.told is not None:
        lists = [[each.code for each in response.notify] for _, response in told if response.notify]
        last = sorted(lists[-1]) if lists else []
        if last != sorted(expected.told):
            yield f"{at}: {', '.join(sorted(expected.told))} told expected, {', '.join(last) or 'nobody'} was"
    if expected.proposals is not None:
        count = sum(event.state == "proposed" for event, _ in told)
        if count != expected.proposals:
            yield f"{at}: {expected.proposals} proposals so far expected, {count} were"
