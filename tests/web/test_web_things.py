"""SensorThings over HTTP, against what the store holds: pages to the end, both ways, filtered, ordered, expanded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import frost_sta_client as frost
import httpx
import numpy as np
import pytest
from looptwin import LoopTwin
from small_river import NOW, START

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.series import Batch

LATEST = "$expand=Observations($top=1;$orderby=phenomenonTime desc)"


@pytest.fixture
def sta(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url + "/sta/v1.1/", timeout=30) as made:
        yield made


@pytest.fixture(scope="module")
def stored(twin: LoopTwin) -> Batch:
    """Everything that the store holds, by time, place and quantity."""
    return twin.store.window((), (), 0, 2**40, twin.basin.roster).ordered()


def _every(client: httpx.Client, link: str) -> list[dict[str, Any]]:
    """All pages of a collection, by following its links."""
    found: list[dict[str, Any]] = []
    while link:
        answer = client.get(link)
        assert answer.status_code == 200, answer.text
        found += answer.json()["value"]
        link = answer.json().get("@iot.nextLink", "")
    return found


def _ids(rows: Batch) -> list[str]:
    names = {1: "water_level", 2: "discharge"}
    return [
        f"{rows.roster.codes[place]}:{names[number]}:{time}"
        for place, number, time in zip(rows.station, rows.quantity, rows.time, strict=True)
    ]


def _ask(client: httpx.Client, path: str, **options: str | int) -> dict[str, Any]:
    answer = client.get(path, params={f"${name}": str(value) for name, value in options.items()})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def test_service_document(sta: httpx.Client) -> None:
    document = sta.get("").json()
    for collection in document["value"]:
        assert sta.get(collection["url"]).status_code == 200, collection
    assert len(document["value"]) == 8
    assert "http://www.opengis.net/spec/iot_sensing/1.1/req/datamodel" in document["serverSettings"]["conformance"]


def test_frost_client_pages_through_everything(url: str, stored: Batch, twin: LoopTwin) -> None:
    service = frost.SensorThingsService(url + "/sta/v1.1")
    things = list(service.things().query().top(2).list())
    assert [each.id for each in things] == ["S1", "S2", "S3", "R1", "S9"]
    streams = list(service.datastreams().query().top(3).list())
    assert [each.id for each in streams][:3] == ["S1:water_level", "S1:discharge", "S2:water_level"]
    assert len(streams) == 7
    assert streams[1].unit_of_measurement.symbol == "m³/s"
    observations = list(service.observations().query().top(2500).list())
    assert len(observations) == len(stored) > 11_000
    assert [each.id for each in observations] == _ids(stored)
    of_thing = things[1].get_datastreams().query().list()
    (middle,) = list(of_thing)
    rows = list(middle.get_observations().query().filter("result gt 21.9").top(100).list())
    series = twin.store.series("S2", "water_level", 0, 2**40)
    assert [each.result for each in rows] == series.value[series.value > 21.9].tolist()
    assert len(rows) > 100
    assert service.things().find("S3").name == "下站 Lower"


def test_latest_of_every_station(sta: httpx.Client, twin: LoopTwin, stored: Batch) -> None:
    found = _ask(sta, "Datastreams", expand=LATEST.removeprefix("$expand="))["value"]
    newest = {each["@iot.id"]: each["Observations"] for each in found}
    assert newest.pop("S9:water_level") == []
    for key, (observation,) in newest.items():
        code, name = key.split(":")
        series = twin.store.series(code, name, 0, 2**40)
        assert observation["@iot.id"] == f"{key}:{series.time[-1]}"
        assert observation["result"] == series.value[-1]
        assert observation["resultQuality"]["flag"] == series.flag[-1]
    assert newest["S3:water_level"][0]["resultQuality"] == {"flag": 4, "meaning": "bad"}
    link = next(each["Observations@iot.nextLink"] for each in found if each["@iot.id"] == "S2:water_level")
    following = sta.get(link).json()["value"]
    assert following[0]["phenomenonTime"] == "2021-06-30T23:55:00Z"


@pytest.mark.parametrize("way", ["asc", "desc"])
@pytest.mark.parametrize("path", ["Observations", "Datastreams('S2:water_level')/Observations"])
def test_pages_hold_each_observation_once(sta: httpx.Client, stored: Batch, path: str, way: str) -> None:
    rows = stored if path == "Observations" else stored.take(stored.station == 1)
    found = _every(sta, f"{path}?$top=3000&$orderby=phenomenonTime {way}&$select=id")
    expected = _ids(rows)
    assert [each["@iot.id"] for each in found] == (expected if way == "asc" else expected[::-1])


def test_a_page_may_begin_anywhere(sta: httpx.Client, stored: Batch) -> None:
    found = _ask(sta, "Observations", skip=10_000, top=5)["value"]
    assert [each["@iot.id"] for each in found] == _ids(stored.take(slice(10_000, 10_005)))
    assert _ask(sta, "Observations", skip=10**6)["value"] == []
    nothing = _ask(sta, "Observations", top=0, count="true")
    assert nothing == {"@iot.count": len(stored), "value": []}


def test_count_goes_with_every_page(sta: httpx.Client, stored: Batch) -> None:
    first = _ask(sta, "Observations", top=10, count="true", filter="result lt 100")
    second = sta.get(first["@iot.nextLink"]).json()
    assert first["@iot.count"] == second["@iot.count"] == int((stored.value < 100).sum())


FILTERS = {
    "result gt 7990": lambda s: s.value > 7990,
    "result eq null": lambda s: np.isnan(s.value),
    "phenomenonTime ge 2021-06-10T00:00:00Z and phenomenonTime lt 2021-06-10T02:00:00Z": lambda s: (
        (s.time >= 1623283200) & (s.time < 1623290400)
    ),
    "2021-06-30T22:00:00+08:00 le phenomenonTime and result lt 100": lambda s: (s.time >= 1625061600) & (s.value < 100),
    "during(phenomenonTime, 2021-06-10T00:00:00Z/2021-06-10T01:00:00Z)": lambda s: (
        (s.time >= 1623283200) & (s.time <= 1623286800)
    ),
    "day(phenomenonTime) eq 3 and hour(resultTime) eq 7": lambda s: (s.time - 1622678400) // HOUR == 7,
    "resultQuality/flag eq 3 and not (result lt 1000)": lambda s: (s.flag == 3) & ~(s.value < 1000),
    "Datastream/ObservedProperty/name eq 'discharge' and result mul 2 gt 15900": lambda s: (
        (s.quantity == 2) & (s.value * 2 > 15900)
    ),
    "startswith(Datastream/Thing/name, '下') and result gt 7000": lambda s: (s.station == 2) & (s.value > 7000),
    "Datastream/id eq 'S3:discharge' or result gt 7999": lambda s: (
        ((s.station == 2) & (s.quantity == 2)) | (s.value > 7999)
    ),
    "round(result) eq 22 and phenomenonTime gt 2021-06-29T00:00:00Z": lambda s: (
        (np.floor(s.value + 0.5) == 22) & (s.time > 1624924800)
    ),
    "id eq 'S1:water_level:1623283200'": lambda s: (s.station == 0) & (s.quantity == 1) & (s.time == 1623283200),
    "phenomenonTime sub duration'PT12H' gt 2021-06-30T11:00:00Z": lambda s: s.time - 12 * HOUR > 1625050800,
}


@pytest.mark.parametrize("condition", FILTERS)
def test_a_filter_keeps_what_it_says(sta: httpx.Client, stored: Batch, condition: str) -> None:
    expected = stored.take(FILTERS[condition](stored))
    found = _every(sta, f"Observations?$top=1000&$filter={quote(condition)}")
    assert [each["@iot.id"] for each in found] == _ids(expected)
    assert found


def test_order_by_result(sta: httpx.Client, stored: Batch) -> None:
    path = "Datastreams('S1:discharge')/Observations?$top=200&$orderby=result desc,phenomenonTime asc"
    found = _every(sta, path)
    rows = stored.take((stored.station == 0) & (stored.quantity == 2))
    order = np.lexsort((rows.time, -rows.value))
    assert [each["@iot.id"] for each in found] == _ids(rows.take(order))


def test_things_by_name_and_relation(sta: httpx.Client) -> None:
    def ids(condition: str, path: str = "Things") -> list[str]:
        return [each["@iot.id"] for each in _ask(sta, path, filter=condition)["value"]]

    assert ids("contains(name, '站') and properties/rank le 1") == ["S1"]
    assert ids("Datastreams/ObservedProperty/name eq 'discharge'") == ["S1", "S3"]
    assert ids("properties/rank gt 1 or tolower(properties/name_en) eq 'dam'") == ["S2", "S3", "R1", "S9"]
    assert ids("geo.distance(Locations/location, geography'POINT(110.7 30.6)') lt 0.1") == ["S2"]
    inside = "st_within(location, geography'POLYGON((111 30, 112 30, 112 31, 111 31, 111 30))')"
    assert ids(inside, "Locations") == ["R1", "S9"]
    assert ids("Thing/name eq '中站 Middle'", "Datastreams") == ["S2:water_level"]
    assert ids("phenomenonTime ge 2021-06-01T00:00:00Z", "Datastreams")[-1] == "R1:water_level"
    assert ids("unitOfMeasurement/symbol eq 'm³/s'", "Datastreams") == ["S1:discharge", "S3:discharge"]


def test_order_of_things(sta: httpx.Client) -> None:
    found = _ask(sta, "Things", orderby="properties/rank desc,id desc", select="id")["value"]
    assert [each["@iot.id"] for each in found] == ["S9", "S3", "S2", "S1", "R1"]
    pages = _every(sta, "Things?$top=2&$orderby=length(name) desc,name&$select=name")
    assert [each["name"] for each in pages] == sorted((each["name"] for each in pages), key=lambda n: (-len(n), n))


def test_expansion_within_expansion(sta: httpx.Client) -> None:
    (thing,) = _ask(
        sta,
        "Things",
        filter="id eq 'S1'",
        select="name",
        expand="Locations($select=location),Datastreams($top=1;$count=true;$select=name;"
        "$expand=ObservedProperty,Observations($filter=result gt 21.95 and resultQuality/flag eq 1;$top=2))",
    )["value"]
    assert set(thing) == {"name", "Locations", "Locations@iot.navigationLink", "Datastreams", "Datastreams@iot.count",
                          "Datastreams@iot.nextLink", "Datastreams@iot.navigationLink"}  # fmt: skip
    assert thing["Locations"] == [{"location": {"type": "Point", "coordinates": [110.25, 30.5]}}]
    (stream,) = thing["Datastreams"]
    assert thing["Datastreams@iot.count"] == 2
    assert stream["ObservedProperty"]["@iot.id"] == "water_level"
    assert all(each["result"] > 21.95 for each in stream["Observations"])
    assert sta.get(thing["Datastreams@iot.nextLink"]).json()["value"][0]["name"].endswith("discharge")
    rest = _every(sta, stream["Observations@iot.nextLink"])
    assert all(each["result"] > 21.95 for each in rest)
    short = _ask(sta, "Things('S1')", expand="Datastreams/Observations($top=1),Datastreams/Thing")
    assert len(short["Datastreams"][0]["Observations"]) == 1
    assert short["Datastreams"][0]["Thing"]["@iot.id"] == "S1"


def test_every_link_leads_somewhere_and_back(sta: httpx.Client) -> None:
    starts = [sta.get(each["url"], params={"$top": 2}).json()["value"] for each in sta.get("").json()["value"]]
    followed = 0
    for entity in (each for some in starts for each in some):
        alone = sta.get(entity["@iot.selfLink"]).json()
        assert alone == entity
        for name, link in entity.items():
            if not name.endswith("@iot.navigationLink"):
                continue
            answer = sta.get(link, params={"$top": 3})
            assert answer.status_code == 200, link
            related = answer.json().get("value", [answer.json()])
            followed += len(related)
            for other in related:
                backs = [other[key] for key in other if key.endswith("@iot.navigationLink")]
                returns = [sta.get(back, params={"$top": 10_000}).json() for back in backs]
                ids = [one["@iot.id"] for back in returns for one in back.get("value", [back])]
                assert entity["@iot.id"] in ids, (link, other["@iot.id"])
    assert followed > 40


def test_a_station_without_a_position_has_no_location(sta: httpx.Client) -> None:
    assert _ask(sta, "Things('S3')/Locations")["value"] == []
    assert _ask(sta, "Things('S3')", expand="Locations,HistoricalLocations")["Locations"] == []
    feature = _ask(sta, "Observations('S3:discharge:1623283200')/FeatureOfInterest")
    assert feature["feature"]["geometry"] is None
    assert [each["@iot.id"] for each in _ask(sta, "Locations")["value"]] == ["S1", "S2", "R1", "S9"]
    (history,) = _ask(sta, "Locations('S1')/HistoricalLocations")["value"]
    assert history["time"] == START.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_datastream_tells_its_span(sta: httpx.Client) -> None:
    found = _ask(sta, "Datastreams('S2:water_level')")
    assert found["phenomenonTime"] == "2021-06-01T00:00:00Z/2021-07-01T00:00:00Z"
    assert found["unitOfMeasurement"] == {"name": "metre", "symbol": "m", "definition": "ucum:m"}
    assert "phenomenonTime" not in _ask(sta, "Datastreams('S9:water_level')")


def test_an_observation_by_its_id(sta: httpx.Client, twin: LoopTwin) -> None:
    time = epoch(NOW) - 5 * HOUR
    series = twin.store.series("S1", "discharge", time, time + 1)
    found = _ask(sta, f"Observations('S1:discharge:{time}')")
    assert (found["result"], found["phenomenonTime"]) == (series.value[0], "2021-06-30T19:00:00Z")
    assert _ask(sta, f"Datastreams('S1:discharge')/Observations('S1:discharge:{time}')/Datastream/Thing")[
        "@iot.id"
    ] == "S1"  # fmt: skip


def test_properties_values_and_references(sta: httpx.Client) -> None:
    assert sta.get("Things('S1')/name").json() == {"name": "上站 Upper"}
    value = sta.get("Things('S1')/name/$value")
    assert (value.text, value.headers["content-type"]) == ("上站 Upper", "text/plain; charset=utf-8")
    assert sta.get("Things('S1')/properties/$value").json()["code"] == "S1"
    references = sta.get("Things('S1')/Datastreams/$ref").json()["value"]
    assert [list(each) for each in references] == [["@iot.selfLink"]] * 2
    assert sta.get(references[0]["@iot.selfLink"]).json()["@iot.id"] == "S1:water_level"


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("Thing", 404, "no collection 'Thing'"),
        ("Things('S8')", 404, "no Things('S8')"),
        ("Things(3)", 404, "no Things('3')"),
        ("Things('S1'", 400, "cannot be read"),
        ("Things('S1')/nme", 404, "Things have no 'nme'"),
        ("Things/name", 404, "a collection has no 'name'"),
        ("Things('S1')/name/first", 404, "a property has no 'first'"),
        ("Things('S1')/Datastreams('S2:water_level')", 404, "no Datastreams('S2:water_level') of Things('S1')"),
        (
            "Datastreams('S1:discharge')/Observations('S2:water_level:1623283200')",
            404,
            "of Datastreams('S1:discharge')",
        ),
        ("Observations('S1:discharge:1')", 404, "no observation of S1:discharge at 1"),
        ("Observations('yesterday')", 404, "no Observation 'yesterday'"),
        ("Things?$top=-1", 400, "$top='-1' is no whole number"),
        ("Things?$top=few", 400, "$top='few' is no whole number"),
        ("Things?$skip=1e3", 400, "$skip='1e3' is no whole number"),
        ("Things?$count=yes", 400, "$count='yes' is neither true nor false"),
        ("Things?$page=3", 400, "option '$page' is not known"),
        ("Things?$top=1&$top=2", 400, "$top is given more than once"),
        ("Things?$filter=", 400, "$filter cannot be read at 'the end' (character 1)"),
        ("Things?$filter=name eq", 400, "$filter cannot be read at 'the end' (character 8)"),
        ("Things?$filter=name eq 'x", 400, "cannot be read at"),
        ("Things?$filter=name eq 'x')", 400, "put nothing more there"),
        ("Things?$filter=nme eq 'x'", 400, "Things have no property 'nme'"),
        ("Things?$filter=name eq 3", 400, "cannot compare text with number"),
        ("Things?$filter=name", 400, "the expression needs a condition and got a text"),
        ("Things?$filter=name add 1 gt 2", 400, "add cannot be applied to text, number"),
        ("Things?$filter=backwards(name) eq 'x'", 400, "no function 'backwards'"),
        ("Things?$filter=length(3) eq 1", 400, "length cannot be applied to number"),
        ("Things?$filter=Datastreams eq 3", 400, "is an entity, not a value"),
        ("Things?$filter=" + "(" * 60 + "true" + ")" * 60, 400, "nested more than 40 deep"),
        ("Things?$filter=" + "name eq 'x' or " * 400 + "true", 400, "the most is 4000"),
        ("Things?$orderby=properties", 400, "$orderby names a structure"),
        ("Things?$orderby=age", 400, "Things have no property 'age'"),
        ("Things?$select=age", 400, "$select='age' is nothing that Things have"),
        ("Things?$expand=Rivers", 400, "$expand='Rivers' is no relation of Things"),
        ("Things?$expand=Datastreams($top=1", 400, "lacks its closing parenthesis"),
        ("Things?$expand=Datastreams/Thing/Datastreams/Thing/Datastreams/Thing", 400, "nested more than 5 deep"),
        ("Observations?$filter=phenomenonTime gt 2021-06-10T00:00:00", 400, "has no zone"),
        ("Observations?$filter=phenomenonTime gt 2021-06-99T00:00:00Z", 400, "is no time"),
        ("Observations?$filter=phenomenonTime gt 3", 400, "cannot compare time with number"),
        ("Observations?$filter=colour/x eq 3", 400, "an Observation has no property 'colour/x'"),
        ("Observations?$filter=Datastream/nme eq 3", 400, "Datastreams have no property 'nme'"),
        ("Observations?$skiptoken=1.2", 400, "follow @iot.nextLink as it stands"),
        (
            "Sensors?$filter=Datastreams/Observations/result gt 3",
            400,
            "Observations of Datastreams are many, not a value",
        ),
        ("Locations?$filter=Things/Datastreams/name eq 'x'", 400, "Datastreams of Things are many"),
    ],
)
def test_a_query_that_cannot_be_done(sta: httpx.Client, path: str, status: int, message: str) -> None:
    answer = sta.get(path)
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert (told["code"], told["type"]) == (status, "error")
    assert message in told["message"]
    assert told["cure"]


def test_an_answer_has_its_limit(sta: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liuyu.web.sensorthings.service.MOST_ENTITIES", 50)
    answer = sta.get("Observations?$top=100")
    assert answer.status_code == 400
    assert "more than 50 entities" in answer.json()["message"]


def test_sorting_has_its_limit(sta: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liuyu.web.sensorthings.search.MOST_SORTED", 1000)
    answer = sta.get("Observations?$orderby=result")
    assert "narrow phenomenonTime" in answer.json()["cure"]
    day = quote("phenomenonTime ge 2021-06-30T00:00:00Z")
    assert sta.get(f"Observations?$orderby=result&$filter={day}").status_code == 200
