"""A small durable queue of jobs: queued, claimed under a lease, done or failed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from liuyu.basin.errors import StoreFailed
from liuyu.store.interface import Job
from liuyu.store.postgres.link import Link

_COLUMNS = "id, kind, name, payload, state, submitted, due, attempts, worker, lease_until, ended, reason, result"
_CLAIM = f"""
UPDATE job SET state = 'claimed', worker = %(worker)s, lease_until = %(until)s, attempts = attempts + 1
WHERE id = (
    SELECT id FROM job WHERE kind = ANY(%(kinds)s::text[])
        AND (state = 'queued' AND due <= %(now)s OR state = 'claimed' AND lease_until <= %(now)s)
    ORDER BY due, id LIMIT 1 FOR UPDATE SKIP LOCKED
)
RETURNING {_COLUMNS}
"""


def submit(writer: Link, kind: str, name: str, payload: bytes, now: int, due: int) -> Job:
    """Queue a job. One of the same kind and name that is there already is given back as it stands."""
    writer.execute(
        "INSERT INTO job (kind, name, payload, state, submitted, due, attempts, worker, reason, result)"
        " SELECT %(kind)s::text, %(name)s::text, %(payload)s::bytea, 'queued', %(now)s, %(due)s, 0, '', '', ''"
        " WHERE NOT EXISTS (SELECT FROM job WHERE kind = %(kind)s AND name = %(name)s) ON CONFLICT DO NOTHING",
        {"kind": kind, "name": name, "payload": payload, "now": now, "due": due},
    )
    return _read(writer, "WHERE kind = %s AND name = %s", (kind, name))[0]


def claim(writer: Link, kinds: Sequence[str], worker: str, now: int, lease: int) -> Job | None:
    """Take the job that is due longest; one whose lease has run out counts as queued."""
    values = {"worker": worker, "until": now + lease, "kinds": list(kinds), "now": now}
    row = writer.execute(_CLAIM, values).fetchone()
    return Job(*row) if row else None


def finish(writer: Link, job: Job, result: bytes, now: int) -> Job:
    """Close a claimed job with its result."""
    return _close(writer, job, "state = 'done', ended = %s, result = %s", (now, result))


def fail(writer: Link, job: Job, reason: str, now: int, retry_at: int | None) -> Job:
    """Close a claimed job with a reason, or queue it again for a later time."""
    if retry_at is None:
        return _close(writer, job, "state = 'failed', ended = %s, reason = %s", (now, reason))
    return _close(writer, job, "state = 'queued', due = %s, reason = %s", (retry_at, reason))


def listed(link: Link, kinds: Sequence[str], states: Sequence[str], limit: int) -> list[Job]:
    """Jobs of some kinds and states, newest first."""
    where, values = ["true"], []
    for column, allowed in (("kind", kinds), ("state", states)):
        if allowed:
            where.append(f"{column} = ANY(%s::text[])")
            values.append(list(allowed))
    return _read(link, f"WHERE {' AND '.join(where)} ORDER BY id DESC LIMIT %s", (*values, limit))


def _close(writer: Link, job: Job, change: str, values: tuple[int | str | bytes, ...]) -> Job:
    row = writer.execute(
        f"UPDATE job SET {change}, lease_until = NULL"
        f" WHERE id = %s AND state = 'claimed' AND worker = %s AND attempts = %s RETURNING {_COLUMNS}",
        (*values, job.id, job.worker, job.attempts),
    ).fetchone()
    if row is None:
        raise StoreFailed(
            f"job {job.kind}/{job.name} is no longer claimed by {job.worker!r} (attempt {job.attempts}); claim it again"
        )
    return Job(*row)


def _read(link: Link, rest: str, values: Sequence[Any]) -> list[Job]:
    return [Job(*row) for row in link.execute(f"SELECT {_COLUMNS} FROM job {rest}", values)]
