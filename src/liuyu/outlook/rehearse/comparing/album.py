"""Everything that a comparison of scenarios writes: tables, a page in each language, difference maps, a film."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from itertools import combinations
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.outlook.rehearse.comparing.chart import hydrographs
from liuyu.outlook.rehearse.comparing.compare import (
    WITHOUT,
    Comparison,
    compared,
    main_gauges,
    medians,
    read_result,
    write_comparison,
)
from liuyu.outlook.rehearse.comparing.difference import write_difference
from liuyu.outlook.rehearse.comparing.film import floods_of, make_film
from liuyu.outlook.rehearse.comparing.sheet import comparison_page
from liuyu.outlook.rehearse.view import series_of

LANGUAGES = ("zh", "en")
_LINES = {"warning": {"zh": "警戒", "en": "warning"}, "guarantee": {"zh": "保证", "en": "guarantee"}}
_MOST_MAPS = 6


def write_album(
    folders: Sequence[Path], out: Path, basin: Basin, *, font: Path | None = None, film: str = "gif",
    tell: Callable[[float], None] = lambda _: None,
) -> Comparison:  # fmt: skip
    """Compare folders of results and write comparison.csv, comparison.json, comparison.zh.html and .en.html,
    difference-*.tif and .png, and flood-*.zh/en.gif (or .mp4; none with film "none") to a folder.

    Raises NotFound and BadInput where results are absent, not done, or of different basins.
    """
    if len(folders) < 2:
        raise BadInput(f"{len(folders)} folder of results is given; give two or more")
    results = [read_result(each) for each in folders]
    comparison = compared(results)
    out.mkdir(parents=True, exist_ok=True)
    write_comparison(out / "comparison.csv", comparison)
    (out / "comparison.json").write_bytes(msgspec.json.format(msgspec.json.encode(comparison), indent=1) + b"\n")
    maps = _differences(folders, results, out)
    tell(0.3)
    films = {} if film == "none" else _films(list(zip(folders, results, strict=True)), out, basin, font, film)
    tell(0.8)
    for language in LANGUAGES:
        charts = _charts(folders, results, comparison, basin, language)
        named = [(flood, f"{b['name'][language]} - {a['name'][language]}", path) for flood, a, b, path in maps]
        page = comparison_page(comparison, results, charts, named, films.get(language), basin.zone, language)
        (out / f"comparison.{language}.html").write_text(page, encoding="utf-8")
    tell(1.0)
    return comparison


def _differences(
    folders: Sequence[Path], results: Sequence[Mapping[str, Any]], out: Path
) -> list[tuple[str, Mapping[str, Any], Mapping[str, Any], Path]]:
    """A map for each flood and pair of results that share it."""
    made: list[tuple[str, Mapping[str, Any], Mapping[str, Any], Path]] = []
    areas = {}
    for (m, first), (n, second) in combinations(enumerate(results), 2):
        for name in medians(first):
            if name in medians(second) and len(made) < _MOST_MAPS:
                target = out / f"difference-{name}-{n + 1}-less-{m + 1}"
                ours, theirs = (folders[k] / "floods" / name / "median" for k in (m, n))
                areas[target.name] = write_difference(ours, theirs, target)
                made.append((name, first, second, target.with_suffix(".png")))
    if areas:
        (out / "differences.json").write_bytes(msgspec.json.format(msgspec.json.encode(areas), indent=1) + b"\n")
    return made


def _films(
    pairs: Sequence[tuple[Path, Mapping[str, Any]]], out: Path, basin: Basin, font: Path | None, kind: str
) -> dict[str, Path]:
    """A film of the flood that most results have, two side by side, in each language."""
    names = [name for _, told in pairs for name in medians(told)]
    if not names:
        return {}
    name = max(dict.fromkeys(names), key=names.count)
    films = {}
    for language in LANGUAGES:
        shown = floods_of(pairs, name, language, _base)[:2]
        films[language] = out / f"flood-{name}.{language}.{kind}"
        make_film(films[language], shown, basin.zone, language, font)
    return films


def _base(told: Mapping[str, Any]) -> int:
    return epoch(datetime.fromisoformat(str(told["base"])))


def _charts(
    folders: Sequence[Path], results: Sequence[Mapping[str, Any]], comparison: Comparison, basin: Basin, language: str
) -> list[str]:
    """Courses of the level at the main gauges, the river without any change first where all start from one state."""
    charts = []
    for gauge in main_gauges(results):
        courses = [series_of(folder, gauge["station"], "water_level") for folder in folders]
        lines = [
            (str(told["name"][language]), np.array(each["with"]["0.5"]))
            for told, each in zip(results, courses, strict=True)
        ]
        if comparison.columns[0] == WITHOUT:
            lines.insert(0, (WITHOUT[language], np.array(courses[0]["without"]["0.5"])))
        hours = min(len(line) for _, line in lines)
        lines = [(name, line[:hours]) for name, line in lines]
        day = datetime.fromisoformat(str(results[0]["base"])).astimezone(basin.zone).date()
        known = basin.thresholds_of(gauge["station"], "water_level", day)
        limits = {_LINES[each.kind][language]: each.value for each in known if each.kind in _LINES}
        time = np.array(courses[0]["time"][:hours], np.int64)
        charts.append(hydrographs(str(gauge["name"][language]), "m", time, lines, limits, basin.zone))
    return charts
