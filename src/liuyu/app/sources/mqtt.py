"""`kind = "mqtt"`: loggers publish to the embedded broker or to one elsewhere, confirmed once their message is kept."""

from __future__ import annotations

import hashlib
import hmac
import ssl
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated

import msgspec

from liuyu.app.ingest import Frames
from liuyu.app.sources import source
from liuyu.app.sources.source import Place, Wrong
from liuyu.app.users import Users as TwinUsers
from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.mqtt import (
    MqttSource,
    Payloads,
    Users,
    is_loopback,
    read_address,
    read_logger_mapping,
    server_tls,
)
from liuyu.monitor.sense.mqtt.payloads import ReadFrames
from liuyu.monitor.sense.mqtt.users import Checker
from liuyu.monitor.sense.sensorthings import BasinStreams, read_observation
from liuyu.monitor.sense.sl651 import Dialects, Framer, Refusal, decode, read_dialects
from liuyu.monitor.sense.stations import Received
from liuyu.store.inbox.interface import Parcel

_FILES = ("certificate", "key", "password_file", "authority", "mapping")


class Settings(source.Settings, frozen=True, kw_only=True):
    """Without a url it is the broker; with one, mqtt://user@host:1883 or mqtts://..., it goes to that broker.

    The broker: `users`, the folder of the twin whose devices may publish, or a password file of mosquitto's form;
    `certificate` and `key`, PEM files, for mqtts. Elsewhere: `client`, our client's name there; `password_file`, which
    holds the password; `authority`, whom to trust. Both: `mapping`, what foreign payloads mean; `dialects` and
    `any_clock`, as for stations of SL 651.
    """

    url: str = ""
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 1883
    users: str = ""
    certificate: str = ""
    key: str = ""
    client: str = ""
    password_file: str = ""
    authority: str = ""
    mapping: str = ""
    dialects: tuple[str, ...] = ()
    any_clock: bool = False

    def faults(self) -> Iterator[Wrong]:
        """What does not go together, and files that are not there."""
        for name in _FILES:
            if getattr(self, name) and not Path(getattr(self, name)).is_file():
                yield name, "is no file", "name a file that is there"
        if self.users and not (Path(self.users).is_file() or (Path(self.users) / "users.json").is_file()):
            yield "users", "is neither a password file nor a folder with users", "liuyu user add NAME --role device"
        for each in self.dialects:
            if not Path(each).is_file():
                yield "dialects", f"{each} is no file", "name TOML files of dialects"
        if bool(self.certificate) != bool(self.key):
            yield "certificate", "needs its key, and a key its certificate", "name both PEM files"
        if not self.url and not self.users and not is_loopback(self.host):
            yield "host", "would be open to everybody", "name users, or listen on 127.0.0.1"
        if self.url:
            try:
                read_address(self.url)
            except BadInput as error:
                yield "url", *str(error).split("; ", 1)  # type: ignore[misc]


class Mqtt:
    """Satisfies `Source`."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name, self._place = settings.title, place
        mapping = read_logger_mapping(Path(settings.mapping)) if settings.mapping else None
        streams = BasinStreams(place.basin)
        self._payloads = Payloads(
            place.basin,
            mapping,
            frames=_frames(settings, place),
            things=lambda topic, payload, now: read_observation(topic, payload, streams, now, settings.title),
            source=settings.title,
        )
        self._source = MqttSource(
            place.basin.code,
            self._payloads,
            address=read_address(settings.url, _password(settings)) if settings.url else None,
            name=settings.client,
            host=settings.host,
            port=settings.port,
            users=_users(Path(settings.users)) if settings.users else None,
            tls=_tls(settings),
            told=lambda event: place.tell([event]),
        )

    def run(self, stop: threading.Event) -> None:
        """Receive until told to stop; what has come by then is kept and confirmed."""
        self._source.run(self._deliver, self._place.clock, stop)

    def started(self, patience: float) -> str:
        """Wait until it is at work. Raises BadInput where it cannot listen."""
        return self._source.started(patience)

    def counts(self) -> Mapping[str, int]:
        """Messages, values and asides, and what happened to lines."""
        return dict(self._source.counts)

    def again(self, kept: bytes, now: int) -> Parcel:
        """A message that was set aside, read once more. Raises BadInput where it still cannot be."""
        return self._payloads.again(kept, now)

    def _deliver(self, parcel: Parcel) -> None:
        self._place.inbox.put([parcel])


def open_source(settings: Settings, place: Place) -> Mqtt:
    """The source, not yet listening. Raises BadInput where a file of its settings cannot be used."""
    return Mqtt(settings, place)


def _frames(settings: Settings, place: Place) -> ReadFrames:
    """Reads the SL 651 frames of one message; the address in the topic must be that of the frames."""
    dialects = read_dialects([Path(each) for each in settings.dialects]) if settings.dialects else Dialects()
    frames = Frames(
        place.basin,
        dialects,
        source=settings.title,
        pictures=place.folder / "pictures",
        check_clock=not settings.any_clock,
    )

    def read(address: str, payload: bytes, now: int) -> Parcel:
        framer = Framer()
        pieces = [*framer.feed(payload), *framer.close()]
        if not pieces:
            raise BadInput("the message is empty; send frames of SL 651")
        return frames.parcel([_received(each.data, address, dialects, now) for each in pieces])

    return read


def _received(frame: bytes, address: str, dialects: Dialects, now: int) -> Received:
    said = decode(frame, dialects, now)
    if isinstance(said, Refusal):
        return Received(now, "mqtt", frame, None, str(said))
    if said.station.lower() != address.lower():
        return Received(now, "mqtt", frame, None, f"station: the frame is of {said.station}, the topic of {address}")
    if said.packet is not None:
        return Received(now, "mqtt", frame, None, "packets: over MQTT a message comes as one frame")
    return Received(now, "mqtt", frame, said)


class Devices:
    """The devices among a twin's users, and its administrators. Satisfies `Checker`.

    Who has been let in is remembered while the file stays as it is, so that thousands of loggers can return at once.
    """

    def __init__(self, folder: Path) -> None:
        self._file, self._users = folder / "users.json", TwinUsers(folder)
        self._stamp = (0, 0)
        self._known: dict[str, bytes] = {}

    def check(self, name: str | None, password: bytes | None) -> bool:
        """Whether a device or an administrator of that name has that password."""
        found = self._file.stat()
        if self._stamp != (found.st_mtime_ns, found.st_ino):
            self._stamp, self._known = (found.st_mtime_ns, found.st_ino), {}
        mark = hashlib.sha256(password or b"").digest()
        if hmac.compare_digest(self._known.get(name or "", b""), mark):
            return True
        user = self._users.check(name or "", (password or b"").decode(errors="replace"))
        if user is None or user.role not in ("device", "administrator"):
            return False
        self._known[user.name] = mark
        return True


def _users(where: Path) -> Checker:
    return Devices(where) if where.is_dir() else Users(where)


def _password(settings: Settings) -> str:
    try:
        return Path(settings.password_file).read_text(encoding="utf-8").strip() if settings.password_file else ""
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"password file {settings.password_file} cannot be read ({error}); correct it") from None


def _tls(settings: Settings) -> ssl.SSLContext | None:
    if not settings.url:
        return server_tls(Path(settings.certificate), Path(settings.key)) if settings.certificate else None
    if not settings.authority:
        return None
    try:
        return ssl.create_default_context(cafile=settings.authority)
    except (OSError, ssl.SSLError) as error:
        raise BadInput(f"authority {settings.authority} cannot be used ({error}); give a PEM file") from None
