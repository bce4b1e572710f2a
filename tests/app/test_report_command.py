"""`liuyu report`: which options go together, and the files of a bulletin."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from liuyu.app.main import commands
from liuyu.basin.clock import HOUR, epoch, moment, parse_time
from liuyu.basin.events import ForecastRun, announce
from liuyu.basin.records import Forecast, Provenance
from liuyu.store.sqlite import open_store

STATION = "99000600"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A store with one forecast of one station."""
    issued = epoch(parse_time("2021-07-04T08:00", "Asia/Shanghai"))
    forecast = Forecast(
        station=STATION,
        quantity="water_level",
        issued=moment(issued),
        model="twin",
        time=issued + HOUR * np.arange(1, 97),
        members=56.0 + np.linspace(0, 3, 96) * np.ones((9, 1)),
        drivers={},
        provenance=Provenance(code="twin", version="1"),
    )
    run = ForecastRun(
        id="forecast:1", issued=moment(issued), model="twin", stations=(STATION,), horizon_h=96, members=9
    )
    store = open_store(tmp_path / "store")
    store.put_forecasts([forecast])
    store.append([announce(run, state="issued", time=moment(issued), subject=STATION)])
    store.close()
    return tmp_path / "store"


def run(folder: Path, *words: str) -> tuple[int, str]:
    done = CliRunner().invoke(commands, ["report", "--store", str(folder), "--basin", "qingxi", *words])
    return done.exit_code, done.output + (str(done.exception) if done.exception else "")


def test_the_bulletin_of_a_store_is_written_in_both_languages_and_forms(folder: Path, tmp_path: Path) -> None:
    words = ("--bulletin", "forecast", "--stations", "清河城", "--out", str(tmp_path / "out"), "--json")
    code, output = run(folder, *words)
    assert code == 0, output
    files = [Path(each) for each in json.loads(output)["files"]]
    assert [each.name for each in files] == [f"bulletin.{a}.{b}" for a in ("zh", "en") for b in ("html", "pdf", "docx")]
    first = [each.read_bytes() for each in files]
    assert "清河城水位" in first[0].decode("utf-8")
    assert run(folder, *words)[0] == 0
    assert [each.read_bytes() for each in files] == first


@pytest.mark.parametrize(
    ("words", "cure"),
    [
        ((), "--bulletin forecast"),
        (("--bulletin", "forecast", "--from", "2021-07-01"), "give --at"),
        (("--bulletin", "forecast", "--stations", "黄河"), "no station 黄河"),
        (("--bulletin", "forecast", "--at", "2020-01-01"), "no forecast was issued so far"),
        (("--from", "2021-07-01", "--to", "2021-07-02", "--at", "2021-07-01"), "belong to --bulletin"),
    ],
)
def test_options_that_do_not_go_together_are_refused(
    words: tuple[str, ...], cure: str, folder: Path, tmp_path: Path
) -> None:
    code, output = run(folder, *words, "--out", str(tmp_path / "out"))
    assert code != 0
    assert cure in output
