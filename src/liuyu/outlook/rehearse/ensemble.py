"""An ensemble of floods as one: where water comes with which chance."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.outlook.rehearse.flooding.draw import Canvas
from liuyu.outlook.rehearse.flooding.floods import MEDIAN, FloodDone
from liuyu.outlook.rehearse.flooding.pictures import read_maximum
from liuyu.twin.flood import Grid, write_raster
from liuyu.twin.flood.problem import Floats

ABOVE_M = (0.05, 0.5, 1.0)


def write_chances(folder: Path, done: Sequence[FloodDone]) -> dict[str, Any]:
    """chances.tif of each flood: the share of its members in which the depth passes 0.05, 0.5 and 1 m, and the median
    of their greatest depths [m]. Returns by flood the files and the range of flooded area over the members [km2].
    """
    told: dict[str, Any] = {}
    for flood in dict.fromkeys(each.flood for each in done):
        members = [each for each in done if each.flood == flood and each.member != MEDIAN]
        if not members:
            continue
        home = folder / "floods" / flood
        found = [read_maximum(home / f"member-{each.member}" / "maximum.tif") for each in members]
        depths = np.stack([np.nan_to_num(maximum.depth) for maximum, _ in found])
        outside = np.isnan(found[0][0].depth)
        bands = {f"chance_above_{each:g}_m": (depths >= each).mean(axis=0) for each in ABOVE_M}
        bands["median_depth"] = np.median(depths, axis=0)
        named = {name: np.where(outside, np.nan, each) for name, each in bands.items()}
        write_raster(home / "chances.tif", named, found[0][1])
        _draw(home / "median", bands["chance_above_0.05_m"], found[0][1])
        areas = np.array([each.flooded_area_km2 for each in members])
        told[flood] = {
            "path": f"floods/{flood}/chances.tif",
            "members": [each.member for each in members],
            "flooded_area_km2": {name: round(float(np.quantile(areas, q)), 3)
                                 for name, q in (("low", 0.1), ("median", 0.5), ("high", 0.9))},
        }  # fmt: skip
    return told


def _draw(median: Path, chance: Floats, grid: Grid) -> None:
    """maps/chance.png beside the other maps of the median, and its name in pictures.json."""
    (median / "maps" / "chance.png").write_bytes(Canvas(grid).picture("chance", depth=chance))
    path = median / "pictures.json"
    told = msgspec.json.decode(path.read_bytes())
    told["maps"] = [*(each for each in told["maps"] if each != "chance"), "chance"]
    path.write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=1))
