"""Rules tested as data: this series in, these alerts and floods out, at these times."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput, BadPackage, LiuyuError
from liuyu.basin.events import Alert as AlertRecord
from liuyu.basin.events import Event, NumberedFlood, record
from liuyu.basin.package import read_basin
from liuyu.basin.places import Basin, Frequency, KnownFlood, Reservoir, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.alert.language import Duration, Rules, seconds
from liuyu.monitor.alert.notation import expand
from liuyu.monitor.alert.reading import read_rules
from liuyu.monitor.alert.stage import Alert


class Assesses(Protocol):
    """The stage before: whatever makes Assessments of a batch."""

    def step(self, batch: Batch, now: int) -> Assessments:
        """Assess a batch at a time."""
        ...


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """How one test of a rule file went; `problems` says what was expected and what came instead."""

    file: str
    test: str
    passed: bool
    problems: tuple[str, ...] = ()

    def __str__(self) -> str:
        return "\n".join(
            [f"{'ok    ' if self.passed else 'FAILED'} {self.test}", *(f"       {each}" for each in self.problems)]
        )


class TrialSeries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a gauge reports, from the start, one value each step."""

    station: str
    quantity: str
    values: str


class TrialAct(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a person does: acknowledge the alert "rule station", or silence what matches until a time."""

    at: Duration
    acknowledge: str = ""
    silence: dict[str, str] = {}
    until: Duration = "0h"


class ExpectedAlert(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An alert that must stand. What is left out may be anything. `since` counts from the start of the test."""

    rule: str
    station: str
    severity: str = ""
    state: str = ""
    since: Duration | None = None
    inhibited: bool | None = None
    acknowledged: bool | None = None


class ExpectedFlood(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A flood that must have its number. `time` counts from the start of the test."""

    number: int
    station: str
    time: Duration
    name: str = ""


class Expectation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What must be at a time: exactly these alerts stand, these floods were numbered, so many alerts were raised."""

    at: Duration
    alerts: tuple[ExpectedAlert, ...] | None = None
    floods: tuple[ExpectedFlood, ...] | None = None
    raised: int | None = None


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """One test: series from a start, in steps, and what is expected of them."""

    name: str
    start: str
    step: Duration = "1h"
    series: tuple[TrialSeries, ...]
    act: tuple[TrialAct, ...] = ()
    expect: tuple[Expectation, ...]


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    rules: tuple[str, ...]
    basin: str = ""
    time_zone: str = "Asia/Shanghai"


def test_rules(file: Path, assess: Callable[[Basin], Assesses]) -> tuple[Outcome, ...]:
    """Run every test of a rule-test file through a fresh `assess` stage and the alert stage; one outcome each.

    The file names its rule files and either a basin package (`basin`) or its own stations and thresholds. Raises
    BadPackage where the file itself, its rules or its basin have faults.
    """
    source = TomlFile(file)
    heading = source.convert(source.data, _Heading) if source.data else None
    trials = [trial for _, trial in source.tables("test", Trial)]
    if heading is not None and heading.kind != "rule-test":
        source.fault("is no file of rule tests", 'begin it with kind = "rule-test"', key="kind", value=heading.kind)
    if not trials and not source.faults:
        source.fault("holds no test", "add [[test]] tables")
    basin = _basin(source, heading) if heading is not None else None
    if source.faults or heading is None or basin is None:
        raise BadPackage(str(file), source.faults)
    rules = read_rules([file.parent / name for name in heading.rules], basin)
    return tuple(_outcome(file, trial, basin, rules, assess) for trial in trials)


test_rules.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own


def _basin(source: TomlFile, heading: _Heading) -> Basin:
    stations = tuple(each for _, each in source.tables("station", Station))
    known = tuple(each for _, each in source.tables("known_flood", KnownFlood))
    if heading.basin:
        basin = read_basin(source.path.parent / heading.basin)
        return msgspec.structs.replace(basin, known_floods=known) if "known_flood" in source.data else basin
    return Basin(
        code="trial",
        name="试验",
        name_en="trial",
        time_zone=heading.time_zone,
        synthetic=True,
        folder=str(source.path.parent),
        stations=stations,
        thresholds=tuple(each for _, each in source.tables("threshold", Threshold)),
        frequencies=tuple(each for _, each in source.tables("frequency", Frequency)),
        reservoirs=tuple(each for _, each in source.tables("reservoir", Reservoir)),
        known_floods=known,
    )


def _outcome(file: Path, trial: Trial, basin: Basin, rules: Rules, assess: Callable[[Basin], Assesses]) -> Outcome:
    try:
        problems = tuple(_Run(trial, basin, rules, assess(basin)).problems())
    except LiuyuError as error:
        problems = (str(error),)
    return Outcome(file=str(file), test=trial.name, passed=not problems, problems=problems)


class _Run:
    """A trial under way."""

    def __init__(self, trial: Trial, basin: Basin, rules: Rules, assess: Assesses) -> None:
        self.trial, self.basin, self.assess = trial, basin, assess
        self.alert = Alert(basin, rules)
        self.start = epoch(parse_time(trial.start, basin.zone))
        self.step = seconds(trial.step)
        self.events: list[Event] = []

    def problems(self) -> Iterator[str]:
        """Step through the series and say what is not as expected."""
        series = self._series()
        ends = [seconds(at) for at in (*(each.at for each in self.trial.act), *(each.at for each in self.trial.expect))]
        steps = max([len(values) for *_, values in series] + [each // self.step + 1 for each in ends])
        for number in range(steps):
            now = self.start + number * self.step
            self.events += self.alert.step(self.assess.step(self._batch(series, number, now), now), now)
            since = number * self.step
            for act in self.trial.act:
                if since <= seconds(act.at) < since + self.step:
                    self.events += self._act(act, now)
            for expected in self.trial.expect:
                if since <= seconds(expected.at) < since + self.step:
                    yield from self._compare(expected)

    def _series(self) -> list[tuple[int, int, list[tuple[float, int] | None]]]:
        found: list[tuple[int, int, list[tuple[float, int] | None]]] = []
        for each in self.trial.series:
            if each.station not in self.basin.roster.number:
                raise BadInput(f"no station {each.station!r} in the basin of this test; add a [[station]]")
            values: list[tuple[float, int] | None] = list(expand(each.values))
            found.append((self.basin.roster.number[each.station], quantity(each.quantity).number, values))
        return found

    def _batch(self, series: Sequence[tuple[int, int, list[tuple[float, int] | None]]], number: int, now: int) -> Batch:
        here = [(place, kind, values[number]) for place, kind, values in series if number < len(values)]
        rows = [(place, kind, *value) for place, kind, value in here if value is not None]
        columns = tuple(zip(*rows, strict=True)) or ((), (), (), ())
        place, kind, value, flag = columns
        return Batch.of(self.basin.roster, place, kind, [now] * len(rows), value, flag).ordered()

    def _act(self, act: TrialAct, now: int) -> list[Event]:
        if act.silence:
            return [self.alert.silence(act.silence, self.start + seconds(act.until), "tester", "", now)]
        for id, (_, alert) in self._standing().items():
            if f"{alert.rule} {alert.subject}" == act.acknowledge:
                return [self.alert.acknowledge(id, "tester", "", now)]
        raise BadInput(f"at {act.at} no alert {act.acknowledge!r} stands that could be acknowledged")

    def _standing(self) -> dict[str, tuple[str, AlertRecord]]:
        newest = {event.id: event for event in self.events if event.kind == "alert"}
        alive = {id: event for id, event in newest.items() if event.state != "cleared"}
        return {id: (event.state, record(event, AlertRecord)) for id, event in alive.items()}

    def _compare(self, expected: Expectation) -> Iterator[str]:
        if expected.alerts is not None:
            yield from self._compare_alerts(expected.at, expected.alerts)
        if expected.floods is not None:
            yield from self._compare_floods(expected.at, expected.floods)
        raised = sum(1 for event in self.events if event.kind == "alert" and event.state == "raised")
        if expected.raised is not None and raised != expected.raised:
            yield f"at {expected.at}: {expected.raised} alerts raised so far expected, {raised} were"

    def _compare_alerts(self, at: str, expected: Sequence[ExpectedAlert]) -> Iterator[str]:
        standing = {(alert.rule, alert.subject): (state, alert) for state, alert in self._standing().values()}
        for each in expected:
            found = standing.pop((each.rule, each.station), None)
            if found is None:
                yield f"at {at}: alert {each.rule} at {each.station} expected, it does not stand"
                continue
            for key, (wanted, got) in self._differences(each, *found).items():
                yield f"at {at}: alert {each.rule} at {each.station}: {key} {wanted} expected, {got} found"
        for (rule, station), (_, alert) in standing.items():
            yield f"at {at}: alert {rule} at {station} ({alert.severity}) stands and is not expected"

    def _differences(self, each: ExpectedAlert, state: str, alert: AlertRecord) -> dict[str, tuple[object, object]]:
        since = None if each.since is None else self.start + seconds(each.since)
        pairs: dict[str, tuple[object, object]] = {
            "severity": (each.severity or alert.severity, alert.severity),
            "state": (each.state or state, state),
            "since": (since or epoch(alert.since), epoch(alert.since)),
            "inhibited": (each.inhibited, bool(alert.inhibited_by)),
            "acknowledged": (each.acknowledged, bool(alert.acknowledged_by)),
        }
        return {key: pair for key, pair in pairs.items() if pair[0] is not None and pair[0] != pair[1]}

    def _compare_floods(self, at: str, expected: Sequence[ExpectedFlood]) -> Iterator[str]:
        found = defaultdict(list)
        for event in self.events:
            if event.kind == "numbered_flood":
                flood = record(event, NumberedFlood)
                found[flood.number].append(flood)
        for each in expected:
            floods = found.pop(each.number, [])
            time = self.start + seconds(each.time)
            if not any(epoch(flood.time) == time and flood.station == each.station for flood in floods):
                got = "; ".join(f"{flood.name} at {flood.station}, {flood.time:%Y-%m-%dT%H:%MZ}" for flood in floods)
                yield f"at {at}: flood {each.number} at {each.station} {each.time} in expected, found: {got or 'none'}"
            elif each.name and floods[0].name != each.name:
                yield f"at {at}: flood {each.number} is called {floods[0].name}, not {each.name}"
        for number, floods in found.items():
            yield f"at {at}: flood {number} at {floods[0].station} was numbered and is not expected"
