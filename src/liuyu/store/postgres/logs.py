"""Events, audit, asides and the state of stages."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.events import Event
from liuyu.store.encoding import event_of, event_row, numbered
from liuyu.store.postgres.link import Link

_APPEND = """
INSERT INTO event (seq, kind, id, time, state, subject, body)
SELECT (SELECT coalesce(max(seq), 0) FROM event) + row_number() OVER (ORDER BY n.place),
    n.kind, n.id, n.time, n.state, n.subject, n.body::json
FROM unnest(%s::text[], %s::text[], %s, %s::text[], %s::text[], %s::text[])
    WITH ORDINALITY n(kind, id, time, state, subject, body, place)
WHERE NOT EXISTS (
    SELECT FROM event e WHERE e.kind = n.kind AND e.id = n.id AND e.time = n.time AND e.state = n.state
)
RETURNING kind, id, time, state, seq
"""


def append(writer: Link, events: Iterable[Event]) -> list[Event]:
    """Append events; returns those whose identity is new, numbered, with their times in UTC. See Store.append."""
    first: dict[tuple[str, str, int, str], tuple[Event, Sequence[Any]]] = {}
    for event in events:
        row = event_row(event)
        first.setdefault(row[:4], (event, row))
    if not first:
        return []
    kind, id, time, state, subject, body = (
        list(each) for each in zip(*(row for _, row in first.values()), strict=True)
    )
    texts = [each.decode() for each in body]
    added = writer.execute(_APPEND, (kind, id, np.array(time, np.int64), state, subject, texts)).fetchall()
    return [numbered(first[row[:4]][0], row[4]) for row in sorted(added, key=lambda row: row[4])]


def events(
    link: Link,
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
    limits: list[tuple[str, Any]] = [("seq > %s", after)]
    if start is not None:
        limits.append(("time >= %s", start * 1_000_000))
    if end is not None:
        limits.append(("time < %s", end * 1_000_000))
    if id is not None:
        limits.append(("id = %s", id))
    if subject is not None:
        limits.append(("subject = %s", subject))
    if kinds:
        limits.append(("kind = ANY(%s::text[])", list(kinds)))
    where = " AND ".join(text for text, _ in limits)
    order = "DESC" if newest_first else "ASC"
    found = link.execute(
        f"SELECT kind, id, time, state, subject, body, seq FROM event WHERE {where} ORDER BY seq {order} LIMIT %s",
        (*(value for _, value in limits), limit),
    )
    return [event_of(row) for row in found]


def save_state(writer: Link, name: str, blob: bytes) -> None:
    """Keep the state of a stage in place of the older."""
    writer.execute(
        "INSERT INTO state VALUES (%s, %s) ON CONFLICT (name) DO UPDATE SET blob = excluded.blob", (name, blob)
    )


def load_state(link: Link, name: str) -> bytes | None:
    """The state kept under a name."""
    with link.cursor(binary=True) as cursor:
        row = cursor.execute("SELECT blob FROM state WHERE name = %s", (name,)).fetchone()
    return bytes(row[0]) if row else None


def set_aside(writer: Link, source: str, reason: str, payload: bytes, received: int) -> None:
    """Keep what could not be used. A text in PostgreSQL cannot hold NUL: it is kept as its picture."""
    source, reason = (text.replace("\0", "\u2400") for text in (source, reason))
    writer.execute(
        "INSERT INTO aside (received, source, reason, payload) VALUES (%s, %s, %s, %s)",
        (received, source, reason, payload),
    )


def asides(link: Link, limit: int) -> list[Mapping[str, Any]]:
    """What was set aside, newest first."""
    rows = link.execute("SELECT source, reason, payload, received FROM aside ORDER BY id DESC LIMIT %s", (limit,))
    return [dict(zip(("source", "reason", "payload", "received"), row, strict=True)) for row in rows]


def audit(writer: Link, at: int, user: str, action: str, target: str, detail: Mapping[str, Any]) -> None:
    """Add a line to the audit log."""
    writer.execute(
        'INSERT INTO audit (at, "user", action, target, detail) VALUES (%s, %s, %s, %s, %s::json)',
        (at, user, action, target, msgspec.json.encode(detail).decode()),
    )


def audit_log(link: Link, limit: int) -> list[Mapping[str, Any]]:
    """The newest audit lines, newest first."""
    rows = link.execute('SELECT at, "user", action, target, detail FROM audit ORDER BY id DESC LIMIT %s', (limit,))
    return [
        {"at": at, "user": user, "action": action, "target": target, "detail": msgspec.json.decode(detail)}
        for at, user, action, target, detail in rows
    ]
