"""A small durable queue of jobs: queued, claimed under a lease, done or failed."""

from __future__ import annotations

from collections.abc import Sequence

import apsw

from liuyu.basin.errors import StoreFailed
from liuyu.store.interface import Job

_COLUMNS = "id, kind, name, payload, state, submitted, due, attempts, worker, lease_until, ended, reason, result"


def submit(writer: apsw.Connection, kind: str, name: str, payload: bytes, now: int, due: int) -> Job:
    """Queue a job. One of the same kind and name that is there already is given back as it stands."""
    writer.execute(
        "INSERT INTO job (kind, name, payload, state, submitted, due, attempts, worker, reason, result)"
        " VALUES (?, ?, ?, 'queued', ?, ?, 0, '', '', x'') ON CONFLICT DO NOTHING",
        (kind, name, payload, now, due),
    )
    return _read(writer, "kind = ? AND name = ?", (kind, name))[0]


def claim(writer: apsw.Connection, kinds: Sequence[str], worker: str, now: int, lease: int) -> Job | None:
    """Take the job that is due longest; one whose lease has run out counts as queued."""
    marks = ", ".join("?" * len(kinds))
    row = writer.execute(
        f"SELECT id FROM job WHERE kind IN ({marks})"
        " AND (state = 'queued' AND due <= ? OR state = 'claimed' AND lease_until <= ?) ORDER BY due, id LIMIT 1",
        (*kinds, now, now),
    ).fetchone()
    if row is None:
        return None
    writer.execute(
        "UPDATE job SET state = 'claimed', worker = ?, lease_until = ?, attempts = attempts + 1 WHERE id = ?",
        (worker, now + lease, row[0]),
    )
    return _read(writer, "id = ?", row)[0]


def finish(writer: apsw.Connection, job: Job, result: bytes, now: int) -> Job:
    """Close a claimed job with its result."""
    return _close(writer, job, "state = 'done', ended = ?, result = ?", (now, result))


def fail(writer: apsw.Connection, job: Job, reason: str, now: int, retry_at: int | None) -> Job:
    """Close a claimed job with a reason, or queue it again for a later time."""
    if retry_at is None:
        return _close(writer, job, "state = 'failed', ended = ?, reason = ?", (now, reason))
    return _close(writer, job, "state = 'queued', due = ?, reason = ?", (retry_at, reason))


def listed(connection: apsw.Connection, kinds: Sequence[str], states: Sequence[str], limit: int) -> list[Job]:
    """Jobs of some kinds and states, newest first."""
    where = ["1"]
    for column, allowed in (("kind", kinds), ("state", states)):
        if allowed:
            where.append(f"{column} IN ({', '.join('?' * len(allowed))})")
    return _read(connection, f"{' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*kinds, *states, limit))


def _close(writer: apsw.Connection, job: Job, change: str, values: tuple[int | str | bytes, ...]) -> Job:
    writer.execute(
        f"UPDATE job SET {change}, lease_until = NULL"
        " WHERE id = ? AND state = 'claimed' AND worker = ? AND attempts = ?",
        (*values, job.id, job.worker, job.attempts),
    )
    if not writer.changes():
        raise StoreFailed(
            f"job {job.kind}/{job.name} is no longer claimed by {job.worker!r} (attempt {job.attempts}); claim it again"
        )
    return _read(writer, "id = ?", (job.id,))[0]


def _read(connection: apsw.Connection, where: str, values: Sequence[int | str]) -> list[Job]:
    rows = connection.execute(f"SELECT {_COLUMNS} FROM job WHERE {where}", values)
    return [Job(*row) for row in rows]
