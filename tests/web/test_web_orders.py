"""Orders and dead letters over HTTP and from the command line, with simulated stations at the other end."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest
from click.testing import CliRunner
from looptwin import LoopTwin
from small_river import serving, sign_in

from liuyu.app.caller import PASSWORD
from liuyu.app.commands.letters import letters as letters_command
from liuyu.app.commands.order import order as order_command
from liuyu.app.ingest import Frames
from liuyu.app.letters import Letters, reread_frames
from liuyu.app.orders import Orders
from liuyu.basin.errors import BadInput, LiuyuError, NotAllowed, NotFound
from liuyu.monitor.sense.fleet import Fleet, Nature, synthetic
from liuyu.monitor.sense.sl651 import Dialect, Dialects, encode
from liuyu.monitor.sense.stations import StationServer
from tests.monitor.stations_bench import NOW, report
from tests.store_sink import StoreSink

ADDRESS = "0060000000"
DIALECTS = Dialects([Dialect(address=ADDRESS, code="S1")])


def order_of(twin: LoopTwin) -> Orders:
    orders = Orders(twin.store, twin.basin, DIALECTS, lambda: NOW)
    twin.orders = orders
    return orders


@contextmanager
def listening(twin: LoopTwin, orders: Orders) -> Iterator[None]:
    """A server in a thread, and a station on line that only answers."""
    ready, ended = threading.Event(), threading.Event()

    async def run() -> None:
        server = StationServer(StoreSink(twin.store, twin.basin, DIALECTS), lambda: NOW, dialects=DIALECTS)
        port = await server.start()
        serving = asyncio.create_task(orders.serve(server))
        script = synthetic(1, 3, NOW - 900, 300, 7)
        nature = Nature(mode="M4")
        playing = asyncio.create_task(
            Fleet(script, "127.0.0.1", port, nature=nature, stay=60, clock=lambda: NOW).play()
        )
        while not server.stations:
            await asyncio.sleep(0.01)
        ready.set()
        await asyncio.to_thread(ended.wait)
        for task in (serving, playing):
            task.cancel()
        await server.stop()

    thread = threading.Thread(target=lambda: asyncio.run(run()))
    thread.start()
    try:
        assert ready.wait(20)
        yield
    finally:
        ended.set()
        thread.join()


def test_an_order_is_sent_seen_and_audited(own_twin: LoopTwin, officer: httpx.Client) -> None:
    assert officer.get("/api/orders").status_code == 404, "this twin listens to nobody yet"
    order_of(own_twin)
    sent = officer.post("/api/stations/S1/orders", json={"order": "query", "elements": ["39"]})
    assert sent.status_code == 200, sent.text
    body = sent.json()
    assert (body["state"], body["code"], body["address"], body["by"]) == ("queued", "3A", ADDRESS, "duty_officer")
    assert body["name"] == {"zh": "查询指定要素实时数据", "en": "present values of given elements"}
    assert officer.get("/api/orders", params={"station": "S1"}).json() == [body]
    assert officer.get(f"/api/orders/{body['id']}").json() == body
    assert officer.get("/api/orders/none").status_code == 404
    assert own_twin.store.audit_log()[0]["action"] == "order"


def test_who_may_order(own_twin: LoopTwin, officer: httpx.Client) -> None:
    order_of(own_twin)
    path, wish = "/api/stations/S1/orders", {"order": "config", "values": {"20": 1}}
    refused = officer.post(path, json=wish)
    assert (refused.status_code, refused.json()["cure"]) == (403, "sign in as administrator")
    assert officer.post(path, json={"order": "dance"}).status_code == 400
    assert officer.post(path, json={"order": "query", "tempo": 3}).status_code == 400
    assert officer.post("/api/stations/S7/orders", json={"order": "query"}).status_code == 404
    with serving(own_twin) as address, httpx.Client(base_url=address) as other:
        for each in ("/api/orders", "/api/letters"):
            assert other.get(each).status_code == 401
        assert other.post(path, json=wish).status_code == 401
        sign_in(other, "viewer")
        assert other.get("/api/orders").status_code == 403
        sign_in(other, "administrator")
        assert other.post(path, json=wish).json()["code"] == "42"


def test_a_letter_is_listed_and_replayed(own_twin: LoopTwin, officer: httpx.Client) -> None:
    assert officer.get("/api/letters").status_code == 404
    frame = encode(report(7))
    own_twin.store.set_aside("sl651", "station: its address is none of the basin's", frame, received=NOW)
    reread = reread_frames(Frames(own_twin.basin, DIALECTS).parcel, DIALECTS)
    delivered = []
    own_twin.letters = Letters(own_twin.store, lambda: NOW, reread=reread, deliver=delivered.append)
    (listed,) = officer.get("/api/letters", params={"reason": "station", "source": "sl651"}).json()
    assert (listed["state"], bytes.fromhex(listed["hex"])) == ("waiting", frame)
    assert officer.get("/api/letters", params={"end": "2001-01-01T00:00:00Z"}).json() == []
    shown = officer.get(f"/api/letters/{listed['id']}").json()
    assert shown["said"]["frames"][0]["elements"][0]["value"] == 28.96
    assert officer.post(f"/api/letters/{listed['id']}/replay", json={}).status_code == 403
    sign_in(officer, "administrator")
    done = officer.post(f"/api/letters/{listed['id']}/replay", json={}).json()
    assert (done["state"], done["note"], len(delivered)) == ("replayed", "1 value delivered", 1)
    assert officer.post("/api/letters/99/replay", json={}).status_code == 404
    assert own_twin.store.audit_log()[0]["user"] == "administrator (administrator)"


def run(command: object, *arguments: str, user: str) -> tuple[int, str]:
    result = CliRunner().invoke(
        command,  # type: ignore[arg-type]
        [*arguments, "--user", user],
        env={PASSWORD: user},
        catch_exceptions=False,
    )
    return result.exit_code, result.output


def test_the_commands_order_and_wait_and_list_letters(own_twin: LoopTwin) -> None:
    orders = order_of(own_twin)
    own_twin.store.set_aside("sl651", "crc: broken", b"\x7e\x7e", received=NOW)
    own_twin.letters = Letters(own_twin.store, lambda: NOW, reread=lambda *_: None, deliver=print)  # type: ignore[arg-type, return-value]
    with serving(own_twin) as url, listening(own_twin, orders):
        place = ("--url", url)
        code, output = run(order_command, "S1", "query", "--element", "39", "--wait", *place, user="duty_officer")
        assert (code, "answered" in output, "39 瞬时河道水位" in output) == (0, True, True), output
        wish = ("--set", "20=2", "--wait", "--json", *place)
        code, output = run(order_command, "S1", "config", *wish, user="administrator")
        answered = json.loads(output)
        assert (code, answered["state"], answered["answer"]["elements"][0]["value"]) == (0, "answered", 2.0)
        code, output = run(order_command, "S1", "config", "--element", "48", "--wait", *place, user="duty_officer")
        assert (code, "refused" in output) == (1, True)
        assert "crc: broken" in run(letters_command, "list", *place, user="duty_officer")[1]
        for arguments, kind in (
            (("S1", "clear"), NotAllowed),
            (("S7", "query"), NotFound),
            (("S1", "config", "--set", "20"), BadInput),
        ):
            with pytest.raises(kind):
                run(order_command, *arguments, *place, user="duty_officer")
    with pytest.raises(LiuyuError, match="no twin answers at"):
        run(order_command, "S1", "query", "--url", url, user="duty_officer")


def test_every_order_is_listed() -> None:
    output = CliRunner().invoke(order_command, ["--list"]).output
    assert "查询时段数据" in output
    assert len(output.splitlines()) > 37
