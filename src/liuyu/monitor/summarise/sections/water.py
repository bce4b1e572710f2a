"""What the water did: numbered floods, peaks, hydrographs."""

from __future__ import annotations

from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise import charts
from liuyu.monitor.summarise.blocks import Block, Cell, Column, Figure, Gallery, Heading, Paragraph, Remark, Table
from liuyu.monitor.summarise.contents import Peak, Report
from liuyu.monitor.summarise.maps import flood_map
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, signed, tone_of_line

_LINES = ("warning", "guarantee", "historical_maximum")


def water(report: Report, voice: Voice) -> list[Block]:
    """Floods, peaks and hydrographs."""
    blocks: list[Block] = [Heading(voice.say("雨水情与洪水过程", "The course of the water"))]
    if report.floods:
        blocks += [Heading(voice.say("编号洪水", "Numbered floods"), 2), _floods(report, voice)]
    blocks += [Heading(voice.say("洪峰", "Peaks"), 2), *_peaks(report, voice)]
    drawn = flood_map(report, voice) if report.peaks else ""
    if drawn:
        blocks += [Heading(voice.say("洪峰分布", "Where the peaks were"), 2), Figure(drawn)]
    figures = tuple(Figure(charts.hydrograph(each, report, voice)) for each in report.hydrographs)
    if figures:
        blocks += [Heading(voice.say("控制站水位过程", "Levels at the control stations"), 2), Gallery(figures)]
        if report.floods:
            note = voice.say(
                "红色点线为洪水编号时刻；虚线为各站特征水位。",
                "Dotted red: when a flood was numbered. Dashed: the lines of each station.",
            )
            blocks.append(Remark(note))
    return blocks


def _floods(report: Report, voice: Voice) -> Table:
    rows = []
    for flood in report.floods:
        what = quantity(flood.quantity)
        decimals = 0 if what.unit == "m3/s" else 2
        value = f"{fixed(flood.value, decimals)} {voice.unit(what.unit)}"
        named = what.name_zh if voice.chinese else what.name.replace("_", " ")
        rows.append(
            (
                Cell(voice.of(flood.name), strong=True, refs=(flood.seq,)),
                Cell(voice.time(flood.time)),
                Cell(voice.of(flood.station)),
                Cell(named),
                Cell(value),
                Cell(f"{fixed(flood.threshold_value, decimals)} {voice.unit(what.unit)}"),
            )
        )
    columns = (
        Column(voice.say("洪水", "Flood"), share=2.4),
        Column(voice.say("编号时刻", "Numbered"), share=1.4),
        Column(voice.say("站点", "Station")),
        Column(voice.say("要素", "Quantity")),
        Column(voice.say("实况", "Observed"), align="right", share=1.7),
        Column(voice.say("标准", "Criterion"), align="right", share=1.7),
    )
    return Table(columns, tuple(rows))


def _peaks(report: Report, voice: Voice) -> list[Block]:
    chosen = [each for each in report.peaks if each.lines or each.rank_of_station <= 2]
    if not chosen:
        return [Paragraph((Cell(voice.say("期内没有水位资料。", "No levels were received in the period.")),))]
    columns = (
        Column(voice.say("站名", "Station"), share=1.3),
        Column(voice.say("最高水位", "Peak level"), voice.unit("m"), "right"),
        Column(voice.say("时间", "Time"), share=1.7),
        *(
            Column(voice.say(f"较{voice.line(kind)}", f"above {voice.line(kind)}"), voice.unit("m"), "right")
            for kind in _LINES
        ),
        Column(voice.say("超警历时", "hours above warning"), voice.say("小时", ""), "right"),
        Column(voice.say("超保历时", "hours above guarantee"), voice.say("小时", "h"), "right"),
        Column(voice.say("位次", "Rank"), voice.say("库存年份", "of years held"), "right"),
        Column(voice.say("最大流量", "Peak flow"), voice.unit("m3/s"), "right"),
    )
    notes = [
        voice.say(
            "较某线为正即超过该线；历时按观测值持续至下一次计。",
            "Positive: above the line. Hours: each value holds until the next.",
        )
    ]
    if any(each.at_edge for each in chosen):
        notes.append(
            voice.say(
                "† 最高值在时段首尾，真正洪峰可能在时段之外。",
                "† The highest value lies at the edge of the period; the true peak may lie outside.",
            )
        )
    left_out = len(report.peaks) - len(chosen)
    if left_out:
        notes.append(
            voice.say(
                f"另有{left_out}个无特征水位的一般站未列。", f"{left_out} minor stations without lines are not listed."
            )
        )
    table = Table(columns, tuple(_peak(each, voice) for each in chosen), note=" ".join(notes), dense=True)
    return [table]


def _peak(peak: Peak, voice: Voice) -> tuple[Cell, ...]:
    reached = [kind for kind in _LINES if peak.margins.get(kind, -1.0) >= 0]
    tone = tone_of_line(reached[-1]) if reached else ""
    margins = (
        Cell(
            signed(peak.margins.get(kind)) if kind in peak.margins else DASH,
            tone=tone_of_line(kind) if kind in reached else "muted",
        )
        for kind in _LINES
    )
    return (
        Cell(voice.of(peak.name), strong=True),
        Cell(fixed(peak.level) + ("†" if peak.at_edge else ""), tone=tone, strong=bool(reached)),
        Cell(voice.time(peak.time)),
        *margins,
        *(
            Cell(
                fixed(peak.hours[kind], 0) if kind in peak.hours else DASH, tone="" if peak.hours.get(kind) else "muted"
            )
            for kind in _LINES[:2]
        ),
        Cell(f"{peak.rank}/{peak.years}" if peak.years > 1 else DASH),
        Cell(fixed(peak.discharge, 0)),
    )
