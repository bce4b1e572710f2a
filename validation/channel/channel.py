"""The main stem in one dimension against the record: levels at seven gauges, in seasons of the calibration and others.

    python validation/channel/channel.py

About 1,000 sections (1.8 km apart), hourly. Prints and writes `skill.csv` and the figure `levels.svg`, and exits with 1
where the tolerance of README.md is missed. The datum of no gauge is stated by the feed: each gauge has one offset, its
mean error over the seasons of the calibration.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import numpy as np
from calibrate import SEASONS, read
from main_stem import Floats, Season, records, run_lower, run_upper

HERE = Path(__file__).parent
UNSEEN = (("2021-06-01", "2021-09-29"), ("2023-06-01", "2023-09-29"), ("2026-06-01", "2026-08-05"))
MAIN = ("沙市", "莲花塘", "汉口", "九江")
ENGLISH = {
    "寸滩": "Cuntan", "宜昌": "Yichang", "沙市": "Shashi", "莲花塘": "Lianhuatang", "汉口": "Hankou",
    "九江": "Jiujiang", "湖口": "Hukou",
}  # fmt: skip
UPPER_MANNING = 0.026
SPIN_UP = 240  # [h]
TOLERANCE = 0.35  # [m] at each of the four gauges of MAIN, over the unseen seasons


def run(days: tuple[str, str]) -> tuple[Season, dict[str, Floats]]:
    """A season at full resolution: record and levels by hour."""
    season = records(*days)
    began = time.process_time()
    levels, below = run_lower(read(), season, 1800.0, 1)
    top, above = run_upper(UPPER_MANNING, season, 1800.0, 1)
    taken = time.process_time() - began
    worst = max(abs(below.balance.relative_error), abs(above.balance.relative_error))
    count = len(below.level) + len(above.level)
    print(
        f"{days[0]}: {season.hours} h, {count} sections, {taken:.1f} s of processor, mass error {worst:.1e}", flush=True
    )
    return season, {"寸滩": top, **levels}


def errors(season: Season, levels: dict[str, Floats]) -> dict[str, Floats]:
    """Simulated less recorded [m] by gauge, after the spin-up."""
    return {gauge: (each - season.level[gauge][1 : len(each) + 1])[SPIN_UP:] for gauge, each in levels.items()}


def figure(season: Season, levels: dict[str, Floats], offset: dict[str, float], path: Path) -> None:
    """Record and simulation of the four gauges as a drawing."""
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="720" font-family="sans-serif" font-size="13">'
    ]
    lines.append('<rect width="900" height="720" fill="white"/>')
    for row, gauge in enumerate(MAIN):
        seen, made = season.level[gauge][1:], levels[gauge] - offset[gauge]
        low, high = min(seen.min(), made.min()), max(seen.max(), made.max())
        for value, colour in ((seen, "#222"), (made, "#d33")):
            x = 70 + 800 * np.arange(0, len(value), 6) / len(value)
            y = 25 + 175 * row + 130 * (high - value[::6]) / (high - low)
            path_text = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            lines.append(f'<polyline points="{path_text}" fill="none" stroke="{colour}"/>')
        lines.append(f'<text x="75" y="{20 + 175 * row}">{ENGLISH[gauge]} {gauge}: record black, model red</text>')
        lines += [f'<text x="10" y="{y + 175 * row}">{v:.1f} m</text>' for v, y in ((high, 30), (low, 158))]
    path.write_text("\n".join([*lines, f'<text x="70" y="712">from {season.start}</text>', "</svg>"]) + "\n", "utf-8")


def main() -> int:
    """Run every season, print and keep the errors."""
    runs = {days: run(days) for days in (*SEASONS, *UNSEEN)}
    every = {days: errors(*each) for days, each in runs.items()}
    offset = {g: float(np.concatenate([every[d][g] for d in SEASONS]).mean()) for g in ENGLISH}
    rows, good = [], True
    for gauge, name in ENGLISH.items():
        row = [name, f"{offset[gauge]:.2f}"]
        for group in (SEASONS, UNSEEN):
            off = [every[days][gauge] - offset[gauge] for days in group]
            row += [f"{np.sqrt(np.mean(each**2)):.2f}" for each in off]
            row.append(f"{np.sqrt(np.mean(np.concatenate(off) ** 2)):.2f}")
        rows.append(row)
        good &= gauge not in MAIN or float(row[-1]) <= TOLERANCE
    known, unseen = ([days[0][:4] for days in group] for group in (SEASONS, UNSEEN))
    head = ["gauge", "offset_m", *known, "calibration", *unseen, "unseen"]
    with (HERE / "skill.csv").open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([head, *rows])
    for each in ([*head], *rows):
        print("| " + " | ".join(each) + " |")
    figure(*runs[UNSEEN[0]], offset, HERE / "levels.svg")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
