"""A series as a CSV of two columns: seconds since the start, and a value. A first line of words is a header."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from liuyu.basin.errors import Fault
from liuyu.twin.flood.problem import Series

_PARTS = re.compile(r"[,;\t ]+")


def read_series(path: Path, faults: list[Fault]) -> Series | None:
    """The series of a file, or None with every fault of it noted."""
    before = len(faults)
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        faults.append(
            Fault(file=str(path), problem=f"cannot be read ({error})", cure="give a CSV of seconds and values")
        )
        return None
    times: list[float] = []
    values: list[float] = []
    header = True
    for number, text in enumerate(lines, 1):
        if not text.strip() or text.lstrip().startswith("#"):
            continue
        try:
            time, value = (float(part) for part in _PARTS.split(text.strip())[:2])
        except ValueError:
            if not header:
                _fault(faults, path, number, text, "is no pair of numbers", "write seconds,value")
            header = False
            continue
        header = False
        if not (np.isfinite(time) and np.isfinite(value)):
            _fault(faults, path, number, text, "is not finite", "leave out the line; values between are interpolated")
        elif times and time <= times[-1]:
            _fault(faults, path, number, text, f"is not later than {times[-1]:g} s", "sort the lines by time")
        times.append(time)
        values.append(value)
    if not times:
        faults.append(Fault(file=str(path), problem="holds no value", cure="write a line seconds,value for each knot"))
    return Series(times=np.array(times), values=np.array(values)) if len(faults) == before else None


def _fault(faults: list[Fault], path: Path, line: int, value: str, problem: str, cure: str) -> None:
    faults.append(Fault(file=str(path), line=line, value=value, field="line", problem=problem, cure=cure))
