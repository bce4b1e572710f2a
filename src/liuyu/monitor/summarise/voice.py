"""How a report speaks: one language, one time zone, numbers as people of the field write them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo

from liuyu.basin.clock import moment
from liuyu.basin.errors import BadInput
from liuyu.basin.places import THRESHOLD_KINDS
from liuyu.monitor.summarise.blocks import Tone
from liuyu.monitor.summarise.contents import Text

COLOURS: Mapping[str, tuple[str, str]] = {
    "blue": ("蓝", "blue"),
    "yellow": ("黄", "yellow"),
    "orange": ("橙", "orange"),
    "red": ("红", "red"),
}
_TONES: Mapping[str, Tone] = {"blue": "blue", "yellow": "yellow", "orange": "orange", "red": "red"}
_LINE_TONES: Mapping[str, Tone] = {"warning": "yellow", "guarantee": "orange", "historical_maximum": "red"}
_LINE_NAMES: Mapping[str, tuple[str, str]] = {
    **{kind: (zh, en) for kind, (zh, en) in THRESHOLD_KINDS.items()},
    "historical_maximum": ("历史最高", "record"),
    "normal_pool": ("正常蓄水位", "normal pool"),
    "flood_number": ("编号标准", "number line"),
}
DASH = "—"


class Zoned(Protocol):
    """Whatever is told on the clock of a zone."""

    @property
    def time_zone(self) -> str:
        """Name of the zone, as Asia/Shanghai."""
        ...


class Voice:
    """A report's language and clock. Raises BadInput for a language that it does not speak."""

    def __init__(self, report: Zoned, language: str) -> None:
        if language not in {"zh", "en"}:
            raise BadInput(f"no language {language!r}; a report is written in zh or en")
        self.language, self.zone = language, ZoneInfo(report.time_zone)
        self.chinese = language == "zh"

    def say(self, zh: str, en: str) -> str:
        """The text of this language."""
        return zh if self.chinese else en

    def of(self, text: Text) -> str:
        """A text of the log in this language, or in whichever it has."""
        return text.get(self.language) or next(iter(text.values()), "")

    def local(self, seconds: int) -> datetime:
        """A time on the basin's clock."""
        return moment(seconds, self.zone)

    def time(self, seconds: int | None) -> str:
        """8月20日8时, or 20 Aug 08:00; with minutes where there are any."""
        if seconds is None:
            return DASH
        here = self.local(seconds)
        if self.chinese:
            return f"{here.month}月{here.day}日{here.hour}时" + (f"{here.minute}分" if here.minute else "")
        return f"{here.day} {here:%b %H:%M}"

    def stamp(self, seconds: int) -> str:
        """08-20 08:00, for tables and timelines."""
        return f"{self.local(seconds):%m-%d %H:%M}"

    def day(self, seconds: int) -> str:
        """2020年8月20日, or 20 August 2020."""
        here = self.local(seconds)
        return f"{here.year}年{here.month}月{here.day}日" if self.chinese else f"{here.day} {here:%B %Y}"

    def span(self, start: int, end: int) -> str:
        """A period in days, its last day included."""
        first, last = self.local(start), self.local(end - 1)
        if not self.chinese:
            return f"{self.day(start)} to {self.day(end - 1)}"
        year = "" if first.year == last.year else f"{last.year}年"
        return f"{self.day(start)}至{year}{last.month}月{last.day}日"

    def line(self, kind: str) -> str:
        """The name of a threshold kind."""
        zh, en = _LINE_NAMES.get(kind, (kind, kind.replace("_", " ")))
        return self.say(zh, en)

    def colour(self, severity: str) -> str:
        """The name of a severity."""
        return self.say(*COLOURS.get(severity, (severity, severity)))

    def unit(self, unit: str) -> str:
        """A unit as it is written in this language."""
        return {"m": self.say("米", "m"), "m3/s": self.say("立方米每秒", "m³/s")}.get(unit, unit)

    def joined(self, parts: list[str]) -> str:
        """Parts in a row: 甲、乙, or A, B and C."""
        if self.chinese:
            return "、".join(parts)
        return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}" if parts else ""


def counted(number: int, noun: str, plural: str = "") -> str:
    """A number and its noun in English: 1 station, 2 stations."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def tone_of(severity: str) -> Tone:
    """The tone of a severity."""
    return _TONES.get(severity, "")


def tone_of_line(kind: str) -> Tone:
    """The tone of water above a line."""
    return _LINE_TONES.get(kind, "")


def fixed(value: float | None, decimals: int = 2) -> str:
    """A number with fixed decimals and thousands apart, a dash where there is none."""
    if value is None or not math.isfinite(value):
        return DASH
    text = f"{value:,.{decimals}f}"
    return text.lstrip("-") if float(text.replace(",", "")) == 0 else text


def signed(value: float | None, decimals: int = 2) -> str:
    """A number with its sign."""
    text = fixed(value, decimals)
    return text if text.startswith(("-", DASH)) else f"+{text}"


def percent(share: float | None, decimals: int = 0) -> str:
    """A share in per cent."""
    return DASH if share is None or not math.isfinite(share) else f"{share * 100:.{decimals}f}%"


def volume(value: float | None, voice: Voice) -> tuple[str, str]:
    """A volume [m3] and its unit: 亿立方米 in Chinese, billion or million m3 in English."""
    if value is None or not math.isfinite(value):
        return DASH, ""
    if voice.chinese:
        return (fixed(value / 1e8, 1), "亿立方米") if abs(value) >= 1e7 else (fixed(value / 1e4, 0), "万立方米")
    return (fixed(value / 1e9, 2), "billion m³") if abs(value) >= 1e8 else (fixed(value / 1e6, 2), "million m³")
