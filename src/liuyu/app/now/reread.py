"""A dead letter of any source read again: as a parcel or as rows that the loop set aside, else by its source."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence

from liuyu.app.sources.source import Source
from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput, LiuyuError, StoreFailed
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Aside, Batch
from liuyu.store.inbox.interface import Parcel
from liuyu.store.inbox.parcels import unpack

COLUMNS = ("stcd", "time", "quantity", "value")


def rereader(basin: Basin, sources: Sequence[Source]) -> Callable[[str, bytes, int], Parcel]:
    """How a letter is read: its source's name, its bytes, and when it arrived [s UTC], to a parcel.

    What still cannot be read is among the parcel's asides. Raises BadInput where nobody can read such a letter.
    """
    by_name = {each.name: each for each in sources}

    def reread(source: str, payload: bytes, received: int) -> Parcel:
        try:
            return unpack(payload, basin.roster)
        except StoreFailed:
            pass
        if payload.startswith(",".join(COLUMNS).encode()):
            return rows(source, payload, received, basin)
        if source not in by_name:
            raise BadInput(f"no source {source!r} runs here, so nobody can read its letters; name it under [[sources]]")
        return by_name[source].again(payload, received)

    return reread


def rows(source: str, payload: bytes, received: int, basin: Basin) -> Parcel:
    """Rows as the gate and the inbox set them aside; those of stations that are still unknown come out again."""
    taken: list[tuple[int, int, int, float]] = []
    refused: list[str] = []
    for row in csv.DictReader(io.StringIO(payload.decode("utf-8", "replace"))):
        try:
            place = basin.roster.number[row["stcd"]]
            time = epoch(parse_time(row["time"], basin.zone))
            taken.append((place, quantity(row["quantity"]).number, time, float(row["value"])))
        except (LiuyuError, KeyError, TypeError, ValueError):
            refused.append(",".join(str(row.get(each, "")) for each in COLUMNS))
    batch = Batch.of(
        basin.roster,
        [each[0] for each in taken],
        [each[1] for each in taken],
        [each[2] for each in taken],
        [each[3] for each in taken],
        source=source,
    )
    text = "\n".join([",".join(COLUMNS), *refused]) + "\n"
    asides = (Aside(source, f"station or value: still not read: {len(refused)}", text.encode()),) if refused else ()
    return Parcel(source, received, batch, asides)
