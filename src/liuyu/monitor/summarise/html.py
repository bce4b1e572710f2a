"""A report as one HTML file: no script, no outside address, ready to print."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from importlib.resources import files
from typing import Any

from liuyu.monitor.summarise.blocks import (
    Block,
    Card,
    Cards,
    Cell,
    Column,
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

_SHORT = 14  # letters that are kept on one line


def page_to_html(what: Page) -> bytes:
    """A page of blocks as self-contained HTML in UTF-8."""
    return _Writer(what).whole().encode("utf-8")


class _Writer:
    """Writes one page. Headings are numbered as they come."""

    def __init__(self, what: Page) -> None:
        self._page = what
        self._numbers = [0, 0]
        self._known = {row[0] for block in what.blocks if isinstance(block, LogIndex) for row in block.rows}
        self._writers: dict[type, Callable[[Any], str]] = {
            Heading: self._heading,
            Paragraph: self._paragraph,
            Cards: self._cards,
            Table: self._table,
            Figure: self._figure,
            Gallery: self._gallery,
            Timeline: self._timeline,
            Remark: self._remark,
            LogIndex: self._index,
        }

    def whole(self) -> str:
        what = self._page
        style = files("liuyu.monitor.summarise").joinpath("report.css").read_text(encoding="utf-8")
        lang = {"zh": "zh-CN", "en": "en"}[what.language]
        body = "\n".join(self._block(each) for each in what.blocks)
        label = f'<p class="label">{escape(what.label)}</p>' if what.label else ""
        foot = " · ".join(each for each in (what.footer, what.label) if each)
        head = f'<p class="kicker">{escape(what.kicker)}</p><h1>{escape(what.title)}</h1>'
        return (
            f'<!doctype html>\n<html lang="{lang}">\n<head>\n<meta charset="utf-8">\n'
            '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
            '<link rel="icon" href="data:,">\n'
            f"<title>{escape(what.title)} · {escape(what.period)}</title>\n"
            f"<style>\n{style}</style>\n</head>\n<body>\n"
            f'<header>{head}<p class="period">{escape(what.period)}</p>{label}</header>\n'
            f"{self._contents()}\n<main>\n{body}\n</main>\n<footer>{escape(foot)}</footer>\n</body>\n</html>\n"
        )

    def _contents(self) -> str:
        titles = [each.text for each in self._page.blocks if isinstance(each, Heading) and each.level == 1]
        links = (f'<a href="#s{number}">{number} {escape(text)}</a>' for number, text in enumerate(titles, 1))
        return f'<nav aria-label="{escape(self._page.contents)}">{"".join(links)}</nav>'

    def _block(self, block: Block) -> str:
        return self._writers[type(block)](block)

    def _heading(self, block: Heading) -> str:
        if block.level == 1:
            self._numbers = [self._numbers[0] + 1, 0]
            first = self._numbers[0]
            return f'<h2 id="s{first}"><span>{first}</span>{escape(block.text)}</h2>'
        self._numbers[1] += 1
        return f"<h3><span>{self._numbers[0]}.{self._numbers[1]}</span>{escape(block.text)}</h3>"

    def _paragraph(self, block: Paragraph) -> str:
        kind = ' class="lead"' if block.lead else ""
        return f"<p{kind}>{''.join(self._text(each) for each in block.cells)}</p>"

    def _cards(self, block: Cards) -> str:
        return f'<div class="cards">{"".join(self._card(each) for each in block.cards)}</div>'

    def _card(self, card: Card) -> str:
        unit = f"<small>{escape(card.unit)}</small>" if card.unit else ""
        below = f'<p class="below">{escape(card.below)}</p>' if card.below else ""
        tone = f" t-{card.tone}" if card.tone else ""
        return f'<div class="card{tone}"><p>{escape(card.label)}</p><b>{escape(card.value)}{unit}</b>{below}</div>'

    def _table(self, block: Table) -> str:
        heads = "".join(f"<th{_align(each)}>{escape(each.label)}{_unit(each)}</th>" for each in block.columns)
        rows = "".join(
            "<tr>"
            + "".join(self._cell(cell, column) for cell, column in zip(row, block.columns, strict=True))
            + "</tr>\n"
            for row in block.rows
        )
        caption = f"<caption>{escape(block.caption)}</caption>" if block.caption else ""
        note = f'<p class="note">{escape(block.note)}</p>' if block.note else ""
        dense = " dense" if block.dense else ""
        return (
            f'<div class="table{dense}"><table>{caption}<thead><tr>{heads}</tr></thead>'
            f"<tbody>{rows}</tbody></table></div>{note}"
        )

    def _cell(self, cell: Cell, column: Column) -> str:
        pill = " pill" if column.align == "center" and cell.tone and not cell.below else ""
        below = f'<span class="below">{escape(cell.below)}</span>' if cell.below else ""
        short = " short" if len(cell.text) <= _SHORT else ""
        kind = (("" if column.align == "left" else column.align) + short).strip()
        return f'<td class="{kind}">{self._text(cell, pill)}{below}</td>'

    def _text(self, cell: Cell, extra: str = "") -> str:
        shown = escape(cell.text)
        shown = f"<strong>{shown}</strong>" if cell.strong else shown
        if cell.tone:
            shown = f'<span class="t-{cell.tone}{extra}">{shown}</span>'
        links = ",".join(f'<a href="#e{seq}">{seq}</a>' for seq in cell.refs if seq in self._known)
        return f"{shown}<sup>{links}</sup>" if links else shown

    def _figure(self, block: Figure) -> str:
        caption = f"<figcaption>{escape(block.caption)}</figcaption>" if block.caption else ""
        return f"<figure>{block.svg}{caption}</figure>"

    def _gallery(self, block: Gallery) -> str:
        return f'<div class="gallery">{"".join(self._figure(each) for each in block.figures)}</div>'

    def _timeline(self, block: Timeline) -> str:
        rows = "".join(
            f'<li class="m-{each.tone}"><time>{escape(each.time)}</time><span class="what">{escape(each.label)}</span>'
            f"<span>{self._text(each.text)}</span></li>\n"
            for each in block.moments
        )
        return f'<ol class="timeline">{rows}</ol>'

    def _remark(self, block: Remark) -> str:
        return f'<p class="note">{escape(block.text)}</p>'

    def _index(self, block: LogIndex) -> str:
        heads = "".join(f"<th>{escape(each)}</th>" for each in block.columns)
        rows = "".join(
            f'<tr id="e{seq}"><td>{seq}</td>' + "".join(f"<td>{escape(each)}</td>" for each in rest) + "</tr>\n"
            for seq, *rest in block.rows
        )
        return f'<div class="table index"><table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table></div>'


def _align(column: Column) -> str:
    return "" if column.align == "left" else f' class="{column.align}"'


def _unit(column: Column) -> str:
    return f"<small>{escape(column.unit)}</small>" if column.unit else ""
