"""Nested gauges from a file: which sub-basins drain to which gauge, which gauge lies below, and how water travels.

    model = "hbv"

    [routing]
    law = "lag"                # or "muskingum", with x
    velocity_m_s = [0.2, 4.0]  # searched for each gauge

    [[gauge]]
    code = "54095"
    area_km2 = 3722.68         # all the land above it
    flow = "54095.csv"         # date, and q_mm over that land or q_m3s
    downstream = "54001"
    distance_km = 42.0

    [[subbasin]]
    code = "upper_severn"
    gauge = "54095"            # the first gauge below it
    area_km2 = 3722.68
    forcing = "54095.csv"      # date,precip_mm,pet_mm,temp_c

A gauge without sub-basins names a `forcing` of all the land above it; what falls on the land of the gauges above is
then taken off it. Files lie beside the TOML. Gauges may stand in any order.
"""

from __future__ import annotations

import csv
import math
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.twin.runoff.forcing_file import Record, read_record
from liuyu.twin.runoff.nested import VELOCITY, Gauge, Routing
from liuyu.twin.runoff.run import Forcing

Floats = NDArray[np.float64]


class _Gauge(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    area_km2: float
    flow: str
    downstream: str = ""
    distance_km: float = 0.0
    forcing: str = ""


class _SubBasin(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    code: str
    gauge: str
    area_km2: float
    forcing: str
    distance_km: float = 0.0


class _Routing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    law: Literal["lag", "muskingum"] = "lag"
    x: float = 0.2
    velocity_m_s: tuple[float, float] = VELOCITY


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    gauge: tuple[_Gauge, ...]
    subbasin: tuple[_SubBasin, ...] = ()
    routing: _Routing = _Routing()
    model: str = ""
    latitude: float | None = None


@dataclass(frozen=True, slots=True)
class Nested:
    """What the file says: gauges from the springs down with their weather and flow, how water travels, and the times.

    model: the name that it gives, empty where it gives none; record: any of its records, for its times and periods.
    """

    model: str
    gauges: tuple[Gauge, ...]
    routing: Routing
    record: Record


def read_nested(path: Path) -> Nested:
    """Read the file and those that it names. Raises BadInput and BadPackage saying what is wrong where."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a TOML of gauges and sub-basins")
    try:
        said = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        fault = Fault(file=path.name, problem=str(error), cure="see docs/howto/calibrate.md for the keys")
        raise BadPackage(str(path), [fault]) from None
    faults = _faults(said, path.name)
    if faults:
        raise BadPackage(str(path), faults)
    files = dict.fromkeys(
        [each.forcing for each in said.subbasin] + [each.forcing for each in said.gauge if each.forcing]
    )
    records = {name: read_record(path.parent / name, latitude=said.latitude, gauged=False) for name in files}
    first = next(iter(records.values()))
    for name, each in records.items():
        if each.times != first.times:
            raise BadInput(f"{name} holds other times than {next(iter(records))}; give every file the same steps")
    order = _order(said.gauge)
    flows = [read_flow(path.parent / each.flow, first, each.area_km2) for each in order]
    weather = [_weather(each, said, order, records) for each in order]
    gauges = tuple(
        _gauge(each, order, said.subbasin, forcing, flow)
        for each, forcing, flow in zip(order, weather, flows, strict=True)
    )
    way = said.routing
    return Nested(said.model, gauges, Routing(way.law, way.x, way.velocity_m_s), first)


def read_flow(path: Path, record: Record, area_km2: float) -> Floats:
    """Flow (steps,) [mm a step] at the times of a record, of a CSV with date and q_mm or q_m3s; NaN where none is."""
    if not path.is_file():
        raise BadInput(f"there is no file {path}; give a CSV with date and q_mm or q_m3s")
    per_mm = area_km2 / (3.6 * record.step_h)  # [m3/s]
    place = {time: step for step, time in enumerate(record.times)}
    out, faults = np.full(len(place), np.nan), []
    with path.open(encoding="utf-8-sig", newline="") as file:
        rows = csv.DictReader(file)
        named = [each for each in ("q_mm", "q_m3s") if each in (rows.fieldnames or ())]
        if len(named) != 1 or "date" not in (rows.fieldnames or ()):
            raise BadInput(f"{path.name} has the columns {rows.fieldnames}; give date, and one of q_mm and q_m3s")
        for row in rows:
            text = (row[named[0]] or "").strip()
            try:
                time = datetime.fromisoformat((row["date"] or "").strip()).replace(tzinfo=None)
                value = math.nan if text.lower() in ("", "nan", "na") else float(text)
                if value < 0.0:
                    raise ValueError
            except ValueError:
                value_of = f"{row['date']},{text}"
                cure = "give a date and a flow of 0 or more, or leave the flow empty"
                faults.append(Fault(file=path.name, line=rows.line_num, value=value_of, problem="no flow", cure=cure))
                continue
            if time in place:
                out[place[time]] = value / (per_mm if named[0] == "q_m3s" else 1.0)
    if faults:
        raise BadPackage(str(path), faults)
    return out


def _faults(said: _File, file: str) -> list[Fault]:
    codes = [each.code for each in said.gauge]
    found = []

    def fault(field: str, value: str, problem: str, cure: str) -> None:
        found.append(Fault(file=file, field=field, value=value, problem=problem, cure=cure))

    for code in sorted({each for each in codes if codes.count(each) > 1}):
        fault("gauge.code", code, "stands twice", "give each gauge a code of its own")
    for gauge in said.gauge:
        own = [each for each in said.subbasin if each.gauge == gauge.code]
        if gauge.downstream and gauge.downstream not in codes:
            fault("gauge.downstream", gauge.downstream, "is no gauge of this file", f"name one of {', '.join(codes)}")
        if gauge.area_km2 <= 0.0 or gauge.distance_km < 0.0:
            fault("gauge", gauge.code, "area or distance is out of range", "give km2 above 0 and km of 0 or more")
        if bool(own) == bool(gauge.forcing):
            cure = "give it one of the two"
            fault("gauge", gauge.code, "has no sub-basins and no forcing, or both", cure)
        above = sum(each.area_km2 for each in said.gauge if each.downstream == gauge.code)
        land = sum(each.area_km2 for each in own)
        if own and abs(land + above - gauge.area_km2) > 0.02 * gauge.area_km2:
            problem = f"has {land + above:g} km2 in its sub-basins and the gauges above, not {gauge.area_km2:g}"
            fault("gauge", gauge.code, problem, "let the areas agree within 2 %")
    for each in said.subbasin:
        if each.gauge not in codes:
            fault("subbasin.gauge", each.gauge, "is no gauge of this file", f"name one of {', '.join(codes)}")
        if each.area_km2 <= 0.0 or each.distance_km < 0.0:
            fault("subbasin", each.code, "area or distance is out of range", "give km2 above 0 and km of 0 or more")
    low, high = said.routing.velocity_m_s
    if not 0.0 < low < high or not 0.0 <= said.routing.x <= 0.33:
        fault("routing", f"{low}, {high}, {said.routing.x}", "is out of range", "let 0 < low < high and 0 <= x <= 0.33")
    return found


def _order(gauges: Sequence[_Gauge]) -> list[_Gauge]:
    """From the springs down. Raises BadInput where gauges lie in a circle."""
    waiting, done = list(gauges), list[_Gauge]()
    while waiting:
        free = [each for each in waiting if not any(one.downstream == each.code for one in waiting)]
        if not free:
            raise BadInput(
                f"gauges {', '.join(each.code for each in waiting)} lie below each other in a circle; open it"
            )
        done += free
        waiting = [each for each in waiting if each not in free]
    return done


def _weather(gauge: _Gauge, said: _File, order: Sequence[_Gauge], records: dict[str, Record]) -> Forcing:
    """Rows of the gauge's sub-basins, or one of what is left of the whole area's weather without the gauges above."""
    own = [each for each in said.subbasin if each.gauge == gauge.code]
    if own:
        rows = [records[each.forcing].forcing for each in own]
        warm = [each.temperature for each in rows]
        warmth = None if any(each is None for each in warm) else np.vstack([each for each in warm if each is not None])
        names = [each.code for each in own]
        rain, pet = (np.vstack(each) for each in ([r.precipitation for r in rows], [r.pet for r in rows]))
        return Forcing(rain, pet, warmth, names, rows[0].times)
    whole = records[gauge.forcing].forcing
    above = [each for each in order if each.downstream == gauge.code]
    if any(not each.forcing for each in above):
        raise BadInput(
            f"gauge {gauge.code} has the weather of its whole area, a gauge above it has not; give both alike"
        )
    left = gauge.area_km2 - sum(each.area_km2 for each in above)
    rain, pet = whole.precipitation * gauge.area_km2, whole.pet * gauge.area_km2
    warmth = None if whole.temperature is None else whole.temperature * gauge.area_km2
    for each in above:
        part = records[each.forcing].forcing
        rain, pet = rain - each.area_km2 * part.precipitation, pet - each.area_km2 * part.pet
        if warmth is not None and part.temperature is not None:
            warmth = warmth - each.area_km2 * part.temperature
    if left <= 0.0:
        raise BadInput(f"the gauges above {gauge.code} have all of its area or more; look at the areas")
    rain, pet = np.maximum(rain / left, 0.0), np.maximum(pet / left, 0.0)
    return Forcing(rain, pet, None if warmth is None else warmth / left, (gauge.code,), whole.times)


def _gauge(
    gauge: _Gauge, order: Sequence[_Gauge], subbasins: Sequence[_SubBasin], forcing: Forcing, flow: Floats
) -> Gauge:
    above = tuple(place for place, each in enumerate(order) if each.downstream == gauge.code)
    own = [each for each in subbasins if each.gauge == gauge.code]
    return Gauge(
        gauge.code,
        above,
        tuple(order[each].distance_km for each in above),
        gauge.area_km2,
        forcing,
        flow,
        tuple(each.area_km2 for each in own),
        tuple(each.distance_km for each in own),
    )
