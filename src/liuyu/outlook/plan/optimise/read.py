"""A problem from files: a TOML file of dams, junctions, links and goals, and a CSV file of inflows beside it."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.toml_file import TomlFile
from liuyu.outlook.plan.optimise.problem import Dam, Floats, Goal, Junction, Link, Problem

COLUMNS = ("step", "member", "code", "flow_m3s")
_KNOWN = {"kind", "step_s", "inflow", "dam", "junction", "link", "goal"}


def read_problem(file: Path) -> Problem:
    """The problem of a file. Raises BadPackage with every fault of both files, BadInput where they contradict."""
    toml = TomlFile(file)
    for key in toml.data.keys() - _KNOWN:
        toml.fault("is not known here", f"known: {', '.join(sorted(_KNOWN))}", key=key, value=key)
    dams = [each for _, each in toml.tables("dam", Dam)]
    junctions = [each for _, each in toml.tables("junction", Junction)]
    links = [each for _, each in toml.tables("link", Link)]
    goals = [each for _, each in toml.tables("goal", Goal)]
    step, name = toml.data.get("step_s", 3600), toml.data.get("inflow")
    if not isinstance(step, int | float) or step <= 0:
        toml.fault("is no length of a step", "give seconds, such as step_s = 3600", key="step_s", value=step)
    if not isinstance(name, str):
        toml.fault("names no file of inflows", 'add inflow = "inflow.csv"', key="inflow", value=name)
    inflow: Mapping[str, Floats] = {}
    if isinstance(name, str):
        inflow, faults = _inflow(file.parent / name)
        toml.faults += faults
    if toml.faults:
        raise BadPackage(str(file), toml.faults)
    return Problem(
        step=float(step),
        dams=tuple(dams),
        junctions=tuple(junctions),
        links=tuple(links),
        inflow=inflow,
        goals=tuple(goals),
    )


def _inflow(file: Path) -> tuple[Mapping[str, Floats], list[Fault]]:
    """Inflow by code, (members, steps) [m3/s], from rows step,member,code,flow_m3s, steps and members from 0."""
    faults: list[Fault] = []
    cells: dict[tuple[str, int, int], float] = {}
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream)
            lacking = [name for name in COLUMNS if name not in (reader.fieldnames or [])]
            if lacking:
                cure = f"the columns are {','.join(COLUMNS)}"
                return {}, [Fault(file=str(file), line=1, problem=f"lacks {', '.join(lacking)}", cure=cure)]
            for row in reader:
                _cell(str(file), reader.line_num, row, cells, faults)
    except (OSError, UnicodeDecodeError) as error:
        return {}, [Fault(file=str(file), problem=f"cannot be read ({error})", cure="give a CSV file in UTF-8")]
    codes = sorted({code for code, _, _ in cells})
    members = 1 + max((member for _, member, _ in cells), default=-1)
    steps = 1 + max((step for _, _, step in cells), default=-1)
    if len(cells) != len(codes) * members * steps and not faults:
        want = f"{len(codes)} places x {members} members x {steps} steps"
        faults.append(
            Fault(file=str(file), problem=f"has {len(cells)} rows where {want} are needed", cure="fill the gaps")
        )
    out = {code: np.full((members, steps), np.nan) for code in codes}
    for (code, member, step), flow in cells.items():
        out[code][member, step] = flow
    return out, faults


def _cell(
    file: str, line: int, row: Mapping[str, str], cells: dict[tuple[str, int, int], float], faults: list[Fault]
) -> None:
    try:
        step, member, flow = int(row["step"]), int(row["member"]), float(row["flow_m3s"])
        if step < 0 or member < 0 or not np.isfinite(flow):
            raise ValueError
    except (TypeError, ValueError):
        shown = ",".join(str(each) for each in row.values())
        faults.append(
            Fault(file=file, line=line, value=shown, problem="is no inflow", cure="give step, member, code and m3/s")
        )
        return
    key = (row["code"].strip(), member, step)
    if key in cells:
        faults.append(Fault(file=file, line=line, value=str(key), problem="stands twice", cure="keep one of the rows"))
    cells[key] = flow
