"""The stream: what arrives, what is caught up, and that a slow page holds up nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import pytest
from looptwin import LoopTwin
from small_river import NOW, make_values, serving, sign_in

from liuyu.basin.clock import epoch
from liuyu.web.errors import Refused
from liuyu.web.ports import Message
from liuyu.web.stream import Hub, encode


def _messages(lines: Iterator[str]) -> Iterator[dict[str, Any]]:
    """Server-sent events out of the lines of a response."""
    found: dict[str, Any] = {}
    for line in lines:
        if line.startswith(":"):
            continue
        if not line:
            if "event" in found:
                yield found
            found = {}
            continue
        name, _, value = line.partition(": ")
        found[name] = json.loads(value) if name == "data" else value


def test_a_page_follows_the_twin(own_twin: LoopTwin) -> None:
    with serving(own_twin) as url, httpx.Client(base_url=url, timeout=10) as client:
        sign_in(client)
        with client.stream("GET", "/api/stream") as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            stream = _messages(answer.iter_lines())
            first = next(stream)
            assert (first["event"], first["data"]["phase"]) == ("clock", "paused")
            event = client.post("/api/alerts/alert:above:S2:1/acknowledge", json={"note": "seen"}).json()
            told = next(stream)
            assert (told["event"], told["data"]) == ("event", event)
            assert told["id"] == str(event["seq"])
            client.post("/api/clock", json={"phase": "running"})
            assert next(stream)["data"]["phase"] == "running"
            batch = make_values(own_twin.basin)
            own_twin.tell(Message(topic="values", data=batch.take(batch.time == epoch(NOW))))
            values = next(stream)
            assert values["event"] == "values"
            assert set(values["data"]) == {"station", "quantity", "time", "value", "flag"}
            assert set(values["data"]["time"]) == {epoch(NOW)}


def test_a_page_that_returns_gets_what_it_missed(url: str) -> None:
    with httpx.stream("GET", url + "/api/stream", headers={"Last-Event-ID": "7"}, timeout=10) as answer:
        stream = _messages(answer.iter_lines())
        assert next(stream)["event"] == "clock"
        missed = [next(stream) for _ in range(2)]
    assert [each["data"]["seq"] for each in missed] == [8, 9]
    assert [each["id"] for each in missed] == ["8", "9"]


def test_a_quiet_line_is_kept_open(twin: LoopTwin) -> None:
    async def listen() -> list[bytes]:
        stream = Hub(twin, heartbeat=0.01).follow(None)
        return [await anext(stream) for _ in range(3)]

    first, *beats = asyncio.run(listen())
    assert first.startswith(b"retry: 2000\n\nevent: clock\ndata: ")
    assert beats == [b": still here\n\n"] * 2


def test_a_slow_page_is_cut_off_and_the_others_go_on(twin: LoopTwin) -> None:
    async def scene() -> tuple[int, int]:
        hub = Hub(twin, heartbeat=5.0, backlog=10)
        async with hub.running(None):
            slow, quick = hub.follow(None), hub.follow(None)
            await anext(slow)
            await anext(quick)
            await asyncio.sleep(0)
            received = 0
            for _ in range(40):
                twin.tell(Message(topic="clock", data=twin.clock()))
                received += (await anext(quick)).startswith(b"event: clock")
            left = [part async for part in slow]
            await quick.aclose()
            return received, len(left)

    received, left = asyncio.run(scene())
    assert received == 40
    assert left == 0, "the slow page's stream ended, so that it connects again"


def test_the_hub_listens_again_when_the_twin_breaks_off(twin: LoopTwin) -> None:
    class Broken:
        """The twin, whose messages break off at first."""

        times = 0
        store = twin.store

        def clock(self) -> Any:
            return twin.clock()

        async def messages(self) -> AsyncIterator[Message]:
            Broken.times += 1
            if Broken.times == 1:
                raise OSError("the line broke")
            yield Message(topic="clock", data=twin.clock())
            await asyncio.sleep(60)

    async def scene() -> bytes:
        hub = Hub(Broken(), pause=0.01)  # type: ignore[arg-type]
        async with hub.running(None):
            await asyncio.sleep(0)
            stream = hub.follow(None)
            await anext(stream)
            return await asyncio.wait_for(anext(stream), 5)

    assert asyncio.run(scene()).startswith(b"event: clock")


def test_listeners_are_limited(twin: LoopTwin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liuyu.web.stream.MOST_LISTENERS", 0)
    with pytest.raises(Refused, match="listen already"):
        Hub(twin).admit()


def test_a_line_break_in_a_text_does_not_end_the_message() -> None:
    part = encode(Message(topic="event", data={"note": "one\ntwo", "seq": 3}))
    assert part == b'id: 3\nevent: event\ndata: {"note":"one\\ntwo","seq":3}\n\n'
