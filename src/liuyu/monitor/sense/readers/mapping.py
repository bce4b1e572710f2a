"""The mapping file: how a foreign file's columns, codes, units and times become observations. TOML, read as a whole.

The format is told in docs/reference/exchange.md.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping as Pairs
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from liuyu.basin.errors import BadInput, BadPackage, LiuyuError
from liuyu.basin.quantities import quantity
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.sense.readers.reading import FLAGS
from liuyu.monitor.sense.readers.times import find_zone
from liuyu.monitor.sense.readers.units import conversion

Column = str | int
Missing = tuple[str | int | float, ...]
_Name = Annotated[Column, msgspec.Meta(description="name of a column, or its number from 1")]


class TimePart(msgspec.Struct, frozen=True, kw_only=True):
    """`[time]`: the column, or several that are joined by a blank, and the strptime format, empty for ISO 8601."""

    column: _Name | tuple[Column, ...] = ()
    format: str = ""


class StationPart(msgspec.Struct, frozen=True, kw_only=True):
    """`[station]`: the column with the code, or one code for the whole file."""

    column: _Name = ""
    code: str = ""


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """`[[values]]`: where a quantity stands and in which unit.

    In tables `column` names its column, `when` the texts of `when_column` in whose rows it stands, and `unless` those
    in whose rows it does not. In WaterML and SHEF `code` is the property or the beginning of the parameter code. `add`
    [unit of the quantity] is added after the unit is converted: for levels it is the height of the file's zero above
    the station's datum.
    """

    quantity: str
    column: _Name = ""
    code: str = ""
    unit: str = ""
    add: float = 0.0
    missing: Missing = ()
    when_column: _Name = ""
    when: str | tuple[str, ...] = ()
    unless: str | tuple[str, ...] = ()
    flag_column: _Name = ""


class Mapping(msgspec.Struct, frozen=True, kw_only=True):
    """A whole mapping file. `zone` is for times without one; `shift_minutes` is added to every time."""

    kind: Literal["mapping"] = "mapping"
    source: str = ""
    zone: str = ""
    shift_minutes: int = 0
    encoding: str = "utf-8"
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ".", ",", " ", "'"] = ""
    comment: str = ""
    skip_rows: Annotated[int, msgspec.Meta(ge=0)] = 0
    header: bool = True
    sheet: str | int = ""
    missing: Missing = ("", "-", "--", "NaN", "nan", "null", "NULL")
    time: TimePart = TimePart()
    station: StationPart = StationPart()
    codes: dict[str, str] = {}
    values: tuple[Value, ...] = ()
    flags: dict[str, int] = {}


def read_mapping(path: Path) -> Mapping:
    """The mapping in a file. Raises BadPackage, which lists every fault with its line."""
    toml = TomlFile(path)
    mapping = Mapping() if toml.faults else _convert(toml)
    if toml.faults or mapping is None:
        raise BadPackage(str(path), toml.faults)
    return mapping


_TABLES = ("time", "station", "values", "flags")


def _convert(toml: TomlFile) -> Mapping | None:
    plain = {name: each for name, each in toml.data.items() if name not in _TABLES}
    for name, each in plain.items():
        if isinstance(each, dict | list) and name != "missing":
            toml.fault("is not known here", f"known: {', '.join((*_TABLES, 'missing'))}", table=name, key=name)
    head = toml.convert(plain, Mapping)
    _check_texts(toml, plain)
    station = _table(toml, "station")
    given = {name: each for name, each in station.items() if name != "codes"}
    flags = _texts(toml, "flags", toml.data.get("flags", {}))
    for code, name in flags.items():
        if name not in FLAGS:
            toml.fault("is no flag", f"known: {', '.join(FLAGS)}", table="flags", key=code, value=name)
    parts = {
        "time": toml.convert(_table(toml, "time"), TimePart, table="time"),
        "station": toml.convert(given, StationPart, table="station"),
        "codes": _texts(toml, "station.codes", station.get("codes", {})),
        "values": tuple(each for index, each in toml.tables("values", Value) if _sound(toml, index, each)),
        "flags": {code: FLAGS.get(name, 0) for code, name in flags.items()},
    }
    return None if head is None or toml.faults else msgspec.structs.replace(head, **parts)


def _table(toml: TomlFile, name: str) -> Pairs[str, Any]:
    found = toml.data.get(name, {})
    if isinstance(found, dict):
        return found
    toml.fault("must be a table", f"write [{name}]", key=name, value=found)
    return {}


def _texts(toml: TomlFile, table: str, found: Any) -> dict[str, str]:
    if not isinstance(found, dict) or not all(isinstance(each, str) for each in found.values()):
        toml.fault("must pair texts with texts", f'write [{table}] and lines "theirs" = "ours"', table=table)
        return {}
    return dict(found)


def _sound(toml: TomlFile, index: int, value: Value) -> bool:
    """True where the quantity and its unit are known and it says where it stands."""
    before = len(toml.faults)
    try:
        conversion(value.unit, quantity(value.quantity))
    except LiuyuError as error:
        problem, _, cure = str(error).partition("; ")
        key = "unit" if isinstance(error, BadInput) else "quantity"
        toml.fault(problem, cure, key=key, value=getattr(value, key), table="values", index=index)
    if (value.column == "") == (value.code == ""):
        toml.fault(
            "must name either column or code",
            "column for tables, code for WaterML and SHEF",
            table="values",
            index=index,
        )
    return len(toml.faults) == before


def _check_texts(toml: TomlFile, plain: Pairs[str, Any]) -> None:
    """Texts that are well formed and yet mean nothing; what is no text has its fault already."""
    texts = {name: each for name, each in plain.items() if isinstance(each, str)}
    try:
        if texts.get("zone"):
            find_zone(texts["zone"])
    except BadInput as error:
        problem, _, cure = str(error).partition("; ")
        toml.fault(problem, cure, key="zone", value=texts["zone"])
    try:
        codecs.lookup(texts.get("encoding", "utf-8"))
    except LookupError:
        toml.fault("is no encoding", "write utf-8 or gb18030, for example", key="encoding", value=texts["encoding"])
    if len(texts.get("delimiter", ",")) != 1:
        toml.fault("must be one character", "write , or ; or \\t", key="delimiter", value=texts["delimiter"])
    if texts.get("decimal", ".") == texts.get("thousands"):
        toml.fault("is the decimal sign too", "set another", key="thousands", value=texts["thousands"])
