"""Messages: values per second through an inbox in files and on NATS JetStream, and from MQTT loggers into an inbox.

    python benchmarks/messages.py [--seconds 2] [--json FILE]

Everything is forced to the disk before it is confirmed: by the inbox in files itself, by NATS with `sync_interval:
always`. Put is timed from one and from eight threads that wait for each parcel, take until the inbox is empty. MQTT is
timed from the first message to the last acknowledgement: twenty loggers with at most a hundred messages unacknowledged,
messages of one value and of a hundred, to the embedded broker in a process of its own. Its peers acknowledge the same
messages: the MQTT door of nats-server, which syncs too, and amqtt where it is installed, which keeps nothing.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from time import perf_counter

import numpy as np

from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.series import Batch
from liuyu.monitor.sense.mqtt import MqttSource, Payloads
from liuyu.monitor.sense.mqtt.packets import CONNACK, PUBACK, Publish, Reader, connect, publish
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Inbox, Parcel
from liuyu.store.inbox.jetstream import JetStreamInbox

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.nats_server import NatsServer, free_port

BASIN = read_basin(find_basin("qingxi"))
BEGIN = 1_597_060_800
MOST = 2 << 30
SIZES = (1, 100, 1000)
LOGGERS, WINDOW = 20, 100
TOPIC = "liuyu/qingxi/99000100/water_level"
AMQTT = """
import asyncio, sys
from amqtt.broker import Broker
async def main():
    plugins = {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}}
    broker = Broker({"listeners": {"default": {"type": "tcp", "bind": f"127.0.0.1:{sys.argv[1]}"}}, "plugins": plugins})
    await broker.start()
    await asyncio.Event().wait()
asyncio.run(main())
"""


def parcel(values: int, seed: int) -> Parcel:
    """A parcel of some values."""
    dice = np.random.default_rng(seed)
    station, time_of = dice.integers(0, len(BASIN.roster), values), BEGIN + np.arange(values)
    batch = Batch.of(BASIN.roster, station, np.ones(values, int), time_of, dice.normal(20, 3, values), source="x")
    return Parcel("x", BEGIN, batch)


def measure_inbox(inbox: Inbox, values: int, threads: int, seconds: float) -> tuple[float, float]:
    """Values per second put by some threads at once, and taken again by one."""
    sent, counts = parcel(values, 1), [0] * threads
    start = perf_counter()

    def put(place: int) -> None:
        while perf_counter() - start < seconds:
            inbox.put([sent])
            counts[place] += 1

    workers = [threading.Thread(target=put, args=(each,)) for each in range(threads)]
    for each in workers:
        each.start()
    for each in workers:
        each.join()
    took, wanted = perf_counter() - start, sum(counts)
    last = found = 0
    start = perf_counter()
    while taken := inbox.take(last):
        last, found = taken[-1].place, found + len(taken)
    taking = perf_counter() - start
    if found != wanted:
        raise RuntimeError(f"{wanted} parcels were put and {found} taken")
    return wanted * values / took, wanted * values / taking


class Pump(asyncio.Protocol):
    """A logger that always has messages to send; `done` when the last is acknowledged."""

    def __init__(self, name: str, payload: bytes, count: int) -> None:
        self._name, self._payload, self._left, self._open = name, payload, count, 0
        self._reader, self._number = Reader(1 << 16), 0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Introduce ourselves."""
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        transport.write(connect(self._name))

    def data_received(self, data: bytes) -> None:
        """Count acknowledgements, and send as many again."""
        for each in self._reader.feed(data):
            self._open -= each.kind == PUBACK
            if each.kind in (PUBACK, CONNACK):
                self._send()
        if not self._left and not self._open and not self.done.done():
            self.done.set_result(None)

    def _send(self) -> None:
        while self._left and self._open < WINDOW:
            self._left, self._open, self._number = self._left - 1, self._open + 1, self._number % 60_000 + 1
            self._transport.write(publish(Publish(TOPIC, self._payload, 1, self._number)))


def payload(values: int) -> bytes:
    """A message of one value, or of several in columns."""
    if values == 1:
        return json.dumps({"time": BEGIN, "value": 23.41, "unit": "m"}).encode()
    rows = {
        "unit": "m",
        "time": list(range(BEGIN, BEGIN + values)),
        "value": [20 + each / 100 for each in range(values)],
    }
    return json.dumps(rows).encode()


def measure_mqtt(port: int, values: int, messages: int) -> float:
    """Messages per second that a broker acknowledges."""

    async def play() -> float:
        start = perf_counter()
        pumps = [Pump(f"logger{each}", payload(values), messages // LOGGERS) for each in range(LOGGERS)]
        for each in pumps:
            await asyncio.get_running_loop().create_connection(lambda each=each: each, "127.0.0.1", port)
        await asyncio.gather(*(each.done for each in pumps))
        return messages // LOGGERS * LOGGERS / (perf_counter() - start)

    return asyncio.run(play())


@contextmanager
def process(*arguments: str, port: int) -> Iterator[None]:
    """A process that listens on a port, until it is no longer needed."""
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    running = subprocess.Popen([sys.executable, *arguments], **quiet)  # type: ignore[call-overload]
    try:
        for _ in range(300):
            with suppress(OSError):
                asyncio.run(asyncio.wait_for(asyncio.open_connection("127.0.0.1", port), 1))
                break
            time.sleep(0.1)
        yield
    finally:
        running.send_signal(signal.SIGTERM)
        running.wait()


def serve(folder: str, port: int) -> None:
    """The embedded broker on an inbox in files, until it is killed."""
    inbox = FileInbox(Path(folder), BASIN.roster, most=MOST)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    source = MqttSource(BASIN.code, Payloads(BASIN), port=port)
    source.run(lambda each: (inbox.put([each]), None)[1], lambda: BEGIN, threading.Event())


def measure(seconds: float) -> dict[str, float]:
    """Every number of this benchmark."""
    found: dict[str, float] = {}
    home = Path(tempfile.mkdtemp(prefix="liuyu-messages-"))
    nats = NatsServer(mqtt=True)
    try:
        for values in SIZES:
            for threads in (1, 8):
                key = f"{values}_values_{threads}_threads"
                inboxes: dict[str, Inbox] = {
                    "files": FileInbox(home / key, BASIN.roster, most=MOST),
                    "jetstream": JetStreamInbox(nats.url, key, BASIN.roster, most=MOST),
                }
                for name, inbox in inboxes.items():
                    found[f"{name}_put_{key}"], found[f"{name}_take_{key}"] = measure_inbox(
                        inbox, values, threads, seconds
                    )
                    inbox.close()
        for values, messages in ((1, 40_000), (100, 8_000)):
            port = free_port()
            with process(__file__, "--serve", str(home / f"mqtt{values}"), str(port), port=port):
                found[f"mqtt_embedded_{values}"] = measure_mqtt(port, values, messages)
            found[f"mqtt_nats_{values}"] = measure_mqtt(nats.mqtt_port, values, messages // 10)
            with suppress(ModuleNotFoundError):
                __import__("amqtt")
                port = free_port()
                with process("-W", "ignore", "-c", AMQTT, str(port), port=port):
                    found[f"mqtt_amqtt_{values}"] = measure_mqtt(port, values, messages // 4)
    finally:
        nats.remove()
        shutil.rmtree(home)
    return found


def show(found: dict[str, float]) -> None:
    """Print it as two tables."""
    print("Inbox [values/s]        values   threads    files put    NATS put   files take   NATS take   files/NATS put")
    for values in SIZES:
        for threads in (1, 8):
            key = f"{values}_values_{threads}_threads"
            numbers = [
                found[f"{name}_{key}"] for name in ("files_put", "jetstream_put", "files_take", "jetstream_take")
            ]
            row = "".join(f"{each:>13,.0f}" for each in numbers)
            print(f"{'':<22}{values:>8}{threads:>10}{row}{numbers[0] / numbers[1]:>17.2f}")
    print("MQTT                    values a message   messages/s     values/s")
    for name, title in (("embedded", "embedded broker"), ("nats", "nats-server"), ("amqtt", "amqtt, not durable")):
        for values in (1, 100):
            if (rate := found.get(f"mqtt_{name}_{values}")) is not None:
                print(f"  {title:<22}{values:>16}{rate:>13,.0f}{rate * values:>13,.0f}")


def main() -> None:
    """Measure, print and, where asked, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each measurement of an inbox")
    parser.add_argument("--json", type=Path)
    parser.add_argument("--serve", nargs=2, metavar=("FOLDER", "PORT"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        serve(options.serve[0], int(options.serve[1]))
        return
    found = measure(options.seconds)
    show(found)
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
