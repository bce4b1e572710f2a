"""A pipeline that is fed from an inbox on the wall clock: durable, and after a kill it goes on where it stood.

A step takes what waits in the inbox, and keeps the place up to which it has come in the transaction that keeps what was
made of it; only then is the inbox told to forget. So each parcel counts once, whatever dies when.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial

import msgspec

from liuyu.app.config import Outlook
from liuyu.app.now.lane import Lane
from liuyu.app.pipeline import Step
from liuyu.app.rain import open_rain
from liuyu.basin.clock import DAY, HOUR, moment
from liuyu.basin.errors import BadInput, InboxFull
from liuyu.basin.events import Event, newest
from liuyu.basin.places import Basin
from liuyu.basin.series import Batch
from liuyu.basin.stage import Stage
from liuyu.store.inbox.interface import Inbox, Parcel, Placed
from liuyu.store.inbox.parcels import pack
from liuyu.store.interface import Store

STATE = "present"
MOST = 100_000  # values in a step; what must be saved of the stages grows with series, not with values
RELEARNT = 15 * DAY
_log = logging.getLogger("liuyu")


@dataclass(frozen=True, slots=True)
class Duty:
    """What is watched: the basin, the ranks of sources by name, how often is forecast, when months are archived [d]."""

    basin: Basin
    ranks: Mapping[str, int] = field(default_factory=dict)
    forecast_hours: int = 6
    archive_days: int = 60
    outlook: Outlook = field(default_factory=Outlook)


class Progress(msgspec.Struct, frozen=True):
    """How far it has come: the place in the inbox, the moment [s UTC], the first one, and for which stations."""

    place: int
    now: int
    begin: int
    stations: str
    upkeep: int


class Present:
    """One basin, watched on one store, fed from one inbox. `now` [s UTC] is when it is opened.

    `more` says whether the last step left parcels waiting for want of room in it.
    """

    def __init__(self, duty: Duty, store: Store, inbox: Inbox, now: int) -> None:
        self.duty, self.store, self.inbox = duty, store, inbox
        self.pipeline = Lane(
            duty.basin, store, duty.ranks, forecast_hours=duty.forecast_hours, rain=partial(open_rain, duty.outlook)
        )
        self._stations = hashlib.sha256("\n".join(duty.basin.roster.codes).encode()).hexdigest()
        if store.load_state("run") is not None:
            raise BadInput("the store holds a replay; give the twin of the present a folder of its own")
        blob = store.load_state(STATE)
        if blob is None:
            self._at = Progress(0, now - 1, now, self._stations, now)
        else:
            self._at = msgspec.json.decode(blob, type=Progress)
            self._restore()
        self.more = False

    @property
    def now(self) -> int:
        """The last moment [s UTC] whose step is complete."""
        return self._at.now

    @property
    def begin(self) -> int:
        """The first moment [s UTC]."""
        return self._at.begin

    def step(self, now: int, told: Sequence[Event] = (), *, limit: int = MOST) -> Step:
        """What waits in the inbox, up to `limit` values and a parcel, and what follows from it at `now` [s UTC].

        `told` is what sources announced themselves. Raises BadInput where `now` is not after the last step.
        """
        if now <= self._at.now:
            raise BadInput(f"the clock says {moment(now)}, the last step was of {moment(self._at.now)}; set the clock")
        placed = self.inbox.take(self._at.place, limit=limit)
        with self.commit():
            step = self.pipeline.take([each.parcel for each in placed], told, self._at.now, now)
            self._advance(placed, now)
        self.more = sum(len(each.parcel.batch) for each in placed) >= limit
        if placed:
            self.inbox.forget(self._at.place)
        return step

    def set_aside(self, now: int, why: str) -> None:
        """Give up the next parcel with values, on which a stage fails whenever it is tried: to the dead letters."""
        placed = self.inbox.take(self._at.place, limit=1)
        with self.commit():
            for parcel in (each.parcel for each in placed):
                for each in parcel.asides:
                    self.store.set_aside(each.source, each.reason, each.payload, received=now)
                if len(parcel.batch):
                    payload = pack(replace(parcel, asides=()))
                    self.store.set_aside(parcel.source, f"loop: {why}", payload, received=now)
            self._advance(placed, self._at.now)

    def behind(self) -> bool:
        """Whether anything waits in the inbox."""
        return self.inbox.waiting(self._at.place) > 0

    def keep_up(self, now: int) -> int:
        """Once a day: move old months to Parquet and fold the log back. Returns rows moved."""
        if now - self._at.upkeep < DAY:
            return 0
        moved = self.store.archive(now - self.duty.archive_days * DAY)
        self.store.checkpoint()
        with self.commit():
            self._at = msgspec.structs.replace(self._at, upkeep=now)
        return moved

    @contextmanager
    def commit(self) -> Iterator[None]:
        """A transaction that keeps the memory of the stages and how far it has come with what is written in it."""
        with self.store.transaction():
            yield
            self.pipeline.save()
            self.store.save_state(STATE, msgspec.json.encode(self._at))

    def _advance(self, placed: Sequence[Placed], now: int) -> None:
        place = placed[-1].place if placed else self._at.place
        self._at = msgspec.structs.replace(self._at, place=place, now=now)

    def _restore(self) -> None:
        """Take the memory of the stages back, or learn again from the store where it is of other stations or older."""
        if self._at.stations == self._stations:
            try:
                self.pipeline.restore()
                return
            except (BadInput, msgspec.MsgspecError, ValueError) as error:
                _log.warning("the memory of the loop cannot be read (%s): learning again from the store", error)
        else:
            _log.warning("the stations of %s have changed: learning again from the store", self.duty.basin.code)
        self._learn_again()
        self._at = msgspec.structs.replace(self._at, stations=self._stations)

    def _learn_again(self) -> None:
        """Begin every stage anew on what the store knows; alerts that stood are cleared, and raised again if they hold.

        What was decided about incidents, and what was ordered, is kept.
        """
        duty, store = self.duty, self.store
        self.pipeline = Lane(
            duty.basin, store, duty.ranks, forecast_hours=duty.forecast_hours, rain=partial(open_rain, duty.outlook)
        )
        decided: tuple[Stage, ...] = (self.pipeline.respond, self.pipeline.dispatch)
        blobs = [store.load_state(each.name) for each in decided]
        end = self._at.now // HOUR * HOUR + HOUR
        with self.commit():
            for stage, blob in zip(decided, blobs, strict=True):
                if blob is not None:
                    stage.load(blob)
            for start in range(end - RELEARNT, end, HOUR):
                values = store.window((), (), start, start + HOUR, duty.basin.roster)
                if len(values):
                    self.pipeline.warm_up(values, start + HOUR)
            for each in newest(store.events(kinds=["alert"])).values():
                if each.state != "cleared":
                    now = moment(self._at.now)
                    self.pipeline.answer(msgspec.structs.replace(each, state="cleared", time=now), self._at.now)

    def follow_inbox(self, now: int) -> None:
        """Begin at the inbox's first parcel where it was begun anew: the place that is kept is of another one then."""
        try:
            mark = self.inbox.put([Parcel("", now, Batch.empty(self.duty.basin.roster))])
        except InboxFull:
            return
        if mark <= self._at.place:
            _log.warning("the inbox was begun anew: place %d follows %d; taking all of it", mark, self._at.place)
            self._at = msgspec.structs.replace(self._at, place=0)
