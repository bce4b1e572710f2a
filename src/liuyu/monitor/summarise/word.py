"""A report as DOCX, for those who must work on it further: headings, tables and references are Word's own.

Drawings are pictures, rendered once. The creation time is the report's end and the parts of the file carry no clock, so
that the same report gives the same bytes.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape

import docx
import typst
from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls, qn
from docx.shared import Mm, Pt, RGBColor
from lxml import etree

from liuyu.basin.clock import moment
from liuyu.monitor.summarise.blocks import (
    Card,
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
from liuyu.monitor.summarise.pdf import FONT_FOLDER, find_fonts

_INK, _MUTED, _NAVY, _RULE, _WASH = "1D2B3A", "66768A", "0B3A5E", "DDE4EB", "F4F7FA"
_TONES: Mapping[str, str] = {
    "blue": "2B6CB0",
    "yellow": "9A7200",
    "orange": "C2550A",
    "red": "B81F26",
    "good": "1F7A4D",
    "muted": _MUTED,
}
_WIDTH = 176  # of the text on A4 [mm]
_SIZES = {"cards": 17.0, "table": 8.5, "dense": 7.5, "below": 7.0, "index": 6.5}  # [pt]
_PIXELS = 200.0  # of a drawing, per inch
_EPOCH = (1980, 1, 1, 0, 0, 0)


def page_to_docx(what: Page) -> bytes:
    """A page of blocks as a Word document. Raises NotFound where no font with Chinese characters is at hand."""
    file = io.BytesIO()
    _Writer(what).whole().save(file)
    return _without_clock(file.getvalue())


def _without_clock(content: bytes) -> bytes:
    """The same archive, with no time of writing in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for each in old.infolist():
            info = zipfile.ZipInfo(each.filename, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(info, old.read(each))
    return out.getvalue()


class _Writer:
    """Writes one page. Bodies are put together as WordprocessingML; the library keeps the package around them."""

    def __init__(self, what: Page) -> None:
        self._page = what
        self._numbers = [0, 0]
        self._known = {row[0] for block in what.blocks if isinstance(block, LogIndex) for row in block.rows}
        self._document = _blank(what)
        self._writers: dict[type, Callable[[Any], str]] = {
            Heading: self._heading,
            Paragraph: self._paragraph,
            Cards: self._cards,
            Table: self._table,
            Figure: lambda block: _line(self._picture(block, _WIDTH), centre=True),
            Gallery: self._gallery,
            Timeline: self._timeline,
            Remark: lambda block: _line(_run(block.text, _MUTED, 8.0)),
            LogIndex: self._index,
        }

    def whole(self) -> Document:
        body = self._document.element.body
        end = body.sectPr
        for piece in (self._title(), *(self._writers[type(each)](each) for each in self._page.blocks)):
            for element in parse_xml(f"<w:body {nsdecls('w', 'r', 'wp', 'a', 'pic')}>{piece}</w:body>"):
                end.addprevious(element)
        return self._document

    def _title(self) -> str:
        what = self._page
        lines = [
            _line(_run(what.kicker, _MUTED, 9.0)),
            _line(_run(what.title, ""), style="Title"),
            _line(_run(what.period, _NAVY, 12.0)),
        ]
        return "".join(lines) + (_line(_run(what.label, _TONES["orange"], 11.0, bold=True)) if what.label else "")

    def _heading(self, block: Heading) -> str:
        if block.level == 1:
            self._numbers = [self._numbers[0] + 1, 0]
            number = str(self._numbers[0])
        else:
            self._numbers[1] += 1
            number = f"{self._numbers[0]}.{self._numbers[1]}"
        return _line(_run(f"{number}  {block.text}", ""), style=f"Heading{block.level}")

    def _paragraph(self, block: Paragraph) -> str:
        return _line("".join(self._text(each, 10.5 if block.lead else 9.5) for each in block.cells))

    def _cards(self, block: Cards) -> str:
        share = [1.0] * len(block.cards)
        return _grid(share, [[self._card(each) for each in block.cards]], border=True)

    def _card(self, card: Card) -> str:
        colour = _TONES.get(card.tone, _NAVY)
        value = _run(card.value, colour, _SIZES["cards"], bold=True) + _run(f" {card.unit}", _MUTED, 9.0)
        below = _line(_run(card.below, _MUTED, 8.0)) if card.below else ""
        return _line(_run(card.label, _MUTED, 9.0)) + _line(value) + below

    def _table(self, block: Table) -> str:
        size = _SIZES["dense" if block.dense else "table"]
        heads = [
            _line(
                _run(each.label, "FFFFFF", size, bold=True) + (_run(f" {each.unit}", "FFFFFF", 6.5)), align=each.align
            )
            for each in block.columns
        ]
        rows = [
            [self._cell(cell, size, column.align) for cell, column in zip(row, block.columns, strict=True)]
            for row in block.rows
        ]
        caption = _line(_run(block.caption, _INK, 9.0, bold=True), keep=True) if block.caption else ""
        note = _line(_run(block.note, _MUTED, 8.0)) if block.note else ""
        return caption + _grid([each.share for each in block.columns], rows, heads=heads) + note

    def _cell(self, cell: Cell, size: float, align: str = "left") -> str:
        below = _line(_run(cell.below, _MUTED, _SIZES["below"]), align=align) if cell.below else ""
        return _line(self._text(cell, size), align=align) + below

    def _text(self, cell: Cell, size: float) -> str:
        known = [seq for seq in cell.refs if seq in self._known]
        cites = "".join(_link(seq, "" if seq == known[-1] else ",") for seq in known)
        return _run(cell.text, _TONES.get(cell.tone, _INK), size, bold=cell.strong) + cites

    def _gallery(self, block: Gallery) -> str:
        pictures = [_line(self._picture(each, _WIDTH / 2 - 4)) for each in block.figures]
        pictures += [_line("")] * (len(pictures) % 2)
        return _grid([1.0, 1.0], [pictures[at : at + 2] for at in range(0, len(pictures), 2)])

    def _picture(self, block: Figure, width: float) -> str:
        inline = self._document.part.new_pic_inline(io.BytesIO(_png(block.svg)), Mm(width), None)
        inline.docPr.set("descr", block.caption or _title_of(block.svg))
        return f"<w:r><w:drawing>{_bare(inline)}</w:drawing></w:r>"

    def _timeline(self, block: Timeline) -> str:
        rows = [
            [
                _line(_run(each.time, _MUTED, 8.0)),
                _line(_run(each.label, _TONES.get(each.tone, _MUTED), 8.0, bold=True)),
                self._cell(each.text, 8.5),
            ]
            for each in block.moments
        ]
        return _grid([1.3, 1.1, 6.0], rows)

    def _index(self, block: LogIndex) -> str:
        size = _SIZES["index"]
        heads = [_line(_run(each, "FFFFFF", 8.0, bold=True)) for each in block.columns]
        rows = []
        for seq, *rest in block.rows:
            mark = f'<w:bookmarkStart w:id="{seq}" w:name="e{seq}"/><w:bookmarkEnd w:id="{seq}"/>'
            rows.append([_line(mark + _run(str(seq), _INK, size)), *(_line(_run(each, _INK, size)) for each in rest)])
        return _grid([0.7, 1.6, 1.2, 5.0, 1.2], rows, heads=heads)


def _blank(what: Page) -> Document:
    """An empty document with the report's paper, fonts, headings, foot and properties."""
    document = docx.Document()
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.left_margin = section.right_margin = Mm((210 - _WIDTH) / 2)
    section.top_margin = section.bottom_margin = Mm(18)
    for name, size in (("Normal", 9.5), ("Title", 22), ("Heading 1", 15), ("Heading 2", 11.5)):
        style: Any = document.styles[name]
        style.font.name, style.font.size = "Noto Sans SC", Pt(size)
        fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
        for each in ("asciiTheme", "hAnsiTheme", "eastAsiaTheme", "cstheme"):
            fonts.attrib.pop(qn(f"w:{each}"), None)
        fonts.set(qn("w:eastAsia"), "Noto Sans SC")
        style.font.color.rgb = RGBColor.from_string(_INK if name == "Normal" else _NAVY)
    document.styles["Normal"].paragraph_format.space_after = Pt(3)
    foot = section.footer.paragraphs[0]
    foot.text = " · ".join(each for each in (what.footer, what.label) if each)
    foot.alignment = WD_ALIGN_PARAGRAPH.CENTER
    about = document.core_properties
    about.title, about.author, about.comments = f"{what.title} · {what.period}", "liuyu", what.label
    about.language = "zh-CN" if what.language == "zh" else "en"
    about.created = about.modified = moment(what.created).replace(tzinfo=None)
    return document


def _run(content: str, colour: str = _INK, size: float | None = None, *, bold: bool = False, up: bool = False) -> str:
    """A piece of text of one look; without a colour it has its paragraph's."""
    if not content.strip():
        return ""
    look = ("<w:b/>" if bold else "") + (f'<w:color w:val="{colour}"/>' if colour else "")
    look += f'<w:sz w:val="{round(2 * size)}"/>' if size else ""
    look += '<w:vertAlign w:val="superscript"/>' if up else ""
    parts = "<w:br/>".join(f'<w:t xml:space="preserve">{escape(_sound(each))}</w:t>' for each in content.split("\n"))
    return f"<w:r><w:rPr>{look}</w:rPr>{parts}</w:r>"


def _link(seq: int, after: str) -> str:
    """A raised number that leads to its event in the index."""
    return f'<w:hyperlink w:anchor="e{seq}">{_run(f"{seq}{after}", "7D9BB5", 7.0, up=True)}</w:hyperlink>'


def _sound(content: str) -> str:
    """Text without the control characters that XML forbids."""
    return "".join(each for each in content if each >= " " or each == "\t")


def _line(runs: str, *, style: str = "", align: str = "left", centre: bool = False, keep: bool = False) -> str:
    """A paragraph."""
    look = f'<w:pStyle w:val="{style}"/>' if style else ""
    look += "<w:keepNext/>" if keep else ""
    side = "center" if centre else align
    look += f'<w:jc w:val="{side}"/>' if side != "left" else ""
    return f"<w:p>{f'<w:pPr>{look}</w:pPr>' if look else ''}{runs}</w:p>"


def _grid(
    shares: Iterable[float], rows: Iterable[Iterable[str]], *, heads: Iterable[str] = (), border: bool = False
) -> str:
    """A table as wide as the text; its heads are repeated on every page. A paragraph parts it from what follows."""
    shares = list(shares)
    widths = [round(each / sum(shares) * _WIDTH / 25.4 * 1440) for each in shares]
    edge = f'w:val="single" w:sz="4" w:space="0" w:color="{_RULE}"'
    sides = ("top", "left", "bottom", "right", "insideH", "insideV") if border else ("bottom", "insideH")
    look = (
        f'<w:tblW w:w="{sum(widths)}" w:type="dxa"/><w:tblBorders>'
        f"{''.join(f'<w:{side} {edge}/>' for side in sides)}</w:tblBorders>"
        '<w:tblLayout w:type="fixed"/><w:tblCellMar><w:left w:w="70" w:type="dxa"/><w:right w:w="70" w:type="dxa"/>'
        "</w:tblCellMar>"
    )
    columns = "".join(f'<w:gridCol w:w="{each}"/>' for each in widths)
    first = _row(heads, widths, "<w:cantSplit/><w:tblHeader/>", _NAVY)
    rest = "".join(
        _row(row, widths, "<w:cantSplit/>", _WASH if at % 2 and heads else "") for at, row in enumerate(rows)
    )
    return f"<w:tbl><w:tblPr>{look}</w:tblPr><w:tblGrid>{columns}</w:tblGrid>{first}{rest}</w:tbl>{_line('')}"


def _row(cells: Iterable[str], widths: Iterable[int], look: str, fill: str) -> str:
    shade = f'<w:shd w:val="clear" w:color="auto" w:fill="{fill}"/>' if fill else ""
    inside = "".join(
        f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}</w:tcPr>{cell}</w:tc>'
        for cell, width in zip(cells, widths, strict=False)
    )
    return f"<w:tr><w:trPr>{look}</w:trPr>{inside}</w:tr>" if inside else ""


def _png(svg: str) -> bytes:
    """A drawing as a picture."""
    fonts, family = find_fonts(FONT_FOLDER)
    source = (
        "#set page(width: auto, height: auto, margin: 0pt)\n"
        f'#set text(font: "{family}")\n#image(bytes("{svg.translate(_QUOTED)}"), format: "svg", width: {_WIDTH}mm)'
    )
    picture: bytes = typst.compile(
        source.encode("utf-8"), font_paths=fonts, ignore_system_fonts=True, format="png", ppi=_PIXELS
    )
    return picture


_QUOTED = str.maketrans({"\\": "\\\\", '"': '\\"'})


def _title_of(svg: str) -> str:
    return svg.partition("<title>")[2].partition("</title>")[0]


def _bare(element: Any) -> str:
    """An element as text; its namespaces stand on the body."""
    written: str = etree.tostring(element, encoding="unicode")
    return written
