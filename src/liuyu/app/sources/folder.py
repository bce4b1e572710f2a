"""`kind = "folder"`: files that somebody drops: read whole they move to `done/`, with faults to `refused/`.

A file is read when it has not changed for a while, so that one that is still being written is left alone; write it
under a name that ends in `.part` and rename it, and it is read at once. Beside a refused file lies a text of the same
name that lists every fault; what is sound in it has been taken, and counts once when the mended file is dropped again.
"""

from __future__ import annotations

import hashlib
import logging
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from liuyu.app.sources import source
from liuyu.app.sources.source import Place, Wrong, deliver
from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput, BadPackage
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.readers import Reading, read_file, read_mapping
from liuyu.monitor.sense.readers.mapping import Mapping as MappingFile
from liuyu.store.inbox.interface import Parcel

PART = (".part", ".tmp")
WHOLE = 4 << 20  # bytes of a file that goes to the dead letters whole
_log = logging.getLogger("liuyu.sources")


class Settings(source.Settings, frozen=True, kw_only=True):
    """The folder, what its files are, by which mapping they are read, and how often it is looked into [s]."""

    path: str
    format: Literal["csv", "excel", "waterml2", "shef"]
    mapping: str = ""
    every: Annotated[float, msgspec.Meta(ge=0.05)] = 10.0

    def faults(self) -> Iterator[Wrong]:
        """A mapping that is missing or cannot be read."""
        if not self.mapping and self.format in ("csv", "excel"):
            yield "format", "needs a mapping", "add mapping; docs/reference/exchange.md tells what it holds"
        if self.mapping:
            try:
                read_mapping(Path(self.mapping))
            except BadPackage as error:
                yield from (("mapping", str(each), "mend the mapping file") for each in error.faults)


class Folder:
    """Satisfies `Source`."""

    def __init__(self, settings: Settings, place: Place) -> None:
        self.name, self._settings, self._place = settings.title, settings, place
        self._mapping = read_mapping(Path(settings.mapping)) if settings.mapping else MappingFile()
        self._path = Path(settings.path)
        self._seen: dict[Path, tuple[int, int]] = {}
        self._counts: Counter[str] = Counter()

    def run(self, stop: threading.Event) -> None:
        """Look, take, wait."""
        while not stop.is_set():
            for file in self._ready():
                if not self._take(file, stop):
                    return
            stop.wait(self._settings.every)

    def started(self, patience: float) -> str:
        """The folder, which is made where it is not there. Raises BadInput where it cannot be."""
        try:
            for each in (self._path / "done", self._path / "refused"):
                each.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BadInput(f"folder {self._path} cannot be used ({error.strerror}); give another") from None
        return f"{self._path} every {self._settings.every:g} s"

    def counts(self) -> Mapping[str, int]:
        """Files read whole and refused, values and asides."""
        return dict(self._counts)

    def _ready(self) -> list[Path]:
        """Files that are as they were when they were last looked at, by name."""
        found: dict[Path, tuple[int, int]] = {}
        for each in self._path.iterdir() if self._path.is_dir() else ():
            if each.is_file() and not each.name.startswith(".") and each.suffix not in PART:
                facts = each.stat()
                found[each] = (facts.st_size, facts.st_mtime_ns)
        ready = sorted(each for each, facts in found.items() if self._seen.get(each) == facts)
        self._seen = found
        return ready

    def again(self, kept: bytes, received: int) -> Parcel:
        """A file that held what was set aside, read once more as a whole. Raises BadInput where it cannot be."""
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "letter"
            file.write_bytes(kept)
            reading, faults = self._read(file, received)
        if faults and not len(reading.batch):
            raise BadInput("; ".join(faults[:3]))
        return self._parcel(reading, kept, received)

    def _take(self, file: Path, stop: threading.Event) -> bool:
        now, content = self._place.clock(), file.read_bytes()
        reading, faults = self._read(file, now)
        parcel = replace(self._parcel(reading, content, now), key=f"{self.name} {hashlib.sha256(content).hexdigest()}")
        if (len(parcel.batch) or parcel.asides) and not deliver(self._place.inbox, parcel, stop):
            return False
        self._put_away(file, faults, len(reading.batch))
        self._counts.update(values=len(reading.batch), asides=len(parcel.asides))
        self._counts["refused" if faults else "done"] += 1
        return True

    def _read(self, file: Path, now: int) -> tuple[Reading, list[str]]:
        """What a file holds, and every fault of it."""
        try:
            reading = read_file(file, self._settings.format, self._mapping, self._place.basin, moment(now))
            return reading, [str(each) for each in reading.faults]
        except BadPackage as error:
            return Reading(Batch.empty(self._place.basin.roster)), [str(each) for each in error.faults]
        except BadInput as error:
            return Reading(Batch.empty(self._place.basin.roster)), [str(error)]

    def _parcel(self, reading: Reading, content: bytes, now: int) -> Parcel:
        """The values, and where anything was set aside the whole file, which can be read again; a large one in part."""
        batch = replace(reading.batch, source=self.name)
        asides = tuple(replace(each, source=self.name) for each in reading.asides)
        if asides and len(content) <= WHOLE:
            asides = (Aside(self.name, "; ".join(each.reason for each in asides), content),)
        return Parcel(self.name, now, batch, asides)

    def _put_away(self, file: Path, faults: list[str], values: int) -> None:
        goal = _free(self._path / ("refused" if faults else "done") / file.name)
        if faults:
            head = f"{file.name}: {len(faults)} faults; {values} values without fault were taken\n"
            goal.with_name(f"{goal.name}.txt").write_text(head + "\n".join(faults) + "\n", encoding="utf-8")
            _log.warning(
                "%s: %s was refused: %d faults, listed beside it in %s", self.name, file.name, len(faults), goal
            )
        file.replace(goal)


def _free(file: Path) -> Path:
    """The same name, or with a number where that is taken."""
    number, goal = 1, file
    while goal.exists():
        number += 1
        goal = file.with_name(f"{file.stem}~{number}{file.suffix}")
    return goal


def open_source(settings: Settings, place: Place) -> Folder:
    """The folder, not yet looked into."""
    return Folder(settings, place)
