"""What a calibrated basin is made of: nodes, reaches, laws, statistics; read from and written to plain text files.

A model is a folder: `twin.json` (network, laws, series, provenance), `drivers.csv` and `correction.csv` (regressions),
`errors.csv` (past forecast errors, whole trajectories), `skill.csv` (how good such forecasts have been) and, where the
network asks for it, `learned.npz` (the data-driven model, see `twin.learned`).
"""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadPackage, Fault
from liuyu.twin.learned import Learned, Recipe, read_learned, write_learned


class Law(msgspec.Struct, frozen=True, kw_only=True):
    """Stage-discharge law of `physics.rating`: Q = a (z - b)^m (z - s - d)^e, in m3/s and m."""

    a: float
    b: float
    m: float
    e: float = 0.0
    d: float = 0.0


class Inflow(msgspec.Struct, frozen=True, kw_only=True):
    """A reach that brings a share of another node's flow: Muskingum with travel time [h] and weight x [1].

    `into_lake` says that it ends in the node's lake (a bifurcation that fills it), not in the river beside it.
    """

    source: str
    share: float = 1.0
    travel_h: float
    x: float = 0.2
    into_lake: bool = False


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A gauge as the twin computes it.

    kind: `boundary`, its flow comes from beyond the network; `channel`, flow routed and stage by law; `reservoir`, flow
    is a decision and level the balance; `lake`, a level pool of `area_km2` where a lake joins the river (its surface
    grows to that between two levels, `lake_range_m`), its own outflow gauged at `outlet` and its law that of the river
    below both. `backwater` names the gauge downstream.
    """

    station: str
    kind: Literal["boundary", "channel", "reservoir", "lake"]
    inflows: tuple[Inflow, ...] = ()
    law: Law | None = None
    backwater: str = ""
    area_km2: float = 0.0
    lake_range_m: tuple[float, float] = (0.0, 0.0)
    outlet: str = ""


class SeriesModel(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a series beforehand: believable range and largest believable spike, mean and spread [unit].

    `floor` is the least that a forecast may say: no bound for levels and for flows that turn back, half the smallest
    flow of the training for the rest.
    """

    station: str
    quantity: str
    lower: float
    upper: float
    spike: float
    mean: float
    spread: float
    floor: float = -1e9


class Model(msgspec.Struct, frozen=True, kw_only=True):
    """The network, its laws and the plan of a forecast. Leads and lengths in hours.

    `train`, `held_out` and `season` (first and last month) say what a calibration learns from; with `travel_known` it
    leaves travel times and shares as they are. `learned` asks for a data-driven model beside the routed one.
    """

    name: str
    history_h: int
    horizon_h: int
    members: int
    leads_h: tuple[int, ...]
    nodes: tuple[Node, ...]
    provenance: dict[str, str] = {}
    train: tuple[tuple[str, str], ...] = ()
    held_out: tuple[tuple[str, str], ...] = ()
    season: tuple[int, int] = (4, 10)
    travel_known: bool = False
    learned: Recipe | None = None
    series: tuple[SeriesModel, ...] = ()
    correlation: tuple[tuple[float, ...], ...] = ()


class Regression(msgspec.Struct, frozen=True, kw_only=True):
    """Linear regressions with shared features: weights (targets, leads, features + 1), the last the constant."""

    targets: tuple[tuple[str, str], ...]
    weights: NDArray[np.float64]


class Errors(msgspec.Struct, frozen=True, kw_only=True):
    """Past forecast errors: regime (n, k) in which each was made, trajectories (n, targets, leads) [unit]."""

    targets: tuple[tuple[str, str], ...]
    regime: NDArray[np.float64]
    error: NDArray[np.float64]


class Skill(msgspec.Struct, frozen=True, kw_only=True):
    """How good forecasts of a series were at a lead in seasons that the calibration never saw.

    `qr` [%], `dc` [1] and `grade` after GB/T 22482; None and empty in models that were made before they were kept.
    """

    station: str
    quantity: str
    lead_h: int
    n: int
    rmse: float
    mae: float
    rmse_persistence: float
    coverage_80: float
    qr: float | None = None
    dc: float | None = None
    grade: str = ""


class Calibrated(msgspec.Struct, frozen=True, kw_only=True):
    """A whole model folder; `digest` names its parameters."""

    model: Model
    drivers: Regression | None = None
    correction: Regression | None = None
    errors: Errors | None = None
    skill: tuple[Skill, ...] = ()
    learned: Learned | None = None
    digest: str = ""


def read_network(file: Path) -> Model:
    """The model of a TOML file (written by hand) or a JSON file (calibrated). Raises BadPackage with the fault."""
    decode = msgspec.toml.decode if file.suffix == ".toml" else msgspec.json.decode
    try:
        return decode(file.read_bytes(), type=Model)
    except (OSError, msgspec.MsgspecError) as error:
        cure = "write the network as docs/explanation/forecast.md shows, or calibrate it again"
        raise BadPackage(str(file.parent), [Fault(file=file.name, problem=str(error), cure=cure)]) from None


def read_model(file: Path) -> Calibrated:
    """A model folder, by its `twin.json`. Raises BadPackage where a file is missing or malformed."""
    model = read_network(file)
    digest = hashlib.sha256(file.read_bytes())
    tables: dict[str, list[list[str]]] = {}
    for name in ("drivers", "correction", "errors", "skill"):
        path = file.parent / f"{name}.csv"
        if path.exists():
            blob = path.read_bytes()
            digest.update(blob)
            tables[name] = list(csv.reader(io.StringIO(blob.decode("utf-8"))))
    learned = None
    if (file.parent / "learned.npz").exists():
        learned, part = read_learned(file.parent / "learned.npz")
        digest.update(part)
    try:
        return Calibrated(
            model=model,
            learned=learned,
            drivers=_regression(tables["drivers"]) if "drivers" in tables else None,
            correction=_regression(tables["correction"]) if "correction" in tables else None,
            errors=_errors(tables["errors"]) if "errors" in tables else None,
            skill=_skill(tables["skill"]) if "skill" in tables else (),
            digest=digest.hexdigest()[:16],
        )
    except (ValueError, IndexError, msgspec.MsgspecError) as error:
        fault = Fault(file=file.name, problem=f"a table beside it cannot be read: {error}", cure="calibrate it again")
        raise BadPackage(str(file.parent), [fault]) from None


def write_model(folder: Path, calibrated: Calibrated) -> Path:
    """Write every file of a model folder, the same bytes for the same model; returns `twin.json`."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "twin.json"
    file.write_bytes(msgspec.json.format(msgspec.json.encode(calibrated.model), indent=1) + b"\n")
    for name, regression in (("drivers", calibrated.drivers), ("correction", calibrated.correction)):
        if regression is not None:
            rows = [
                [*target, lead, *(f"{value:.5g}" for value in regression.weights[place, step])]
                for place, target in enumerate(regression.targets)
                for step, lead in enumerate(calibrated.model.leads_h)
            ]
            _write(folder / f"{name}.csv", [["station", "quantity", "lead_h", "weights"], *rows])
    if calibrated.learned is not None:
        write_learned(folder / "learned.npz", calibrated.learned)
    if calibrated.errors is not None:
        _write(folder / "errors.csv", _error_rows(calibrated.errors))
    if calibrated.skill:
        fields = Skill.__struct_fields__
        _write(
            folder / "skill.csv",
            [fields, *([_short(getattr(row, each)) for each in fields] for row in calibrated.skill)],
        )
    return file


def _short(value: object) -> str:
    return f"{value:.4g}" if isinstance(value, float) else "" if value is None else str(value)


def _write(path: Path, rows: Sequence[Sequence[object]]) -> None:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    path.write_text(out.getvalue(), encoding="utf-8")


def _regression(rows: list[list[str]]) -> Regression:
    targets = tuple(dict.fromkeys((row[0], row[1]) for row in rows[1:]))
    values = np.array([[float(each) for each in row[3:]] for row in rows[1:]])
    return Regression(targets=targets, weights=values.reshape(len(targets), -1, values.shape[1]))


def _error_rows(errors: Errors) -> list[list[object]]:
    """A row an issue and target: issue, station, quantity, errors by lead in mm or m3/s; first the issue's regime."""
    rows: list[list[object]] = [["issue", "station", "quantity", "regime or error by lead [mm or m3/s]"]]
    for issue, regime in enumerate(errors.regime):
        rows.append([issue, "", "regime", *(f"{each:.3g}" for each in regime)])
        for place, (station, quantity) in enumerate(errors.targets):
            scale = 1000.0 if quantity == "water_level" else 1.0
            rows.append(
                [issue, station, quantity, *(round(float(each) * scale) for each in errors.error[issue, place])]
            )
    return rows


def _errors(rows: list[list[str]]) -> Errors:
    regime = np.array([[float(each) for each in row[3:]] for row in rows[1:] if row[2] == "regime"])
    body = [row for row in rows[1:] if row[2] != "regime"]
    targets = tuple(dict.fromkeys((row[1], row[2]) for row in body))
    error = np.array([[float(each) for each in row[3:]] for row in body]).reshape(len(regime), len(targets), -1)
    scale = np.array([0.001 if quantity == "water_level" else 1.0 for _, quantity in targets])
    return Errors(targets=targets, regime=regime, error=error * scale[None, :, None])


def _skill(rows: list[list[str]]) -> tuple[Skill, ...]:
    named = [{name: cell for name, cell in zip(rows[0], row, strict=True) if cell != ""} for row in rows[1:]]
    return msgspec.convert(named, tuple[Skill, ...], strict=False)
