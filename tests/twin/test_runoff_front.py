"""Calibration by hours, for several objectives, and of nested gauges: the front, the command, what it refuses."""

from __future__ import annotations

import csv
import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from numpy.typing import NDArray

from liuyu.app.commands.calibrate import calibrate
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.twin.runoff import HOURLY, MODELS, Forcing, warmed
from liuyu.twin.runoff.forcing_file import read_record
from liuyu.twin.runoff.fronts import OBJECTIVES, find_objectives, losses_of
from liuyu.twin.runoff.nested_file import read_nested
from liuyu.twin.runoff.pareto import compromise, crowding, front, ranks

Floats = NDArray[np.float64]
HOURS = 24 * 200
TRUTH = np.array([1.0, 1.0, 0.0, 0.1, 0.0, 1.0, 250.0, -0.02, 40.0, 6.0, 0.3, 1.0])


def test_the_front_of_two_parabolas_is_found() -> None:
    def parabolas(points: Floats) -> Floats:
        x = 4.0 * points[:, 0] - 1.0
        rest = ((points[:, 1:] - 0.3) ** 2).sum(1)
        return np.stack([x**2 + rest, (x - 2.0) ** 2 + rest], axis=1)

    found = front(parabolas, np.full((1, 5), 0.5), seed=1, evaluations=6000)
    first, second = found.values.T
    assert len(first) == 60
    assert (np.sqrt(first) + np.sqrt(second)).max() < 2.02  # on the true front the roots sum to 2
    assert first.min() < 0.01
    assert second.min() < 0.01
    assert np.diff(np.sqrt(first)).max() < 0.15  # without a hole
    again = front(parabolas, np.full((1, 5), 0.5), seed=1, evaluations=6000)
    assert again.points.tobytes() == found.points.tobytes()
    assert front(parabolas, np.full((1, 5), 0.5), seed=2, evaluations=6000).points.tobytes() != found.points.tobytes()


def test_ranks_crowding_and_the_compromise() -> None:
    values = np.array([[0.0, 4.0], [1.0, 1.0], [4.0, 0.0], [2.0, 2.0], [5.0, 5.0]])
    assert ranks(values).tolist() == [0, 0, 0, 1, 2]
    assert crowding(values[:3]).tolist() == [np.inf, 2.0, np.inf]
    assert compromise(values[:3]) == 1


def test_objectives_are_perfect_for_what_was_observed() -> None:
    observed = np.tile([1.0, 2.0, 5.0, 3.0, np.nan], 50)
    run = np.where(np.isfinite(observed), observed, 7.0)
    every = tuple(OBJECTIVES.values())
    assert losses_of(every, run[None], observed) == pytest.approx(np.zeros((1, len(every))), abs=1e-12)
    half = dict(zip(OBJECTIVES, losses_of(every, 0.5 * run[None], observed)[0], strict=True))
    assert half["bias"] == pytest.approx(0.5)
    assert half["peaks"] == pytest.approx(0.5)
    for text, words in (("nse", "fewer than two"), ("nse,best", "'best' is not known")):
        with pytest.raises(BadInput, match=words):
            find_objectives(text)


def weather() -> Forcing:
    draw = np.random.default_rng(3)
    wet = np.repeat(draw.random(HOURS // 12) < 0.15, 12)
    light = np.maximum(np.sin(np.pi * (np.arange(HOURS) % 24 - 6) / 12), 0.0)
    return Forcing(np.where(wet, draw.gamma(0.8, 2.0, HOURS), 0.0)[None], 0.3 * light[None])


def write(path: Path, *, mark: str = "T", step: int = 1) -> Path:
    forcing = weather()
    runoff = warmed(MODELS["gr5h"], forcing, TRUTH[None])[0]
    start = datetime(2021, 3, 1, tzinfo=UTC)
    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(["date", "precip_mm", "pet_mm", "q_mm"])
        for k in range(HOURS):
            time = start + timedelta(hours=step * k)
            flow = "" if 100 <= k < 130 else f"{runoff[k]:.6f}"
            rain, pet = forcing.precipitation[0, k], forcing.pet[0, k]
            out.writerow([f"{time:%Y-%m-%d}{mark}{time:%H:%M}", f"{rain:.4f}", f"{pet:.4f}", flow])
    return path


def run(file: Path, out: Path, *more: str) -> Result:
    periods = ("--calibrate", "2021-03-01..2021-06-30", "--validate", "2021-07-01T00:00..2021-09-16T23:00")
    options = ("--forcing", str(file), "--area", "36", *periods, "--out", str(out), *more)
    return CliRunner().invoke(calibrate, options)


def test_hours_are_read_off_the_file_and_calibrated(tmp_path: Path) -> None:
    file = write(tmp_path / "hours.csv", mark=" ")
    options = ("--model", "gr5h", "--evaluations", "1500", "--json", "--language", "zh")
    result = json.loads(run(file, tmp_path / "out", *options).output)
    assert result["step_h"] == 1
    assert set(result["validation"]) == {"nse", "kge", "dc", "bias", "hours"}
    assert result["calibration"]["hours"] == 122 * 24 - 30
    assert result["validation"]["nse"] > 0.95
    rows = list(csv.DictReader((tmp_path / "out" / "runoff.csv").open()))
    assert rows[25]["date"] == "2021-03-02T01:00"
    assert float(rows[2000]["simulated_m3s"]) == pytest.approx(10.0 * float(rows[2000]["simulated_mm"]), abs=2e-3)
    picture = (tmp_path / "out" / "hydrograph.svg").read_text(encoding="utf-8")
    assert "毫米/时" in picture
    assert "检验期最大洪水" in picture
    assert ET.fromstring(picture).tag.endswith("svg")


def test_a_model_of_another_step_is_refused_with_the_cure(tmp_path: Path) -> None:
    file = write(tmp_path / "hours.csv")
    refused = run(file, tmp_path / "out", "--model", "gr4j")
    assert isinstance(refused.exception, BadInput)
    assert str(refused.exception) == (
        f"gr4j steps by the day and the file holds hours; take one of {', '.join(HOURLY)}"
    )
    with pytest.raises(BadPackage, match=r"3 h.*sum precipitation"):
        read_record(write(tmp_path / "three.csv", step=3))
    record = read_record(file)
    assert record.period("2021-03-01..2021-03-02") == slice(0, 48)
    assert record.period("2021-03-01T06:00..2021-03-02T05:00") == slice(6, 30)
    lines = file.read_text().splitlines()
    del lines[50]
    file.write_text("\n".join(lines))
    with pytest.raises(BadPackage, match="give every hour once and in order"):
        read_record(file)


def test_a_front_is_written_with_the_compromise_marked(tmp_path: Path) -> None:
    file = write(tmp_path / "hours.csv")
    options = ("--model", "gr5h", "--objectives", "nse,log_nse,bias", "--evaluations", "1200", "--json")
    result = json.loads(run(file, tmp_path / "one", *options).output)
    assert result["front"]["objectives"] == ["nse", "log_nse", "bias"]
    assert set(result["front"]["why"]) == {"zh", "en"}
    rows = list(csv.DictReader((tmp_path / "one" / "front.csv").open()))
    assert len(rows) == result["front"]["points"]
    chosen = [row for row in rows if row["compromise"] == "1"]
    assert [int(row["point"]) for row in chosen] == [result["front"]["compromise"]]
    assert float(chosen[0]["nse_calibration"]) == pytest.approx(result["calibration"]["nse"], abs=1e-4)
    assert float(chosen[0]["x1"]) == pytest.approx(result["parameters"]["x1"])
    values = np.array(
        [[-float(r["nse_calibration"]), -float(r["log_nse_calibration"]), float(r["bias_calibration"])] for r in rows]
    )
    assert (ranks(values.round(5)) == 0).mean() > 0.9  # but for those that rounding makes equal
    run(file, tmp_path / "two", *options)
    for name in ("front.csv", "front.svg"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def network(folder: Path) -> Path:
    """Two gauges, the lower one with two sub-basins."""
    upper = write(folder / "up.csv")
    rows = list(csv.DictReader(upper.open()))
    with (folder / "flow.csv").open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["date", "q_m3s"])
        for k, row in enumerate(rows):
            late = rows[max(k - 3, 0)]["q_mm"]
            both = f"{(0.5 * float(late) + 0.5 * float(row['q_mm'])) * 72 / 3.6:.6f}" if late and row["q_mm"] else ""
            out.writerow([row["date"], both])
    path = folder / "network.toml"
    path.write_text(
        """
model = "gr5h"
[routing]
law = "lag"
[[gauge]]
code = "down"
area_km2 = 72
flow = "flow.csv"
[[gauge]]
code = "up"
area_km2 = 36
flow = "up.csv"
downstream = "down"
distance_km = 10.8
[[subbasin]]
code = "a"
gauge = "up"
area_km2 = 36
forcing = "up.csv"
[[subbasin]]
code = "b"
gauge = "down"
area_km2 = 20
forcing = "up.csv"
[[subbasin]]
code = "c"
gauge = "down"
area_km2 = 16
forcing = "up.csv"
"""
    )
    return path


def test_nested_gauges_of_a_file_are_calibrated_together(tmp_path: Path) -> None:
    path = network(tmp_path)
    periods = ("--calibrate", "2021-03-01..2021-06-30", "--validate", "2021-07-01..2021-09-16")
    options = ("--network", str(path), *periods, "--evaluations", "1200", "--out", str(tmp_path / "out"), "--json")
    result = json.loads(CliRunner().invoke(calibrate, options, catch_exceptions=False).output)
    assert [each["code"] for each in result["gauges"]] == ["up", "down"]
    assert result["gauges"][1]["subbasins"] == ["b", "c"]
    assert result["gauges"][1]["own_km2"] == 36
    assert all(each["validation"]["nse"] > 0.9 for each in result["gauges"])
    assert result["gauges"][1]["velocity_m_s"] == pytest.approx(1.0, rel=0.4)  # 10.8 km in three hours
    assert (tmp_path / "out" / "hydrograph_down.svg").is_file()
    path.write_text(
        path.read_text().replace("area_km2 = 16", "area_km2 = 6").replace('"a"\ngauge = "up"', '"a"\ngauge = "x"')
    )
    with pytest.raises(BadPackage) as refused:
        read_nested(path)
    assert {(each.field, each.value) for each in refused.value.faults} == {
        ("gauge", "down"), ("gauge", "up"), ("subbasin.gauge", "x")}  # fmt: skip
    both = CliRunner().invoke(calibrate, [*options, "--area", "9"])
    assert both.exit_code == 2
    assert "leave them out" in both.output
