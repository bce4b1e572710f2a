"""A small durable queue of jobs: queued, claimed under a lease, done or failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liuyu.basin.errors import StoreFailed
from liuyu.store.engine.session import Session
from liuyu.store.interface import Job

_COLUMNS = "id, kind, name, payload, state, submitted, due, attempts, worker, lease_until, ended, reason, result"
_CLAIM = """
UPDATE job SET state = 'claimed', worker = ?, lease_until = ?, attempts = attempts + 1
WHERE id = (
    SELECT id FROM job WHERE kind IN ({kinds})
        AND (state = 'queued' AND due <= ? OR state = 'claimed' AND lease_until <= ?) {named}
    ORDER BY due, id LIMIT 1 {unlocked}
)
RETURNING {columns}
"""


def submit(writer: Session, kind: str, name: str, payload: bytes, now: int, due: int) -> Job:
    """Queue a job. One of the same kind and name that is there already is given back as it stands."""
    writer.ask(
        "INSERT INTO job (kind, name, payload, state, submitted, due, attempts, worker, reason, result)"
        " VALUES (?, ?, ?, 'queued', ?, ?, 0, '', '', ?) ON CONFLICT (kind, name) DO NOTHING",
        (kind, name, payload, now, due, b""),
    )
    return _read(writer, "WHERE kind = ? AND name = ?", (kind, name))[0]


def claim(writer: Session, kinds: Sequence[str], worker: str, now: int, lease: int, name: str) -> Job | None:
    """Take the job that is due longest, or the one of a name; one whose lease has run out counts as queued."""
    if not kinds:
        return None
    named, names = ("AND name = ?", (name,)) if name else ("", ())
    statement = _CLAIM.format(kinds=_marks(kinds), named=named, unlocked=writer.unlocked, columns=_COLUMNS)
    rows = writer.ask(statement, (worker, now + lease, *kinds, now, now, *names))
    return Job(*rows[0]) if rows else None


def finish(writer: Session, job: Job, result: bytes, now: int) -> Job:
    """Close a claimed job with its result."""
    return _close(writer, job, "state = 'done', ended = ?, result = ?", (now, result))


def fail(writer: Session, job: Job, reason: str, now: int, retry_at: int | None) -> Job:
    """Close a claimed job with a reason, or queue it again for a later time."""
    if retry_at is None:
        return _close(writer, job, "state = 'failed', ended = ?, reason = ?", (now, reason))
    return _close(writer, job, "state = 'queued', due = ?, reason = ?", (retry_at, reason))


def listed(session: Session, kinds: Sequence[str], states: Sequence[str], name: str, limit: int) -> list[Job]:
    """Jobs of some kinds and states and of a name, newest first."""
    where, names = ["true"], (name,) if name else ()
    for column, allowed in (("kind", kinds), ("state", states), ("name", names)):
        if allowed:
            where.append(f"{column} IN ({_marks(allowed)})")
    return _read(session, f"WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT ?", (*kinds, *states, *names, limit))


def _close(writer: Session, job: Job, change: str, values: tuple[int | str | bytes, ...]) -> Job:
    rows = writer.ask(
        f"UPDATE job SET {change}, lease_until = NULL"
        f" WHERE id = ? AND state = 'claimed' AND worker = ? AND attempts = ? RETURNING {_COLUMNS}",
        (*values, job.id, job.worker, job.attempts),
    )
    if not rows:
        raise StoreFailed(
            f"job {job.kind}/{job.name} is no longer claimed by {job.worker!r} (attempt {job.attempts}); claim it again"
        )
    return Job(*rows[0])


def _read(session: Session, rest: str, values: Sequence[Any]) -> list[Job]:
    return [Job(*row) for row in session.ask(f"SELECT {_COLUMNS} FROM job {rest}", values)]


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
