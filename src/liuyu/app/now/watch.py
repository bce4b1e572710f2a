"""A twin of the present put together: its store, its inbox, its loop and its sources, opened and closed in order."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path

from liuyu.app.config import Config
from liuyu.app.letters import Letters
from liuyu.app.now.present import Duty
from liuyu.app.now.reread import rereader
from liuyu.app.now.wall import WallTwin
from liuyu.app.office import sending
from liuyu.app.sources.runner import Sources
from liuyu.app.sources.source import Place, Settings
from liuyu.app.storage import open_inbox, open_store
from liuyu.app.users import Users
from liuyu.basin.events import Event
from liuyu.basin.places import Basin


def wall_clock() -> int:
    """The time of this machine [s UTC]."""
    return int(time.time())


def home_of(root: Path, basin: Basin) -> Path:
    """Where the twin of the present of a basin is kept."""
    return root / f"{basin.code}-live"


@contextmanager
def watching(
    config: Config,
    basin: Basin,
    sources: Sequence[Settings],
    home: Path,
    users: Users,
    *,
    clock: Callable[[], int] = wall_clock,
) -> Iterator[tuple[WallTwin, Sources]]:
    """A twin and its sources, none of them started. At the end sources stop first; the loop takes what they brought.

    Raises BadInput, BadPackage and StoreFailed where something cannot be opened.
    """
    duty = Duty(
        basin,
        {each.title: each.rank for each in sources},
        config.outlook.forecast_hours,
        config.live.archive_days,
        config.outlook,
    )
    with (
        closing(open_store(home / "store", config.storage)) as store,
        closing(open_inbox(home / "inbox", config.messages, basin)) as inbox,
    ):
        twin = WallTwin(duty, store, inbox, users, clock=clock, live=config.live)
        twin.rehearse_in(home / "rehearsals")
        place = Place(basin, inbox, home, clock, twin.tell, store)
        running = Sources(sources, place)
        twin.orders = running.orders
        twin.letters = Letters(store, clock, reread=rereader(basin, running.every), deliver=twin.deliver)
        where = f"http://{config.server.host}:{config.server.port}"
        with sending(config, twin, home, address=where, replay=False):
            try:
                yield twin, running
            finally:
                running.stop()
                twin.stop()


@contextmanager
def forwarding(
    config: Config,
    basin: Basin,
    sources: Sequence[Settings],
    home: Path,
    *,
    tell: Callable[[Sequence[Event]], None],
    clock: Callable[[], int] = wall_clock,
) -> Iterator[Sources]:
    """Sources that fill an inbox which a loop elsewhere empties, none of them started."""
    with closing(open_inbox(home / "inbox", config.messages, basin)) as inbox:
        running = Sources(sources, Place(basin, inbox, home, clock, tell))
        try:
            yield running
        finally:
            running.stop()
