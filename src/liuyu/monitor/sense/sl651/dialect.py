"""How a station departs from the standard, as data: one small TOML file for a province, a maker or a basin.

kind = "telemetry"

[[station]]
address = "0030301495"          # as in the frame; "*" for all others
hourly_time = "end"             # which value of an hour its time of observation is: first, end, auto
password = "1234"
level_bases = [18.50]           # base of each relative level F5 to FC [m]
elements = [{ id = "FF33", name = "signal", unit = "dBm", binary = true }]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from liuyu.basin.errors import BadPackage, Fault, NotFound
from liuyu.basin.quantities import quantity
from liuyu.basin.toml_file import TomlFile

Address = Annotated[str, msgspec.Meta(pattern=r"^([0-9A-F]{10}|\*)$", description='ten hex digits, or "*"')]
Identifier = Annotated[str, msgspec.Meta(pattern=r"^(FF)?[0-9A-F]{2}$", description='hex digits as "FF92"')]
Secret = Annotated[str, msgspec.Meta(pattern=r"^[0-9A-F]{4}$", description="four hex digits")]
Zone = Annotated[float, msgspec.Meta(ge=-12, le=14, description="hours east of Greenwich")]
Bases = Annotated[tuple[float, ...], msgspec.Meta(max_length=8, description="up to eight levels [m]")]


class Odd(msgspec.Struct, frozen=True, kw_only=True):
    """An element that the standard lacks or that a station uses otherwise. binary: a whole number, high byte first."""

    id: Identifier
    name: str = ""
    quantity: str = ""
    unit: str = ""
    binary: bool = False


class Dialect(msgspec.Struct, frozen=True, kw_only=True):
    """One station's way. `code` is its code in the basin, by default the last eight digits of the address."""

    address: Address = "*"
    code: str = ""
    zone: Zone = 8.0
    hourly_time: Literal["auto", "first", "end"] = "auto"
    password: Secret | None = None
    level_bases: Bases = ()
    elements: tuple[Odd, ...] = ()

    @property
    def offset(self) -> int:
        """Seconds by which the station's wall clock is ahead of UTC."""
        return round(self.zone * 3600)

    def odd(self, identifier: str) -> Odd | None:
        """What the station means by an identifier, if not what the standard means."""
        return next((each for each in self.elements if each.id == identifier), None) if self.elements else None


STANDARD = Dialect()


class Dialects:
    """The dialect of each station; all that are not listed share one."""

    def __init__(self, stations: Sequence[Dialect] = (), default: Dialect = STANDARD) -> None:
        self.stations: Mapping[str, Dialect] = {each.address: each for each in stations}
        self.default = default

    def of(self, station: str) -> Dialect:
        """The dialect of a station by its address."""
        return self.stations.get(station, self.default)


def read_dialects(files: Sequence[Path]) -> Dialects:
    """The dialects of some files. Raises BadPackage with every fault of every file."""
    found: list[Dialect] = []
    faults: list[Fault] = []
    for path in files:
        file = TomlFile(path)
        if file.data and file.kind != "telemetry":
            file.fault("not a telemetry file", 'begin it with kind = "telemetry"', key="kind", value=file.kind)
        for index, row in file.tables("station", Dialect):
            _check(file, index, row, found)
            found.append(row)
        faults += file.faults
    if faults:
        raise BadPackage(", ".join(map(str, files)), faults)
    default = next((each for each in found if each.address == "*"), STANDARD)
    return Dialects([each for each in found if each.address != "*"], default)


def _check(file: TomlFile, index: int, row: Dialect, before: Sequence[Dialect]) -> None:
    if any(each.address == row.address for each in before):
        file.fault("listed twice", "keep one", table="station", index=index, key="address", value=row.address)
    for each in row.elements:
        try:
            unit = quantity(each.quantity).unit if each.quantity else each.unit
        except NotFound as error:
            file.fault(str(error), "name a known one", table="station", index=index, key="elements", value=each.id)
            continue
        if unit != each.unit:
            cure = f"the unit of {each.quantity} is {unit!r}; send that, or leave out the quantity"
            file.fault("another unit", cure, table="station", index=index, key="elements", value=each.unit)
