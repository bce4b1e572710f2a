"""Station codes and source names as the small numbers that rows hold; independent of any roster."""

from __future__ import annotations

import apsw
import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Roster
from liuyu.store.sqlite.engine import Engine

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

    def source(self, writer: apsw.Connection, name: str) -> int:
        """The number of a source, new or known."""
        if name not in self._sources:
            writer.execute("INSERT INTO source (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
            self._sources[name] = int(writer.execute("SELECT number FROM source WHERE name = ?", (name,)).get)
        return self._sources[name]

    def assign(self, writer: apsw.Connection, roster: Roster, places: NDArray[np.int32]) -> NDArray[np.int64]:
        """Store numbers (n,) of places in a roster; codes met for the first time get the next numbers."""
        found = self._of_writer(writer, roster)[places]
        if (found < 0).any():
            new = np.unique(places[found < 0]).tolist()
            codes = msgspec.json.encode([roster.codes[place] for place in new]).decode()
            writer.execute("INSERT INTO station (code) SELECT value FROM json_each(?) ORDER BY key", (codes,))
            found = self._of_writer(writer, roster)[places]
        return found

    def of_roster(self, connection: apsw.Connection, roster: Roster) -> NDArray[np.int64]:
        """Store number of every place in a roster, UNKNOWN where the store has never met the code: (len(roster),)."""
        if not connection.readonly("main"):
            return self._of_writer(connection, roster)
        size = _count(connection)
        for one, at, numbers in self._seen:
            if one is roster and at == size:
                return numbers
        numbers = _look_up(connection, roster)
        self._seen = [(roster, size, numbers), *self._seen[:3]]
        return numbers

    def places(self, connection: apsw.Connection, roster: Roster) -> NDArray[np.int32]:
        """Place in a roster of every store number from 0 on, UNKNOWN where the roster lacks it."""
        numbers = self.of_roster(connection, roster)
        places = np.full(_count(connection) + 1, UNKNOWN, np.int32)
        known = numbers >= 0
        places[numbers[known]] = np.flatnonzero(known)
        return places

    def _of_writer(self, writer: apsw.Connection, roster: Roster) -> NDArray[np.int64]:
        """Numbers of a roster, remembered until a code is added, by observations or by a forecast."""
        count = _count(writer)
        for one, at, numbers in self._by_roster:
            if one is roster and at == count:
                return numbers
        numbers = _look_up(writer, roster)
        self._by_roster = [(roster, count, numbers), *self._by_roster[:3]]
        return numbers


def _count(connection: apsw.Connection) -> int:
    return int(connection.execute("SELECT coalesce(max(number), 0) FROM station").get)


def station_number(connection: apsw.Connection, code: str) -> int:
    """The number of a station code, UNKNOWN where the store has never met it."""
    row = connection.execute("SELECT number FROM station WHERE code = ?", (code,)).fetchone()
    return int(row[0]) if row else UNKNOWN


def station_codes(connection: apsw.Connection) -> dict[int, str]:
    """Code of every station number."""
    row = connection.execute("SELECT json_group_array(number), json_group_array(code) FROM station").fetchall()[0]
    numbers, codes = (msgspec.json.decode(str(column)) for column in row)
    return dict(zip(numbers, codes, strict=True))


def source_names(connection: apsw.Connection) -> dict[int, str]:
    """Name of every source number."""
    return {int(number): str(name) for number, name in connection.execute("SELECT number, name FROM source")}


def _look_up(connection: apsw.Connection, roster: Roster) -> NDArray[np.int64]:
    numbers = np.full(len(roster), UNKNOWN, np.int64)
    place_of = roster.number
    for number, code in station_codes(connection).items():
        if (place := place_of.get(code)) is not None:
            numbers[place] = number
    return numbers
