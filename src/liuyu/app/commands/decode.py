"""`liuyu decode`: frames of telemetry as JSON, a line for a line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

import click
import msgspec

from liuyu.basin.clock import epoch, parse_time
from liuyu.monitor.sense import sl651, szy206
from liuyu.monitor.sense.sl651.lines import to_line as sl651_line
from liuyu.monitor.sense.sl651.lines import wall_clock
from liuyu.monitor.sense.sl651.text_form import packed
from liuyu.monitor.sense.szy206.lines import to_line as szy206_line

LONGEST_LINE = 1 << 20
SOURCE = click.argument("source", metavar="FILE|-", type=click.File("rb"))
NOW = click.option("--now", metavar="TIME", help="The centre's clock, to judge the stations' by.")
Line = dict[str, Any]


@click.group()
def decode() -> None:
    """Read frames of hydrological telemetry, a frame of hex digits a line, and write a JSON object a line.

    Spaces within a line are allowed; blank lines and those that begin with # are passed over. A frame that cannot be
    taken becomes an object with `error`; the command goes on.

    Example: liuyu decode sl651 frames.txt
    """


@decode.command("sl651")
@SOURCE
@click.option(
    "--dialect", "files", multiple=True, type=click.Path(path_type=Path), help="TOML of stations that differ."
)
@click.option("--pictures", type=click.Path(path_type=Path, file_okay=False), help="Folder for whole pictures.")
@NOW
def decode_sl651(source: IO[bytes], files: tuple[Path, ...], pictures: Path | None, now: str | None) -> None:
    """Read frames of SL 651-2014, hexadecimal or ASCII form, up or down.

    The line of the last packet of a message in several packets has `whole`: the message that they make up.

    Example: liuyu decode sl651 frames.txt --dialect stations.toml
    """
    dialects = sl651.read_dialects(files)
    clock, assembler = _clock(now), sl651.Assembler(dialects)

    def read(frame: bytes, number: int) -> Line:
        said = sl651.decode(frame, dialects, clock)
        line = sl651_line(said, dialects)
        if isinstance(said, sl651.Message) and said.packet is not None:
            whole = assembler.add(said, number if clock is None else clock)
            if whole is not None:
                line["whole"] = sl651_line(whole, dialects)
                _keep_pictures(whole, pictures)
        return line

    _each_line(source, read)


@decode.command("szy206")
@SOURCE
@NOW
def decode_szy206(source: IO[bytes], now: str | None) -> None:
    """Read frames of SZY 206-2016 and SL/T 427-2021, up or down.

    A time tag of five bytes has no month; with --now it becomes a whole time, without it `send_time` is null.

    Example: liuyu decode szy206 meters.txt --now 2026-07-09T09:00
    """
    clock = _clock(now)
    _each_line(source, lambda frame, _: szy206_line(szy206.decode(frame, clock)))


def _clock(now: str | None) -> int | None:
    return None if now is None else epoch(parse_time(now, "Asia/Shanghai"))


def _each_line(source: IO[bytes], read: Callable[[bytes, int], Line]) -> None:
    for number, text in _lines(source):
        frame = _frame(text)
        line = read(frame, number) if frame is not None else {"crc_ok": False, "error": "text: not hex digits in pairs"}
        click.echo(msgspec.json.encode({"line": number, **line}))


def _lines(source: IO[bytes]) -> Iterator[tuple[int, str]]:
    """The lines that hold frames, with their numbers; an endless line is cut, since no frame is that long."""
    number = 0
    while chunk := source.readline(LONGEST_LINE):
        number += 1
        rest = chunk
        while len(rest) == LONGEST_LINE and not rest.endswith(b"\n"):
            rest = source.readline(LONGEST_LINE)
        text = chunk.decode("utf-8", "replace").strip("\ufeff \t\r\n")
        if text and not text.startswith("#"):
            yield number, text


def _frame(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None


def _keep_pictures(whole: sl651.Message, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    for _, element in whole.elements():
        if element.id == "F3":
            time = (wall_clock(whole.sent) or "").replace(" ", "T").replace(":", "")
            raw = element.raw if whole.form == "hex" else packed(element.raw)
            (folder / f"{whole.station}-{time}.jpg").write_bytes(raw)
