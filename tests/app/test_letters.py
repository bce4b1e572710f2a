"""Dead letters: shown with the reason and what a decoder makes of them, and delivered once they can be read."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from liuyu.app.commands.letters import letters as command
from liuyu.app.ingest import Frames
from liuyu.app.letters import Letters, reread_frames
from liuyu.basin.errors import BadInput, NotAllowed, NotFound
from liuyu.monitor.sense.sl651 import Dialect, Dialects, encode
from liuyu.monitor.sense.szy206 import encode as encode_meter
from liuyu.monitor.sense.szy206 import report as meter_report
from liuyu.monitor.sense.szy206 import stamp_of
from liuyu.store.inbox.interface import Parcel
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.web.ports import User
from tests.monitor.stations_bench import NOW, basin_of, report

BASIN = basin_of(3)
ADMIN, OFFICER, VIEWER = User("li", "administrator"), User("wang", "duty_officer"), User("zhao", "viewer")
STRANGER = encode(report(7, number=777))
MENDED = Dialects([Dialect(address="0060000777", code="60000001")])
METER = encode_meter(meter_report("5303810D00", 2, [12.5], stamp_of(NOW - 60)))


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as opened:
        for number, (source, reason, payload) in enumerate(
            (
                ("sl651", "station: its address is none of the basin's", STRANGER),
                ("sl651", "crc: the check code is 0000", STRANGER[:-2] + b"\0\0"),
                ("feed", "not a number", '{"level": "多"}'.encode()),
            )
        ):
            opened.set_aside(source, reason, payload, received=NOW + number)
        yield opened


def desk(store: Store, dialects: Dialects, taken: list[Parcel]) -> Letters:
    frames = Frames(BASIN, dialects)
    reread = reread_frames(frames.parcel, dialects)
    return Letters(store, lambda: NOW + 60, reread=reread, deliver=taken.append, dialects=dialects)


def test_a_letter_is_delivered_once_its_station_is_known_and_stays(store: Store) -> None:
    taken: list[Parcel] = []
    before = desk(store, Dialects(), taken).replay(ADMIN, 1)
    assert (before.state, before.note, taken) == ("refused", "station: its address is none of the basin's", [])
    after = desk(store, MENDED, taken).replay(ADMIN, 1)
    assert (after.state, after.note) == ("replayed", "1 value delivered")
    (parcel,) = taken
    assert (parcel.source, parcel.received, parcel.asides) == ("sl651", NOW + 60, ())
    rows = zip(parcel.batch.station.tolist(), parcel.batch.time.tolist(), parcel.batch.value.tolist(), strict=True)
    assert list(rows) == [(1, NOW - 300, 28.96)]
    assert store.letters(id=1)[0].payload == STRANGER
    assert [(each["action"], each["user"], each["target"]) for each in store.audit_log()] == [
        ("replay_letter", "li (administrator)", "1")
    ] * 2


def test_what_is_broken_stays_refused(store: Store) -> None:
    taken: list[Parcel] = []
    found = desk(store, MENDED, taken).replay(ADMIN, 2)
    assert found.state == "refused"
    assert found.note.startswith("crc: ")
    assert taken == []


def test_a_letter_of_a_meter_is_read_by_its_own_protocol(store: Store) -> None:
    store.set_aside("sl651", "station", METER, received=NOW)
    taken: list[Parcel] = []
    known = Dialects([Dialect(address="5303810D00", code="60000002")])
    assert desk(store, known, taken).replay(ADMIN, 4).note == "1 value delivered"
    assert taken[0].batch.value.tolist() == [12.5]


def test_a_letter_is_read_as_far_as_it_can_be(store: Store) -> None:
    shown = desk(store, Dialects(), []).find(OFFICER, 1).said
    assert shown is not None
    assert [each["value"] for each in shown["frames"][0]["elements"]] == [28.96]
    broken = desk(store, Dialects(), []).find(OFFICER, 2).said
    assert broken is not None
    assert "crc" in broken["frames"][0]["error"]
    assert desk(store, Dialects(), []).find(OFFICER, 3).said == {"json": {"level": "多"}}


def test_who_may_see_and_replay(store: Store) -> None:
    letters = desk(store, MENDED, [])
    assert [each.id for each in letters.listed(OFFICER, reason="CRC")] == [2]
    with pytest.raises(NotAllowed, match="'zhao' is a viewer"):
        letters.listed(VIEWER)
    with pytest.raises(NotAllowed, match="sign in as administrator"):
        letters.replay(OFFICER, 1)
    with pytest.raises(NotFound, match="no letter 9"):
        letters.replay(ADMIN, 9)


def called(folder: Path, *arguments: str) -> Result:
    return CliRunner().invoke(command, [*arguments, "--folder", str(folder)], catch_exceptions=False)


def test_the_command_lists_shows_exports_and_replays_in_a_folder(store: Store, tmp_path: Path) -> None:
    store.close()
    listed = json.loads(called(tmp_path, "list", "--json", "--source", "sl651").output)
    assert [each["id"] for each in listed] == [2, 1]
    assert "no letters" in called(tmp_path, "list", "--from", "2030-01-01").output
    assert "crc: the check code" in called(tmp_path, "list").output
    assert "28.96" in called(tmp_path, "show", "1").output
    exported = [json.loads(each) for each in called(tmp_path, "export", "-").output.splitlines()]
    assert bytes.fromhex(exported[-1]["hex"]) == STRANGER
    assert "said" not in exported[0]
    dialect = tmp_path / "mended.toml"
    dialect.write_text(
        'kind = "telemetry"\n\n[[station]]\naddress = "0060000777"\ncode = "99000100"\n', encoding="utf-8"
    )
    replayed = called(
        tmp_path, "replay", "--all", "--reason", "station", "--basin", "qingxi", "--dialect", str(dialect), "--json"
    )
    (done,) = json.loads(replayed.output)
    assert (replayed.exit_code, done["state"], done["note"]) == (0, "replayed", "1 value delivered")
    with closing(open_store(tmp_path / "store", read_only=True)) as kept:
        assert kept.series("99000100", "water_level", 0, 2**40).value.tolist() == [28.96]
        assert len(kept.letters()) == 3
    with pytest.raises(BadInput, match="give --all"):
        CliRunner().invoke(
            command, ["replay", "--folder", str(tmp_path)], catch_exceptions=False, standalone_mode=False
        )
