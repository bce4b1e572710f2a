"""Notice rules tested as data: these forecasts and values in, these notices out, with what became of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, BadPackage, LiuyuError
from liuyu.basin.events import Event, Notice, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.basin.toml_file import TomlFile
from liuyu.outlook.warn.notices import Warn
from liuyu.outlook.warn.rules import WarningRules, read_warning_rules

Hour = Annotated[float, Meta(ge=0, description="hours after the start")]


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test of a file went; `problems` says what was expected and what came instead."""

    file: str
    test: str
    passed: bool
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        told = f"{'ok    ' if self.passed else 'FAILED'} {self.test}"
        return "\n".join([told, *(f"       {each}" for each in self.problems)])


class Members(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """So many equal members: from `start` [unit] by `hourly` [unit/h], up to `until` hours, then level."""

    count: Annotated[int, Meta(ge=1)]
    start: float
    hourly: float = 0.0
    until: Hour = 1000.0


class Issue(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast issued `at` hours after the start, for `hours` ahead."""

    at: Hour
    station: str
    quantity: str
    members: tuple[Members, ...]
    hours: Annotated[int, Meta(ge=1, le=1000)] = 240


class Seen(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gauge reported, as pairs of hours after the start and value [unit]."""

    station: str
    quantity: str
    values: tuple[tuple[Hour, float], ...]


class ExpectedNotice(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A notice as it must have been told last; what is left out may be anything. `crossing` is in hours of the test."""

    rule: str
    station: str
    state: str = ""
    severity: str = ""
    outcome: str | None = None
    lead_h: float | None = None
    chance: float | None = None
    chances: dict[str, float] | None = None
    crossing: float | None = None
    peak: float | None = None
    limit: float | None = None
    escalates: str | None = None


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be true after everything up to a time: exactly these notices were told so far."""

    at: Hour
    notices: tuple[ExpectedNotice, ...]


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One test."""

    name: str
    start: str
    issue: tuple[Issue, ...] = ()
    seen: tuple[Seen, ...] = ()
    expect: tuple[Expectation, ...]


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    rules: tuple[str, ...]
    basin: str = ""
    time_zone: str = "Asia/Shanghai"


def test_notices(file: Path) -> tuple[Outcome, ...]:
    """Run every test of a file of `kind = "notice-test"` through a fresh warn stage; one outcome each.

    The file names its rule files and either a basin package (`basin`) or its own stations and thresholds. Raises
    BadPackage where the file itself, its rules or its basin have faults.
    """
    source = TomlFile(file)
    heading = source.convert(source.data, _Heading) if source.data else None
    trials = [trial for _, trial in source.tables("test", Trial)]
    if heading is not None and heading.kind != "notice-test":
        source.fault("is no file of notice tests", 'begin it with kind = "notice-test"', key="kind", value=heading.kind)
    if not trials and not source.faults:
        source.fault("holds no test", "add [[test]] tables")
    basin = _basin(source, heading) if heading is not None else None
    if source.faults or heading is None or basin is None:
        raise BadPackage(str(file), source.faults)
    rules = read_warning_rules([file.parent / name for name in heading.rules], basin)
    return tuple(_outcome(file, trial, basin, rules) for trial in trials)


test_notices.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own


def _basin(source: TomlFile, heading: _Heading) -> Basin:
    if heading.basin:
        return read_basin(source.path.parent / heading.basin)
    return Basin(
        code="trial",
        name="试验",
        name_en="trial",
        time_zone=heading.time_zone,
        synthetic=True,
        folder=str(source.path.parent),
        stations=tuple(each for _, each in source.tables("station", Station)),
        thresholds=tuple(each for _, each in source.tables("threshold", Threshold)),
    )


def _outcome(file: Path, trial: Trial, basin: Basin, rules: WarningRules) -> Outcome:
    try:
        problems = tuple(_problems(trial, basin, rules))
    except LiuyuError as error:
        problems = (str(error),)
    return Outcome(file=str(file), test=trial.name, passed=not problems, problems=problems)


def _problems(trial: Trial, basin: Basin, rules: WarningRules) -> Iterator[str]:
    """Go through the hours at which something happens, values before forecasts, and say what is not as expected."""
    warn, start, events = Warn(basin, rules), epoch(parse_time(trial.start, basin.zone)), list[Event]()
    values = [(hour, each, value) for each in trial.seen for hour, value in each.values]
    hours = {hour for hour, *_ in values} | {each.at for each in trial.issue} | {each.at for each in trial.expect}
    for hour in sorted(hours):
        now = start + round(hour * HOUR)
        rows = [(each.station, each.quantity, value) for at, each, value in values if at == hour]
        events += warn.observe(_batch(basin, rows, now), now)
        issued = [_forecast(basin, each, now) for each in trial.issue if each.at == hour]
        events += warn.step(issued, now) if issued else []
        for expected in trial.expect:
            if expected.at == hour:
                yield from _compare(expected, events, start)


def _batch(basin: Basin, rows: list[tuple[str, str, float]], now: int) -> Batch:
    for code, *_ in rows:
        _known(basin, code)
    places = [basin.roster.number[code] for code, *_ in rows]
    numbers = [quantity(name).number for _, name, _ in rows]
    return Batch.of(basin.roster, places, numbers, [now] * len(rows), [value for *_, value in rows], [1] * len(rows))


def _forecast(basin: Basin, issue: Issue, now: int) -> Forecast:
    _known(basin, issue.station)
    lead = np.arange(1, issue.hours + 1)
    courses = [each.start + each.hourly * np.minimum(lead, each.until) for each in issue.members]
    members = np.repeat(courses, [each.count for each in issue.members], axis=0)
    return Forecast(
        station=issue.station,
        quantity=issue.quantity,
        issued=moment(now),
        model="trial",
        time=now + HOUR * lead,
        members=members.round(quantity(issue.quantity).decimals),
        drivers={},
        provenance=Provenance(code="trial", version="1"),
    )


def _known(basin: Basin, code: str) -> None:
    if code not in basin.roster.number:
        raise BadInput(f"no station {code!r} in the basin of this test; add a [[station]]")


def _compare(expected: Expectation, events: list[Event], start: int) -> Iterator[str]:
    told = {event.id: event for event in events}
    found: dict[tuple[str, str], list[Event]] = {}
    for event in told.values():
        found.setdefault((event.id.split(":")[1], event.subject), []).append(event)
    for each in expected.notices:
        matching = found.get((each.rule, each.station), [])
        if not matching:
            yield f"at {expected.at:g} h: a notice of {each.rule} at {each.station} expected, none was told"
            continue
        event = matching.pop(0)
        for key, (wanted, got) in _differences(each, event, start).items():
            yield f"at {expected.at:g} h: {each.rule} at {each.station}: {key} {wanted} expected, {got} found"
    for event in (each for rest in found.values() for each in rest):
        yield f"at {expected.at:g} h: {event.id} ({event.state}) was told and is not expected"


def _differences(each: ExpectedNotice, event: Event, start: int) -> dict[str, tuple[object, object]]:
    notice = record(event, Notice)
    crossing = None if notice.crossing is None else (epoch(notice.crossing) - start) / HOUR
    escalates = notice.escalates.split(":")[1] if notice.escalates else ""
    chances = {lead: notice.chances.get(lead) for lead in each.chances or {}}
    pairs: dict[str, tuple[object, object]] = {
        "state": (each.state or None, event.state),
        "severity": (each.severity or None, notice.severity),
        "chances": (each.chances, chances),
        "crossing": (each.crossing, crossing),
        "escalates": (each.escalates, escalates),
        **{name: (getattr(each, name), getattr(notice, name)) for name in ("outcome", "lead_h", "peak", "limit")},
        "chance": (each.chance, round(notice.chance, 2)),
    }
    return {key: pair for key, pair in pairs.items() if pair[0] is not None and pair[0] != pair[1]}
