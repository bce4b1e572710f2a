"""Dead letters: what was set aside, and the mark of what came of each when it was replayed."""

from __future__ import annotations

from typing import Any, NamedTuple

from liuyu.basin.errors import BadInput, NotFound
from liuyu.store.engine.session import Session
from liuyu.store.interface import Letter

MARKS = ("replayed", "refused")
STATES = ("waiting", *MARKS)

_SELECT = """
SELECT a.id, a.source, a.reason, a.payload, a.received, coalesce(m.state, 'waiting'), m.at, coalesce(m.note, '')
FROM aside a LEFT JOIN aside_mark m ON m.aside = a.id WHERE {where} ORDER BY a.id DESC LIMIT ?
"""
_MARK = """
INSERT INTO aside_mark (aside, state, at, note) VALUES (?, ?, ?, ?)
ON CONFLICT (aside) DO UPDATE SET state = excluded.state, at = excluded.at, note = excluded.note
"""


class Asked(NamedTuple):
    """Which letters: see `Store.letters`."""

    id: int | None
    source: str
    reason: str
    state: str
    start: int | None
    end: int | None
    before: int | None


def listed(session: Session, asked: Asked, limit: int) -> list[Letter]:
    """Letters, newest first. Raises BadInput for a state that there is not."""
    if asked.state and asked.state not in STATES:
        raise BadInput(f"no letter is {asked.state!r}; choose one of {', '.join(STATES)}")
    reason = asked.reason.lower().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    limits: list[tuple[str, Any]] = [
        ("a.id = ?", asked.id),
        ("a.source = ?", asked.source or None),
        ("lower(a.reason) LIKE ? ESCAPE '\\'", f"%{reason}%" if reason else None),
        ("coalesce(m.state, 'waiting') = ?", asked.state or None),
        ("a.received >= ?", asked.start),
        ("a.received < ?", asked.end),
        ("a.id < ?", asked.before),
    ]
    given = [(text, value) for text, value in limits if value is not None]
    where = " AND ".join(text for text, _ in given) or "true"
    rows = session.ask(_SELECT.format(where=where), (*(value for _, value in given), limit))
    return [Letter(id, source, reason, bytes(payload), *rest) for id, source, reason, payload, *rest in rows]


def mark(writer: Session, id: int, state: str, note: str, now: int) -> Letter:
    """Mark a letter, in place of an older mark; returns it. Raises NotFound, BadInput."""
    if state not in MARKS:
        raise BadInput(f"a letter cannot be marked {state!r}; choose one of {', '.join(MARKS)}")
    asked = Asked(id, "", "", "", None, None, None)
    if not listed(writer, asked, 1):
        raise NotFound(f"no letter {id}; list them for their numbers")
    writer.ask(_MARK, (id, state, now, note.replace("\0", "\u2400")))
    return listed(writer, asked, 1)[0]
