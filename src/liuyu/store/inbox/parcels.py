"""A parcel as bytes, the same for every inbox: its facts as MessagePack, then its columns, low byte first.

Stations stand there by code, not by their place in a roster, so that a parcel that waited while the basin package was
changed still finds its stations; values of a station that is gone come out as an aside.
"""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import moment
from liuyu.basin.errors import NotFound, StoreFailed
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside, Batch, Roster
from liuyu.store.inbox.interface import Parcel

FORM = 1
_LENGTH = 4
_COLUMNS = (("station", "<i4"), ("quantity", "<i2"), ("time", "<i8"), ("value", "<f8"), ("flag", "u1"))
_WIDTH = sum(np.dtype(kind).itemsize for _, kind in _COLUMNS)


class _Facts(msgspec.Struct, frozen=True, array_like=True):
    """All of a parcel but its columns; `codes` are the stations that these name by number."""

    form: int
    source: str
    received: int
    key: str
    origin: str
    values: int
    codes: tuple[str, ...]
    asides: tuple[tuple[str, str, bytes], ...]


def pack(parcel: Parcel) -> bytes:
    """A parcel as bytes. Raises StoreFailed for a batch that numbers stations beyond its roster."""
    batch, codes = parcel.batch, parcel.batch.roster.codes
    if len(batch) and not 0 <= int(batch.station.min()) <= int(batch.station.max()) < len(codes):
        raise StoreFailed(f"a batch from {parcel.source!r} numbers stations beyond its roster of {len(codes)}")
    used, number = np.unique(batch.station, return_inverse=True)
    facts = msgspec.msgpack.encode(
        _Facts(
            FORM,
            parcel.source,
            parcel.received,
            parcel.key,
            batch.source,
            len(batch),
            tuple(codes[place] for place in used.tolist()),
            tuple((each.source, each.reason, each.payload) for each in parcel.asides),
        )
    )
    columns = (number, batch.quantity, batch.time, batch.value, batch.flag)
    parts = [np.ascontiguousarray(each, kind).tobytes() for each, (_, kind) in zip(columns, _COLUMNS, strict=True)]
    return b"".join([len(facts).to_bytes(_LENGTH, "little"), facts, *parts])


def unpack(data: bytes, roster: Roster) -> Parcel:
    """The parcel that was packed, its batch in places of `roster`.

    Values of stations that the roster lacks are in one more aside, as CSV. Raises StoreFailed for bytes that are no
    parcel, or one of a form that this version does not know.
    """
    facts, start = _facts(data)
    columns: dict[str, NDArray[Any]] = {}
    for name, form in _COLUMNS:
        columns[name] = np.frombuffer(data, form, facts.values, start)
        start += columns[name].nbytes
    places = np.array([roster.number.get(code, -1) for code in facts.codes], np.int32)
    number = columns["station"]
    if len(number) and not 0 <= int(number.min()) <= int(number.max()) < len(facts.codes):
        raise StoreFailed(f"a parcel from {facts.source!r} names stations that it does not list; it is damaged")
    station = places[number] if len(number) else np.empty(0, np.int32)
    kind, time, value, flag = (columns[name] for name, _ in _COLUMNS[1:])
    batch = Batch.of(roster, station, kind, time, value, flag, facts.origin)
    asides = tuple(Aside(*each) for each in facts.asides)
    gone = station < 0
    if gone.any():
        asides = (*asides, _unknown(facts, number[gone], batch.take(gone)))
        batch = batch.take(~gone)
    return Parcel(facts.source, facts.received, batch, asides, facts.key)


def unpack_any(data: bytes, roster: Roster) -> Parcel:
    """The parcel that was packed; what cannot be read comes out as an aside, lest it hold up what stands behind it."""
    try:
        return unpack(data, roster)
    except StoreFailed as error:
        return Parcel("inbox", 0, Batch.empty(roster), (Aside("inbox", str(error), data),))


def _facts(data: bytes) -> tuple[_Facts, int]:
    """The facts of a parcel, and where its columns begin."""
    start = _LENGTH + int.from_bytes(data[:_LENGTH], "little")
    try:
        facts = msgspec.msgpack.decode(memoryview(data)[_LENGTH:start], type=_Facts)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise StoreFailed(f"{len(data)} bytes are no parcel ({error}); set them aside") from None
    if facts.form != FORM:
        raise StoreFailed(f"a parcel has form {facts.form}, this version reads {FORM}; use the version that wrote it")
    if len(data) != start + facts.values * _WIDTH:
        raise StoreFailed(f"a parcel of {facts.values} values from {facts.source!r} has {len(data)} bytes; cut short")
    return facts, start


def _unknown(facts: _Facts, number: NDArray[np.int32], gone: Batch) -> Aside:
    lines = ["stcd,time,quantity,value"]
    rows = zip(number.tolist(), gone.time.tolist(), gone.quantity.tolist(), gone.value.tolist(), strict=True)
    lines += [
        f"{facts.codes[each]},{moment(time).isoformat()},{_name(kind)},{value!r}" for each, time, kind, value in rows
    ]
    count = f"{len(gone)} value{'s' if len(gone) > 1 else ''}"
    reason = f"station: not in the basin any more: {count}"
    return Aside(facts.source, reason, ("\n".join(lines) + "\n").encode())


def _name(number: int) -> str:
    try:
        return quantity(number).name
    except NotFound:
        return str(number)
