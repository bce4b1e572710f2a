"""How good the data were: what came in, what was doubted, who fell silent, what came late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np

from liuyu.basin.clock import epoch
from liuyu.basin.events import Event, LateData, QualityNote, SourceNote, record
from liuyu.basin.flags import Flag
from liuyu.monitor.summarise.contents import DataQuality, Silence
from liuyu.monitor.summarise.period import Period, text_of

_WORST = 8


def data_quality(period: Period) -> DataQuality:
    """Counts over every observation of the period, and what the log says of tests, silence and late data."""
    counts = np.zeros(10, np.int64)
    doubtful: list[tuple[int, int, str]] = []
    expected = present = stations = 0
    for station in period.basin.stations:
        flags = period.batch(station.code).flag
        if not len(flags):
            continue
        stations += 1
        found = np.bincount(flags, minlength=10)
        counts += found
        doubtful.append((int(found[Flag.BAD]), int(found[Flag.SUSPECT]), station.code))
        series = len(np.unique(period.batch(station.code).quantity))
        expected += series * (period.end - period.start) // station.interval
        present += len(flags)
    worst = sorted((each for each in doubtful if each[0] + each[1]), key=lambda each: (-each[0], -each[1], each[2]))
    notes = [
        record(event, QualityNote) for event in period.events if (event.kind, event.state) == ("quality", "doubted")
    ]
    late = [record(event, LateData) for event in period.events if event.kind == "late"]
    return DataQuality(
        received=int(counts.sum()),
        usable=int(counts[Flag.GOOD] + counts[Flag.NOT_EVALUATED]),
        suspect=int(counts[Flag.SUSPECT]),
        bad=int(counts[Flag.BAD]),
        stations=stations,
        completeness=min(1.0, present / expected) if expected else None,
        doubts=dict(sorted(Counter(each.test for each in notes).items(), key=lambda each: (-each[1], each[0]))),
        worst=tuple((text_of(period.basin, code), bad, suspect) for bad, suspect, code in worst[:_WORST]),
        silences=silences(period),
        late_events=len(late),
        late_values=sum(each.count for each in late),
    )


def silences(period: Period) -> tuple[Silence, ...]:
    """Every silence of a station that began or lasted in the period."""
    found: list[Silence] = []
    for events in period.courses("source"):
        start: Event | None = None
        for event in events:
            if event.state == "silent":
                start = start or event
            elif start is not None:
                found.append(_silence(period, (start, event)))
                start = None
        if start is not None:
            found.append(_silence(period, (start,)))
    return tuple(sorted(found, key=lambda each: (each.start, each.seq)))


def _silence(period: Period, events: Sequence[Event]) -> Silence:
    note = record(events[0], SourceNote)
    returned = epoch(events[1].time) if len(events) > 1 else None
    return Silence(text_of(period.basin, note.station), epoch(note.last), returned, events[0].seq)
