"""Drawings as SVG text: hydrographs with their lines, a reservoir's course, the course of the alerts.

The same drawing goes into the HTML and the PDF. Coordinates are rounded to a tenth, so the text is the same every time.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, HOUR, epoch
from liuyu.monitor.summarise.contents import AlertSpan, Effect, Flood, Hydrograph, Report, ReservoirCourse
from liuyu.monitor.summarise.voice import Voice, fixed

FONT = "'Noto Sans SC','PingFang SC','Microsoft YaHei','Source Han Sans SC',sans-serif"
INK, MUTED, GRID, WATER, RELEASE = "#1d2b3a", "#66768a", "#e6ebf0", "#0b6fa4", "#c2641b"
SEVERITY = {"blue": "#3b82c4", "yellow": "#e3b008", "orange": "#e8731c", "red": "#c8242b"}
LINE_COLOUR = {
    "warning": "#c99700",
    "guarantee": "#e8731c",
    "historical_maximum": "#c8242b",
    "flood_limit": "#7a5cc4",
    "normal_pool": "#3f7f5f",
}
_DRAWN = ("warning", "guarantee", "historical_maximum", "flood_limit", "normal_pool")
_GAP = 12 * HOUR


@dataclass(frozen=True, slots=True)
class Frame:
    """Where data stand on paper: a box in user units, and the ranges that it spans."""

    left: float
    top: float
    right: float
    bottom: float
    start: int
    end: int
    low: float = 0.0
    high: float = 1.0

    def x(self, time: float) -> float:
        """Where a time [s UTC] stands."""
        return self.left + (time - self.start) / (self.end - self.start) * (self.right - self.left)

    def y(self, value: float) -> float:
        """Where a value stands."""
        return self.bottom - (value - self.low) / (self.high - self.low) * (self.bottom - self.top)


def drawing(width: int, height: int, parts: Iterable[str], title: str) -> str:
    """A whole SVG."""
    head = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img" font-family="{FONT}">'
    return "".join([head, f"<title>{escape(title)}</title>", *parts, "</svg>"])


def text(
    x: float, y: float, content: str, *, size: float = 11, fill: str = MUTED, anchor: str = "start", bold: bool = False
) -> str:
    """A piece of text."""
    weight = ' font-weight="700"' if bold else ""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{fill}" text-anchor="{anchor}"{weight}>'
        f"{escape(content)}</text>"
    )


def rule(x1: float, y1: float, x2: float, y2: float, colour: str, width: float = 1, dash: str = "") -> str:
    """A straight line."""
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width:g}"{dashed}/>'
    )


def curve(
    frame: Frame,
    time: NDArray[np.int64],
    value: NDArray[np.float64],
    colour: str,
    width: float = 1.8,
    dash: str = "",
) -> str:
    """A polyline, broken where values are missing for more than half a day."""
    if not len(time):
        return ""
    parts, last = [], -math.inf
    for when, what in zip(time.tolist(), value.tolist(), strict=True):
        parts.append(f"{'M' if when - last > _GAP else 'L'}{frame.x(when):.1f} {frame.y(what):.1f}")
        last = when
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return (
        f'<path d="{"".join(parts)}" fill="none" stroke="{colour}" stroke-width="{width:g}" '
        f'stroke-linejoin="round"{dashed}/>'
    )


def area(frame: Frame, time: NDArray[np.int64], value: NDArray[np.float64], colour: str, opacity: float) -> str:
    """The water below a curve."""
    if len(time) < 2:
        return ""
    points = "".join(f"L{frame.x(t):.1f} {frame.y(v):.1f}" for t, v in zip(time.tolist(), value.tolist(), strict=True))
    first, last = frame.x(int(time[0])), frame.x(int(time[-1]))
    path = f"M{first:.1f} {frame.bottom:.1f}{points}L{last:.1f} {frame.bottom:.1f}Z"
    return f'<path d="{path}" fill="{colour}" fill-opacity="{opacity:g}"/>'


def days(frame: Frame, voice: Voice, *, labels: bool = True, most: int = 7) -> list[str]:
    """Vertical grid lines at local midnights, with their dates below."""
    span = (frame.end - frame.start) / DAY
    step = next((each for each in (1, 2, 3, 5, 7, 10, 15, 30, 61, 122, 365) if span / each <= most), 730)
    first = voice.local(frame.start).replace(hour=0, minute=0, second=0, microsecond=0)
    at = epoch(first)
    at += DAY if at < frame.start else 0
    parts = []
    while at <= frame.end:
        x = frame.x(at)
        parts.append(rule(x, frame.top, x, frame.bottom, GRID))
        here = voice.local(at)
        shown = f"{here.month}/{here.day}" if voice.chinese else f"{here.day} {here:%b}"
        if labels:
            anchor = "end" if x > frame.right - 12 else "middle"
            parts.append(text(x, frame.bottom + 15, shown, anchor=anchor, size=10.5))
        at += step * DAY
    return parts


def levels(frame: Frame, most: int = 5, decimals: int | None = None) -> list[str]:
    """Horizontal grid lines at round values, with the values to the left."""
    step = nice((frame.high - frame.low) / most)
    places = max(0, -math.floor(math.log10(step))) if decimals is None else decimals
    parts, at = [], math.ceil(frame.low / step) * step
    while at <= frame.high + 1e-9:
        y = frame.y(at)
        parts += [
            rule(frame.left, y, frame.right, y, GRID),
            text(frame.left - 6, y + 3.5, fixed(at, places), anchor="end", size=10.5),
        ]
        at += step
    return parts


def nice(step: float) -> float:
    """The next of 1, 2, 5 times a power of ten."""
    power = 10.0 ** math.floor(math.log10(max(step, 1e-9)))
    return next(each * power for each in (1, 2, 5, 10) if each * power >= step * (1 - 1e-9))


def hydrograph(graph: Hydrograph, report: Report, voice: Voice) -> str:
    """Level of one station through the period, its lines, its peak, the numbered floods."""
    width, height = 520, 236
    near = {kind: line for kind, line in graph.lines.items() if kind in _DRAWN}
    low, high = float(graph.level.min()), float(graph.level.max())
    reach = max(0.35 * (high - low), 0.8)
    shown = {kind: line for kind, line in near.items() if low - reach <= line <= high + reach}
    low, high = min([low, *shown.values()]), max([high, *shown.values()])
    pad = 0.12 * max(high - low, 0.2)
    frame = Frame(46, 34, width - 74, height - 26, report.start, report.end, low - pad, high + pad * 1.4)
    parts = [
        text(0, 14, voice.of(graph.name), size=14, fill=INK, bold=True),
        text(frame.right, 14, _peak_words(graph, voice), size=11, anchor="end"),
        *levels(frame, 4),
        *days(frame, voice, most=6),
        *numbered(frame, report.floods, voice, labels=False),
        area(frame, graph.time, graph.level, WATER, 0.1),
        *_lines(frame, shown, voice),
        curve(frame, graph.time, graph.level, WATER),
        _dot(frame, graph.peak_time, graph.peak),
    ]
    return drawing(width, height, parts, voice.of(graph.name))


def _peak_words(graph: Hydrograph, voice: Voice) -> str:
    return f"{voice.say('最高', 'peak')} {fixed(graph.peak)} {voice.say('米', 'm')} · {voice.time(graph.peak_time)}"


def _dot(frame: Frame, time: int, value: float) -> str:
    at = f'cx="{frame.x(time):.1f}" cy="{frame.y(value):.1f}"'
    return f'<circle {at} r="3.6" fill="#fff" stroke="{WATER}" stroke-width="2"/>'


def _lines(frame: Frame, shown: Mapping[str, float], voice: Voice) -> list[str]:
    """Threshold lines, their names to the right, kept apart."""
    parts, above = [], math.inf
    for kind, value in sorted(shown.items(), key=lambda each: -each[1]):
        colour, y = LINE_COLOUR[kind], frame.y(value)
        place = y + 3.5 if above == math.inf else max(y + 3.5, above + 12)
        above = place
        parts.append(rule(frame.left, y, frame.right, y, colour, 1.3, "5 3"))
        parts.append(text(frame.right + 5, place, f"{voice.line(kind)} {fixed(value)}", size=10, fill=colour))
    return parts


def numbered(
    frame: Frame, floods: Sequence[Flood], voice: Voice, *, labels: bool = True, raised: float = 0
) -> list[str]:
    """When floods got their numbers; `raised` puts the names above the frame. Names that would meet are staggered."""
    parts, end, lower = [], -math.inf, False
    for flood in floods:
        x, name = frame.x(flood.time), voice.of(flood.name)
        parts.append(rule(x, frame.top, x, frame.bottom, SEVERITY["red"], 1, "2 3"))
        if labels:
            lower = x < end and not lower
            y = frame.top + 9 - raised + (11 if lower else 0)
            parts.append(text(x + 3, y, name, size=10, fill=SEVERITY["red"]))
            end = x + 10 * len(name) * (0.85 if voice.chinese else 0.56)
    return parts


def reservoir(course: ReservoirCourse, report: Report, voice: Voice) -> str:
    """Inflow, outflow and level of a reservoir: what came, what was let go, what was held."""
    width, height, left, right = 1080, 380, 62, 978
    held = len(course.level) > 0
    bottom = 206 if held else height - 26
    top = float(max(course.inflow.max(), course.outflow.max()))
    flow = Frame(left, 40, right, bottom, report.start, report.end, 0, top * 1.1)
    parts = [
        text(0, 15, voice.of(course.name), size=15, fill=INK, bold=True),
        *_legend(right, voice),
        text(left - 6, 33, voice.say("立方米每秒", "m³/s"), size=10, anchor="end"),
        *levels(flow, 4, 0),
        *days(flow, voice, labels=not held, most=12),
        *numbered(flow, report.floods, voice),
        _between(flow, course),
        curve(flow, course.time, course.outflow, RELEASE, 2),
        curve(flow, course.time, course.inflow, WATER, 2),
    ]
    if held:
        parts += _pool(course, report, voice, left, right, bottom + 26, height - 24)
    return drawing(width, height, parts, voice.of(course.name))


def compared(effect: Effect, report: Report, voice: Voice) -> str:
    """Level of one station as observed and as it would have been without operation, with its lines."""
    width, height = 520, 236
    low = float(min(effect.level.min(), effect.without.min()))
    high = float(max(effect.level.max(), effect.without.max()))
    reach = max(0.35 * (high - low), 0.8)
    shown = {
        kind: line for kind, line in effect.lines.items() if kind in _DRAWN and low - reach <= line <= high + reach
    }
    low, high = min([low, *shown.values()]), max([high, *shown.values()])
    pad = 0.12 * max(high - low, 0.2)
    frame = Frame(46, 34, width - 74, height - 26, report.start, report.end, low - pad, high + pad * 1.4)
    key = voice.say("蓝：实测　橙虚线：无调度（模拟）", "blue: observed   dashed: without (simulated)")
    parts = [
        text(0, 14, voice.of(effect.name), size=14, fill=INK, bold=True),
        text(frame.right, 14, key, anchor="end", size=10.5),
        *levels(frame, 4),
        *days(frame, voice, most=6),
        area(frame, effect.time, effect.level, WATER, 0.1),
        *_lines(frame, shown, voice),
        curve(frame, effect.time, effect.without, RELEASE, 1.6, "6 3"),
        curve(frame, effect.time, effect.level, WATER),
    ]
    return drawing(width, height, parts, voice.of(effect.name))


def _legend(right: float, voice: Voice) -> list[str]:
    parts, x = [], right
    for label, colour in ((voice.say("出库流量", "outflow"), RELEASE), (voice.say("入库流量", "inflow"), WATER)):
        parts.append(text(x, 15, label, size=11, fill=INK, anchor="end"))
        x -= 14 + 11 * len(label) * (1.0 if voice.chinese else 0.56)
        parts.append(rule(x, 11, x + 10, 11, colour, 3))
        x -= 16
    return parts


def _between(frame: Frame, course: ReservoirCourse) -> str:
    """The water held back: where inflow stands above outflow."""
    if len(course.time) < 2:
        return ""
    upper = np.maximum(course.inflow, course.outflow)
    there = "".join(
        f"{'L' if at else 'M'}{frame.x(t):.1f} {frame.y(v):.1f}"
        for at, (t, v) in enumerate(zip(course.time.tolist(), upper.tolist(), strict=True))
    )
    back = "".join(
        f"L{frame.x(t):.1f} {frame.y(v):.1f}"
        for t, v in zip(course.time[::-1].tolist(), course.outflow[::-1].tolist(), strict=True)
    )
    return f'<path d="{there}{back}Z" fill="{WATER}" fill-opacity="0.13"/>'


def _pool(
    course: ReservoirCourse, report: Report, voice: Voice, left: float, right: float, top: float, bottom: float
) -> list[str]:
    low, high = float(course.level.min()), float(course.level.max())
    shown = {kind: line for kind, line in course.lines.items() if kind in _DRAWN and low - 15 <= line <= high + 15}
    low, high = min([low, *shown.values()]), max([high, *shown.values()])
    pad = 0.12 * max(high - low, 1.0)
    frame = Frame(left, top, right, bottom, report.start, report.end, low - pad, high + pad)
    return [
        text(left - 6, top - 7, voice.say("库水位 米", "level, m"), size=10, anchor="end"),
        *levels(frame, 3),
        *days(frame, voice, most=12),
        area(frame, course.level_time, course.level, WATER, 0.1),
        *_lines(frame, shown, voice),
        curve(frame, course.level_time, course.level, INK, 1.8),
    ]


def course(report: Report, voice: Voice, names: Mapping[str, str]) -> str:
    """Each station's alerts through the period as bars in their colours; the worst lies on top."""
    spans = [each for each in report.alerts if each.threshold and each.station in names]
    rows = [code for code in names if any(each.station == code for each in spans)]
    height = 56 + 19 * len(rows) + 26
    frame = Frame(132, 50, 1066, height - 26, report.start, report.end)
    parts = [*days(frame, voice, most=14), *numbered(frame, report.floods, voice, raised=24)]
    order = list(SEVERITY)
    for place, code in enumerate(rows):
        y = frame.top + 6 + 19 * place
        parts.append(text(frame.left - 8, y + 10.5, names[code], size=11.5, fill=INK, anchor="end"))
        parts.append(rule(frame.left, y + 7, frame.right, y + 7, GRID))
        for span in sorted((s for s in spans if s.station == code), key=lambda s: (order.index(s.severity), s.start)):
            parts.append(_bar(frame, span, y))
    parts += _severities(voice)
    return drawing(1080, height, parts, voice.say("告警过程", "Course of the alerts"))


def _bar(frame: Frame, span: AlertSpan, y: float) -> str:
    left = frame.x(max(span.start, frame.start))
    right = frame.x(min(span.end if span.end is not None else frame.end, frame.end))
    return (
        f'<rect x="{left:.1f}" y="{y:.1f}" width="{max(right - left, 1.5):.1f}" height="14" rx="2" '
        f'fill="{SEVERITY[span.severity]}"/>'
    )


def _severities(voice: Voice) -> list[str]:
    parts, x = [], 132.0
    for severity, colour in SEVERITY.items():
        parts.append(f'<rect x="{x:.1f}" y="6" width="18" height="10" rx="2" fill="{colour}"/>')
        parts.append(text(x + 23, 15, voice.colour(severity), size=11))
        x += 66 if voice.chinese else 86
    return parts
