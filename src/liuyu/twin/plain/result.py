"""What a flooded plain leaves behind: books of all volumes, hydrographs, files."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.twin.channel import ChannelModel
from liuyu.twin.channel.gauges import Gauge
from liuyu.twin.flood import FloodModel, Maximum
from liuyu.twin.flood.problem import Floats
from liuyu.twin.plain.bank import Gap


class Books(msgspec.Struct, frozen=True, kw_only=True):
    """Volumes [m³] of river and plain. `exchanged` is what the plain received over and through the levees, less what it
    gave back; the river's inflow and outflow count it too. `error` is what is missing in the river, in the plain and
    between them; `relative_error` its share of all water.
    """

    river_start: float
    river_stored: float
    river_inflow: float
    river_outflow: float
    plain_stored: float
    plain_outflow: float
    exchanged: float
    error: float

    @property
    def relative_error(self) -> float:
        """The error as a share of all water there has been."""
        return self.error / max(self.river_start + self.river_inflow, 1e-300)

    @classmethod
    def of(cls, river: ChannelModel, plain: FloodModel, exchanged: float) -> Books:
        """The books of both as they stand."""
        wet, dry = river.balance, plain.balance
        between = exchanged + river.handed
        return cls(
            river_start=wet.start, river_stored=wet.stored, river_inflow=wet.inflow, river_outflow=wet.outflow,
            plain_stored=dry.stored, plain_outflow=dry.outflow, exchanged=exchanged,
            error=abs(wet.error) + abs(dry.error) + abs(between),
        )  # fmt: skip


class Hydrograph(msgspec.Struct, frozen=True):
    """What a gauge of the river would read: time (rows,) [s], level (rows,) [m], discharge (rows,) [m³/s]."""

    time: Floats
    level: Floats
    discharge: Floats


class PlainResult(msgspec.Struct, frozen=True):
    """A flooded plain: its files by name, hydrographs by gauge, volumes, greatest values on the grid, and the summary
    as plain numbers and words."""

    files: dict[str, Path]
    hydrographs: dict[str, Hydrograph]
    books: Books
    maximum: Maximum
    summary: dict[str, Any]


def write_hydrographs(
    path: Path, times: Floats, gauges: Sequence[Gauge], levels: Floats, flows: Floats
) -> dict[str, Hydrograph]:
    """gauges.csv: time_s,gauge,station,level_m,discharge_m3s; and the same by gauge."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("time_s", "gauge", "station", "level_m", "discharge_m3s"))
        for k, each in enumerate(gauges):
            for time, level, flow in zip(times.tolist(), levels[:, k].tolist(), flows[:, k].tolist(), strict=True):
                table.writerow((f"{time:g}", each.place.name, each.place.station, f"{level:.3f}", f"{flow:.1f}"))
    return {each.place.name: Hydrograph(times, levels[:, k], flows[:, k]) for k, each in enumerate(gauges)}


def write_levees(path: Path, times: Floats, names: Sequence[str], given: Floats, step: float) -> None:
    """levees.csv: time_s,levee,discharge_m3s,volume_m3; onto the plain, negative back into the river."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("time_s", "levee", "discharge_m3s", "volume_m3"))
        for k, name in enumerate(names):
            flow = np.diff(given[:, k], prepend=0.0) / step
            for time, q, volume in zip(times.tolist(), flow.tolist(), given[:, k].tolist(), strict=True):
                table.writerow((f"{time:g}", name, f"{q:.2f}", f"{volume:.1f}"))


def write_summary(path: Path, summary: dict[str, Any]) -> None:
    """As JSON."""
    path.write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")


def gap_words(gap: Gap) -> dict[str, Any]:
    """A breach or gate in the summary."""
    return {
        "kind": gap.kind,
        "name": gap.name,
        "levee": gap.bank.levee.code,
        "width_m": round(gap.width, 2),
        "volume_m3": gap.volume,
        "peak_m3s": gap.peak,
    }
