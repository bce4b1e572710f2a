"""Calibration: the search, the scores, and the command from a CSV to its folder."""

from __future__ import annotations

import csv
import gzip
import json
import xml.etree.ElementTree as ET
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from liuyu.app.commands.calibrate import calibrate
from liuyu.basin.bundle import bundle_file
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.twin.runoff import MODELS, Forcing, fit, score, warmed
from liuyu.twin.runoff.cmaes import polish
from liuyu.twin.runoff.forcing_file import read_record
from liuyu.twin.runoff.sceua import minimise
from liuyu.twin.runoff.scores import kge

Floats = NDArray[np.float64]
TRUTH = np.array([1.0, 1.0, 0.0, 3.0, 5.0, 1.0, 320.0, -1.2, 70.0, 1.8])
DAYS = 1100


def synthetic() -> tuple[Forcing, Floats]:
    """Weather, and the runoff of GR4J with known parameters."""
    draw = np.random.default_rng(11)
    day = np.arange(DAYS)
    season = np.cos(2 * np.pi * day / 365)
    forcing = Forcing(draw.gamma(0.3, 10.0, (1, DAYS)), (2.0 - 1.7 * season)[None], (8.0 - 10.0 * season)[None])
    return forcing, warmed(MODELS["gr4j"], forcing, TRUTH[None])[0]


def write(path: Path, *, pet: bool = True) -> Path:
    forcing, runoff = synthetic()
    assert forcing.temperature is not None
    start = date(2001, 1, 1)
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", "precip_mm", *(["pet_mm"] if pet else []), "temp_c", "q_mm"])
        for k in range(DAYS):
            demand = [f"{forcing.pet[0, k]:.3f}"] if pet else []
            flow = "" if k % 17 == 0 else f"{runoff[k]:.4f}"
            rain = f"{forcing.precipitation[0, k]:.3f}"
            out.writerow([start + timedelta(days=k), rain, *demand, f"{forcing.temperature[0, k]:.2f}", flow])
    return path


def run(file: Path, out: Path, *more: str) -> Result:
    periods = ("--calibrate", "2001-01-01..2002-12-31", "--validate", "2003-01-01..2003-12-31")
    options = ("--forcing", str(file), "--area", "370", *periods, "--out", str(out), *more)
    return CliRunner().invoke(calibrate, options, catch_exceptions=False)


def test_the_search_finds_the_least_value_of_a_curved_valley() -> None:
    def rosenbrock(points: Floats) -> Floats:
        x = 4.0 * points - 2.0
        return np.asarray((100.0 * (x[:, 1:] - x[:, :-1] ** 2) ** 2 + (1.0 - x[:, :-1]) ** 2).sum(1))

    rough = minimise(rosenbrock, 4, seed=3, evaluations=2000)
    assert rough.value < 5.0
    assert rough.best.tobytes() == minimise(rosenbrock, 4, seed=3, evaluations=2000).best.tobytes()
    assert rough.best.tobytes() != minimise(rosenbrock, 4, seed=4, evaluations=2000).best.tobytes()
    found = polish(rosenbrock, rough.best, seed=3, evaluations=6000)
    assert 4.0 * found.best - 2.0 == pytest.approx(np.ones(4), abs=1e-6)
    assert found.best.tobytes() == polish(rosenbrock, rough.best, seed=3, evaluations=6000).best.tobytes()


def test_the_complexes_find_the_best_of_many_valleys() -> None:
    def rastrigin(points: Floats) -> Floats:
        x = 6.0 * points - 2.0
        return np.asarray((x**2 - 2.0 * np.cos(2.0 * np.pi * x) + 2.0).sum(1))

    found = minimise(rastrigin, 3, seed=3, evaluations=8000)
    assert 6.0 * found.best - 2.0 == pytest.approx(np.zeros(3), abs=0.01)


def test_polishing_stays_within_the_range() -> None:
    found = polish(lambda points: points.sum(1), np.full(5, 0.5), seed=1, evaluations=4000)
    assert found.best == pytest.approx(np.zeros(5), abs=1e-4)
    assert (found.best >= 0.0).all()


def test_known_parameters_are_found_again() -> None:
    forcing, runoff = synthetic()
    holed = runoff.copy()
    holed[50:80] = np.nan
    found = fit(MODELS["gr4j"], forcing, holed, slice(0, 800), seed=1, evaluations=6000)
    simulated = warmed(MODELS["gr4j"], forcing, found.parameters[None])[0]
    assert score(simulated[800:], runoff[800:]).nse > 0.97
    assert found.named()["x4"] == pytest.approx(1.8, abs=0.25)


def test_what_comes_after_the_period_changes_nothing() -> None:
    forcing, runoff = synthetic()
    first = fit(MODELS["gr4j"], forcing, runoff, slice(0, 600), evaluations=800)
    forcing.precipitation[0, 600:] = np.nan
    runoff[600:] = 1e6
    assert fit(MODELS["gr4j"], forcing, runoff, slice(0, 600), evaluations=800).named() == first.named()


def test_scores_of_simple_series() -> None:
    observed = np.tile([1.0, 2.0, 3.0, 4.0, np.nan], 20)
    there = np.isfinite(observed)
    simulated = np.where(there, observed, 9.0)
    perfect = score(simulated, observed)
    assert (perfect.nse, perfect.dc, perfect.kge, perfect.bias, perfect.days) == (1.0, 1.0, 1.0, 0.0, 80)
    half = score(0.5 * simulated, observed)
    assert half.bias == -0.5
    assert half.kge == pytest.approx(1.0 - np.sqrt(0.5), abs=1e-4)
    assert score(np.full(100, 2.5), observed).nse == 0.0
    assert kge(np.full(80, 2.5), observed[there]) == pytest.approx(1.0 - np.sqrt(2.0))
    with pytest.raises(BadInput, match="lengthen the period"):
        score(simulated[:20], observed[:20])


def test_the_command_writes_parameters_runoff_and_a_plot(tmp_path: Path) -> None:
    file = write(tmp_path / "days.csv")
    options = ("--model", "gr4j", "--seed", "7", "--evaluations", "2500", "--json")
    result = json.loads(run(file, tmp_path / "one", *options).output)
    assert result["seed"] == 7
    assert result["validation"]["nse"] > 0.9
    assert set(result["validation"]) == {"nse", "kge", "dc", "bias", "days"}
    assert result["calibration"]["days"] == 730 - 43
    assert set(result["parameters"]) == {each.name for each in MODELS["gr4j"].parameters}
    assert json.loads((tmp_path / "one" / "calibration.json").read_text()) == result
    assert len((tmp_path / "one" / "runoff.csv").read_text().splitlines()) == DAYS + 1
    assert ET.fromstring((tmp_path / "one" / "hydrograph.svg").read_text()).tag.endswith("svg")
    run(file, tmp_path / "two", *options)
    for name in ("runoff.csv", "hydrograph.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_evaporation_is_oudins_where_the_column_is_missing(tmp_path: Path) -> None:
    file = write(tmp_path / "days.csv", pet=False)
    with pytest.raises(BadPackage, match="--latitude"):
        read_record(file)
    record = read_record(file, latitude=45.0)
    assert record.pet_source == "Oudin"
    summer, winter = record.forcing.pet[0, 180], record.forcing.pet[0, 0]
    assert summer > 10 * winter > 0


def test_every_fault_of_a_file_is_told_at_once(tmp_path: Path) -> None:
    file = write(tmp_path / "days.csv")
    lines = file.read_text().splitlines()
    lines[5] = lines[5].replace("2001-01-05", "05/01/2001")
    lines[9] = ",".join([lines[9].split(",")[0], "-3", *lines[9].split(",")[2:]])
    lines[20] = ",".join([lines[20].split(",")[0], "", *lines[20].split(",")[2:]])
    lines[30] = ",".join([*lines[30].split(",")[:-1], "much"])
    del lines[40]
    file.write_text("\n".join(lines) + "\n")
    with pytest.raises(BadPackage) as refused:
        read_record(file)
    assert [(each.line, each.field, each.value) for each in refused.value.faults] == [
        (6, "date", "05/01/2001"),
        (10, "precip_mm", "-3"),
        (21, "precip_mm", ""),
        (31, "q_mm", "much"),
        (41, "date", "2001-02-10"),
    ]
    file.write_text("day,rain\n2001-01-01,1\n")
    with pytest.raises(BadPackage, match=r"date.*missing") as refused:
        read_record(file)
    assert len(refused.value.faults) == 4


def test_periods_outside_the_file_are_refused(tmp_path: Path) -> None:
    record = read_record(write(tmp_path / "days.csv"))
    assert record.period("2001-01-01..2001-12-31") == slice(0, 365)
    for text in ("2001", "2001-01-01..1999-01-01", "2001-01-01..2030-01-01", "a..b"):
        with pytest.raises(BadInput, match=r"write two dates as 2001-01-01\.\.2004-01-05"):
            record.period(text)
    with pytest.raises(BadInput, match="no file"):
        read_record(tmp_path / "none.csv")


@pytest.mark.data
def test_a_french_river_is_simulated_well_in_years_not_calibrated_on(tmp_path: Path) -> None:
    with gzip.open(bundle_file("rainfall_runoff/camels_fr_14/daily.csv.gz"), "rt") as file:
        rows = [row for row in csv.DictReader(file) if row["basin"] == "B222001001"]
    path = tmp_path / "meuse.csv"
    with path.open("w", newline="") as target:
        out = csv.DictWriter(target, rows[0])
        out.writeheader()
        out.writerows(rows)
    periods = ("--calibrate", "1999-01-01..2008-12-31", "--validate", "2009-01-01..2018-12-31")
    options = ("--model", "gr4j", "--forcing", str(path), "--area", "2543", *periods, "--out", str(tmp_path / "out"))
    done = CliRunner().invoke(calibrate, (*options, "--evaluations", "2500", "--json"), catch_exceptions=False)
    assert json.loads(done.output)["validation"]["nse"] > 0.88
