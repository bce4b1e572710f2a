"""Pictures of a calibration as SVG: a hydrograph with its greatest flood, and a front. Same data, same bytes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
WIDTH, LEFT, RIGHT = 1200, 60, 20
OBSERVED, SIMULATED, RAIN = "#1f2937", "#d1495b", "#8ab6d6"
FINE = 2  # most points of a line for each pixel across; an hourly record is drawn as lowest and highest of its pixel
WORDS = {
    "observed": {"zh": "实测", "en": "observed"},
    "simulated": {"zh": "模拟", "en": "simulated"},
    "precipitation": {"zh": "降水", "en": "precipitation"},
    "calibration": {"zh": "率定期", "en": "calibration"},
    "validation": {"zh": "检验期", "en": "validation"},
    "flood": {"zh": "检验期最大洪水", "en": "greatest flood of the validation"},
    "chosen": {"zh": "折中解", "en": "compromise"},
    "front": {"zh": "率定期前沿", "en": "front, calibration"},
    "unseen": {"zh": "同一参数在检验期", "en": "same parameters, validation"},
    "mm/d": {"zh": "毫米/日", "en": "mm/d"},
    "mm/h": {"zh": "毫米/时", "en": "mm/h"},
}


@dataclass(frozen=True, slots=True)
class Course:
    """What a hydrograph shows: times (steps,), the hours of a step, rain, observed (NaN in gaps) and simulated runoff,
    each (steps,) [mm a step]."""

    times: Sequence[datetime]
    step_h: int
    rain: Floats
    observed: Floats
    simulated: Floats

    def part(self, where: slice) -> Course:
        """Some of its steps."""
        return Course(self.times[where], self.step_h, self.rain[where], self.observed[where], self.simulated[where])


def hydrograph(course: Course, calibration: slice, validation: slice, title: str, language: str = "en") -> str:
    """The whole course with both periods marked, and below it the greatest flood of the validation."""
    around = 30 * 24 // course.step_h if course.step_h == 24 else 7 * 24
    own = course.observed[validation]
    peak = validation.start + int(np.nanargmax(own)) if np.isfinite(own).any() else validation.start
    near = slice(max(peak - around, 0), min(peak + around + 1, len(course.times)))
    parts = ((calibration, WORDS["calibration"][language]), (validation, WORDS["validation"][language]))
    flood = course.part(near)
    name = f"{WORDS['flood'][language]}  {flood.times[0]:%Y-%m-%d} - {flood.times[-1]:%Y-%m-%d}"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} 760" font-family="sans-serif" '
            'font-size="12">',
            f'<rect width="{WIDTH}" height="760" fill="#fff"/>',
            f'<text x="{LEFT}" y="18" font-size="14">{escape(title)}</text>',
            *_legend(language),
            *_panel(course, 44, 424, parts, language),
            *_panel(flood, 500, 724, (), language),
            f'<text x="{LEFT + 6}" y="494" fill="#555">{escape(name)}</text>',
            "</svg>\n",
        ]
    )


def _panel(course: Course, top: int, floor: int, parts: Sequence[tuple[slice, str]], language: str) -> list[str]:
    """Rain from above and runoff from below over one stretch of time."""
    most = np.nanmax(course.observed) if np.isfinite(course.observed).any() else 0.0
    highest = max(float(max(most, course.simulated.max())) * 1.4, 1e-6)
    wettest = max(float(course.rain.max()) * 3.0, 1.0 if course.step_h == 24 else 0.2)
    x = LEFT + np.arange(len(course.times)) * (WIDTH - LEFT - RIGHT) / max(len(course.times) - 1, 1)
    deep = floor - top
    wet = _wettest(x, course.rain)
    drops = "".join(f"M{x[at]:.1f} {top}v{course.rain[at] / wettest * deep:.1f}" for at in wet)
    lines = [
        _line(x, floor - flow / highest * deep, colour, opacity)
        for flow, colour, opacity in ((course.observed, OBSERVED, 1.0), (course.simulated, SIMULATED, 0.8))
    ]
    return [
        *_parts(x, parts, top, floor),
        *_axes(course, x, highest, top, floor, language),
        f'<path d="{drops}" stroke="{RAIN}" fill="none"/>',
        *lines,
    ]


def _wettest(x: Floats, rain: Floats) -> NDArray[np.int64]:
    """Wet steps, of those on one pixel the wettest."""
    wet = np.flatnonzero(rain > 0.0)
    if len(wet) <= FINE * WIDTH:
        return wet
    order = wet[np.lexsort((-rain[wet], x[wet].astype(np.int64)))]
    _, first = np.unique(x[order].astype(np.int64), return_index=True)
    return np.asarray(order[first])


def _line(x: Floats, y: Floats, colour: str, opacity: float) -> str:
    """A path broken where a value is missing; where points crowd, lowest and highest of each pixel."""
    if len(x) > 8 * WIDTH:
        x, y = _thinned(x, y)
    out, pen = [], "M"
    for across, down in zip(x, y, strict=True):
        if np.isnan(down):
            pen = "M"
            continue
        out.append(f"{pen}{across:.1f} {down:.1f}")
        pen = "L"
    return f'<path d="{"".join(out)}" stroke="{colour}" fill="none" stroke-opacity="{opacity:g}"/>'


def _thinned(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    keep: list[int] = []
    column = (FINE * x).astype(np.int64)
    edges = np.flatnonzero(np.diff(column)) + 1
    for part in np.split(np.arange(len(x)), edges):
        there = part[np.isfinite(y[part])]
        keep += sorted({int(there[np.argmin(y[there])]), int(there[np.argmax(y[there])])}) if len(there) else [part[0]]
    return x[keep], y[keep]


def _axes(course: Course, x: Floats, highest: float, top: int, floor: int, language: str) -> list[str]:
    deep = floor - top
    out = [f'<path d="M{LEFT} {top}V{floor}H{WIDTH - RIGHT}" stroke="#888" fill="none"/>']
    exponent = 10.0 ** np.floor(np.log10(highest / 4.0))
    tick = next(each for each in (1.0, 2.0, 5.0, 10.0) if each * exponent >= highest / 5.0) * exponent
    for place in range(1, int(highest / tick) + 1):
        height = floor - place * tick / highest * deep
        out.append(f'<text x="{LEFT - 8}" y="{height + 4:.1f}" text-anchor="end">{place * tick:g}</text>')
    unit = WORDS["mm/d" if course.step_h == 24 else "mm/h"][language]
    middle = floor - deep / 2
    out.append(f'<text x="14" y="{middle:.0f}" transform="rotate(-90 14 {middle:.0f})">{unit}</text>')
    for at, text in _dates(course.times):
        out.append(f'<text x="{x[at]:.1f}" y="{floor + 16}" text-anchor="middle">{text}</text>')
    return out


def _dates(times: Sequence[datetime]) -> list[tuple[int, str]]:
    """Where and how time is named: years over several years, months over one, days below."""
    days = (times[-1] - times[0]).days
    out = []
    for at, each in enumerate(times):
        if each.hour or (days > 100 and each.day != 1) or (days > 1100 and each.month != 1):
            continue
        if days > 1100:
            out.append((at, f"{each:%Y}"))
        elif days > 100:
            out.append((at, f"{each:%Y-%m}"))
        elif days <= 20 or each.day % 5 == 1:
            out.append((at, f"{each:%m-%d}"))
    return out[:: max(1, -(-len(out) // 22))]


def _parts(x: Floats, parts: Sequence[tuple[slice, str]], top: int, floor: int) -> list[str]:
    out = []
    for number, (part, name) in enumerate(parts):
        first, last = x[part.start], x[part.stop - 1]
        fill = ("#f3f4f6", "#fdf6ec")[number % 2]
        out.append(
            f'<rect x="{first:.1f}" y="{top}" width="{last - first:.1f}" height="{floor - top}" fill="{fill}"/>'
            f'<text x="{first + 6:.1f}" y="{top - 6}" fill="#555">{escape(name)}</text>'
        )
    return out


def _legend(language: str) -> list[str]:
    out = []
    for place, (name, colour) in enumerate((("observed", OBSERVED), ("simulated", SIMULATED), ("precipitation", RAIN))):
        across = WIDTH - 330 + 110 * place
        out.append(f'<path d="M{across} 14h18" stroke="{colour}" stroke-width="2"/>')
        out.append(f'<text x="{across + 24}" y="18">{WORDS[name][language]}</text>')
    return out


def front_picture(
    names: Sequence[str], values: tuple[Floats, Floats], chosen: int, title: str, language: str = "en"
) -> str:
    """A front, two objectives at a time: (points, objectives) in calibration, and the same in validation."""
    seen, unseen = values
    pairs = [(a, b) for a in range(len(names)) for b in range(a + 1, len(names))][:6]
    across = min(len(pairs), 3)
    width, height = 60 + 390 * across, 80 + 340 * (-(-len(pairs) // across))
    out = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" font-family="sans-serif" '
        'font-size="12">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
        f'<text x="20" y="22" font-size="14">{escape(title)}</text>',
    ]
    marks = (("front", SIMULATED, SIMULATED), ("unseen", "#9aa5b1", "none"), ("chosen", OBSERVED, "#f2c14e"))
    for place, (name, edge, fill) in enumerate(marks):
        out.append(f'<circle cx="{26 + 200 * place}" cy="40" r="5" stroke="{edge}" fill="{fill}"/>')
        out.append(f'<text x="{36 + 200 * place}" y="44">{WORDS[name][language]}</text>')
    for number, (a, b) in enumerate(pairs):
        left, top = 70 + 390 * (number % across), 64 + 340 * (number // across)
        out += _scatter(seen[:, [a, b]], unseen[:, [a, b]], (names[a], names[b]), chosen, left, top)
    return "\n".join([*out, "</svg>\n"])


def _scatter(values: Floats, unseen: Floats, names: tuple[str, str], chosen: int, left: int, top: int) -> list[str]:
    wide, deep = 300, 260
    every = np.vstack([values, unseen])
    low, high = every.min(0), every.max(0)
    pad = np.maximum(0.06 * (high - low), 1e-4)
    low, high = low - pad, high + pad

    def at(point: Floats) -> tuple[float, float]:
        x, y = (point - low) / (high - low)
        return left + float(x) * wide, top + deep - float(y) * deep

    out = [f'<rect x="{left}" y="{top}" width="{wide}" height="{deep}" fill="#f8f9fa" stroke="#ccc"/>']
    for share in (0.1, 0.5, 0.9):
        x, y = low + share * (high - low)
        out.append(f'<text x="{left + share * wide:.0f}" y="{top + deep + 16}" text-anchor="middle">{x:.3g}</text>')
        out.append(f'<text x="{left - 6}" y="{top + deep - share * deep + 4:.0f}" text-anchor="end">{y:.3g}</text>')
    out.append(f'<text x="{left + wide / 2:.0f}" y="{top + deep + 34}" text-anchor="middle">{escape(names[0])}</text>')
    middle = top + deep / 2
    out.append(
        f'<text x="{left - 48}" y="{middle:.0f}" text-anchor="middle" '
        f'transform="rotate(-90 {left - 48} {middle:.0f})">{escape(names[1])}</text>'
    )
    for points, edge, fill in ((unseen, "#9aa5b1", "none"), (values, SIMULATED, SIMULATED)):
        out += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" stroke="{edge}" fill="{fill}"/>' for x, y in map(at, points)]
    for points, fill in ((unseen, "none"), (values, "#f2c14e")):
        x, y = at(points[chosen])
        out.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="6" stroke="{OBSERVED}" stroke-width="1.5" fill="{fill}"/>')
    return out
