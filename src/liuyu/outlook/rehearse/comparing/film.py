"""A film of a flood, of one scenario or of two beside each other: relief, depth, the clock. Same results, same bytes.

GIF by Pillow; MP4 where `imageio-ffmpeg` (liuyu[film]) brings a coder.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any

import msgspec
import netCDF4
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.outlook.rehearse.flooding.draw import Canvas, legend, painted, places_of, relief
from liuyu.outlook.rehearse.flooding.pictures import read_maximum

PANEL = 480  # width of a panel [pixels]
HEAD, FOOT, GAP = 34, 40, 8
_LONGEST = 160  # frames
Font = Any


@dataclass(frozen=True, slots=True)
class Shown:
    """A flood that is shown: its folder, its title, its base moment [s UTC]."""

    folder: Path
    title: str
    base: int


def make_film(
    path: Path, floods: Sequence[Shown], zone: tzinfo, language: str, font: Path | None, *, rate: float = 6.0
) -> int:
    """Write a film of floods side by side, as .gif or .mp4; returns how many frames it has.

    A moment at which one of them has no frame shows its last before. Raises BadInput where there is nothing to show, or
    no coder for .mp4.
    """
    if not floods:
        raise BadInput("there is no flood to film; give results that hold one")
    panels = [_Panel(each) for each in floods]
    times = sorted({at for each in panels for at in each.times})
    times = times[:: -(-len(times) // _LONGEST)]
    frames = _frames(panels, times, zone, language, _font(font, 16), _font(font, 12))
    if path.suffix == ".gif":
        return _write_gif(path, frames, rate)
    if path.suffix == ".mp4":
        return _write_mp4(path, frames, rate)
    raise BadInput(f"a film ends in .gif or .mp4, not in {path.suffix!r}")


class _Panel:
    """One flood on its relief, at any time."""

    def __init__(self, shown: Shown) -> None:
        self.shown = shown
        grid = read_maximum(shown.folder / "maximum.tif")[1]
        self.canvas = Canvas(grid, PANEL)
        told = msgspec.json.decode((shown.folder / "pictures.json").read_bytes())
        self.times = [shown.base + round(each) for each in told["times_s"]]
        with netCDF4.Dataset(shown.folder / "flow.nc") as file:
            bed = np.ma.filled(file["bed"][:].astype(float), np.nan)
            self.depths = np.ma.filled(file["depth"][:].astype(np.float32), np.nan)
        laid = self.canvas.lay(bed, np.nan, smooth=True)
        self.ground = Image.fromarray(relief(laid)).convert("RGB")
        self.size = (self.canvas.shape[1], self.canvas.shape[0])

    def at(self, time: int) -> Image.Image:
        """The flood at a time [s UTC], or at its last frame before."""
        place = max(int(np.searchsorted(self.times, time, side="right")) - 1, 0)
        classes = places_of("depth", None, self.depths[place].astype(float)).astype(np.int16)
        water = Image.fromarray(painted(self.canvas.lay(classes, -1).astype(np.int64), "depth"))
        picture = self.ground.copy()
        picture.paste(water, (0, 0), water)
        return picture


def _frames(
    panels: Sequence[_Panel], times: Sequence[int], zone: tzinfo, language: str, large: Font, small: Font
) -> Iterator[Image.Image]:
    width = sum(each.size[0] for each in panels) + GAP * (len(panels) - 1)
    height = max(each.size[1] for each in panels)
    wide, high = (-(-each // 2) * 2 for each in (max(width, 420), HEAD + height + FOOT))  # a coder wants even numbers
    for place, time in enumerate(times):
        sheet = Image.new("RGB", (wide, high), "#ffffff")
        pen = ImageDraw.Draw(sheet)
        left = 0
        for panel in panels:
            sheet.paste(panel.at(time), (left, HEAD))
            pen.text((left + 6, 8), _short(panel.shown.title, panel.size[0] - 12, large), fill="#1b1b1b", font=large)
            left += panel.size[0] + GAP
        below = HEAD + height
        pen.text((6, below + 14), f"{moment(time, zone):%Y-%m-%d %H:%M}", fill="#1b1b1b", font=large)
        _draw_legend(pen, 170, below + 14, wide, language, small)
        done = (place + 1) / len(times)
        pen.rectangle((0, below + 3, round(done * (wide - 1)), below + 6), fill="#2272c3")
        yield sheet


def _draw_legend(pen: Any, left: int, top: int, wide: int, language: str, font: Font) -> None:
    for entry in legend()["depth"]:
        label = entry["label"][language]
        room = 22 + round(pen.textlength(label, font=font)) + 10
        if left + room > wide:
            return
        pen.rectangle((left, top + 2, left + 14, top + 16), fill=entry["colour"], outline="#777777")
        pen.text((left + 19, top + 2), label, fill="#333333", font=font)
        left += room


def _short(text: str, room: int, font: Font) -> str:
    """As much of a text as fits."""
    if font.getlength(text) <= room:
        return text
    while text and font.getlength(text + "…") > room:
        text = text[:-1]
    return text + "…"


def _font(path: Path | None, size: int) -> Font:
    return ImageFont.truetype(str(path), size) if path is not None and path.is_file() else ImageFont.load_default(size)


def _write_gif(path: Path, frames: Iterator[Image.Image], rate: float) -> int:
    """One palette for all frames, so that colours do not flicker."""
    pictures = list(frames)
    palette = pictures[len(pictures) // 2].quantize(128, method=Image.Quantize.MEDIANCUT)
    made = [each.quantize(palette=palette, dither=Image.Dither.NONE) for each in pictures]
    pause = [round(1000 / rate)] * (len(made) - 1) + [2000]
    made[0].save(path, save_all=True, append_images=made[1:], duration=pause, loop=0, optimize=False, disposal=1)
    return len(made)


def _write_mp4(path: Path, frames: Iterator[Image.Image], rate: float) -> int:
    try:
        coder: Any = import_module("imageio_ffmpeg")
    except ImportError:
        raise BadInput(f"{path.name} needs a coder; pip install liuyu[film], or name the film .gif") from None
    count, writer = 0, None
    for each in frames:
        if writer is None:
            options = ["-bitexact", "-map_metadata", "-1"]
            writer = coder.write_frames(
                str(path), each.size, fps=rate, codec="libx264", quality=7, macro_block_size=2, output_params=options
            )
            writer.send(None)
        writer.send(np.asarray(each).tobytes())
        count += 1
    if writer is not None:
        writer.close()
    return count


def floods_of(results: Sequence[tuple[Path, Mapping[str, Any]]], name: str, language: str, base: Any) -> list[Shown]:
    """The floods of a name in some results, to be filmed; the median of each."""
    return [
        Shown(folder / "floods" / name / "median", str(told["name"][language]), base(told))
        for folder, told in results
        if any(each["flood"] == name and each["member"] == "median" for each in told.get("floods", ()))
    ]
