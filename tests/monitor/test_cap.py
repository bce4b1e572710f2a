"""CAP 1.2: what we write passes the OASIS schema, says what it must, and the judge does refuse bad messages."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree as ET

import capvalidator
import pytest

from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Alert, Event, Notice, SourceNote, announce
from liuyu.basin.places import Basin, Station
from liuyu.monitor.alert import to_cap

NS = {"cap": "urn:oasis:names:tc:emergency:cap:1.2"}
WHEN = datetime(2020, 8, 18, 0, 0, tzinfo=UTC)
BASIN = Basin(
    code="small",
    name="小流域 <甲&乙>",
    name_en="small <A & B>",
    time_zone="Asia/Shanghai",
    synthetic=False,
    folder="",
    stations=(
        Station(code="60105400", name="寸滩", name_en="Cuntan", river="长江", position=(106.6, 29.62)),
        Station(code="60112200", name="汉口", name_en="Hankou", river="长江"),
    ),
)
ALERT = Alert(
    id="alert:level-above-guarantee:60105400:20200818T0000Z",
    rule="level-above-guarantee",
    subject="60105400",
    quantity="water_level",
    severity="orange",
    title={"zh": "寸滩水位超保证", "en": "Cuntan: water level above guarantee"},
    since=WHEN,
    value=183.63,
    threshold="guarantee",
    threshold_value=183.5,
    margin=0.13,
    unit="m",
    why=({"zh": "水位 183.63 m", "en": "water level 183.63 m"},),
    raised=WHEN,
)
NOTICE = Notice(
    id="notice:above-guarantee:60112200:20200818T0000Z",
    station="60112200",
    quantity="water_level",
    threshold="guarantee",
    threshold_value=29.73,
    severity="orange",
    issued=WHEN,
    chance=0.62,
    crossing=WHEN + timedelta(hours=40),
    crossing_from=WHEN + timedelta(hours=30),
    crossing_to=WHEN + timedelta(hours=50),
    peak=29.9,
    peak_time=WHEN + timedelta(hours=60),
    title={"zh": "汉口可能超保证", "en": "Hankou may pass guarantee"},
)


def event(state: str, hours: int = 0, body: Alert | Notice = ALERT) -> Event:
    subject = body.subject if isinstance(body, Alert) else body.station
    return announce(body, state=state, time=WHEN + timedelta(hours=hours), subject=subject)


def text(message: bytes, path: str) -> list[str | None]:
    steps = "/".join(f"cap:{step}" for step in path.split("/"))
    return [each.text for each in ET.fromstring(message).findall(steps, NS)]


@pytest.mark.parametrize("state", ["raised", "changed", "acknowledged", "escalated", "cleared"])
@pytest.mark.parametrize("synthetic", [True, False])
def test_every_state_of_an_alert_passes_the_schema(state: str, synthetic: bool) -> None:
    basin = BASIN if not synthetic else Basin(**{**_fields(), "synthetic": True})
    result = capvalidator.check_schema(to_cap(event(state, 1), basin))
    assert result.passed, result.message


def _fields() -> dict[str, object]:
    return {name: getattr(BASIN, name) for name in BASIN.__struct_fields__}


@pytest.mark.parametrize("state", ["issued", "updated", "withdrawn", "verified"])
def test_every_state_of_a_notice_passes_the_schema(state: str) -> None:
    assert capvalidator.check_schema(to_cap(event(state, 1, NOTICE), BASIN)).passed


@pytest.mark.data
@pytest.mark.skipif(bundle_folder() is None, reason="needs the data bundle")
@pytest.mark.parametrize("name", ["invalid.cap", "noaa_errors.cap", "earthquake.cap"])
def test_the_same_judge_refuses_bad_messages(name: str) -> None:
    assert not capvalidator.check_schema(bundle_file(f"cap_samples/{name}").read_bytes()).passed


def test_the_judge_refuses_ours_when_we_break_it() -> None:
    good = to_cap(event("raised"), BASIN)
    for old, new in ((b"<severity>Severe", b"<severity>Orange"), (b"+08:00</sent>", b"Z</sent>"), (b"Public", b"All")):
        assert old in good
        assert not capvalidator.check_schema(good.replace(old, new)).passed


def test_an_alert_an_update_and_a_cancel_refer_to_what_went_before() -> None:
    life = [event("raised"), event("escalated", 2), event("cleared", 30)]
    messages = [to_cap(each, BASIN, life[:number]) for number, each in enumerate(life)]
    assert [text(each, "msgType")[0] for each in messages] == ["Alert", "Update", "Cancel"]
    identifiers = [text(each, "identifier")[0] for each in messages]
    assert len(set(identifiers)) == 3
    first = f"liuyu@small,{identifiers[0]},2020-08-18T08:00:00+08:00"
    second = f"liuyu@small,{identifiers[1]},2020-08-18T10:00:00+08:00"
    assert [text(each, "references") for each in messages] == [[], [first], [f"{first} {second}"]]
    for identifier in identifiers:
        assert identifier is not None
        assert not set(" ,<&") & set(identifier)


def test_without_the_log_an_update_still_refers_to_the_first_message() -> None:
    first = to_cap(event("raised"), BASIN)
    for later in (to_cap(event("changed", 5), BASIN), to_cap(event("withdrawn", 5, NOTICE), BASIN)):
        (reference,) = text(later, "references")
        assert reference is not None
        assert reference.endswith("2020-08-18T08:00:00+08:00")
    assert text(to_cap(event("changed", 5), BASIN), "references")[0] == (
        f"liuyu@small,{text(first, 'identifier')[0]},2020-08-18T08:00:00+08:00"
    )


def test_both_languages_say_what_where_and_how_sure() -> None:
    message = to_cap(event("raised"), BASIN)
    assert text(message, "info/language") == ["zh-CN", "en-US"]
    assert text(message, "info/headline") == ["寸滩水位超保证", "Cuntan: water level above guarantee"]
    assert text(message, "info/senderName") == ["小流域 <甲&乙>", "small <A & B>"]
    assert text(message, "info/severity") == ["Severe"] * 2
    assert text(message, "info/certainty") == ["Observed"] * 2
    assert text(message, "info/area/circle") == ["29.6200,106.6000 5"] * 2
    assert text(message, "info/area/geocode/value") == ["60105400"] * 2
    assert text(message, "sent") == ["2020-08-18T08:00:00+08:00"]
    ahead = to_cap(event("issued", 0, NOTICE), BASIN)
    assert text(ahead, "info/certainty") == ["Likely"] * 2
    assert text(ahead, "info/urgency") == ["Expected"] * 2
    assert text(ahead, "info/area/circle") == []
    assert "62%" in (text(ahead, "info/description")[1] or "")


def test_a_synthetic_basin_never_sends_actual_messages() -> None:
    basin = Basin(**{**_fields(), "synthetic": True})
    assert text(to_cap(event("raised"), basin), "status") == ["Exercise"]
    assert text(to_cap(event("raised"), BASIN), "status") == ["Actual"]
    assert text(to_cap(event("raised"), BASIN, status="Test"), "status") == ["Test"]


def test_the_same_event_gives_the_same_bytes_and_other_kinds_are_refused() -> None:
    assert to_cap(event("raised"), BASIN) == to_cap(event("raised"), BASIN)
    note = SourceNote(id="s", station="60105400", last=WHEN, title={"zh": "静", "en": "silent"})
    with pytest.raises(BadInput, match="source event has no CAP form"):
        to_cap(announce(note, state="silent", time=WHEN, subject="60105400"), BASIN)
