"""A replay without a page: the whole course as fast as it goes, and its results as files."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from liuyu.app.choice import Course
from liuyu.app.config import Storage
from liuyu.app.export import write_events, write_forecasts, write_reports
from liuyu.app.run import Run, progress_of
from liuyu.app.storage import open_store, remove_store
from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.events import ReportWritten, announce
from liuyu.store.interface import Store

STEPS_A_COMMIT = 6
"""Hourly steps that share a transaction: a kill costs at most these, and they are done again."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a replay wrote."""

    events: int
    forecasts: int
    files: tuple[Path, ...]


def replay(
    course: Course,
    out: Path,
    *,
    fresh: bool = False,
    tell: Callable[[float], None] = lambda _: None,
    storage: Storage | None = None,
) -> Outcome:
    """Run a course and write `events.jsonl`, `forecasts.parquet` and the reports into a folder.

    A replay that was killed goes on where it stopped; a finished one, or one of other inputs, is done afresh. `tell`
    is called with the share done. Raises BadInput where the folder holds a store that no replay made.
    """
    store = _open(course, out / "store", storage, fresh=fresh)
    with closing(store):
        run = Run(course, store)
        for share in run.warm_up():
            tell(share)
        while not run.ended:
            run.advance_steps(STEPS_A_COMMIT)
            tell(run.share)
        files = finish(run, out)
        events = write_events(store.events(), course.basin, out / "events.jsonl")
        forecasts = write_forecasts(store, course.start, course.end + 1, course.basin, out / "forecasts.parquet")
    return Outcome(events, forecasts, files)


def finish(run: Run, folder: Path) -> tuple[Path, ...]:
    """Write the reports of a course that has ended, and log that they are there. Done again, it changes nothing."""
    course = run.course
    files = write_reports(run.store, course.basin, course.start, course.end + 1, folder)
    title = {"zh": f"{course.basin.name}事件总结报告", "en": f"After-event report, {course.basin.name_en}"}
    record = ReportWritten(
        id=f"report:{course.basin.code}", kind="after_event", title=title, files=tuple(each.name for each in files)
    )
    with run.commit(finished=True):
        run.store.append([announce(record, state="written", time=moment(course.end), subject=course.basin.code)])
    return files


def _open(course: Course, folder: Path, storage: Storage | None, *, fresh: bool) -> Store:
    store = open_store(folder, storage)
    found = progress_of(store)
    if found is not None and found.key == course.key and not found.finished and not fresh:
        return store
    stray = found is None and (store.events(limit=1) or len(store.audit_log(limit=1)))
    store.close()
    if stray:
        raise BadInput(f"{folder} holds a store that no replay made; give --out another folder")
    remove_store(folder, storage)
    return open_store(folder, storage)
