"""From the rows of a package without faults to the nouns of its basin."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, TypeVar

from liuyu.basin import places
from liuyu.basin.package.columns import LEVEES_FILE
from liuyu.basin.package.config import Config
from liuyu.basin.package.references import Tables
from liuyu.basin.package.tables import Row

T = TypeVar("T")

_DANGER_BELOW = ("dead_pool", "drought_warning", "historical_minimum")


def assemble(folder: Path, config: Config, tables: Tables) -> places.Basin:
    """The basin of a package that the checks found without fault."""

    def every(file: str, make: Callable[[Row], T]) -> tuple[T, ...]:
        return tuple(make(row) for row in tables.get(file, ()))

    curves = tables.get("curves.csv", [])
    return places.Basin(
        **config.texts,
        synthetic=config.synthetic,
        folder=str(folder),
        stations=every("stations.csv", lambda row: places.Station(**_place(row))),
        thresholds=every("thresholds.csv", _threshold),
        reaches=every("reaches.csv", lambda row: places.Reach(**_given(row))),
        junctions=every("junctions.csv", lambda row: places.Junction(**_place(row))),
        subbasins=every("subbasins.csv", lambda row: places.SubBasin(**_place(row))),
        reservoirs=every("reservoirs.csv", lambda row: _reservoir(row, curves)),
        levees=every(LEVEES_FILE, lambda row: places.Levee(**_given(row))),
        detention_basins=every("detention_basins.csv", lambda row: places.DetentionBasin(**_place(row))),
        cameras=every("cameras.csv", lambda row: places.Camera(**_place(row))),
        intakes=every("intakes.csv", lambda row: places.Intake(**_place(row))),
        layers=config.layers,
        known_floods=every("known_floods.csv", lambda row: places.KnownFlood(**_given(row))),
        frequencies=every("frequencies.csv", lambda row: places.Frequency(**_given(row))),
        rule_files=config.files.get("rule_files", ()),
        notice_files=config.files.get("notice_files", ()),
        plan_files=config.files.get("plan_files", ()),
        demonstration=config.demonstration,
    )


def _given(row: Row, *, without: Iterable[str] = ()) -> dict[str, Any]:
    return {name: value for name, value in row.cells.items() if value is not None and name not in without}


def _place(row: Row, *, without: Iterable[str] = ()) -> dict[str, Any]:
    found = _given(row, without=("lon", "lat", *without))
    if row["lon"] is not None and row["lat"] is not None:
        found["position"] = (row["lon"], row["lat"])
    return found


def _threshold(row: Row) -> places.Threshold:
    found = _given(row, without=("season_start", "season_end"))
    if row["season_start"] and row["season_end"]:
        found["season"] = places.Season(start=row["season_start"], end=row["season_end"])
    found.setdefault("side", "below" if row["kind"] in _DANGER_BELOW else "above")
    return places.Threshold(**found)


def _reservoir(row: Row, curves: Iterable[Row]) -> places.Reservoir:
    points = [each for each in curves if each["reservoir"] == row["code"]]
    return places.Reservoir(
        **_place(row, without=("release_min", "release_max")),
        curve=tuple((each["level_m"], each["storage_m3"]) for each in points),
        curve_source="; ".join(dict.fromkeys(each["source"] for each in points)),
        release_range=(row["release_min"], row["release_max"]),
    )
