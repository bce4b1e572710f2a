"""What happens, as an append-only log from which everything that is shown can be computed again.

An `Event` announces a record; its body is that record as JSON values (`announce` and `record` convert). Texts that
people read are in both languages: {"zh": ..., "en": ...}.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

import msgspec

from liuyu.basin.directives import Attachment, Delivery, Dispatch, Handover, Response

Text = Mapping[str, str]
Severity = Literal["blue", "yellow", "orange", "red"]
SEVERITIES: tuple[Severity, ...] = ("blue", "yellow", "orange", "red")


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """Something that happened at a moment of the twin's clock; the store gives `seq` when it is appended.

    `kind` is one of RECORDS; `id` names the thing that it happened to, the same through that thing's life; `state` is
    what that thing is from now on; `subject` is the code of the feature concerned. Identity: (kind, id, time, state).
    """

    kind: str
    time: datetime
    id: str
    state: str
    subject: str
    body: Mapping[str, Any]
    seq: int = 0


class Alert(msgspec.Struct, frozen=True, kw_only=True):
    """A rule that holds for a subject. States: raised, changed, acknowledged, escalated, cleared.

    `why` is the trace: each condition in words with the value that met it. `since` is the observation time at which the
    rule began to hold, `raised` the twin's time at which the alert was; `group` gathers alerts that are told together;
    `inhibited_by` names the alert or silence that makes it needless to tell.
    """

    id: str
    rule: str
    subject: str
    quantity: str
    severity: Severity
    title: Text
    since: datetime
    value: float
    threshold: str = ""
    threshold_value: float | None = None
    margin: float | None = None
    unit: str = ""
    why: tuple[Text, ...] = ()
    group: str = ""
    inhibited_by: str = ""
    acknowledged_by: str = ""
    note: str = ""
    raised: datetime | None = None


class Silence(msgspec.Struct, frozen=True, kw_only=True):
    """Alerts that match are not told until a time, by a person's decision. States: set, ended."""

    id: str
    match: Mapping[str, str]
    until: datetime
    user: str
    note: str
    title: Text


class NumberedFlood(msgspec.Struct, frozen=True, kw_only=True):
    """A flood of the main river that got its number. State: numbered. `time` is when the gauge met the criterion."""

    id: str
    name: str
    name_en: str
    year: int
    number: int
    section: str
    station: str
    quantity: str
    value: float
    threshold_value: float
    time: datetime
    why: tuple[Text, ...] = ()


class Notice(msgspec.Struct, frozen=True, kw_only=True):
    """A warning ahead of time. States: issued, updated, withdrawn, verified.

    `chance` [0, 1] that `threshold` is crossed within the horizon; `crossing` its likely time with the range in which
    80 % of members cross; `peak` [unit] the median of the highest value. `issued` is when the notice was first issued.
    A verified notice says its `outcome` (hit, miss, false_alarm), when the line was crossed, if it was, and by how many
    hours the notice came before. `near` [unit] is how far on the safe side of the line already counts.

    `chances` says the chance of a crossing by each lead [h]. `limit` is the chance above which `action` pays, and
    `escalates` names the milder notice of the station that this one goes beyond. 80 % of members have their highest
    value, and its time, between `peak_from` and `peak_to`; a share `peak_open` of them still rises at the end.
    """

    id: str
    station: str
    quantity: str
    threshold: str
    threshold_value: float
    severity: Severity
    issued: datetime
    chance: float
    crossing: datetime | None
    crossing_from: datetime | None
    crossing_to: datetime | None
    peak: float
    peak_time: datetime
    title: Text
    model: str = ""
    near: float = 0.0
    outcome: str = ""
    crossed_at: datetime | None = None
    lead_h: float | None = None
    chances: Mapping[str, float] = {}
    peak_from: float | None = None
    peak_to: float | None = None
    peak_time_from: datetime | None = None
    peak_time_to: datetime | None = None
    peak_open: float = 0.0
    limit: float | None = None
    action: Text = {}
    escalates: str = ""


class ForecastRun(msgspec.Struct, frozen=True, kw_only=True):
    """A forecast was issued for some stations. State: issued."""

    id: str
    issued: datetime
    model: str
    stations: tuple[str, ...]
    horizon_h: int
    members: int


class Incident(msgspec.Struct, frozen=True, kw_only=True):
    """The course of one event under control. States: opened, updated, closing, closed. `alerts` are ids."""

    id: str
    title: Text
    level: Severity
    opened: datetime
    stations: tuple[str, ...]
    alerts: tuple[str, ...]
    floods: tuple[str, ...] = ()
    summary: Text = {}
    entry: Text = {}


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """Something to be done by an owner before a deadline. States: assigned, acknowledged, done, overdue, cancelled.

    `owner` is a role's code in the playbook and `owner_name` its name; an overdue task names whom it went up to. A task
    of a contingency plan names its `response`, the actions that it came `after`, and the `evidence` without which it is
    not done (note, attachment, value).
    """

    id: str
    incident: str
    title: Text
    owner: str
    due: datetime
    owner_name: Text = {}
    escalated_to: Text = {}
    rule: str = ""
    done_by: str = ""
    note: str = ""
    response: str = ""
    after: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class RehearsalRun(msgspec.Struct, frozen=True, kw_only=True):
    """A what-if that was run, in numbers. State: run. Each row of `results` is one station: peak with and without.

    `job` names the scenario whose results are kept, "" for one that was only routed; `floods` its flooded areas [km2]
    and what they reach.
    """

    id: str
    name: Text
    issued: datetime
    releases: Mapping[str, tuple[float, ...]]
    results: tuple[Mapping[str, Any], ...]
    binding: tuple[Text, ...] = ()
    job: str = ""
    floods: tuple[Mapping[str, Any], ...] = ()


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """A release schedule put forward. States: proposed, accepted, rejected, lapsed.

    `releases` maps a reservoir to outflow [m3/s] hour by hour from `issued`. `compared` holds one row per alternative
    that was tried; `binding` what binds it; `reason` why this one.
    """

    id: str
    issued: datetime
    reservoir: str
    title: Text
    releases: Mapping[str, tuple[float, ...]]
    compared: tuple[Mapping[str, Any], ...]
    reason: Text
    binding: tuple[Text, ...] = ()
    decided_by: str = ""
    note: str = ""


class QualityNote(msgspec.Struct, frozen=True, kw_only=True):
    """Quality control began or ceased to distrust a series. States: doubted, trusted."""

    id: str
    station: str
    quantity: str
    test: str
    value: float
    title: Text


class SourceNote(msgspec.Struct, frozen=True, kw_only=True):
    """A station, or a whole source, fell silent or returned. States: silent, returned. `last` is its newest value."""

    id: str
    station: str
    last: datetime
    title: Text


class LateData(msgspec.Struct, frozen=True, kw_only=True):
    """Observations came after their time was assessed. States: reopened; missed and needless, of an alert by them.

    missed: with them an alert would have been raised; needless: with them one that was would not have been.
    """

    id: str
    station: str
    first: datetime
    count: int
    title: Text


class ModelNote(msgspec.Struct, frozen=True, kw_only=True):
    """A model could not do its work, with the reason, or works again. States: failed, recovered."""

    id: str
    model: str
    title: Text


class ReportWritten(msgspec.Struct, frozen=True, kw_only=True):
    """A report was written. State: written."""

    id: str
    kind: str
    title: Text
    files: tuple[str, ...]


RECORDS: Mapping[str, type[msgspec.Struct]] = {
    "alert": Alert,
    "silence": Silence,
    "numbered_flood": NumberedFlood,
    "notice": Notice,
    "forecast": ForecastRun,
    "incident": Incident,
    "task": Task,
    "response": Response,
    "dispatch": Dispatch,
    "delivery": Delivery,
    "handover": Handover,
    "attachment": Attachment,
    "rehearsal": RehearsalRun,
    "proposal": Proposal,
    "quality": QualityNote,
    "source": SourceNote,
    "late": LateData,
    "model": ModelNote,
    "report": ReportWritten,
}
_KIND_OF = {kind: name for name, kind in RECORDS.items()}

T = TypeVar("T", bound=msgspec.Struct)


def announce(record: msgspec.Struct, *, state: str, time: datetime, subject: str) -> Event:
    """The event that says that a record is in a state from a time on. The record must have an `id`."""
    body = msgspec.to_builtins(record)
    return Event(kind=_KIND_OF[type(record)], time=time, id=body["id"], state=state, subject=subject, body=body)


def record(event: Event, kind: type[T]) -> T:
    """The record that an event announced.

    Raises msgspec.ValidationError where the body is not of that kind.
    """
    return msgspec.convert(event.body, kind)


def newest(events: Iterable[Event]) -> dict[str, Event]:
    """The last event of each id, in the order in which the ids first appeared."""
    found: dict[str, Event] = {}
    for event in events:
        found[event.id] = event
    return found
