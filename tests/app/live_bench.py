"""A twin of the present for tests: its clock stands where the test puts it, its steps are taken by hand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path

from liuyu.app.config import Live
from liuyu.app.now.present import Duty
from liuyu.app.now.wall import WallTwin
from liuyu.app.users import Users
from liuyu.basin.clock import HOUR
from liuyu.basin.events import Event
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Parcel
from liuyu.store.sqlite import open_store

NOW = 1_782_856_800  # an hour of July 2026
GAUGE, WARNING = "99000300", 96.0
Row = tuple[str, str, int, float]


def qingxi() -> Basin:
    return read_basin(find_basin("qingxi"))


class Desk:
    """The twin, its inbox, and the clock in between."""

    def __init__(self, twin: WallTwin, inbox: FileInbox, now: int) -> None:
        self.twin, self.inbox, self.now = twin, inbox, now

    def put(self, rows: Iterable[Row], source: str = "stations") -> None:
        """Have a source deliver values: station, quantity, time, value."""
        self.inbox.put([parcel(self.twin.basin, rows, source, self.now)])

    def step(self, now: int | None = None) -> None:
        """Set the clock on, a step at least, and take the step."""
        self.now = now if now is not None else self.now + 10
        assert self.twin.turn()

    def events(self, *kinds: str) -> list[Event]:
        return self.twin.store.events(kinds=kinds)

    def values(self, station: str = GAUGE, kind: str = "water_level") -> dict[int, float]:
        found = self.twin.store.series(station, kind, 0, 2**40)
        return dict(zip(found.time.tolist(), found.value.tolist(), strict=True))


def parcel(basin: Basin, rows: Iterable[Row], source: str, now: int) -> Parcel:
    held = list(rows)
    batch = Batch.of(
        basin.roster,
        [basin.roster.number[station] for station, *_ in held],
        [quantity(name).number for _, name, *_ in held],
        [time for _, _, time, _ in held],
        [value for *_, value in held],
        source=source,
    )
    return Parcel(source, now, batch)


def levels(values: Iterable[float], end: int, station: str = GAUGE, step: int = HOUR) -> list[Row]:
    """Levels of one station, the last of them at `end`."""
    held = list(values)
    first = end - step * (len(held) - 1)
    return [(station, "water_level", first + step * each, value) for each, value in enumerate(held)]


@contextmanager
def desk(
    folder: Path, *, now: int = NOW, ranks: Mapping[str, int] | None = None, live: Live | None = None
) -> Iterator[Desk]:
    """A twin on a folder, opened at a time; once more on the same folder it goes on where it stood."""
    basin = qingxi()
    with closing(open_store(folder / "store")) as store:
        inbox = FileInbox(folder / "inbox", basin.roster, most=1 << 24)
        held: list[Desk] = []

        def clock() -> int:
            return held[0].now if held else now

        duty = Duty(basin, ranks or {})
        twin = WallTwin(duty, store, inbox, Users(folder), clock=clock, live=live or Live())
        held.append(Desk(twin, inbox, now))
        yield held[0]
