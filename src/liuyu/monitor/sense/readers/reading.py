"""What a reader hands over: the observations, what was set aside raw, and every fault of the file."""

from __future__ import annotations

from dataclasses import dataclass

from liuyu.basin.errors import Fault
from liuyu.basin.flags import Flag
from liuyu.basin.series import Aside, Batch, Roster

_SHOWN = 60


@dataclass(frozen=True, slots=True)
class Reading:
    """A file, read. `missing` counts the cells that say that there is no value."""

    batch: Batch
    asides: tuple[Aside, ...] = ()
    faults: tuple[Fault, ...] = ()
    missing: int = 0


class Gatherer:
    """Takes up what a reader finds, in the order of the file, and makes a Reading of it.

    A station code is translated by `codes` where it stands there. Where a file says a value twice, the later one
    counts and the earlier one is set aside, unless they are equal.
    """

    def __init__(self, file: str, roster: Roster, source: str = "", codes: dict[str, str] | None = None) -> None:
        self.file, self.roster, self.source = file, roster, source or file
        self._codes = codes or {}
        self._values: dict[tuple[int, int, int], tuple[float, int, str]] = {}
        self._faults: list[Fault] = []
        self._aside: dict[str, list[str]] = {}
        self._missing = 0

    def station(self, code: str) -> int | None:
        """Place in the roster of a code as the file writes it, or None where the basin has no such station."""
        return self.roster.number.get(self._codes.get(code, code))

    def take(self, place: int, number: int, time: int, value: float, flag: int, raw: str) -> None:
        """One observation: station by place, quantity by number, time [s UTC], value [unit of the quantity], flag."""
        key = (time, place, number)
        before = self._values.get(key)
        if before is not None and before[:2] != (value, flag):
            self.set_aside("another value of the same station, quantity and time comes later in the file", before[2])
        self._values[key] = (value, flag, raw)

    def miss(self) -> None:
        """One cell that says that there is no value."""
        self._missing += 1

    def set_aside(self, reason: str, raw: str) -> None:
        """Keep a piece of the file raw, with others of the same reason."""
        self._aside.setdefault(reason, []).append(raw)

    def unknown_station(self, code: str, raw: str) -> None:
        """Keep what was said of a station that the basin does not have."""
        said = f"unknown station {code}, add it to stations.csv or translate it in the mapping"
        self.set_aside(said if code else "no station code", raw)

    def fault(
        self, problem: str, cure: str, *, line: int | None = None, field: str = "", value: object = "", raw: str = ""
    ) -> None:
        """Note a fault, and keep the raw piece that it spoils."""
        text = str(value)
        shown = text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
        self._faults.append(Fault(file=self.file, line=line, field=field, value=shown, problem=problem, cure=cure))
        if raw:
            self.set_aside(f"{field + ' ' if field else ''}{problem}", raw)

    def reading(self) -> Reading:
        """Everything so far, observations by time, station and quantity."""
        keys = sorted(self._values)
        held = [self._values[key] for key in keys]
        batch = Batch.of(
            self.roster,
            [place for _, place, _ in keys],
            [number for *_, number in keys],
            [time for time, *_ in keys],
            [value for value, *_ in held],
            [flag for _, flag, _ in held],
            self.source,
        )
        asides = tuple(
            Aside(self.source, f"{reason}: {len(pieces)}", "\n".join(pieces).encode())
            for reason, pieces in self._aside.items()
        )
        return Reading(batch, asides, tuple(self._faults), self._missing)


FLAGS = {each.name.lower(): int(each) for each in Flag}
