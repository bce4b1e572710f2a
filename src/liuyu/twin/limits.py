"""Which limits a release schedule meets or breaks, in words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.places import Basin, Reservoir

Floats = NDArray[np.float64]
Text = Mapping[str, str]


def level_limits(basin: Basin, reservoir: Reservoir, day: date) -> dict[str, float]:
    """The highest level that each kind of threshold allows a reservoir on a day [m]: flood_limit, normal_pool, ..."""
    found = basin.thresholds_of(reservoir.station, "water_level", day)
    return {each.kind: each.value for each in found if each.side == "above"}


def binding(
    basin: Basin, reservoir: Reservoir, now_release: float, course: Mapping[str, Floats], day: date
) -> tuple[Text, ...]:
    """What binds a schedule: release range and ramp, flood limit, normal pool and the ends of the storage curve.

    now_release: outflow before the first hour [m3/s]; course: hourly level [m] and outflow [m3/s] of the reservoir.
    """
    outflow, level = course["outflow"], course["level"]
    low, high = reservoir.release_range
    texts: list[Text] = []
    name_zh, name_en = reservoir.name, reservoir.name_en
    if outflow.min() <= low:
        texts.append(
            _say(f"{name_zh}出库已到下限{low:.0f} m³/s", f"{name_en}: release at or below its least, {low:.0f} m³/s")
        )
    if outflow.max() >= high:
        texts.append(
            _say(f"{name_zh}出库已到上限{high:.0f} m³/s", f"{name_en}: release at or above its most, {high:.0f} m³/s")
        )
    steps = np.abs(np.diff(np.concatenate([[now_release], outflow])))
    if steps.max() > reservoir.release_ramp + 1e-6:
        texts.append(
            _say(
                f"{name_zh}出库每小时变幅{steps.max():.0f} m³/s，超过允许的{reservoir.release_ramp:.0f} m³/s",
                f"{name_en}: release changes by {steps.max():.0f} m³/s in an hour, more than the allowed "
                f"{reservoir.release_ramp:.0f}",
            )
        )
    limits = level_limits(basin, reservoir, day)
    titles = {"flood_limit": ("汛限水位", "flood limit"), "normal_pool": ("正常蓄水位", "normal pool level"),
              "design_flood": ("设计洪水位", "design flood level")}  # fmt: skip
    for kind, (zh, en) in titles.items():
        if kind in limits and level.max() > limits[kind]:
            texts.append(
                _say(
                    f"{name_zh}最高水位{level.max():.2f} m，高于{zh}{limits[kind]:.2f} m",
                    f"{name_en}: level up to {level.max():.2f} m, above its {en} of {limits[kind]:.2f} m",
                )
            )
    dead = [t.value for t in basin.thresholds_of(reservoir.station, "water_level", day) if t.kind == "dead_pool"]
    if dead and level.min() < dead[0]:
        texts.append(
            _say(
                f"{name_zh}最低水位{level.min():.2f} m，低于死水位{dead[0]:.2f} m",
                f"{name_en}: level down to {level.min():.2f} m, below its dead pool of {dead[0]:.2f} m",
            )
        )
    top = reservoir.curve[-1][0] if reservoir.curve else float("inf")
    if level.max() > top:
        texts.append(
            _say(
                f"{name_zh}水位{level.max():.2f} m超出库容曲线上端{top:.2f} m，库容为外延值",
                f"{name_en}: level {level.max():.2f} m lies above the storage curve's end, {top:.2f} m: extrapolated",
            )
        )
    return tuple(texts)


def bounded(reservoir: Reservoir, wanted: Floats, now_release: float) -> Floats:
    """The schedule nearest to a wanted one that keeps the release range and ramp, hour after hour [m3/s]."""
    low, high = reservoir.release_range
    out = np.empty_like(wanted)
    before = now_release
    for hour, value in enumerate(wanted):
        before = min(max(value, before - reservoir.release_ramp, low), before + reservoir.release_ramp, high)
        out[hour] = before
    return out


def _say(zh: str, en: str) -> Text:
    return {"zh": zh, "en": en}
