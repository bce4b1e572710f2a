"""A page as blocks, so that HTML and PDF say the same things in the same order. Nothing here knows either."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Tone = Literal["", "blue", "yellow", "orange", "red", "good", "muted"]
Align = Literal["left", "right", "center"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A piece of text with its tone, a smaller line below it, and the numbers of the events it rests on."""

    text: str
    tone: Tone = ""
    strong: bool = False
    below: str = ""
    refs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a table: its label, the unit below it, how it is aligned, and its share of the width."""

    label: str
    unit: str = ""
    align: Align = "left"
    share: float = 1.0


@dataclass(frozen=True, slots=True)
class Heading:
    """A numbered section heading."""

    text: str
    level: int = 1


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Running text."""

    cells: tuple[Cell, ...]
    lead: bool = False


@dataclass(frozen=True, slots=True)
class Card:
    """One number that matters, large."""

    label: str
    value: str
    unit: str = ""
    below: str = ""
    tone: Tone = ""


@dataclass(frozen=True, slots=True)
class Cards:
    """Cards in a row."""

    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """A table; `dense` for long ones in small type."""

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    caption: str = ""
    note: str = ""
    dense: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing as SVG."""

    svg: str
    caption: str = ""


@dataclass(frozen=True, slots=True)
class Gallery:
    """Drawings side by side, two in a row."""

    figures: tuple[Figure, ...]


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of a timeline."""

    time: str
    tone: Tone
    label: str
    text: Cell


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, in order."""

    moments: tuple[Moment, ...]


@dataclass(frozen=True, slots=True)
class Remark:
    """A note set apart."""

    text: str
    tone: Tone = "muted"


@dataclass(frozen=True, slots=True)
class LogIndex:
    """The events that the report rests on: number, time, kind, id, state. References lead here."""

    columns: tuple[str, ...]
    rows: tuple[tuple[int, str, str, str, str], ...]


Block = Heading | Paragraph | Cards | Table | Figure | Gallery | Timeline | Remark | LogIndex


@dataclass(frozen=True, slots=True)
class Page:
    """A whole report in one language."""

    language: str
    title: str
    kicker: str
    period: str
    label: str
    footer: str
    contents: str
    created: int
    blocks: tuple[Block, ...] = field(default_factory=tuple)
