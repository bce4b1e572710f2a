"""`liuyu channel` as a person runs it."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import netCDF4
import numpy as np
import pytest
from click.testing import CliRunner

from liuyu.app.commands.channel import channel
from liuyu.basin.bundle import bundle_folder
from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.twin.channel import Network, Reach, Section, write_sections


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "creek"
    path.mkdir()
    sections = tuple(
        Section(
            chainage=x, station=np.array([0.0, 10.0, 60.0, 70.0]), manning=0.03, synthetic=True,
            level=20.0 - 2e-4 * x + np.array([10.0, 0.0, 0.0, 10.0]),
        )
        for x in (0.0, 10e3)
    )  # fmt: skip
    write_sections(path, Network(reaches=(Reach(name="creek", start="a", end="b", sections=sections),)))
    (path / "boundaries.csv").write_text("node,kind,series,slope\na,discharge,flow.csv,\nb,normal,,0.0002\n")
    (path / "flow.csv").write_text("s,m3s\n0,80\n43200,200\n86400,80\n")
    (path / "gauges.csv").write_text("gauge,station,reach,chainage_m,offset_m\nmid,77,creek,5000,0.25\n")
    (path / "start.csv").write_text("reach,chainage_m,level_m\ncreek,0,22\ncreek,10000,20\n")
    return path


def invoke(*arguments: str) -> dict[str, object]:
    result = CliRunner().invoke(channel, [*arguments, "--json"], catch_exceptions=False)
    assert result.exit_code == 0, result.output
    found: dict[str, object] = json.loads(result.output)
    return found


def test_run_writes_gauges_the_river_the_state_and_a_summary(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    period = ("--from", "2024-05-01", "--to", "2024-05-01T12:00", "--spacing", "500", "--step", "900", "--every", "4")
    summary = invoke("run", str(folder), *period, "--out", str(out))
    assert summary["sections"] == 21
    assert summary["synthetic_sections"] == 21
    assert abs(float(str(summary["volume_error"]))) < 1e-13
    assert json.loads((out / "summary.json").read_text()) == summary
    with (out / "gauges.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    assert rows[0]["time"] == "2024-05-01T01:00:00+00:00"
    assert rows[0]["station"] == "77"
    with netCDF4.Dataset(out / "river.nc") as river:
        assert river["level"].dimensions == ("time", "section")
        assert river["level"].shape == (12, 21)
        assert river["level"][-1, 10] - 0.25 == pytest.approx(float(rows[-1]["level_m"]), abs=2e-3)
        assert (np.diff(river["level"][-1]) < 0.0).all()


def test_a_run_goes_on_from_the_state_of_another(folder: Path, tmp_path: Path) -> None:
    whole = invoke("run", str(folder), "--from", "2024-05-01", "--to", "2024-05-01T06:00", "--out", str(tmp_path / "w"))
    with pytest.raises(BadInput, match="cells"):
        CliRunner().invoke(
            channel,
            ["run", str(folder), "--from", "2024-05-01", "--to", "2024-05-02", "--out", str(tmp_path / "x"),
             "--spacing", "200", "--state", str(tmp_path / "w" / "state.npz")],
            catch_exceptions=False,
        )  # fmt: skip
    more = invoke(
        "run", str(folder), "--from", "2024-05-01T06:00", "--to", "2024-05-01T12:00", "--out", str(tmp_path / "m"),
        "--state", str(tmp_path / "w" / "state.npz"),
    )  # fmt: skip
    assert more["volume_start_m3"] == pytest.approx(whole["volume_stored_m3"])


def test_check_tells_every_fault_and_exits_with_one(folder: Path) -> None:
    assert CliRunner().invoke(channel, ["check", str(folder)]).exit_code == 0
    (folder / "boundaries.csv").write_text("node,kind,series,slope\na,discharge,flow.csv,\nz,normal,,0.0002\n")
    (folder / "gauges.csv").write_text("gauge,station,reach,chainage_m,offset_m\nmid,77,brook,5000,\n")
    result = CliRunner().invoke(channel, ["check", str(folder)])
    assert result.exit_code == 1
    assert "no node 'z'" in result.output
    assert "brook" in result.output
    assert "2 faults" in result.output


def test_what_cannot_be_run_says_why(folder: Path, tmp_path: Path) -> None:
    def run(*more: str) -> None:
        CliRunner().invoke(channel, ["run", str(folder), "--out", str(tmp_path / "o"), *more], catch_exceptions=False)

    with pytest.raises(BadInput, match="is not after --from"):
        run("--from", "2024-05-02", "--to", "2024-05-01")
    with pytest.raises(BadInput, match="does not divide"):
        run("--from", "2024-05-01", "--to", "2024-05-01", "--step", "7000")
    (folder / "flow.csv").write_text("0,80\n3600,-90000\n")
    with pytest.raises(ModelFailed, match=r"node a at \d+ s"):
        run("--from", "2024-05-01", "--to", "2024-05-01")


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
def test_the_main_stem_follows_the_record(basins: Path, tmp_path: Path) -> None:
    arguments = ("--from", "2023-07-01", "--to", "2023-07-10", "--spacing", "8000", "--out", str(tmp_path))
    summary = invoke("run", str(basins / "yangtze" / "channel"), *arguments)
    gauges = summary["gauges"]
    assert isinstance(gauges, dict)
    assert float(str(summary["length_km"])) > 1700.0
    for name in ("寸滩", "莲花塘", "汉口", "九江", "湖口"):
        assert gauges[name]["rms_m"] < 0.5
