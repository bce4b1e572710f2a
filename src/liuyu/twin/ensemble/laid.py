"""Rain members in a forecast of the whole river: through the land to where it joins the river, and down with the rest.

What a sub-basin sheds takes the place of what the network would expect to enter at its outlet. It begins at what the
gauges say now: how far the land's model is off fades in some hours. Each rain member is routed on its own, and what it
adds to the expected future is laid upon the forecast of every station. With `both`, past errors of such forecasts come
on top, a share of them, since a part of those errors was rain.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.twin.course import flow_on, to_series
from liuyu.twin.ensemble.land import LandModel
from liuyu.twin.ensemble.rain import MemberRain, read_members
from liuyu.twin.river import Outlook, RiverTwin
from liuyu.twin.runoff.run import RunoffState

Floats = NDArray[np.float64]
Spread = Literal["rain", "errors", "both"]
ENDINGS = (".csv", ".nc", ".nc4", ".cdf", ".zarr", ".grib", ".grb", ".grib2", ".grb2")
WARM_H = 90 * 24  # hours of past rain that fill the stores
OLDEST_H = 24  # a file whose rain began earlier than this before the issue is not used
ERROR_SHARE = 0.7  # of past errors that is kept beside rain members; chosen on one season of the synthetic basin


@dataclass(frozen=True, slots=True)
class RainSettings:
    """Where members lie (a file or a folder of them), what fell before (a file, or none), and what makes the spread."""

    members: Path
    past: Path | None = None
    spread: Spread = "both"
    variable: str = ""


@dataclass(slots=True)
class RainMembers:
    """Rain for a twin whose basin has calibrated land. Files are read anew when they change."""

    twin: RiverTwin
    land: LandModel
    settings: RainSettings
    _read: dict[Path, tuple[int, MemberRain]] = field(default_factory=dict)

    def newest(self, now: int) -> tuple[Path, MemberRain] | None:
        """The members that began last, at or before `now` [s UTC] and not long before; None where there are none.

        Rain whose first step ends more than an hour's step after `now` was not known then and is passed over.
        """
        best: tuple[int, str, Path, MemberRain] | None = None
        for path in self._files():
            rain = self._load(path)
            begun = int(rain.times[0]) - step_of(rain)
            if now - OLDEST_H * HOUR <= begun <= now < rain.times[-1]:
                found = (begun, path.name, path, rain)
                best = found if best is None or found[:2] > best[:2] else best
        return None if best is None else best[2:]

    def lay(self, outlook: Outlook) -> tuple[Outlook, Mapping[str, Any]]:
        """The outlook under the rain members, and a note of them for the drivers.

        Where none are at hand, or a file of them is spoiled, the outlook comes back as it was and the note says why.
        """
        try:
            found = self.newest(outlook.now)
            return (outlook, {"rain": {"members": 0, "why": NO_RAIN}}) if found is None else self._lay(outlook, *found)
        except (LiuyuError, OSError, ValueError) as error:  # a forecast without rain rather than none
            why = {"zh": f"降雨集合成员不能使用：{error}", "en": f"rain members could not be used: {error}"}
            return outlook, {"rain": {"members": 0, "why": why}}

    def _lay(self, outlook: Outlook, path: Path, rain: MemberRain) -> tuple[Outlook, Mapping[str, Any]]:
        now, hours = outlook.now, outlook.ahead.shape[1]
        ahead, covered = hourly_rain(self.land.over(rain), rain, now + HOUR, hours)
        state, before = self._state(now)
        local = self.local(outlook, ahead, state, before)
        many = self.twin.model.members
        member = np.arange(many) * len(local) // many if len(local) >= many else np.arange(many) % len(local)
        course = [flow_on(outlook.here, self.twin.plumbing, each) for each in local]
        effect = np.stack([to_series(each, outlook.here, self.twin.plumbing) for each in course], axis=1)
        effect -= outlook.base[:, None, :]
        middle = outlook.median + effect.mean(axis=1)
        spread = outlook.members - outlook.median[:, None, :]
        if self.settings.spread == "errors":
            members = middle[:, None, :] + spread
        else:
            share = ERROR_SHARE if self.settings.spread == "both" else 0.0
            members = outlook.median[:, None, :] + effect[:, member] + share * spread
        floor = np.array([each.floor for each in self.twin.model.series])[:, None, None]
        mean = local.mean(axis=0)
        expected = flow_on(outlook.here, self.twin.plumbing, mean)
        base = to_series(expected, outlook.here, self.twin.plumbing)
        laid = replace(
            outlook, ahead=mean, course=expected, base=base, median=middle, members=np.maximum(members, floor)
        )
        return laid, {"rain": self._note(path, rain, ahead, covered, before)}

    def local(self, outlook: Outlook, rain: Floats, state: tuple[RunoffState, ...], before: Floats) -> Floats:
        """Drivers (members, drivers, hours) [m3/s] under rain (members, n, hours) [mm] from a state of the land.

        before: (n, past hours) [m3/s] what the land shed up to now.
        """
        nodes = {node.station: place for place, node in enumerate(self.twin.model.nodes)}
        nodes |= {node.outlet: place for place, node in enumerate(self.twin.model.nodes) if node.outlet}
        hours = rain.shape[2]
        fade = np.exp(-np.arange(1, hours + 1) / self.land.fade_h)
        out = np.repeat(outlook.ahead[None], len(rain), axis=0)
        rows = np.array([nodes.get(station, -1) for station in self.land.stations])
        for number, member in enumerate(rain):
            flow, _ = self.land.run(state, member, outlook.now + HOUR)
            for node in sorted(set(rows[rows >= 0].tolist())):
                mine = rows == node
                seen = before[mine, -int(self.twin.plumbing.hold[node]) :].sum(axis=0).mean()
                held = flow[mine].sum(axis=0) + (outlook.here.anchor[node] - seen) * fade
                out[number, node] = np.maximum(held, min(outlook.here.anchor[node], 0.0))
        return out

    def _state(self, now: int) -> tuple[tuple[RunoffState, ...], Floats]:
        """The land after what fell up to now, and what it shed in the last hours, (n, hours) [m3/s]."""
        begin, first = self.land.begin(), now - (WARM_H - 1) * HOUR
        fallen = np.zeros((len(self.land.codes), WARM_H))
        if self.settings.past is not None:
            rain = self._load(self.settings.past)
            known = rain.times <= now
            if known.any():
                past = MemberRain(rain.times[known], rain.value[:1, known], rain.codes, rain.y, rain.x)
                fallen = hourly_rain(self.land.over(past), past, first, WARM_H)[0][0]
        flow, state = self.land.run(begin, fallen, first)
        return state, flow[:, -24:]

    def _files(self) -> list[Path]:
        at = self.settings.members
        if at.is_dir() and at.suffix.lower() != ".zarr":
            return sorted(each for each in at.iterdir() if each.suffix.lower() in ENDINGS)
        return [at] if at.exists() else []

    def _load(self, path: Path) -> MemberRain:
        if not path.exists():
            raise BadInput(f"there is no file {path}; name rain in [outlook] that is there")
        changed = path.stat().st_mtime_ns
        kept = self._read.get(path)
        if kept is None or kept[0] != changed:
            kept = changed, read_members(path, self.settings.variable)
            self._read[path] = kept
        return kept[1]

    def _note(self, path: Path, rain: MemberRain, ahead: Floats, covered: int, before: Floats) -> dict[str, Any]:
        total = ahead.sum(axis=2).mean(axis=0)
        return {
            "file": path.name,
            "members": rain.members,
            "begins": moment(int(rain.times[0]) - step_of(rain)).isoformat(),
            "hours": covered,
            "spread": self.settings.spread,
            "mean_mm": {code: round(float(value), 1) for code, value in zip(self.land.codes, total, strict=True)},
            "land_m3s": {code: round(float(v), 1) for code, v in zip(self.land.codes, before[:, -1], strict=True)},
            "past": self.settings.past.name if self.settings.past else "",
        }


NO_RAIN = {
    "zh": "没有起报时刻可用的降雨集合成员文件，按无降雨成员发布",
    "en": "no file of rain members was at hand at the time of issue; issued without",
}


def step_of(rain: MemberRain) -> int:
    """Length of a file's first step [s]: that of the next one, an hour where it has but one."""
    return int(rain.times[1] - rain.times[0]) if len(rain.times) > 1 else HOUR


def hourly_rain(value: Floats, rain: MemberRain, first: int, hours: int) -> tuple[Floats, int]:
    """Rain (members, steps, n) of a file's steps as (members, n, hours) [mm/h], and how many hours the file covers.

    first: end of the first hour [s UTC]. A step of several hours is spread over them; hours that the file does not
    cover are dry. Raises BadInput where steps are no whole hours.
    """
    lengths = np.diff(np.concatenate([[rain.times[0] - step_of(rain)], rain.times]))
    if (lengths % HOUR).any() or (lengths <= 0).any() or rain.times[0] % HOUR:
        raise BadInput("the steps of the rain are no whole hours in rising order; give one, three or six hours")
    out, seen = np.zeros((value.shape[0], value.shape[2], hours)), 0
    for step, (end, length) in enumerate(zip(rain.times.tolist(), lengths.tolist(), strict=True)):
        count = length // HOUR
        for back in range(count):
            hour = (end - back * HOUR - first) // HOUR
            if 0 <= hour < hours:
                out[:, :, hour] += value[:, step] / count
                seen += 1
    return out, seen
