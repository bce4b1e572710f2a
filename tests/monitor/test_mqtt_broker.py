"""The embedded broker, with paho-mqtt as its logger: acknowledged is kept, and what is not kept is not acknowledged."""

from __future__ import annotations

import random
import shutil
import socket
import ssl
import subprocess
from pathlib import Path

import pytest

from liuyu.basin.errors import BadInput, InboxFull
from liuyu.monitor.sense.mqtt import Users, add_user, server_tls
from liuyu.monitor.sense.mqtt.packets import CONNACK, PUBACK, Publish, Reader, connect, packet, publish
from tests.monitor.mqtt_bench import LEVEL, Kept, Logger, level, source

MOSQUITTO = (  # by mosquitto_passwd 2.0.11: user "roger", password "jessica rabbit"
    "roger:$7$101$LP3rHe0dLTch+uUV$OE55ymwodrPOm7+pIAp9yDacuk0FQnEQP8xPn2njAIo4kUGjFbEFlA7TUPLIeXB8snMk6f+vkw1wpw0HsHwP0A=="
)


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_messages_of_every_quality_and_version_are_kept_in_order(protocol: int, qos: int) -> None:
    kept = Kept()
    with source(kept) as (_, port):
        logger = Logger(port, name="one", protocol=protocol)
        for number in range(300):
            logger.say(level(number), qos=qos)
        kept.wait(lambda: len(kept.values) == 300)
        logger.wait(lambda: len(logger.acknowledged) == 300)
        logger.close()
    assert kept.values == [float(number) for number in range(300)]


def test_nobody_is_acknowledged_while_the_inbox_takes_nothing_and_everybody_afterwards(
    caplog: pytest.LogCaptureFixture,
) -> None:
    kept = Kept()
    kept.fault = InboxFull("full; deliver again")
    with source(kept) as (_, port):
        logger = Logger(port)
        for number in range(5):
            logger.say(level(number))
        kept.wait(lambda: kept.tries >= 3)
        assert logger.acknowledged == []
        kept.fault = None
        logger.wait(lambda: len(logger.acknowledged) == 5)
        logger.close()
    assert kept.values == [0.0, 1.0, 2.0, 3.0, 4.0]
    said = [each.getMessage() for each in caplog.records if each.name == "liuyu.mqtt"]
    assert said == ["Messages cannot be kept and are not confirmed: full; deliver again", "Messages are kept again"]


def test_what_came_before_the_end_is_kept_and_what_cannot_be_kept_is_not_acknowledged() -> None:
    kept = Kept()
    kept.fault = InboxFull("full")
    with source(kept) as (_, port):
        logger = Logger(port)
        logger.say(level(1))
        kept.wait(lambda: kept.tries >= 1)
    assert (kept.values, logger.acknowledged) == ([], [])
    logger.client.loop_stop()


def test_a_fault_that_is_none_of_the_inbox_ends_the_source_so_that_it_is_begun_again() -> None:
    kept = Kept()
    kept.fault = ZeroDivisionError("a bug")

    def one_message() -> None:
        with source(kept) as (_, port):
            logger = Logger(port)
            logger.say(level(1))
            kept.wait(lambda: kept.tries == 1)
            logger.client.loop_stop()
            assert logger.acknowledged == []

    with pytest.raises(ZeroDivisionError, match="a bug"):
        one_message()


def test_broken_payloads_are_acknowledged_and_set_aside() -> None:
    kept = Kept()
    with source(kept) as (made, port):
        logger = Logger(port)
        logger.say(b"{broken")
        logger.say(level(2))
        logger.wait(lambda: len(logger.acknowledged) == 2)
        logger.close()
        assert (made.counts["messages"], made.counts["values"], made.counts["asides"]) == (2, 1, 1)
    assert kept.values == [2.0]
    assert "not JSON" in kept.reasons[0]


def test_who_subscribes_hears_what_is_published_and_a_will() -> None:
    kept = Kept()
    with source(kept) as (_, port):
        hearer = Logger(port, name="hearer")
        hearer.client.subscribe("liuyu/+/99000100/#", 1)
        hearer.client.subscribe("wills/#")
        hearer.wait(lambda: len(hearer.answers) == 3)
        line = socket.create_connection(("127.0.0.1", port))
        will = packet(1, b"\0\4MQTT\4\x06\0\x3c" + b"\0\1x" + b"\0\7wills/x\0\4gone")
        line.sendall(will)
        assert line.recv(4) == packet(CONNACK, b"\0\0")
        line.close()
        hearer.wait(lambda: ("wills/x", b"gone") in hearer.heard)
        logger = Logger(port, name="logger")
        logger.say(level(1))
        logger.say(level(2), topic="liuyu/qingxi/99000200/water_level")
        hearer.wait(lambda: len(hearer.heard) == 2)
        assert hearer.heard[1] == (LEVEL, b'{"time": 1597060800, "value": 1}')
        logger.close()
        hearer.close()
    assert kept.values == [1.0, 2.0]


def test_a_second_client_of_a_name_cuts_off_the_first() -> None:
    kept = Kept()
    with source(kept) as (made, port):
        lines = [socket.create_connection(("127.0.0.1", port)) for _ in range(2)]
        for each in lines:
            each.sendall(connect("same"))
            assert each.recv(4) == packet(CONNACK, b"\0\0")
        assert lines[0].recv(1) == b""
        lines[1].sendall(publish(Publish(LEVEL, b'{"time":1597060800,"value":3}', 1, 7)))
        assert lines[1].recv(4) == packet(PUBACK, b"\0\7")
        assert made.counts["taken over"] == 1
        for each in lines:
            each.close()


def test_the_second_of_a_packet_of_quality_2_is_the_first_again() -> None:
    kept = Kept()
    with source(kept) as (_, port):
        line = socket.create_connection(("127.0.0.1", port))
        said = publish(Publish(LEVEL, b'{"time":1597060800,"value":3}', 2, 7))
        line.sendall(connect("x") + said + said + packet(6, b"\0\7") + said)
        answers = b""
        while len(answers) < 4 + 4 + 4 + 4:
            answers += line.recv(100)
        kinds = [each.kind for each in Reader(100).feed(answers)]
        assert sorted(kinds) == [2, 5, 5, 7]
        line.close()
    assert kept.values == [3.0, 3.0]


def test_users_and_passwords_of_a_file(tmp_path: Path) -> None:
    file, kept = tmp_path / "users", Kept()
    add_user(file, "logger1", "correct horse")
    add_user(file, "logger2", "battery staple")
    add_user(file, "logger1", "correct horse 2")
    assert "horse" not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    with source(kept, users=Users(file)) as (made, port):
        for user, password, code in (
            ("logger1", "correct horse 2", "Success"),
            ("logger1", "correct horse", "Not authorized"),
            ("nobody", "correct horse 2", "Not authorized"),
            ("", "", "Not authorized"),
        ):
            logger = Logger(port, user=user, password=password)
            assert str(logger.answers[0]) == code
            logger.close()
        assert made.counts["refused"] >= 3
        add_user(file, "late", "added while it runs")
        logger = Logger(port, user="late", password="added while it runs")
        assert str(logger.answers[0]) == "Success"
        logger.close()
        file.write_text("half an entry")
        logger = Logger(port, user="late", password="added while it runs")
        assert str(logger.answers[0]) == "Server unavailable"
        logger.close()


def test_a_password_file_of_mosquitto_is_read(tmp_path: Path) -> None:
    file = tmp_path / "mosquitto"
    file.write_text(MOSQUITTO)
    users = Users(file)
    assert users.check("roger", b"jessica rabbit")
    assert users.check("roger", b"jessica rabbit")
    assert not users.check("roger", b"jessica")
    file.write_text("roger:plain\n")
    with pytest.raises(BadInput, match=r"mosquitto:1: no password entry"):
        Users(file)
    with pytest.raises(BadInput, match="cannot be read"):
        Users(tmp_path / "none")
    for name, password, said in (("a:b", "long enough!", "cannot stand"), ("a", "short", "has 5 characters")):
        with pytest.raises(BadInput, match=said):
            add_user(tmp_path / "new", name, password)


def test_everybody_is_let_in_on_loopback_alone() -> None:
    with (
        pytest.raises(BadInput, match=r"MQTT on 0\.0\.0\.0 would be open to everybody"),
        source(Kept(), host="0.0.0.0"),
    ):
        pass
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(BadInput, match="cannot listen"), source(Kept(), port=taken.getsockname()[1]):
            pass


@pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")
def test_mqtts_with_a_certificate(tmp_path: Path) -> None:
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    names = ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    subprocess.run([*command, *names, "-out", str(certificate), "-keyout", str(key)], check=True, capture_output=True)
    kept = Kept()
    with source(kept, tls=server_tls(certificate, key)) as (_, port):
        trusting = ssl.create_default_context(cafile=str(certificate))
        plain = socket.create_connection(("127.0.0.1", port))
        with trusting.wrap_socket(plain, server_hostname="localhost") as line:
            line.sendall(connect("x") + publish(Publish(LEVEL, b'{"time":1597060800,"value":3}', 1, 7)))
            answers = b""
            while len(answers) < 8:
                answers += line.recv(100)
            assert answers == packet(CONNACK, b"\0\0") + packet(PUBACK, b"\0\7")
    with pytest.raises(BadInput, match="give PEM files"):
        server_tls(certificate, tmp_path / "none")


def test_noise_is_cut_off_and_harms_nobody() -> None:
    dice, kept = random.Random(5), Kept()
    with source(kept) as (made, port):
        logger = Logger(port)
        for number in range(200):
            with socket.create_connection(("127.0.0.1", port)) as line:
                line.sendall(dice.randbytes(dice.randrange(1, 80)) if number % 2 else connect("x") + dice.randbytes(40))
        logger.say(level(1))
        logger.wait(lambda: len(logger.acknowledged) == 1)
        assert made.counts["unspeakable"] > 50
        logger.close()
    assert kept.values == [1.0]


def test_back_pressure_leaves_lines_unread_until_there_is_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("liuyu.monitor.sense.mqtt.delivery.FULL", 50_000)
    kept = Kept()
    kept.fault = InboxFull("full")
    with source(kept) as (made, port):
        logger = Logger(port)
        for number in range(3000):
            logger.say(level(number) | {"unit": "m" + " " * 1000})
        kept.wait(lambda: kept.tries >= 2)
        assert made.counts["messages"] < 3000
        kept.fault = None
        logger.wait(lambda: len(logger.acknowledged) == 3000)
        logger.close()
    assert kept.values == [float(number) for number in range(3000)]
