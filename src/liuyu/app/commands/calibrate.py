"""`liuyu calibrate`: the parameters of a rainfall-runoff model from observed days."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.app.commands.shared import progress, say
from liuyu.basin.errors import BadInput
from liuyu.twin.runoff import DAILY, MODELS, Both, Fitted, both, find_model, fit, mean_of, warmed, weights_of
from liuyu.twin.runoff.figure import hydrograph
from liuyu.twin.runoff.forcing_file import Record, read_record

MEAN = "mean"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a calibration found: runoff (steps,) [mm/d], its scores, each model with its own, and their weights."""

    simulated: Floats
    scores: Both
    members: list[tuple[Fitted, Both]]
    weights: Floats


@click.command()
@click.option("--model", required=True, metavar="NAME", help=f"{', '.join(DAILY)}, or {MEAN}: all of them.")
@click.option(
    "--forcing", required=True, type=click.Path(path_type=Path), help="CSV: date,precip_mm,pet_mm,temp_c,q_mm."
)
@click.option("--area", required=True, type=float, metavar="KM2", help="Area of the sub-basin.")
@click.option("--calibrate", "first", required=True, metavar="A..B", help="Days to calibrate on.")
@click.option("--validate", "second", required=True, metavar="C..D", help="Days to score on, unseen before.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for parameters, runoff and plot.")
@click.option("--latitude", type=click.FloatRange(-90, 90), help="For Oudin's evaporation where pet_mm is missing.")
@click.option("--seed", default=1, show_default=True, help="The same seed finds the same parameters.")
@click.option("--evaluations", default=6_000, show_default=True, type=click.IntRange(100), help="Runs at the most.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def calibrate(
    model: str,
    forcing: Path,
    area: float,
    first: str,
    second: str,
    out: Path,
    latitude: float | None,
    seed: int,
    evaluations: int,
    as_json: bool,
) -> None:
    """Calibrate a rainfall-runoff model on one period and score it on another.

    Evaporation that is missing is computed from temperature (Oudin); days without q_mm count in no score.

    Example: liuyu calibrate --model gr4j --forcing days.csv --area 370 --calibrate 1999-01-01..2008-12-31
    --validate 2009-01-01..2018-12-31 --out out/gr4j
    """
    if not 0.0 < area < 1e8:
        raise BadInput(f"an area of {area:g} km2 is none; give the sub-basin's in km2")
    names = DAILY if model == MEAN else (find_model(model).name,)
    if names[0] not in DAILY:
        raise BadInput(f"{model} steps by the hour and the file holds days; take one of {', '.join(DAILY)}")
    record = read_record(forcing, latitude=latitude)
    periods = record.period(first), record.period(second)
    outcome = _calibrate(names, record, periods, seed, evaluations, quiet=as_json)
    result = {
        "model": model,
        "seed": seed,
        "area_km2": area,
        "pet": record.pet_source,
        "calibrate": first,
        "validate": second,
        **msgspec.to_builtins(outcome.scores),
        "models": [_member(*each, weight) for each, weight in zip(outcome.members, outcome.weights, strict=True)],
        "out": str(out),
    }
    if len(names) == 1:
        result["parameters"] = outcome.members[0][0].named()
    _write(out, result, record, outcome, periods, area)
    say(result, _sentence(model, outcome.scores, out), as_json=as_json)


def _calibrate(
    names: tuple[str, ...], record: Record, periods: tuple[slice, slice], seed: int, evaluations: int, *, quiet: bool
) -> _Outcome:
    members, runs = [], []
    for name in names:
        with progress(f"calibrating {name}", quiet=quiet) as tell:
            found = fit(
                MODELS[name], record.forcing, record.observed, periods[0], seed=seed, evaluations=evaluations, tell=tell
            )
        runs.append(warmed(found.model, record.forcing, found.parameters[None])[0])
        members.append((found, both(runs[-1], record.observed, *periods)))
    weights = weights_of(runs, record.observed, periods[0])
    mean = mean_of(runs, weights)
    return _Outcome(mean, both(mean, record.observed, *periods), members, weights)


def _member(found: Fitted, scores: Both, weight: float) -> dict[str, Any]:
    return {
        "model": found.model.name,
        "weight": round(float(weight), 4),
        **msgspec.to_builtins(scores),
        "parameters": found.named(),
        "units": {each.name: each.unit for each in found.model.parameters},
        "evaluations": found.evaluations,
        "objective": round(found.objective, 6),
    }


def _write(
    out: Path, result: dict[str, Any], record: Record, outcome: _Outcome, periods: tuple[slice, slice], area: float
) -> None:
    """calibration.json, runoff.csv and hydrograph.svg in a folder."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    with (out / "runoff.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("date", "q_mm", "simulated_mm", "simulated_m3s"))
        for day, seen, run in zip(record.days, record.observed, outcome.simulated, strict=True):
            observed = "" if np.isnan(seen) else f"{seen:g}"
            table.writerow((day.isoformat(), observed, f"{run:.4f}", f"{run * area / 86.4:.3f}"))
    parts = [(periods[0], "calibration"), (periods[1], "validation")]
    title = f"{record.forcing.names[0]}  {result['model']}  validation NSE {outcome.scores.validation.nse:.3f}"
    picture = hydrograph(record.days, record.forcing.precipitation[0], record.observed, outcome.simulated, parts, title)
    (out / "hydrograph.svg").write_text(picture, encoding="utf-8")


def _sentence(model: str, scores: Both, out: Path) -> str:
    lines = [
        f"{name}: NSE {each.nse:.3f}, KGE {each.kge:.3f}, DC {each.dc:.3f}, bias {each.bias:+.1%} over {each.days} days"
        for name, each in (("calibration", scores.calibration), ("validation", scores.validation))
    ]
    return "\n".join([model, *lines, f"parameters, runoff and plot are in {out}"])
