"""A plain flooded from its river: both marched together, water handed over the levees to the last drop.

1. The river stands still for one of its steps, the plain goes through it in short exchanges: levees are asked by the
   levels as they are, what passes is put into the plain's cells and taken note of for the river.
2. The river marches the step with what was taken from it: the plain answers at once, the river once in each step.
3. While no gap is open and the river stands below the crests, a dry plain is left alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.twin.channel import ChannelState
from liuyu.twin.channel.gauges import Gauge, gauges_of
from liuyu.twin.flood import Flood, FloodModel, FlowFile, Maximum, Scheme, Side
from liuyu.twin.flood.arrays import SIDES
from liuyu.twin.flood.problem import Floats
from liuyu.twin.flood.run import frame_of, maximum_of
from liuyu.twin.flood.write import write_maximum
from liuyu.twin.plain.bank import Bank
from liuyu.twin.plain.change import PlainChange
from liuyu.twin.plain.package import PlainPackage
from liuyu.twin.plain.result import Books, PlainResult, gap_words, write_hydrographs, write_levees, write_summary
from liuyu.twin.plain.river import Given, network_of, river_of

Tell = Callable[[float, str], None]
_SHORTEST, _LONGEST = 1.0, 60.0  # [s] of an exchange
_CLOSED = 1e-9


def run_plain(
    package: PlainPackage,
    *,
    upstream: Given,
    downstream: Given,
    initial: ChannelState | None = None,
    change: PlainChange | None = None,
    seconds: float,
    output_s: float = 3600.0,
    out: Path,
    tell: Tell = lambda share, text: None,
) -> PlainResult:
    """Flood a plain from its river for so many seconds and write the results into a folder.

    `upstream` and `downstream` give, by the names that the package lists, times [s since the start] and values [m³/s
    that flow in, levels in m]; straight between, level outside. `initial` is the river at the start, for instance of
    `liuyu.twin.channel.ahead`; without it the river is steady under the values at time 0. `tell` hears the share done
    and a word. Files: flow.nc (CF; time, y, x), maximum.tif (depth, level, speed, hazard, arrival), gauges.csv,
    levees.csv, summary.json. Raises BadInput where it cannot begin, and ModelFailed with cell, time and reason where it
    becomes unstable or its volumes do not close; flow.nc then holds the frames up to there.
    """
    change = change or PlainChange()
    check_change(package, change)
    if not (seconds > 0.0 and output_s > 0.0):
        raise BadInput(f"seconds={seconds!r} and output_s={output_s!r} must be above 0")
    course = _Course(package, {**upstream, **downstream}, initial, change, seconds, output_s)
    out.mkdir(parents=True, exist_ok=True)
    began = time.process_time()
    with FlowFile(out / "flow.nc", package.grid, package.terrain, _title(package)) as flow:
        flow.add(frame_of(course.plain))
        try:
            for share in course.frames():
                flow.add(frame_of(course.plain))
                tell(share, f"{course.plain.time / 3600.0:.1f} h")
        except ModelFailed as error:
            wrote = f"{out / 'flow.nc'} holds the frames up to there"
            raise ModelFailed(f"the plain {package.code} at {course.plain.time:.6g} s: {error}; {wrote}") from error
    return course.result(out, time.process_time() - began)


def check_change(package: PlainPackage, change: PlainChange) -> None:
    """Raise BadInput listing all that a change names and the package does not have."""
    faults = []
    for each in change.breaches:
        levee = package.levee(each.levee)
        if levee is None:
            faults.append(f"no levee {each.levee!r}; known: {', '.join(one.code for one in package.levees)}")
        elif not levee.start_m <= each.chainage_m <= levee.end_m:
            span = f"{levee.start_m:g} to {levee.end_m:g} m"
            faults.append(f"a breach at {each.chainage_m:g} m lies off levee {levee.code}, which runs from {span}")
        if not (each.width_m > 0.0 and each.duration_s >= 0.0 and each.start_s >= 0.0 and each.critical_m_s > 0.0):
            faults.append(f"breach at {each.chainage_m:g} m: width and critical speed above 0, times not below 0")
    known = [one.code for one in package.detention_basins]
    for opened in change.openings:
        if opened.detention not in known:
            faults.append(f"no detention basin {opened.detention!r}; known: {', '.join(known) or 'none'}")
        if opened.close_s is not None and opened.close_s <= opened.start_s:
            faults.append(f"{opened.detention}: closes at {opened.close_s:g} s, before it opens")
    gates = {*known, *package.structures}
    faults += [
        f"no gate {each!r}; known: {', '.join(sorted(gates)) or 'none'}"
        for each in change.failed_gates
        if each not in gates
    ]
    if faults:
        raise BadInput("; ".join(faults))


def _title(package: PlainPackage) -> str:
    return f"{package.name} {package.name_en}" + (" (synthetic)" if package.synthetic else "")


class _Course:
    """A run on its way."""

    def __init__(
        self, package: PlainPackage, given: Given, initial: ChannelState | None, change: PlainChange, seconds: float,
        output: float,
    ) -> None:  # fmt: skip
        self.package, self.change = package, change
        self.step = output / np.ceil(output / package.coupling.step_s - 1e-9)
        self.every = round(output / self.step)
        self.steps = int(np.ceil(seconds / self.step - 1e-9))
        self.river = river_of(package, network_of(package, given, change), self.step, initial)
        self.plain = FloodModel(_flood(package))
        self.banks = [Bank(each, package, self.river, change) for each in package.levees]
        self.gauges: tuple[Gauge, ...] = gauges_of(package.network, self.river)
        self.times: list[float] = []
        self.levels: list[Floats] = []
        self.flows: list[Floats] = []
        self.passing: list[list[float]] = []
        self.exchanges, self._short = 0, _SHORTEST

    def frames(self) -> Iterator[float]:
        """March to each output time; yields the share done."""
        for k in range(1, self.steps + 1):
            now, until = (k - 1) * self.step, k * self.step
            self._plain(now, until)
            self.river.advance(until)
            self._note(until)
            if k % self.every == 0 or k == self.steps:
                yield k / self.steps

    def _plain(self, now: float, until: float) -> None:
        """The plain through one step of the river."""
        dry = self.plain.balance.stored <= 0.0
        if dry and all(each.idle(self.river, now, until) for each in self.banks):
            self.plain.advance(until)
            return
        surface, area = self.river.surfaces(), self.plain.flood.cell**2
        while now < until - 1e-6:
            step = min(self._short, until - now)
            for each in self.banks:
                each.exchange(self.river, surface, self.plain, now, step)
            self.plain.advance(now + step)
            now += step
            self.exchanges += 1
            quick = max(each.quickest(area) for each in self.banks) / step
            allowed = self.package.coupling.rise_m / max(quick, 1e-9)
            self._short = float(np.clip(allowed, _SHORTEST, min(2.0 * self._short, _LONGEST)))

    def _note(self, now: float) -> None:
        self.times.append(now)
        self.levels.append(np.array([each.level(self.river.level) for each in self.gauges]))
        self.flows.append(np.array([each.discharge(self.river.discharge) for each in self.gauges]))
        self.passing.append([each.given for each in self.banks])

    @property
    def books(self) -> Books:
        """All volumes [m³]."""
        return Books.of(self.river, self.plain, float(sum(each.given for each in self.banks)))

    def result(self, out: Path, processor_s: float) -> PlainResult:
        """Write what remains and say what was found."""
        books = self.books
        if not abs(books.relative_error) < _CLOSED:
            raise ModelFailed(
                f"river and plain {self.package.code} miss {books.error:.6g} m³, {books.relative_error:.1e} of all "
                "water; nothing of this run can be trusted"
            )
        maximum = maximum_of(self.plain)
        write_maximum(out / "maximum.tif", maximum, self.package.grid)
        times = np.array(self.times)
        hydrographs = write_hydrographs(
            out / "gauges.csv", times, self.gauges, np.array(self.levels), np.array(self.flows)
        )
        codes = [each.levee.code for each in self.banks]
        write_levees(out / "levees.csv", times, codes, np.array(self.passing), self.step)
        summary = self._summary(maximum, books, processor_s)
        write_summary(out / "summary.json", summary)
        files = {name: out / name for name in ("flow.nc", "maximum.tif", "gauges.csv", "levees.csv", "summary.json")}
        return PlainResult(files=files, hydrographs=hydrographs, books=books, maximum=maximum, summary=summary)

    def _summary(self, maximum: Maximum, books: Books, processor_s: float) -> dict[str, Any]:
        package, area = self.package, self.plain.flood.cell**2
        wet = np.isfinite(maximum.arrival)
        inside = {each.code: package.inside(each.code) for each in package.detention_basins}
        depth = np.nan_to_num(self.plain.depth)
        found = {
            "plain": package.code,
            "name": {"zh": package.name, "en": package.name_en},
            "synthetic": package.synthetic,
            "note": package.note,
            "end_s": float(self.river.time),
            "river_step_s": float(self.step),
            "river_sections": len(self.river.level),
            "exchanges": self.exchanges,
            "plain_steps": self.plain.steps,
            "cells": int(np.isfinite(package.terrain).sum()),
            "flooded_area_m2": float(wet.sum()) * area,
            "maximum_depth_m": float(np.nanmax(maximum.depth)),
            "maximum_speed_m_s": float(np.nanmax(maximum.speed)),
            "maximum_hazard_m2_s": float(np.nanmax(maximum.hazard)),
            "first_arrival_s": float(np.nanmin(maximum.arrival)) if wet.any() else None,
            "affected": {code: float(np.nansum(values[wet])) for code, values in package.layers.items()},
            "gaps": [gap_words(each) for bank in self.banks for each in bank.gaps],
            "over_crests_m3": float(sum(each.over for each in self.banks)),
            "failed_gates": list(self.change.failed_gates),
            "detention_m3": {code: float(depth[held].sum()) * area for code, held in inside.items()},
            "volumes_m3": msgspec.to_builtins(books),
            "volume_error": books.relative_error,
            "processor_s": round(processor_s, 3),
        }
        plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(found, enc_hook=float))
        return plain


def _flood(package: PlainPackage) -> Flood:
    west, east, south, north = (Side(kind=package.sides.get(side, "wall")) for side in SIDES)
    manning = np.where(np.isfinite(package.terrain), package.manning, 0.03)
    scheme = Scheme(threads=package.coupling.threads)
    return Flood(
        terrain=package.terrain, cell=package.grid.cell, manning=manning, scheme=scheme, west=west, east=east,
        south=south, north=north,
    )  # fmt: skip
