"""A hydrograph as SVG: observed and simulated runoff, rain from above, the two periods apart. Same data, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM = 1200, 460, 60, 20, 44, 36
OBSERVED, SIMULATED, RAIN = "#1f2937", "#d1495b", "#8ab6d6"


def hydrograph(
    days: Sequence[date],
    rain: Floats,
    observed: Floats,
    simulated: Floats,
    parts: Sequence[tuple[slice, str]],
    title: str,
) -> str:
    """The picture. rain, observed, simulated: (steps,) [mm/d], observed with NaN in its gaps; parts: named periods."""
    highest = float(max(np.nanmax(observed), simulated.max())) * 1.4
    wettest = max(float(rain.max()) * 3.0, 1.0)
    x = LEFT + np.arange(len(days)) * (WIDTH - LEFT - RIGHT) / max(len(days) - 1, 1)
    floor = HEIGHT - BOTTOM
    deep = floor - TOP

    def y(flow: Floats) -> Floats:
        return np.asarray(floor - flow / highest * deep)

    wet = np.flatnonzero(rain > 0.0)
    drops = "".join(f"M{x[at]:.1f} {TOP}v{rain[at] / wettest * deep:.1f}" for at in wet)
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" '
            'font-size="12">',
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#fff"/>',
            f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>',
            *_parts(x, parts, floor),
            *_axes(days, x, highest, floor, deep),
            f'<path d="{drops}" stroke="{RAIN}" fill="none"/>',
            f'<path d="{_line(x, y(observed))}" stroke="{OBSERVED}" fill="none"/>',
            f'<path d="{_line(x, y(simulated))}" stroke="{SIMULATED}" fill="none" stroke-opacity="0.8"/>',
            *_legend(),
            "</svg>\n",
        ]
    )


def _line(x: Floats, y: Floats) -> str:
    """A path broken where a value is missing."""
    out, pen = [], "M"
    for across, down in zip(x, y, strict=True):
        if np.isnan(down):
            pen = "M"
            continue
        out.append(f"{pen}{across:.1f} {down:.1f}")
        pen = "L"
    return "".join(out)


def _axes(days: Sequence[date], x: Floats, highest: float, floor: int, deep: int) -> list[str]:
    out = [f'<path d="M{LEFT} {TOP}V{floor}H{WIDTH - RIGHT}" stroke="#888" fill="none"/>']
    exponent = 10.0 ** np.floor(np.log10(highest / 4.0))
    tick = next(each for each in (1.0, 2.0, 5.0, 10.0) if each * exponent >= highest / 5.0) * exponent
    for place in range(1, int(highest / tick) + 1):
        height = floor - place * tick / highest * deep
        out.append(f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{place * tick:g}</text>')
    out.append(f'<text x="14" y="{floor - deep / 2:.0f}" transform="rotate(-90 14 {floor - deep / 2:.0f})">mm/d</text>')
    for at, day in enumerate(days):
        if day.month == 1 and day.day == 1:
            out.append(f'<text x="{x[at]:.1f}" y="{floor + 16}" text-anchor="middle">{day.year}</text>')
    return out


def _parts(x: Floats, parts: Sequence[tuple[slice, str]], floor: int) -> list[str]:
    out = []
    for number, (part, name) in enumerate(parts):
        first, last = x[part.start], x[part.stop - 1]
        fill = ("#f3f4f6", "#fdf6ec")[number % 2]
        out.append(
            f'<rect x="{first:.1f}" y="{TOP}" width="{last - first:.1f}" height="{floor - TOP}" fill="{fill}"/>'
            f'<text x="{first + 6:.1f}" y="{TOP - 6}" fill="#555">{escape(name)}</text>'
        )
    return out


def _legend() -> list[str]:
    out = []
    for place, (name, colour) in enumerate((("observed", OBSERVED), ("simulated", SIMULATED), ("precipitation", RAIN))):
        across = WIDTH - 330 + 110 * place
        out.append(f'<path d="M{across} 14h18" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{across + 24}" y="18">{name}</text>')
    return out
