"""The comparison as a page that needs nothing else: table, hydrographs, difference maps, film; Chinese or English."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import datetime, tzinfo
from html import escape
from pathlib import Path
from typing import Any

from liuyu.outlook.rehearse.comparing.chart import COLOURS
from liuyu.outlook.rehearse.comparing.compare import Comparison, Row
from liuyu.outlook.rehearse.comparing.difference import difference_legend

_WORDS: Mapping[str, Mapping[str, str]] = {
    "title": {"zh": "推演情景比较", "en": "Scenarios compared"},
    "gauge": {"zh": "水文站", "en": "Gauges"},
    "reservoir": {"zh": "水库", "en": "Reservoirs"},
    "flood": {"zh": "淹没", "en": "Floods"},
    "impact": {"zh": "影响", "en": "Impact"},
    "place": {"zh": "洪水到达", "en": "Arrival"},
    "binding": {"zh": "约束", "en": "Limits that bind"},
    "where": {"zh": "地点", "en": "where"},
    "what": {"zh": "项目", "en": "what"},
    "base": {"zh": "起算时间", "en": "From"},
    "courses": {"zh": "过程线（成员中位数）", "en": "Courses (median of the members)"},
    "difference": {"zh": "最大水深差", "en": "Difference of greatest depth"},
    "less": {"zh": "减", "en": "less"},
    "film": {"zh": "淹没过程", "en": "The flood"},
    "synthetic": {"zh": "合成数据，仅供演示", "en": "Synthetic data, for demonstration only"},
    "version": {"zh": "程序版本", "en": "code version"},
}
_UNITS = {"h": {"zh": "小时", "en": "h"}, "m3": {"zh": "亿 m³", "en": "10⁸ m³"}, "km2": {"zh": "km²", "en": "km²"},
          "m3/s": {"zh": "m³/s", "en": "m³/s"}}  # fmt: skip
_STYLE = """
:root { color-scheme: light }
body { font: 15px/1.5 system-ui, "Noto Sans SC", "Microsoft YaHei", sans-serif; max-width: 70rem; margin: 2rem auto;
       padding: 0 1rem; color: #1b1b1b; background: #fff }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .25rem .7rem .25rem 0; border-top: 1px solid #ddd; vertical-align: top }
td.number, th.number { text-align: right } td small { color: #666 } h2 { margin-top: 2rem }
figure { margin: 1rem 0 } img, svg { max-width: 100%; height: auto }
.key span { display: inline-block; margin-right: 1rem }
.key i { display: inline-block; width: 14px; height: 14px; margin-right: 5px; border: 1px solid #888;
         vertical-align: -2px }
.maps { display: grid; grid-template-columns: repeat(auto-fit, minmax(27rem, 1fr)); gap: 1rem }
.note { color: #7a4b00 }
"""


def comparison_page(
    comparison: Comparison, results: Sequence[Mapping[str, Any]], charts: Sequence[str],
    maps: Sequence[tuple[str, str, Path]], film: Path | None, zone: tzinfo, language: str,
) -> str:  # fmt: skip
    """The page. maps: name of the flood, which less which, picture; film: a GIF beside the page, or None."""

    def word(key: str) -> str:
        return _WORDS[key][language]

    names = [each[language] for each in comparison.columns]
    bases = sorted({datetime.fromisoformat(each).astimezone(zone) for each in comparison.bases})
    parts = [
        f'<!doctype html><html lang="{language}"><meta charset="utf-8"><title>{word("title")}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style><h1>{word('title')}</h1>",
        f"<p>{word('base')} {', '.join(f'{each:%Y-%m-%d %H:%M}' for each in bases)} · {word('version')} "
        f"{escape(str(results[0]['provenance']['version']))}</p>",
    ]
    if any(each.get("synthetic") for each in results):
        parts.append(f'<p class="note">{word("synthetic")}</p>')
    notes = [note for each in results for flood in each.get("floods", ()) for note in flood["notes"]]
    told = dict.fromkeys(each[language] for each in [*comparison.notes, *notes])
    parts += [f'<p class="note">{escape(each)}</p>' for each in told]
    for group in dict.fromkeys(row.group for row in comparison.rows):
        rows = [row for row in comparison.rows if row.group == group]
        parts.append(f"<h2>{word(group)}</h2>" + _table(rows, names, zone, language))
    if charts:
        keys = "".join(f'<span><i style="background:{COLOURS[n % 8]}"></i>{escape(name)}</span>'
                       for n, name in enumerate(names))  # fmt: skip
        parts.append(f'<h2>{word("courses")}</h2><p class="key">{keys}</p><div class="maps">')
        parts += [f"<figure>{each}</figure>" for each in charts]
        parts.append("</div>")
    if maps:
        keys = "".join(f'<span><i style="background:{c}"></i>{escape(t)}</span>' for c, t in difference_legend())
        parts.append(f'<h2>{word("difference")}</h2><p class="key">{keys}</p><div class="maps">')
        for flood, pair, path in maps:
            data = base64.b64encode(path.read_bytes()).decode()
            caption = escape(flood) + ": " + escape(pair.replace(" - ", f" {word('less')} "))
            image = f'<img alt="{caption}" src="data:image/png;base64,{data}">'
            parts.append(f"<figure>{image}<figcaption>{caption}</figcaption></figure>")
        parts.append("</div>")
    if film is not None:
        kind = "img" if film.suffix == ".gif" else "video controls"
        end = "" if kind == "img" else "</video>"
        parts.append(f'<h2>{word("film")}</h2><figure><{kind} src="{escape(film.name)}">{end}</figure>')
    return "\n".join([*parts, "</html>\n"])


def _table(rows: Sequence[Row], names: Sequence[str], zone: tzinfo, language: str) -> str:
    head = "".join(f'<th class="number">{escape(each)}</th>' for each in names)
    out = [f"<table><tr><th>{_WORDS['where'][language]}</th><th>{_WORDS['what'][language]}</th>{head}</tr>"]
    before = ""
    for row in rows:
        where = row.where[language] if row.where[language] != before else ""
        before = row.where[language]
        unit = _UNITS.get(row.unit, {}).get(language, row.unit if row.unit not in ("time", "text") else "")
        what = escape(row.what[language]) + (f" <small>{escape(unit)}</small>" if unit else "")
        values = "".join(f'<td class="number">{_shown(each, row, zone, language)}</td>' for each in row.values)
        out.append(f"<tr><td>{escape(where)}</td><td>{what}</td>{values}</tr>")
    return "".join([*out, "</table>"])


def _shown(value: Any, row: Row, zone: tzinfo, language: str) -> str:
    if value is None:
        return "—"
    if row.unit == "time":
        return f"{datetime.fromisoformat(str(value)).astimezone(zone):%m-%d %H:%M}"
    if isinstance(value, list):
        return "<br>".join(escape(each[language]) for each in value)
    if row.unit == "m3":
        return f"{value / 1e8:.2f}"
    decimals = {"m": 2, "h": 1, "km2": 2, "m3/s": 0}.get(row.unit, 0 if abs(value) >= 100 else 2)
    return f"{value:,.{decimals}f}"
