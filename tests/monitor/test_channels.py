"""Each channel against a real server on loopback, or by what it writes; and their settings, judged with lines."""

from __future__ import annotations

import json
import stat
import threading
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import http_ece
import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from py_vapid import Vapid02

from liuyu.basin.errors import BadInput
from liuyu.monitor.respond.channels import (
    KINDS,
    LOGGED,
    Message,
    NobodyThere,
    NotSent,
    Place,
    open_channels,
    push,
    read_channels,
)
from liuyu.monitor.respond.channels import spool as spool_channel
from liuyu.monitor.respond.channels.channel import Settings, secret
from liuyu.monitor.respond.channels.push import Subscription, forget, subscribe, subscriptions
from liuyu.monitor.respond.channels.smtp import Settings as Smtp
from liuyu.monitor.respond.channels.smtp import letter
from liuyu.monitor.respond.channels.webhook import post
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store

MESSAGE = Message(
    key="dispatch:20200817T1200Z:1:3:hubei:sms",
    dispatch="dispatch:20200817T1200Z:1",
    occasion="order",
    recipient="hubei",
    name={"zh": "湖北", "en": "Hubei"},
    address="+86 000 0000 0201",
    number={"zh": "演调令〔2020〕第1号", "en": "Exercise order 2020/1"},
    title={"zh": "关于调整三峡水库出库流量的调度令", "en": "Order on the release of Three Gorges"},
    text={"zh": "三峡水库\n按30000 m³/s控制", "en": "Release 30,000 m³/s"},
    body={"id": "dispatch:20200817T1200Z:1"},
    time=1_597_665_600,
    at=1_800_000_000,
    link="https://twin.example/r/abc",
    head="log 7:0123456789abcdef",
)
AGAIN = msgspec.structs.replace(MESSAGE, duplicate=True, attempt=2, exercise=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with closing(open_store(tmp_path / "store")) as opened:
        yield opened


class Web:
    """A server that notes requests, and answers with a status, after a pause, or in dribbles."""

    def __init__(self) -> None:
        self.requests: list[tuple[dict[str, str], bytes]] = []
        self.status, self.dribble = 201, False
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/push/x"

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                outer.requests.append((dict(self.headers), self.rfile.read(int(self.headers["Content-Length"]))))
                if outer.dribble:
                    for _ in range(100):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(0.1)
                self.send_response(outer.status)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@pytest.fixture
def web() -> Iterator[Web]:
    made = Web()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_every_kind_is_one_file_and_its_settings_are_judged_with_their_lines(tmp_path: Path) -> None:
    assert set(LOGGED) < set(KINDS)
    file = tmp_path / "liuyu.toml"
    file.write_text(
        """
[[channels]]
kind = "smpt"
[[channels]]
kind = "smtp"
host = "mail"
sender = "nobody"
user = "u"
[[channels]]
kind = "webhook"
url = "ftp://x"
[[channels]]
kind = "spool"
name = "page"
folder = "s"
[[channels]]
kind = "push"
contact = "me"
colour = 1
""",
        encoding="utf-8",
    )
    read, faults = read_channels(file)
    assert [each.title for each in read] == ["smtp", "webhook", "page"]
    told = {(each.line, each.field) for each in faults}
    assert told == {
        (3, "kind"),
        (7, "sender"),
        (8, "user"),
        (11, "url"),
        (9, "secret_env"),
        (14, "name"),
        (19, "colour"),
    }
    assert "'smtp'" in next(each.cure for each in faults if each.line == 3)


def test_secrets_come_from_where_they_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "key").write_text(" hidden\n", encoding="utf-8")
    monkeypatch.setenv("LIUYU_TEST_SECRET", "told")
    assert secret("LIUYU_TEST_SECRET", "", tmp_path) == "told"
    assert secret("", "key", tmp_path) == "hidden"
    with pytest.raises(BadInput, match="LIUYU_TEST_ABSENT"):
        secret("LIUYU_TEST_ABSENT", "", tmp_path)
    with pytest.raises(BadInput, match="absent"):
        secret("", "absent", tmp_path)


def test_an_email_keeps_its_id_and_marks_what_is_sent_again() -> None:
    first, second = letter(MESSAGE, "duty@liuyu.example"), letter(AGAIN, "duty@liuyu.example")
    assert first["Message-ID"] == second["Message-ID"]
    assert first["Message-ID"].endswith("@liuyu.example>")
    assert (first["X-Liuyu-Duplicate"], second["X-Liuyu-Duplicate"]) == (None, "true")
    assert second["Subject"].startswith("【演练】【重发，可能重复】演调令〔2020〕第1号")
    text = second.get_content()
    assert text.index("三峡水库") < text.index("Release 30,000")
    assert text.count("https://twin.example/r/abc") == 2
    assert "log 7:0123456789abcdef" in text
    assert first.as_bytes().isascii()


def test_a_header_cannot_be_smuggled_into_an_email() -> None:
    bad = msgspec.structs.replace(MESSAGE, title={"zh": "令\r\nBcc: all@x.example", "en": "x\ny"})
    mail = letter(bad, "duty@liuyu.example")
    assert mail["Bcc"] is None
    assert "Bcc: all@x.example" in mail["Subject"]


def test_the_settings_of_a_relay_without_a_door_are_fine() -> None:
    assert list(Smtp(kind="smtp", host="localhost", sender="a@b", security="none").faults()) == []


def test_a_text_message_is_one_file_there_whole_and_named_by_its_key(tmp_path: Path, store: Store) -> None:
    settings = spool_channel.Settings(kind="spool", folder="out")
    channel = spool_channel.open_channel(settings, Place(tmp_path, tmp_path, store))
    channel.send(MESSAGE)
    channel.send(AGAIN)
    (file,) = (tmp_path / "out").iterdir()
    head, _, text = file.read_text(encoding="utf-8").partition("\n\n")
    assert head == "To: 8600000000201\nAlphabet: UTF-8"
    assert text.startswith(
        "【演练】【重发，可能重复】演调令〔2020〕第1号 关于调整三峡水库出库流量的调度令。请确认：https://"
    )
    with pytest.raises(NotSent) as refused:
        channel.send(msgspec.structs.replace(MESSAGE, address=""))
    assert refused.value.final
    others = {spool_channel.file_name(key) for key in ("a:b", "a/b", "a b", "湖北", "../../etc/passwd")}
    assert len(others) == 5
    assert not any("/" in each or each.startswith(".") for each in others)


def test_a_folder_that_cannot_be_written_is_no_loss(tmp_path: Path, store: Store) -> None:
    (tmp_path / "out").write_text("in the way", encoding="utf-8")
    settings = spool_channel.Settings(kind="spool", folder="out")
    with pytest.raises(NotSent) as refused:
        spool_channel.open_channel(settings, Place(tmp_path, tmp_path, store)).send(MESSAGE)
    assert (refused.value.final, refused.value.doubt) == (False, False)


def test_a_request_ends_in_time_also_where_the_answer_dribbles(web: Web) -> None:
    assert post(web.url, b"{}", {}, 5.0) == 201
    web.dribble = True
    with pytest.raises(NotSent) as caught:
        post(web.url, b"{}", {}, 0.5)
    assert caught.value.doubt
    web.server.shutdown()
    web.server.server_close()
    with pytest.raises(NotSent) as caught:
        post(web.url, b"{}", {}, 0.5)
    assert not caught.value.doubt, "who cannot be reached has not got it"


def test_a_browser_is_told_in_a_form_that_it_alone_can_read(tmp_path: Path, store: Store, web: Web) -> None:
    host = web.url.split("/")[2]
    settings = push.Settings(kind="push", contact="mailto:duty@liuyu.example", hosts=(host,))
    channel = push.open_channel(settings, Place(tmp_path, tmp_path, store))
    assert stat.S_IMODE((tmp_path / "push.pem").stat().st_mode) == 0o600
    point = urlsafe_b64decode(channel.public_key + "==")
    assert (len(point), point[0]) == (65, 4)
    assert channel.admits(web.url)
    assert channel.admits("https://fcm.googleapis.com/fcm/send/x")
    refused = ("http://fcm.googleapis.com/x", "https://169.254.169.254/latest", "https://evil-fcm.googleapis.com.x/y")
    assert not any(channel.admits(each) for each in refused)
    with pytest.raises(NobodyThere):
        channel.send(MESSAGE)
    mine, auth = ec.generate_private_key(ec.SECP256R1()), b"0123456789abcdef"
    public = mine.public_key().public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
    keys = {"p256dh": urlsafe_b64encode(public).decode().rstrip("="), "auth": urlsafe_b64encode(auth).decode()}
    subscribe(store, Subscription(endpoint=web.url, user="li", recipient="hubei", **keys))
    subscribe(store, Subscription(endpoint=web.url, user="li", recipient="hubei", **keys))
    assert len(subscriptions(store)) == 1
    channel.send(AGAIN)
    headers, body = web.requests[-1]
    told = json.loads(http_ece.decrypt(body, private_key=mine, auth_secret=auth, version="aes128gcm"))
    assert told["title"]["zh"].startswith("【演练】【重发，可能重复】")
    assert (told["dispatch"], told["duplicate"], told["link"]) == (AGAIN.dispatch, True, AGAIN.link)
    assert (headers["Content-Encoding"], headers["TTL"], headers["Urgency"]) == ("aes128gcm", "86400", "high")
    assert Vapid02.verify(headers["Authorization"])
    kept = push.open_channel(settings, Place(tmp_path, tmp_path, store))
    assert kept.public_key == channel.public_key, "the key is kept, so that subscriptions outlive the process"
    web.status = 410
    with pytest.raises(NotSent):
        channel.send(MESSAGE)
    assert subscriptions(store) == []
    assert not forget(store, web.url)


def test_channels_open_by_name(tmp_path: Path, store: Store) -> None:
    made: tuple[Settings, ...] = (spool_channel.Settings(kind="spool", name="sms", folder="x"),)
    assert list(open_channels(made, Place(tmp_path, tmp_path, store))) == ["sms"]
