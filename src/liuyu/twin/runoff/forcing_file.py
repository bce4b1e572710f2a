"""A CSV of one sub-basin's days or hours: weather and observed runoff. Every fault is told before a file is refused.

The step is read off the file: `date` holds days (1999-01-31) or hours (1999-01-31T06:00, 1999-01-31 06:00).
"""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.physics.runoff.evaporation import oudin
from liuyu.twin.runoff.run import Forcing

Floats = NDArray[np.float64]
COLUMNS = ("date", "precip_mm", "pet_mm", "temp_c", "q_mm")
RANGES = {"precip_mm": (0.0, 2000.0), "pet_mm": (0.0, 50.0), "temp_c": (-80.0, 60.0), "q_mm": (0.0, 2000.0)}


LEAST = {24: 365, 1: 90 * 24}  # steps that a file must hold, by the hours of a step
WORDS = {24: ("day", "days", "a year"), 1: ("hour", "hours", "ninety days")}


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds: steps of `step_h` hours without a gap, `times` of its own clock, one row of forcing, observed
    runoff (steps,) [mm a step], NaN where missing."""

    times: tuple[datetime, ...]
    step_h: int
    forcing: Forcing
    observed: NDArray[np.float64]
    pet_source: str

    def stamp(self, step: int) -> str:
        """The time of a step as the file writes it: 1999-01-31, or 1999-01-31T06:00 in an hourly file."""
        return _stamp(self.times[step], self.step_h)

    def period(self, text: str) -> slice:
        """The steps of a period "A..B", both ends within; a day without a clock time counts from its first to its last
        hour. Raises BadInput where it is no period of the file."""
        first, mark, last = text.partition("..")
        try:
            start, end = datetime.fromisoformat(first.strip()), datetime.fromisoformat(last.strip())
        except ValueError:
            mark, start, end = "", self.times[0], self.times[0]
        if self.step_h < 24 and len(last.strip()) == len("1999-01-31"):
            end += timedelta(hours=24 - self.step_h)
        start, end = start.replace(tzinfo=None), end.replace(tzinfo=None)
        if not mark or not self.times[0] <= start < end <= self.times[-1]:
            raise BadInput(
                f"period {text!r} is none of the file's; write two dates as {self.stamp(0)}..{self.stamp(-1)} or within"
            )
        step = timedelta(hours=self.step_h)
        return slice(-((self.times[0] - start) // step), (end - self.times[0]) // step + 1)


def _stamp(time: datetime, step_h: int) -> str:
    return time.strftime("%Y-%m-%d") if step_h == 24 else time.strftime("%Y-%m-%dT%H:%M")


def read_record(path: Path, *, latitude: float | None = None, gauged: bool = True) -> Record:
    """Read a CSV with the columns date, precip_mm, pet_mm, temp_c, q_mm, each of a day or of an hour [mm a step].

    Further columns are passed over. pet_mm may be absent or have gaps: it is then Oudin's, of temp_c and the latitude
    [°], by hours spread over the light ones; temp_c may be absent, and then there is no snow; q_mm may have gaps.
    Where `gauged` is False, q_mm need not be there. Raises BadPackage with every fault of the file.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a CSV with the columns {','.join(COLUMNS)}")
    reader = _Reader(path.name)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        present = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = present
        reader.header(present, latitude, gauged=gauged)
        if not reader.faults:
            for row in rows:
                reader.row(rows.line_num, row)
    reader.whole()
    if reader.faults:
        raise BadPackage(str(path), sorted(reader.faults, key=lambda each: each.line or 0))
    return reader.record(path.stem, latitude)


class _Reader:
    """Gathers times, values and faults of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.times: list[tuple[int, datetime | None, str]] = []  # line, time where it is one, text
        self.step_h = 24
        self.values: dict[str, list[float]] = {each: [] for each in RANGES}
        self.required: set[str] = {"precip_mm"}
        self.present: set[str] = set()

    def fault(self, line: int | None, field: str, value: str, problem: str, cure: str) -> None:
        self.faults.append(Fault(file=self.name, line=line, field=field, value=value, problem=problem, cure=cure))

    def header(self, present: list[str], latitude: float | None, *, gauged: bool) -> None:
        """Columns that must be there, and what stands in for those that are not."""
        self.present = set(present)
        for name in ("date", "precip_mm", "q_mm") if gauged else ("date", "precip_mm"):
            if name not in present:
                self.fault(1, name, "", "this column is missing", f"the header is {','.join(COLUMNS)}")
        for name in sorted({each for each in present if present.count(each) > 1}):
            self.fault(1, name, "", "this column stands twice", "keep one of them")
        if "pet_mm" in present:
            return
        if "temp_c" not in present:
            self.fault(1, "pet_mm", "", "neither pet_mm nor temp_c is there", "give one; evaporation needs it")
        elif latitude is None:
            self.fault(1, "pet_mm", "", "this column is missing", "give it, or --latitude to compute it from temp_c")
        else:
            self.required.add("temp_c")

    def row(self, line: int, row: dict[str, str | None]) -> None:
        """One step: its time is one, its values are numbers within range."""
        text = (row.get("date") or "").strip()
        time: datetime | None = None
        try:
            time = datetime.fromisoformat(text).replace(tzinfo=None)
        except ValueError:
            self.fault(line, "date", text, "this is no date", "write it as 1999-01-31, or 1999-01-31T06:00")
        self.times.append((line, time, text))
        for name, column in self.values.items():
            column.append(self.number(line, name, (row.get(name) or "").strip()))

    def number(self, line: int, name: str, text: str) -> float:
        """A value, NaN where there is none."""
        low, high = RANGES[name]
        if text.lower() in ("", "nan", "na"):
            if name in self.required:
                self.fault(line, name, text, "a value is missing", "fill it; only q_mm and pet_mm may have gaps")
            return math.nan
        try:
            value = float(text)
        except ValueError:
            value = math.inf
        if not low <= value <= high:
            self.fault(line, name, text, f"is no number between {low:g} and {high:g}", "correct it or leave it empty")
            return math.nan
        return value

    def whole(self) -> None:
        """Faults that only the whole file shows: its step, steps that are missing, too few of them."""
        if not self._steps() or self.faults:
            return
        one, many, least = WORDS[self.step_h]
        if len(self.times) < LEAST[self.step_h]:
            self.fault(None, "", str(len(self.times)), f"these {many} are too few", f"give {least} at least")
        warmth = np.isfinite(self.values["temp_c"])
        if warmth.any() and not warmth.all():
            first = int(np.argmin(warmth))
            self.fault(first + 2, "temp_c", "", "a value is missing", f"give every {one}'s temperature or none")

    def _steps(self) -> bool:
        """Read the step off the file; False where no model has such a step."""
        there = [each for each in self.times if each[1] is not None]
        apart = Counter(_seconds(after, before) for (_, before, _), (_, after, _) in pairwise(there))
        step = apart.most_common(1)[0][0] if apart else 86_400
        if step not in (3600, 86_400):
            cure = "sum precipitation, evaporation and runoff up to hours or days; models step by these"
            self.fault(None, "date", f"{step / 3600:g} h", "is the step of the file", cure)
            return False
        self.step_h = step // 3600
        name = WORDS[self.step_h][0]
        for (line, before, _), (number, after, text) in pairwise(self.times):
            if before is not None and after is not None and _seconds(after, before) != step:
                problem = f"does not follow {_stamp(before, self.step_h)}, in line {line}"
                self.fault(number, "date", text, problem, f"give every {name} once and in order")
        return True

    def record(self, name: str, latitude: float | None) -> Record:
        """What was read, potential evaporation completed."""
        column = {each: np.array(values) for each, values in self.values.items()}
        temperature = column["temp_c"] if np.isfinite(column["temp_c"]).all() else None
        pet, source = column["pet_mm"], "file"
        gaps = np.flatnonzero(~np.isfinite(pet))
        if len(gaps) and (temperature is None or latitude is None):
            self.fault(
                int(gaps[0]) + 2,
                "pet_mm",
                "",
                f"{len(gaps)} values are missing",
                "fill them, or give temp_c and latitude",
            )
            raise BadPackage(self.name, self.faults)
        if len(gaps) and temperature is not None and latitude is not None:
            source = "Oudin" if len(gaps) == len(pet) else f"file, {len(gaps)} {WORDS[self.step_h][1]} Oudin"
            pet[gaps] = _oudin(self.moments, temperature, latitude, self.step_h)[gaps]
        times = self.moments
        forcing = Forcing(
            column["precip_mm"][None],
            pet[None],
            None if temperature is None else temperature[None],
            (name,),
            [_stamp(each, self.step_h) for each in times],
        )
        return Record(times, self.step_h, forcing, column["q_mm"], source)

    @property
    def moments(self) -> tuple[datetime, ...]:
        """The times of a file without faults."""
        return tuple(time for _, time, _ in self.times if time is not None)


def _seconds(after: datetime | None, before: datetime | None) -> int:
    return int((after - before).total_seconds()) if after is not None and before is not None else 0


def _oudin(times: Sequence[datetime], temperature: Floats, latitude: float, step_h: int) -> Floats:
    """Oudin's evaporation [mm a step]: the day's from its mean temperature, by hours as a half sine from 6 to 18."""
    if step_h == 24:
        each = zip(times, temperature, strict=True)
        return np.array([oudin(float(warmth), latitude, time.timetuple().tm_yday) for time, warmth in each])
    day = np.array([time.toordinal() for time in times])
    _, place = np.unique(day, return_inverse=True)
    mean = np.bincount(place, temperature) / np.bincount(place)
    light = np.maximum(np.sin(np.pi * (np.arange(24) + 0.5 - 6.0) / 12.0), 0.0)
    share = light / light.sum()
    return np.array(
        [
            oudin(float(mean[where]), latitude, time.timetuple().tm_yday) * share[time.hour]
            for time, where in zip(times, place, strict=True)
        ]
    )
