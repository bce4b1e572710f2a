"""`liuyu calibrate --network`: nested gauges calibrated together, from the springs down."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.app.commands.shared import progress, say
from liuyu.basin.errors import BadInput
from liuyu.twin.runoff import Both, RunoffModel, both, find_model
from liuyu.twin.runoff.figure import Course, hydrograph
from liuyu.twin.runoff.nested import Gauge, Interval, fit_nested, own_share
from liuyu.twin.runoff.nested_file import Nested, read_nested


def calibrate_nested(
    file: Path, named: str | None, texts: tuple[str, str], out: Path, seed: int, evaluations: int, language: str,
    as_json: bool,
) -> None:  # fmt: skip
    """Calibrate every gauge of a network file, score it, and write calibration.json, runoff.csv and a plot of each."""
    nested = read_nested(file)
    model = find_model(named or nested.model or "hbv")
    record = nested.record
    if model.step_h != record.step_h:
        raise BadInput(
            f"{model.name} steps {model.step_h} h and the files {record.step_h} h; take a model of that step"
        )
    periods = record.period(texts[0]), record.period(texts[1])
    with progress(f"calibrating {len(nested.gauges)} gauges with {model.name}", quiet=as_json) as tell:
        found = fit_nested(
            model, nested.gauges, periods[0], seed=seed, evaluations=evaluations, routing=nested.routing, tell=tell
        )
    scores = [both(each.simulated, gauge.observed, *periods) for each, gauge in zip(found, nested.gauges, strict=True)]
    rows = [
        _told(model, gauge, nested.gauges, interval, score, record.step_h)
        for gauge, interval, score in zip(nested.gauges, found, scores, strict=True)
    ]
    result = {"model": model.name, "seed": seed, "calibrate": texts[0], "validate": texts[1],
              "routing": nested.routing.law, "gauges": rows, "out": str(out)}  # fmt: skip
    _write(out, result, nested, found, scores, periods, language)
    lines = [
        f"{row['code']}: validation NSE {score.validation.nse:.3f}, KGE {score.validation.kge:.3f}, bias "
        f"{score.validation.bias:+.1%}" + (f", velocity {row['velocity_m_s']} m/s" if row["velocity_m_s"] else "")
        for row, score in zip(rows, scores, strict=True)
    ]
    say(result, "\n".join([model.name, *lines, f"parameters, runoff and plots are in {out}"]), as_json=as_json)


def _told(
    model: RunoffModel, gauge: Gauge, gauges: Sequence[Gauge], interval: Interval, score: Both, step_h: int
) -> dict[str, Any]:
    scores: dict[str, Any] = msgspec.to_builtins(score)
    if step_h != 24:
        for each in scores.values():
            each["hours"] = each.pop("days")
    names = (each.name for each in model.parameters)
    return {
        "code": gauge.name,
        "area_km2": gauge.whole,
        "own_km2": round(own_share(gauge, gauges) * gauge.whole, 3),
        "above": [gauges[each].name for each in gauge.above],
        "subbasins": list(gauge.forcing.names),
        **scores,
        "velocity_m_s": round(interval.velocity, 3) if gauge.above or any(gauge.ways) else None,
        "parameters": dict(zip(names, map(float, interval.parameters), strict=True)),
    }


def _write(
    out: Path, result: dict[str, Any], nested: Nested, found: Sequence[Interval], scores: Sequence[Both],
    periods: tuple[slice, slice], language: str,
) -> None:  # fmt: skip
    out.mkdir(parents=True, exist_ok=True)
    (out / "calibration.json").write_bytes(msgspec.json.format(msgspec.json.encode(result), indent=2) + b"\n")
    record = nested.record
    with (out / "runoff.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("gauge", "date", "q_mm", "simulated_mm", "simulated_m3s"))
        for gauge, interval in zip(nested.gauges, found, strict=True):
            per_mm = gauge.whole / (3.6 * record.step_h)
            for step, (seen, run) in enumerate(zip(gauge.observed, interval.simulated, strict=True)):
                observed = "" if np.isnan(seen) else f"{seen:.5g}"
                table.writerow((gauge.name, record.stamp(step), observed, f"{run:.5f}", f"{run * per_mm:.3f}"))
    words = {"zh": "检验期纳什效率", "en": "validation NSE"}[language]
    for gauge, interval, score in zip(nested.gauges, found, scores, strict=True):
        title = f"{gauge.name}  {result['model']}  {words} {score.validation.nse:.3f}"
        areas = gauge.areas or (1.0,)
        rain = np.average(gauge.forcing.precipitation, axis=0, weights=areas)
        course = Course(record.times, record.step_h, rain, gauge.observed, interval.simulated)
        (out / f"hydrograph_{gauge.name}.svg").write_text(
            hydrograph(course, *periods, title, language), encoding="utf-8"
        )
