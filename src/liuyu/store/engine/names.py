"""Station codes and source names as the small numbers that rows hold; independent of any roster."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.series import Roster
from liuyu.store.engine.session import Session

UNKNOWN = -1

_ADD_SOURCE = """
INSERT INTO source (number, name) SELECT coalesce(max(number), 0) + 1, ? FROM source WHERE true
ON CONFLICT (name) DO NOTHING
"""


class Names:
    """The writer's numbers are remembered until a transaction is taken back; a reader sees what is committed."""

    def __init__(self) -> None:
        self._sources: dict[str, int] = {}
        self._by_roster: list[tuple[Roster, int, NDArray[np.int64]]] = []
        self._seen: list[tuple[Roster, int, NDArray[np.int64]]] = []

    def forget(self) -> None:
        """A transaction was taken back: what the writer remembers may be wrong."""
        self._sources.clear()
        self._by_roster.clear()

    def source(self, writer: Session, name: str) -> int:
        """The number of a source, new or known."""
        if name not in self._sources:
            writer.ask(_ADD_SOURCE, (name,))
            self._sources[name] = int(writer.ask("SELECT number FROM source WHERE name = ?", (name,))[0][0])
        return self._sources[name]

    def assign(self, writer: Session, roster: Roster, places: NDArray[np.int32]) -> NDArray[np.int64]:
        """Store numbers (n,) of places in a roster; codes met for the first time get the next numbers."""
        found = self._of_writer(writer, roster)[places]
        if (found < 0).any():
            new = np.unique(places[found < 0]).tolist()
            writer.add_stations([roster.codes[place] for place in new])
            found = self._of_writer(writer, roster)[places]
        return found

    def of_roster(self, session: Session, roster: Roster) -> NDArray[np.int64]:
        """Store number of every place in a roster, UNKNOWN where the store has never met the code: (len(roster),)."""
        if session.writes:
            return self._of_writer(session, roster)
        size = _count(session)
        for one, at, numbers in self._seen:
            if one is roster and at == size:
                return numbers
        numbers = _look_up(session, roster)
        self._seen = [(roster, size, numbers), *self._seen[:3]]
        return numbers

    def places(self, session: Session, roster: Roster) -> NDArray[np.int32]:
        """Place in a roster of every store number from 0 on, UNKNOWN where the roster lacks it."""
        numbers = self.of_roster(session, roster)
        places = np.full(_count(session) + 1, UNKNOWN, np.int32)
        known = numbers >= 0
        places[numbers[known]] = np.flatnonzero(known)
        return places

    def _of_writer(self, writer: Session, roster: Roster) -> NDArray[np.int64]:
        """Numbers of a roster, remembered until a code is added, by observations or by a forecast."""
        count = _count(writer)
        for one, at, numbers in self._by_roster:
            if one is roster and at == count:
                return numbers
        numbers = _look_up(writer, roster)
        self._by_roster = [(roster, count, numbers), *self._by_roster[:3]]
        return numbers


def station_number(session: Session, code: str) -> int:
    """The number of a station code, UNKNOWN where the store has never met it."""
    rows = session.ask("SELECT number FROM station WHERE code = ?", (code,))
    return int(rows[0][0]) if rows else UNKNOWN


def source_names(session: Session) -> dict[int, str]:
    """Name of every source number."""
    return {int(number): str(name) for number, name in session.ask("SELECT number, name FROM source")}


def _count(session: Session) -> int:
    return int(session.ask("SELECT coalesce(max(number), 0) FROM station")[0][0])


def _look_up(session: Session, roster: Roster) -> NDArray[np.int64]:
    numbers = np.full(len(roster), UNKNOWN, np.int64)
    place_of = roster.number
    for number, code in session.station_codes().items():
        if (place := place_of.get(code)) is not None:
            numbers[place] = number
    return numbers
