"""A chain of hashes along a log, so that an edit, a removal, an insertion or a swap anywhere in it shows.

With e_n the n-th entry, as the JSON array of its number and its fields, its document byte for byte as it is kept:

    d_0 = SHA-256(name of the log),  d_n = SHA-256(d_(n-1) + e_n)

Each d_n is kept beside the log, and how many there are. Whoever can write to the store can compute the whole chain
anew, or cut off the end of the log, its chain and its count alike: against that only a head helps that was told
elsewhere, as every order that is sent does. `verify` takes such heads.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from typing import Any

import msgspec

from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.store.engine.session import Row, Session
from liuyu.store.interface import Chain

_ENTRIES = {
    "event": "SELECT seq, kind, id, time, state, subject, body FROM event WHERE seq > ? ORDER BY seq LIMIT ?",
    "audit": 'SELECT id, at, "user", action, target, detail FROM audit WHERE id > ? ORDER BY id LIMIT ?',
}
_NUMBERS = {
    "event": "SELECT min(seq), '' FROM event WHERE seq > ?",
    "audit": "SELECT min(id), '' FROM audit WHERE id > ?",
}
_LINKS = "SELECT link, entry, digest FROM chain WHERE log = ? AND link > ? ORDER BY link LIMIT ?"
_SET = "INSERT INTO meta VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
_AT_ONCE = 1000
_BEFORE = -(2**62)  # below every number, those that were put in before the first among them


def link(writer: Session, log: str, entries: Sequence[Row]) -> None:
    """Add links for new entries: each its number, its fields, and its document as bytes of JSON."""
    number, digest = _end(writer, log)
    rows = []
    for entry in entries:
        number, digest = number + 1, _next(digest, entry)
        rows.append((log, number, entry[0], digest))
    writer.ask_many("INSERT INTO chain (log, link, entry, digest) VALUES (?, ?, ?, ?)", rows)
    writer.ask(_SET, (_counter(log), number))


def begin(writer: Session) -> None:
    """Chain what an older liuyu logged, and remember that it was chained only now."""
    for log in _ENTRIES:
        last = writer.ask("SELECT coalesce(max(entry), 0) FROM chain WHERE log = ?", (log,))[0][0]
        count = _end(writer, log)[0]
        writer.ask(_SET, (_counter(log), count))
        for entries in _in_parts(_entries(writer, log, last)):
            link(writer, log, entries)
        made = _end(writer, log)[0] - count
        writer.ask(_SET, (_from(log), max(made, _meta(writer, _from(log)) or 0)))


def head(session: Session, log: str) -> tuple[int, str]:
    """How many links a chain has, and its last digest in hex digits. Raises BadInput for another log."""
    _known(log)
    _begun(session, log)
    number, digest = _end(session, log)
    return number, digest.hex()


def verify(session: Session, log: str, heads: Iterable[tuple[int, str]] = ()) -> Chain:
    """Compute a chain anew and compare; tell the first entry that is not as it was logged. See Store.verify_chain."""
    _known(log)
    begun = _begun(session, log)
    wanted: dict[int, set[str]] = {}
    for number, told_digest in heads:
        wanted.setdefault(number, set()).add(told_digest.lower())
    digest, count = _first(log), 0
    for entry, kept in zip_longest(_entries(session, log, _BEFORE), _links(session, log)):
        wrong = _unlike(entry, kept, digest, count)
        if wrong is not None:
            return Chain(log, count, digest.hex(), begun, *wrong)
        digest, count = _next(digest, entry), count + 1
        if not all(digest.hex().startswith(each) for each in wanted.get(count, ())):
            problem = f"link {count} is not the one of the head that was given; the log was written anew"
            return Chain(log, count, digest.hex(), begun, entry[0], problem)
    told = max([*wanted, _meta(session, _counter(log)) or 0])
    if told > count:
        problem = f"the log ends after {count} entries and had {told}: its end was cut off"
        return Chain(log, count, digest.hex(), begun, count + 1, problem)
    return Chain(log, count, digest.hex(), begun, None, "")


def _unlike(entry: Row | None, kept: Row | None, digest: bytes, count: int) -> tuple[int, str] | None:
    """What is wrong with an entry and its link: the number of the entry, and words."""
    if kept is None:
        assert entry is not None
        return entry[0], f"entry {entry[0]} has no link: it was put in past the log, or its link was removed"
    number, said, known = kept
    found = said if entry is None else entry[0]
    if entry is not None and number != count + 1:
        return min(found, said), f"a link is missing before entry {said}: entries were removed with their links"
    if entry is None or found > said:
        return said, f"entry {said} is missing"
    if found < said:
        return found, f"entry {found} was put in past the log"
    return None if _next(digest, entry) == bytes(known) else (said, f"entry {said} is not what was logged")


def _next(digest: bytes, entry: Sequence[Any]) -> bytes:
    """The digest after an entry, whose last field is JSON."""
    *fields, document = entry
    kept = document if isinstance(document, bytes) else str(document).encode()  # SQLite holds what was forced on it
    told = msgspec.json.encode([*fields, msgspec.Raw(kept)])
    return hashlib.sha256(digest + told).digest()


def _first(log: str) -> bytes:
    return hashlib.sha256(f"liuyu {log} log".encode()).digest()


def _end(session: Session, log: str) -> tuple[int, bytes]:
    found = session.ask("SELECT link, digest FROM chain WHERE log = ? ORDER BY link DESC LIMIT 1", (log,))
    return (int(found[0][0]), bytes(found[0][1])) if found else (0, _first(log))


def _entries(session: Session, log: str, after: int) -> Iterator[Row]:
    while rows := _read(session, log, after, _AT_ONCE):
        yield from rows
        after = rows[-1][0]


def _read(session: Session, log: str, after: int, count: int) -> list[Row]:
    """The next entries. One whose text is none, in any encoding, comes as its number alone, which no link fits."""
    try:
        return session.ask(_ENTRIES[log], (after, count))
    except UnicodeDecodeError:
        if count > 1:
            return _read(session, log, after, 1)
        return session.ask(_NUMBERS[log], (after,))


def _links(session: Session, log: str) -> Iterator[Row]:
    after = _BEFORE
    while rows := session.ask(_LINKS, (log, after, _AT_ONCE)):
        yield from rows
        after = rows[-1][0]


def _in_parts(entries: Iterator[Row]) -> Iterator[list[Row]]:
    part: list[Row] = []
    for each in entries:
        part.append(each)
        if len(part) == _AT_ONCE:
            yield part
            part = []
    if part:
        yield part


def _begun(session: Session, log: str) -> int:
    begun = _meta(session, _from(log))
    if begun is None:
        raise StoreFailed(
            "the store was written by an older liuyu and has no chain yet; let a twin of this one open it"
        )
    return begun


def _known(log: str) -> None:
    if log not in _ENTRIES:
        raise BadInput(f"no log {log!r} has a chain; choose one of {', '.join(_ENTRIES)}")


def _counter(log: str) -> str:
    return f"chain {log}"


def _from(log: str) -> str:
    return f"chain {log} begun"


def _meta(session: Session, name: str) -> int | None:
    found = session.ask("SELECT value FROM meta WHERE name = ?", (name,))
    return int(found[0][0]) if found else None
