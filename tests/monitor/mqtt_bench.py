"""MQTT sources at work for tests, and a logger of another make: paho-mqtt."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import paho.mqtt.client as paho

from liuyu.basin.events import Event
from liuyu.basin.package import find_basin, read_basin
from liuyu.monitor.sense.mqtt import MqttSource, Payloads
from liuyu.store.inbox.interface import Parcel

BASIN = read_basin(find_basin("qingxi"))
NOW = 1_597_060_800
LEVEL = "liuyu/qingxi/99000100/water_level"
PATIENCE = 60.0


class Kept:
    """An inbox in memory that can be told to fail, and says when it has something."""

    def __init__(self) -> None:
        self.parcels: list[Parcel] = []
        self.events: list[Event] = []
        self.fault: Exception | None = None
        self.tries = 0
        self._changed = threading.Condition()

    def deliver(self, parcel: Parcel) -> None:
        with self._changed:
            self.tries += 1
            self._changed.notify_all()
            if self.fault is not None:
                raise self.fault
            self.parcels.append(parcel)

    def told(self, event: Event) -> None:
        with self._changed:
            self.events.append(event)
            self._changed.notify_all()

    def wait(self, what: Callable[[], bool]) -> None:
        with self._changed:
            assert self._changed.wait_for(what, PATIENCE)

    def hears(self, logger: Logger) -> None:
        """Until the source hears its broker: what is published before it has subscribed is nobody's."""
        while not self.values:
            logger.say(level(0))
            with self._changed:
                self._changed.wait(0.05)

    @property
    def values(self) -> list[float]:
        return [value for each in self.parcels for value in each.batch.value.tolist()]

    @property
    def reasons(self) -> list[str]:
        return [aside.reason for each in self.parcels for aside in each.asides]


@contextmanager
def source(kept: Kept, **settings: Any) -> Iterator[tuple[MqttSource, int]]:
    """A source at work and, if it is a broker, its port."""
    made = MqttSource(BASIN.code, Payloads(BASIN), told=kept.told, **{"port": 0, **settings})
    stop, faults = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            made.run(kept.deliver, lambda: NOW, stop)
        except BaseException as fault:
            faults.append(fault)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        where = made.started(PATIENCE)
        yield made, int(where.rpartition(":")[2])
    finally:
        stop.set()
        thread.join()
    if faults:
        raise faults[0]


class Logger:
    """A paho client that counts what is acknowledged."""

    def __init__(self, port: int, *, name: str = "", protocol: int = 4, user: str = "", password: str = "") -> None:
        session = {} if protocol == 5 else {"clean_session": True}
        version = paho.MQTTProtocolVersion(protocol)
        self.client = paho.Client(paho.CallbackAPIVersion.VERSION2, client_id=name, protocol=version, **session)
        self.client.max_inflight_messages_set(10_000)
        if user:
            self.client.username_pw_set(user, password)
        self._changed = threading.Condition()
        self.acknowledged: list[int] = []
        self.heard: list[tuple[str, bytes]] = []
        self.answers: list[Any] = []
        self.client.on_connect = lambda client, data, flags, code, properties: self._note(self.answers, code)
        self.client.on_subscribe = lambda client, data, mid, codes, properties: self._note(self.answers, codes[0])
        self.client.on_publish = lambda client, data, mid, code, properties: self._note(self.acknowledged, mid)
        self.client.on_message = lambda client, data, said: self._note(self.heard, (said.topic, said.payload))
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.wait(lambda: bool(self.answers))

    def _note(self, notes: list[Any], what: Any) -> None:
        with self._changed:
            notes.append(what)
            self._changed.notify_all()

    def wait(self, what: Callable[[], bool], patience: float = PATIENCE) -> None:
        with self._changed:
            assert self._changed.wait_for(what, patience)

    def say(self, content: Any, topic: str = LEVEL, qos: int = 1) -> None:
        payload = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.client.publish(topic, payload, qos)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def level(value: float) -> dict[str, Any]:
    return {"time": NOW, "value": value}
