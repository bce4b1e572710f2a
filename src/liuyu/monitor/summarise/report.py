"""The report of a period: everything in it is computed from the log and the series of one store."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

import liuyu
from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.monitor.summarise.contents import (
    IncidentCourse,
    Logged,
    Report,
)
from liuyu.monitor.summarise.courses import alerts, alternatives, incidents, notices
from liuyu.monitor.summarise.data_quality import data_quality
from liuyu.monitor.summarise.decisions import dispatches, responses, shifts
from liuyu.monitor.summarise.effects import effects
from liuyu.monitor.summarise.grading import grade, profile
from liuyu.monitor.summarise.maps import ground
from liuyu.monitor.summarise.period import Period, text_of
from liuyu.monitor.summarise.water import floods, hydrographs, peaks, reservoirs
from liuyu.store.interface import Store


def report(basin: Basin, store: Store, start: int, end: int) -> Report:
    """The report of a basin over [start, end) [s UTC].

    Only what the store holds goes in: the same log and series give the same report. Raises BadInput where the end is
    not after the start.
    """
    if end <= start:
        raise BadInput(f"report from {start} to {end} has no length; give an end after the start")
    period = Period(basin, store, start, end)
    numbered, found_peaks = floods(period), peaks(period)
    graded = grade(period)
    spans, told, cases, other = alerts(period), notices(period), incidents(period), alternatives(period)
    quality = data_quality(period)
    cited = {each.seq for each in numbered} | {each.seq for each in spans} | {each.seq for each in quality.silences}
    cited |= {seq for each in told for seq in each.seqs} | {seq for each in other for seq in each.seqs}
    cited |= _of_incidents(cases)
    acted, ordered, handed = responses(period), dispatches(period), shifts(period)
    cited |= {move.seq for each in acted for move in each.moves}
    cited |= {seq for each in ordered for seq in each.seqs} | {seq for each in handed for seq in each.seqs}
    return Report(
        basin={"zh": basin.name, "en": basin.name_en},
        code=basin.code,
        time_zone=basin.time_zone,
        synthetic=basin.synthetic,
        start=start,
        end=end,
        floods=numbered,
        peaks=found_peaks,
        hydrographs=hydrographs(period, found_peaks),
        reservoirs=reservoirs(period, numbered),
        effects=effects(period),
        alerts=spans,
        notices=told,
        grades=graded.grades,
        tracks=graded.tracks,
        issues=graded.issues,
        models=graded.models,
        grading=msgspec.to_builtins(profile()),
        incidents=cases,
        responses=acted,
        dispatches=ordered,
        shifts=handed,
        alternatives=other,
        quality=quality,
        attribution={"zh": basin.attribution_zh or basin.attribution, "en": basin.attribution},
        version=liuyu.__version__,
        log=_log(period, cited),
        logged=len(period.events),
        station_names={each.code: text_of(basin, each.code) for each in basin.stations},
        ground=ground(basin),
    )


def _of_incidents(cases: Iterable[IncidentCourse]) -> set[int]:
    entries = {entry.seq for each in cases for entry in each.entries}
    return entries | {seq for each in cases for task in each.tasks for seq in task.seqs}


def _log(period: Period, cited: set[int]) -> tuple[Logged, ...]:
    events = (*period.earlier, *period.events)
    return tuple(
        Logged(each.seq, epoch(each.time), each.kind, each.id, each.state) for each in events if each.seq in cited
    )
