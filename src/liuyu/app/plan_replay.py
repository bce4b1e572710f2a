"""Plans tested over an archive: the whole loop on a period of the record, and what it proposed at which hour."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec

from liuyu.app.choice import choose
from liuyu.app.config import Config, Replay
from liuyu.app.run import Run
from liuyu.app.storage import open_store
from liuyu.basin.bundle import bundle_folder
from liuyu.basin.clock import parse_time
from liuyu.basin.directives import Response
from liuyu.basin.errors import BadPackage, LiuyuError
from liuyu.basin.events import Event, record
from liuyu.basin.package import basin_file, read_basin
from liuyu.basin.places import Basin
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.respond.contingency.trial import Outcome

KIND = "plan-replay-test"


class RecordedStep(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A proposal that must have been made: at a time (or between two), under a plan, of a level ("end" for the end)."""

    at: str = ""
    after: str = ""
    before: str = ""
    plan: str
    proposed: str
    because: tuple[str, ...] = ()


class RecordedTrial(msgspec.Struct, frozen=True, kw_only=True):
    """One test: a period of the archive, whether everything proposed is approved at once, and all that is proposed."""

    name: str
    start: str
    end: str
    approve: bool = True
    expect: tuple[RecordedStep, ...]


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    kind: Literal["plan-replay-test"]
    basin: str


def test_recorded(file: Path) -> tuple[Outcome, ...]:
    """Run every test of a file over the archive of its basin; one outcome each, skipped where there is no archive.

    Everything that the plans of the basin propose in the period must be expected, in its order, and nothing else.
    Raises BadPackage where the file or the basin has faults.
    """
    source = TomlFile(file)
    heading = source.convert(source.data, _Heading) if source.data else None
    trials = [trial for _, trial in source.tables("test", RecordedTrial)]
    if source.faults or heading is None:
        raise BadPackage(str(file), source.faults)
    basin = read_basin(file.parent / heading.basin)
    there = bundle_folder() is not None and basin_file(basin, basin.archive) is not None
    return tuple(
        _outcome(file, trial, basin)
        if there
        else Outcome(file=str(file), test=trial.name, passed=True, skipped=True, problems=("no data bundle",))
        for trial in trials
    )


test_recorded.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for one of its own


def _outcome(file: Path, trial: RecordedTrial, basin: Basin) -> Outcome:
    try:
        problems = tuple(_problems(trial, basin, replayed(basin, trial.start, trial.end, approve=trial.approve)))
    except LiuyuError as error:
        problems = (str(error),)
    return Outcome(file=str(file), test=trial.name, passed=not problems, problems=problems)


def replayed(basin: Basin, start: str, end: str, *, approve: bool) -> list[Event]:
    """Every event of a response in a replay of a period, all that is proposed being approved at once or nothing."""
    config = Config(basin=basin.folder, replay=Replay(start=start, end=end))
    with tempfile.TemporaryDirectory() as scratch:
        course = choose(config, Path(scratch))
        with closing(open_store(Path(scratch) / "store", None)) as store:
            run = Run(course, store)
            for _ in run.warm_up():
                pass
            while not run.ended:
                run.advance()
                if approve:
                    _approve(run)
            return list(store.events(kinds=["response"]))


def _approve(run: Run) -> None:
    stage = run.pipeline.respond.contingency
    for each in stage.open():
        if each.proposed is not None:
            with run.commit():
                run.pipeline.answer(stage.decide(each.id, True, None, "trial", "", run.now), run.now)


def _problems(trial: RecordedTrial, basin: Basin, events: Sequence[Event]) -> Iterator[str]:
    told = [(each, record(each, Response)) for each in events if each.state == "proposed"]
    for place, expected in enumerate(trial.expect):
        if place >= len(told):
            yield f"{expected.plan} {expected.proposed} expected, nothing more was proposed"
            continue
        event, response = told[place]
        got = f"{response.plan} {response.proposed_level or 'end'}"
        when = event.time.astimezone(basin.zone)
        if got != f"{expected.plan} {expected.proposed}":
            wanted = f"{expected.plan} {expected.proposed}"
            yield f"{wanted} expected as proposal {place + 1}, {got} at {when:%Y-%m-%dT%H:%M}"
        elif not _in_time(expected, when, basin):
            asked = expected.at or f"between {expected.after} and {expected.before}"
            yield f"{got} expected {asked}, proposed at {when:%Y-%m-%dT%H:%M}"
        why = [text for line in response.why for text in line.values()]
        for words in expected.because:
            if not any(words in each for each in why):
                yield f"{got}: {words!r} expected among the reasons, found: {' | '.join(why)}"
    for event, response in told[len(trial.expect) :]:
        when = event.time.astimezone(basin.zone)
        yield f"{response.plan} {response.proposed_level or 'end'} proposed at {when:%Y-%m-%dT%H:%M}, not expected"


def _in_time(expected: RecordedStep, when: datetime, basin: Basin) -> bool:
    if expected.at and when != parse_time(expected.at, basin.zone):
        return False
    if expected.after and when < parse_time(expected.after, basin.zone):
        return False
    return not expected.before or when <= parse_time(expected.before, basin.zone)
