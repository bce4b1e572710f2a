"""What to run: the basin, its archive and the period, from the configuration and what is there.

Where the archive of the wanted basin is absent, a small synthetic basin takes its place; its archive is made here.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import liuyu
from liuyu.app.config import Config, Outlook
from liuyu.basin.bundle import bundle_file, bundle_folder
from liuyu.basin.clock import DAY, epoch, moment, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.twin import make_archive

FLAGSHIP = "yangtze"
STANDBY = "qingxi"
SYNTHETIC_SEED = 2020


@dataclass(frozen=True, slots=True)
class Course:
    """One run over an archive: what is twinned, from which observations, from when to when, in which steps [s]."""

    basin: Basin
    observations: Path
    start: int
    end: int
    step: int
    warm_up: int
    forecast_hours: int
    outlook: Outlook = field(default_factory=Outlook)

    @property
    def key(self) -> str:
        """A digest of everything that the results depend on; a run may go on only under the same key."""
        digest = hashlib.sha256()
        for part in (liuyu.__version__, self.start, self.end, self.step, self.warm_up, self.forecast_hours):
            digest.update(f"{part}\n".encode())
        if self.outlook.rain:
            digest.update(repr(self.outlook).encode())
        package = Path(self.basin.folder)
        for file in sorted(each for each in package.rglob("*") if each.is_file()):
            digest.update(str(file.relative_to(package)).encode() + b"\0" + file.read_bytes())
        with self.observations.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
        return digest.hexdigest()


def choose(config: Config, scratch: Path) -> Course:
    """The course that a configuration asks for. `scratch` takes the archive of a synthetic basin.

    Raises NotFound for a basin or file that is not there, BadPackage for one with faults, BadInput for a bad period.
    """
    basin = read_basin(find_basin(config.basin or _default_basin()))
    observations = _observations(basin, config.replay.observations, scratch)
    start, end = _period(basin, config)
    step = config.replay.step_minutes * 60
    if end - start < step:
        raise BadInput(f"the period holds no step of {step // 60} minutes; end it later")
    warm_up = config.replay.warm_up_days * DAY
    return Course(basin, observations, start, end, step, warm_up, config.outlook.forecast_hours, config.outlook)


def _default_basin() -> str:
    folder = bundle_folder()
    if folder is None:
        return STANDBY
    archive = read_basin(find_basin(FLAGSHIP)).archive
    return FLAGSHIP if (folder / archive).exists() else STANDBY


def _observations(basin: Basin, named: str, scratch: Path) -> Path:
    if named:
        file = Path(named)
        if not file.is_file():
            raise NotFound(f"observations {named!r} are no file; give --observations a parquet or CSV file")
        return file
    if basin.synthetic:
        file = scratch / f"{basin.code}-synthetic-{SYNTHETIC_SEED}.parquet"
        if not file.exists():
            scratch.mkdir(parents=True, exist_ok=True)
            make_archive(basin, file, SYNTHETIC_SEED)
        return file
    if not basin.archive:
        raise NotFound(f"basin {basin.code!r} names no archive in basin.toml; give --observations a file")
    own = Path(basin.folder) / basin.archive
    return own if own.exists() else bundle_file(basin.archive)


def _period(basin: Basin, config: Config) -> tuple[int, int]:
    """The period that the configuration names, its ends filled up from the demonstration of the package [s UTC]."""
    shown = basin.demonstration or (None, None)
    first, last = (
        _moment(basin, text, like) for text, like in zip((config.replay.start, config.replay.end), shown, strict=True)
    )
    if first is None or last is None:
        raise BadInput(f"basin {basin.code!r} names no demonstration period; give both --from and --to")
    if len(config.replay.end.strip()) == len("2020-09-30"):
        last += DAY  # a day without a clock time means the whole day
    if last <= first:
        raise BadInput(f"the period ends at {moment(last, basin.zone)}, before it begins; swap --from and --to")
    return first, last


def _moment(basin: Basin, text: str, otherwise: datetime | None) -> int | None:
    if text:
        return epoch(parse_time(text, basin.zone))
    return None if otherwise is None else epoch(otherwise)
