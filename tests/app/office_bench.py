"""A duty office for tests: a real twin of the Qingxi whose clock stands where the test puts it, and its postbox.

Run as a program it signs orders and sends them until it is killed or nothing is left; `Receivers` are the other ends.

    python -m tests.app.office_bench FOLDER ORDERS
"""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import sys
import threading
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from email import message_from_bytes
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple

from aiosmtpd.controller import Controller

from liuyu.app.acts import Acts
from liuyu.app.config import read_config
from liuyu.app.links import Links
from liuyu.app.outbox import Deliverer, Postbox
from liuyu.app.pipeline import Pipeline
from liuyu.app.users import Users
from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.monitor.respond.channels import Place, open_channels
from liuyu.monitor.respond.dispatch import Wish
from liuyu.store.interface import Store
from liuyu.store.sqlite import open_store
from liuyu.web.ports import ClockState, Message, User

NOW = 1_625_500_800  # 2021-07-05 16:00 UTC
OFFICER = User("wang", "duty_officer")
SECRET = "between us"
WISH = Wish(releases={"qingxi_reservoir": (200.0, 200.0, 300.0)}, recipients=("reservoir-duty", "township"))


class StillRun:
    """A pipeline whose time moves when it is told to."""

    def __init__(self, basin: Basin, store: Store, now: int) -> None:
        self.pipeline, self.store, self.now = Pipeline(basin, store), store, now
        self.pipeline.restore()

    @contextmanager
    def commit(self) -> Iterator[None]:
        with self.store.transaction():
            yield
            self.pipeline.save()


class StillTwin(Acts):
    """A twin that only acts: what it does is what every twin does, but that no water moves."""

    def __init__(self, store: Store, folder: Path, now: int = NOW) -> None:
        basin = read_basin(find_basin("qingxi"))
        super().__init__(basin, store, Users(folder), StillRun(basin, store, now), now)
        self.home = folder

    def _reopened(self) -> StillRun:
        return StillRun(self.basin, self.store, self._run.now)

    def clock(self) -> ClockState:
        now = moment(self._run.now)
        return ClockState(now=now, start=now, end=now, speed=1.0, phase="paused")

    def set_clock(self, user: User, *, phase: str | None, speed: float | None, run_to: datetime | None) -> ClockState:
        raise BadInput("this clock is moved by the test alone")

    def deliver(self, parcel: Any) -> None:
        raise BadInput("nothing comes in here")

    def messages(self) -> AsyncIterator[Message]:
        return self._broadcast.listen()

    def pass_to(self, now: int) -> Sequence[Any]:
        """Move the clock, and have the office see to its deadlines, as a step of the loop does."""
        self._run.now = now  # type: ignore[misc]
        with self._run.commit():
            pipeline = self._run.pipeline
            return pipeline._log(pipeline.dispatch.step([], now))

    def deliverer(self, postbox: Postbox, **pace: int) -> Deliverer:
        """A postbox and a deliverer whose turns the test takes by hand."""
        self._postbox = self._run.pipeline.postbox = postbox
        return Deliverer(self.store, postbox, lambda: self._run.now, self._announce, **pace)


class Got(NamedTuple):
    """A message that arrived: its key, whether it says that it may be a duplicate, and all of it."""

    key: str
    duplicate: bool
    text: str


class Receivers:
    """An SMTP server and a web server on loopback that note what they are given, and fail as they are told.

    `down`: the SMTP server is away. `failing`: answers of the web server before it takes anything: a status, or seconds
    for which it keeps silent after it has noted the message.
    """

    def __init__(self, folder: Path) -> None:
        self.spool = folder / "spool"
        self.mails: list[Got] = []
        self.posts: list[Got] = []
        self.failing: list[float] = []
        self.refuse: dict[str, str] = {}
        self.forged = 0
        self._web = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._web.daemon_threads = True
        threading.Thread(target=self._web.serve_forever, daemon=True).start()
        self.port = self._web.server_address[1]
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.smtp_port = int(free.getsockname()[1])
        self.up()

    def down(self) -> None:
        """Take the SMTP server away."""
        self._smtp.stop()

    def up(self) -> None:
        """Bring it back on the same port."""
        self._smtp = Controller(self, "127.0.0.1", self.smtp_port)
        self._smtp.start()

    def close(self) -> None:
        """End both."""
        self._web.shutdown()
        self._web.server_close()
        if self._smtp.server is not None:
            self._smtp.stop()

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        """Refuse whom the test says."""
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        """Note an e-mail."""
        mail = message_from_bytes(envelope.content, policy=default)
        text = str(mail["Subject"]) + "\n" + str(mail.get_content())  # type: ignore[attr-defined]
        self.mails.append(Got(str(mail["X-Idempotency-Key"]), mail["X-Liuyu-Duplicate"] == "true", text))
        return "250 taken"

    def texts(self) -> list[Got]:
        """The files in the spool folder."""
        files = sorted(self.spool.glob("*.sms")) if self.spool.exists() else []
        read = {each.name: each.read_text(encoding="utf-8") for each in files}
        return [Got(name, "重发" in text, text) for name, text in read.items()]

    def config(self, folder: Path) -> Path:
        """A liuyu.toml that sends to them."""
        (folder / "secret").write_text(SECRET, encoding="utf-8")
        file = folder / "liuyu.toml"
        file.write_text(
            f"""
[[channels]]
kind = "smtp"
host = "127.0.0.1"
port = {self.smtp_port}
security = "none"
sender = "duty@liuyu.example"
timeout = 3
[[channels]]
kind = "webhook"
url = "http://127.0.0.1:{self.port}/orders"
secret_file = "{folder / "secret"}"
timeout = 1
[[channels]]
kind = "spool"
folder = "{self.spool}"
""",
            encoding="utf-8",
        )
        return file

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            """Check the signature, note the message, answer as told."""

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                signed = f"{self.headers['X-Liuyu-Timestamp']}.".encode() + body
                right = f"sha256={hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()}"
                outer.forged += not hmac.compare_digest(right, self.headers["X-Liuyu-Signature"])
                trouble = outer.failing.pop(0) if outer.failing else 0
                if trouble < 100:
                    told = json.loads(body)
                    outer.posts.append(Got(told["key"], told["duplicate"], json.dumps(told, ensure_ascii=False)))
                    time.sleep(trouble)
                self.send_response(int(trouble) if trouble >= 100 else 204)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        return Handler


@contextmanager
def office(folder: Path, config: Path | None = None, *, outgoing: bool = True) -> Iterator[tuple[StillTwin, Postbox]]:
    """A twin with its channels opened, nothing started."""
    channels = read_config(config).channels if config else ()
    with closing(open_store(folder / "store")) as store:
        twin = StillTwin(store, folder)
        opened = open_channels(channels, Place(folder, folder, store))
        links = Links(folder, "http://127.0.0.1:9")
        yield twin, Postbox(twin.basin, opened, links, lambda: int(time.time()), outgoing=outgoing)


def sign(twin: StillTwin, wish: Wish = WISH) -> str:
    """Draft and sign an order; its id."""
    assert twin.dispatches is not None
    return twin.dispatches.sign(OFFICER, twin.dispatches.draft(OFFICER, wish, "").id, "").id


def expected(store: Store, channels: Mapping[str, Any] | Sequence[str]) -> dict[str, set[str]]:
    """The keys of what must reach somebody, by channel, from the log alone."""
    keys: dict[str, set[str]] = defaultdict(set)
    for event in store.events(kinds=["dispatch"]):
        if event.state == "signed" and not event.body["receipts"]:
            for recipient in event.body["recipients"]:
                for channel in recipient["channels"]:
                    if channel in channels:
                        keys[channel].add(f"{event.id}:{event.body['version']}:{recipient['code']}:{channel}")
    return keys


def main(folder: Path, orders: int) -> None:
    """Sign until the log has so many orders, telling each, and send until the queue is empty."""
    with office(folder, folder / "liuyu.toml") as (twin, postbox):
        deliverer = twin.deliverer(postbox, first_pause=1, spare=1)
        deliverer.start()
        signed = {event.id for event in twin.store.events(kinds=["dispatch"]) if event.state == "signed"}
        print(f"begun {len(signed)}", flush=True)
        while len(signed) < orders:
            signed.add(sign(twin))
            print(f"signed {len(signed)}", flush=True)
            time.sleep(0.01)
        while twin.store.jobs(states=["queued", "claimed"], limit=1):
            time.sleep(0.05)
        deliverer.stop()
        print("done", flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
