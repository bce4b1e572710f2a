"""A CSV of one sub-basin's days: weather and observed runoff. Every fault of it is found before anything is refused."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.physics.runoff.evaporation import oudin
from liuyu.twin.runoff.run import Forcing

COLUMNS = ("date", "precip_mm", "pet_mm", "temp_c", "q_mm")
RANGES = {"precip_mm": (0.0, 2000.0), "pet_mm": (0.0, 50.0), "temp_c": (-80.0, 60.0), "q_mm": (0.0, 2000.0)}


@dataclass(frozen=True, slots=True)
class Record:
    """What a file holds: days without a gap, one row of forcing, observed runoff (steps,) [mm], NaN where missing."""

    days: tuple[date, ...]
    forcing: Forcing
    observed: NDArray[np.float64]
    pet_source: str

    def period(self, text: str) -> slice:
        """The steps of a period "A..B", both days within. Raises BadInput where it is no period of the file."""
        first, mark, last = text.partition("..")
        try:
            start, end = date.fromisoformat(first.strip()), date.fromisoformat(last.strip())
        except ValueError:
            mark = ""
        if not mark or not self.days[0] <= start < end <= self.days[-1]:
            raise BadInput(
                f"period {text!r} is none of the file's; write two dates as {self.days[0]}..{self.days[-1]} or within"
            )
        return slice((start - self.days[0]).days, (end - self.days[0]).days + 1)


def read_record(path: Path, *, latitude: float | None = None) -> Record:
    """Read a CSV with the columns date, precip_mm, pet_mm, temp_c, q_mm; further columns are passed over.

    pet_mm may be absent or have gaps: it is then Oudin's, of temp_c and the latitude [°]; temp_c may be absent, and
    then there is no snow; q_mm may have gaps. Raises BadPackage with every fault of the file.
    """
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a CSV with the columns {','.join(COLUMNS)}")
    reader = _Reader(path.name)
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        present = [name.strip() for name in rows.fieldnames or ()]
        rows.fieldnames = present
        reader.header(present, latitude)
        if not reader.faults:
            for row in rows:
                reader.row(rows.line_num, row)
    if not reader.faults:
        reader.whole()
    if reader.faults:
        raise BadPackage(str(path), reader.faults)
    return reader.record(path.stem, latitude)


class _Reader:
    """Gathers days, values and faults of one file."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.faults: list[Fault] = []
        self.days: list[date] = []
        self.values: dict[str, list[float]] = {each: [] for each in RANGES}
        self.required: set[str] = {"precip_mm"}
        self.present: set[str] = set()

    def fault(self, line: int | None, field: str, value: str, problem: str, cure: str) -> None:
        self.faults.append(Fault(file=self.name, line=line, field=field, value=value, problem=problem, cure=cure))

    def header(self, present: list[str], latitude: float | None) -> None:
        """Columns that must be there, and what stands in for those that are not."""
        self.present = set(present)
        for name in ("date", "precip_mm", "q_mm"):
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
        """One day: its date follows the one before, its values are numbers within range."""
        text = (row.get("date") or "").strip()
        try:
            day = date.fromisoformat(text[:10])
        except ValueError:
            self.fault(line, "date", text, "this is no date", "write it as 1999-01-31")
            day = self.days[-1] + timedelta(days=1) if self.days else date.min
        if self.days and date.min not in (day, self.days[-1]) and day != self.days[-1] + timedelta(days=1):
            self.fault(line, "date", text, f"does not follow {self.days[-1]}", "give every day once and in order")
        self.days.append(day)
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
        """Faults that only the whole file shows."""
        if len(self.days) < 365:
            self.fault(None, "", str(len(self.days)), "these days are too few", "give a year at least")
        warmth = np.isfinite(self.values["temp_c"])
        if warmth.any() and not warmth.all():
            first = int(np.argmin(warmth))
            self.fault(first + 2, "temp_c", "", "a value is missing", "give every day's temperature or none")

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
            source = "Oudin" if len(gaps) == len(pet) else f"file, {len(gaps)} days Oudin"
            for at in gaps:
                pet[at] = oudin(float(temperature[at]), latitude, self.days[at].timetuple().tm_yday)
        forcing = Forcing(
            column["precip_mm"][None],
            pet[None],
            None if temperature is None else temperature[None],
            (name,),
            [each.isoformat() for each in self.days],
        )
        return Record(tuple(self.days), forcing, column["q_mm"], source)
