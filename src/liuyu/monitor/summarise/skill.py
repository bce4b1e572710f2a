"""Drawings of how good the forecasts were: error by lead beside persistence, and forecasts beside what came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise import charts
from liuyu.monitor.summarise.charts import INK, WATER, Frame, text
from liuyu.monitor.summarise.contents import Grade, Report, Track
from liuyu.monitor.summarise.voice import Voice, fixed

_REFERENCE = "#c9d3dd"


def bars(grades: Sequence[Grade], name: str, voice: Voice) -> str:
    """Error of the forecasts by lead beside that of persistence: RMSE, mean over the stations."""
    rows = [each for each in grades if each.quantity == name]
    leads = sorted({each.lead_h for each in rows})
    pairs = [_means([each for each in rows if each.lead_h == lead]) for lead in leads]
    what = quantity(name)
    width, height = 520, 236
    top = max(max(pair) for pair in pairs)
    frame = Frame(56, 44, width - 10, height - 26, 0, 1, 0, top * 1.15)
    decimals = 0 if what.unit == "m3/s" else 2
    title = voice.say(f"{what.name_zh}预报均方根误差", f"{name.replace('_', ' ').capitalize()}: RMSE")
    parts = [
        text(0, 14, title, size=14, fill=INK, bold=True),
        text(frame.left - 6, 36, voice.unit(what.unit), size=10, anchor="end"),
        *_key(frame.right, voice),
        *charts.levels(frame, 4, decimals),
    ]
    step = (frame.right - frame.left) / len(leads)
    for place, (lead, (rmse, reference)) in enumerate(zip(leads, pairs, strict=True)):
        middle = frame.left + step * (place + 0.5)
        parts.append(_bar(frame, middle - 31, rmse, WATER))
        parts.append(_bar(frame, middle + 1, reference, _REFERENCE))
        parts.append(text(middle, frame.bottom + 15, voice.say(f"{lead}小时", f"{lead} h"), anchor="middle", size=10.5))
        parts.append(text(middle - 16, frame.y(rmse) - 4, fixed(rmse, decimals), anchor="middle", size=10, fill=INK))
        parts.append(text(middle + 16, frame.y(reference) - 4, fixed(reference, decimals), anchor="middle", size=10))
    return charts.drawing(width, height, parts, title)


def _means(rows: Sequence[Grade]) -> tuple[float, float]:
    return float(np.mean([each.rmse for each in rows])), float(np.mean([each.persistence for each in rows]))


def _bar(frame: Frame, left: float, value: float, colour: str) -> str:
    top = frame.y(value)
    return (
        f'<rect x="{left:.1f}" y="{top:.1f}" width="30" height="{max(frame.bottom - top, 0.5):.1f}" fill="{colour}"/>'
    )


def _key(right: float, voice: Voice) -> list[str]:
    parts, x = [], right
    for label, colour in ((voice.say("持续性", "persistence"), _REFERENCE), (voice.say("预报", "forecast"), WATER)):
        parts.append(text(x, 14, label, size=11, anchor="end"))
        x -= 16 + 11 * len(label) * (1.0 if voice.chinese else 0.56)
        parts.append(f'<rect x="{x:.1f}" y="5" width="11" height="10" fill="{colour}"/>')
        x -= 14
    return parts


def track(course: Track, report: Report, voice: Voice) -> str:
    """Forecasts of one lead as a band of 80 % with its median, and the level that came."""
    width, height = 520, 236
    graph = next((each for each in report.hydrographs if each.station == course.station), None)
    inside = (course.time >= report.start) & (course.time < report.end)
    time = course.time[inside]
    low, median, high = (each[inside] for each in (course.low, course.median, course.high))
    bounds = [*low.tolist(), *high.tolist(), *(graph.level.tolist() if graph else [])] or [0.0, 1.0]
    pad = 0.1 * max(max(bounds) - min(bounds), 0.2)
    frame = Frame(46, 34, width - 10, height - 26, report.start, report.end, min(bounds) - pad, max(bounds) + pad)
    band = [*zip(time.tolist(), high.tolist(), strict=True), *zip(time[::-1].tolist(), low[::-1].tolist(), strict=True)]
    points = " ".join(f"{frame.x(t):.1f},{frame.y(v):.1f}" for t, v in band)
    parts = [
        text(0, 14, voice.of(course.name), size=14, fill=INK, bold=True),
        *_lines(frame.right, voice),
        *charts.levels(frame, 4),
        *charts.days(frame, voice, most=7),
        f'<polygon points="{points}" fill="{charts.RELEASE}" fill-opacity="0.18"/>',
        charts.curve(frame, graph.time, graph.level, WATER) if graph else "",
        charts.curve(frame, time, median, charts.RELEASE, 1.6),
    ]
    return charts.drawing(width, height, parts, voice.of(course.name))


def _lines(right: float, voice: Voice) -> list[str]:
    parts, x = [], right
    named = (
        (voice.say("预报及80%区间", "forecast, 80 % band"), charts.RELEASE),
        (voice.say("实况", "observed"), WATER),
    )
    for label, colour in named:
        parts.append(text(x, 14, label, size=11, anchor="end"))
        x -= 14 + 11 * len(label) * (0.92 if voice.chinese else 0.54)
        parts.append(charts.rule(x, 10, x + 10, 10, colour, 3))
        x -= 16
    return parts
