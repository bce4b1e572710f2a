"""Forecasts issued again over an archive and judged: each from what was known at its hour, by the live loop's stages.

Feed      hands out an archive hour by hour, with the flags that quality control had given by then
walk      issues at every step and keeps what the forecasts said of the wanted series
Verified  holds it against what came, once the whole of it has come
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR, moment
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast
from liuyu.basin.series import Batch
from liuyu.monitor.quality import Quality
from liuyu.monitor.sense import Archive
from liuyu.outlook.forecast import Forecaster, Judged, Peak, Profile, find_peak
from liuyu.twin.archive import Archive as Hourly
from liuyu.twin.known import Known
from liuyu.twin.model import SeriesModel

Floats = NDArray[np.float64]
Target = tuple[str, str]
WARM_UP_DAYS = 30
MAX_AGE_H = 6
"""A series whose last value at issue is older is not judged: persistence would have nothing to hold."""


class Feed:
    """An archive as it becomes known. What is later than the hour that it was led to has not been handed out."""

    def __init__(self, archive: Archive, basin: Basin, start: int, end: int) -> None:
        """Observations in [start, end] [s UTC]."""
        batch = archive.take(start - 1, end)
        self._key = batch.time * 65536 + batch.station.astype(np.int64) * 32 + batch.quantity
        last = np.append(self._key[1:] != self._key[:-1], True) if len(batch) else np.empty(0, bool)
        self._batch, self._key = batch.take(last), self._key[last]
        self._flag = np.full(len(self._batch), Flag.MISSING, np.uint8)
        self._quality = Quality(basin)
        self._done = 0

    def advance(self, now: int) -> None:
        """Take what was observed up to `now`, check it, and note what quality control thinks of earlier values now."""
        until = int(np.searchsorted(self._batch.time, now, side="right"))
        checked = self._quality.step(self._batch.take(slice(self._done, until)), now)
        self._flag[self._done : until] = checked.batch.flag
        self._done = until
        revised = checked.revised
        key = revised.time * 65536 + revised.station.astype(np.int64) * 32 + revised.quantity
        place = np.searchsorted(self._key, key)
        self._flag[place] = revised.flag

    def known(self, now: int, hours: int) -> Known:
        """What has been handed out of the last hours up to `now`."""
        first = int(np.searchsorted(self._batch.time, now - hours * HOUR))
        place = slice(first, self._done)
        return Known(now, self._batch.take(place).flagged(self._flag[place].copy()))

    def hourly(self, target: Target, roster: dict[str, int], start: int, hours: int) -> Floats:
        """Newest usable value of each hour that ends at start, start + 1 h, ...: (hours,) [unit], NaN where none."""
        mine = (self._batch.station == roster[target[0]]) & (self._batch.quantity == quantity(target[1]).number)
        mine &= (self._flag <= Flag.NOT_EVALUATED) & np.isfinite(self._batch.value)
        place = -((start - self._batch.time[mine]) // HOUR)
        inside = (place >= 0) & (place < hours)
        out = np.full(hours, np.nan)
        out[place[inside]] = self._batch.value[mine][inside]
        return out


def trusted(observations: Path, basin: Basin) -> Callable[[tuple[SeriesModel, ...]], Hourly]:
    """What gives the hourly values of some series that quality control, walking the whole file, trusts in the end."""
    archive = Archive(observations, basin)
    first, last = (-(-each // HOUR) * HOUR for each in archive.span)
    feed = Feed(archive, basin, first - HOUR, last)
    for now in range(first, last + 1, HOUR):
        feed.advance(now)
    time = np.arange(first, last + 1, HOUR, dtype=np.int64)

    def read(series: tuple[SeriesModel, ...]) -> Hourly:
        number = basin.roster.number
        rows = [feed.hourly((each.station, each.quantity), number, first, len(time)) for each in series]
        return Hourly(time, np.stack(rows))

    return read


@dataclass(frozen=True, slots=True)
class Walk:
    """What was said. issued: (n,) [s UTC]; members: (n, targets, m, leads); mean: (n, targets, hours); at_issue:
    (n, targets), NaN where the gauge had been silent for too long; failed: issues that the model refused; parts: by
    name what each model that was combined said, (n, targets, leads), NaN for series that it does not forecast."""

    targets: tuple[Target, ...]
    leads: tuple[int, ...]
    issued: NDArray[np.int64]
    members: NDArray[np.float32]
    mean: NDArray[np.float32]
    at_issue: Floats
    failed: int
    model: str
    parts: Mapping[str, NDArray[np.float32]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Verified:
    """A walk and what came: observed (targets, hours) from the first issue on."""

    walk: Walk
    observed: Floats

    def judged(self, part: str = "") -> Iterator[Judged]:
        """Every series and lead with the forecasts of it that can be judged; of one model alone by its name."""
        walk = self.walk
        said = walk.parts[part][:, :, None] if part else walk.members
        place = (walk.issued - walk.issued[0]) // HOUR
        for row, (station, name) in enumerate(walk.targets):
            for number, lead in enumerate(walk.leads):
                came = self.observed[row, place + lead]
                ok = np.isfinite(came) & np.isfinite(walk.at_issue[:, row]) & np.isfinite(said[:, row, 0, number])
                members = said[ok, row, :, number].astype(np.float64)
                yield Judged(station, name, lead, members, walk.at_issue[ok, row], came[ok])

    def peaks(self, profile: Profile) -> list[Peak]:
        """The peak of every issued trajectory in which one came."""
        walk, found = self.walk, []
        hours = walk.mean.shape[2]
        for row, (station, name) in enumerate(walk.targets):
            for number, issued in enumerate(walk.issued):
                first = int(issued - walk.issued[0]) // HOUR + 1
                came, now = self.observed[row, first : first + hours], float(walk.at_issue[number, row])
                if np.isfinite(now) and np.isfinite(came).any():
                    mean = walk.mean[number, row].astype(np.float64)
                    peak = find_peak(station, name, int(issued), now, mean, came, profile)
                    found += [peak] if peak is not None else []
        return found


def verify(
    basin: Basin,
    observations: Path,
    start: int,
    end: int,
    stations: Sequence[str],
    leads: Sequence[int],
    step_h: int = 1,
    tell: Callable[[float], None] = lambda _: None,
) -> Verified:
    """Issue a forecast at every `step_h` hours of [start, end] [s UTC] and hold it against what came.

    Values before `start` are learned from, at most thirty days of them; values after `end` serve as what came. Raises
    BadInput for leads, stations or a period that cannot be judged.
    """
    forecaster = Forecaster(basin)
    targets = _targets(forecaster, stations)
    if max(leads) > forecaster.horizon_h or min(leads) < 1:
        raise BadInput(f"leads must lie within 1 and {forecaster.horizon_h} h; got {','.join(map(str, leads))}")
    archive = Archive(observations, basin)
    first, last = archive.span
    if last < start or first > end:
        raise BadInput(
            f"{observations.name} holds {moment(first, basin.zone):%Y-%m-%d %H:%M} to "
            f"{moment(last, basin.zone):%Y-%m-%d %H:%M}, nothing of the period; give another --from and --to"
        )
    start = -(-start // HOUR) * HOUR
    begin = max(start - WARM_UP_DAYS * DAY, -(-first // HOUR) * HOUR)
    feed = Feed(archive, basin, begin - HOUR, end + forecaster.horizon_h * HOUR)
    walk = _walk(forecaster, feed, range(begin, end + 1, HOUR), (start, step_h), targets, tuple(leads), tell)
    for now in range(end // HOUR * HOUR + HOUR, end + forecaster.horizon_h * HOUR + 1, HOUR):
        feed.advance(now)
    hours = int(walk.issued[-1] - walk.issued[0]) // HOUR + forecaster.horizon_h + 1
    roster = basin.roster.number
    observed = np.stack([feed.hourly(each, roster, int(walk.issued[0]), hours) for each in targets])
    return Verified(walk, observed)


def _targets(forecaster: Forecaster, stations: Sequence[str]) -> tuple[Target, ...]:
    found = tuple(each for code in stations for each in forecaster.targets if each[0] == code)
    if not found:
        raise BadInput(
            f"the model forecasts none of {', '.join(stations)}; it forecasts "
            f"{', '.join(dict.fromkeys(code for code, _ in forecaster.targets))}"
        )
    return found


def _walk(
    forecaster: Forecaster, feed: Feed, hours: range, plan: tuple[int, int], targets: tuple[Target, ...],
    leads: tuple[int, ...], tell: Callable[[float], None],
) -> Walk:  # fmt: skip
    start, step_h = plan
    issued, members, means, at_issue, model, why = [], [], [], [], "", ""
    parts: dict[str, list[NDArray[np.float32]]] = {}
    asked, columns = 0, np.array(leads) - 1
    for now in hours:
        feed.advance(now)
        if now < start or (now - start) % (step_h * HOUR):
            continue
        asked += 1
        known = feed.known(now, forecaster.history_h + 1)
        try:
            found = forecaster.run_from(known)
        except ModelFailed as error:
            why = str(error)
            continue
        said = {(each.station, each.quantity): each for each in found.forecasts}
        for name, values in _parts(found.parts, targets, columns).items():
            parts.setdefault(name, []).append(values)
        issued.append(now)
        members.append(np.stack([said[each].members[:, columns] for each in targets]).astype(np.float32))
        means.append(np.stack([said[each].members.mean(axis=0) for each in targets]).astype(np.float32))
        at_issue.append(_at_issue(known, targets))
        model = said[targets[0]].model
        tell((now - hours.start) / max(hours[-1] - hours.start, 1))
    if not issued:
        raise BadInput(f"no forecast could be issued in the period, of {asked} tried; the last reason: {why or 'none'}")
    return Walk(targets, leads, np.array(issued), np.stack(members), np.stack(means), np.stack(at_issue),
                asked - len(issued), model, {name: np.stack(each) for name, each in parts.items()})  # fmt: skip


def _parts(
    found: Sequence[Forecast], targets: tuple[Target, ...], columns: NDArray[np.int64]
) -> dict[str, NDArray[np.float32]]:
    """What each model says by itself at some hours: (targets, leads), NaN for series that it does not forecast."""
    row = {target: place for place, target in enumerate(targets)}
    out = {each.model: np.full((len(targets), len(columns)), np.nan, np.float32) for each in found}
    for each in found:
        place = row.get((each.station, each.quantity))
        if place is not None:
            out[each.model][place] = each.members[0, columns]
    return out


def _at_issue(known: Known, targets: tuple[Target, ...]) -> Floats:
    """The newest usable value of each series, NaN where it is older than the limit: what persistence says."""
    recent: Batch = known.batch.take(known.batch.time > known.now - MAX_AGE_H * HOUR).usable()
    number, out = recent.roster.number, np.full(len(targets), np.nan)
    for row, (station, name) in enumerate(targets):
        mine = (recent.station == number[station]) & (recent.quantity == quantity(name).number)
        values = recent.value[mine]
        out[row] = values[-1] if len(values) else np.nan
    return out
