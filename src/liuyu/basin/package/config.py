"""`basin.toml`: what the package is, which files go with it, and the layers of its scene."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from liuyu.basin import bundle
from liuyu.basin.clock import parse_time
from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.basin.package.columns import CONFIG_FILE
from liuyu.basin.package.reading import Faults, inside, near, read_text
from liuyu.basin.places import Layer

LAYER_KINDS = ("rivers", "lakes", "boundary", "subbasins", "terrain", "dams")
_TEXTS = ("code", "name", "name_en", "time_zone")
_OPTIONAL_TEXTS = (
    "attribution",
    "attribution_zh",
    "archive",
    "model_file",
    "playbook_file",
    "reservoir_rules_file",
    "recipients_file",
    "channel",
    "plain",
)
_FILE_LISTS = ("rule_files", "notice_files", "plan_files")
_IN_FOLDER = ("model_file", "playbook_file", "reservoir_rules_file", "recipients_file")
_FOLDERS = {"channel": "reaches.csv", "plain": "plain.toml"}  # and the file that such a folder must hold
KEYS = (*_TEXTS, "synthetic", *_OPTIONAL_TEXTS, *_FILE_LISTS, "demonstration", "layers")
_LAYER_KEYS = ("kind", "path", "source", "licence")


@dataclass(slots=True)
class Config:
    """What basin.toml says, as far as it could be read."""

    texts: dict[str, str] = field(default_factory=dict)
    synthetic: bool = False
    zone: ZoneInfo | None = None
    demonstration: tuple[datetime, datetime] | None = None
    files: dict[str, tuple[str, ...]] = field(default_factory=dict)
    layers: tuple[Layer, ...] = ()

    @property
    def named_files(self) -> set[str]:
        """Every file of the package that basin.toml names."""
        named = {path for paths in self.files.values() for path in paths}
        singles = {self.texts.get(key, "") for key in ("archive", *_IN_FOLDER)}
        return (named | singles | {layer.path for layer in self.layers}) - {""}


class _Reader:
    """Reads one parsed basin.toml; `line` finds where a key stands, since the parser does not say."""

    def __init__(self, folder: Path, text: str, content: dict[str, Any], faults: Faults) -> None:
        self.folder, self.content, self.faults = folder, content, faults
        self._lines = text.splitlines()

    def line(self, key: str, nth: int = 0) -> int | None:
        """The line on which a key, or table, stands for the nth time; None where it cannot be seen."""
        pattern = re.compile(rf"\s*(\[+\s*)?[\"']?{re.escape(key)}[\"']?\s*[=\].]")
        found = [number for number, each in enumerate(self._lines, 1) if pattern.match(each)]
        return found[nth] if nth < len(found) else None

    def fault(self, key: str, problem: str, cure: str, value: object = "", line: int | None = None) -> None:
        self.faults.add(CONFIG_FILE, problem, cure, line=line or self.line(key), field=key, value=value)

    def text(self, key: str, *, needed: bool) -> str:
        value = self.content.get(key)
        if value is None:
            if needed:
                self.faults.add(CONFIG_FILE, f"{key} is missing", f'add a line {key} = "..."', line=1)
            return ""
        if not isinstance(value, str):
            self.fault(key, "is not text", "put it in double quotes", value)
            return ""
        if needed and not value.strip():
            self.fault(key, "is blank", "say something", value)
        return value.strip()

    def files(self, key: str) -> tuple[str, ...]:
        value = self.content.get(key, [])
        if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
            self.fault(key, "is not a list of file names", f'write {key} = ["rules/levels.toml"]', value)
            return ()
        return tuple(each for each in value if self.there(key, each, self.line(key)))

    def there(self, key: str, path: str, line: int | None) -> bool:
        """Whether a file that must lie in the package does so; it is a fault if not."""
        if not inside(path):
            self.fault(key, "leads out of the package", "name a file within the folder", path, line)
        elif not (self.folder / path).is_file():
            beside = (self.folder / path).parent
            names = [each.name for each in beside.iterdir()] if beside.is_dir() else []
            self.fault(key, "names a file that is not there", near(Path(path).name, names, "add it"), path, line)
        else:
            return True
        return False

    def there_or_in_bundle(self, key: str, path: str, line: int | None) -> None:
        """Note a fault where neither the package nor a present bundle has the file."""
        if not inside(path):
            self.fault(key, "leads out of the package", "name a file of the package or the bundle", path, line)
            return
        try:
            bundled = bundle.bundle_folder()
        except LiuyuError:
            bundled = None
        if (self.folder / path).exists() or bundled is None or (bundled / path).exists():
            return
        self.fault(key, "is in neither the package nor the data bundle", "correct the path", path, line)

    def zone(self) -> ZoneInfo | None:
        name = self.text("time_zone", needed=True)
        if not name:
            return None
        try:
            return ZoneInfo(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            self.fault("time_zone", "is no time zone of the IANA table", "write it as Asia/Shanghai", name)
            return None

    def demonstration(self, zone: ZoneInfo | None) -> tuple[datetime, datetime] | None:
        table = self.content.get("demonstration")
        if table is None:
            return None
        if not isinstance(table, dict) or set(table) != {"start", "end"}:
            cure = 'write [demonstration] with start = "2020-08-10" and end = "2020-08-31"'
            self.fault("demonstration", "is not a table of start and end", cure, table)
            return None
        start, end = (self._moment(key, str(table[key]), zone) for key in ("start", "end"))
        if start is None or end is None:
            return None
        if start >= end:
            self.fault("end", "is not after the start of the demonstration", "put the later one at end", table["end"])
            return None
        return start, end

    def _moment(self, key: str, value: str, zone: ZoneInfo | None) -> datetime | None:
        try:
            return parse_time(value, zone or "UTC")
        except BadInput as error:
            problem, _, cure = str(error).partition("; ")
            self.fault(key, problem, cure, value)
            return None

    def layers(self) -> tuple[Layer, ...]:
        tables = self.content.get("layers", [])
        if not isinstance(tables, list) or not all(isinstance(each, dict) for each in tables):
            self.fault("layers", "is not a list of tables", "begin each layer with [[layers]]", tables)
            return ()
        return tuple(found for nth, each in enumerate(tables) if (found := self._layer(each, nth)))

    def _layer(self, table: dict[str, Any], nth: int) -> Layer | None:
        line = self.line("layers", nth)
        before = len(self.faults)
        for key, value in table.items():
            if key not in _LAYER_KEYS:
                cure = near(key, _LAYER_KEYS, f"known: {', '.join(_LAYER_KEYS)}")
                moved = "it belongs to the whole file: move it above the first [ ]"
                self.fault(key, "no such key of a layer", moved if key in KEYS else cure)
            elif not isinstance(value, str):
                self.fault(key, "is not text", "put it in double quotes", value, line)
        for key in ("kind", "path"):
            if key not in table:
                self.fault(key, f"the layer has no {key}", f'add {key} = "..."', "", line)
        kind, path = table.get("kind"), table.get("path")
        if isinstance(kind, str) and kind not in LAYER_KINDS:
            cure = near(kind, LAYER_KINDS, f"known: {', '.join(LAYER_KINDS)}")
            self.fault("kind", "is no kind of layer", cure, kind, line)
        if isinstance(path, str):
            self.there_or_in_bundle("path", path, line)
        return Layer(**table) if len(self.faults) == before else None


def read_config(folder: Path, faults: Faults) -> Config:
    """What basin.toml says; what is wrong with it goes to `faults`."""
    text = read_text(folder, CONFIG_FILE, faults)
    content = _parse(text, faults) if text is not None else None
    if text is None or content is None:
        return Config()
    reader = _Reader(folder, text, content, faults)
    for key in content:
        if key not in KEYS:
            reader.fault(key, "no such key", near(key, KEYS, f"known: {', '.join(KEYS)}"), content[key])
    config = Config(zone=reader.zone())
    config.texts = {key: reader.text(key, needed=key in _TEXTS) for key in (*_TEXTS, *_OPTIONAL_TEXTS)}
    config.synthetic = _flag(reader)
    config.demonstration = reader.demonstration(config.zone)
    config.files = {key: reader.files(key) for key in _FILE_LISTS}
    config.layers = reader.layers()
    _check_texts(reader, config.texts)
    return config


def _parse(text: str, faults: Faults) -> dict[str, Any] | None:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        found = re.search(r"\(at line (\d+), column \d+\)", str(error))
        line = int(found[1]) if found else text.count("\n") + 1
        problem = re.sub(r" \(at .*\)", "", str(error))
        faults.add(CONFIG_FILE, f"is not TOML: {problem}", "mend this line", line=line)
    except RecursionError:
        faults.add(CONFIG_FILE, "is nested too deep", "write plain keys and [[layers]] alone")
    return None


def _flag(reader: _Reader) -> bool:
    value = reader.content.get("synthetic")
    if value is None:
        cure = "add synthetic = true where the data are made up, else false"
        reader.faults.add(CONFIG_FILE, "synthetic is missing", cure, line=1)
    elif not isinstance(value, bool):
        reader.fault("synthetic", "is neither true nor false", "write true or false without quotes", value)
    return value is True


def _check_texts(reader: _Reader, texts: dict[str, str]) -> None:
    if texts["code"] and not re.fullmatch(r"[a-z0-9_-]+", texts["code"]):
        reader.fault("code", "is no code of a basin", "use small letters, digits, - and _", texts["code"])
    for key in _IN_FOLDER:
        if texts[key]:
            reader.there(key, texts[key], reader.line(key))
    for key, file in _FOLDERS.items():
        if texts[key]:
            reader.there(key, f"{texts[key]}/{file}", reader.line(key))
    if texts["archive"]:
        reader.there_or_in_bundle("archive", texts["archive"], reader.line("archive"))
