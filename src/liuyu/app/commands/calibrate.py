"""`liuyu calibrate`: the parameters of a rainfall-runoff model from observed days or hours."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.app.commands.calibrate_nested import calibrate_nested
from liuyu.app.commands.shared import progress, say
from liuyu.basin.errors import BadInput
from liuyu.twin.runoff import DAILY, HOURLY, MODELS, Both, Fitted, both, find_model, fit, mean_of, warmed, weights_of
from liuyu.twin.runoff.calibrate import EVALUATIONS
from liuyu.twin.runoff.figure import Course, front_picture, hydrograph
from liuyu.twin.runoff.forcing_file import Record, read_record
from liuyu.twin.runoff.fronts import OBJECTIVES, FittedFront, find_objectives, fit_front, losses_of, reason

MEAN = "mean"
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What a calibration found: runoff (steps,) [mm], its scores, each model with its own, and their weights."""

    simulated: Floats
    scores: Both
    members: list[tuple[Fitted, Both]]
    weights: Floats


@click.command()
@click.option(
    "--model",
    metavar="NAME",
    help=f"By days {', '.join(DAILY)}; by hours {', '.join(HOURLY)}; or {MEAN}: all of the file's step.",
)
@click.option(
    "--forcing",
    type=click.Path(path_type=Path),
    help="CSV: date,precip_mm,pet_mm,temp_c,q_mm; a date for a day, or a time like 2001-05-31T06:00 for an hour.",
)
@click.option("--area", type=float, metavar="KM2", help="Area of the sub-basin.")
@click.option("--network", type=click.Path(path_type=Path), metavar="FILE", help="TOML of sub-basins, gauges, routing.")
@click.option("--calibrate", "first", required=True, metavar="A..B", help="Days (or times) to calibrate on.")
@click.option("--validate", "second", required=True, metavar="C..D", help="Days to score on, unseen before.")
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder for parameters, runoff and plot.")
@click.option("--objectives", metavar="NAMES", help=f"Two or more of {', '.join(OBJECTIVES)}: find the front of them.")
@click.option("--latitude", type=click.FloatRange(-90, 90), help="For Oudin's evaporation where pet_mm is missing.")
@click.option("--seed", default=1, show_default=True, help="The same seed finds the same parameters.")
@click.option(
    "--evaluations", type=click.IntRange(100), help=f"Runs at the most; {EVALUATIONS}, twice that with --objectives."
)
@click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Of the plots.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def calibrate(
    model: str | None, forcing: Path | None, area: float | None, network: Path | None, first: str, second: str,
    out: Path, objectives: str | None, latitude: float | None, seed: int, evaluations: int | None, language: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Calibrate a rainfall-runoff model on one period and score it on another.

    The step, a day or an hour, is read off the file. Evaporation that is missing is computed from temperature (Oudin);
    steps without q_mm count in no score. With --network nested gauges are calibrated together, from the springs down;
    the file then takes the place of --forcing and --area.

    Example: liuyu calibrate --model gr4j --forcing days.csv --area 370 --calibrate 1999-01-01..2008-12-31
    --validate 2009-01-01..2018-12-31 --out out/gr4j
    """
    if network is not None:
        if forcing is not None or area is not None or objectives:
            raise click.UsageError(
                "--network names forcing and areas itself, and takes no --objectives; leave them out"
            )
        calibrate_nested(network, model, (first, second), out, seed, evaluations or EVALUATIONS, language, as_json)
        return
    given = {"--model": model, "--forcing": forcing, "--area": area}
    absent = [name for name, value in given.items() if value is None]
    if absent or model is None or forcing is None or area is None:
        raise click.UsageError(f"Missing option '{absent[0]}'; or give --network FILE for nested gauges.")
    if not 0.0 < area < 1e8:
        raise BadInput(f"an area of {area:g} km2 is none; give the sub-basin's in km2")
    wanted = find_objectives(objectives) if objectives else ()
    if model != MEAN:
        find_model(model)
    record = read_record(forcing, latitude=latitude)
    names = _names(model, record, front=bool(wanted))
    periods = record.period(first), record.period(second)
    result: dict[str, Any] = {"model": model, "seed": seed, "area_km2": area, "pet": record.pet_source,
                              "calibrate": first, "validate": second}  # fmt: skip
    if record.step_h != 24:
        result["step_h"] = record.step_h
    count = evaluations or EVALUATIONS * (2 if wanted else 1)
    outcome, front = _calibrate(names, record, periods, seed, count, wanted, quiet=as_json)
    result |= {
        **_plain(outcome.scores, record.step_h),
        "models": [_member(*each, w, record) for each, w in zip(outcome.members, outcome.weights, strict=True)],
        "out": str(out),
    }
    if len(names) == 1:
        result["parameters"] = outcome.members[0][0].named()
    out.mkdir(parents=True, exist_ok=True)
    if front is not None:
        result["front"] = _write_front(out, front, record, periods, language)
    _write(out, result, record, outcome, periods, area, language)
    say(result, _sentence(result, outcome.scores, record, language, out), as_json=as_json)


def _names(model: str, record: Record, *, front: bool) -> tuple[str, ...]:
    """The models to calibrate. Raises BadInput where the model's step is not that of the file."""
    there = DAILY if record.step_h == 24 else HOURLY
    if model == MEAN:
        if front:
            raise BadInput(f"a front is that of one model, not of a mean; take one of {', '.join(there)}")
        return there
    if model not in there:
        step, holds = ("hour", "days") if record.step_h == 24 else ("day", "hours")
        raise BadInput(f"{model} steps by the {step} and the file holds {holds}; take one of {', '.join(there)}")
    return (model,)


def _calibrate(
    names: tuple[str, ...], record: Record, periods: tuple[slice, slice], seed: int, evaluations: int,
    wanted: tuple[Any, ...], *, quiet: bool,
) -> tuple[_Outcome, FittedFront | None]:  # fmt: skip
    members, runs, front = [], [], None
    for name in names:
        with progress(f"calibrating {name}", quiet=quiet) as tell:
            given = MODELS[name], record.forcing, record.observed, periods[0]
            if wanted:
                front = fit_front(*given, wanted, seed=seed, evaluations=evaluations, tell=tell)
                loss = float(front.losses[front.chosen].sum())
                found = Fitted(front.model, front.parameters[front.chosen], seed, front.evaluations, loss)
            else:
                found = fit(*given, seed=seed, evaluations=evaluations, tell=tell)
        runs.append(warmed(found.model, record.forcing, found.parameters[None], known=periods[0].stop)[0])
        members.append((found, both(runs[-1], record.observed, *periods)))
    weights = weights_of(runs, record.observed, periods[0])
    mean = mean_of(runs, weights)
    return _Outcome(mean, both(mean, record.observed, *periods), members, weights), front


def _plain(scores: Both, step_h: int) -> dict[str, Any]:
    """Scores as JSON; in an hourly file what counts are hours."""
    plain: dict[str, Any] = msgspec.to_builtins(scores)
    if step_h != 24:
        for each in plain.values():
            each["hours"] = each.pop("days")
    return plain


def _member(found: Fitted, scores: Both, weight: float, record: Record) -> dict[str, Any]:
    return {
        "model": found.model.name,
        "weight": round(float(weight), 4),
        **_plain(scores, record.step_h),
        "parameters": found.named(),
        "units": {each.name: each.unit for each in found.model.parameters},
        "evaluations": found.evaluations,
        "objective": round(found.objective, 6),
    }


def _write_front(
    out: Path, front: FittedFront, record: Record, periods: tuple[slice, slice], language: str
) -> dict[str, Any]:
    """front.csv and front.svg in a folder; what the outcome says of them."""
    runs = warmed(front.model, record.forcing, front.parameters, known=periods[0].stop)
    values = []
    for losses in (front.losses, losses_of(front.objectives, runs[:, periods[1]], record.observed[periods[1]])):
        shown = [[each.shown(float(x)) for x in row] for each, row in zip(front.objectives, losses.T, strict=True)]
        values.append(np.array(shown).T)
    names = [each.name for each in front.objectives]
    with (out / "front.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        head = [f"{name}_{part}" for part in ("calibration", "validation") for name in names]
        table.writerow(("point", "compromise", *head, *(each.name for each in front.model.parameters)))
        for place, row in enumerate(front.parameters):
            numbers = [f"{x:.6f}" for each in values for x in each[place]]
            table.writerow((place, int(place == front.chosen), *numbers, *(f"{x:.9g}" for x in row)))
    words = {"zh": "目标前沿", "en": "front of objectives"}[language]
    labels = [each.zh if language == "zh" else each.name for each in front.objectives]
    title = f"{record.forcing.names[0]}  {front.model.name}  {words}"
    (out / "front.svg").write_text(
        front_picture(labels, (values[0], values[1]), front.chosen, title, language), encoding="utf-8"
    )
    return {"objectives": names, "points": len(front.losses), "compromise": front.chosen, "why": reason(front)}


def _write(
    out: Path, result: dict[str, Any], record: Record, outcome: _Outcome, periods: tuple[slice, slice], area: float,
    language: str,
) -> None:  # fmt: skip
    """calibration.json, runoff.csv and hydrograph.svg in a folder."""
    (out / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    per_mm = area * (24 / record.step_h) / 86.4  # [m3/s] that shed 1 mm in a step
    with (out / "runoff.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("date", "q_mm", "simulated_mm", "simulated_m3s"))
        digits = 4 if record.step_h == 24 else 5
        for step, (seen, run) in enumerate(zip(record.observed, outcome.simulated, strict=True)):
            observed = "" if np.isnan(seen) else f"{seen:g}"
            table.writerow((record.stamp(step), observed, f"{run:.{digits}f}", f"{run * per_mm:.3f}"))
    words = {"zh": "检验期纳什效率", "en": "validation NSE"}[language]
    title = f"{record.forcing.names[0]}  {result['model']}  {words} {outcome.scores.validation.nse:.3f}"
    course = Course(record.times, record.step_h, record.forcing.precipitation[0], record.observed, outcome.simulated)
    (out / "hydrograph.svg").write_text(hydrograph(course, *periods, title, language), encoding="utf-8")


def _sentence(result: dict[str, Any], scores: Both, record: Record, language: str, out: Path) -> str:
    many = "days" if record.step_h == 24 else "hours"
    lines = [
        f"{name}: NSE {each.nse:.3f}, KGE {each.kge:.3f}, DC {each.dc:.3f}, bias {each.bias:+.1%} over "
        f"{each.days} {many}"
        for name, each in (("calibration", scores.calibration), ("validation", scores.validation))
    ]
    if "front" in result:
        front = result["front"]
        lines.append(f"{front['points']} points in front.csv; point {front['compromise']}: {front['why'][language]}")
    return "\n".join([result["model"], *lines, f"parameters, runoff and plot are in {out}"])
