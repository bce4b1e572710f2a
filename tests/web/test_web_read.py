"""Reading over HTTP: the scene, values, forecasts, events, the board, and how refusals are worded."""

from __future__ import annotations

import os
import struct
from datetime import datetime
from pathlib import Path

import httpx
import numpy as np
import pytest
from looptwin import LoopTwin
from small_river import NOW, START, serving

from liuyu.basin.clock import DAY, HOUR, epoch
from liuyu.web.page import Page


def test_scene_names_everything_and_is_sent_once(client: httpx.Client) -> None:
    answer = client.get("/api/basin")
    scene = answer.json()
    assert [each["code"] for each in scene["stations"]] == ["S1", "S2", "S3", "R1", "S9"]
    assert scene["stations"][2]["position"] is None
    assert scene["synthetic"] is True
    assert scene["threshold_kinds"]["warning"] == ["警戒", "warning"]
    assert {each["name"]: each["number"] for each in scene["quantities"]}["discharge"] == 2
    assert "folder" not in scene, "the server's paths are nobody's business"
    again = client.get("/api/basin", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert answer.headers["content-encoding"] == "gzip"
    plain = client.get("/api/basin", headers={"Accept-Encoding": "identity"})
    assert plain.json() == scene
    assert "content-encoding" not in plain.headers


def test_layers_that_are_absent_are_left_out(client: httpx.Client) -> None:
    layers = {each["kind"]: each["url"] for each in client.get("/api/basin").json()["layers"]}
    assert layers == {"rivers": "/api/layers/rivers", "dams": "/api/layers/dams", "terrain": "/tiles/terrain.json"}
    refused = client.get("/api/layers/lakes")
    assert refused.status_code == 404
    assert refused.json() == {"error": "no layer 'lakes'", "cure": "there are: rivers, dams"}


def test_layer_is_thinned_geojson(client: httpx.Client) -> None:
    answer = client.get("/api/layers/rivers")
    (river,) = answer.json()["features"]
    assert answer.headers["content-type"] == "application/geo+json"
    assert river["geometry"]["coordinates"] == [[110.0, 30.5], [112.0, 30.5]]
    assert client.get("/api/layers/rivers", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304


def test_dams_carry_their_corrections(client: httpx.Client) -> None:
    dams = {each["properties"]["name"]: each["geometry"]["coordinates"] for each in _dams(client)}
    assert set(dams) == {"Baihetan Dam", "Guandi"}
    assert dams["Baihetan Dam"] == [102.9, 27.22]


def _dams(client: httpx.Client) -> list[dict]:
    return client.get("/api/layers/dams").json()["features"]


def test_newest_values_in_columns(client: httpx.Client, twin: LoopTwin) -> None:
    found = client.get("/api/values").json()
    expected = twin.store.latest(twin.basin.roster)
    assert found["value"] == expected.value.tolist()
    by_series = dict(zip(zip(found["station"], found["quantity"], strict=True), found["time"], strict=True))
    assert by_series[0, 1] == epoch(NOW)
    assert by_series[2, 1] == epoch(NOW) - HOUR, "the newest value of S3 is bad, so the one before it counts"
    assert 4 not in found["station"], "S9 never reported"


def test_values_as_of_a_moment(client: httpx.Client) -> None:
    found = client.get("/api/values", params={"at": "2021-06-10T08:00:00+08:00"}).json()
    assert max(found["time"]) == epoch(datetime.fromisoformat("2021-06-10T00:00:00+00:00"))


def test_binary_form_holds_the_same_numbers(client: httpx.Client) -> None:
    found = client.get("/api/values").json()
    binary = client.get("/api/values", headers={"Accept": "application/octet-stream"})
    assert binary.headers["content-type"] == "application/octet-stream"
    count, zero = struct.unpack_from("<II", binary.content)
    assert (count, zero) == (len(found["time"]), 0)
    assert len(binary.content) == 8 + count * (8 + 8 + 4 + 2 + 1)
    time = np.frombuffer(binary.content, "<f8", count, 8)
    value = np.frombuffer(binary.content, "<f8", count, 8 + 8 * count)
    station = np.frombuffer(binary.content, "<i4", count, 8 + 16 * count)
    quantity = np.frombuffer(binary.content, "<i2", count, 8 + 20 * count)
    flag = np.frombuffer(binary.content, "u1", count, 8 + 22 * count)
    for name, column in (
        ("time", time),
        ("value", value),
        ("station", station),
        ("quantity", quantity),
        ("flag", flag),
    ):
        assert column.tolist() == found[name], name


def test_series_holds_flags_and_gaps(client: httpx.Client, twin: LoopTwin) -> None:
    params = {"start": START.isoformat(), "end": NOW.isoformat()}
    found = client.get("/api/series/S3/water_level", params=params).json()
    stored = twin.store.series("S3", "water_level", epoch(START), epoch(NOW))
    assert found["time"] == stored.time.tolist()
    assert found["value"][5] is None
    assert found["flag"][5] == 9
    binary = client.get("/api/series/S3/water_level", params=params, headers={"Accept": "application/octet-stream"})
    count = struct.unpack_from("<I", binary.content)[0]
    assert count == 30 * 24
    assert set(np.frombuffer(binary.content, "<i4", count, 8 + 16 * count)) == {2}


def test_series_without_times_is_the_last_ten_days(client: httpx.Client) -> None:
    found = client.get("/api/series/S1/discharge").json()
    assert (found["time"][0], found["time"][-1]) == (epoch(NOW) - 10 * DAY + HOUR, epoch(NOW))


def test_series_by_day(client: httpx.Client, twin: LoopTwin) -> None:
    params = {"start": "2021-06-05T00:00:00Z", "end": "2021-06-07T00:00:00Z", "step": 86400}
    found = client.get("/api/series/S2/water_level", params=params).json()
    start = epoch(datetime.fromisoformat("2021-06-05T00:00:00+00:00"))
    day = twin.store.series("S2", "water_level", start, start + DAY).usable()
    assert found["count"][0] == len(day)
    assert found["maximum"][0] == day.value.max()
    assert found["mean"][0] == pytest.approx(day.value.mean(), abs=1e-4)


def test_forecast_as_quantiles_and_chances(client: httpx.Client) -> None:
    found = client.get("/api/forecast/S1/water_level").json()
    assert found["issued"] == "2021-06-30T18:00:00Z"
    assert list(found["quantiles"]) == ["0.05", "0.1", "0.25", "0.5", "0.75", "0.9", "0.95"]
    assert found["quantiles"]["0.5"][-1] == 22.0
    assert found["quantiles"]["0.95"][-1] == pytest.approx(22.45)
    chances = {each["threshold"]: each["chance"] for each in found["chances"]}
    assert set(chances) == {"warning", "drought_warning"}, "the flood limit of September does not hold in June"
    assert chances["warning"][-1] == 1.0
    assert chances["warning"][0] == 0.0
    assert chances["warning"] == sorted(chances["warning"])
    assert set(chances["drought_warning"]) == {0.0}
    assert found["provenance"]["code"] == "liuyu"


def test_forecast_as_of_an_earlier_moment(client: httpx.Client) -> None:
    earlier = client.get("/api/forecast/S1/water_level", params={"at": "2021-06-30T17:00:00Z"}).json()
    assert earlier["issued"] == "2021-06-30T12:00:00Z"
    refused = client.get("/api/forecast/S1/water_level", params={"model": "oracle"})
    assert refused.status_code == 404
    assert "oracle" in refused.json()["error"]
    assert client.get("/api/forecast/S2/water_level").status_code == 404


def test_every_issue_of_a_forecast(client: httpx.Client) -> None:
    found = client.get("/api/forecasts/S1/water_level").json()
    assert [each["issued"] for each in found] == ["2021-06-30T12:00:00Z", "2021-06-30T18:00:00Z"]
    assert len(found[0]["median"]) == len(found[0]["time"]) == 48


def test_flood_season_statistics(client: httpx.Client, twin: LoopTwin) -> None:
    season = client.get("/api/statistics/S1/water_level").json()
    values = twin.store.series("S1", "water_level", 0, epoch(NOW) + 1).usable().value
    assert season["year"] == 2021
    assert season["maximum"] == values.max()
    assert season["count"] == len(values)
    assert season["earlier"] == []
    assert {each["kind"] for each in season["exceedances"]} == {"warning", "drought_warning", "flood_limit"}
    assert client.get("/api/statistics/S9/water_level").status_code == 404
    assert client.get("/api/statistics/S1/water_level", params={"at": "2021-05-01T00:00:00Z"}).status_code == 404


def test_events_are_followed_by_number(client: httpx.Client) -> None:
    every = client.get("/api/events").json()
    assert [each["seq"] for each in every] == list(range(1, 10))
    after = client.get("/api/events", params={"after": every[3]["seq"], "limit": 2}).json()
    assert after == every[4:6]
    alerts = client.get("/api/events", params={"kinds": "alert,notice", "subject": "S1", "newest_first": True}).json()
    assert [(each["kind"], each["state"]) for each in alerts] == [
        ("alert", "cleared"),
        ("notice", "issued"),
        ("alert", "raised"),
    ]
    assert every[0]["time"] == "2021-06-29T00:00:00Z"
    assert every[0]["body"]["title"] == {"zh": "水位超警戒", "en": "Level above warning"}


def test_board_holds_the_newest_of_each(client: httpx.Client) -> None:
    board = client.get("/api/board").json()
    assert [(each["id"], each["state"]) for each in board["alerts"]] == [
        ("alert:above:S1:1", "cleared"),
        ("alert:above:S2:1", "raised"),
    ]
    assert [each["id"] for each in board["floods"]] == ["flood:2021:1"]
    assert board["sources"][0]["state"] == "silent"
    assert board["reports"] == []


def test_board_as_of_a_moment(client: httpx.Client) -> None:
    board = client.get("/api/board", params={"at": "2021-06-29T06:00:00Z"}).json()
    assert [(each["id"], each["state"]) for each in board["alerts"]] == [("alert:above:S1:1", "raised")]
    assert board["notices"] == []
    assert [each["id"] for each in board["tasks"]] == ["task:1:patrol"]


def test_board_forgets_what_ended_long_ago(client: httpx.Client, twin: LoopTwin) -> None:
    late = {"at": "2021-07-20T00:00:00Z", "days": 7}
    board = client.get("/api/board", params=late).json()
    assert [each["id"] for each in board["alerts"]] == ["alert:above:S2:1"]
    assert [each["id"] for each in board["floods"]] == ["flood:2021:1"]


def test_report_in_both_forms(client: httpx.Client) -> None:
    page = client.get("/api/report.html", params={"language": "en"})
    assert '<html lang="en">' in page.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")
    file = client.get("/api/report.pdf", params={"at": "2021-06-29T07:00:00Z"})
    assert file.content.startswith(b"%PDF")
    assert b"4 events" in file.content
    assert file.headers["content-disposition"] == 'inline; filename="test-river-report-zh.pdf"'
    file = client.get("/api/report.docx", params={"language": "en"})
    assert file.content.startswith(b"PK")
    assert file.headers["content-disposition"] == 'attachment; filename="test-river-report-en.docx"'


def test_health_and_clock(client: httpx.Client) -> None:
    health = client.get("/api/health").json()
    assert (health["status"], health["basin"], health["seq"]) == ("ok", "test-river", 9)
    assert client.get("/api/clock").json() == {
        "now": "2021-07-01T00:00:00Z",
        "start": "2021-06-01T00:00:00Z",
        "end": "2021-08-01T00:00:00Z",
        "speed": 3600.0,
        "phase": "paused",
    }


@pytest.mark.parametrize(
    ("path", "status", "error", "cure"),
    [
        ("/api/series/S7/water_level", 404, "no station 'S7' in Test River", "see /api/basin"),
        ("/api/series/S1/water_levle", 404, "no quantity 'water_levle'", "did you mean 'water_level'?"),
        ("/api/values?at=2021-06-10", 400, "at='2021-06-10' is no time with a zone", "write it as"),
        ("/api/values?at=2021-06-10T00:00:00", 400, "at='2021-06-10T00:00:00' is no time with a zone", "write it as"),
        ("/api/values?at=2021-13-10T00:00:00Z", 400, "at='2021-13-10T00:00:00Z' is not ISO 8601", "write it as"),
        ("/api/series/S1/water_level?step=60", 400, "step=60 is not kept", "give 3600"),
        (
            "/api/series/S1/water_level?start=2021-06-10T00:00:00Z&end=2021-06-09T00:00:00Z",
            400,
            "start=1623283200 does not lie before end=1623196800 (seconds UTC)",
            "exchange",
        ),
        ("/api/events?kinds=alert,alrm", 400, "kinds='alrm' is not known", "choose from alert"),
        ("/api/events?limit=0", 400, "limit='0': Expected `int` >= 1", "/schema"),
        ("/api/report.html?language=fr", 400, "language='fr': Invalid enum value 'fr'", "/schema"),
        ("/api/nothing", 404, "there is nothing at /api/nothing", "/schema"),
    ],
)
def test_a_refusal_names_value_and_cure(client: httpx.Client, path: str, status: int, error: str, cure: str) -> None:
    answer = client.get(path)
    assert answer.status_code == status
    assert answer.json()["error"] == error
    assert cure in answer.json()["cure"]


def test_a_plus_sign_lost_in_the_address_is_put_back(client: httpx.Client) -> None:
    answer = client.get("/api/values?at=2021-06-10T08:00:00+08:00")
    assert max(answer.json()["time"]) == epoch(datetime.fromisoformat("2021-06-10T00:00:00+00:00"))


def test_a_store_that_fails_tells_the_log_and_not_the_caller(
    own_twin: LoopTwin, caplog: pytest.LogCaptureFixture
) -> None:
    with serving(own_twin) as url:
        own_twin.store.close()
        for path in ("/api/values", "/api/health", "/sta/v1.1/Observations"):
            answer = httpx.get(url + path)
            assert answer.status_code == 503
            assert answer.json() == {
                "error": "the store could not answer",
                "cure": "try again; the server's log says why",
            }
    assert "is closed" in caplog.text


def test_a_method_that_is_not_there(client: httpx.Client) -> None:
    answer = client.put("/api/clock", json={})
    assert answer.status_code == 405
    assert answer.json()["error"] == "PUT is not possible at /api/clock"


def test_every_answer_carries_the_guarding_headers(client: httpx.Client) -> None:
    for path in ("/api/basin", "/api/nothing", "/"):
        headers = client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "SAMEORIGIN"


def test_page_is_fetched_once_and_asked_for_anew(client: httpx.Client) -> None:
    index = client.get("/")
    assert "<title>map</title>" in index.text
    assert index.headers["cache-control"] == "no-cache"
    policy = index.headers["content-security-policy"]
    assert "default-src 'self'" in policy
    assert "http" not in policy, "the page may ask nobody else"
    script = client.get("/assets/index-Ab3dE6gH.js")
    assert "immutable" in script.headers["cache-control"]
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"
    assert script.headers["content-encoding"] == "gzip"
    assert client.get("/favicon.svg").headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/..%2fsecret.txt", "/assets/%00", "/assets", "/assets/..%2f..%2fsecret.txt"])
def test_page_serves_nothing_outside_its_folder(client: httpx.Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_page_stays_within_its_folder(tmp_path: Path) -> None:
    folder = tmp_path / "page"
    folder.mkdir()
    (folder / "index.html").write_text("page", encoding="utf-8")
    (tmp_path / "secret.txt").write_text("secret", encoding="utf-8")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    page = Page(folder)
    for path in ("../secret.txt", str(tmp_path / "secret.txt"), "link.txt", ".", "", "a/../../secret.txt"):
        assert page.file(path) is None, path
    found = page.file("index.html")
    assert found is not None
    assert found.body == b"page"
    (folder / "index.html").write_text("built anew", encoding="utf-8")
    os.utime(folder / "index.html", ns=(1, 1))
    again = page.file("index.html")
    assert again is not None
    assert again.body == b"built anew", "a page that was built anew is sent anew"
    assert Page(tmp_path / "nowhere").file("index.html") is None
