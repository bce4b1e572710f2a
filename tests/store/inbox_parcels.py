"""Parcels for the tests of inboxes, the same for the same number."""

from __future__ import annotations

import numpy as np

from liuyu.basin.flags import Flag
from liuyu.basin.series import Aside, Batch, Roster
from liuyu.store.inbox.interface import Inbox, Parcel, Placed

ROSTER = Roster(("60112200", "60112201", "汉口"))
NOON = 1_597_060_800
LARGE = 64_000_000


def parcel(number: int, values: int = 3, *, key: str = "", source: str = "sl651") -> Parcel:
    dice = np.random.default_rng(number)
    batch = Batch.of(
        ROSTER,
        dice.integers(0, 3, values),
        dice.integers(1, 20, values),
        NOON + dice.integers(-9999, 9999, values),
        dice.normal(20, 5, values),
        dice.choice([Flag.GOOD, Flag.NOT_EVALUATED, Flag.BAD], values),
        source,
    )
    asides = (Aside(source, "CRC: 错", bytes([number % 256, 0, 255])),) if number % 3 == 0 else ()
    return Parcel(source, NOON + number, batch, asides, key)


def same(found: Parcel, wanted: Parcel) -> bool:
    columns = ("station", "quantity", "time", "value", "flag")
    return (
        (found.source, found.received, found.asides, found.key, found.batch.source)
        == (wanted.source, wanted.received, wanted.asides, wanted.key, wanted.batch.source)
        and found.batch.roster.codes == ROSTER.codes
        and all(np.array_equal(getattr(found.batch, each), getattr(wanted.batch, each)) for each in columns)
    )


def everything(inbox: Inbox, after: int = 0) -> list[Placed]:
    """All that waits beyond a place, as the loop would take it."""
    found: list[Placed] = []
    while taken := inbox.take(found[-1].place if found else after, limit=100):
        found += taken
    return found
