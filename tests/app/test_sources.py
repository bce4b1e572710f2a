"""Sources at work on real files, sockets and servers on loopback: what they tell is in the inbox, once."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from liuyu.app.config import read_config
from liuyu.app.now.reread import rereader
from liuyu.app.sources import folder, service, sl323, stations
from liuyu.app.sources.runner import Sources
from liuyu.app.sources.source import Place, Settings
from liuyu.basin.clock import HOUR, moment
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.events import Event
from liuyu.monitor.sense.sl323 import export_tables, open_database
from liuyu.monitor.sense.sl651 import Framer, Group, Message, element, encode
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Parcel
from tests.app.live_bench import GAUGE, NOW, WARNING, desk, levels, parcel, qingxi

PATIENCE = 30.0  # [s]
ADDRESS = f"00{GAUGE}"
COLUMNS = 'kind = "mapping"\nzone = "Asia/Shanghai"\n[time]\ncolumn = "tm"\n[station]\ncolumn = "stcd"\n'
LEVEL = '[[values]]\nquantity = "water_level"\ncolumn = "z"\nunit = "m"\n'


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until something is so, or fail."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never came"
        time.sleep(0.02)


class Work:
    """Sources on an inbox, and what they announced."""

    def __init__(self, sources: Sources, inbox: FileInbox, told: list[Event]) -> None:
        self.sources, self.inbox, self.told = sources, inbox, told

    def parcels(self) -> list[Parcel]:
        return [each.parcel for each in self.inbox.take(0)]

    def values(self) -> dict[tuple[str, int], float]:
        """Value by station and time."""
        found: dict[tuple[str, int], float] = {}
        for each in (one.batch for one in self.parcels()):
            codes = [each.roster.codes[place] for place in each.station.tolist()]
            found |= dict(zip(zip(codes, each.time.tolist(), strict=True), each.value.tolist(), strict=True))
        return found


@contextmanager
def at_work(
    home: Path, *settings: Settings, now: Callable[[], int] = lambda: NOW, most: int = 1 << 24
) -> Iterator[Work]:
    """Sources that run until the block ends."""
    basin, told = qingxi(), list[Event]()
    inbox = FileInbox(home / "inbox", basin.roster, most=most)
    sources = Sources(settings, Place(basin, inbox, home, lambda: NOW, told.extend))
    sources.start()
    try:
        yield Work(sources, inbox, told)
    finally:
        sources.stop()


# the drop folder


def dropping(home: Path, mapping: str = COLUMNS + LEVEL) -> folder.Settings:
    (home / "levels.toml").write_text(mapping, encoding="utf-8")
    return folder.Settings(
        kind="folder", path=str(home / "drop"), format="csv", mapping=str(home / "levels.toml"), every=0.05
    )


def test_a_file_that_is_sound_is_taken_once_and_moved_to_done(tmp_path: Path) -> None:
    with at_work(tmp_path, dropping(tmp_path)) as work:
        (tmp_path / "drop" / "a.csv").write_text(f"stcd,tm,z\n{GAUGE},2026-07-01 06:00,94.2\n", encoding="utf-8")
        wait_for((tmp_path / "drop" / "done" / "a.csv").exists)
        (tmp_path / "drop" / "a.csv").write_text(f"stcd,tm,z\n{GAUGE},2026-07-01 06:00,94.2\n", encoding="utf-8")
        wait_for((tmp_path / "drop" / "done" / "a~2.csv").exists)
        assert work.values() == {(GAUGE, NOW): 94.2}
        assert [each.source for each in work.parcels()] == ["folder"]


def test_a_file_with_faults_is_refused_with_all_of_them_and_what_is_sound_is_taken(tmp_path: Path) -> None:
    text = f"stcd,tm,z\n{GAUGE},2026-07-01 06:00,94.2\n{GAUGE},yesterday,94.3\n{GAUGE},2026-07-01 07:00,high\n"
    with at_work(tmp_path, dropping(tmp_path)) as work:
        (tmp_path / "drop" / "b.csv").write_text(text, encoding="utf-8")
        wait_for((tmp_path / "drop" / "refused" / "b.csv").exists)
        said = (tmp_path / "drop" / "refused" / "b.csv.txt").read_text(encoding="utf-8").splitlines()
        assert said[0] == "b.csv: 2 faults; 1 values without fault were taken"
        assert [":3:" in said[1], ":4:" in said[2]] == [True, True]
        assert work.values() == {(GAUGE, NOW): 94.2}


def test_a_file_that_is_still_written_is_left_alone(tmp_path: Path) -> None:
    with at_work(tmp_path, dropping(tmp_path)) as work:
        part = tmp_path / "drop" / "c.csv.part"
        part.write_text("stcd,tm,z\n", encoding="utf-8")
        time.sleep(0.3)
        assert work.parcels() == []
        part.write_text(f"stcd,tm,z\n{GAUGE},2026-07-01 06:00,94.2\n", encoding="utf-8")
        part.rename(tmp_path / "drop" / "c.csv")
        wait_for(lambda: bool(work.values()))


def test_a_station_that_was_unknown_is_taken_when_its_letter_is_read_again(tmp_path: Path) -> None:
    text = f"stcd,tm,z\nA7,2026-07-01 06:00,94.2\n{GAUGE},2026-07-01 05:00,94.1\n"
    with at_work(tmp_path, dropping(tmp_path)) as work:
        (tmp_path / "drop" / "d.csv").write_text(text, encoding="utf-8")
        wait_for(lambda: bool(work.parcels()))
        (aside,) = work.parcels()[0].asides
        assert aside.reason.startswith("unknown station A7")
    with at_work(tmp_path / "again", dropping(tmp_path, f'{COLUMNS}[station.codes]\nA7 = "{GAUGE}"\n{LEVEL}')) as work:
        again = rereader(qingxi(), work.sources.every)("folder", aside.payload, NOW)
        assert dict(zip(again.batch.time.tolist(), again.batch.value.tolist(), strict=True)) == {
            NOW: 94.2,
            NOW - HOUR: 94.1,
        }


# services


@contextmanager
def answering(answer: Callable[[], bytes | None]) -> Iterator[str]:
    """A web server on loopback; None is an answer of 503."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = answer()
            self.send_response(503 if body is None else 200)
            self.send_header("Content-Length", str(len(body or b"")))
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()


def bulletin(level: float, time: int = NOW) -> bytes:
    row = {"stcd": "60105400", "stnm": "桥头", "tm": time * 1000, "z": str(level), "q": "0", "oq": "0"}
    return b"var sssq = " + json.dumps([row]).encode() + b";"


def test_a_service_is_asked_its_values_delivered_and_its_silence_told(tmp_path: Path) -> None:
    (tmp_path / "cjh.toml").write_text(f'kind = "mapping"\n[station.codes]\n"60105400" = "{GAUGE}"\n', encoding="utf-8")
    answers: list[bytes | None] = [bulletin(94.2)]
    with answering(lambda: answers[0]) as address:
        asked = service.Settings(
            kind="service", service="cjh", mapping=str(tmp_path / "cjh.toml"), every=1.0, address=address
        )
        with at_work(tmp_path, asked) as work:
            wait_for(lambda: work.values() == {(GAUGE, NOW): 94.2})
            assert work.parcels()[0].source == work.parcels()[0].batch.source == "cjh"
            answers[0] = None
            wait_for(lambda: [each.state for each in work.told] == ["silent"])
            answers[0] = bulletin(94.3, NOW + 60)
            wait_for(lambda: [each.state for each in work.told] == ["silent", "returned"])
            assert work.values()[GAUGE, NOW + 60] == 94.3
    assert json.loads((tmp_path / "sources" / "cjh" / "poller.json").read_bytes())["state"]["until"] == NOW


# the tables of another office


def test_tables_of_another_office_are_read_and_rows_delivered_once(tmp_path: Path) -> None:
    basin, file = qingxi(), tmp_path / "office.db"

    def write(rows: Sequence[tuple[str, str, int, float]]) -> None:
        database = open_database(str(file), create=True)
        export_tables(basin, database, parcel(basin, rows, "office", NOW).batch)
        database.close()

    write(levels([94.0, 94.1], NOW))
    asked = sl323.Settings(kind="sl323", name="office", database=str(file), every=1.0)
    with at_work(tmp_path, asked) as work:
        wait_for(lambda: len(work.values()) == 2)
        write(levels([94.1, 94.2], NOW + HOUR))
        wait_for(lambda: len(work.values()) == 3)
        assert sum(len(each.batch) for each in work.parcels()) == 3
        assert work.values()[GAUGE, NOW + HOUR] == 94.2


# stations


def frames(values: Sequence[float], end: int = NOW) -> list[bytes]:
    """Hourly reports of the gauge, the last of them at `end`."""
    made = []
    for number, (_, _, at, value) in enumerate(levels(values, end), 1):
        group = Group(station=ADDRESS, category=72, observed=at, elements=(element("39", value),))
        sent = Message(function=0x32, station=ADDRESS, serial=number, sent=at + 30, groups=(group,))
        made.append(encode(sent))
    return made


def confirmed(port: int, sent: list[bytes], patience: float = PATIENCE) -> int:
    """How many of some frames a server confirms."""

    async def talk() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        framer, done = Framer(), 0
        writer.write(b"".join(sent))
        try:
            async with asyncio.timeout(patience):
                while done < len(sent):
                    done += sum(each.whole for each in framer.feed(await reader.read(65536)))
        except TimeoutError:
            pass
        writer.close()
        return done

    return asyncio.run(talk())


def listening(**more: object) -> stations.Settings:
    return stations.Settings(kind="stations", port=0, any_clock=True, **more)  # type: ignore[arg-type]


def port_of(work: Work) -> int:
    return int(work.sources.every[0].started(PATIENCE).rpartition(":")[2])


def test_frames_of_stations_become_an_alert_from_end_to_end(tmp_path: Path) -> None:
    rising = [WARNING - 1.0 + 0.2 * each for each in range(9)]
    with at_work(tmp_path, listening()) as work:
        assert confirmed(port_of(work), frames(rising)) == 9
    with desk(tmp_path, now=NOW + 60) as it:
        it.step()
        raised = {each.body["rule"] for each in it.events("alert") if each.state == "raised"}
        assert "level-above-warning" in raised
        assert it.values()[NOW] == pytest.approx(rising[-1])


def test_a_full_inbox_holds_confirmations_back_until_the_loop_has_caught_up(tmp_path: Path) -> None:
    with at_work(tmp_path, listening(), most=8192) as work:
        port, told, rounds = port_of(work), 0, 0
        while (done := confirmed(port, frames([94.0] * 20, NOW + 20 * HOUR * rounds), 2.0)) == 20:
            told, rounds = told + done, rounds + 1
            assert rounds < 100
        last = work.inbox.take(0)[-1].place
        assert len(work.values()) == told + done
        work.inbox.forget(last)
        assert confirmed(port, frames([94.0] * 20, NOW + 20 * HOUR * rounds)) == 20


def test_a_port_that_is_taken_is_told_and_everything_is_stopped(tmp_path: Path) -> None:
    with at_work(tmp_path / "one", listening()) as work:
        taken = stations.Settings(kind="stations", port=port_of(work))
        with pytest.raises(BadInput, match="cannot listen"), at_work(tmp_path / "two", taken, dropping(tmp_path)):
            pass
    assert not [each for each in threading.enumerate() if each.name.startswith("liuyu-folder")]


# letters and configuration


def test_rows_that_the_gate_set_aside_are_read_again(tmp_path: Path) -> None:
    rows = f"stcd,time,quantity,value\n{GAUGE},{moment(NOW).isoformat()},water_level,94.2\nA7,x,water_level,1\n"
    again = rereader(qingxi(), ())("stations", rows.encode(), NOW + 5)
    assert (again.batch.time.tolist(), again.batch.value.tolist(), again.source) == ([NOW], [94.2], "stations")
    assert again.asides[0].payload == b"stcd,time,quantity,value\nA7,x,water_level,1\n"
    with pytest.raises(BadInput, match="no source 'gone'"):
        rereader(qingxi(), ())("gone", b"~~", NOW)


def test_sources_of_a_configuration_are_judged_with_the_rest_of_it(tmp_path: Path) -> None:
    file = tmp_path / "liuyu.toml"
    lines = [
        'basin = "qingxi"',
        "[live]",
        "step_seconds = 0",
        "[messages]",
        'url = "redis://x"',
        "[[sources]]",
        'kind = "station"',
        "[[sources]]",
        'kind = "stations"',
        "port = 70000",
        'dialect = "x"',
        "[[sources]]",
        'kind = "service"',
        'service = "weather"',
        "[[sources]]",
        'kind = "folder"',
        'path = "drop"',
        'format = "csv"',
    ]
    file.write_text("\n".join(lines) + "\n", encoding="utf-8")
    with pytest.raises(BadPackage) as caught:
        read_config(file)
    found = [(fault.line, fault.field) for fault in caught.value.faults]
    assert found == [
        (3, "live.step_seconds"),
        (5, "messages.url"),
        (7, "kind"),
        (10, "port"),
        (11, "dialect"),
        (14, "service"),
        (18, "format"),
    ]
    assert "'stations'" in next(each.cure for each in caught.value.faults if each.line == 7)


def test_two_sources_of_one_name_are_a_fault(tmp_path: Path) -> None:
    file = tmp_path / "liuyu.toml"
    file.write_text('[[sources]]\nkind = "stations"\n[[sources]]\nkind = "stations"\nport = 1\n', encoding="utf-8")
    with pytest.raises(BadPackage, match="another source's name"):
        read_config(file)


def test_a_heartbeat_is_no_parcel(tmp_path: Path) -> None:
    with at_work(tmp_path, listening()) as work:
        sent = encode(Message(function=0x2F, station=ADDRESS, serial=1, sent=NOW))
        assert confirmed(port_of(work), [sent], 0.5) == 0  # a heartbeat
        assert work.parcels() == []
