"""Station codes and source names as the small numbers that rows hold; independent of any roster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Roster
from liuyu.store.postgres.engine import Engine
from liuyu.store.postgres.link import Link

UNKNOWN = -1


class Names:
    """The writer's numbers are remembered until a transaction is taken back; a reader sees what is committed."""

    def __init__(self, engine: Engine) -> None:
        self._sources: dict[str, int] = {}
        self._by_roster: list[tuple[Roster, int, NDArray[np.int64]]] = []
        self._seen: list[tuple[Roster, int, NDArray[np.int64]]] = []
        engine.rolled_back.append(self._forget)

    def _forget(self) -> None:
        self._sources.clear()
        self._by_roster.clear()

    def source(self, writer: Link, name: str) -> int:
        """The number of a source, new or known."""
        if name not in self._sources:
            writer.execute(
                "INSERT INTO source SELECT coalesce(max(number), 0) + 1, %s FROM source ON CONFLICT (name) DO NOTHING",
                (name,),
            )
            row = writer.execute("SELECT number FROM source WHERE name = %s", (name,)).fetchall()[0]
            self._sources[name] = int(row[0])
        return self._sources[name]

    def assign(self, writer: Link, roster: Roster, places: NDArray[np.int32]) -> NDArray[np.int64]:
        """Store numbers (n,) of places in a roster; codes met for the first time get the next numbers."""
        found = self._of_writer(writer, roster)[places]
        if (found < 0).any():
            new = np.unique(places[found < 0]).tolist()
            add_stations(writer, [roster.codes[place] for place in new])
            found = self._of_writer(writer, roster)[places]
        return found

    def of_roster(self, link: Link, roster: Roster) -> NDArray[np.int64]:
        """Store number of every place in a roster, UNKNOWN where the store has never met the code: (len(roster),)."""
        if link.writes:
            return self._of_writer(link, roster)
        size = _count(link)
        for one, at, numbers in self._seen:
            if one is roster and at == size:
                return numbers
        numbers = _look_up(link, roster)
        self._seen = [(roster, size, numbers), *self._seen[:3]]
        return numbers

    def places(self, link: Link, roster: Roster) -> NDArray[np.int32]:
        """Place in a roster of every store number from 0 on, UNKNOWN where the roster lacks it."""
        numbers = self.of_roster(link, roster)
        places = np.full(_count(link) + 1, UNKNOWN, np.int32)
        known = numbers >= 0
        places[numbers[known]] = np.flatnonzero(known)
        return places

    def _of_writer(self, writer: Link, roster: Roster) -> NDArray[np.int64]:
        """Numbers of a roster, remembered until a code is added, by observations or by a forecast."""
        count = _count(writer)
        for one, at, numbers in self._by_roster:
            if one is roster and at == count:
                return numbers
        numbers = _look_up(writer, roster)
        self._by_roster = [(roster, count, numbers), *self._by_roster[:3]]
        return numbers


def add_stations(writer: Link, codes: list[str]) -> None:
    """Give the next numbers to codes, in their order, where they have none."""
    writer.execute(
        "INSERT INTO station SELECT (SELECT coalesce(max(number), 0) FROM station)"
        " + row_number() OVER (ORDER BY n.place), n.code FROM unnest(%s::text[]) WITH ORDINALITY n(code, place)"
        " WHERE NOT EXISTS (SELECT FROM station s WHERE s.code = n.code)",
        (codes,),
    )


def station_number(link: Link, code: str) -> int:
    """The number of a station code, UNKNOWN where the store has never met it."""
    row = link.execute("SELECT number FROM station WHERE code = %s", (code,)).fetchone()
    return int(row[0]) if row else UNKNOWN


def station_codes(link: Link) -> dict[int, str]:
    """Code of every station number."""
    return dict(link.execute("SELECT number, code FROM station ORDER BY number").fetchall())


def source_names(link: Link) -> dict[int, str]:
    """Name of every source number."""
    return dict(link.execute("SELECT number, name FROM source").fetchall())


def _count(link: Link) -> int:
    return int(link.execute("SELECT coalesce(max(number), 0) FROM station").fetchall()[0][0])


def _look_up(link: Link, roster: Roster) -> NDArray[np.int64]:
    numbers = np.full(len(roster), UNKNOWN, np.int64)
    place_of = roster.number
    for number, code in station_codes(link).items():
        if (place := place_of.get(code)) is not None:
            numbers[place] = number
    return numbers
