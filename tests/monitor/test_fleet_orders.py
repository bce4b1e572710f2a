"""Simulated stations answer every order of the standard, send pictures in packets, and work in every mode."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

import pytest
from PIL import Image

from liuyu.basin.errors import NotFound
from liuyu.monitor.sense.fleet import Faults, Fleet, Nature, Outcome, synthetic
from liuyu.monitor.sense.sl651 import Message, Orders
from liuyu.monitor.sense.sl651.messages import ETX, NAK
from liuyu.monitor.sense.stations import Limits, StationServer, Way, Wish, downlinks, message_of
from tests.monitor.stations_bench import NOW, basin_of, kept, served

START = NOW - 3600 * 5
ADDRESS = "0060000000"
T = TypeVar("T")


def talked(
    folder: Path,
    talk: Callable[[Callable[..., Awaitable[Message]]], Awaitable[T]],
    *,
    faults: Faults | None = None,
    nature: Nature | None = None,
    over: str = "tcp",
) -> T:
    """What a talk gives with one station on line that has sent five hourly reports."""

    async def visit(server: StationServer, port: int) -> T:
        script = synthetic(1, 5, START + 3600, 3600, 7)
        fleet = Fleet(
            script, "127.0.0.1", port, faults=faults, nature=nature, stay=60, clock=lambda: NOW, over=over, timeout=1.0
        )  # type: ignore[arg-type]
        playing = asyncio.create_task(fleet.play())
        while ADDRESS not in server.stations or fleet.counts["reports"] < 5:
            await asyncio.sleep(0.01)

        async def ask(order: Message) -> Message:
            said = await server.order(order, 2.0)
            assert isinstance(said, Message)
            return said

        try:
            return await talk(ask)
        finally:
            playing.cancel()

    return served(folder, basin_of(1), visit, limits=Limits(packet_wait=0))


def values(said: Message) -> dict[str, tuple[object, ...]]:
    return {each.id: each.values for _, each in said.elements()}


def test_every_order_of_the_table_is_answered(tmp_path: Path) -> None:
    wishes = {
        "period": Wish(elements=("39",), start=START, end=NOW),
        "elements": Wish(elements=("39", "26")),
        "parameters": Wish(values={"20": 2.0}),
        "parameter_ids": Wish(elements=("0C",)),
        "password": Wish(password="1234"),
        "data": Wish(data="0A01"),
    }

    async def talk(ask: Callable[..., Awaitable[Message]]) -> dict[str, Message]:
        answers, password = {}, "0000"
        for each in downlinks():
            if each.protocol == "sl651":
                wish = wishes.get(each.takes, Wish())
                if each.code in ("40", "43"):
                    wish = Wish(values={"0C": 2.0}) if each.code == "40" else Wish(elements=("20",))
                order = message_of(each, ADDRESS, wish, Way(password=password), NOW)
                answers[each.code] = await ask(order)
                password = "1234" if each.name == "password" else password
        return answers

    found = talked(tmp_path, talk)
    assert {code for code, said in found.items() if said.end != ETX} == set()
    assert found["45"].text == "LIUYU-SIM 1.0"
    assert values(found["43"]) == {"20": (2.0,)}, "what was set before is read back"
    assert len(values(found["38"])["39"]) == 6
    assert found["4D"].payload == b"\x0a\x01"
    assert found["50"].events[:5] == (1, 3, 0, 0, 1)
    assert list((tmp_path / "pictures" / ADDRESS).iterdir())


def test_a_clock_that_drifts_is_read_and_set(tmp_path: Path) -> None:
    async def talk(ask: Callable[..., Awaitable[Message]]) -> list[int | None]:
        orders = Orders(ADDRESS)
        return [(await ask(order)).sent for order in (orders.clock(NOW), orders.set_clock(NOW), orders.clock(NOW))]

    before, at, after = talked(tmp_path, talk, faults=Faults(drift=1.0))
    assert before is not None
    assert abs(before - NOW) >= 5 * 3600
    assert (at, after) == (NOW, NOW)


def test_a_password_counts_and_a_setting_that_is_not_there_is_refused(tmp_path: Path) -> None:
    async def talk(ask: Callable[..., Awaitable[Message]]) -> tuple[int, str]:
        refused = await ask(Orders(ADDRESS).read(["48"], NOW, running=True))
        await ask(Orders(ADDRESS).change_password("BEEF", NOW))
        with pytest.raises(NotFound, match="did not answer 51H"):
            await ask(Orders(ADDRESS).clock(NOW))
        return refused.end, (await ask(Orders(ADDRESS, password="BEEF").clock(NOW))).password

    assert talked(tmp_path, talk) == (NAK, "BEEF")


def test_a_long_history_comes_in_packets_and_as_one(tmp_path: Path) -> None:
    async def talk(ask: Callable[..., Awaitable[Message]]) -> Message:
        return await ask(Orders(ADDRESS).period("39", NOW - 400 * 3600, NOW, 3600, NOW))

    told = values(talked(tmp_path, talk))["39"]
    assert len(told) == 401
    assert sum(each is not None for each in told) == 5


def played(folder: Path, **settings: object) -> tuple[Outcome, dict[str, int]]:
    """A fleet of twelve with three reports each; the outcome, and what the server counted."""

    async def visit(server: StationServer, port: int) -> tuple[Outcome, dict[str, int]]:
        script = synthetic(12, 3, START, 3600, 7)
        whole = {"timeout": 1.0, "clock": lambda: NOW, **settings}
        outcome = await Fleet(script, "127.0.0.1", port, **whole).play()  # type: ignore[arg-type]
        while outcome.counts.get("unasked") and server.counts.frames < outcome.counts["unasked"]:
            await asyncio.sleep(0.01)
        return outcome, {"confirmed": server.counts.confirmed, "lost": server.counts.lost}

    return served(folder, basin_of(12), visit, limits=Limits(packet_wait=1))


def test_pictures_whose_packets_are_lost_come_whole(tmp_path: Path) -> None:
    outcome, counts = played(tmp_path, nature=Nature(pictures=True), faults=Faults(packets=0.2))
    assert outcome.counts["packets_lost"] > 12
    assert outcome.counts["packets_resent"] > 12
    assert (outcome.counts["pictures_confirmed"], counts["lost"]) == (12, 0)
    files = list((tmp_path / "pictures").glob("*/*.jpg"))
    assert len(files) == 12
    assert {Image.open(io.BytesIO(each.read_bytes())).size for each in files} == {(160, 120)}


def test_over_datagrams_everything_is_confirmed_too(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, over="udp", faults=Faults(duplicates=0.3, bitflips=0.1))
    assert (outcome.confirmed, outcome.kept) == (36, 0)
    assert len(kept(tmp_path, basin_of(12))) == 36 * 3


def test_who_asks_for_no_confirmation_does_not_wait_for_one(tmp_path: Path) -> None:
    outcome, _ = played(tmp_path, nature=Nature(mode="M1"))
    assert (outcome.counts["unasked"], outcome.confirmed, outcome.kept) == (36, 0, 0)
    assert len(kept(tmp_path, basin_of(12))) == 36 * 3


def test_who_only_answers_says_nothing_until_asked(tmp_path: Path) -> None:
    async def talk(ask: Callable[..., Awaitable[Message]]) -> Message:
        return await ask(Orders(ADDRESS).present(NOW))

    said = talked(tmp_path, talk, nature=Nature(mode="M4"))
    assert set(values(said)) == {"39", "26", "38"}
    assert {key[2] for key in kept(tmp_path, basin_of(1))} == {NOW}, "the newest reading alone, for it was asked for"


def test_orders_over_datagrams_reach_the_station(tmp_path: Path) -> None:
    async def talk(ask: Callable[..., Awaitable[Message]]) -> Message:
        return await ask(Orders(ADDRESS).version(NOW))

    assert talked(tmp_path, talk, over="udp").text == "LIUYU-SIM 1.0"
