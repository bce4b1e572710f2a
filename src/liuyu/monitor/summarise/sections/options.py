"""The alternatives that were weighed: what-ifs that were run, releases that were proposed, and what was decided."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from liuyu.basin.clock import epoch
from liuyu.monitor.summarise.blocks import Block, Cell, Column, Heading, Paragraph, Remark, Table, Tone
from liuyu.monitor.summarise.contents import Alternative, Report
from liuyu.monitor.summarise.sections.response import state
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, signed

_SHOWN = 4
_LISTED = 40
_STATIONS = 5
_BEST = 12
_LEFT_OUT = {"quantity", "unit"}
_WORDS: Mapping[str, tuple[str, str]] = {
    "station": ("站名", "Station"),
    "name": ("方案", "Alternative"),
    "peak_without": ("原最高", "Peak without"),
    "peak_with": ("方案最高", "Peak with"),
    "peak_change": ("变化", "Change"),
    "peak_time_without": ("原峰现时间", "Time without"),
    "peak_time_with": ("方案峰现时间", "Time with"),
    "hours_above_warning_without": ("原超警小时", "Hours above without"),
    "hours_above_warning_with": ("方案超警小时", "Hours above with"),
    "warning": ("警戒", "Warning"),
    "loss": ("综合损失", "Loss"),
    "exceedance_m_h": ("超线米·小时", "Metre-hours above"),
    "over_pool": ("超正常蓄水位", "Above normal pool"),
    "highest_level": ("最高库水位", "Highest pool"),
    "highest_level_wet": ("偏大来水最高库水位", "Highest pool if wetter"),
    "end_level": ("期末库水位", "Pool at end"),
    "least_release": ("最小下泄", "Least release"),
    "most_release": ("最大下泄", "Most release"),
    "peaks": ("洪峰", "Peak"),
}


def options(report: Report, voice: Voice) -> list[Block]:
    """A list of all of them, then the accepted, and the newest of each kind, in full."""
    if not report.alternatives:
        return []
    title = voice.say("预演与调度方案", "What-ifs and release proposals")
    blocks: list[Block] = [Heading(title), _list(report.alternatives, voice)]
    for each in _chosen(report.alternatives):
        blocks += _alternative(each, report, voice)
    return blocks


def _chosen(found: Sequence[Alternative]) -> list[Alternative]:
    accepted = [each for each in found if each.state == "accepted"]
    newest = [next((each for each in reversed(found) if each.kind == kind), None) for kind in ("proposal", "rehearsal")]
    first = [*accepted[-_SHOWN:], *(each for each in newest if each is not None)]
    unique = {each.seqs: each for each in first}
    return sorted(unique.values(), key=lambda each: (each.time, each.seqs))


def _list(found: Sequence[Alternative], voice: Voice) -> Table:
    tones: dict[str, Tone] = {"accepted": "good", "rejected": "orange", "lapsed": "muted"}
    columns = (
        Column(voice.say("时间", "Time"), share=1.2),
        Column(voice.say("类别", "Kind")),
        Column(voice.say("内容", "What"), share=5),
        Column(voice.say("结果", "Outcome"), align="center"),
        Column(voice.say("决定人", "Decided by")),
    )
    rows = tuple(
        (
            Cell(voice.stamp(each.time)),
            Cell(voice.say("方案", "proposal") if each.kind == "proposal" else voice.say("预演", "what-if")),
            Cell(voice.of(each.title), refs=each.seqs),
            Cell(state(each.state, voice), tone=tones.get(each.state, "")),
            Cell(each.decided_by or DASH),
        )
        for each in found[-_LISTED:]
    )
    more = len(found) - len(rows)
    note = voice.say(f"另有较早的{more}项未列，见事件日志。", f"{more} earlier ones are in the log.") if more else ""
    return Table(columns, rows, note=note, dense=True)


def _alternative(each: Alternative, report: Report, voice: Voice) -> list[Block]:
    blocks: list[Block] = [Heading(f"{voice.of(each.title)} · {voice.time(each.time)}", 2)]
    said = [part for part in (voice.of(each.reason), each.note) if part]
    if said:
        blocks.append(Paragraph((Cell(voice.say("。", ". ").join(said) + voice.say("。", "."), refs=each.seqs),)))
    if each.rows:
        blocks.append(_rows([_flat(row, report, voice) for row in each.rows], report, voice))
    if each.binding:
        binding = voice.say("、", "; ").join(voice.of(one) for one in each.binding)
        blocks.append(Remark(voice.say(f"起作用的约束：{binding}", f"What binds: {binding}")))
    return blocks


def _flat(row: Mapping[str, Any], report: Report, voice: Voice) -> dict[str, Any]:
    """A row of the log with what lies deeper, a number for each of a few stations, brought up beside the rest."""
    flat: dict[str, Any] = {}
    for key, value in row.items():
        if isinstance(value, dict) and "zh" not in value:
            for code in list(value)[:_STATIONS]:
                name = voice.of(report.station_names.get(code, {"zh": code, "en": code}))
                flat[f"{name} {_label(key, voice).lower()}"] = value[code]
        elif key not in _LEFT_OUT and not isinstance(value, list | tuple):
            flat[key] = value
    return flat


def _rows(rows: Sequence[Mapping[str, Any]], report: Report, voice: Voice) -> Table:
    """Numbers as they stand in the log, a column for each key."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    words = {key for key in keys if any(isinstance(row.get(key), str | dict) for row in rows)}
    columns = tuple(
        Column(
            _label(key, voice),
            align="left" if key in words else "right",
            share=3.0 if key == "name" else 1.3 if key in words else 1.0,
        )
        for key in keys
    )
    shown = rows if "station" in keys else rows[:_BEST]
    cells = tuple(tuple(Cell(_shown(key, row.get(key), report, voice)) for key in keys) for row in shown)
    more = len(rows) - len(shown)
    note = voice.say(f"另有{more}个方案未列。", f"{more} more alternatives are in the log.") if more else ""
    return Table(columns, cells, note=note, dense=True)


def _label(key: str, voice: Voice) -> str:
    zh, en = _WORDS.get(key, (key.replace("_", " "), key.replace("_", " ")))
    return voice.say(zh, en)


def _shown(key: str, value: object, report: Report, voice: Voice) -> str:
    if isinstance(value, dict):
        return voice.of(value)
    if isinstance(value, bool):
        return voice.say("是" if value else "否", "yes" if value else "no")
    if isinstance(value, int | float):
        number = float(value)
        return signed(number) if key.endswith("change") else fixed(number, 0 if abs(number) >= 1000 else 2)
    if isinstance(value, str):
        name = report.station_names.get(value) if key == "station" else None
        return voice.of(name) if name else _time(value, voice)
    return DASH


def _time(value: str, voice: Voice) -> str:
    """A time of the log on the basin's clock; any other text as it is."""
    try:
        return voice.stamp(epoch(datetime.fromisoformat(value)))
    except ValueError:
        return value
