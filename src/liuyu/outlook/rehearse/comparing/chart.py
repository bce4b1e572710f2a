"""Hydrographs of several scenarios in one picture, as SVG. Same data, same bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import tzinfo
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import HOUR, moment

Floats = NDArray[np.float64]
COLOURS = ("#555555", "#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#8c564b")
DASHES = ("5 4", "", "", "", "", "", "", "")
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 760, 300, 58, 16, 34, 30
_STEPS_H = (6, 12, 24, 48, 72, 168)


def hydrographs(
    title: str, unit: str, time: NDArray[np.int64], lines: Sequence[tuple[str, Floats]],
    thresholds: Mapping[str, float], zone: tzinfo,
) -> str:  # fmt: skip
    """Lines by name, the first dashed. time: (n,) [s UTC], lines: (n,) [unit]; thresholds by their name."""
    shown = np.concatenate([line for _, line in lines])
    low, high = float(np.nanmin(shown)), float(np.nanmax(shown))
    near = {name: each for name, each in thresholds.items() if each < high + 0.6 * max(high - low, 0.2)}
    high = max([high, *near.values()])
    margin = max(0.06 * (high - low), 0.02)
    low, high = low - margin, high + margin
    across = (WIDTH - LEFT - RIGHT) / max(int(time[-1] - time[0]), 1)
    down = (HEIGHT - TOP - BOTTOM) / (high - low)

    def x(at: float) -> float:
        return LEFT + (at - float(time[0])) * across

    def y(value: float) -> float:
        return HEIGHT - BOTTOM - (value - low) * down

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
        f'<text x="{LEFT}" y="18" font-size="14" fill="#222">{escape(title)} [{escape(unit)}]</text>',
    ]
    for value in _ticks(low, high):
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#e3e3e3"/>')
        parts.append(f'<text x="{LEFT - 6}" y="{y(value) + 4:.1f}" text-anchor="end" fill="#444">{value:g}</text>')
    parts += [
        f'<text x="{x(at):.1f}" y="{HEIGHT - 10}" text-anchor="middle" fill="#444">{text}</text>'
        for at, text in _days(time, zone)
    ]
    for name, value in near.items():
        parts.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#b00020" stroke-dasharray="2 3"/>')
        parts.append(
            f'<text x="{WIDTH - RIGHT}" y="{y(value) - 4:.1f}" text-anchor="end" fill="#b00020">{escape(name)} '
            f"{value:g}</text>"
        )
    for place, (_, line) in enumerate(lines):
        points = " ".join(f"{x(at):.1f},{y(v):.1f}" for at, v in zip(time, line, strict=True) if np.isfinite(v))
        dash = f' stroke-dasharray="{DASHES[place % 8]}"' if DASHES[place % 8] else ""
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{COLOURS[place % 8]}" stroke-width="1.8"{dash}/>'
        )
    return "".join([*parts, "</svg>"])


def _ticks(low: float, high: float) -> list[float]:
    power = 10.0 ** np.floor(np.log10((high - low) / 4.0))
    step = next(each * power for each in (1.0, 2.0, 5.0, 10.0) if (high - low) / (each * power) <= 6.0)
    return [round(float(each), 6) for each in np.arange(np.ceil(low / step) * step, high, step)]


def _days(time: NDArray[np.int64], zone: tzinfo) -> list[tuple[int, str]]:
    """Marks below the axis: at whole hours of the zone's clock, eight at most."""
    hours = int(time[-1] - time[0]) / HOUR
    step = next((each for each in _STEPS_H if hours / each <= 7), _STEPS_H[-1])
    marks = []
    first = moment(int(time[0]), zone)
    at = int(time[0]) + (-first.hour % min(step, 24)) * HOUR - first.minute * 60
    while at <= time[-1]:
        if at >= time[0]:
            when = moment(at, zone)
            marks.append((at, f"{when.month}-{when.day:02d}" + (f" {when.hour:02d}:00" if step < 24 else "")))
        at += step * HOUR
    return marks
