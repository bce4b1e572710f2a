"""How one office fills the tables: a basin may say so in `sl323.toml` of its package, and each point has a default.

zone = "Asia/Shanghai"           # of TM; the basin's where left out
unit_name = "liuyu"              # UNITNAME of forecasts
[wptn]                           # code of each tendency, 水势
falling = "4"
rising = "5"
steady = "6"
[stations]                       # our code = theirs
"qingxi_dam" = "99000200"
"""

from __future__ import annotations

import csv
from functools import cache
from importlib.resources import files
from pathlib import Path

import msgspec

from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.sense.readers.times import find_zone

FILE = "sl323.toml"
TENDENCIES = ("falling", "rising", "steady")


@cache
def usual_codes() -> dict[str, str]:
    """The code of each tendency, from `wptn.csv`."""
    text = files("liuyu.monitor.sense.sl323").joinpath("wptn.csv").read_text(encoding="utf-8")
    return {row["tendency"]: row["code"] for row in csv.DictReader(text.splitlines())}


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What an office does in its own way. `wptn` pairs tendencies with codes, `stations` our codes with theirs."""

    zone: str = ""
    unit_name: str = "liuyu"
    wptn: dict[str, str] = msgspec.field(default_factory=lambda: dict(usual_codes()))
    stations: dict[str, str] = {}


def read_rules(folder: Path) -> Rules:
    """The rules of a package, or the usual ones where it has no `sl323.toml`. Raises BadPackage with every fault."""
    if not (folder / FILE).is_file():
        return Rules()
    toml = TomlFile(folder / FILE)
    rules = (Rules() if toml.faults else toml.convert(toml.data, Rules)) or Rules()
    for name, each in toml.data.items():
        if isinstance(each, dict | list) and name not in ("wptn", "stations"):
            toml.fault("is not known here", "known tables: wptn, stations", table=name, key=name)
    wptn, zone = toml.data.get("wptn", {}), toml.data.get("zone", "")
    for name in wptn if isinstance(wptn, dict) else ():
        if name not in TENDENCIES:
            toml.fault("is no tendency", f"known: {', '.join(TENDENCIES)}", table="wptn", key=name)
    try:
        if zone and isinstance(zone, str):
            find_zone(zone)
    except BadInput as error:
        problem, _, cure = str(error).partition("; ")
        toml.fault(problem, cure, key="zone", value=zone)
    if toml.faults:
        raise BadPackage(str(folder / FILE), toml.faults)
    return msgspec.structs.replace(rules, wptn={**usual_codes(), **rules.wptn})
