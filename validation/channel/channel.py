"""The main stem in one dimension against the record: levels at its gauges, in seasons of the calibration and others.

    python validation/channel/channel.py

About 1,000 sections (1.8 km apart), hourly, 寸滩 to 大通 as one network. Prints and writes `skill.csv`, `offsets.csv`
and the figure `levels.svg`, and exits with 1 where the tolerance of README.md is missed. The datum of no gauge is
stated by the feed: each gauge has one offset, its mean error over the seasons of the calibration.
"""

from __future__ import annotations

import csv
import sys
import time
from pathlib import Path

import numpy as np
from calibrate import KNOWN, SEASONS, read, season_of
from main_stem import Floats, Season, run, whole
from pool import read_pool

HERE = Path(__file__).parent
UNSEEN = tuple(each for each in SEASONS if each not in KNOWN)
MAIN = ("沙市", "莲花塘", "汉口", "九江")
ENGLISH = {
    "寸滩": "Cuntan", "三峡": "Three Gorges", "宜昌": "Yichang", "沙市": "Shashi", "莲花塘": "Lianhuatang",
    "汉口": "Hankou", "九江": "Jiujiang", "湖口": "Hukou",
}  # fmt: skip
SPIN_UP = 240  # [h]
TOLERANCE = 0.30  # [m] at each of the four gauges of MAIN, over the unseen seasons


def season(year: str) -> tuple[Season, dict[str, Floats]]:
    """A season at full resolution: record and levels by hour."""
    record = season_of(year)
    began = time.process_time()
    levels, model = run(whole(read(), read_pool(), record, 1800.0), record, 1)
    taken = time.process_time() - began
    error = model.balance.relative_error
    print(
        f"{year}: {record.hours} h, {len(model.level)} cells, {taken:.1f} s of processor, error {error:.1e}", flush=True
    )
    return record, levels


def errors(record: Season, levels: dict[str, Floats]) -> dict[str, Floats]:
    """Simulated less recorded [m] by gauge."""
    return {gauge: levels[gauge] - record.level[gauge][1 : len(levels[gauge]) + 1] for gauge in ENGLISH}


def root(values: Floats) -> float:
    """Root mean square of all but the spin-up."""
    return float(np.sqrt(np.mean(values[SPIN_UP:] ** 2)))


def figure(record: Season, levels: dict[str, Floats], offset: dict[str, float], path: Path) -> None:
    """Record and simulation of the four gauges as a drawing."""
    lines = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="720" font-family="sans-serif" font-size="13">'
    ]
    lines.append('<rect width="900" height="720" fill="white"/>')
    for row, gauge in enumerate(MAIN):
        seen, made = record.level[gauge][1:], levels[gauge] - offset[gauge]
        low, high = min(seen.min(), made.min()), max(seen.max(), made.max())
        for value, colour in ((seen, "#222"), (made, "#d33")):
            x = 70 + 800 * np.arange(0, len(value), 6) / len(value)
            y = 25 + 175 * row + 130 * (high - value[::6]) / (high - low)
            path_text = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
            lines.append(f'<polyline points="{path_text}" fill="none" stroke="{colour}"/>')
        lines.append(f'<text x="75" y="{20 + 175 * row}">{ENGLISH[gauge]} {gauge}: record black, model red</text>')
        lines += [f'<text x="10" y="{y + 175 * row}">{v:.1f} m</text>' for v, y in ((high, 30), (low, 158))]
    path.write_text("\n".join([*lines, f'<text x="70" y="712">from {record.start}</text>', "</svg>"]) + "\n", "utf-8")


def main() -> int:
    """Run every season, print and keep the errors."""
    runs = {year: season(year) for year in (*KNOWN, *UNSEEN)}
    every = {year: errors(*each) for year, each in runs.items()}
    offset = {
        g: 0.0 if g == "三峡" else float(np.concatenate([every[y][g][SPIN_UP:] for y in KNOWN]).mean()) for g in ENGLISH
    }
    rows, good = [], True
    for gauge, name in ENGLISH.items():
        row = [name, f"{offset[gauge]:.2f}"]
        for group in (KNOWN, UNSEEN):
            off = [every[year][gauge] - offset[gauge] for year in group]
            row += [f"{root(each):.2f}" for each in off]
            row.append(f"{np.sqrt(np.mean(np.concatenate([each[SPIN_UP:] for each in off]) ** 2)):.2f}")
        rows.append(row)
        good &= gauge not in MAIN or float(row[-1]) <= TOLERANCE
    head = ["gauge", "offset_m", *KNOWN, "calibration", *UNSEEN, "unseen"]
    write("skill.csv", [head, *rows])
    lasting = {g: z for g, z in offset.items() if g != "三峡"}  # a pool that drifts has no offset
    write("offsets.csv", [["gauge", "offset_m"], *([g, f"{z:.3f}"] for g, z in lasting.items())])
    for each in (head, *rows):
        print("| " + " | ".join(each) + " |")
    figure(*runs[UNSEEN[0]], offset, HERE / "levels.svg")
    return 0 if good else 1


def write(name: str, rows: list[list[str]]) -> None:
    """A table beside this file."""
    with (HERE / name).open("w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(rows)


if __name__ == "__main__":
    sys.exit(main())
