"""The whole configuration of a twin: one typed file, `liuyu.toml`, judged as a whole.

Every fault of the file is reported at once, with its line. What a file leaves out has the default that stands here.
"""

from __future__ import annotations

import difflib
import re
import tomllib
from pathlib import Path
from typing import Any, Literal, get_type_hints

import msgspec

from liuyu.app.sources import read_sources
from liuyu.app.sources.source import Settings
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.monitor.respond.channels import Settings as ChannelSettings
from liuyu.monitor.respond.channels import read_channels


class Server(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where the page answers. It listens on loopback until told otherwise."""

    host: str = "127.0.0.1"
    port: int = 8380


class Replay(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which part of the archive is played. Empty times mean the demonstration that the basin package names.

    `speed` in twin seconds per second; `warm_up_days` of the archive before the start fill the store without alerts.
    """

    start: str = ""
    end: str = ""
    speed: float = 3600.0
    observations: str = ""
    warm_up_days: int = 15
    step_minutes: int = 60


class Outlook(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How often a forecast is issued, in hours of the twin's clock, counted from midnight UTC; and its rain.

    `rain` is a file of rainfall members, or a folder into which they are put, looked at when a forecast is issued;
    `rain_past` is a file of what fell before; `rain_spread` says what makes the spread: rain members, past errors, or
    both; `rain_name` is the variable in the files where its name is unusual.
    """

    forecast_hours: int = 6
    rain: str = ""
    rain_past: str = ""
    rain_spread: Literal["rain", "errors", "both"] = "both"
    rain_name: str = ""


class Storage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the twin is kept in: the engine and its folder.

    `postgres` needs `url`, postgresql://user@host:5432/database; each store there has a schema of its own. History and
    grids stay in the folder. Passwords are best left to ~/.pgpass.
    """

    engine: Literal["sqlite", "postgres"] = "sqlite"
    folder: str = "var"
    url: str = ""


class Messages(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where what sources deliver waits for the loop: in files of the twin's folder, or on NATS JetStream at `url`.

    `most_mb` [MiB] may wait; beyond it sources must wait and deliver again.
    """

    url: str = ""
    most_mb: int = 1024


class Live(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The twin of the present: whether `up` starts it, and how its loop steps on the wall clock.

    `step_seconds` between two steps; `archive_days` after which whole months move to Parquet; `shown_days` before now
    are where the page's time line begins.
    """

    enabled: bool = False
    step_seconds: int = 10
    archive_days: int = 60
    shown_days: int = 10


class Respond(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How orders reach people. `address` is where their phones reach this twin, such as https://twin.example.

    In a replay nothing goes out to people unless `send_in_replay` says so; it is marked as an exercise even then.
    """

    address: str = ""
    send_in_replay: bool = False


class Config(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A twin: its basin and the settings of each part. An empty basin means the Yangtze where its archive is there."""

    basin: str = ""
    server: Server = Server()
    replay: Replay = Replay()
    outlook: Outlook = Outlook()
    storage: Storage = Storage()
    messages: Messages = Messages()
    live: Live = Live()
    respond: Respond = Respond()
    sources: tuple[Settings, ...] = ()
    channels: tuple[ChannelSettings, ...] = ()


_SECTIONS: dict[str, type[msgspec.Struct]] = {
    "server": Server,
    "replay": Replay,
    "outlook": Outlook,
    "storage": Storage,
    "messages": Messages,
    "live": Live,
    "respond": Respond,
}
_URLS = {
    "storage": (r"postgres(ql)?://[^\s]+$", "a database", "postgresql://user@host:5432/database"),
    "messages": (r"(nats|tls)://[^\s]+$", "a NATS server", "nats://host:4222"),
    "respond": (r"https?://[^\s/]+", "a web server", "https://twin.example"),
}
_LIMITS: dict[tuple[str, str], tuple[float, float]] = {
    ("server", "port"): (0, 65535),
    ("replay", "speed"): (1, 1e7),
    ("replay", "warm_up_days"): (0, 366),
    ("replay", "step_minutes"): (1, 1440),
    ("outlook", "forecast_hours"): (1, 24),
    ("messages", "most_mb"): (1, 1_000_000),
    ("live", "step_seconds"): (1, 3600),
    ("live", "archive_days"): (31, 36500),
    ("live", "shown_days"): (1, 366),
}


def read_config(file: Path | None) -> Config:
    """The configuration in a file, or the defaults without one.

    Raises BadPackage, which lists every fault with its line, and BadInput where the file cannot be read.
    """
    if file is None:
        return Config()
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(f"configuration {file} cannot be read ({error}); give --config a UTF-8 TOML file") from None
    try:
        content = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"line (\d+)", str(error))
        line = int(found[1]) if found else None
        raise BadPackage(
            str(file), [Fault(file=str(file), line=line, problem=f"not TOML: {error}", cure="mend this line")]
        ) from None
    sources, wrong = read_sources(file)
    content.pop("sources", None)
    channels, amiss = read_channels(file)
    content.pop("channels", None)
    faults = [*_faults(str(file), text, content), *wrong, *amiss]
    if faults:
        raise BadPackage(str(file), sorted(faults, key=lambda each: each.line or 0))
    return msgspec.structs.replace(msgspec.convert(content, Config), sources=sources, channels=channels)


def _faults(file: str, text: str, content: dict[str, Any]) -> list[Fault]:
    faults: list[Fault] = []
    for key, value in content.items():
        if key in _SECTIONS:
            if not isinstance(value, dict):
                faults.append(_fault(file, text, key, value, "is a section", f"write it as [{key}]"))
                continue
            known = _SECTIONS[key]
            faults += [each for name, one in value.items() for each in _field(file, text, known, key, name, one)]
            if key == "storage" and value.get("engine") == "postgres" and not value.get("url"):
                faults.append(
                    _fault(file, text, "engine", "postgres", "needs a url", f"add url = {_URLS[key][2]!r}", key)
                )
        else:
            faults += _field(file, text, Config, "", key, value)
    return faults


def _field(file: str, text: str, section: type[msgspec.Struct], part: str, name: str, value: Any) -> list[Fault]:
    kinds = get_type_hints(section)
    if name not in kinds:
        known = [*kinds, *([] if part else _SECTIONS)]
        near = difflib.get_close_matches(name, known, n=1)
        cure = f"did you mean {near[0]!r}?" if near else f"known here: {', '.join(known)}"
        return [_fault(file, text, name, value, "is not a setting", cure, part)]
    try:
        msgspec.convert(value, kinds[name])
    except msgspec.ValidationError as error:
        return [_fault(file, text, name, value, str(error), "give a value of that kind", part)]
    limits = _LIMITS.get((part, name))
    if limits and not limits[0] <= value <= limits[1]:
        cure = f"give a number from {limits[0]:g} to {limits[1]:g}"
        return [_fault(file, text, name, value, "is out of range", cure, part)]
    if part == "replay" and name in ("start", "end") and value:
        try:
            parse_time(value, "UTC")
        except BadInput as error:
            return [_fault(file, text, name, value, "is not a time", str(error).split("; ")[-1], part)]
    if part in _URLS and name in ("url", "address") and value:
        form, what, example = _URLS[part]
        if not re.match(form, value):
            return [_fault(file, text, name, "", f"is not the url of {what}", f"write it as {example}", part)]
    return []


def _fault(file: str, text: str, name: str, value: Any, problem: str, cure: str, part: str = "") -> Fault:
    return Fault(
        file=file,
        line=_line(text, part, name),
        field=f"{part}.{name}" if part else name,
        value=str(value),
        problem=problem,
        cure=cure,
    )


def _line(text: str, part: str, name: str) -> int | None:
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[([^\]]+)\]", line)
        if head:
            section = head[1].strip()
            if section == name and not part:
                return number
        elif section == part and re.match(rf"\s*{re.escape(name)}\s*=", line):
            return number
    return None
