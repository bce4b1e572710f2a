"""What the water did: numbered floods, peaks, hydrographs; and how reservoirs were operated."""

from __future__ import annotations

from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise import charts
from liuyu.monitor.summarise.blocks import Block, Cell, Column, Figure, Gallery, Heading, Paragraph, Remark, Table
from liuyu.monitor.summarise.contents import Operation, Peak, Report, ReservoirCourse
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, percent, signed, tone_of_line, volume

_LINES = ("warning", "guarantee", "historical_maximum")


def water(report: Report, voice: Voice) -> list[Block]:
    """Floods, peaks and hydrographs."""
    blocks: list[Block] = [Heading(voice.say("雨水情与洪水过程", "The course of the water"))]
    if report.floods:
        blocks += [Heading(voice.say("编号洪水", "Numbered floods"), 2), _floods(report, voice)]
    blocks += [Heading(voice.say("洪峰", "Peaks"), 2), *_peaks(report, voice)]
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


def operation(report: Report, voice: Voice) -> list[Block]:
    """How each reservoir was operated."""
    if not report.reservoirs:
        return []
    blocks: list[Block] = [Heading(voice.say("水库调度", "Reservoir operation"))]
    for course in report.reservoirs:
        blocks.append(Figure(charts.reservoir(course, report, voice)))
        blocks.append(_operations(course, voice))
    zh = "削峰=最大入库流量−最大出库流量；拦蓄水量按库容曲线由洪峰前最低库水位至最高库水位求得。"
    zh += "分场次统计自编号前1天至编号后6天或下一场编号。"
    en = (
        "Peak cut = highest inflow − highest outflow; water held by the curve, from the lowest pool before the highest "
    )
    en += "to the highest. A numbered flood counts from a day before its number to six days after, or to the next one."
    blocks.append(Remark(voice.say(zh, en)))
    return blocks


def _operations(course: ReservoirCourse, voice: Voice) -> Table:
    columns = (
        Column(voice.of(course.name), share=1.8),
        Column(voice.say("最大入库", "Highest inflow"), voice.unit("m3/s"), "right", 1.4),
        Column(voice.say("最大出库", "Highest outflow"), voice.unit("m3/s"), "right", 1.4),
        Column(voice.say("削峰", "Peak cut"), voice.unit("m3/s"), "right"),
        Column(voice.say("最高库水位", "Highest pool"), voice.unit("m"), "right", 1.4),
        Column(voice.say("拦蓄水量", "Water held"), "", "right", 1.2),
    )
    source = voice.say(f"库容曲线：{course.curve_source}", f"Curve: {course.curve_source}")
    source = source if course.curve_source else ""
    return Table(columns, tuple(_operated(each, voice) for each in course.operations), note=source)


def _operated(done: Operation, voice: Voice) -> tuple[Cell, ...]:
    amount, unit = volume(done.stored, voice)
    share = percent(done.cut / done.inflow) if done.inflow > 0 else ""
    return (
        Cell(voice.of(done.label), strong=True),
        Cell(fixed(done.inflow, 0), below=voice.time(done.inflow_time)),
        Cell(fixed(done.outflow, 0), below=voice.time(done.outflow_time)),
        Cell(fixed(done.cut, 0), tone="good" if done.cut > 0 else "", below=share),
        Cell(fixed(done.level_high), below=voice.time(done.level_high_time)),
        Cell(f"{amount} {unit}".strip()),
    )
