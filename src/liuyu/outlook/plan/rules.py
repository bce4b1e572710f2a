"""What a reservoir is operated for, pool by pool: the rules of a package's file, or plain ones from its thresholds.

A stage uses the pool up to `upto` so that a gauge keeps to a line. The lower stage gives way first: when the pool has
risen past it, only the lines of the higher ones are kept.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from liuyu.basin.errors import BadPackage
from liuyu.basin.places import Basin, Reservoir
from liuyu.basin.toml_file import TomlFile

DRAWDOWN_DAYS = 5.0


class Stage(msgspec.Struct, frozen=True, kw_only=True):
    """The pool up to `upto` [m] serves to keep a gauge at or below `line` [m]; `easing` [m] is a lower line, kept by
    choice while the pool has room. The datums are those of the two stations."""

    reservoir: str
    upto: float
    station: str
    line: float
    easing: float | None = None
    name: str = ""
    name_en: str = ""
    source: str


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How a reservoir (`code`) moves: days in which the pool is to be back at its flood limit, and the most that a
    release changes in ordinary operation [m3/s per hour]."""

    code: str
    drawdown_days: float = DRAWDOWN_DAYS
    ramp: float | None = None


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one reservoir: its stages by rising pool; ramp [m3/s per hour]."""

    stages: tuple[Stage, ...]
    drawdown_days: float
    ramp: float

    def serving(self, level: float) -> tuple[Stage, ...]:
        """The stages whose lines are kept at a level of the pool [m], lowest first."""
        return tuple(each for each in self.stages if level < each.upto)


def read_reservoir_rules(files: Sequence[Path], basin: Basin) -> dict[str, Rules]:
    """Rules by reservoir code from files of kind "reservoir_rules". Raises BadPackage with every fault."""
    read = [TomlFile(path) for path in files]
    stages: list[Stage] = []
    manners: dict[str, Manner] = {}
    for file in read:
        if file.data and file.kind != "reservoir_rules":
            file.fault('kind is not "reservoir_rules"', 'write kind = "reservoir_rules"', key="kind", value=file.kind)
        for place, manner in file.tables("reservoir", Manner):
            _check_manner(file, basin, place, manner)
            manners[manner.code] = manner
        for place, stage in file.tables("stage", Stage):
            _check_stage(file, basin, place, stage)
            stages.append(stage)
    faults = [fault for file in read for fault in file.faults]
    if faults:
        raise BadPackage(basin.folder, faults)
    out = {}
    for reservoir in basin.reservoirs:
        own = sorted((each for each in stages if each.reservoir == reservoir.code), key=lambda each: each.upto)
        manner = manners.get(reservoir.code, Manner(code=reservoir.code))
        if own:
            out[reservoir.code] = Rules(tuple(own), manner.drawdown_days, manner.ramp or reservoir.release_ramp)
    return out


def rules_of(basin: Basin, reservoir: Reservoir, below: Sequence[str]) -> Rules:
    """The rules of a reservoir; without any in the package, its normal pool serves the guarantee levels below it."""
    files = [Path(basin.folder) / basin.reservoir_rules_file] if basin.reservoir_rules_file else []
    found = read_reservoir_rules(files, basin).get(reservoir.code)
    if found is not None:
        return found
    levels = {each.kind: each.value for each in basin.thresholds_of(reservoir.station, "water_level")}
    top = levels.get("normal_pool", reservoir.curve[-1][0])
    stages = []
    for code in below:
        lines = {each.kind: each.value for each in basin.thresholds_of(code, "water_level")}
        if "guarantee" in lines or "warning" in lines:
            line = lines.get("guarantee", lines.get("warning", 0.0))
            stages.append(
                Stage(
                    reservoir=reservoir.code,
                    upto=top,
                    station=code,
                    line=line,
                    easing=lines.get("warning"),
                    source="thresholds of the package",
                )
            )
    return Rules(tuple(stages), DRAWDOWN_DAYS, reservoir.release_ramp)


def _check_manner(file: TomlFile, basin: Basin, place: int, manner: Manner) -> None:
    """Note where a [[reservoir]] names none of the basin, or gives numbers that are not above 0."""
    codes = [each.code for each in basin.reservoirs]
    numbers = {"drawdown_days": manner.drawdown_days, "ramp": manner.ramp}
    if manner.code not in codes:
        _note(file, "reservoir", place, "code", manner.code, "no such reservoir", f"known: {', '.join(codes)}")
    for key, value in numbers.items():
        if value is not None and not value > 0:
            _note(file, "reservoir", place, key, value, "must be above 0", "give days, and m3/s per hour")


def _check_stage(file: TomlFile, basin: Basin, place: int, stage: Stage) -> None:
    """Note where a [[stage]] names no reservoir or station of the basin, or its easing lies above its line."""
    codes = [each.code for each in basin.reservoirs]
    if stage.reservoir not in codes:
        _note(file, "stage", place, "reservoir", stage.reservoir, "no such reservoir", f"known: {', '.join(codes)}")
    if stage.station not in basin.station_by_code:
        _note(file, "stage", place, "station", stage.station, "no such station", "name a station of the package")
    if stage.easing is not None and stage.easing > stage.line:
        _note(file, "stage", place, "easing", stage.easing, "lies above the line", f"give at most {stage.line:g}")


def _note(file: TomlFile, table: str, place: int, key: str, value: object, problem: str, cure: str) -> None:
    file.fault(problem, cure, table=table, index=place, key=key, value=value)
