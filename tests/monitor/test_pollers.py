"""Pollers on answers of the recorded form, served on loopback: values, silence, return, and the gap filled."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import isfinite
from threading import Event as Signal
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuyu.basin.clock import epoch, moment, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.flags import Flag
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense.pollers import SERVICES, Polled, Poller, Unanswered, service
from liuyu.monitor.sense.pollers.http import get
from liuyu.monitor.sense.pollers.poller import LONGEST_WAIT, SILENT_AFTER
from liuyu.monitor.sense.readers.mapping import Mapping, Value

NOON = epoch(parse_time("2024-05-01T12:00", "UTC"))
HOUR = 3600


def basin(*codes: str) -> Basin:
    stations = tuple(Station(code=code, name=code, name_en=code) for code in codes)
    return Basin(code="p", name="p", name_en="p", time_zone="UTC", synthetic=True, folder=".", stations=stations)


class Answers:
    """A web server on loopback whose answer to each request a test decides; it keeps what was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.answer: Callable[[str], tuple[int, dict[str, str], bytes]] = lambda path: (404, {}, b"")
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version: ClassVar[str] = "HTTP/1.1"

            def do_GET(self) -> None:
                outer.asked.append(self.path)
                status, headers, body = outer.answer(self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: Any) -> None:
                """Keep quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def say(self, body: str | bytes, status: int = 200, **headers: str) -> None:
        content = body.encode() if isinstance(body, str) else body
        self.answer = lambda path: (status, {name.replace("_", "-"): each for name, each in headers.items()}, content)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def web() -> Iterator[Answers]:
    made = Answers()
    yield made
    made.close()


def told(batch: Batch) -> list[tuple[str, str, int, float]]:
    return [
        (batch.roster.codes[place], quantity(int(number)).name, int(time), float(value))
        for place, number, time, value in zip(batch.station, batch.quantity, batch.time, batch.value, strict=True)
    ]


CJH = """<html><script>var a = [1];
var sssq = [{"oq":"0","q":"4860","rvnm":"长江","stcd":"60105400","stnm":"寸滩","tm":1714564800000,"wptn":"5",
"z":"169.97"},
{"oq":"8000","q":"9000","rvnm":"长江","stcd":"60106980","stnm":"三峡水库","tm":1714564800000,"wptn":"4","z":"160.5"},
{"oq":"0","q":"0","rvnm":"长江","stcd":"60111200","stnm":"莲花塘","tm":1714564800000,"wptn":"6","z":"21.39"},
{"oq":"0","q":"11","rvnm":"x","stcd":"69999999","stnm":"x","tm":1714564800000,"wptn":"6","z":"1"},
{"oq":"0","q":"?","rvnm":"x","stcd":"60111200","stnm":"x","tm":null,"wptn":"6","z":"1"}];
var sqHtml = '';</script></html>"""


def test_cjh_gives_level_and_discharge_and_what_passes_a_dam(web: Answers) -> None:
    web.say(CJH)
    poller = Poller(
        service("cjh"),
        Mapping(),
        basin("60105400", "60106980", "60111200"),
        NOON,
        address=f"{web.address}/sqindex.html",
    )
    polled = poller.step(NOON + HOUR)
    assert told(polled.reading.batch) == [
        ("60105400", "water_level", NOON, 169.97),
        ("60105400", "discharge", NOON, 4860.0),
        ("60106980", "water_level", NOON, 160.5),
        ("60106980", "reservoir_inflow", NOON, 9000.0),
        ("60106980", "reservoir_outflow", NOON, 8000.0),
        ("60111200", "water_level", NOON, 21.39),
    ]
    assert polled.reading.batch.source == "cjh"
    assert [each.problem for each in polled.reading.faults] == ["has no time or no station"]
    assert any("unknown station 69999999" in each.reason for each in polled.reading.asides)
    web.say("<html>under maintenance</html>")
    assert "has the page changed?" in poller.step(NOON + HOUR).reason


def usgs(rows: list[tuple[str, str, str, list[tuple[str, str, list[str]]]]]) -> str:
    series = [
        {
            "sourceInfo": {"siteName": site, "siteCode": [{"value": site, "network": "NWIS", "agencyCode": "USGS"}]},
            "variable": {
                "variableCode": [{"value": code, "network": "NWIS"}],
                "unit": {"unitCode": unit},
                "noDataValue": -999999.0,
            },
            "values": [
                {
                    "value": [{"value": value, "qualifiers": marks, "dateTime": time} for time, value, marks in values],
                    "qualifier": [{"qualifierCode": "P"}],
                    "method": [{"methodID": 1}],
                }
            ],
            "name": f"USGS:{site}:{code}:00000",
        }
        for site, code, unit, values in rows
    ]
    return json.dumps({"name": "ns1:timeSeriesResponseType", "value": {"queryInfo": {}, "timeSeries": series}})


def test_usgs_converts_units_offsets_and_qualifiers(web: Answers) -> None:
    web.say(
        usgs(
            [
                (
                    "01646500",
                    "00065",
                    "ft",
                    [
                        ("2024-05-01T07:00:00.000-05:00", "10.0", ["P"]),
                        ("2024-05-01T07:15:00.000-05:00", "11.0", ["A"]),
                        ("2024-05-01T07:30:00.000-05:00", "12.0", ["P", "e"]),
                        ("2024-05-01T07:45:00.000-05:00", "-999999", ["P", "Ice"]),
                        ("soon", "12.0", ["P"]),
                    ],
                ),
                ("01646500", "00060", "ft3/s", [("2024-05-01T07:00:00.000-05:00", "1000", ["P"])]),
                ("01646500", "00010", "deg X", [("2024-05-01T07:00:00.000-05:00", "10", ["P"])]),
                ("01646500", "99999", "x", [("2024-05-01T07:00:00.000-05:00", "10", ["P"])]),
            ]
        )
    )
    poller = Poller(
        service("usgs"), Mapping(codes={"01646500": "W"}), basin("W"), NOON - HOUR, address=f"{web.address}/iv/"
    )
    found = poller.step(NOON + HOUR).reading
    assert told(found.batch) == [
        ("W", "water_level", NOON, 3.048),
        ("W", "discharge", NOON, 28.316847),
        ("W", "water_level", NOON + 900, 3.3528),
        ("W", "water_level", NOON + 1800, 3.6576),
    ]
    assert found.batch.flag.tolist() == [Flag.NOT_EVALUATED, Flag.NOT_EVALUATED, Flag.GOOD, Flag.SUSPECT]
    assert (found.missing, len(found.faults), len(found.asides)) == (1, 1, 3)
    asked = parse_qs(urlsplit(web.asked[0]).query)
    assert asked["sites"] == ["01646500"]
    assert asked["startDT"] == ["2024-05-01T08:00:01Z"]
    assert "00065" in asked["parameterCd"][0]


def reading(measure: str, time: str, value: Any) -> dict[str, Any]:
    root = "http://environment.data.gov.uk/flood-monitoring"
    return {
        "@id": f"{root}/data/readings/{measure}/x",
        "dateTime": time,
        "measure": f"{root}/id/measures/{measure}",
        "value": value,
    }


def test_environment_agency_takes_the_measures_that_are_wanted(web: Answers) -> None:
    items = [
        reading("1491TH-level-stage-i-15_min-mASD", "2024-05-01T12:00:00Z", 0.754),
        reading("1491TH-flow--i-15_min-m3_s", "2024-05-01T12:00:00Z", 12.5),
        reading("1491TH-level-downstage-i-15_min-mASD", "2024-05-01T12:00:00Z", 0.1),
        reading("1491TH-rainfall-tipping_bucket_raingauge-t-15_min-mm", "2024-05-01T12:00:00Z", 0.4),
        reading("1491TH-level-stage-i-15_min----", "2024-05-01T12:15:00Z", 3.0),
        reading("1491TH-level-stage-i-15_min-m", "2024-05-01T12:30:00Z", [0.7, 0.8]),
        {"measure": "strange"},
    ]
    web.say(json.dumps({"@context": "x", "meta": {}, "items": items}))
    poller = Poller(
        service("environment_agency"), Mapping(codes={"1491TH": "W"}), basin("W"), NOON, address=web.address
    )
    found = poller.step(NOON + HOUR).reading
    assert told(found.batch) == [
        ("W", "water_level", NOON, 0.754),
        ("W", "discharge", NOON, 12.5),
        ("W", "rainfall", NOON, 0.4),
    ]
    assert [each.problem for each in found.faults] == ["is not a number", "is no measure"]
    assert any("level-downstage-i" in each.reason for each in found.asides)
    assert any("has no unit" in each.reason for each in found.asides)
    assert web.asked == ["/id/stations/1491TH/readings?since=2024-05-01T09:00:00Z&_sorted=&_limit=10000"]
    named = Mapping(
        codes={"1491TH": "W"},
        values=(Value(quantity="water_level", code="1491TH-level-downstage-i-15_min-mASD", unit="m", add=50.0),),
    )
    poller = Poller(service("environment_agency"), named, basin("W"), NOON, address=web.address)
    assert told(poller.step(NOON + HOUR).reading.batch) == [("W", "water_level", NOON, 50.1)]


def weather(places: int, hours: list[int]) -> str:
    units = {"time": "unixtime", "precipitation": "mm", "temperature_2m": "°C", "et0_fao_evapotranspiration": "mm"}
    values = {"time": hours, "precipitation": [0.5] * len(hours), "temperature_2m": [None] + [20.5] * (len(hours) - 1)}
    one = {
        "latitude": 30.5,
        "longitude": 114.25,
        "utc_offset_seconds": 0,
        "hourly_units": units,
        "hourly": {**values, "et0_fao_evapotranspiration": [0.1] * len(hours)},
    }
    return json.dumps(one if places == 1 else [one] * places)


def test_open_meteo_gives_the_hours_that_have_passed(web: Answers) -> None:
    hours = [NOON + step * HOUR for step in range(-5, 6)]
    web.say(weather(2, hours))
    mapping = Mapping(codes={"30.58,114.28": "W", "29.5,113.1": "V"})
    poller = Poller(service("open_meteo"), mapping, basin("W", "V"), NOON, address=f"{web.address}/v1/forecast")
    found = poller.step(NOON + 2 * HOUR).reading
    assert {each[2] for each in told(found.batch)} == {NOON + step * HOUR for step in range(-2, 3)}
    assert ("W", "rainfall", NOON, 0.5) in told(found.batch)
    assert ("V", "air_temperature", NOON, 20.5) in told(found.batch)
    asked = parse_qs(urlsplit(web.asked[0]).query)
    assert (asked["latitude"], asked["longitude"]) == (["29.5,30.58"], ["113.1,114.28"])
    assert "#" not in web.asked[0]
    web.say(weather(1, hours))
    assert "1 places where 2 were asked" in poller.step(NOON + 2 * HOUR).reason
    bad = Poller(service("open_meteo"), Mapping(codes={"Wuhan": "W"}), basin("W"), NOON)
    with pytest.raises(BadInput, match="no position"):
        bad.step(NOON)


def test_a_service_must_know_its_stations() -> None:
    for name in ("usgs", "environment_agency", "open_meteo"):
        with pytest.raises(BadInput, match=r"station\.codes"):
            Poller(service(name), Mapping(), basin("W"), NOON).step(NOON)
    with pytest.raises(NotFound, match="there are: cjh"):
        service("gauges")


def gauge(path: str) -> str:
    """A USGS gauge that has a value every hour: what it answers to a request for a span."""
    asked = parse_qs(urlsplit(path).query)
    start, end = (epoch(datetime.fromisoformat(asked[each][0])) for each in ("startDT", "endDT"))
    hours = range(-(-start // HOUR) * HOUR, end + 1, HOUR)
    return usgs([("1", "00065", "ft", [(moment(each).isoformat(), f"{each // HOUR % 100}", ["P"]) for each in hours])])


def test_silence_is_told_once_and_the_gap_is_filled_on_return(web: Answers, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING, "liuyu.pollers")
    up = True
    web.answer = lambda path: (200, {}, gauge(path).encode()) if up else (503, {"Retry-After": "1200"}, b"")
    poller = Poller(service("usgs"), Mapping(codes={"1": "W"}), basin("W"), NOON, address=web.address, every=300)
    seen = set(poller.step(NOON + HOUR).reading.batch.time.tolist())
    up, now, tries = False, NOON + 2 * HOUR, []
    for _ in range(12):
        tries.append(poller.step(now))
        now += 20 * HOUR
    announced = [(number, each) for number, tried in enumerate(tries, 1) for each in tried.events]
    assert [(number, each.state) for number, each in announced] == [(SILENT_AFTER, "silent")]
    assert announced[0][1].kind == "source"
    assert announced[0][1].id == "source:service:usgs"
    assert all(len(tried.reading.batch) == 0 and "503" in tried.reason for tried in tries)
    up = True
    asked = len(web.asked)
    back = poller.step(now)
    assert [each.state for each in back.events] == ["returned"]
    assert "0 cannot be filled" in back.events[0].body["title"]["en"]
    assert back.wait == 300
    seen |= set(back.reading.batch.time.tolist())
    assert seen >= set(range(NOON, now + 1, HOUR))
    assert len(web.asked) - asked == 2
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]
    assert poller.step(now + 300).events == ()


def test_waits_grow_with_a_spread_that_the_seed_decides(web: Answers) -> None:
    web.say("", 500)

    def waits(seed: int) -> list[float]:
        mapping = Mapping(codes={"1": "W"})
        poller = Poller(service("usgs"), mapping, basin("W"), NOON, address=web.address, every=60, seed=seed)
        return [poller.step(NOON + number).wait for number in range(10)]

    found = waits(1)
    assert found == waits(1) != waits(2)
    for number, wait in enumerate(found):
        backed = min(60 * 2**number, LONGEST_WAIT)
        assert backed / 2 <= wait <= backed
    web.say("", 429, Retry_After="7200")
    assert waits(1) == [7200.0] * 10


def test_what_lies_beyond_the_reach_is_said_to_be_lost(web: Answers) -> None:
    web.say("", 500)
    poller = Poller(service("cjh"), Mapping(), basin("60105400"), NOON, address=web.address)
    for number in range(SILENT_AFTER):
        poller.step(NOON + number)
    web.say(CJH)
    back = poller.step(NOON + 5 * HOUR)
    assert "after 300 minutes, of which 300 cannot be filled" in back.events[0].body["title"]["en"]


def test_a_poller_goes_on_where_another_stopped(web: Answers) -> None:
    web.say("", 500)

    def fresh() -> Poller:
        return Poller(service("usgs"), Mapping(codes={"1": "W"}), basin("W"), NOON, address=web.address)

    one, other = fresh(), fresh()
    for number in range(SILENT_AFTER + 1):
        one.step(NOON + number)
    other.load(one.dump())
    assert other.dump() == one.dump()
    assert other.step(NOON + 9).wait == one.step(NOON + 9).wait
    with pytest.raises(BadInput, match="begin it afresh"):
        other.load(b"{}")


def test_a_thread_polls_until_it_is_told_to_stop(web: Answers) -> None:
    web.answer = lambda path: (200, {}, gauge(path).encode())
    stop, found = Signal(), []

    def deliver(polled: Polled) -> None:
        found.append(polled)
        if len(found) == 3:
            stop.set()

    poller = Poller(service("usgs"), Mapping(codes={"1": "W"}), basin("W"), NOON, address=web.address, every=0.01)
    thread = Thread(target=poller.run, args=(lambda: NOON + HOUR, deliver, stop))
    thread.start()
    thread.join(10)
    assert not thread.is_alive()
    assert [len(each.reading.batch) for each in found] == [4, 3, 3]


def test_answers_are_bounded_and_unpacked(web: Answers, monkeypatch: pytest.MonkeyPatch) -> None:
    web.say(gzip.compress(b"hello"), Content_Encoding="gzip")
    assert get(web.address) == b"hello"
    web.say(b"no gzip", Content_Encoding="gzip")
    with pytest.raises(Unanswered, match="broken gzip"):
        get(web.address)
    monkeypatch.setattr("liuyu.monitor.sense.pollers.http.LARGEST", 1000)
    web.say(b"x" * 2000)
    with pytest.raises(Unanswered, match="answered more than"):
        get(web.address)
    web.say(gzip.compress(b"x" * 2000), Content_Encoding="gzip")
    with pytest.raises(Unanswered, match="answered more than"):
        get(web.address)
    web.say("", 404)
    with pytest.raises(Unanswered, match="404"):
        get(web.address)
    with pytest.raises(Unanswered, match="did not answer"):
        get("http://127.0.0.1:9/")
    with pytest.raises(BadInput, match="neither http nor https"):
        get("file:///etc/hostname")


NAMES = ("value", "timeSeries", "sourceInfo", "siteCode", "variable", "values", "items", "measure", "dateTime")
NAMES += ("hourly", "time", "hourly_units", "precipitation", "stcd", "tm", "z")
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.integers()
    | st.sampled_from(["a", "1", "1e400", "", "2024-05-01"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(NAMES),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(content=JSON, name=st.sampled_from(sorted(SERVICES)))
def test_no_answer_makes_a_poller_fall(content: Any, name: str) -> None:
    body = json.dumps(content).encode()
    body = b"var sssq = [" + body + b"];" if name == "cjh" else body
    mapping = Mapping(codes={"30.5,114.2": "W"})
    poller = Poller(service(name), mapping, basin("W"), NOON, fetch=lambda url: body)
    polled = poller.step(NOON)
    assert polled.wait > 0
    assert all(isfinite(each) for each in polled.reading.batch.value)
