"""What is signed reaches everybody at least once: servers away, slow, broken, processes killed; duplicates say so."""

from __future__ import annotations

import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path

import pytest

from liuyu.app.outbox import Deliverer, Postbox
from liuyu.basin.clock import HOUR
from liuyu.basin.events import Event
from liuyu.store.sqlite import open_store
from tests.app.office_bench import NOW, OFFICER, WISH, Receivers, StillTwin, expected, office, sign

PATIENCE = 120.0  # [s]


@pytest.fixture
def ends(tmp_path: Path) -> Iterator[Receivers]:
    made = Receivers(tmp_path)
    yield made
    made.close()


class Wall:
    """This machine's clock, as the test sets it."""

    now = 1_800_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def wall() -> Wall:
    return Wall()


def turns(deliverer: Deliverer, postbox: Postbox) -> int:
    """Send what is due now; how many attempts that were."""
    return sum(sum(iter(partial(deliverer.turn, name, each), False)) for name, each in postbox.channels.items())


def deliveries(twin: StillTwin, id: str, channel: str = "") -> list[tuple[str, str, int, bool]]:
    found = twin.store.events(kinds=["delivery"], subject=id)
    told = [(each.body["recipient"], each.state, each.body["attempt"], each.body["duplicate"]) for each in found
            if channel in ("", each.body["channel"])]  # fmt: skip
    return sorted(told)


def test_a_signed_order_goes_out_once_by_every_channel(tmp_path: Path, ends: Receivers) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        deliverer = twin.deliverer(postbox)
        id = sign(twin)
        assert len(twin.store.jobs(states=["queued"])) == 5, "the page has it with the log itself"
        assert turns(deliverer, postbox) == 5
        assert turns(deliverer, postbox) == 0
        keys = expected(twin.store, postbox.channels)
        assert {each.key for each in ends.mails} == keys["smtp"]
        assert {each.key for each in ends.posts} == keys["webhook"]
        assert (len(ends.mails), len(ends.posts), len(ends.texts())) == (2, 1, 2)
        assert ends.forged == 0
        assert not any(each.duplicate for each in (*ends.mails, *ends.posts, *ends.texts()))
        mail = next(each.text for each in ends.mails if ":reservoir-duty:" in each.key)
        assert mail.startswith("【演练】清防演调令〔2021〕第1号 关于调整清溪水库出库流量的调度令 / [EXERCISE] Exercise")
        assert "一、清溪水库自7月6日0时起出库流量按200 m³/s控制，至7月6日2时；" in mail
        token = postbox._links.token(id, "reservoir-duty")  # type: ignore[union-attr]
        assert f"http://127.0.0.1:9/r/{token}" in mail
        assert all(token.encode() not in each.payload for each in twin.store.jobs(limit=100))
        assert f"log {len(twin.store.events(end=NOW + 1)) - 7}:" in mail, "the head of the log as it was signed"
        told = [each for each in deliveries(twin, id) if each[1] != "sent"]
        assert told == []
        assert len(deliveries(twin, id)) == 7


def test_the_number_rises_and_what_replaces_an_order_cancels_it_and_says_so(tmp_path: Path, ends: Receivers) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        deliverer, desk = twin.deliverer(postbox), twin.dispatches
        assert desk is not None
        first = sign(twin)
        turns(deliverer, postbox)
        second = desk.draft(OFFICER, type(WISH)(releases={"qingxi_reservoir": (100.0,)}, supersedes=first), "")
        signed = desk.sign(OFFICER, second.id, "")
        assert signed.dispatch.number["zh"].endswith("第2号")
        assert "本令替代：清防演调令〔2021〕第1号" in signed.document["zh"]
        old = desk.find(first)
        assert (old.state, old.dispatch.superseded_by) == ("cancelled", second.id)
        turns(deliverer, postbox)
        assert sum("【撤销】" in each.text for each in ends.mails) == 2
        assert [each.occasion for each in desk.find(first).deliveries].count("cancelled") == 7


def test_what_was_cancelled_before_it_went_out_stays_here(tmp_path: Path, ends: Receivers) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        deliverer = twin.deliverer(postbox)
        id = sign(twin)
        assert twin.dispatches is not None
        twin.dispatches.cancel(OFFICER, id, "水情转好")
        turns(deliverer, postbox)
        assert all("【撤销】" in each.text for each in ends.mails)
        assert {each[1] for each in deliveries(twin, id, "smtp")} == {"withheld", "sent"}


def test_a_server_that_was_away_gets_it_when_it_is_back(tmp_path: Path, ends: Receivers, wall: Wall) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        postbox.clock = wall
        deliverer = twin.deliverer(postbox)
        ends.down()
        id = sign(twin)
        for _ in range(4):
            turns(deliverer, postbox)
            wall.now += HOUR
        waiting = twin.dispatches.find(id).deliveries  # type: ignore[union-attr]
        assert {each.state for each in waiting if each.channel == "smtp"} == {"queued"}
        ends.up()
        turns(deliverer, postbox)
        assert len(ends.mails) == 2
        assert not any(each.duplicate for each in ends.mails), "an attempt that reached no server leaves no doubt"
        sent = [each for each in deliveries(twin, id, "smtp") if each[1] == "sent"]
        assert [each[2] for each in sent] == [5, 5]
        failed = [each for each in deliveries(twin, id, "smtp") if each[1] == "failed"]
        assert len(failed) == 2, "one line in the log for one reason, not one for each attempt"


def test_a_webhook_that_breaks_or_is_slow_is_tried_again(tmp_path: Path, ends: Receivers, wall: Wall) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        postbox.clock = wall
        deliverer = twin.deliverer(postbox)
        id = sign(twin)
        ends.failing = [500, 503, 1.6]  # the third has noted the message before it falls silent
        for _ in range(4):
            turns(deliverer, postbox)
            wall.now += HOUR
        assert [each.duplicate for each in ends.posts] == [False, True]
        assert len({each.key for each in ends.posts}) == 1
        assert deliveries(twin, id, "webhook")[-1] == ("reservoir-duty", "sent", 4, True)
        assert "【重发，可能重复】" in ends.posts[1].text


def test_a_no_for_good_is_told_and_not_tried_again(tmp_path: Path, ends: Receivers) -> None:
    ends.refuse = {"township@qingxi.example": "550 5.1.1 no such mailbox"}
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        ends.failing = [403]
        deliverer = twin.deliverer(postbox)
        id = sign(twin)
        turns(deliverer, postbox)
        assert len(twin.store.jobs(states=["failed"])) == 2
        found = {(each.recipient, each.channel): each for each in twin.dispatches.find(id).deliveries}  # type: ignore[union-attr]
        assert found["township", "smtp"].state == "failed"
        assert "550" in found["township", "smtp"].reason
        assert "403" in found["reservoir-duty", "webhook"].reason
        assert any("未能送达" in each["zh"] for each in twin.shift.handover().open)  # type: ignore[union-attr]


def test_what_died_between_sending_and_logging_is_sent_again_and_marked(
    tmp_path: Path, ends: Receivers, wall: Wall
) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        postbox.clock = wall
        deliverer = twin.deliverer(postbox)
        sign(twin)
        job = twin.store.claim(["delivery:smtp"], "a process that died", now=wall.now, lease=30)
        assert job is not None
        turns(deliverer, postbox)
        assert len(ends.mails) == 1
        wall.now += 31
        turns(deliverer, postbox)
        assert [each.duplicate for each in ends.mails] == [False, True]
        assert ends.mails[1].text.startswith("【演练】【重发，可能重复】")


def test_a_deadline_goes_up_once_and_its_superior_is_told(tmp_path: Path, ends: Receivers) -> None:
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        deliverer, desk = twin.deliverer(postbox), twin.dispatches
        assert desk is not None
        id = sign(twin)
        desk.receive(OFFICER, id, "township", "acknowledged", "赵", "电话")
        assert twin.pass_to(NOW + HOUR) == ()
        told = twin.pass_to(NOW + HOUR + 60)
        assert [each.state for each in told if each.kind == "dispatch"] == ["overdue"]
        assert twin.pass_to(NOW + HOUR + 120) == ()
        assert desk.find(id).dispatch.escalated_to == {"zh": "县防汛带班领导", "en": "County leader on duty"}
        turns(deliverer, postbox)
        assert [each.text.startswith("【演练】【逾期未复】") for each in ends.mails].count(True) == 1
        desk.receive(OFFICER, id, "reservoir-duty", "acknowledged", "", "")
        assert desk.find(id).state == "acknowledged"
        assert [each.state for each in twin.pass_to(NOW + 3 * HOUR + 60) if each.kind == "dispatch"] == ["overdue"]
        for who in ("township", "reservoir-duty"):
            desk.receive(OFFICER, id, who, "reported", "", "已执行")
        assert (desk.find(id).state, desk.find(id).acts) == ("reported", ())
        assert twin.pass_to(NOW + 100 * HOUR) == ()


def test_a_replay_sends_nothing_out_unless_it_is_told_to(tmp_path: Path, ends: Receivers) -> None:
    with office(tmp_path, ends.config(tmp_path), outgoing=False) as (twin, postbox):
        deliverer = twin.deliverer(postbox)
        id = sign(twin)
        assert turns(deliverer, postbox) == 0
        assert {each[1] for each in deliveries(twin, id)} == {"sent", "withheld"}
        assert (ends.mails, ends.posts, ends.texts()) == ([], [], [])


def test_outcomes_reach_open_pages(tmp_path: Path, ends: Receivers) -> None:
    heard: list[Event] = []
    with office(tmp_path, ends.config(tmp_path)) as (twin, postbox):
        deliverer = Deliverer(twin.store, postbox, lambda: NOW, heard.extend)
        twin.deliverer(postbox)
        sign(twin)
        turns(deliverer, postbox)
    assert len([each for each in heard if each.kind == "delivery" and each.seq]) == 5


def test_killed_at_any_moment_every_order_arrives_and_duplicates_say_so(tmp_path: Path, ends: Receivers) -> None:
    """A small `validation/respond`: the SMTP server away for a while, the webhook slow and broken, three SIGKILLs."""
    chance, kills, orders = random.Random(6), 3, 8
    ends.config(tmp_path)
    ends.failing = [500, 0.2, 503, 1.4, 500, 0.3]
    ends.down()
    back = threading.Timer(3.0, ends.up)
    back.start()
    command = [sys.executable, "-m", "tests.app.office_bench", str(tmp_path), str(orders)]
    end = time.monotonic() + PATIENCE
    for number in range(kills + 1):
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
        assert process.stdout is not None
        assert process.stdout.readline().startswith("begun")
        if number < kills:
            for _ in range(chance.randint(1, 3)):
                process.stdout.readline()
            time.sleep(chance.random() * 0.3)
            process.kill()
        process.wait(max(1.0, end - time.monotonic()))
    back.join()
    assert process.returncode == 0
    with closing(open_store(tmp_path / "store", read_only=True)) as store:
        keys = expected(store, ("smtp", "webhook", "spool"))
        assert len(keys["smtp"]) == 2 * orders
        for channel, got in (("smtp", ends.mails), ("webhook", ends.posts)):
            assert {each.key for each in got} == keys[channel]
            again = [each for place, each in enumerate(got) if each.key in {one.key for one in got[:place]}]
            assert all(each.duplicate for each in again), channel
        assert len(ends.texts()) == len(keys["spool"])
        assert store.verify_chain().bad is None
        assert store.verify_chain("audit").bad is None
