"""The first page: the numbers that matter, and what happened in words."""

from __future__ import annotations

from collections import Counter

import numpy as np

from liuyu.monitor.summarise.blocks import Block, Card, Cards, Cell, Heading, Paragraph
from liuyu.monitor.summarise.contents import Operation, Peak, Report, ReservoirCourse
from liuyu.monitor.summarise.voice import Voice, counted, fixed, percent, tone_of_line, volume

_LINES = ("historical_maximum", "guarantee", "warning")


def overview(report: Report, voice: Voice) -> list[Block]:
    """Cards, then a summary in which each sentence stands on numbers of the chapters that follow."""
    tell = (_floods, _levels, _reservoirs, _warnings, _forecasts, _response, _data)
    paragraphs = [cells for each in tell if (cells := each(report, voice))]
    return [
        Cards(tuple(_cards(report, voice))),
        Heading(voice.say("综述", "Summary")),
        *(Paragraph(cells, lead=True) for cells in paragraphs),
    ]


def above(report: Report, kind: str) -> list[Peak]:
    """Stations whose peak reached a line, highest above it first."""
    found = [each for each in report.peaks if each.margins.get(kind, -1.0) >= 0]
    return sorted(found, key=lambda each: -each.margins[kind])


def worst(report: Report) -> tuple[Peak, str] | None:
    """The station highest above the gravest line that any station reached."""
    for kind in _LINES:
        found = above(report, kind)
        if found:
            return found[0], kind
    return None


def whole(course: ReservoirCourse) -> Operation | None:
    """A reservoir's operation over the whole period."""
    return course.operations[0] if course.operations else None


def largest(report: Report) -> tuple[ReservoirCourse, Operation] | None:
    """The reservoir that took most off its inflow's peak."""
    found = [(each, operation) for each in report.reservoirs if (operation := whole(each)) is not None]
    return max(found, key=lambda each: each[1].cut, default=None)


def _cards(report: Report, voice: Voice) -> list[Card]:
    say = voice.say
    cards = [
        Card(say("编号洪水", "Numbered floods"), str(len(report.floods)), say("次", ""), _flood_names(report, voice))
    ]
    found = worst(report)
    if found:
        peak, kind = found
        label = say(f"{voice.of(peak.name)}超{voice.line(kind)}", f"{voice.of(peak.name)} above {voice.line(kind)}")
        below = f"{fixed(peak.level)} {voice.unit('m')} · {voice.time(peak.time)}"
        cards.append(Card(label, fixed(peak.margins[kind]), voice.unit("m"), below, tone_of_line(kind)))
    else:
        cards.append(Card(say("超警戒站", "Stations above warning"), "0", say("站", ""), "", "good"))
    dam = largest(report)
    if dam and dam[1].cut > 0:
        label = say(f"{voice.of(dam[0].name)}削峰", f"{voice.of(dam[0].name)}: peak cut")
        below = say("占最大入库 ", "of the highest inflow ") + percent(dam[1].cut / dam[1].inflow)
        cards.append(Card(label, fixed(dam[1].cut, 0), "m³/s", below))
    outcomes = Counter(each.outcome for each in report.notices)
    verified = outcomes["hit"] + outcomes["miss"]
    below = say(
        f"漏报{outcomes['miss']} · 空报{outcomes['false_alarm']}",
        f"{outcomes['miss']} missed · {outcomes['false_alarm']} false",
    )
    shown = f"{outcomes['hit']}/{verified}" if verified else "0"
    cards.append(Card(say("预警命中", "Warnings that hit"), shown, "", below))
    return cards


def _flood_names(report: Report, voice: Voice) -> str:
    """2020年第4、5号, or No. 4 and 5 of 2020."""
    if not report.floods:
        return voice.say("期内无编号洪水", "none in the period")
    years = dict.fromkeys(each.year for each in report.floods)
    told = []
    for year in years:
        numbers = voice.joined([str(each.number) for each in report.floods if each.year == year])
        told.append(voice.say(f"{year}年第{numbers}号", f"No. {numbers} of {year}"))
    return ", ".join(told)


def _floods(report: Report, voice: Voice) -> tuple[Cell, ...]:
    period, basin = voice.span(report.start, report.end), voice.of(report.basin)
    if not report.floods:
        return (Cell(voice.say(f"{period}，{basin}没有形成编号洪水。", f"From {period}, no flood was numbered.")),)
    count = len(report.floods)
    cells = [
        Cell(
            voice.say(
                f"{period}，{basin}形成编号洪水{count}次：",
                f"From {period}, {counted(count, 'flood')} received a number: ",
            )
        )
    ]
    for place, flood in enumerate(report.floods):
        last = place == len(report.floods) - 1
        unit = "m" if flood.quantity == "water_level" else "m3/s"
        shown = fixed(flood.value, 2 if unit == "m" else 0)
        zh = f"{flood.name['zh']}（{voice.time(flood.time)}，{flood.station['zh']}{shown}{voice.unit(unit)}）"
        en = f"{flood.name.get('en', '')} ({voice.time(flood.time)}, {flood.station['en']} {shown} {voice.unit(unit)})"
        end = voice.say("。" if last else "；", "." if last else "; ")
        cells.append(Cell(voice.say(zh, en), refs=(flood.seq,)))
        cells.append(Cell(end))
    return tuple(cells)


def _levels(report: Report, voice: Voice) -> tuple[Cell, ...]:
    counts = {kind: len(above(report, kind)) for kind in _LINES}
    if not counts["warning"] and not counts["guarantee"]:
        return (Cell(voice.say("各站水位均未超过警戒。", "No station rose above its warning level.")),)
    zh = f"{counts['warning']}站超过警戒水位，{counts['guarantee']}站超过保证水位"
    en = (
        f"{counted(counts['warning'], 'station')} rose above warning level, {counts['guarantee']} above guarantee level"
    )
    if counts["historical_maximum"]:
        zh += f"，{counts['historical_maximum']}站超过历史最高水位"
        en += f", {counts['historical_maximum']} above the highest on record"
    told, seen = [], set[str]()
    for kind in _LINES:
        for peak in above(report, kind)[:3]:
            if peak.station not in seen and len(seen) < 4:
                seen.add(peak.station)
                told.append(_peak(peak, kind, voice))
    return (Cell(voice.say(f"{zh}。{'；'.join(told)}。", f"{en}. {'; '.join(told)}.")),)


def _peak(peak: Peak, kind: str, voice: Voice) -> str:
    level, margin, line = fixed(peak.level), fixed(peak.margins[kind]), voice.line(kind)
    when = voice.time(peak.time)
    return voice.say(
        f"{voice.of(peak.name)}站{when}最高水位{level}米，超{line}{margin}米",
        f"{voice.of(peak.name)} peaked at {level} m on {when}, {margin} m above {line}",
    )


def _reservoirs(report: Report, voice: Voice) -> tuple[Cell, ...]:
    told = [
        _dam(course, operation, voice)
        for course in report.reservoirs
        if (operation := whole(course)) is not None and operation.inflow > 0
    ]
    return (Cell(voice.say("".join(told), " ".join(told))),) if told else ()


def _dam(course: ReservoirCourse, done: Operation, voice: Voice) -> str:
    inflow, outflow = fixed(done.inflow, 0), fixed(done.outflow, 0)
    name, when = voice.of(course.name), voice.time(done.inflow_time)
    cut, share = fixed(done.cut, 0), percent(done.cut / done.inflow)
    zh = f"{name}最大入库流量{inflow}立方米每秒（{when}），最大出库流量{outflow}立方米每秒"
    en = f"Inflow to {name} peaked at {inflow} m³/s on {when}, outflow at {outflow} m³/s"
    if done.cut > 0:
        zh += f"，削峰{cut}立方米每秒（{share}）"
        en += f", a cut of {cut} m³/s ({share})"
    if done.level_high is not None and done.level_low is not None:
        low, high = fixed(done.level_low), fixed(done.level_high)
        zh += f"，库水位由{low}米升至{high}米"
        en += f"; the pool rose from {low} m to {high} m"
        amount, unit = volume(done.stored, voice)
        if unit:
            zh += f"，拦蓄水量约{amount}{unit}"
            en += f" and held about {amount} {unit}"
    return voice.say(f"{zh}。", f"{en}.")


def _warnings(report: Report, voice: Voice) -> tuple[Cell, ...]:
    outcomes = Counter(each.outcome for each in report.notices)
    said = len(report.notices) - sum(each.outcome == "miss" and each.crossing is None for each in report.notices)
    leads = [each.lead_h for each in report.notices if each.lead_h is not None and each.outcome == "hit"]
    mean = fixed(float(np.mean(leads)), 0) if leads else ""
    hits, false, misses = outcomes["hit"], outcomes["false_alarm"], outcomes["miss"]
    zh = f"共发出告警{len(report.alerts)}条、预警{said}条；"
    zh += f"预警经实况检验命中{hits}条、空报{false}条，漏报{misses}次"
    en = f"{counted(len(report.alerts), 'alert')} and {counted(said, 'warning notice')} went out; of the notices "
    en += f"{hits} hit and {false} proved false; {counted(misses, 'crossing')} came without one"
    if mean:
        zh, en = f"{zh}，命中者平均提前{mean}小时", f"{en}. Those that hit came {mean} h ahead on average"
    return (Cell(voice.say(f"{zh}。", f"{en}.")),)


def _forecasts(report: Report, voice: Voice) -> tuple[Cell, ...]:
    if not report.grades:
        return ()
    told = []
    for lead in (24, 72, 168):
        rows = [each for each in report.grades if each.lead_h == lead and each.quantity == "water_level"]
        if rows:
            rmse, other = (
                fixed(float(np.median([getattr(each, name) for each in rows]))) for name in ("rmse", "persistence")
            )
            qualified = percent(float(np.mean([each.qualified for each in rows])))
            told.append(
                voice.say(
                    f"预见期{lead}小时水位误差中位数{rmse}米（持续性预报{other}米），合格率{qualified}",
                    f"at {lead} h the median level error was {rmse} m (persistence {other} m), {qualified} qualified",
                )
            )
    zh, en = f"共发布预报{report.issues}期。", f"{counted(report.issues, 'issue')} of forecasts"
    if not told:
        return (Cell(voice.say(zh, f"{en}.")),)
    return (Cell(voice.say(f"{zh}{'；'.join(told)}。", f"{en}: {'; '.join(told)}.")),)


def _response(report: Report, voice: Voice) -> tuple[Cell, ...]:
    tasks = [task for each in report.incidents for task in each.tasks]
    if not report.incidents:
        return ()
    late = sum(task.late_h is not None for task in tasks)
    done = sum(task.state == "done" and task.late_h is None for task in tasks)
    highest = max(report.incidents, key=lambda each: ("blue", "yellow", "orange", "red").index(each.highest)).highest
    count, colour = len(report.incidents), voice.colour(highest)
    zh = f"立案跟踪洪水事件{count}起，最高级别{colour}色；"
    zh += f"下达任务{len(tasks)}项，按时完成{done}项，逾期{late}项。"
    en = f"{counted(count, 'incident')} ran, at most at level {colour}; "
    en += f"of {counted(len(tasks), 'task')} {done} were done in time and {late} were late."
    return (Cell(voice.say(zh, en)),)


def _data(report: Report, voice: Voice) -> tuple[Cell, ...]:
    data = report.quality
    share = data.usable / data.received if data.received else None
    usable, silent = percent(share, 2), len(data.silences)
    zh = f"共收到{data.stations}站观测值{data.received:,}个，可用率{usable}，发生报汛中断{silent}次。"
    en = f"{counted(data.received, 'observation')} came from {counted(data.stations, 'station')}, "
    en += f"{usable} of them usable; stations fell silent {counted(silent, 'time')}."
    return (Cell(voice.say(zh, en)),)
