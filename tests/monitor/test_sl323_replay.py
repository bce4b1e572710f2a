"""A flood out to SL 323 tables and back: the replay says the same. The whole season is in validation/exchange."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from liuyu.app.choice import choose
from liuyu.app.commands.sl323 import sl323 as command
from liuyu.app.config import Config, Replay
from liuyu.app.replay import replay
from liuyu.basin.package import basin_file, find_basin, read_basin
from tests.postgres_server import PostgresServer


@pytest.mark.data
@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_a_flood_that_went_through_the_tables_gives_the_same_events(
    engine: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    basin = read_basin(find_basin("yangtze"))
    file = basin_file(basin, basin.archive)
    address = str(tmp_path / "tables.db")
    if engine == "postgres":
        psycopg = pytest.importorskip("psycopg")
        server: PostgresServer = request.getfixturevalue("postgres_server")
        with psycopg.connect(server.url("public"), autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS flood CASCADE")
            connection.execute("CREATE SCHEMA flood")
        address = server.url("flood")
    given, back = ["--basin", "yangtze"], tmp_path / "back.parquet"
    for words in (
        ["export", *given, "--to", address, "--archive", "--from", "2020-08-14", "--until", "2020-08-19"],
        ["import", *given, "--from", address, "--observations", str(back)],
    ):
        done = CliRunner().invoke(command, words, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    logs = []
    for name, observations in (("archive", file), ("back", back)):
        period = Replay(start="2020-08-17", end="2020-08-18", observations=str(observations), warm_up_days=2)
        replay(choose(Config(basin="yangtze", replay=period), tmp_path / name), tmp_path / name)
        logs.append((tmp_path / name / "events.jsonl").read_bytes())
    assert logs[0] == logs[1]
    assert len(logs[0].splitlines()) > 20
