"""`liuyu rehearse` as a person uses it: a scenario run from an archive, its faults, its failure, two compared."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from liuyu.app.commands.rehearse import rehearse
from liuyu.basin.errors import BadInput, BadPackage, ModelFailed, NotFound

SCENARIO = """name = "{name}"
name_en = "{name_en}"
basin = "qingxi"
hours = 8
[base]
at = "2021-07-05T14:00+08:00"
[[breach]]
levee = "levee_qinghecheng"
chainage_m = 5200
at = 1
width_m = 300
duration_h = 0.5
[[place]]
name = "堤后"
name_en = "behind"
position = [118.82, 28.8165]
"""


def run(*arguments: str) -> str:
    result = CliRunner().invoke(rehearse, list(arguments), catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A breach, and the same with less released."""
    home = tmp_path_factory.mktemp("rehearse")
    text = SCENARIO.format(name="溃堤", name_en="breach")
    (home / "a.toml").write_text(text, encoding="utf-8")
    less = '[[release]]\nreservoir = "qingxi_reservoir"\nseries = "release.csv"\n'
    (home / "release.csv").write_text("hour,m3s\n0,300\n4,150\n", encoding="utf-8")
    (home / "b.toml").write_text(SCENARIO.format(name="溃堤少放", name_en="breach, less") + less, encoding="utf-8")
    for name in ("a", "b"):
        run("run", str(home / f"{name}.toml"), "--out", str(home / name), "--workers", "1")
    return home / "a", home / "b"


def test_results_of_a_run(folders: tuple[Path, Path]) -> None:
    told = json.loads((folders[0] / "summary.json").read_bytes())
    assert (told["state"], told["base"], told["hours"]) == ("done", "2021-07-05T06:00:00Z", 8)
    assert {"code", "version", "base", "model", "inputs"} <= set(told["provenance"])
    assert len(told["provenance"]["inputs"]["river"]) == 16
    (flood,) = told["floods"]
    assert (flood["flood"], flood["member"]) == ("qinghecheng", "median")
    assert flood["flooded_area_km2"] > 1.0
    assert abs(flood["mass_error"]) < 1e-10
    assert flood["arrivals"][0]["arrival_h"] > 1.0
    people = next(each for each in flood["impact"] if each["column"] == "people")
    assert 0.0 < people["affected"] < people["total"] == pytest.approx(74600)
    median = folders[0] / flood["path"]
    assert {each.name for each in median.iterdir()} >= {"flow.nc", "maximum.tif", "tiles.pmtiles", "frames", "maps"}
    assert len(list((median / "frames").iterdir())) == 9
    with (folders[0] / "impact.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0]) == [
        "flood", "member", "layer", "feature", "column", "class_kind", "class", "affected", "total", "share",
    ]  # fmt: skip
    assert {"depth", "hazard"} == {each["class_kind"] for each in rows}
    assert {"清河镇", "城北街道", "*"} & {each["feature"] for each in rows}
    with (folders[0] / "hydrographs.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.DictReader(stream))) == 8 * 17


def test_the_same_scenario_gives_the_same_results(folders: tuple[Path, Path], tmp_path: Path) -> None:
    run("run", str(folders[0].with_suffix(".toml")), "--out", str(tmp_path), "--workers", "1", "--zarr")
    for name in ("hydrographs.csv", "gauges.csv", "reservoirs.csv", "impact.csv"):
        assert (tmp_path / name).read_bytes() == (folders[0] / name).read_bytes(), name
    flood = "floods/qinghecheng/median"
    for name in (f"{flood}/maximum.tif", f"{flood}/tiles.pmtiles", f"{flood}/frames/0008.png"):
        assert (tmp_path / name).read_bytes() == (folders[0] / name).read_bytes(), name
    assert (tmp_path / "results.zarr" / "river" / "zarr.json").exists()


def test_two_are_set_side_by_side(folders: tuple[Path, Path], tmp_path: Path) -> None:
    output = run("compare", *map(str, folders), "--out", str(tmp_path), "--json")
    told = json.loads(output)
    assert [each["en"] for each in told["columns"]] == ["no change", "breach", "breach, less"]
    rows = {(each["code"], each["what"]["en"], each["unit"]): each["values"] for each in told["rows"]}
    pool = rows["qingxi_reservoir", "highest pool", "m"]
    assert pool[2] > pool[1] == pool[0]
    area = next(each for each in told["rows"] if each["what"]["en"] == "flooded area")["values"]
    assert area[0] is None
    assert area[1] > 1.0
    assert {each["group"] for each in told["rows"]} >= {"gauge", "reservoir", "flood", "impact", "place"}
    with (tmp_path / "comparison.csv").open(encoding="utf-8", newline="") as stream:
        assert len(list(csv.reader(stream))) == len(told["rows"]) + 1
    for language, words in (
        ("zh", ("水文站", "超警戒时长", "淹没过程")),
        ("en", ("Gauges", "above warning", "The flood")),
    ):
        page = (tmp_path / f"comparison.{language}.html").read_text("utf-8")
        assert all(each in page for each in words), language
        assert "<svg" in page
        assert 'src="http' not in page
        assert (tmp_path / f"flood-qinghecheng.{language}.gif").read_bytes()[:3] == b"GIF"
    assert (tmp_path / "difference-qinghecheng-2-less-1.tif").exists()
    again = tmp_path / "again"
    run("compare", *map(str, folders), "--out", str(again), "--film", "none")
    for each in sorted(each for each in again.iterdir() if each.suffix != ".html"):
        assert each.read_bytes() == (tmp_path / each.name).read_bytes(), each.name


def test_faults_are_told_before_anything_runs(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text(SCENARIO.format(name="x", name_en="x").replace("5200", "52000") + "[rain]\nfactor = 9\n", "utf-8")
    with pytest.raises(BadPackage) as caught:
        run("run", str(path), "--out", str(tmp_path / "out"))
    assert re.search(r"wrong.toml:9: chainage_m='52000.0' lies beyond", str(caught.value))
    assert "wrong.toml:18: factor" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_failure_ends_it_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "terrain.asc").write_text(
        "ncols 4\nnrows 4\nxllcorner 0\nyllcorner 0\ncellsize 10\n" + "0 0 0 0\n" * 4, encoding="utf-8"
    )
    (tmp_path / "wild.toml").write_text(
        '[grid]\nterrain = "terrain.asc"\n[time]\nend_s = 10\n[friction]\nmanning = 0\n'
        "[initial]\ndepth = 0.5\nvelocity_x = 1e30\n",
        encoding="utf-8",
    )
    path = tmp_path / "scenario.toml"
    text = SCENARIO.format(name="x", name_en="x").partition("[[breach]]")[0] + '[[flood]]\ncase = "wild.toml"\n'
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ModelFailed, match=r"scenario 'x', flood wild, median: at 2021-07-05T06:00:00.* in row \d"):
        run("run", str(path), "--out", str(tmp_path / "out"), "--workers", "1")
    told = json.loads((tmp_path / "out" / "summary.json").read_bytes())
    assert told["state"] == "failed"
    assert "in row" in told["reason"]
    assert told["partial"] == ["floods/wild/median/flow.nc", "river.nc"]
    assert not (tmp_path / "out" / "impact.csv").exists()
    with pytest.raises(BadInput, match="is failed: scenario 'x', flood wild"):
        run("compare", str(tmp_path / "out"), str(tmp_path / "out"), "--out", str(tmp_path / "c"))
    with pytest.raises(NotFound, match="holds no results of a scenario"):
        run("compare", str(tmp_path), str(tmp_path), "--out", str(tmp_path / "c"))
