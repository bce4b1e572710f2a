"""What messages held, in columns, and what could not be read of them, raw."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime

from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.basin.places import Basin
from liuyu.basin.quantities import Quantity, quantity
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.readers.times import Times
from liuyu.monitor.sense.readers.units import conversion, convert
from liuyu.store.inbox.interface import Parcel

_LATEST = 7_258_118_400  # 2200-01-01 [s UTC]
_MISTAKEN = 100_000_000_000  # as seconds it is the year 5138, as milliseconds 1973


class Found:
    """Takes up observations of one basin, and makes a parcel of them."""

    def __init__(self, basin: Basin, source: str) -> None:
        self._basin, self._source = basin, source
        self._rows: list[tuple[int, int, int, float]] = []
        self._batches: list[Batch] = []
        self._asides: list[Aside] = []
        self._units: dict[tuple[str, str], tuple[Quantity, float, float]] = {}

    def __len__(self) -> int:
        return len(self._rows) + sum(map(len, self._batches))

    def station(self, code: str, codes: Mapping[str, str] | None = None) -> int:
        """Place of a station in the roster. Raises BadInput."""
        ours = (codes or {}).get(code, code)
        place = self._basin.roster.number.get(ours)
        if place is None:
            raise BadInput(f"station: {ours!r} is none of the basin's; add it to stations.csv or correct the topic")
        return place

    def unit(self, name: str, unit: str) -> tuple[Quantity, float, float]:
        """A quantity, and the factor and offset that turn a unit into its own. Raises BadInput."""
        known = self._units.get((name, unit))
        if known is None:
            try:
                what = quantity(name)
                known = self._units[name, unit] = (what, *conversion(unit, what))
            except LiuyuError as error:
                raise BadInput(str(error)) from None
        return known

    def check_interval(self, place: int, what: Quantity, interval: int | None) -> None:
        """Sums are kept over the station's own interval [s]. Raises BadInput for one over another."""
        own = self._basin.stations[place].interval
        if interval is not None and what.kind == "interval" and interval != own:
            raise BadInput(f"{what.name} over {interval} s, where the station's interval is {own} s; send it so")

    def take(self, place: int, unit: tuple[Quantity, float, float], time: int, value: float, add: float = 0.0) -> None:
        """One observation: station by place, its quantity and unit, time [s UTC], value in that unit.

        `add` [unit of the quantity] comes on top. Raises BadInput for what is no finite number.
        """
        what, factor, offset = unit
        if not math.isfinite(value):
            raise BadInput(f"value {value} is no finite number; send null where it is missing")
        made = convert(value, factor, offset, what.decimals)
        self._rows.append((place, what.number, time, round(made + add, what.decimals + 3) if add else made))

    def take_parcel(self, parcel: Parcel, topic: str) -> None:
        """What another reader made of a message on a topic."""
        self._batches.append(parcel.batch)
        for each in parcel.asides:
            self.set_aside(each.reason, topic, each.payload)

    def set_aside(self, reason: str, topic: str, payload: bytes) -> None:
        """Keep a message raw, its topic before it on a line of its own, so that it can be read again."""
        self._asides.append(Aside(self._source, reason, topic.encode() + b"\n" + payload))

    def parcel(self, received: int) -> Parcel:
        """All that was found, as it came. `received` [s UTC]."""
        station, number, time, value = zip(*self._rows, strict=True) if self._rows else ((), (), (), ())
        batch = Batch.of(self._basin.roster, station, number, time, value, source=self._source)
        if self._batches:
            batch = Batch.join([batch, *self._batches])
        return Parcel(self._source, received, batch, tuple(self._asides))


def time_of(told: str | float, times: Times) -> int:
    """Seconds since 1970 UTC of ISO 8601 text with its zone, or of that number itself. Raises BadInput."""
    if isinstance(told, str):
        try:
            return times.of(datetime.fromisoformat(told))
        except ValueError:
            raise BadInput(f"time {told[:40]!r} is not ISO 8601; write it as 2020-08-10T14:00+08:00") from None
        except BadInput as error:
            raise BadInput(f"time {told[:40]!r} {error}") from None
    if abs(told) >= _MISTAKEN:
        raise BadInput(f"time {told} is no number of seconds since 1970; send seconds, or map it as milliseconds")
    if not 0 <= told < _LATEST:
        raise BadInput(f"time {told} lies outside 1970 to 2200; set the logger's clock")
    return int(told)
