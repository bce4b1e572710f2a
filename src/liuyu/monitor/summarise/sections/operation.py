"""How reservoirs were operated, and what that did to the gauges below them."""

from __future__ import annotations

from liuyu.monitor.summarise import charts
from liuyu.monitor.summarise.blocks import Block, Cell, Column, Figure, Gallery, Heading, Paragraph, Remark, Table
from liuyu.monitor.summarise.contents import Effect, Operation, Report, ReservoirCourse
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, percent, signed, tone_of_line, volume

_LINES = ("warning", "guarantee")
_DRAWN = 4


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
    return blocks + _effects(report, voice)


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


def _effects(report: Report, voice: Voice) -> list[Block]:
    """Levels with and without operation, simulated."""
    if not report.effects:
        return []
    zh = "“无调度”为模拟值：各水库逐时按入库流量下泄，由本流域模型演算至下游，其与实际调度演算之差叠加于实测水位。"
    zh += "未计天然河道自身的槽蓄坦化，且不计分洪与溃堤，故调度效果为上限估计。"
    en = '"Without" is simulated: every reservoir passes on its inflow hour by hour, routed downstream by the model of '
    en += "the basin; its difference to the routed releases that were made is laid upon the observed levels. That the "
    en += "valley itself would have held back some of the wave, and any levee that would have failed, is left out: the "
    en += "effect is an upper bound."
    drawn = sorted(report.effects, key=lambda each: each.peak - each.peak_without)[:_DRAWN]
    figures = tuple(Figure(charts.compared(each, report, voice)) for each in report.effects if each in drawn)
    return [
        Heading(voice.say("调度效果：有无调度对比", "Effect of the operation: with and without"), 2),
        Paragraph((Cell(_sum(report, voice)),)),
        _compared(report, voice),
        Gallery(figures),
        Remark(voice.say(zh, en)),
    ]


def _sum(report: Report, voice: Voice) -> str:
    most = min(report.effects, key=lambda each: each.peak - each.peak_without)
    by = most.peak_without - most.peak
    if by <= 0:
        return voice.say("水库调度未降低下游控制站洪峰水位。", "The operation lowered no peak below the reservoirs.")
    name, without, level = voice.of(most.name), fixed(most.peak_without), fixed(most.peak)
    zh = f"若水库不作拦蓄，{name}站洪峰水位约为{without}米，实际为{level}米，降低{fixed(by)}米。"
    en = f"Had the reservoirs held nothing back, {name} would have peaked at about {without} m; "
    return voice.say(zh, en + f"it peaked at {level} m, {fixed(by)} m lower.")


def _compared(report: Report, voice: Voice) -> Table:
    columns = (
        Column(voice.say("站名", "Station"), share=1.3),
        Column(voice.say("实测洪峰", "Peak as observed"), voice.unit("m"), "right", 1.4),
        Column(voice.say("无调度洪峰", "Peak without"), voice.unit("m"), "right", 1.4),
        Column(voice.say("变化", "Change"), voice.unit("m"), "right"),
        *(
            Column(
                voice.say(f"超{voice.line(kind)}历时：实测／无调度", f"Hours above {voice.line(kind)}: with / without"),
                voice.say("小时", "h"),
                "right",
                1.5,
            )
            for kind in _LINES
        ),
    )
    return Table(columns, tuple(_effect(each, voice) for each in report.effects))


def _effect(each: Effect, voice: Voice) -> tuple[Cell, ...]:
    reached = [kind for kind in _LINES if kind in each.lines and each.peak_without >= each.lines[kind]]
    change = each.peak - each.peak_without
    return (
        Cell(voice.of(each.name), strong=True),
        Cell(fixed(each.peak), below=voice.time(each.peak_time)),
        Cell(
            fixed(each.peak_without),
            below=voice.time(each.peak_without_time),
            tone=tone_of_line(reached[-1]) if reached else "",
        ),
        Cell(signed(change), tone="good" if change < 0 else ""),
        *(
            Cell(f"{each.hours[kind]:.0f} / {each.hours_without[kind]:.0f}" if kind in each.lines else DASH)
            for kind in _LINES
        ),
    )
