"""Events, audit, asides, state, forecasts, grids and jobs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import msgspec
import numpy as np
import pytest
import xarray as xr

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, NotFound, StoreFailed
from liuyu.basin.events import Event
from liuyu.basin.records import Forecast, Provenance
from tests.store.engines import AnyStore, Engine

NOON = 1_597_060_800
HOUR = 3600


def event(number: int, kind: str = "alert", state: str = "raised", hours: int = 0) -> Event:
    time = datetime(2020, 8, 10, 12, 0, 0, 250, tzinfo=UTC) + timedelta(hours=hours)
    body = {"title": {"zh": "汉口超警戒水位", "en": "above"}, "value": 27.31, "list": [1, None]}
    return Event(kind=kind, time=time, id=f"{kind}:{number}", state=state, subject=f"s{number % 2}", body=body)


def test_events_are_numbered_once_and_come_back_as_they_went(store: AnyStore) -> None:
    first = store.append([event(1), event(2), event(1)])
    assert [each.seq for each in first] == [1, 2]
    again = store.append([event(2), event(3), event(2, state="cleared")])
    assert [(each.seq, each.id, each.state) for each in again] == [(3, "alert:3", "raised"), (4, "alert:2", "cleared")]
    assert store.events() == first + again
    local = msgspec.structs.replace(event(1), time=event(1).time.astimezone(timezone(timedelta(hours=8))))
    assert store.append([local]) == []


def test_events_are_narrowed(store: AnyStore) -> None:
    store.append([event(number, kind, hours=number) for number in range(6) for kind in ("alert", "task")])
    start = int(event(2).time.timestamp()) + 2 * HOUR
    assert [each.seq for each in store.events(after=10)] == [11, 12]
    assert {each.kind for each in store.events(kinds=["task", "notice"])} == {"task"}
    assert [each.id for each in store.events(start=start, end=start + HOUR + 1)] == [
        "alert:2",
        "task:2",
        "alert:3",
        "task:3",
    ]
    assert len(store.events(subject="s1", kinds=["alert"])) == 3
    assert [each.seq for each in store.events(id="task:4")] == [10]
    assert [each.seq for each in store.events(limit=2, newest_first=True)] == [12, 11]


def test_the_logs_refuse_to_be_changed(store: AnyStore) -> None:
    store.append([event(1)])
    store.audit(at=NOON, user="duty", action="acknowledge", target="alert:1", detail={"note": "知悉"})
    for statement in (
        "UPDATE event SET state = 'x'",
        "DELETE FROM event",
        "UPDATE audit SET action = 'x'",
        "DELETE FROM audit",
    ):
        with pytest.raises(StoreFailed, match="append-only"), store.engine.transaction() as writer:
            writer.execute(statement)
    assert store.audit_log() == [
        {"at": NOON, "user": "duty", "action": "acknowledge", "target": "alert:1", "detail": {"note": "知悉"}}
    ]


def test_state_and_asides(store: AnyStore) -> None:
    assert store.load_state("gather") is None
    store.save_state("gather", b"1")
    store.save_state("gather", b"\x00\xff")
    assert store.load_state("gather") == b"\x00\xff"
    for number in range(3):
        store.set_aside("feed", f"reason {number}", bytes([number]), received=NOON + number)
    newest = store.asides(limit=2)
    assert [each["payload"] for each in newest] == [b"\x02", b"\x01"]
    assert newest[0] == {"source": "feed", "reason": "reason 2", "payload": b"\x02", "received": NOON + 2}


def forecast(issued: int, station: str = "60112200", model: str = "routing", seed: int = 0) -> Forecast:
    members = np.random.default_rng(seed).normal(25, 1, (20, 72)).cumsum(axis=1)
    members[3, 4] = np.nan
    return Forecast(
        station=station,
        quantity="water_level",
        issued=moment(issued),
        model=model,
        time=issued + HOUR * np.arange(1, 73),
        members=members,
        drivers={"upstream": [{"station": "60105400", "share": 0.7}], "note": "上游来水"},
        provenance=Provenance(code="liuyu", version="0.1", inputs_until=moment(issued), parameters="abc"),
    )


def test_forecasts_come_back_to_seven_digits(store: AnyStore) -> None:
    given = forecast(NOON)
    store.put_forecasts([given])
    found = store.forecast("60112200", "water_level")
    assert found is not None
    assert np.array_equal(found.time, given.time)
    np.testing.assert_allclose(found.members, given.members, rtol=1e-7)
    assert (found.drivers, found.provenance, found.issued) == (given.drivers, given.provenance, given.issued)
    assert found.quantile(0.5).shape == (72,)


def test_the_forecast_of_a_moment_is_the_newest_issued_by_then(store: AnyStore) -> None:
    store.put_forecasts(forecast(NOON + 6 * HOUR * number, model=model) for number in range(4) for model in ("b", "a"))
    store.put_forecasts([forecast(NOON, station="60105400")])
    found = store.forecast("60112200", "water_level", at=NOON + 13 * HOUR)
    assert found is not None
    assert (found.issued, found.model) == (moment(NOON + 12 * HOUR), "a")
    other = store.forecast("60112200", "water_level", at=NOON, model="b")
    assert other is not None
    assert other.model == "b"
    assert store.forecast("60112200", "water_level", at=NOON - 1) is None
    issues = store.forecasts(NOON, NOON + 12 * HOUR)
    assert [(each.station, each.model) for each in issues[:3]] == [
        ("60105400", "routing"),
        ("60112200", "a"),
        ("60112200", "b"),
    ]
    assert len(issues) == 5
    assert len(store.forecasts(NOON, NOON + 24 * HOUR, station="60112200")) == 8
    store.put_forecasts([forecast(NOON, model="b", seed=5)])
    assert len(store.forecasts(NOON, NOON + 24 * HOUR)) == 9
    wrong = msgspec.structs.replace(forecast(NOON), time=np.arange(3))
    with pytest.raises(BadInput, match="do not fit 3 times"):
        store.put_forecasts([wrong])


def rain(seed: int) -> xr.Dataset:
    values = np.random.default_rng(seed).gamma(1, 1, (4, 5)).astype(np.float32)
    values[0, 0] = np.nan
    coordinates = {"lat": np.linspace(29, 32, 4), "lon": np.linspace(110, 114, 5)}
    return xr.Dataset({"rain": (("lat", "lon"), values, {"units": "mm"})}, coordinates, {"title": "面雨量"})


def test_grids_come_back_whole(engine: Engine, store: AnyStore, tmp_path: Path) -> None:
    for hour in (0, 1, 2):
        store.put_grid("rain_1h", NOON + hour * HOUR, rain(hour))
    found = store.grid("rain_1h", at=NOON + HOUR + 59)
    assert found is not None
    xr.testing.assert_identical(found, rain(1))
    newest = store.grid("rain_1h")
    assert newest is not None
    assert float(newest.rain.sum()) == float(rain(2).rain.sum())
    assert store.grid("rain_1h", at=NOON - 1) is None
    assert store.grid("snow") is None
    with pytest.raises(BadInput, match="cannot name a folder"):
        store.put_grid("../rain", NOON, rain(0))
    before = engine.fingerprint(store)
    store.put_grid("rain_1h", NOON, rain(9))

    def broken() -> None:
        with store.transaction():
            store.put_grid("rain_1h", NOON, rain(8))
            raise KeyError

    with pytest.raises(KeyError):
        broken()
    replaced = store.grid("rain_1h", at=NOON)
    assert replaced is not None
    xr.testing.assert_identical(replaced, rain(9))
    assert engine.fingerprint(store) != before
    store.close()
    assert len(list((tmp_path / "store" / "grids").iterdir())) == 5
    with engine.open(tmp_path / "store"):
        assert len(list((tmp_path / "store" / "grids").iterdir())) == 3


def test_jobs_are_done_once_though_workers_die(store: AnyStore) -> None:
    first = store.submit("report", "2020-08-10", b"{}", now=NOON)
    assert store.submit("report", "2020-08-10", b"other", now=NOON + 5) == first
    store.submit("report", "2020-08-11", b"{}", now=NOON, due=NOON + 100)
    claimed = store.claim(["report", "export"], "one", now=NOON + 1, lease=60)
    assert claimed is not None
    assert (claimed.name, claimed.state, claimed.attempts, claimed.lease_until) == (
        "2020-08-10",
        "claimed",
        1,
        NOON + 61,
    )
    assert store.claim(["report"], "two", now=NOON + 2, lease=60) is None
    taken_over = store.claim(["report"], "two", now=NOON + 61, lease=60)
    assert taken_over is not None
    assert (taken_over.id, taken_over.attempts) == (first.id, 2)
    with pytest.raises(StoreFailed, match="no longer claimed by 'one'"):
        store.finish(claimed, b"late", now=NOON + 62)
    waiting = store.fail(taken_over, "no disk", now=NOON + 63, retry_at=NOON + 80)
    assert (waiting.state, waiting.reason, waiting.due) == ("queued", "no disk", NOON + 80)
    again = store.claim(["report"], "two", now=NOON + 90, lease=60)
    assert again is not None
    done = store.finish(again, b"result", now=NOON + 91)
    assert (done.state, done.result, done.ended, done.attempts) == ("done", b"result", NOON + 91, 3)
    second = store.claim(["report"], "two", now=NOON + 100, lease=60)
    assert second is not None
    assert store.fail(second, "impossible", now=NOON + 101).state == "failed"
    assert [each.state for each in store.jobs()] == ["failed", "done"]
    assert [each.name for each in store.jobs(kinds=["report"], states=["done"])] == ["2020-08-10"]
    assert store.claim(["report"], "two", now=NOON + 10_000, lease=60) is None


def test_every_table_counts_in_the_fingerprint(engine: Engine, store: AnyStore) -> None:
    seen = {engine.fingerprint(store)}
    store.append([event(1)])
    seen.add(engine.fingerprint(store))
    store.audit(at=NOON, user="u", action="a", target="t", detail={})
    seen.add(engine.fingerprint(store))
    store.set_aside("s", "r", b"", received=NOON)
    seen.add(engine.fingerprint(store))
    store.save_state("x", b"")
    seen.add(engine.fingerprint(store))
    store.submit("k", "n", b"", now=NOON)
    seen.add(engine.fingerprint(store))
    store.put_forecasts([forecast(NOON)])
    seen.add(engine.fingerprint(store))
    store.put_grid("g", NOON, rain(0))
    seen.add(engine.fingerprint(store))
    assert len(seen) == 8


def test_letters_are_narrowed_and_marked_and_stay(store: AnyStore) -> None:
    told = (
        ("sl651", "crc: the check code is 1234"),
        ("sl651", "station: none of 100% of the basin's"),
        ("mqtt", "crc_x"),
    )
    for number, (source, reason) in enumerate(told):
        store.set_aside(source, reason, bytes([number, 0]), received=NOON + number)
    assert [each.id for each in store.letters()] == [3, 2, 1]
    first = store.letters(id=1)[0]
    assert (first.source, first.payload, first.received, first.state) == ("sl651", b"\x00\x00", NOON, "waiting")
    assert [each.id for each in store.letters(source="sl651", limit=1)] == [2]
    assert [each.id for each in store.letters(reason="CRC")] == [3, 1]
    assert [each.id for each in store.letters(reason="c_")] == [3], "an underscore is no wildcard"
    assert [each.id for each in store.letters(reason="100%")] == [2]
    assert [each.id for each in store.letters(start=NOON + 1, end=NOON + 2)] == [2]
    assert [each.id for each in store.letters(before=3, limit=1)] == [2]
    assert store.mark_letter(2, "refused", "still unknown", now=NOON + 9).state == "refused"
    marked = store.mark_letter(2, "replayed", "1 value", now=NOON + 10)
    assert (marked.state, marked.marked, marked.note) == ("replayed", NOON + 10, "1 value")
    assert [each.id for each in store.letters(state="waiting")] == [3, 1]
    assert store.letters(state="replayed") == [marked]
    assert len(store.asides()) == 3
    with pytest.raises(NotFound, match="no letter 9"):
        store.mark_letter(9, "replayed", "", now=NOON)
    with pytest.raises(BadInput, match="waiting, replayed, refused"):
        store.letters(state="lost")


def test_a_store_of_the_older_schema_gets_the_marks(engine: Engine, tmp_path: Path) -> None:
    with engine.open(tmp_path) as store:
        store.set_aside("feed", "old", b"x", received=NOON)
        with store.engine.transaction() as writer:
            older = "PRAGMA user_version = 1" if engine.server is None else "UPDATE liuyu SET version = 1"
            for statement in ("DROP TABLE aside_mark", older):
                writer.ask(statement)
    with engine.open(tmp_path) as store:
        assert [each.reason for each in store.letters(state="waiting")] == ["old"]


def test_a_job_is_claimed_and_found_by_its_name(store: AnyStore) -> None:
    for name in ("a", "b"):
        store.submit("order", name, b"", now=NOON)
    job = store.claim(["order"], "w", now=NOON, lease=60, name="b")
    assert job is not None
    assert job.name == "b"
    assert store.claim(["order"], "w", now=NOON, lease=60, name="b") is None
    assert [each.state for each in store.jobs(kinds=["order"], name="b")] == ["claimed"]
