"""frost-sta-client, which no one here wrote, writes to the twin of the present and reads back what it wrote."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import frost_sta_client as frost
import geojson
import msgspec
import numpy as np
import pytest
from frost_sta_client.model.ext.data_array_document import DataArrayDocument
from frost_sta_client.model.ext.data_array_value import DataArrayValue
from frost_sta_client.model.ext.unitofmeasurement import UnitOfMeasurement
from frost_sta_client.service.auth_handler import AuthHandler
from small_river import serving

from liuyu.app.config import Live
from liuyu.app.now.present import Duty
from liuyu.app.now.wall import WallTwin
from liuyu.app.users import Users
from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.flags import Flag
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense import Archive
from liuyu.store.inbox.files import FileInbox
from liuyu.store.sqlite import open_store
from liuyu.twin import make_archive

MEASUREMENT = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_Measurement"


class Desk:
    """A twin of the present on a clock that the test moves, its server, and a client of it."""

    def __init__(self, twin: WallTwin, url: str, now: list[int], token: str) -> None:
        self.twin, self.url, self.now = twin, url + "/sta/v1.1", now
        name, _, secret = token.rpartition(".")
        self.gatherer = frost.SensorThingsService(self.url, AuthHandler(name, secret))
        self.administrator = frost.SensorThingsService(self.url, AuthHandler("li", "river basin twin"))
        self.anyone = frost.SensorThingsService(self.url)

    def step(self) -> None:
        """Let the loop take what was delivered."""
        self.now[0] += 60
        assert self.twin.turn()


@contextmanager
def watching(basin: Basin, folder: Path, now: int) -> Iterator[Desk]:
    """The desk of a basin, without its model: what is observed is at stake here."""
    basin = msgspec.structs.replace(basin, model_file="")
    users, clock = Users(folder), [now]
    users.add("li", "administrator", "river basin twin")
    token = users.add_with_token("gatherer", "device")
    with (
        closing(open_store(folder / "store")) as store,
        closing(FileInbox(folder / "inbox", basin.roster, most=64 << 20)) as inbox,
    ):
        twin = WallTwin(Duty(basin), store, inbox, users, clock=lambda: clock[0], live=Live())
        with serving(twin) as url:
            yield Desk(twin, url, clock, token)


def feed(desk: Desk, values: Batch) -> list[frost.Observation]:
    """Send the values of an archive as data arrays, a document for each hour, with the loop at work between."""
    codes, sent = values.roster.codes, []
    streams = {each.id: each for each in desk.anyone.datastreams().query().top(1000).list()}
    for hour in np.unique(values.time // HOUR):
        rows = values.take(values.time // HOUR == hour)
        desk.now[0] = max(desk.now[0], int(hour + 1) * HOUR)
        document = DataArrayDocument()
        for place in np.unique(rows.station).tolist():
            for number in np.unique(rows.quantity).tolist():
                name = quantity(number).name
                own = rows.take((rows.station == place) & (rows.quantity == number))
                if len(own):
                    array = DataArrayValue()
                    array.datastream = streams[f"{codes[place]}:{name}"]
                    array.components = {array.Property.PHENOMENON_TIME, array.Property.RESULT}
                    for time, value in zip(own.time.tolist(), own.value.tolist(), strict=True):
                        array.add_observation(frost.Observation(phenomenon_time=moment(time), result=value))
                    document.add_data_array_value(array)
        sent += desk.gatherer.observations().create(document)
        desk.step()
    return sent


def check_feed(desk: Desk, values: Batch) -> None:
    """Every value that was sent can be read, once, with the flag that the loop gave it."""
    values = values.take(np.isfinite(values.value))
    links = feed(desk, values)
    assert len(links) == len(values)
    assert not [each.self_link for each in links if not each.self_link.startswith(desk.url)]
    flags = set()
    for place, number in sorted(set(zip(values.station.tolist(), values.quantity.tolist(), strict=True))):
        own = values.take((values.station == place) & (values.quantity == number)).ordered()
        stream = desk.anyone.datastreams().find(f"{values.roster.codes[place]}:{quantity(number).name}")
        found = list(stream.get_observations().query().top(500).list())
        assert [each.result for each in found] == own.value.tolist()
        assert [epoch(datetime.fromisoformat(each.phenomenon_time)) for each in found] == own.time.tolist()
        flags |= {each.result_quality["flag"] for each in found}
    assert flags <= set(Flag) - {Flag.MISSING}


@pytest.fixture(scope="module")
def qingxi(tmp_path_factory: pytest.TempPathFactory) -> tuple[Basin, Path]:
    """The synthetic basin and its archive."""
    basin = read_basin(find_basin("qingxi"))
    file = tmp_path_factory.mktemp("archive") / "qingxi.parquet"
    make_archive(basin, file, 2020)
    return basin, file


@pytest.fixture
def desk(qingxi: tuple[Basin, Path], tmp_path: Path) -> Iterator[Desk]:
    basin, _ = qingxi
    with watching(basin, tmp_path, epoch(datetime(2020, 8, 10, tzinfo=UTC))) as made:
        yield made


def test_a_synthetic_archive_goes_through_the_client(qingxi: tuple[Basin, Path], tmp_path: Path) -> None:
    basin, file = qingxi
    archive = Archive(file, basin)
    start = archive.span[0] // HOUR * HOUR + 48 * HOUR
    values = archive.take(start, start + 6 * HOUR)
    assert len(values) > 50
    with watching(basin, tmp_path, start) as made:
        check_feed(made, values)


@pytest.mark.data
def test_real_observations_go_through_the_client(tmp_path: Path) -> None:
    if bundle_folder() is None:
        pytest.skip("no data bundle")
    basin = read_basin(find_basin("yangtze"))
    archive = Archive(bundle_file(basin.archive), basin)
    start = epoch(datetime(2020, 8, 20, tzinfo=UTC))
    values = archive.take(start, start + 4 * HOUR)
    assert len(values) > 100
    with watching(basin, tmp_path, start) as made:
        check_feed(made, values)


def test_create_then_get(desk: Desk) -> None:
    stream = next(iter(desk.anyone.datastreams().query().filter("ObservedProperty/name eq 'water_level'").list()))
    at = moment(desk.now[0])
    observation = frost.Observation(phenomenon_time=at, result=101.25, datastream=stream, parameters={"sonde": "R-7"})
    desk.gatherer.create(observation)
    assert observation.id == f"{stream.id}:{epoch(at)}"
    for _ in range(2):
        found = desk.anyone.observations().find(observation.id)
        assert (found.result, found.parameters) == (101.25, {"sonde": "R-7"})
        (newest,) = list(stream.get_observations().query().orderby("phenomenonTime").top(1).list().entities)
        assert newest.id == observation.id
        desk.step()
    desk.gatherer.create(observation)
    desk.step()
    after = f"phenomenonTime ge {at.isoformat().replace('+00:00', 'Z')}"
    assert len(list(stream.get_observations().query().filter(after).list())) == 1


def test_a_thing_that_the_package_does_not_know(desk: Desk) -> None:
    thing = frost.Thing(
        name="mast",
        description="met mast",
        properties={"owner": "met office"},
        locations=[
            frost.Location(
                name="bank",
                description="left bank",
                location=geojson.Point((110.3, 30.5)),
                encoding_type="application/geo+json",
            )
        ],
    )
    desk.administrator.create(thing)
    stream = frost.Datastream(
        name="wind",
        description="wind",
        observation_type=MEASUREMENT,
        unit_of_measurement=UnitOfMeasurement("metre per second", "m/s", "ucum:m/s"),
        thing=thing,
        sensor=frost.Sensor(name="cup", description="cup", encoding_type="text/plain", metadata="2019"),
        observed_property=frost.ObservedProperty(name="Wind speed", definition="urn:x:wind", description="of the air"),
    )
    desk.administrator.create(stream)
    began = moment(desk.now[0] - HOUR)
    for minute in range(5):
        at = began + timedelta(minutes=minute)
        desk.gatherer.create(frost.Observation(phenomenon_time=at, result=3 + minute / 10, datastream=stream))
    found = list(stream.get_observations().query().filter("result gt 3.15").orderby("result", "desc").list())
    assert [each.result for each in found] == [3.4, 3.3, 3.2]
    again = desk.anyone.things().find(thing.id)
    assert (again.name, again.properties) == ("mast", {"owner": "met office"})
    again.description = "moved"
    desk.administrator.update(again)
    desk.administrator.patch(again, [{"op": "add", "path": "/properties/height", "value": 10}])
    assert desk.anyone.things().find(thing.id).properties == {"owner": "met office", "height": 10}
    (place,) = list(again.get_locations().query().list())
    assert place.location["coordinates"] == [110.3, 30.5]
    desk.administrator.delete(again)
    assert thing.id not in [each.id for each in desk.anyone.things().query().list()]


def test_feet_are_converted(desk: Desk) -> None:
    station = desk.twin.basin.stations[0]
    stream = frost.Datastream(
        name="level in feet",
        description="staff gauge",
        observation_type=MEASUREMENT,
        unit_of_measurement=UnitOfMeasurement("foot", "ft", "ucum:[ft_i]"),
        thing=desk.anyone.things().find(station.code),
        sensor=desk.anyone.sensors().find(station.code),
        observed_property=desk.anyone.observed_properties().find("water_level"),
    )
    desk.administrator.create(stream)
    at = moment(desk.now[0])
    desk.gatherer.create(frost.Observation(phenomenon_time=at, result=332.15, datastream=stream))
    desk.step()
    stored = desk.twin.store.series(station.code, "water_level", 0, 2**40)
    assert stored.value.tolist() == [101.23932]
    assert desk.anyone.observations().find(f"{stream.id}:{epoch(at)}").result == 332.15


def test_a_gatherer_may_only_deliver(desk: Desk) -> None:
    for service, status in ((desk.gatherer, 403), (desk.anyone, 401)):
        with pytest.raises(Exception, match=str(status)):
            service.create(frost.Thing(name="x", description="x"))
