"""Events, audit, asides and the state of stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import apsw
import msgspec

from liuyu.basin.events import Event
from liuyu.store.encoding import event_of, event_row, numbered


def append(writer: apsw.Connection, events: Iterable[Event]) -> list[Event]:
    """Append events; returns those whose identity is new, numbered, with their times in UTC. See Store.append."""
    added = []
    for event in events:
        writer.execute(
            "INSERT INTO event (kind, id, time, state, subject, body) VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
            event_row(event),
        )
        if writer.changes():
            added.append(numbered(event, writer.last_insert_rowid()))
    return added


def events(
    connection: apsw.Connection,
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
    values = [value for _, value in limits]
    if kinds:
        where += f" AND kind IN ({', '.join('?' * len(kinds))})"
        values.extend(kinds)
    order = "DESC" if newest_first else "ASC"
    rows = connection.execute(
        f"SELECT kind, id, time, state, subject, body, seq FROM event WHERE {where} ORDER BY seq {order} LIMIT ?",
        (*values, -1 if limit is None else limit),
    )
    return [event_of(row) for row in rows]


def save_state(writer: apsw.Connection, name: str, blob: bytes) -> None:
    """Keep the state of a stage in place of the older."""
    writer.execute("INSERT INTO state VALUES (?, ?) ON CONFLICT DO UPDATE SET blob = excluded.blob", (name, blob))


def load_state(connection: apsw.Connection, name: str) -> bytes | None:
    """The state kept under a name."""
    row = connection.execute("SELECT blob FROM state WHERE name = ?", (name,)).fetchone()
    return bytes(row[0]) if row else None


def set_aside(writer: apsw.Connection, source: str, reason: str, payload: bytes, received: int) -> None:
    """Keep what could not be used."""
    writer.execute(
        "INSERT INTO aside (received, source, reason, payload) VALUES (?, ?, ?, ?)", (received, source, reason, payload)
    )


def asides(connection: apsw.Connection, limit: int) -> list[Mapping[str, Any]]:
    """What was set aside, newest first."""
    rows = connection.execute("SELECT source, reason, payload, received FROM aside ORDER BY id DESC LIMIT ?", (limit,))
    return [dict(zip(("source", "reason", "payload", "received"), row, strict=True)) for row in rows]


def audit(writer: apsw.Connection, at: int, user: str, action: str, target: str, detail: Mapping[str, Any]) -> None:
    """Add a line to the audit log."""
    writer.execute(
        "INSERT INTO audit (at, user, action, target, detail) VALUES (?, ?, ?, ?, ?)",
        (at, user, action, target, msgspec.json.encode(detail)),
    )


def audit_log(connection: apsw.Connection, limit: int) -> list[Mapping[str, Any]]:
    """The newest audit lines, newest first."""
    rows = connection.execute("SELECT at, user, action, target, detail FROM audit ORDER BY id DESC LIMIT ?", (limit,))
    return [
        {"at": at, "user": user, "action": action, "target": target, "detail": msgspec.json.decode(detail)}
        for at, user, action, target, detail in rows
    ]
