"""The bulletin as a page of blocks: what is expected, hour and height, against the lines, on what grounds, how good."""

from __future__ import annotations

import math
from collections.abc import Sequence

from liuyu.basin.quantities import quantity
from liuyu.monitor.summarise.blocks import (
    Block,
    Cell,
    Column,
    Heading,
    LogIndex,
    Page,
    Paragraph,
    Remark,
    Table,
    Tone,
)
from liuyu.monitor.summarise.bulletin import Bulletin, Foretold, Line
from liuyu.monitor.summarise.grading import profile
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, percent, signed, tone_of, tone_of_line

_LIKELY = 0.5
_LEADS = (24, 72, 120, 168)
_GRADE_TONES: dict[str, Tone] = {"甲": "good", "乙": "good", "丙": "yellow"}
_GRAVE = ("warning", "guarantee", "flood_limit", "normal_pool", "flood_number", "historical_maximum")


def bulletin_page(made: Bulletin, language: str) -> Page:
    """The whole bulletin. Raises BadInput for a language other than zh and en."""
    voice = Voice(made, language)
    basin = voice.of(made.basin)
    label = voice.say("合成数据 · 非真实水情", "SYNTHETIC DATA · not a real river")
    when = f"{voice.day(made.issued)} {voice.local(made.issued):%H:%M}"
    issued = voice.say(f"{when} 发布", f"issued {when}")
    return Page(
        language=language,
        title=voice.say(f"{basin}水情预报", f"{basin}: hydrological forecast"),
        kicker=voice.say("水情预报单", "Hydrological forecast bulletin"),
        period=issued,
        label=label if made.synthetic else "",
        footer=f"{basin} · {issued}",
        contents=voice.say("目录", "Contents"),
        created=made.issued,
        blocks=(
            *summary_of(made, voice),
            *values_table(made, voice),
            *_peaks(made, voice),
            *_notices(made, voice),
            *_grounds(made, voice),
            *_grades(made, voice),
            *_end(made, voice),
        ),
    )


def _name(row: Foretold, voice: Voice) -> str:
    """The quantity as the field says it."""
    known = quantity(row.quantity)
    return voice.say(known.name_zh, known.name.replace("_", " "))


def _decimals(unit: str) -> int:
    return 2 if unit == "m" else 0


def _unit(row: Foretold, voice: Voice) -> str:
    return {"m": "m", "m3/s": "m³/s"}.get(row.unit, row.unit) if not voice.chinese else voice.unit(row.unit)


def _span(low: float, high: float, decimals: int) -> str:
    return f"{fixed(low, decimals)}–{fixed(high, decimals)}"


def summary_of(made: Bulletin, voice: Voice) -> list[Block]:
    """What is to be expected, in sentences: whoever reaches a line with even odds or better."""
    said = [text for row in made.rows if (text := _expectation(row, voice))]
    until = voice.time(made.until)
    first = voice.say(
        f"据{voice.time(made.issued)}水情分析，至{until}：",
        f"From the river as it stood on {voice.time(made.issued)}, until {until}: ",
    )
    if not said:
        calm = voice.say(
            "各站达到警戒、保证水位的可能性均不足50%。", "no station is more likely than not to reach a line."
        )
        return [Paragraph((Cell(first + calm),), lead=True)]
    return [Paragraph((Cell(first + voice.say("；", "; ").join(said) + voice.say("。", ".")),), lead=True)]


def _expectation(row: Foretold, voice: Voice) -> str:
    rising = [each for each in row.lines if each.side == "above" and not each.passed]
    reached = [each for each in rising if each.chance >= _LIKELY and each.times]
    if not reached:
        return ""
    worst = max(reached, key=lambda each: (each.value, each.kind != "flood_number"))
    decimals, unit = _decimals(row.unit), _unit(row, voice)
    line = f"{voice.line(worst.kind)} {fixed(worst.value, decimals)} {unit}"
    assert worst.times is not None
    high = f"{fixed(row.heights[1], decimals)} {unit}"
    zh = f"{row.name['zh']}{quantity(row.quantity).name_zh}{voice.time(worst.times[1])}前后达到{line}"
    zh += f"（可能性{percent(worst.chance)}），最高{high}"
    en = f"{row.name['en']} reaches its {line} about {voice.time(worst.times[1])} (chance {percent(worst.chance)}), "
    return voice.say(zh, en + f"highest {high}")


def values_table(made: Bulletin, voice: Voice) -> list[Block]:
    """The table of the form: river, station, quantity, present, change, values to come at 8:00."""
    river = (Column("河名", share=0.9),) if voice.chinese else ()  # rivers have no other name
    columns = (
        *river,
        Column(voice.say("站名", "Station"), share=1.2),
        Column(voice.say("预报要素", "Quantity"), share=1.1),
        Column(voice.say("实况", "Observed"), align="right", share=1.2),
        Column(voice.say("日涨落", "24 h change"), align="right", share=0.9),
        *(Column(_valid(each, voice), align="right", share=1.35) for each in made.valid),
    )
    rows = [
        (
            *(Cell(row.river or DASH) for _ in river),
            Cell(voice.of(row.name), strong=True),
            *_present(row, voice),
            *_to_come(row),
        )
        for row in made.rows
    ]
    note = voice.say(
        f"预报值为{made.members}个成员的中位数，其下为80%区间；时间为当地时间。",
        f"Median of {made.members} members, with the range of 80 % below it; local time.",
    )
    return [Heading(voice.say("预报值", "Forecast")), Table(columns, tuple(rows), note=note, dense=True)]


def _valid(at: int, voice: Voice) -> str:
    here = voice.local(at)
    return voice.say(f"{here.month}月{here.day}日{here.hour}时", f"{here.day} {here:%b %H:%M}")


def _present(row: Foretold, voice: Voice) -> tuple[Cell, Cell, Cell]:
    decimals = _decimals(row.unit)
    named = Cell(_name(row, voice), below=_unit(row, voice))
    if row.now is None:
        return named, Cell(DASH), Cell(DASH)
    change = None if row.day_before is None else row.now[1] - row.day_before
    return named, Cell(fixed(row.now[1], decimals), below=voice.stamp(row.now[0])), Cell(signed(change, decimals))


def _to_come(row: Foretold) -> list[Cell]:
    decimals = _decimals(row.unit)
    lines = [each for each in row.lines if each.side == "above" and each.kind in _GRAVE]
    cells = []
    for each in row.values:
        passed = [line for line in lines if each.median >= line.value]
        worst = max(passed, key=lambda line: line.value, default=None)
        tone = tone_of_line(worst.kind) if worst else ""
        cells.append(
            Cell(fixed(each.median, decimals), tone=tone, strong=True, below=_span(each.low, each.high, decimals))
        )
    return cells


def _peaks(made: Bulletin, voice: Voice) -> list[Block]:
    """Peak and lines: height and time with their ranges; of each line the chance and time of reaching it."""
    columns = (
        Column(voice.say("站名", "Station"), share=1.2),
        Column(voice.say("最高", "Highest"), align="right", share=1.3),
        Column(voice.say("出现时间", "Time"), share=1.8),
        Column(voice.say("特征值", "Line"), share=1.5),
        Column(voice.say("最高与之差", "Highest − line"), align="right", share=1.0),
        Column(voice.say("可能性", "Chance"), align="right", share=0.8),
        Column(voice.say("达到时间", "Reached"), share=1.8),
    )
    rows = [cells for row in made.rows for cells in _against(row, voice)]
    note = voice.say(
        "可能性为预见期内达到该特征值的成员所占比例；达到时间及其80%区间只计达到的成员。“末”表示期末仍在上涨的成员不少于一成，峰值可能更晚更高。",
        "Chance: share of members that reach the line within the forecast; the time, with its 80 % range, is of those "
        "alone. “End”: a tenth of the members or more still rise at the end, so the peak may come later and higher.",
    )
    return [Heading(voice.say("最高值与特征值", "Peaks and lines")), Table(columns, tuple(rows), note=note, dense=True)]


def _against(row: Foretold, voice: Voice) -> list[tuple[Cell, ...]]:
    decimals = _decimals(row.unit)
    lines: Sequence[Line | None] = [each for each in row.lines if each.side == "above" and each.kind in _GRAVE] or [
        None
    ]
    mark = voice.say(" 末", " end") if row.open >= 0.1 else ""
    head = (
        Cell(voice.of(row.name), strong=True, below=f"{_name(row, voice)} {_unit(row, voice)}"),
        Cell(fixed(row.heights[1], decimals), strong=True, below=_span(row.heights[0], row.heights[2], decimals)),
        Cell(voice.time(row.times[1]) + mark, below=_between(row.times, voice)),
    )
    blank = (Cell(""), Cell(""), Cell(""))
    return [(*(blank if place else head), *_line(each, decimals, voice)) for place, each in enumerate(lines)]


def _between(times: tuple[int, int, int], voice: Voice) -> str:
    return "" if times[0] == times[2] else f"{voice.stamp(times[0])} – {voice.stamp(times[2])}"


def _line(line: Line | None, decimals: int, voice: Voice) -> tuple[Cell, ...]:
    if line is None:
        return Cell(voice.say("未收集", "none known"), tone="muted"), Cell(DASH), Cell(DASH), Cell(DASH)
    tone = tone_of_line(line.kind) if line.chance >= _LIKELY else ""
    when = Cell(DASH) if line.times is None else Cell(voice.time(line.times[1]), below=_between(line.times, voice))
    when = Cell(voice.say("已达到", "reached already")) if line.passed else when
    return (
        Cell(f"{voice.line(line.kind)} {fixed(line.value, decimals)}"),
        Cell(signed(line.beyond, decimals), tone=tone),
        Cell(percent(line.chance), tone=tone, strong=line.chance >= _LIKELY),
        when,
    )


def _notices(made: Bulletin, voice: Voice) -> list[Block]:
    if not made.notices:
        return []
    columns = (
        Column(voice.say("等级", "Level"), align="center", share=0.5),
        Column(voice.say("预警", "Notice"), share=3.2),
        Column(voice.say("发布条件", "Limit"), align="right", share=0.6),
        Column(voice.say("行动", "Action"), share=2.2),
    )
    rows = tuple(
        (
            Cell(voice.colour(each.severity), tone=tone_of(each.severity)),
            Cell(voice.of(each.title), refs=(seq,)),
            Cell(DASH if each.limit is None else f">{percent(each.limit)}"),
            Cell(voice.of(each.action) if each.action else DASH),
        )
        for seq, each in made.notices
    )
    return [Heading(voice.say("生效中的预警", "Notices in force")), Table(columns, rows, dense=True)]


def _grounds(made: Bulletin, voice: Voice) -> list[Block]:
    """What the forecast rests on: model, parameters, what flows in, what is assumed, what was missing."""
    parameters = f"{made.model}（{made.parameters}）" if voice.chinese else f"{made.model} ({made.parameters})"
    method = voice.say(f"模型{parameters}，{made.members}个成员。", f"Model {parameters}, {made.members} members.")
    blocks: list[Block] = [Heading(voice.say("依据", "Grounds")), Paragraph((Cell(method),))]
    if made.assumption:
        words = voice.of(made.assumption)
        blocks.append(Paragraph((Cell(words[:1].upper() + words[1:] + voice.say("。", ".")),)))
    told: set[str] = set()
    for row in made.rows:
        if row.station not in told and (words := _inflow(row, made, voice)):
            blocks.append(Paragraph((Cell(words),)))
            told.add(row.station)
    if made.missing:
        names = [
            _missing(str(each.get("station")), float(each.get("hours", 0)), made, voice) for each in made.missing[:12]
        ]
        blocks.append(Paragraph((Cell(voice.say("缺测：", "Missing: ") + voice.joined(names) + voice.say("。", ".")),)))
    return blocks


def _missing(code: str, hours: float, made: Bulletin, voice: Voice) -> str:
    name = voice.of(made.names.get(code, {"zh": code, "en": code}))
    return voice.say(f"{name}（{hours:.0f}小时）", f"{name} ({hours:.0f} h)")


def _inflow(row: Foretold, made: Bulletin, voice: Voice) -> str:
    """Where the water of a station comes from: 汉口：仙桃来水 1,200 立方米每秒(约20小时后到达)."""
    parts = []
    for each in row.inputs:
        flow = each.get("discharge", each.get("from_outside"))
        if not isinstance(flow, (int, float)) or not math.isfinite(flow):
            continue
        if "discharge" in each:
            source = voice.of(made.names.get(str(each.get("station")), {"zh": str(each.get("station"))}))
            hours = float(each.get("travel_h", 0.0))
            zh, en = (
                f"{source}来水{flow:,.0f}立方米每秒（约{hours:.0f}小时后到达）",
                f"{source} {flow:,.0f} m³/s, {hours:.0f} h away",
            )
        else:
            zh, en = (
                f"区间{'出流' if flow < 0 else '来水'}{abs(flow):,.0f}立方米每秒",
                f"{abs(flow):,.0f} m³/s {'leave' if flow < 0 else 'come in'} in between",
            )
        parts.append(voice.say(zh, en))
    return (
        f"{voice.of(row.name)}{voice.say('：', ': ')}{voice.say('；', '; ').join(parts)}{voice.say('。', '.')}"
        if parts
        else ""
    )


def _grades(made: Bulletin, voice: Voice) -> list[Block]:
    """How good such forecasts have been: the model's own verification, and the grade of the last fortnight's issues."""
    told = {each.get("lead_h") for row in made.rows for each in row.skill}
    leads = [lead for lead in _LEADS if lead in told | {each.lead_h for row in made.rows for each in row.grades}]
    rows = [(row, [_skill(row, lead, voice) for lead in leads]) for row in made.rows]
    if not leads:
        return []
    columns = (
        Column(voice.say("站名", "Station"), share=1.2),
        Column(voice.say("预报要素", "Quantity"), share=1.2),
        *(Column(voice.say(f"{lead}小时", f"{lead} h"), align="right", share=1.3) for lead in leads),
    )
    table = tuple(
        (Cell(voice.of(row.name), strong=True), Cell(f"{_name(row, voice)} {_unit(row, voice)}"), *cells)
        for row, cells in rows
    )
    note = voice.say(
        f"上为同类预报在检验期的均方根误差（括号内为持续性预报），下为本系统近15日预报按{made.grading}评定的等级、合格率和次数。",
        f"Above: RMSE of such forecasts in the seasons of verification (persistence in brackets). Below: grade, share "
        f"of qualified forecasts and number of the issues of the last 15 days, after {made.grading}.",
    )
    return [Heading(voice.say("评定", "Verification")), Table(columns, table, note=note, dense=True)]


def _skill(row: Foretold, lead: int, voice: Voice) -> Cell:
    decimals = _decimals(row.unit)
    known = next((each for each in row.skill if each.get("lead_h") == lead), None)
    graded = next((each for each in row.grades if each.lead_h == lead), None)
    text = DASH
    if known is not None:
        flat = known.get("rmse_persistence")
        text = fixed(known["rmse"], decimals) + (f" ({fixed(flat, decimals)})" if flat is not None else "")
    if graded is None:
        return Cell(text)
    english = next((each.name_en for each in profile().grades if each.name == graded.grade), graded.grade)
    name = voice.say(graded.grade, english)
    return Cell(text, tone=_GRADE_TONES.get(graded.grade, ""), below=f"{name} {percent(graded.qualified)} n={graded.n}")


def _end(made: Bulletin, voice: Voice) -> list[Block]:
    blank = "＿＿＿＿" if voice.chinese else "________"
    signed_by = voice.say(
        f"预报：{blank}　　校核：{blank}　　签发：{blank}", f"Forecast: {blank}   Checked: {blank}   Issued: {blank}"
    )
    source = voice.say(f"由liuyu {made.version}依运行日志编制。", f"Made by liuyu {made.version} from the log.")
    rows = tuple((each.seq, voice.stamp(each.time), each.kind, each.id, each.state) for each in made.log)
    heads = voice.say("编号 时间 类别 标识 状态", "No. Time Kind Id State").split()
    return [
        Paragraph((Cell(signed_by),)),
        Remark(" ".join(each for each in (source, voice.of(made.attribution)) if each)),
        LogIndex(tuple(heads), rows),
    ]
