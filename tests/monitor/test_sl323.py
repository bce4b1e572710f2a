"""SL 323 on SQLite and PostgreSQL: what goes out comes back, and an office's own tables are read as they are."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any
from zlib import crc32

import apsw
import msgspec
import numpy as np
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from liuyu.app.commands.sl323 import sl323 as command
from liuyu.app.storage import open_store
from liuyu.basin.clock import epoch, moment, parse_time
from liuyu.basin.errors import BadInput, BadPackage, NotFound, StoreFailed
from liuyu.basin.flags import Flag
from liuyu.basin.package import basin_file, find_basin, read_basin
from liuyu.basin.places import Basin, Junction, Reach, Reservoir, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.monitor.sense.readers import write_observations
from liuyu.monitor.sense.sl323 import export_tables, import_records, import_tables, open_database
from liuyu.monitor.sense.sl323.basics import travel_times
from liuyu.monitor.sense.sl323.database import Database
from liuyu.monitor.sense.sl323.rules import Rules, read_rules
from liuyu.monitor.sense.sl323.tables import ALIASES, column, meanings, tables
from liuyu.monitor.sense.sl323.tendency import check, tendencies
from tests.postgres_server import PostgresServer
from tests.setup_postgres import programs

NOON = epoch(parse_time("2020-08-20T12:00", "Asia/Shanghai"))
needs_postgres = pytest.mark.skipif(programs() is None, reason="no PostgreSQL server")


@pytest.fixture(scope="module")
def server() -> Iterator[PostgresServer]:
    made = PostgresServer()
    yield made
    made.remove()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=needs_postgres)])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "tables.db")
    psycopg: Any = pytest.importorskip("psycopg")
    found: PostgresServer = request.getfixturevalue("server")
    schema = f"test_{crc32(request.node.name.encode())}"
    with psycopg.connect(found.url("public"), autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA IF EXISTS {schema} CASCADE")
        connection.execute(f"CREATE SCHEMA {schema}")
    return found.url(schema)


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    with closing(open_database(address, create=True)) as made:
        yield made


def qingxi() -> Basin:
    return read_basin(find_basin("qingxi"))


def some_values(basin: Basin, hours: int = 30) -> Batch:
    """Values of every quantity that a station reports and SL 323 holds, by the hour, with holes."""
    dice = np.random.default_rng(323)
    rows: list[tuple[int, int, int, float]] = []
    for place, station in enumerate(basin.stations):
        for name in station.quantities:
            what = quantity(name)
            for hour in range(hours):
                if dice.random() < 0.8:
                    value = round(float(dice.uniform(1, 900)), what.decimals)
                    rows.append((place, what.number, NOON + hour * 3600, value))
    return Batch.of(basin.roster, *zip(*rows, strict=True)).ordered()


def same(one: Batch, other: Batch) -> bool:
    columns = ("station", "quantity", "time", "value")
    return one.roster == other.roster and all(
        np.array_equal(getattr(one, each), getattr(other, each)) for each in columns
    )


def test_a_basin_and_its_observations_come_back(database: Database, tmp_path: Path) -> None:
    basin = qingxi()
    batch = some_values(basin)
    done = export_tables(basin, database, batch)
    assert done.rows["ST_STBPRP_B"] == len(basin.stations)
    found = import_tables(database, tmp_path / "again", "again", "又", "Again")
    assert found.faults == ()
    assert same(found.batch, batch)
    again = read_basin(tmp_path / "again")
    assert again.synthetic
    assert (again.name, again.name_en, again.time_zone) == ("又", "Again", "Asia/Shanghai")
    for ours, theirs in zip(basin.stations, again.stations, strict=True):
        for name in ("code", "name", "name_en", "position", "river", "kind", "datum", "rank"):
            assert getattr(theirs, name) == getattr(ours, name)
        assert set(theirs.quantities) >= set(ours.quantities)
    kept = {(each.kind, each.quantity) for each in meanings("threshold")}
    wanted = {
        (each.station, each.quantity, each.kind, each.value, each.season)
        for each in basin.thresholds
        if (each.kind, each.quantity) in kept
    }
    assert {(each.station, each.quantity, each.kind, each.value, each.season) for each in again.thresholds} == wanted
    assert [each.curve for each in again.reservoirs] == [each.curve for each in basin.reservoirs]
    points = {(each.station, each.quantity, each.return_period, each.value) for each in basin.frequencies}
    assert {(each.station, each.quantity, each.return_period, each.value) for each in again.frequencies} == points
    pairs = {
        (row["UPSTCD"], row["DWSTCD"]): row["AVTRTM"] for row in travel_times(basin, {c: c for c in basin.roster.codes})
    }
    assert {(each.upper, each.lower): each.travel_hours for each in again.reaches} == pairs


def test_a_second_export_replaces_rows_by_their_key(database: Database, tmp_path: Path) -> None:
    basin = qingxi()
    batch = some_values(basin, 3)
    first = export_tables(basin, database, batch)
    higher = Batch.of(batch.roster, batch.station, batch.quantity, batch.time, np.round(batch.value + 1, 3))
    assert export_tables(basin, database, higher).rows == first.rows
    assert same(import_tables(database, tmp_path / "b", "b").batch, higher)


def test_all_or_nothing(tmp_path: Path) -> None:
    path = tmp_path / "tables.db"
    connection = apsw.Connection(str(path))
    connection.execute("CREATE TABLE ST_RIVER_R (STCD CHAR(8), TM DATETIME, Z DECIMAL(7,3))")
    basin = qingxi()
    with closing(open_database(str(path))) as database:
        with pytest.raises(StoreFailed, match=r"ST_RIVER_R cannot be written .*; check its key"):
            export_tables(basin, database, some_values(basin, 2))
        assert database.columns("ST_STBPRP_B") == {}


def test_what_no_column_holds_is_told(database: Database) -> None:
    station = Station(code="A", name="甲" * 40, name_en="A", quantities=("water_level", "turbidity"))
    threshold = Threshold(station="A", quantity="water_level", kind="flood_number", value=3.0)
    basin = Basin(
        code="a",
        name="a",
        name_en="a",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder="none",
        stations=(station,),
        thresholds=(threshold,),
    )
    number = quantity("turbidity").number
    batch = Batch.of(basin.roster, [0, 0, 0], [1, 1, number], [NOON, NOON + 3600, NOON], [12345.6, 1.0, 5.0])
    done = export_tables(basin, database, batch)
    assert [each.reason for each in done.asides] == [
        "ST_STBPRP_B.STNM holds 30 signs: 1",
        "SL 323 has no column for flood_number: 1",
        "no column of SL 323 here holds turbidity: 1",
        "too large for ST_RIVER_R.Z, DECIMAL(7,3): 1",
    ]
    assert b"A,water_level,%d,12345.6" % NOON in done.asides[-1].payload
    assert done.rows["ST_RIVER_R"] == 1


def test_codes_that_do_not_fit_are_all_told_and_may_be_translated(tmp_path: Path) -> None:
    stations = tuple(Station(code=code, name=code, name_en=code) for code in ("reservoir_dam", "峡口", "60112200"))
    basin = Basin(
        code="a", name="a", name_en="a", time_zone="UTC", synthetic=True, folder=str(tmp_path), stations=stations
    )
    with closing(open_database(str(tmp_path / "t.db"), create=True)) as database:
        with pytest.raises(BadPackage) as raised:
            export_tables(basin, database)
        assert [each.value for each in raised.value.faults] == ["reservoir_dam", "峡口"]
        (tmp_path / "sl323.toml").write_text(
            '[stations]\nreservoir_dam = "10000001"\n"峡口" = "10000002"\n', encoding="utf-8"
        )
        export_tables(basin, database)
        (tmp_path / "again").mkdir()
        (tmp_path / "again" / "sl323.toml").write_text(
            (tmp_path / "sl323.toml").read_text(encoding="utf-8"), encoding="utf-8"
        )
        import_tables(database, tmp_path / "again", "again")
    assert {each.code for each in read_basin(tmp_path / "again").stations} == {each.code for each in stations}


def test_the_tendency_is_derived_and_its_codes_may_be_others(tmp_path: Path) -> None:
    basin = Basin(
        code="a",
        name="a",
        name_en="a",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder=str(tmp_path),
        stations=(Station(code="A", name="a", name_en="a"), Station(code="B", name="b", name_en="b")),
    )
    levels = [10.0, 10.5, 10.504, 10.0]
    batch = Batch.of(
        basin.roster, [0] * 4 + [1], [1] * 5, [*(NOON + h * 3600 for h in range(4)), NOON + 9 * 3600], [*levels, 1]
    )

    def codes(path: Path) -> list[Any]:
        with closing(open_database(str(path), create=True)) as database:
            export_tables(basin, database, batch)
            return [row[0] for row in database.rows("ST_RIVER_R", ["WPTN"], ["STCD", "TM"])]

    assert codes(tmp_path / "usual.db") == [None, "5", "6", "4", None]
    (tmp_path / "sl323.toml").write_text('[wptn]\nfalling = "5"\nrising = "4"\n')
    assert codes(tmp_path / "other.db") == [None, "4", "6", "5", None]


def test_exchanged_codes_of_tendency_are_found_out(tmp_path: Path) -> None:
    basin = qingxi()
    hours = np.arange(200)
    level: NDArray[np.float64] = np.round(100 + np.sin(hours / 7), 3)
    batch = Batch.of(basin.roster, np.zeros(200), np.ones(200), NOON + hours * 3600, level)
    with closing(open_database(str(tmp_path / "t.db"), create=True)) as database:
        export_tables(basin, database, batch)
    apsw.Connection(str(tmp_path / "t.db")).execute(
        "UPDATE ST_RIVER_R SET WPTN = CASE WPTN WHEN '4' THEN '5' WHEN '5' THEN '4' ELSE WPTN END"
    )
    with closing(open_database(str(tmp_path / "t.db"))) as database:
        found = import_tables(database, tmp_path / "b", "b")
        assert [each.field for each in found.faults] == ["WPTN"]
        assert "exchanged" in found.faults[0].problem
        rules = Rules(wptn={"falling": "5", "rising": "4", "steady": "6"})
        assert import_tables(database, tmp_path / "c", "c", rules=rules).faults == ()


def test_a_doubtful_tendency_is_not_judged() -> None:
    station, time = np.zeros(4, np.int64), np.arange(4) * 3600
    derived = tendencies(station, time, np.array([1.0, np.nan, 2.0, 2.0]))
    assert derived.tolist() == [-1, -1, 1, 2]
    assert check(np.array([None, "5", "4", "6"], dtype=object), derived, Rules()).problem == ""


def test_forecasts_are_written_as_their_median(database: Database) -> None:
    basin = qingxi()
    issued = moment(NOON)
    dam = next(each.code for each in basin.stations if each.kind == "RR")
    river = next(each.code for each in basin.stations if each.kind == "ZQ")
    members = np.array([[1.0, 2.0], [3.0, 4.0], [8.0, 9.0]])

    def forecast(station: str, name: str) -> Forecast:
        made = Provenance(code="liuyu", version="1")
        time = np.array([NOON + 3600, NOON + 7200])
        return Forecast(
            station=station,
            quantity=name,
            issued=issued,
            model="twin",
            time=time,
            members=members,
            drivers={},
            provenance=made,
        )

    names = [(river, "water_level"), (river, "discharge"), (dam, "water_level"), (dam, "reservoir_inflow")]
    every = [forecast(*each) for each in [*names, (dam, "reservoir_outflow"), (river, "rainfall")]]
    done = export_tables(basin, database, forecasts=every)
    assert {name: count for name, count in done.rows.items() if name.endswith("_F")} == {
        "ST_FORECASTC_F": 2,
        "ST_RIVERS_F": 4,
        "ST_RSVRC_F": 2,
    }
    key = ["STCD", "FYMDH", "YMDH", "Z", "Q"]
    rows = list(database.rows("ST_RIVERS_F", key, ["STCD", "YMDH"]))
    assert (river, "2020-08-20 12:00:00", "2020-08-20 13:00:00", 3.0, 3.0) in rows
    assert (dam, "2020-08-20 12:00:00", "2020-08-20 14:00:00", None, 4.0) in rows
    assert list(database.rows("ST_RSVRC_F", ["Z", "OTQ"], ["YMDH"])) == [(3.0, 3.0), (4.0, 4.0)]
    assert any("forecast of rainfall" in each.reason for each in done.asides)


def test_forecasts_come_back_as_records_under_names_of_their_own(database: Database, tmp_path: Path) -> None:
    basin = qingxi()
    dam = next(each.code for each in basin.stations if each.kind == "RR")
    river = next(each.code for each in basin.stations if each.kind == "ZQ")
    made = Provenance(code="liuyu", version="1", inputs_until=moment(NOON - 3600))

    def forecast(station: str, name: str, values: list[float]) -> Forecast:
        return Forecast(
            station=station,
            quantity=name,
            issued=moment(NOON),
            model="twin",
            time=NOON + 3600 * np.arange(1, len(values) + 1),
            members=np.array([values, [each + 1 for each in values], [each + 2 for each in values]]),
            drivers={},
            provenance=made,
        )

    sent = [
        forecast(dam, "reservoir_inflow", [900.0, 910.5]),
        forecast(dam, "reservoir_outflow", [800.0]),
        forecast(dam, "reservoir_storage", [2e7]),
        forecast(dam, "water_level", [214.5, 214.25]),
        forecast(river, "discharge", [700.0, 710.0, 720.0]),
        forecast(river, "water_level", [93.5, 93.6, 93.7]),
    ]
    sent[2] = msgspec.structs.replace(sent[2], members=np.full((3, 1), 2e7))
    export_tables(basin, database, some_values(basin, 2), sent)
    database.upsert(
        "ST_RIVERS_F",
        ["STCD", "UNITNAME", "PLCD", "FYMDH", "IYMDH", "YMDH", "Z"],
        [
            (river, "省局", "A1", "2020-08-20 08:00:00", "2020-08-20 12:00:00", "2020-08-20 11:00:00", 93.0),
            (river, "省局", "A1", "2020-08-20 08:00:00", "2020-08-20 12:00:00", "2020-08-21 08:00:00", 94.0),
            ("gone", "省局", "A1", "2020-08-20 08:00:00", "2020-08-20 12:00:00", "2020-08-21 08:00:00", 94.0),
        ],
    )
    found = import_records(database, basin)
    own = [each for each in found.forecasts if each.model == "twin"]
    assert [(each.station, each.quantity) for each in own] == sorted((each.station, each.quantity) for each in sent)
    for one, other in zip(own, sorted(sent, key=lambda each: (each.station, each.quantity)), strict=True):
        assert (one.issued, one.provenance.inputs_until) == (other.issued, made.inputs_until)
        assert one.time.tolist() == other.time.tolist()
        assert one.members.tolist() == [other.quantile(0.5).tolist()]
    (theirs,) = (each for each in found.forecasts if each.model == "省局/A1")
    assert (theirs.station, theirs.time.tolist(), theirs.members.tolist()) == (river, [NOON + 20 * 3600], [[94.0]])
    assert [each.reason for each in found.asides] == ["ST_RIVERS_F: no such station, or no time: 1"]
    assert [each.model for each in import_tables(database, tmp_path / "new", "new").forecasts] == [
        each.model for each in found.forecasts
    ]


def test_every_quantity_goes_to_the_table_of_its_kind_of_station_and_bad_values_to_none(
    database: Database, tmp_path: Path
) -> None:
    kinds = ("ZZ", "RR", "DD", "DP", "TT", "PP")
    stations = tuple(
        Station(code=f"9900010{place}", name=kind, name_en=kind, kind=kind, interval=5400)
        for place, kind in enumerate(kinds)
    )
    basin = Basin(
        code="b",
        name="流域",
        name_en="Basin",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder=str(tmp_path),
        stations=stations,
    )
    rows = [
        (place, quantity(name).number, NOON, 3e6 if name == "reservoir_storage" else 1.5 + place)
        for place, kind in enumerate(kinds)
        for name in sorted({each.quantity for each in meanings("observed") if each.fits(kind)})
    ]
    batch = Batch.of(basin.roster, *zip(*rows, strict=True)).ordered()
    bad = Batch.of(basin.roster, [0, 0], [1, 1], [NOON + 60, NOON + 120], [7.0, np.nan], [Flag.BAD, Flag.MISSING])
    done = export_tables(basin, database, Batch.join([batch, bad]))
    assert set(done.rows) >= {each.table for each in meanings("observed")}
    assert list(database.rows("ST_PPTN_R", ["INTV"])) == [(1.3,)] * len(kinds)
    assert [each.reason for each in done.asides] == ["bad, and SL 323 has no flags: 1"]
    database.upsert("ST_GATE_R", ["STCD", "TM", "EXKEY", "GTOPHGT"], [("99000102", "2020-08-20 12:00:00", "B", 9.0)])
    found = import_records(database, basin)
    assert same(found.batch, batch)
    assert [each.reason for each in found.asides] == ["ST_GATE_R: another of the same station and time: 1"]


def test_an_import_fills_a_store_once(database: Database, address: str, tmp_path: Path) -> None:
    basin = qingxi()
    river = next(each.code for each in basin.stations if each.kind == "ZQ")
    forecast = Forecast(
        station=river,
        quantity="water_level",
        issued=moment(NOON),
        model="twin",
        time=np.array([NOON + 3600]),
        members=np.array([[93.5], [94.0], [95.0]]),
        drivers={},
        provenance=Provenance(code="liuyu", version="1"),
    )
    batch = some_values(basin, 3)
    export_tables(basin, database, batch, [forecast])
    words = ["import", "--from", address, "--basin", "qingxi", "--store", str(tmp_path / "store"), "--json"]
    told = [msgspec.json.decode(CliRunner().invoke(command, words, catch_exceptions=False).stdout) for _ in range(2)]
    assert [(each["observations"], each["forecasts"], each["kept"]) for each in told] == [
        (len(batch), 1, len(batch) + 1),
        (len(batch), 1, 0),
    ]
    with closing(open_store(tmp_path / "store")) as store:
        assert same(store.window([], [], 0, 2**40, basin.roster), batch)
        store.put_forecasts([forecast])
        kept = store.forecast(river, "water_level")
    CliRunner().invoke(command, words, catch_exceptions=False)
    with closing(open_store(tmp_path / "store")) as store:
        again = store.forecast(river, "water_level")
    assert kept is not None
    assert again is not None
    assert len(kept.members) == len(again.members) == 3
    for wrong in (["--basin", "qingxi", "--out", str(tmp_path / "x")], [], ["--out", str(tmp_path / "x")]):
        with pytest.raises(BadInput, match=r"--code"):
            CliRunner().invoke(command, ["import", "--from", address, *wrong], catch_exceptions=False)


def test_travel_times_add_up_over_what_is_no_station() -> None:
    def reach(upper: str, lower: str, hours: float) -> Reach:
        code = f"{upper}{lower}"
        return Reach(code=code, name=code, name_en=code, upper=upper, lower=lower, length_km=10, travel_hours=hours)

    place = {"name": "x", "name_en": "x"}
    basin = Basin(
        code="a",
        name="a",
        name_en="a",
        time_zone="UTC",
        synthetic=True,
        folder=".",
        stations=tuple(Station(code=code, **place) for code in "ABCD"),
        junctions=(Junction(code="J", **place), Junction(code="K", **place)),
        reservoirs=(Reservoir(code="R", station="B", curve=((1, 1e6), (2, 2e6)), **place),),
        reaches=(reach("A", "J", 1), reach("J", "R", 2), reach("B", "C", 4), reach("J", "K", 3), reach("K", "D", 5)),
    )
    found = list(travel_times(basin, {code: code for code in "ABCD"}))
    assert [(row["UPSTCD"], row["DWSTCD"], row["AVTRTM"], row["RCHLEN"]) for row in found] == [
        ("A", "B", 3.0, 20.0),
        ("A", "D", 9.0, 30.0),
        ("B", "C", 4.0, 10.0),
    ]


OFFICE = """
CREATE TABLE ST_STBPRP_B (STCD CHAR(8) PRIMARY KEY, STNM CHAR(30), LGTD1 REAL, LTTD1 REAL, STTP CHAR(2), FRGRD CHAR(1),
  DSTRVM DECIMAL(6,1), DTMNM CHAR(16), OWN_COLUMN TEXT);
INSERT INTO ST_STBPRP_B VALUES ('00000001', '上站      ', 110.0, 30.0, 'ZQ', '1', 120.5, '吴淞', 'x'),
  ('00000002', '下站', 111.0, 30.0, 'ZZ', '3', 100.0, NULL, 'y'),
  ('00000003', '库', NULL, NULL, 'RR', NULL, NULL, NULL, NULL),
  ('00000004', NULL, NULL, NULL, 'XX', NULL, NULL, NULL, NULL);
CREATE TABLE ST_RIVER_R (STCD CHAR(8), TM DATETIME, Z DECIMAL(7,3), Q DECIMAL(9,3));
INSERT INTO ST_RIVER_R VALUES ('00000001', '2020-08-20 12:00:00', 43.21, NULL), ('00000001', 'noon', 43.2, 1),
  ('99999999', '2020-08-20 12:00:00', 1, 1), ('00000002', '2020-08-20T13:00', NULL, 5.5);
CREATE TABLE ST_PPTN_R (STCD CHAR(8), TM DATETIME, DRP DECIMAL(5,1));
INSERT INTO ST_PPTN_R VALUES ('00000002', '2020-08-20 12:00:00', 3.5);
CREATE TABLE ST_RSVR_R (STCD CHAR(8), MPCD CHAR(4), TM DATETIME, RZ REAL, INQ REAL, W REAL, OTQ REAL);
INSERT INTO ST_RSVR_R VALUES ('00000003', '0001', '2020-08-20 12:00:00', 150.5, 10, 27.521, 5);
CREATE TABLE ST_FSDR_B (UPSTCD CHAR(8), DWSTCD CHAR(8), QMGN INT, MNTRTM REAL, MXTRTM REAL, AVTRTM REAL);
INSERT INTO ST_FSDR_B VALUES ('00000001', '00000002', 1000, 4, 6, NULL),
  ('00000001', '00000002', 9000, NULL, NULL, 3.5),
  ('00000002', '00000003', 0, NULL, NULL, NULL), ('00000001', '77777777', 0, 1, 1, 1);
CREATE TABLE ST_ZVARL_B (STCD CHAR(8), MSTM DATETIME, PTNO INT, RZ REAL, W REAL);
INSERT INTO ST_ZVARL_B VALUES ('00000003', '1999-01-01', 1, 100, 1), ('00000003', '2010-01-01', 2, 160, 40),
  ('00000003', '2010-01-01', 1, 140, 10), ('00000001', '2010-01-01', 1, 140, 10);
CREATE TABLE ST_RSVRFSR_B (STCD CHAR(8), BGMD CHAR(4), EDMD CHAR(4), FSLTDZ REAL);
INSERT INTO ST_RSVRFSR_B VALUES ('00000003', '0501', '0930', 150), ('00000003', '1301', '1331', 155);
CREATE TABLE ST_RVFCCH_B (STCD CHAR(8), WRZ REAL, GRZ REAL, OBMXQ REAL);
INSERT INTO ST_RVFCCH_B VALUES ('00000001', 43, 45, 50000);
CREATE TABLE ST_ZQRL_B (STCD CHAR(8), LNNM CHAR(20), PTNO INT, Z REAL, Q REAL);
INSERT INTO ST_ZQRL_B VALUES ('00000001', '2020', 1, 40, 5000), ('00000001', '2020', 2, 45, 50000);
"""


def test_the_tables_of_an_office_are_read_as_they_are(tmp_path: Path) -> None:
    apsw.Connection(str(tmp_path / "office.db")).execute(OFFICE)
    with closing(open_database(f"sqlite:///{tmp_path / 'office.db'}")) as database:
        found = import_tables(database, tmp_path / "office", "office")
    assert found.faults == ()
    basin = read_basin(tmp_path / "office")
    upper, lower, dam, strange = basin.stations
    assert (upper.name, upper.position, upper.rank, upper.datum) == ("上站", (110.0, 30.0), 1, "吴淞")
    assert lower.quantities == ("water_level", "discharge", "rainfall")
    assert "reservoir_storage" in dam.quantities
    assert (strange.name, strange.kind) == ("00000004", "ZZ")
    assert [(each.kind, each.value, each.datum) for each in basin.thresholds] == [
        ("warning", 43.0, "吴淞"),
        ("guarantee", 45.0, "吴淞"),
        ("historical_maximum", 50000.0, "unknown"),
        ("flood_limit", 150.0, "unknown"),
    ]
    assert [(each.travel_hours, each.length_km, each.source) for each in basin.reaches] == [
        (3.5, 20.5, "SL 323 ST_FSDR_B; length: difference of DSTRVM")
    ]
    assert [each.curve for each in basin.reservoirs] == [((140.0, 1e7), (160.0, 4e7))]
    values = dict(zip(found.batch.quantity.tolist(), found.batch.value.tolist(), strict=True))
    assert values[quantity("reservoir_storage").number] == 27_521_000
    assert "00000001,2020,40,5000" in (tmp_path / "office" / "ratings" / "ratings.csv").read_text(encoding="utf-8")
    assert [each.reason for each in found.asides] == [
        "ST_STBPRP_B: kind XX is not known, taken as ZZ: 1",
        "ST_RSVRFSR_B: BGMD or EDMD is no day, write it as MMDD: 1",
        "ST_ZVARL_B: the curve of 00000001 does not rise from point to point: 1",
        "ST_FSDR_B: no such station in ST_STBPRP_B: 1",
        "ST_FSDR_B: no travel time: 1",
        "ST_RIVER_R: no such station, add it to ST_STBPRP_B or stations.csv: 1",
        "ST_RIVER_R: time that cannot be read: 1",
    ]


def test_ratings_go_out_again(tmp_path: Path) -> None:
    apsw.Connection(str(tmp_path / "office.db")).execute(OFFICE)
    with closing(open_database(str(tmp_path / "office.db"))) as database:
        import_tables(database, tmp_path / "office", "office")
    with closing(open_database(str(tmp_path / "again.db"), create=True)) as database:
        export_tables(read_basin(tmp_path / "office"), database)
        assert list(database.rows("ST_ZQRL_B", ["LNNM", "PTNO", "Z", "Q"], ["PTNO"])) == [
            ("2020", 1.0, 40.0, 5000.0),
            ("2020", 2.0, 45.0, 50000.0),
        ]


def test_what_cannot_be_opened_or_overwritten(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no database"):
        open_database(str(tmp_path / "none.db"))
    (tmp_path / "text.db").write_text("no database at all, but long enough to be taken for one" * 20)
    with closing(open_database(str(tmp_path / "text.db"))) as database, pytest.raises(BadInput, match="no SQLite"):
        import_tables(database, tmp_path / "x", "x")
    (tmp_path / "basin.toml").write_text("")
    with closing(open_database(str(tmp_path / "new.db"), create=True)) as database:
        with pytest.raises(BadInput, match="holds a package already"):
            import_tables(database, tmp_path, "x")
        with pytest.raises(BadInput, match="no station in ST_STBPRP_B"):
            import_tables(database, tmp_path / "x", "x")
    if programs() is not None:
        pytest.importorskip("psycopg")
        with pytest.raises(StoreFailed, match=r"postgresql://127.0.0.1:9/x does not answer"):
            open_database("postgresql://someone:secret@127.0.0.1:9/x")


def test_faults_of_the_rules_are_told_together(tmp_path: Path) -> None:
    (tmp_path / "sl323.toml").write_text('zone = "Mars"\nunitname = "x"\n[wptn]\nup = "5"\n[other]\n')
    with pytest.raises(BadPackage) as raised:
        read_rules(tmp_path)
    assert {each.field for each in raised.value.faults} == {"unitname", "zone", "up", "other"}


def test_the_tables_hold_together() -> None:
    for name, columns in tables().items():
        assert any(each.key for each in columns), name
        assert len({each.column for each in columns}) == len(columns)
    assert set(ALIASES.values()) <= {each.column for columns in tables().values() for each in columns}
    assert column("ST_RIVER_R", "Z").largest == pytest.approx(9999.999)
    for what in ("observed", "threshold", "forecast"):
        assert all(quantity(each.quantity) and column(each.table, each.column) for each in meanings(what))
    assert {each.quantity: each.factor for each in meanings("observed")}["reservoir_storage"] == 1e6


def test_the_commands(tmp_path: Path) -> None:
    base = qingxi()
    observations = tmp_path / "o.csv"
    code = base.stations[0].code
    observations.write_text(f"stcd,time_cst,z_m\n{code},2021-07-01 08:00,214.5\n{code},2021-07-01 09:00,214.6\n")
    address = str(tmp_path / "q.db")
    words = [
        "export",
        "--basin",
        "qingxi",
        "--to",
        address,
        "--observations",
        str(observations),
        "--from",
        "2021-07-01",
    ]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert "ST_RIVER_R: 2 rows" in done.output
    out = tmp_path / "back.parquet"
    words = ["import", "--from", address, "--out", str(tmp_path / "back"), "--code", "back", "--observations", str(out)]
    done = CliRunner().invoke(command, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert pq.read_table(out)["z_m"].to_pylist() == [214.5, 214.6]
    assert pq.read_table(out)["time_cst"].to_pylist()[0] == datetime(2021, 7, 1, 8)  # noqa: DTZ001


@pytest.mark.data
def test_the_archive_of_the_yangtze_comes_back_value_by_value(tmp_path: Path) -> None:
    yangtze = read_basin(find_basin("yangtze"))
    path = basin_file(yangtze, yangtze.archive)
    assert path is not None
    archive = Archive(path, yangtze)
    whole = archive.take(0, 2**40)
    with closing(open_database(str(tmp_path / "yangtze.db"), create=True)) as database:
        export_tables(yangtze, database, whole)
        found = import_tables(database, tmp_path / "again", "again")
    assert found.faults == ()
    key = np.stack([whole.time, whole.station.astype(np.int64), whole.quantity.astype(np.int64)])
    last = np.flatnonzero(np.append((key[:, 1:] != key[:, :-1]).any(axis=0), True))
    assert same(found.batch, whole.take(last))
    write_observations(found.batch, yangtze, tmp_path / "again.parquet")
    assert same(Archive(tmp_path / "again.parquet", yangtze).take(0, 2**40), found.batch)
    assert found.tendency["ST_RIVER_R"].compared > 400_000
    assert [each.code for each in read_basin(tmp_path / "again").stations] == [each.code for each in yangtze.stations]


@pytest.mark.data
def test_the_tendencies_of_the_real_record_are_those_of_the_table() -> None:
    yangtze = read_basin(find_basin("yangtze"))
    path = basin_file(yangtze, yangtze.archive)
    assert path is not None
    table = pq.read_table(path, columns=["stcd", "time_cst", "z_m", "wptn"], filters=[("stcd", "=", "60107300")])
    table = table.sort_by("time_cst")
    time = table["time_cst"].to_numpy().astype("datetime64[s]").astype(np.int64)
    level = table["z_m"].to_numpy().astype(np.float64)
    codes = np.array(
        [None if each is None else str(each).removesuffix(".0") for each in table["wptn"].to_pylist()], object
    )
    found = check(codes, tendencies(np.zeros(len(time), np.int64), time, level), Rules())
    assert found.compared > 30_000
    assert found.agree / found.compared > 0.97
    assert found.problem == ""
