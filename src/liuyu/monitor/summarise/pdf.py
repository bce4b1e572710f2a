"""A report as PDF, set by Typst. The creation time is the report's end, so that the same report gives the same bytes.

Needs a font with Chinese characters: the build puts Noto Sans SC into `fonts/` beside this file; without it a system
font serves, and a report may then look different on another machine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import typst

from liuyu.basin.errors import NotFound
from liuyu.monitor.summarise.blocks import (
    Block,
    Cards,
    Cell,
    Figure,
    Gallery,
    Heading,
    LogIndex,
    Page,
    Paragraph,
    Remark,
    Table,
    Timeline,
)

FONT_FOLDER = Path(__file__).parent / "fonts"
_WHOLE = 260.0  # [pt]: a table that is lower than this is not broken across pages
FAMILIES = (
    *("Noto Sans SC", "Noto Sans CJK SC", "Source Han Sans SC", "Source Han Sans CN", "PingFang SC"),
    *("Microsoft YaHei", "WenQuanYi Micro Hei", "WenQuanYi Zen Hei", "SimHei", "Droid Sans Fallback"),
)


def page_to_pdf(what: Page) -> bytes:
    """A page of blocks as PDF. Raises NotFound where no font with Chinese characters is at hand."""
    fonts, family = find_fonts(FONT_FOLDER)
    source = _Writer(what, family).whole()
    pdf: bytes = typst.compile(
        source.encode("utf-8"), font_paths=fonts, ignore_system_fonts=True, timestamp=what.created, format="pdf"
    )
    return pdf


@cache
def find_fonts(folder: Path) -> tuple[Any, str]:
    """The fonts to set with, and the family to use: those of the folder, else the system's.

    Raises NotFound where neither has Chinese characters.
    """
    for system, paths in ((False, [str(folder)]), (True, [])):
        if not system and not any(folder.glob("*.[to]tf")):
            continue
        fonts = typst.Fonts(include_system_fonts=system, include_embedded_fonts=True, font_paths=paths)
        known = set(fonts.families())
        family = next((each for each in FAMILIES if each in known), None)
        if family:
            return fonts, family
    raise NotFound(
        f"no font with Chinese characters in {folder.name}/ or on this system; "
        "run `make up` once to build it in, or install Noto Sans SC"
    )


class _Writer:
    """Writes a page as Typst source: the template, then one call for each block."""

    def __init__(self, what: Page, family: str) -> None:
        self._page, self._family = what, family
        self._known = {row[0] for block in what.blocks if isinstance(block, LogIndex) for row in block.rows}
        self._writers: dict[type, Callable[[Any], str]] = {
            Heading: lambda block: f"#heading(level: {block.level}, {text(block.text)})",
            Paragraph: self._paragraph,
            Cards: self._cards,
            Table: self._table,
            Figure: lambda block: f"#figured({text(block.svg)})",
            Gallery: lambda block: call("gallery", *(text(each.svg) for each in block.figures)),
            Timeline: self._timeline,
            Remark: lambda block: call("remark", text(block.text)),
            LogIndex: self._index,
        }

    def whole(self) -> str:
        what = self._page
        template = files("liuyu.monitor.summarise").joinpath("report.typ").read_text(encoding="utf-8")
        named = (
            f"title: {text(what.title)}, kicker: {text(what.kicker)}, period: {text(what.period)}, "
            f"note: {text(what.label)}, foot: {text(what.footer)}, lang: {text(what.language)}, "
            f"fonts: ({text(self._family)},)"
        )
        body = "\n".join(self._block(each) for each in what.blocks)
        return f"{template}\n#show: report.with({named})\n{body}\n"

    def _block(self, block: Block) -> str:
        return self._writers[type(block)](block)

    def _paragraph(self, block: Paragraph) -> str:
        lead = f"lead: {str(block.lead).lower()}, lang: {text(self._page.language)}"
        return call("para", lead, *(self._cell(each) for each in block.cells))

    def _cards(self, block: Cards) -> str:
        cards = (
            f"card({text(each.label)}, {text(each.value)}, unit: {text(each.unit)}, below: {text(each.below)}, "
            f"tone: {text(each.tone)})"
            for each in block.cards
        )
        return call("cards", *cards)

    def _table(self, block: Table) -> str:
        shares = (f"{each.share:g}fr" for each in block.columns)
        heads = (f"({text(each.label)}, {text(each.unit)})" for each in block.columns)
        rows = (tuple_of(self._cell(cell) for cell in row) for row in block.rows)
        return call(
            "data",
            f"columns: {tuple_of(shares)}",
            f"aligns: {tuple_of(each.align for each in block.columns)}",
            f"heads: {tuple_of(heads)}",
            f"rows: {tuple_of(rows)}",
            f"note: {text(block.note)}",
            f"dense: {str(block.dense).lower()}",
            f"whole: {str(_height(block) < _WHOLE).lower()}",
        )

    def _timeline(self, block: Timeline) -> str:
        moments = (
            f"event({text(each.time)}, {text(each.tone)}, {text(each.label)}, {self._cell(each.text)})"
            for each in block.moments
        )
        return call("timeline", *moments)

    def _index(self, block: LogIndex) -> str:
        number, time, _, name, state = block.columns
        rows = (
            f"logged({seq}, {text(when)}, {text(_breakable(code))}, {text(stands)})"
            for seq, when, _, code, stands in block.rows
        )
        return call("index", f"heads: {tuple_of(text(each) for each in (number, time, name, state))}", *rows)

    def _cell(self, cell: Cell) -> str:
        known = [str(seq) for seq in cell.refs if seq in self._known]
        cite = f", cite: refs({', '.join(known)})" if known else ""
        below = f", below: {text(cell.below)}" if cell.below else ""
        strong = ", strong: true" if cell.strong else ""
        tone = f", tone: {text(cell.tone)}" if cell.tone else ""
        return f"c({text(cell.text)}{tone}{strong}{below}{cite})"


def text(content: str) -> str:
    """A string literal of Typst."""
    escaped = content.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'


def tuple_of(items: Iterable[str]) -> str:
    """An array literal of Typst; the comma after a single item keeps it one."""
    return "(" + "".join(f"{each}, " for each in items) + ")"


def call(name: str, *arguments: str) -> str:
    """A call of one of the template's functions, on a line for each argument."""
    return f"#{name}(\n  " + ",\n  ".join(arguments) + "\n)"


def _breakable(code: str) -> str:
    """An event's id that may be broken after its colons and hyphens."""
    return code.replace(":", ":\u200b").replace("-", "-\u200b").replace("T", "T\u200b")


def _height(block: Table) -> float:
    """About how tall a table will be [pt]."""
    lines = sum(2 if any(cell.below for cell in row) else 1 for row in block.rows)
    return lines * (13.0 if block.dense else 17.0)
