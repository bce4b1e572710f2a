"""The sending half of a duty office, opened and closed with its twin: channels, addresses for phones, the postbox."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from liuyu.app.acts import Acts
from liuyu.app.config import Config
from liuyu.app.links import Links
from liuyu.app.outbox import Postbox
from liuyu.monitor.respond.channels import Place, open_channels


def machine_clock() -> int:
    """The time of this machine [s UTC], by which messages are sent and tried again, whatever the twin's clock says."""
    return int(time.time())


@contextmanager
def sending(
    config: Config,
    twin: Acts,
    home: Path,
    *,
    address: str,
    replay: bool,
    clock: Callable[[], int] = machine_clock,
) -> Iterator[None]:
    """Send what a twin signs by the configured channels, while it lasts.

    In a replay nothing leaves the house unless [respond] send_in_replay says so. `address` is where the twin answers,
    if [respond] address names no other. Raises BadInput where a channel cannot be opened.
    """
    channels = open_channels(config.channels, Place(Path(), home, twin.store))
    links = Links(home, config.respond.address or address)
    outgoing = config.respond.send_in_replay or not replay
    twin.equip(Postbox(twin.basin, channels, links, clock, outgoing=outgoing))
    try:
        yield
    finally:
        twin.unequip()
