"""Writing over SensorThings: what is created is there at once, stays, converts, and is refused with a reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
from small_river import NOW
from sta_twin import DoorTwin, client_of, make_door_twin, reopened

from liuyu.basin.clock import epoch
from liuyu.basin.quantities import quantity

OM = "http://www.opengis.net/def/observationType/OGC-OM/2.0/OM_"
METRE = {"name": "metre", "symbol": "m", "definition": "ucum:m"}
FOOT = {"name": "foot", "symbol": "ft", "definition": "ucum:[ft_i]"}
NONE = {"name": None, "symbol": None, "definition": None}
LATER = "2021-07-01T00:05:00Z"
SECONDS = epoch(NOW) + 300
SENSOR = {"name": "cup", "description": "cup anemometer", "encodingType": "text/plain", "metadata": "made 2019"}
WIND = {"name": "Wind speed", "definition": "http://mmisw.org/ont/cf/parameter/wind_speed", "description": "of the air"}
PLACE = {
    "name": "bank",
    "description": "left bank",
    "encodingType": "application/geo+json",
    "location": {"type": "Point", "coordinates": [110.3, 30.5]},
}


def stream_body(thing: Any = None, unit: Any = METRE, kind: str = "Measurement", **more: Any) -> dict[str, Any]:
    """The body of a Datastream of S1's water level, or of something else."""
    told = {
        "name": "level",
        "description": "by bubbler",
        "unitOfMeasurement": unit,
        "observationType": OM + kind,
        "ObservedProperty": {"@iot.id": "water_level"},
        **more,
    }
    return {**told, "Thing": thing or {"@iot.id": "S1"}}


def mast(**more: Any) -> dict[str, Any]:
    """A Thing beyond the package, with a Location, a Datastream of wind, and one observation."""
    wind = stream_body(unit={"name": "m/s", "symbol": "m/s", "definition": "ucum:m/s"}, Sensor=SENSOR)
    del wind["Thing"]
    wind |= {"ObservedProperty": WIND, "Observations": [{"result": 3.2, "phenomenonTime": "2021-06-30T12:00:00Z"}]}
    return {"name": "mast", "description": "met mast", "Locations": [PLACE], "Datastreams": [wind], **more}


@pytest.fixture
def twin(tmp_path: Path) -> Iterator[DoorTwin]:
    made = make_door_twin(tmp_path)
    yield made
    made.store.close()


@pytest.fixture
def sta(twin: DoorTwin) -> Iterator[httpx.Client]:
    with client_of(twin) as made:
        yield made


@pytest.fixture(scope="module")
def firm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[DoorTwin, httpx.Client]]:
    """A twin, and a client of it, on which every request of several tests is refused."""
    made = make_door_twin(tmp_path_factory.mktemp("firm"), values=False)
    with client_of(made) as client:
        yield made, client
    made.store.close()


def created(answer: httpx.Response) -> str:
    """The id of what was created."""
    assert answer.status_code == 201, answer.text
    assert answer.headers["location"] == answer.json()["@iot.selfLink"]
    return str(answer.json()["@iot.id"])


def post(client: httpx.Client, path: str, body: Any) -> str:
    return created(client.post(path, json=body))


# observations of the basin's series


@pytest.mark.parametrize("path", ["Observations", "Datastreams('S1:water_level')/Observations", "Things('S1')"])
def test_an_observation_is_there_at_once_and_after_the_step(twin: DoorTwin, sta: httpx.Client, path: str) -> None:
    body: dict[str, Any] = {"result": 20.55, "phenomenonTime": "2021-07-01T08:05:00+08:00"}
    if path == "Things('S1')":
        path = "Things('S1')/Datastreams('S1:water_level')/Observations"
    if path == "Observations":
        body["Datastream"] = {"@iot.id": "S1:water_level"}
    answer = sta.post(path, json=body)
    assert created(answer) == f"S1:water_level:{SECONDS}"
    assert not len(twin.store.series("S1", "water_level", SECONDS, SECONDS + 1)), "the loop has not taken it yet"
    newest = "Datastreams('S1:water_level')/Observations?$top=1&$orderby=phenomenonTime desc"
    for _ in range(2):
        found = sta.get(answer.headers["location"])
        assert found.json() == answer.json()
        assert (found.json()["result"], found.json()["phenomenonTime"]) == (20.55, LATER)
        assert sta.get(newest).json()["value"] == [found.json()]
        assert sta.get("Datastreams('S1:water_level')").json()["phenomenonTime"].endswith("/" + LATER)
        twin.step()
    stored = twin.store.series("S1", "water_level", SECONDS, SECONDS + 1)
    assert (stored.value.tolist(), stored.flag.tolist()) == ([20.55], [2])
    (parcel,) = twin.delivered
    assert (parcel.source, len(parcel.batch)) == ("sensorthings:administrator", 1)


def test_the_same_observation_twice_is_one(twin: DoorTwin, sta: httpx.Client) -> None:
    body = {"result": 20.55, "phenomenonTime": LATER}
    path = "Datastreams('S1:water_level')/Observations"
    first, second = sta.post(path, json=body), sta.post(path, json=body)
    assert created(first) == created(second)
    twin.step()
    assert created(sta.post(path, json=body)) == created(first)
    twin.step()
    since = f"{path}?$filter=phenomenonTime gt 2021-07-01T00:00:00Z&$count=true"
    assert sta.get(since).json()["@iot.count"] == 1
    assert twin.store.versions("S1", "water_level", SECONDS) == []


def test_another_value_corrects_and_the_older_stays_in_the_history(twin: DoorTwin, sta: httpx.Client) -> None:
    path = "Datastreams('S1:water_level')/Observations"
    key = post(sta, path, {"result": 20.55, "phenomenonTime": LATER, "parameters": {"by": "radar"}})
    twin.step()
    assert post(sta, path, {"result": 20.6, "phenomenonTime": LATER}) == key
    assert sta.get(f"Observations('{key}')").json()["result"] == 20.6
    assert "parameters" not in sta.get(f"Observations('{key}')").json(), "another observation in its place"
    changed = sta.patch(f"Observations('{key}')", json={"result": 20.65, "resultQuality": "good"})
    assert changed.json()["result"] == 20.65
    twin.step()
    found = sta.get(f"Observations('{key}')").json()
    assert (found["result"], found["resultQuality"]["reported"]) == (20.65, "good")
    assert [each.value for each in twin.store.versions("S1", "water_level", SECONDS)] == [20.55, 20.6]


def test_late_data_and_a_series_that_began_later(twin: DoorTwin, sta: httpx.Client) -> None:
    path = "Datastreams('S1:water_level')/Observations"
    assert sta.get(path + "?$top=1").json()["value"][0]["phenomenonTime"] == "2021-06-01T00:00:00Z"
    key = post(sta, path, {"result": 19.0, "phenomenonTime": "2021-05-20T00:00:00Z"})
    for _ in range(2):
        assert sta.get(path + "?$top=1").json()["value"][0]["@iot.id"] == key
        twin.step()
    first = post(sta, "Datastreams('S9:water_level')/Observations", {"result": 7.5, "phenomenonTime": LATER})
    assert [each["@iot.id"] for each in sta.get("Datastreams('S9:water_level')/Observations").json()["value"]] == [
        first
    ]
    latest = sta.get("Datastreams?$expand=Observations($top=1;$orderby=phenomenonTime desc)").json()["value"]
    assert {each["@iot.id"]: len(each["Observations"]) for each in latest}["S9:water_level"] == 1


def test_what_no_column_holds_is_kept_with_the_observation(twin: DoorTwin, sta: httpx.Client) -> None:
    body = {
        "result": 20.55,
        "phenomenonTime": "2021-07-01T00:00:00Z/2021-07-01T00:05:00Z",
        "resultTime": "2021-07-01T00:06:30Z",
        "validTime": "2021-07-01T00:00:00Z/2021-07-01T01:00:00Z",
        "resultQuality": {"DQ_Status": {"code": "QC-7"}},
        "parameters": {"battery": 12.6, "sonde": "R-7"},
    }
    key = post(sta, "Datastreams('S1:water_level')/Observations", body)
    twin.step()
    found = sta.get(f"Observations('{key}')").json()
    quality = {"flag": 2, "meaning": "not evaluated", "reported": body["resultQuality"]}
    assert {name: found[name] for name in body} == {**body, "resultQuality": quality}
    asked = "Observations?$filter=parameters/sonde eq 'R-7' and phenomenonTime ge 2021-07-01T00:00:00Z"
    assert [each["@iot.id"] for each in sta.get(asked).json()["value"]] == [key]
    later = "Datastreams('S1:water_level')/Observations?$filter=resultTime gt 2021-07-01T00:06:00Z"
    assert [each["@iot.id"] for each in sta.get(later).json()["value"]] == [key]
    assert sta.get(f"Observations('{key}')/parameters").json() == {"parameters": body["parameters"]}


# datastreams


def test_a_datastream_in_our_unit_is_the_series_itself(twin: DoorTwin, sta: httpx.Client) -> None:
    assert post(sta, "Datastreams", stream_body()) == "S1:water_level"
    made = post(sta, "Things('S2')/Datastreams", {
        key: value for key, value in stream_body(
            unit={"symbol": "m3/s", "name": None, "definition": "ucum:m3/s"},
            ObservedProperty={"name": "discharge", "definition": "urn:x", "description": "flow"},
        ).items() if key != "Thing"
    })  # fmt: skip
    assert made == "S2:discharge"
    key = post(sta, "Datastreams('S2:discharge')/Observations", {"result": 4100.0, "phenomenonTime": LATER})
    twin.step()
    assert twin.store.series("S2", "discharge", 0, 2**40).value.tolist() == [4100.0]
    assert sta.get(f"Observations('{key}')/Datastream/Thing").json()["@iot.id"] == "S2"
    assert sta.get("ObservedProperties('discharge')/Datastreams?$select=id").json()["value"][-1] == {"@iot.id": made}
    assert [each["@iot.id"] for each in sta.get("Things('S2')/Datastreams").json()["value"]] == ["S2:water_level", made]


def test_a_quantity_that_no_station_had_comes_with_its_property(twin: DoorTwin, sta: httpx.Client) -> None:
    rain = {"name": "Rainfall", "definition": "http://vocab/rain", "description": "depth"}
    body = stream_body(unit={"name": "inch", "symbol": "in", "definition": "ucum:[in_i]"}, ObservedProperty=rain)
    view = post(sta, "Datastreams", body)
    sent = {"result": 0.5, "phenomenonTime": "2021-06-30T23:00:00Z/2021-07-01T00:00:00Z"}
    key = post(sta, f"Datastreams('{view}')/Observations", sent)
    twin.step()
    assert twin.store.series("S1", "rainfall", 0, 2**40).value.tolist() == [12.7]
    assert sta.get(f"Observations('{key}')").json()["result"] == 0.5
    assert sta.get("Datastreams('S1:rainfall')/Observations").json()["value"][0]["result"] == 12.7
    assert sta.get("ObservedProperties('rainfall')").json()["name"] == "rainfall"


def test_a_datastream_in_another_unit_shows_the_series_in_it(twin: DoorTwin, sta: httpx.Client) -> None:
    view = post(sta, "Datastreams", stream_body(unit=FOOT))
    path = f"Datastreams('{view}')/Observations"
    for feet in (66.43, 67.21, 0.1):
        post(sta, path, {"result": feet, "phenomenonTime": LATER})
        twin.step()
        assert twin.store.series("S1", "water_level", SECONDS, SECONDS + 1).value.tolist() == [round(feet * 0.3048, 6)]
        assert sta.get(f"Observations('{view}:{SECONDS}')").json()["result"] == feet
        assert sta.get(f"Observations('S1:water_level:{SECONDS}')").json()["result"] == round(feet * 0.3048, 6)
    stored = twin.store.series("S1", "water_level", 0, 2**40)
    found = sta.get(path, params={"$top": 10_000, "$count": "true"}).json()
    assert found["@iot.count"] == len(stored)
    shown = np.array([each["result"] for each in found["value"]])
    np.testing.assert_allclose(shown * 0.3048, stored.value, atol=1e-7)
    assert {each["@iot.id"].rpartition(":")[0] for each in found["value"]} == {view}
    once = sta.get("Observations", params={"$filter": "phenomenonTime gt 2021-07-01T00:00:00Z"}).json()["value"]
    assert [each["@iot.id"] for each in once] == [f"S1:water_level:{SECONDS}"], "a view is no second observation"


@pytest.mark.parametrize(
    ("body", "status", "message"),
    [
        (
            stream_body(unit={"name": "furlong", "symbol": "fur", "definition": ""}),
            400,
            "give a UCUM code as definition",
        ),
        (stream_body(unit={"name": "kilogram", "symbol": "kg", "definition": "ucum:kg"}), 400, "does not turn into m"),
        (stream_body(unit={"name": None, "symbol": "ft", "definition": "ucum:m"}), 400, "the unit contradicts itself"),
        (stream_body(kind="CategoryObservation"), 400, "observationType OM_Measurement"),
        (stream_body(kind="Sorcery"), 400, "it ends in one of OM_Measurement"),
        (stream_body(thing={"@iot.id": "S8"}), 400, "no Things('S8')"),
        (stream_body(ObservedProperty={"@iot.id": "wind"}), 400, "no ObservedProperties('wind')"),
        (stream_body(ObservedProperty=WIND, Sensor={"@iot.id": "x"}), 400, "no Sensors('x')"),
        (stream_body(colour="red"), 400, "Datastreams have no property 'colour'"),
        ({"name": "x"}, 400, "Datastreams need description; add it"),
        (stream_body(MultiDatastream={}), 400, "give each property a Datastream of its own"),
        ([], 400, "is a list; send one JSON object"),
    ],
)
def test_datastreams_that_are_refused(
    firm: tuple[DoorTwin, httpx.Client], body: Any, status: int, message: str
) -> None:
    _, sta = firm
    before = sta.get("Datastreams?$count=true&$top=0").json()
    answer = sta.post("Datastreams", json=body)
    assert answer.status_code == status, answer.text
    assert message in answer.json()["message"]
    assert (answer.json()["code"], answer.json()["type"], bool(answer.json()["cure"])) == (status, "error", True)
    assert sta.get("Datastreams?$count=true&$top=0").json() == before


# entities beyond the package


def test_a_thing_with_all_that_belongs_to_it(twin: DoorTwin, sta: httpx.Client) -> None:
    thing = post(sta, "Things", mast(properties={"owner": "met office"}))
    (found,) = sta.get(
        "Things?$filter=properties/owner eq 'met office'&$expand=Locations,HistoricalLocations($expand=Locations),"
        "Datastreams($expand=Sensor,ObservedProperty,Observations($expand=FeatureOfInterest))"
    ).json()["value"]
    (stream,) = found["Datastreams"]
    (observation,) = stream["Observations"]
    assert found["@iot.id"] == thing
    assert found["Locations"][0]["location"] == PLACE["location"]
    assert found["HistoricalLocations"][0]["Locations"][0]["@iot.id"] == found["Locations"][0]["@iot.id"]
    assert (stream["Sensor"]["metadata"], stream["ObservedProperty"]["name"]) == ("made 2019", "Wind speed")
    assert (observation["result"], observation["FeatureOfInterest"]["feature"]) == (3.2, PLACE["location"])
    assert not twin.delivered, "wind is no series of the basin"
    near = "geo.distance(Locations/location, geography'POINT(110.3 30.5)') lt 0.01"
    assert [each["@iot.id"] for each in sta.get("Things", params={"$filter": near}).json()["value"]] == [thing]
    for name, link in {**found, **stream, **observation}.items():
        if name.endswith("navigationLink"):
            assert sta.get(link).status_code == 200, link
    feature = observation["FeatureOfInterest"]["@iot.id"]
    of_feature = sta.get(f"FeaturesOfInterest('{feature}')/Observations").json()["value"]
    assert [each["@iot.id"] for each in of_feature] == [observation["@iot.id"]]


@pytest.mark.parametrize(
    ("kind", "results", "wrong"),
    [
        ("Measurement", [3.25, 4], "gale"),
        ("CategoryObservation", ["http://wmo/clear", "fog"], 3),
        ("TruthObservation", [True, False], 1),
        ("CountObservation", [12, 0], 1.5),
        ("Observation", [{"bins": [1, 2]}, [3]], None),
    ],
)
def test_observations_that_feed_no_series(
    twin: DoorTwin, sta: httpx.Client, tmp_path: Path, kind: str, results: list[Any], wrong: Any
) -> None:
    body = stream_body(unit=NONE, kind=kind, Sensor=SENSOR, ObservedProperty=WIND)
    stream = post(sta, "Datastreams", body)
    path = f"Datastreams('{stream}')/Observations"
    days = ["2021-06-29T10:00:00Z", "2021-06-30T09:00:00Z"]
    keys = [post(sta, path, {"result": value, "phenomenonTime": day}) for value, day in zip(results, days, strict=True)]
    assert post(sta, path, {"result": results[0], "phenomenonTime": days[0]}) == keys[0]
    refused = sta.post(path, json={"result": wrong, "phenomenonTime": days[0]})
    assert (refused.status_code, "observationType" in refused.json()["cure"]) == (400, True)

    def check(client: httpx.Client) -> None:
        found = client.get(path).json()["value"]
        assert [(each["@iot.id"], each["result"]) for each in found] == list(zip(keys, results, strict=True))
        falling = client.get(path + "?$orderby=phenomenonTime desc&$top=1&$count=true").json()
        assert (falling["@iot.count"], falling["value"][0]["@iot.id"]) == (2, keys[1])
        assert client.get(falling["@iot.nextLink"]).json()["value"][0]["@iot.id"] == keys[0]
        assert client.get(f"Datastreams('{stream}')").json()["phenomenonTime"] == "/".join(days)
        every = client.get("Observations?$filter=phenomenonTime eq 2021-06-29T10:00:00Z&$select=id").json()["value"]
        assert {"@iot.id": keys[0]} in every

    check(sta)
    with client_of(reopened(twin, tmp_path), "") as again:
        check(again)


def test_results_of_any_kind_can_be_filtered(sta: httpx.Client) -> None:
    body = stream_body(unit=NONE, kind="CategoryObservation", Sensor=SENSOR, ObservedProperty=WIND)
    stream = post(sta, "Datastreams", body)
    for hour, value in enumerate(["fog", "rain", "fog"]):
        post(
            sta,
            f"Datastreams('{stream}')/Observations",
            {"result": value, "phenomenonTime": f"2021-06-29T1{hour}:00:00Z"},
        )
    found = sta.get("Observations", params={"$filter": "result eq 'fog'"}).json()["value"]
    assert [each["result"] for each in found] == ["fog", "fog"]
    numbers = sta.get("Observations", params={"$filter": "result gt 7990", "$select": "result"})
    assert numbers.status_code == 200, "a category elsewhere does not spoil a question about numbers"
    assert all(each["result"] > 7990 for each in numbers.json()["value"])
    ordered = sta.get(f"Datastreams('{stream}')/Observations?$orderby=result desc").json()["value"]
    assert [each["result"] for each in ordered] == ["rain", "fog", "fog"]


def test_a_feature_of_its_own(twin: DoorTwin, sta: httpx.Client) -> None:
    feature = {"name": "km 5", "description": "x", "encodingType": "application/geo+json", "feature": PLACE["location"]}
    path = "Datastreams('S1:water_level')/Observations"
    keys = [
        post(
            sta,
            path,
            {"result": 20.0 + hour, "phenomenonTime": f"2021-07-01T00:0{hour}:00Z", "FeatureOfInterest": feature},
        )
        for hour in (1, 2)
    ]
    twin.step()
    link = f"Observations('{keys[0]}')/FeatureOfInterest"
    found = sta.get(link).json()
    assert found["name"] == "km 5"
    assert sta.get(link.replace(keys[0], keys[1])).json() == found, "the same feature written out twice is one"
    of_feature = sta.get(f"FeaturesOfInterest('{found['@iot.id']}')/Observations").json()["value"]
    assert [each["@iot.id"] for each in of_feature] == keys
    own = sta.get("FeaturesOfInterest('S1')/Observations?$filter=phenomenonTime gt 2021-07-01T00:00:00Z").json()[
        "value"
    ]
    assert own == [], "these are of another feature than the station's"


def test_a_thing_moves(sta: httpx.Client) -> None:
    thing = post(sta, "Things", mast())
    there = {**PLACE, "name": "raft", "location": {"type": "Point", "coordinates": [110.4, 30.5]}}
    moved = post(sta, f"Things('{thing}')/Locations", there)
    (now,) = sta.get(f"Things('{thing}')/Locations").json()["value"]
    assert now["@iot.id"] == moved
    history = sta.get(f"Things('{thing}')/HistoricalLocations?$expand=Locations").json()["value"]
    assert [each["Locations"][0]["name"] for each in history] == ["bank", "raft"]
    back = history[0]["Locations"][0]["@iot.id"]
    assert sta.post(f"Things('{thing}')/Locations", json={"@iot.id": back}).status_code == 201
    assert sta.get(f"Things('{thing}')/Locations").json()["value"][0]["name"] == "bank"
    refused = sta.post("Things('S1')/Locations", json=there)
    assert (refused.status_code, "part of the basin package" in refused.json()["error"]) == (409, True)


def test_changing_by_properties_whole_and_patch(sta: httpx.Client) -> None:
    thing = post(sta, "Things", mast(properties={"owner": "a", "n": 1}))
    path = f"Things('{thing}')"
    assert sta.patch(path, json={"description": "new"}).json()["properties"] == {"owner": "a", "n": 1}
    operations = [
        {"op": "replace", "path": "/properties/owner", "value": "b"},
        {"op": "remove", "path": "/properties/n"},
    ]
    patched = sta.patch(path, json=operations, headers={"Content-Type": "application/json-patch+json"})
    assert (patched.status_code, patched.json()["properties"]) == (200, {"owner": "b"})
    whole = sta.put(path, json={"name": "n", "description": "d"}).json()
    assert (whole["name"], "properties" in whole) == ("n", False)
    assert len(sta.get(f"{path}/Datastreams").json()["value"]) == 1
    assert sta.patch(path, json={"@iot.id": "other"}).status_code == 409
    assert sta.patch("Things('S1')", json={"name": "x"}).status_code == 409
    assert sta.put(path, json={"name": "n"}).status_code == 400
    assert sta.patch(path, json=[{"op": "remove", "path": "/absent"}]).status_code == 400
    stream = sta.get(f"{path}/Datastreams").json()["value"][0]["@iot.id"]
    assert sta.patch(f"Datastreams('{stream}')", json={"observationType": OM + "Observation"}).status_code == 409
    assert sta.patch(f"Datastreams('{stream}')", json={"Thing": {"@iot.id": "S1"}}).status_code == 409
    assert sta.patch(f"Datastreams('{stream}')", json={"name": "breeze"}).json()["name"] == "breeze"
    key = sta.get(f"Datastreams('{stream}')/Observations").json()["value"][0]["@iot.id"]
    assert sta.patch(f"Observations('{key}')", json={"result": 9}).json()["result"] == 9
    moved = sta.patch(f"Observations('{key}')", json={"phenomenonTime": LATER})
    assert (moved.status_code, "is its identity" in moved.json()["error"]) == (409, True)


def test_deleting_takes_along_what_belongs_to_it(twin: DoorTwin, sta: httpx.Client, tmp_path: Path) -> None:
    thing = post(sta, "Things", mast())
    stream = sta.get(f"Things('{thing}')/Datastreams").json()["value"][0]["@iot.id"]
    post(sta, f"Datastreams('{stream}')/Observations", {"result": 4, "phenomenonTime": LATER})
    (first, _) = sta.get(f"Datastreams('{stream}')/Observations").json()["value"]
    assert sta.delete(f"Observations('{first['@iot.id']}')").status_code == 204
    assert len(sta.get(f"Datastreams('{stream}')/Observations").json()["value"]) == 1
    assert sta.delete(f"Things('{thing}')").content == b""
    for gone in (f"Things('{thing}')", f"Datastreams('{stream}')", f"Observations('{stream}:{SECONDS}')"):
        assert sta.get(gone).status_code == 404
        assert sta.delete(gone).status_code == 404
    assert sta.get("HistoricalLocations?$count=true").json()["@iot.count"] == 4
    assert sta.delete("Things('S1')").status_code == 409
    kept = sta.delete(f"Observations('S1:water_level:{epoch(NOW)}')")
    assert (kept.status_code, "PATCH the right result" in kept.json()["cure"]) == (409, True)
    again = post(sta, "Things", {"name": "a", "description": "b"})
    assert again != thing, "a number is not used again"
    with client_of(reopened(twin, tmp_path), "") as other:
        assert [each["@iot.id"] for each in other.get("Things").json()["value"]][-1] == again


def test_ids_that_a_client_wishes_for(sta: httpx.Client) -> None:
    assert post(sta, "Things", {"@iot.id": "raft-7", "name": "raft", "description": "d"}) == "raft-7"
    again = sta.post("Things", json={"@iot.id": "raft-7", "name": "raft", "description": "d"})
    assert (again.status_code, again.json()["cure"]) == (409, "PATCH it, or leave @iot.id out")
    assert sta.post("Things", json={"@iot.id": "S1", "name": "raft", "description": "d"}).status_code == 409
    for bad in ("a/b", "it's", "", " ", "x" * 65, "(1)"):
        answer = sta.post("Things", json={"@iot.id": bad, "name": "raft", "description": "d"})
        assert answer.status_code == (201 if bad == "" else 400), bad


@pytest.mark.parametrize(
    ("path", "body", "status", "message"),
    [
        ("Datastreams('S1:rainfall')/Observations", {"result": 1}, 404, "no Datastreams('S1:rainfall')"),
        ("Observations", {"result": 1}, 400, "Observations need their Datastream"),
        ("Observations", {"result": 1, "Datastream": {"@iot.id": "no"}}, 400, "no Datastreams('no')"),
        ("Observations", {"Datastream": {"@iot.id": "S1:water_level"}}, 400, "Observations need result"),
        ("Datastreams('S1:water_level')/Observations", {"result": "high"}, 400, "is no number"),
        ("Datastreams('S1:water_level')/Observations", {"result": 1e308}, 400, "beyond any measurement"),
        ("Datastreams('S1:water_level')/Observations", {"result": None}, 400, "nothing where it is missing"),
        (
            "Datastreams('S1:water_level')/Observations",
            {"result": 1, "phenomenonTime": "2400-01-01T00:00:00Z"},
            400,
            "in the future",
        ),
        (
            "Datastreams('S1:water_level')/Observations",
            {"result": 1, "Datastream": {"@iot.id": "S2:water_level"}},
            400,
            "the body names another Datastream than the address",
        ),
        ("Locations", {**PLACE, "location": {"type": "Point", "coordinates": [30, 110]}}, 400, "then latitude"),
        ("Locations", {**PLACE, "location": {"type": "Dot", "coordinates": [1, 2]}}, 400, "write a GeoJSON geometry"),
        ("Things", {"name": "", "description": "d"}, 400, "name='' of Things is no text"),
        ("Things", {"name": "n", "description": "d", "nme": 1}, 400, "did you mean 'name'?"),
        ("Things", {"name": "n", "description": "d", "properties": {"n": 2**64}}, 400, "has more than 64 bits"),
        ("Things", {"name": "n", "description": "d", "HistoricalLocations": [{}]}, 400, "leave them out"),
        ("HistoricalLocations", {"time": LATER}, 400, "needs its Thing and its Locations"),
        ("Things('S1')", {"name": "n"}, 405, "POST is not possible at an entity"),
        ("Things('S1')/name", {"name": "n"}, 405, "at a property"),
        ("Sensors('S1')/Rivers", {}, 404, "Sensors have no 'Rivers'"),
        ("MultiDatastreams", {}, 404, "no collection 'MultiDatastreams'"),
    ],
)  # fmt: skip
def test_what_cannot_be_created(
    firm: tuple[DoorTwin, httpx.Client], path: str, body: Any, status: int, message: str
) -> None:
    twin, sta = firm
    answer = sta.post(path, json=body)
    assert answer.status_code == status, answer.text
    assert message in answer.json()["message"], answer.text
    assert not twin.delivered
    assert twin.store.audit_log() == []


def test_bodies_that_are_no_json(firm: tuple[DoorTwin, httpx.Client]) -> None:
    _, sta = firm
    path = "Datastreams('S1:water_level')/Observations"
    headers = {"Content-Type": "application/json"}
    for body in (b"", b"{", b'{"result": NaN}', b'{"result": 1e999}', b'"\\ud800"', b"[" * 100_000, b"\xff\xfe"):
        answer = sta.post(path, content=body, headers=headers)
        assert answer.status_code == 400, body[:20]
        assert answer.json()["cure"]
    assert sta.post(path, content=b"result=1", headers={"Content-Type": "text/plain"}).status_code == 415
    large = sta.post(path, content=b" " * (9 << 20), headers=headers)
    assert (large.status_code, large.json()["cure"]) == (413, "send at most 8 MiB, and the rest after it")


def test_a_full_inbox_takes_nothing_and_says_when_to_come_back(twin: DoorTwin, sta: httpx.Client) -> None:
    twin.full = True
    before = sta.get("Things?$count=true&$top=0").json()
    wind = stream_body(unit=FOOT, Observations=[{"result": 3, "phenomenonTime": LATER}])
    for path, body in (
        ("Datastreams('S1:water_level')/Observations", {"result": 20.1, "phenomenonTime": LATER}),
        ("Datastreams", wind),
    ):
        answer = sta.post(path, json=body)
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5"), answer.text
        assert answer.json()["error"] == "the inbox is full"
    assert sta.get("Things?$count=true&$top=0").json() == before
    assert sta.get(f"Observations('S1:water_level:{SECONDS}')").status_code == 404
    assert [each["@iot.id"] for each in sta.get("Datastreams").json()["value"]][-1] == "S9:water_level"
    assert twin.store.audit_log() == []
    twin.full = False
    assert sta.post("Datastreams", json=wind).status_code == 201


def test_every_write_leaves_a_line_in_the_audit_log(twin: DoorTwin, sta: httpx.Client) -> None:
    post(sta, "Datastreams('S1:water_level')/Observations", {"result": 20.1, "phenomenonTime": LATER})
    thing = post(sta, "Things", mast())
    sta.patch(f"Things('{thing}')", json={"name": "x"})
    sta.delete(f"Things('{thing}')")
    lines = [(each["user"], each["action"], each["target"], each["detail"]) for each in twin.store.audit_log()][::-1]
    who = "administrator (administrator)"
    assert lines == [
        (who, "sensorthings create", "Datastreams('S1:water_level')/Observations", {"observations": 1}),
        (who, "sensorthings create", "Things", {"created": 7, "observations": 1}),
        (who, "sensorthings change", f"Things('{thing}')", {"changed": 1}),
        (who, "sensorthings delete", f"Things('{thing}')", {"deleted": 4}),
    ]


def test_the_unit_of_every_quantity_makes_the_series_itself(sta: httpx.Client) -> None:
    for name in ("soil_moisture", "turbidity", "ph", "water_temperature", "battery_voltage", "flow_velocity"):
        unit = quantity(name).unit
        told = stream_body(
            thing={"@iot.id": "R1"},
            unit={"name": unit, "symbol": unit, "definition": ""},
            ObservedProperty={"name": name.replace("_", " ").title(), "definition": "urn:x", "description": "x"},
        )
        assert post(sta, "Datastreams", told) == f"R1:{name}"
