"""What a march of a network leaves behind: gauges.csv, river.nc after the CF conventions, summary.json."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import netCDF4
import numpy as np

from liuyu.twin.channel.gauges import Gauge
from liuyu.twin.channel.model import ChannelModel, Course
from liuyu.twin.flood.problem import Floats


class Along(msgspec.Struct, frozen=True):
    """Where the sections of a model lie, reach after reach: reach by name, chainage [m], bed [m], and the places of
    cells and of the face below (or above, at an end) in its arrays."""

    reach: tuple[str, ...]
    chainage: Floats
    bed: Floats
    cells: Any
    faces: Any


def along(model: ChannelModel) -> Along:
    """Every section of every reach; a node counts once for each reach that meets there."""
    reach: list[str] = []
    chainage, cells, faces = [], [], []
    for name, own in model.built.cells.items():
        here = model.faces(name)
        reach += [name] * len(own)
        chainage.append(model.built.chainage[name])
        cells.append(own)
        faces.append(np.append(here, here[-1]))
    at = np.concatenate(cells)
    return Along(tuple(reach), np.concatenate(chainage), model.built.net.cells.bed[at], at, np.concatenate(faces))


def write_gauges(path: Path, course: Course, gauges: Sequence[Gauge], start: datetime) -> None:
    """time,gauge,station,level_m,discharge_m3s: level in the gauge's datum, discharge the mean of the last step."""
    clock = [(start + timedelta(seconds=each)).isoformat() for each in course.time.tolist()]
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("time", "gauge", "station", "level_m", "discharge_m3s"))
        for gauge in gauges:
            levels, flows = gauge.level(course.level).tolist(), gauge.discharge(course.discharge).tolist()
            for time, level, flow in zip(clock, levels, flows, strict=True):
                table.writerow((time, gauge.place.name, gauge.place.station, f"{level:.3f}", f"{flow:.1f}"))


def write_river(path: Path, model: ChannelModel, course: Course, start: datetime, title: str) -> None:
    """Levels and discharges along the river: dimensions time and section."""
    place = along(model)
    with netCDF4.Dataset(path, "w") as file:
        file.setncatts({"Conventions": "CF-1.11", "title": title, "source": "liuyu channel run"})
        file.createDimension("time", len(course.time))
        file.createDimension("section", len(place.cells))
        units = f"seconds since {start.isoformat(sep=' ')}"
        _add(file, "time", "f8", ("time",), course.time, units=units, standard_name="time", axis="T")
        names = file.createVariable("reach", str, ("section",))
        names.setncatts({"long_name": "reach that the section belongs to"})
        names[:] = np.array(place.reach, dtype=object)
        _add(file, "chainage", "f8", ("section",), place.chainage, units="m", long_name="distance along the reach")
        _add(file, "bed", "f4", ("section",), place.bed, units="m", long_name="lowest level of the section")
        both = {"coordinates": "reach chainage"}
        _add(
            file, "level", "f4", ("time", "section"), course.level[:, place.cells], units="m",
            long_name="level of the water in the datum of the network",
            standard_name="water_surface_height_above_reference_datum", **both,
        )  # fmt: skip
        _add(
            file, "discharge", "f4", ("time", "section"), course.discharge[:, place.faces], units="m3 s-1",
            long_name="discharge below the section, mean of the last step",
            standard_name="water_volume_transport_in_river_channel", **both,
        )  # fmt: skip


def _add(file: Any, name: str, kind: str, dimensions: tuple[str, ...], values: Any, **attributes: str) -> None:
    packed = {"zlib": True, "complevel": 1, "shuffle": True} if len(dimensions) == 2 else {}
    variable = file.createVariable(name, kind, dimensions, **packed)
    variable.setncatts(attributes)
    variable[:] = values


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """What a march cost and whether its volumes close. `volume_error` is a share of all water there has been."""

    start: datetime
    end: datetime
    step_s: float
    steps: int
    reaches: int
    sections: int
    length_km: float
    synthetic_sections: int
    spin_up_days: float
    processor_s: float
    wall_s: float
    volume_start_m3: float
    volume_stored_m3: float
    volume_in_m3: float
    volume_out_m3: float
    volume_error_m3: float
    volume_error: float
    gauges: dict[str, dict[str, float | str | None]]
