"""Events, audit, asides and the state of stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import nan
from typing import Any

import msgspec

from liuyu.basin.events import Event
from liuyu.store.encoding import event_of, event_row, numbered
from liuyu.store.engine import chain
from liuyu.store.engine.session import Row, Session
from liuyu.store.interface import Version

ALL = 2**62
"""A limit that leaves nothing out."""

_ASIDE = ("source", "reason", "payload", "received")


def append(writer: Session, events: Iterable[Event]) -> list[Event]:
    """Append events; returns those whose identity is new, numbered, with their times in UTC. See Store.append."""
    first: dict[Row, tuple[Event, Row]] = {}
    for event in events:
        row = event_row(event)
        first.setdefault(row[:4], (event, row))
    if not first:
        return []
    added = writer.add_events([row for _, row in first.values()])
    if added:
        chain.link(writer, "event", [(seq, *first[tuple(key)][1]) for *key, seq in added])
    return [numbered(first[tuple(key)][0], seq) for *key, seq in added]


def events(
    session: Session,
    *,
    after: int,
    kinds: Sequence[str],
    start: int | None,
    end: int | None,
    id: str | None,
    subject: str | None,
    limit: int | None,
    newest_first: bool,
) -> list[Event]:
    """Events by seq, narrowed. See Store.events."""
    limits: list[tuple[str, Any]] = [("seq > ?", after)]
    if start is not None:
        limits.append(("time >= ?", start * 1_000_000))
    if end is not None:
        limits.append(("time < ?", end * 1_000_000))
    if id is not None:
        limits.append(("id = ?", id))
    if subject is not None:
        limits.append(("subject = ?", subject))
    where = " AND ".join(text for text, _ in limits)
    if kinds:
        where += f" AND kind IN ({', '.join('?' * len(kinds))})"
    order = "DESC" if newest_first else "ASC"
    rows = session.ask(
        f"SELECT kind, id, time, state, subject, body, seq FROM event WHERE {where} ORDER BY seq {order} LIMIT ?",
        (*(value for _, value in limits), *kinds, ALL if limit is None else limit),
    )
    return [event_of(row) for row in rows]


def load_state(session: Session, name: str) -> bytes | None:
    """The state kept under a name."""
    rows = session.ask("SELECT blob FROM state WHERE name = ?", (name,))
    return bytes(rows[0][0]) if rows else None


def set_aside(writer: Session, source: str, reason: str, payload: bytes, received: int) -> None:
    """Keep what could not be used. A text of PostgreSQL cannot hold NUL: in every engine it is kept as its picture."""
    source, reason = (text.replace("\0", "\u2400") for text in (source, reason))
    writer.ask(
        "INSERT INTO aside (received, source, reason, payload) VALUES (?, ?, ?, ?)", (received, source, reason, payload)
    )


def asides(session: Session, limit: int) -> list[Mapping[str, Any]]:
    """What was set aside, newest first."""
    rows = session.ask(f"SELECT {', '.join(_ASIDE)} FROM aside ORDER BY id DESC LIMIT ?", (limit,))
    return [dict(zip(_ASIDE, row, strict=True)) for row in rows]


def audit(writer: Session, at: int, user: str, action: str, target: str, detail: Mapping[str, Any]) -> None:
    """Add a line to the audit log."""
    told = msgspec.json.encode(detail)
    added = writer.ask(
        'INSERT INTO audit (at, "user", action, target, detail) VALUES (?, ?, ?, ?, ?) RETURNING id',
        (at, user, action, target, writer.document(told)),
    )
    chain.link(writer, "audit", [(added[0][0], at, user, action, target, told)])


def audit_log(session: Session, limit: int) -> list[Mapping[str, Any]]:
    """The newest audit lines, newest first."""
    rows = session.ask('SELECT at, "user", action, target, detail FROM audit ORDER BY id DESC LIMIT ?', (limit,))
    return [
        {"at": at, "user": user, "action": action, "target": target, "detail": msgspec.json.decode(detail)}
        for at, user, action, target, detail in rows
    ]


def versions(session: Session, station: int, quantity: int, time: int) -> list[Version]:
    """Values that were corrected away, oldest first. See Store.versions."""
    rows = session.ask(
        "SELECT value, flag, received, replaced FROM version"
        " WHERE station = ? AND quantity = ? AND time = ? ORDER BY id",
        (station, quantity, time),
    )
    return [Version(nan if value is None else value, *rest) for value, *rest in rows]
