"""Dead letters: what was set aside is shown, read as far as it can be, and delivered after all once it can be read.

Nothing is deleted: a letter that was tried again keeps its bytes and is marked with what came of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialects, Piece, decode
from liuyu.monitor.sense.sl651.lines import to_line as sl651_line
from liuyu.monitor.sense.stations import Limits, Received
from liuyu.monitor.sense.stations.hearing import Hearing
from liuyu.monitor.sense.stations.links import Cutter
from liuyu.monitor.sense.szy206.lines import to_line as szy206_line
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Letter, Store
from liuyu.web.ports import ROLES, LetterSheet, Role, User

SHOWN = 4096
TEXT = 4000
Reread = Callable[[str, bytes, int], Parcel]


class Letters:
    """The dead letters of one twin; satisfies `web.ports.LetterDesk`.

    reread: a source's bytes, and when they arrived [s UTC], as a parcel. deliver: makes it durable. clock: the centre's
    [s UTC]. dialects: how stations depart from the standard, to show what they said.
    """

    def __init__(
        self,
        store: Store,
        clock: Callable[[], int],
        *,
        reread: Reread,
        deliver: Callable[[Parcel], None],
        dialects: Dialects | None = None,
    ) -> None:
        self._store, self._clock, self._reread, self._deliver = store, clock, reread, deliver
        self._dialects = dialects or Dialects()

    def listed(
        self,
        user: User,
        *,
        source: str = "",
        reason: str = "",
        state: str = "",
        start: int | None = None,
        end: int | None = None,
        before: int | None = None,
        limit: int = 100,
    ) -> list[LetterSheet]:
        """Letters, newest first; see `Store.letters`. Needs duty_officer. Raises BadInput."""
        _need(user, "duty_officer", "see dead letters")
        found = self._store.letters(
            source=source, reason=reason, state=state, start=start, end=end, before=before, limit=limit
        )
        return [sheet(each) for each in found]

    def find(self, user: User, id: int) -> LetterSheet:
        """One letter, read as far as it can be. Needs duty_officer. Raises NotFound."""
        _need(user, "duty_officer", "see dead letters")
        return sheet(self._letter(id), self._dialects)

    def replay(self, user: User, id: int) -> LetterSheet:
        """Decode a letter again and deliver what is in it. Needs administrator. Raises NotFound, BadInput."""
        _need(user, "administrator", "replay dead letters")
        letter, now = self._letter(id), self._clock()
        parcel = self._reread(letter.source, letter.payload, letter.received)
        state, note = outcome(parcel)
        if len(parcel.batch):
            self._deliver(replace(parcel, received=now, asides=(), key=""))
        with self._store.transaction():
            marked = self._store.mark_letter(id, state, note, now=now)
            who = f"{user.name} ({user.role})"
            detail = {"source": letter.source, "reason": letter.reason, "state": state, "note": note}
            self._store.audit(at=now, user=who, action="replay_letter", target=str(id), detail=detail)
        return sheet(marked, self._dialects)

    def _letter(self, id: int) -> Letter:
        found = self._store.letters(id=id, limit=1)
        if not found:
            raise NotFound(f"no letter {id}; list them for their numbers")
        return found[0]


def outcome(parcel: Parcel) -> tuple[str, str]:
    """State and note of a letter that was read again: replayed where something was taken, or nothing refused."""
    count = len(parcel.batch)
    values = f"{count} value{'' if count == 1 else 's'} delivered"
    if not parcel.asides:
        return "replayed", values
    reasons = "; ".join(sorted({each.reason for each in parcel.asides}))
    return ("replayed", f"{values}; still refused: {reasons}") if count else ("refused", reasons)


def reread_frames(parcel: Callable[[list[Received]], Parcel], dialects: Dialects) -> Reread:
    """Bytes that stations sent, read again. `parcel` makes observations of frames, as `ingest.Frames.parcel` does."""

    def reread(source: str, payload: bytes, received: int) -> Parcel:
        cutter, hearing = Cutter(), Hearing(dialects, Limits())
        pieces = cutter.feed(payload) + cutter.close()
        link = _Paper(cutter)
        heard = [hearing.hear(link, each, received).received for each in pieces or [Piece(payload, False)]]
        return replace(parcel(heard), source=source)

    return reread


class _Paper:
    """The link of a letter: nobody listens at its other end."""

    name, waiting, heard, stands, open = "letter", 0, 0.0, False, False

    def __init__(self, cutter: Cutter) -> None:
        self.protocol = cutter.protocol

    def send(self, data: bytes) -> None:
        """Nobody hears it."""

    def resume(self) -> None:
        """Nothing is read."""

    def settle(self) -> None:
        """Nothing waits."""


def sheet(letter: Letter, dialects: Dialects | None = None) -> LetterSheet:
    """A letter as it is shown; with dialects read as far as it can be, without them short."""
    shown = letter.payload if dialects is not None else letter.payload[:SHOWN]
    return LetterSheet(
        id=letter.id,
        source=letter.source,
        reason=letter.reason,
        received=moment(letter.received),
        state=letter.state,  # type: ignore[arg-type]
        size=len(letter.payload),
        hex=shown.hex().upper(),
        marked=None if letter.marked is None else moment(letter.marked),
        note=letter.note,
        said=None if dialects is None else reading(letter.payload, letter.received, dialects),
    )


def reading(payload: bytes, received: int, dialects: Dialects) -> dict[str, Any]:
    """What a decoder makes of some bytes: `frames`, a line for each piece of telemetry, or `text`, or `json`."""
    if any(mark in payload for mark in (b"\x7e\x7e", b"\x01")) or payload[:1] == payload[2:3] == b"\x68":
        cutter = Cutter()
        pieces = cutter.feed(payload) + cutter.close()
        return {"frames": [_line(each, cutter, received, dialects) for each in pieces]}
    text = payload.decode("utf-8", "replace")
    try:
        return {"json": json.loads(text)}
    except ValueError:
        return {"text": text[:TEXT]}


def _line(piece: Piece, cutter: Cutter, received: int, dialects: Dialects) -> dict[str, Any]:
    if cutter.protocol == "sl651":
        return sl651_line(decode(piece.data, dialects, received), dialects)
    line = szy206_line(szy206.decode(piece.data, received))
    return {key: each for key, each in line.items() if key != "password"}


def _need(user: User, role: Role, what: str) -> None:
    if ROLES.index(user.role) < ROLES.index(role):
        raise NotAllowed(f"{user.name!r} is a {user.role} and may not {what}; sign in as {role}")


def nowhere(_source: str, _payload: bytes, _received: int) -> Parcel:
    """For a twin that reads no telemetry. Raises BadInput."""
    raise BadInput("this twin reads no telemetry, so a letter cannot be read again; replay it at one that does")
