"""The faults of a single condition: keys that do not belong, stations, quantities and thresholds that do not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from typing import Protocol

import msgspec

from liuyu.basin.errors import NotFound
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.respond.contingency.form import Condition
from liuyu.monitor.respond.contingency.situation import stations_of

_PLACES = ("station", "stations", "river", "reservoir")
_KEYS = {
    "observed": (*_PLACES, "quantity", "above", "below", "by", "at_least", "for_h"),
    "forecast": (*_PLACES, "quantity", "above", "below", "by", "at_least", "for_h", "within_h", "chance"),
    "rising": (*_PLACES, "quantity", "rate", "at_least", "for_h"),
    "return_period": (*_PLACES, "quantity", "years", "at_least", "for_h"),
    "numbered_flood": (*_PLACES, "within_h", "at_least"),
    "notice": (*_PLACES, "threshold", "severity", "chance", "at_least"),
    "alert": (*_PLACES, "threshold", "severity", "rule", "at_least"),
    "reported": (),
    "any": ("parts", "at_least"),
    "all": ("parts",),
}
_MEASURED = ("observed", "forecast", "rising", "return_period")


class Notes(Protocol):
    """Whoever notes faults; see checking.Where."""

    def fault(self, thing: object, problem: str, cure: str, *, key: str = "", value: object = "") -> None:
        """Note a fault at a thing of the plan."""


def check_condition(condition: Condition, basin: Basin, where: Notes) -> bool:
    """Note every fault of a condition and of what it joins; True where there is none."""
    faults = _Faults(condition, basin, where)
    faults.keys()
    if condition.kind in {"any", "all"}:
        faults.parts()
        sound = [check_condition(each, basin, where) for each in condition.parts]
        return all(sound) and not faults.count
    if condition.kind == "reported":
        if condition.text is None:
            faults.note("says not what is to be reported", 'add text = { zh = "...", en = "..." }', key="kind")
        return not faults.count
    faults.places()
    if condition.kind in _MEASURED:
        faults.measured()
    if condition.threshold and condition.threshold not in THRESHOLD_KINDS:
        faults.note("no such kind of threshold", _near(condition.threshold, THRESHOLD_KINDS), "threshold",
                    condition.threshold)  # fmt: skip
    return not faults.count


class _Faults:
    """The faults of one condition."""

    def __init__(self, condition: Condition, basin: Basin, where: Notes) -> None:
        self.condition, self.basin, self.where = condition, basin, where
        self.count = 0

    def note(self, problem: str, cure: str, key: str = "", value: object = "") -> None:
        self.count += 1
        self.where.fault(self.condition, problem, cure, key=key, value=value)

    def keys(self) -> None:
        """Keys that this kind of condition does not have."""
        fields = {each.name: each for each in msgspec.structs.fields(Condition)}
        allowed = {"kind", "text", *_KEYS[self.condition.kind]}
        for name, field in fields.items():
            given = getattr(self.condition, name)
            if name not in allowed and given not in (field.default, ()):
                cure = f"known for it: {', '.join(_KEYS[self.condition.kind]) or 'text alone'}"
                self.note(f"means nothing for kind {self.condition.kind!r}", cure, name, given)

    def parts(self) -> None:
        """What any and all join."""
        if not self.condition.parts:
            self.note("joins nothing", "add parts = [{ kind = ... }, ...]", "parts")
        elif self.condition.at_least > len(self.condition.parts):
            cure = f"give 1 to {len(self.condition.parts)}"
            self.note("asks for more than it joins", cure, "at_least", self.condition.at_least)

    def places(self) -> None:
        """Stations, rivers and reservoirs by name."""
        condition, basin = self.condition, self.basin
        given = [name for name in _PLACES if getattr(condition, name)]
        if len(given) > 1:
            self.note(
                f"{' and '.join(given)} at once", "name places in one way", given[1], getattr(condition, given[1])
            )
        if not given and condition.kind in _MEASURED:
            self.note("names no place", f"add one of {', '.join(_PLACES)}", "kind", condition.kind)
        for key, names in (("station", (condition.station,)), ("stations", condition.stations)):
            for name in names:
                if name and name not in basin.station_by_code:
                    self.note("no such station", _near(name, basin.station_by_code), key, name)
        rivers = dict.fromkeys(each.river for each in basin.stations if each.river)
        if condition.river and condition.river not in rivers:
            self.note("no such river", _near(condition.river, rivers), "river", condition.river)
        reservoirs = [each.code for each in basin.reservoirs]
        if condition.reservoir and condition.reservoir not in reservoirs:
            self.note("no such reservoir", _near(condition.reservoir, reservoirs), "reservoir", condition.reservoir)

    def measured(self) -> None:
        """Quantity, line, and how many stations can meet it."""
        condition = self.condition
        try:
            quantity(condition.quantity)
        except NotFound as error:
            self.note("no such quantity", str(error).partition("; ")[2], "quantity", condition.quantity)
            return
        if condition.kind == "rising" and condition.rate is None:
            self.note("says not how fast", "add rate, per hour", "kind", condition.kind)
        if condition.kind == "return_period" and condition.years is None:
            self.note("says not how rare", "add years", "kind", condition.kind)
        if condition.kind in {"observed", "forecast"}:
            self.line()
        stations = stations_of(condition, self.basin)
        for code in stations:
            if condition.quantity not in self.basin.station_by_code[code].quantities:
                known = ", ".join(self.basin.station_by_code[code].quantities)
                self.note(f"station {code} does not report it", f"it reports {known}", "quantity", condition.quantity)
            if condition.kind == "return_period" and not self.basin.frequencies_of(code, condition.quantity):
                self.note(f"no frequency curve of {code} is known", "add it to frequencies.csv", "kind", condition.kind)
        if self.count == 0 and condition.at_least > len(stations):
            cure = f"{len(stations)} stations can meet it: {', '.join(stations[:12]) or 'none'}"
            self.note("asks for more stations than there are", cure, "at_least", condition.at_least)

    def line(self) -> None:
        """The line: a number, or a kind of threshold that the stations have."""
        condition = self.condition
        if (condition.above is None) == (condition.below is None):
            self.note("needs a line", "give one of above and below", "kind", condition.kind)
            return
        key = "above" if condition.below is None else "below"
        given = getattr(condition, key)
        if not isinstance(given, str):
            return
        if given not in THRESHOLD_KINDS:
            self.note("no such kind of threshold", _near(given, THRESHOLD_KINDS), key, given)
            return
        for code in stations_of(condition, self.basin):
            kinds = [each.kind for each in self.basin.thresholds_of(code, condition.quantity)]
            if given not in kinds:
                cure = f"it has {', '.join(dict.fromkeys(kinds)) or 'none'}; give a number, or add it to thresholds.csv"
                self.note(f"station {code} has no such threshold", cure, key, given)


def _near(name: str, known: Iterable[str]) -> str:
    known = list(known)
    found = difflib.get_close_matches(name, known, n=1)
    return f"did you mean {found[0]!r}?" if found else f"known: {', '.join(known[:12]) or 'none'}"
