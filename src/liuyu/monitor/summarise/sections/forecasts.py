"""Forecasts graded: every issue of the period against what came."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise import skill
from liuyu.monitor.summarise.blocks import Block, Cell, Column, Figure, Gallery, Heading, Paragraph, Remark, Table, Tone
from liuyu.monitor.summarise.contents import Grade, Report
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, percent, signed

_TRACKS = 4
_TONES: tuple[Tone, ...] = ("good", "blue", "yellow", "muted")


def forecasts(report: Report, voice: Voice) -> list[Block]:
    """A table of errors and grades by station and lead, one for each quantity, then the full numbers."""
    blocks: list[Block] = [Heading(voice.say("预报评定", "Forecasts graded"))]
    if not report.grades:
        empty = voice.say("期内没有可供评定的预报。", "There are no forecasts to grade in the period.")
        return [*blocks, Paragraph((Cell(empty),))]
    models = ", ".join(report.models)
    zh = f"共{report.issues}期预报，以集合中位数评定，持续性预报（起报时实况不变）为参照。模型：{models}。"
    en = (
        f"{report.issues} issues, graded by the median of the ensemble; the reference is persistence, the value at "
        f"issue. Models: {models}."
    )
    blocks.append(Paragraph((Cell(voice.say(zh, en)),)))
    names = _quantities(report)
    figures = tuple(Figure(skill.bars(report.grades, name, voice)) for name in names[:2])
    blocks.append(Gallery(figures))
    for name in names:
        blocks += _quantity(report, voice, name)
    return [*blocks, Remark(_explained(report, voice)), *_tracks(report, voice)]


def _tracks(report: Report, voice: Voice) -> list[Block]:
    """What was forecast three days ahead beside what came, at the four stations that stood highest."""
    margin = {each.station: each.margins.get("warning", -1e9) for each in report.peaks}
    chosen = sorted(
        (each for each in report.tracks if len(each.time)), key=lambda each: -margin.get(each.station, -1e9)
    )
    if not chosen:
        return []
    figures = tuple(Figure(skill.track(each, report, voice)) for each in chosen[:_TRACKS])
    title = voice.say(f"提前{chosen[0].lead_h}小时的预报与实况", f"Forecast {chosen[0].lead_h} h ahead, and what came")
    return [Heading(title, 2), Gallery(figures)]


def appendix(report: Report, voice: Voice) -> list[Block]:
    """The full numbers of the grading."""
    if not report.grades:
        return []
    blocks: list[Block] = [Heading(voice.say("附表 预报评定明细", "Appendix: grading in full"))]
    for name in _quantities(report):
        rows = [each for each in report.grades if each.quantity == name]
        blocks += [Heading(_named(name, voice), 2), _full(rows, voice, quantity(name).unit)]
    return blocks


def _quantities(report: Report) -> list[str]:
    """What was forecast, levels first."""
    names = dict.fromkeys(each.quantity for each in report.grades)
    return sorted(names, key=lambda each: each != "water_level")


def _named(name: str, voice: Voice) -> str:
    return voice.say(quantity(name).name_zh, name.replace("_", " ").capitalize())


def _quantity(report: Report, voice: Voice, name: str) -> list[Block]:
    what = quantity(name)
    rows = [each for each in report.grades if each.quantity == name]
    leads = sorted({each.lead_h for each in rows})
    title = voice.say(f"{what.name_zh}预报误差与等级", f"{_named(name, voice)}: errors and grades")
    by_station = {
        code: [each for each in rows if each.station == code] for code in dict.fromkeys(each.station for each in rows)
    }
    columns = (
        Column(voice.say("站名", "Station"), share=1.3),
        *(Column(voice.say(f"{lead}小时", f"{lead} h"), voice.unit(what.unit), "center") for lead in leads),
    )
    body = [
        (Cell(voice.of(found[0].name), strong=True), *_cells(found, leads, report, voice))
        for found in by_station.values()
    ]
    body.append((Cell(voice.say("各站平均", "Mean"), strong=True), *_means(rows, leads)))
    first = voice.say(
        "每格：均方根误差 等级；下行为持续性预报误差与合格率。",
        "Each cell: RMSE and grade; below, that of persistence and the qualified rate.",
    )
    return [Heading(title, 2), Table(columns, tuple(body), note=first)]


def _cells(found: Sequence[Grade], leads: Sequence[int], report: Report, voice: Voice) -> list[Cell]:
    cells = []
    for lead in leads:
        grade = next((each for each in found if each.lead_h == lead), None)
        if grade is None:
            cells.append(Cell(DASH, tone="muted"))
            continue
        shown, tone = grade_of(grade, report, voice)
        decimals = 0 if grade.unit == "m3/s" else 2
        below = f"{fixed(grade.persistence, decimals)} · {percent(grade.qualified)}"
        cells.append(Cell(f"{fixed(grade.rmse, decimals)} {shown}", tone=tone, below=below))
    return cells


def _means(rows: Sequence[Grade], leads: Sequence[int]) -> list[Cell]:
    cells = []
    for lead in leads:
        found = [each for each in rows if each.lead_h == lead]
        decimals = 0 if found[0].unit == "m3/s" else 2
        rmse, reference, qualified = (
            float(np.mean([getattr(each, name) for each in found])) for name in ("rmse", "persistence", "qualified")
        )
        cells.append(
            Cell(fixed(rmse, decimals), strong=True, below=f"{fixed(reference, decimals)} · {percent(qualified)}")
        )
    return cells


def grade_of(grade: Grade, report: Report, voice: Voice) -> tuple[str, Tone]:
    """The name of a grade in this language, and its tone."""
    limits = report.grading["grade"]
    place = next((at for at, each in enumerate(limits) if each["name"] == grade.grade), len(limits) - 1)
    return voice.say(limits[place]["name"], limits[place]["name_en"]), _TONES[min(place, len(_TONES) - 1)]


def _full(rows: Sequence[Grade], voice: Voice, unit: str) -> Table:
    shown = voice.unit(unit)
    columns = (
        Column(voice.say("站名", "Station"), share=1.3),
        Column(voice.say("预见期", "Lead"), voice.say("小时", "h"), "right"),
        Column(voice.say("样本", "Issues"), "", "right"),
        Column(voice.say("均方根误差", "RMSE"), shown, "right"),
        Column(voice.say("偏差", "Bias"), shown, "right"),
        Column(voice.say("持续性", "Persistence"), shown, "right"),
        Column(voice.say("技巧", "Skill"), "", "right"),
        Column(voice.say("合格率", "QR"), "", "right"),
        Column(voice.say("确定性系数", "DC"), "", "right"),
        Column("CRPS", shown, "right"),
    )
    decimals = 0 if unit == "m3/s" else 3
    body, before = [], ""
    for each in rows:
        name = voice.of(each.name) if each.station != before else ""
        before = each.station
        numbers = (
            *(str(each.lead_h), str(each.n), fixed(each.rmse, decimals), signed(each.bias, decimals)),
            *(fixed(each.persistence, decimals), fixed(each.skill, 2), percent(each.qualified)),
            *(fixed(each.determination, 3), fixed(each.crps, decimals)),
        )
        body.append((Cell(name, strong=True), *(Cell(number) for number in numbers)))
    return Table(columns, tuple(body), dense=True)


def _explained(report: Report, voice: Voice) -> str:
    table = report.grading
    limits = table["permissible"]
    share, level, flow = limits["share_of_change"], limits["floor_level_m"], limits["floor_discharge"]
    graded = [
        f"{voice.say(each['name'], each['name_en'])} QR≥{percent(each['qualified'])} DC≥{each['determination']:g}"
        for each in table["grade"][:-1]
    ]
    zh = (
        f"评定依据 {table['name']}（表版本{table['version']}）：许可误差取预见期内实测变幅的{percent(share)}，"
        f"水位不小于{level:.2f}米，流量不小于实测的{percent(flow)}；等级 {', '.join(graded)}，两项均须达到。"
        "下限与等级界限未经标准原文核对。技巧=1−均方误差/持续性均方误差。"
    )
    en = (
        f"Graded after {table['name']} (table version {table['version']}): the permissible error is {percent(share)} "
        f"of the observed change over the lead, at least {level:.2f} m for levels and {percent(flow)} of the observed "
        f"value for discharges; grades {', '.join(graded)}, both to be reached. The floors and the limits of the "
        "grades have not been checked against the standard's own text. Skill = 1 − MSE / MSE of persistence."
    )
    return voice.say(zh, en)
