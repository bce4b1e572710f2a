"""Options and words that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import msgspec
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from liuyu.app.config import Config, read_config

DEFAULT_CONFIG = Path("liuyu.toml")
Command = TypeVar("Command", bound=Callable[..., Any])


def course_options(command: Command) -> Command:
    """The options that say what is run: configuration, basin, period, observations."""
    for option in (
        click.option("--observations", metavar="FILE", help="Parquet or CSV with the archive's columns."),
        click.option("--to", "end", metavar="TIME", help="End of the period; a date means the whole day."),
        click.option("--from", "start", metavar="TIME", help="Start of the period, in the basin's time zone."),
        click.option("--basin", metavar="NAME|FOLDER", help="A shipped basin, or the folder of a basin package."),
        click.option("--config", "config_file", type=click.Path(path_type=Path), help="A liuyu.toml."),
    ):
        command = option(command)
    return command


def configure(
    config_file: Path | None,
    basin: str | None = None,
    start: str | None = None,
    end: str | None = None,
    observations: str | None = None,
    **replay: Any,
) -> Config:
    """The configuration of a file, `liuyu.toml` here if there is one, with what the command line says laid over it."""
    if config_file is None and DEFAULT_CONFIG.exists():
        config_file = DEFAULT_CONFIG
    config = read_config(config_file)
    wanted = {"start": start, "end": end, "observations": observations, **replay}
    given = {name: each for name, each in wanted.items() if each is not None}
    config = msgspec.structs.replace(config, replay=msgspec.structs.replace(config.replay, **given))
    return msgspec.structs.replace(config, basin=basin) if basin else config


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[float], None]]:
    """A bar on the error stream that hears the share done; silent where nobody looks or JSON is wanted."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(what, total=1.0)
        yield lambda share: bar.update(task, completed=share)


def say(result: Any, text: str, *, as_json: bool) -> None:
    """Print a result as JSON for programs, or as a sentence for people."""
    click.echo(msgspec.json.format(msgspec.json.encode(result), indent=2).decode() if as_json else text)
