"""Scenarios side by side: what each comes to at every gauge, dam, flood and place, and how they differ."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from liuyu.basin.errors import BadInput, NotFound
from liuyu.outlook.rehearse.run import SUMMARY

Text = Mapping[str, str]
WITHOUT: Text = {"zh": "不作改变", "en": "no change"}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is compared: what, where, its unit, and its value in each column; None where there is none."""

    group: str
    what: Text
    where: Text
    unit: str
    values: tuple[Any, ...]
    code: str = ""


class Comparison(msgspec.Struct, frozen=True, kw_only=True):
    """Columns (names; the first is the river without any change where all start from one moment) and rows."""

    columns: tuple[Text, ...]
    states: tuple[str, ...]
    bases: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[Text, ...] = ()


def read_result(folder: Path) -> dict[str, Any]:
    """What summary.json of a folder of results says. Raises NotFound, and BadInput where the scenario is not done."""
    path = folder / SUMMARY
    if not path.is_file():
        raise NotFound(f"{folder} holds no results of a scenario; give a folder that liuyu rehearse run wrote")
    try:
        told: dict[str, Any] = msgspec.json.decode(path.read_bytes(), type=dict[str, Any])
    except msgspec.MsgspecError as error:
        raise BadInput(f"{path} cannot be read ({error}); run the scenario again") from None
    if told.get("state") != "done":
        raise BadInput(
            f"the scenario in {folder} is {told.get('state')}: {told.get('reason')}; run it again before comparing"
        )
    return told


def compared(results: Sequence[Mapping[str, Any]]) -> Comparison:
    """The comparison of some results, in their order. Raises BadInput where they are of different basins."""
    basins = {str(each["basin"]) for each in results}
    if len(basins) > 1:
        raise BadInput(f"the results are of different basins ({', '.join(sorted(basins))}); compare those of one")
    same = len({each["provenance"]["inputs"]["river"] for each in results}) == 1
    bases = tuple(str(each["base"]) for each in results)
    rows = [*_gauges(results, same), *_pools(results, same), *_floods(results), *_places(results), *_binding(results)]
    if same:
        rows = [row if row.group in ("gauge", "reservoir") else _shifted(row) for row in rows]
    notes = () if len(set(bases)) == 1 else (
        {"zh": "各情景起算时间不同，差异也来自来水", "en": "they start at different moments: waters differ too"},
    )  # fmt: skip
    names = tuple(dict(each["name"]) for each in results)
    return Comparison(
        columns=(WITHOUT, *names) if same else names,
        states=tuple(str(each["state"]) for each in results),
        bases=bases,
        rows=tuple(rows),
        notes=notes,
    )


def _shifted(row: Row) -> Row:
    return msgspec.structs.replace(row, values=(None, *row.values))


def _by(rows: Iterable[Mapping[str, Any]], *keys: str) -> dict[tuple[Any, ...], Mapping[str, Any]]:
    return {tuple(each[key] for key in keys): each for each in rows}


_GAUGE: tuple[tuple[str, Text, str], ...] = (
    ("peak", {"zh": "洪峰", "en": "peak"}, ""),
    ("peak_time", {"zh": "峰现时间", "en": "time of peak"}, "time"),
    ("hours_above_warning", {"zh": "超警戒时长", "en": "above warning"}, "h"),
    ("hours_above_guarantee", {"zh": "超保证时长", "en": "above guarantee"}, "h"),
)
_POOL: tuple[tuple[str, Text, str], ...] = (
    ("highest_pool_{}", {"zh": "最高库水位", "en": "highest pool"}, "m"),
    ("highest_pool_time_{}", {"zh": "最高库水位时间", "en": "time of highest pool"}, "time"),
    ("storage_used_{}_m3", {"zh": "动用库容", "en": "storage used"}, "m3"),
    ("peak_outflow_{}", {"zh": "最大出库流量", "en": "greatest release"}, "m3/s"),
)


def _gauges(results: Sequence[Mapping[str, Any]], same: bool) -> list[Row]:
    tables = [_by(each["gauges"], "station", "quantity") for each in results]
    rows = []
    first = sorted(tables[0].values(), key=lambda each: (each["quantity"] != "water_level", each["rank"]))
    for one in first:
        found = [table.get((one["station"], one["quantity"])) for table in tables]
        for key, what, unit in _GAUGE:
            if f"{key}_with" in one:
                values = [each[f"{key}_with"] if each else None for each in found]
                before = (one[f"{key}_without"],) if same else ()
                rows.append(
                    Row(group="gauge", what=what, where=one["name"], unit=unit or one["unit"], code=one["station"],
                        values=(*before, *values))
                )  # fmt: skip
    return rows


def _pools(results: Sequence[Mapping[str, Any]], same: bool) -> list[Row]:
    tables = [_by(each["reservoirs"], "reservoir") for each in results]
    rows = []
    for (code,), one in tables[0].items():
        for key, what, unit in _POOL:
            values = [table[(code,)][key.format("with")] if (code,) in table else None for table in tables]
            before = (one[key.format("without")],) if same else ()
            rows.append(
                Row(group="reservoir", what=what, where=one["name"], unit=unit, code=code, values=(*before, *values))
            )
    return rows


def medians(result: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """The flood of the median of each name in a result."""
    return {each["flood"]: each for each in result.get("floods", ()) if each["member"] == "median"}


def _floods(results: Sequence[Mapping[str, Any]]) -> list[Row]:
    tables = [medians(each) for each in results]
    rows = []
    for name in dict.fromkeys(flood for table in tables for flood in table):
        title = next(str(table[name]["title"]) for table in tables if name in table)
        where = {"zh": title, "en": title}

        def values(pick: Callable[[Mapping[str, Any]], Any], name: str = name) -> tuple[Any, ...]:
            return tuple(pick(table[name]) if name in table else None for table in tables)

        rows.append(_flood_row("flooded area", "淹没面积", where, "km2", values(lambda f: f["flooded_area_km2"])))
        rows.append(_flood_row("greatest depth", "最大水深", where, "m", values(lambda f: f["maximum_depth_m"])))
        rows += [*_beside(tables, name), *_affected(tables, name, where)]
    return rows


def _beside(tables: Sequence[Mapping[str, Mapping[str, Any]]], name: str) -> list[Row]:
    """Peaks of the river that loses what a joined plain gains."""
    found: dict[str, tuple[str, list[Any]]] = {}
    for number, table in enumerate(tables):
        for each in table[name]["river"] if name in table else ():
            values = found.setdefault(each["station"], (each["name"], [None] * len(tables)))[1]
            values[number] = each["peak"]
    what = {"zh": "洪峰（计及溃口分流）", "en": "peak, less what the plain takes"}
    return [
        Row(group="flood", what=what, where={"zh": gauge, "en": gauge}, unit="m", code=code, values=tuple(values))
        for code, (gauge, values) in found.items()
    ]


def _flood_row(en: str, zh: str, where: Text, unit: str, values: tuple[Any, ...]) -> Row:
    rounded = tuple(round(each, 3) if isinstance(each, float) else each for each in values)
    return Row(group="flood", what={"zh": zh, "en": en}, where=where, unit=unit, values=rounded)


_COLUMNS = {"people": "受影响人口", "cropland_km2": "受淹耕地", "property_cny": "受影响资产", "area_km2": "受淹面积"}


def _affected(tables: Sequence[Mapping[str, Mapping[str, Any]]], name: str, where: Text) -> list[Row]:
    keys: dict[tuple[str, str], None] = {}
    for table in tables:
        for each in table[name]["impact"] if name in table else ():
            keys[each["layer"], each["column"]] = None
    rows = []
    for layer, column in keys:
        if layer == "flood":
            continue
        values = [
            next((e["affected"] for e in table[name]["impact"] if (e["layer"], e["column"]) == (layer, column)), None)
            if name in table
            else None
            for table in tables
        ]
        what = {"zh": _COLUMNS.get(column, column), "en": f"{column} affected"}
        place = {lang: f"{where[lang]} · {layer}" for lang in ("zh", "en")}
        rows.append(Row(group="impact", what=what, where=place, unit="", values=tuple(values)))
    return rows


def _places(results: Sequence[Mapping[str, Any]]) -> list[Row]:
    found: dict[str, tuple[Text, list[Any]]] = {}
    for number, result in enumerate(results):
        for flood in medians(result).values():
            for each in flood["arrivals"]:
                name = each["place"]["zh"]
                values = found.setdefault(name, (each["place"], [None] * len(results)))[1]
                here = each["arrival_h"]
                if here is not None:
                    values[number] = here if values[number] is None else min(values[number], here)
    what = {"zh": "洪水到达（起算后）", "en": "water arrives, after the base"}
    return [
        Row(group="place", what=what, where=place, unit="h", values=tuple(values)) for place, values in found.values()
    ]


def _binding(results: Sequence[Mapping[str, Any]]) -> list[Row]:
    if not any(each["binding"] for each in results):
        return []
    values = tuple([dict(text) for text in each["binding"]] for each in results)
    what = {"zh": "约束", "en": "limits that bind"}
    return [Row(group="binding", what=what, where={"zh": "", "en": ""}, unit="text", values=values)]


def main_gauges(results: Sequence[Mapping[str, Any]], most: int = 8) -> list[Mapping[str, Any]]:
    """Level gauges whose course is worth a picture: the main ones where scenarios differ most, in downstream order."""
    tables = [_by(each["gauges"], "station", "quantity") for each in results]
    levels = [each for each in results[0]["gauges"] if each["quantity"] == "water_level"]

    def apart(gauge: Mapping[str, Any]) -> tuple[float, float]:
        key = (gauge["station"], gauge["quantity"])
        found = [table[key] for table in tables if key in table]
        peaks = [each["peak_with"] for each in found] + [gauge["peak_without"]]
        return (-round(max(peaks) - min(peaks), 2), gauge["rank"])

    chosen = {id(each) for each in sorted(levels, key=apart)[:most]}
    return [each for each in levels if id(each) in chosen]


def write_comparison(path: Path, comparison: Comparison) -> None:
    """comparison.csv, both languages."""
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        names = [each["en"] for each in comparison.columns]
        writer.writerow(["group", "code", "where_zh", "where_en", "what_zh", "what_en", "unit", *names])
        for row in comparison.rows:
            values = [_plain(each) for each in row.values]
            where, what = row.where, row.what
            writer.writerow([row.group, row.code, where["zh"], where["en"], what["zh"], what["en"], row.unit, *values])


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return "; ".join(each["en"] for each in value)
    return "" if value is None else value
