"""A pipeline that is fed from an archive, step by step: durable, resumable, the same whenever it is killed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

import msgspec

from liuyu.app.choice import Course
from liuyu.app.pipeline import Pipeline, Step
from liuyu.app.rain import open_rain
from liuyu.basin.clock import DAY
from liuyu.basin.errors import BadInput
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.store.interface import Store


class Progress(msgspec.Struct, frozen=True):
    """How far a run has come: under which key, and the last moment [s UTC] whose step is complete."""

    key: str
    now: int
    finished: bool = False


def progress_of(store: Store) -> Progress | None:
    """How far the run in a store has come; None in an empty store."""
    blob = store.load_state("run")
    return None if blob is None else msgspec.json.decode(blob, type=Progress)


class Run:
    """One course, run on one store. Opening it on a store that a killed run left goes on where that one stopped."""

    def __init__(self, course: Course, store: Store) -> None:
        self.course = course
        self.store = store
        self.archive = Archive(course.observations, course.basin)
        self.pipeline = Pipeline(
            course.basin, store, forecast_hours=course.forecast_hours, rain=partial(open_rain, course.outlook)
        )
        self._key = course.key
        self.finished = False
        found = progress_of(store)
        if found is None:
            self.now = self._first_moment()
            self._begin()
        elif found.key != self._key:
            raise BadInput(
                "the store holds a run of other inputs; give another folder, or start it afresh with --fresh"
            )
        else:
            self.now, self.finished = found.now, found.finished
            self.pipeline.restore()

    @property
    def ended(self) -> bool:
        """True when the last step of the course is done."""
        return self.now >= self.course.end

    @property
    def share(self) -> float:
        """How much of the course is done, warm-up included, in [0, 1]."""
        first = self._first_moment()
        return min(1.0, (self.now - first) / (self.course.end - first))

    def warm_up(self) -> Iterator[float]:
        """Learn from the days before the start, a day in a transaction; yields the share of the course that is done."""
        while self.now < self.course.start:
            with self.commit():
                until = min(self.now + DAY, self.course.start)
                while self.now < until:
                    self.now, arrived = self._take(until)
                    self.pipeline.warm_up(arrived, self.now)
            yield self.share

    def advance(self) -> Step:
        """The next step of the loop, and its results, within a transaction of the caller's or of its own."""
        with self.commit():
            self.now, arrived = self._take(self.course.end)
            return self.pipeline.step(arrived, self.now)

    def advance_steps(self, count: int) -> list[Step]:
        """Up to `count` steps in one transaction: quicker than one by one, and lost together if killed within."""
        done: list[Step] = []
        with self.commit():
            while len(done) < count and not self.ended:
                self.now, arrived = self._take(self.course.end)
                done.append(self.pipeline.step(arrived, self.now))
        return done

    @contextmanager
    def commit(self, *, finished: bool = False) -> Iterator[None]:
        """A transaction that keeps the memory of the stages and how far the run has come with what is written in it."""
        with self.store.transaction():
            yield
            self.pipeline.save()
            done = finished or self.finished
            self.store.save_state("run", msgspec.json.encode(Progress(self._key, self.now, done)))
        self.finished = done

    def _first_moment(self) -> int:
        """Where the warm-up begins: no earlier than the archive, and a whole number of steps before the start."""
        course = self.course
        back = min(course.warm_up, max(0, course.start - self.archive.span[0]))
        return course.start - back // course.step * course.step

    def _begin(self) -> None:
        with self.commit():
            for each in self.archive.asides:
                self.store.set_aside(each.source, each.reason, each.payload, received=self.now)

    def _take(self, until: int) -> tuple[int, Batch]:
        now = min(self.now + self.course.step, until)
        return now, self.archive.take(self.now, now)
