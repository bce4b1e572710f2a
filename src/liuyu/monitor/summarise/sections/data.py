"""How good the data were."""

from __future__ import annotations

from liuyu.monitor.summarise.blocks import Block, Card, Cards, Cell, Column, Heading, Paragraph, Table
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.voice import DASH, Voice, counted, fixed, percent

_MOST = 30
_TESTS = {
    "range": ("越限", "range"),
    "rate": ("变率", "rate of change"),
    "rate_of_change": ("变率", "rate of change"),
    "flat_line": ("停滞", "flat line"),
    "flat": ("停滞", "flat line"),
    "spike": ("尖峰", "spike"),
    "gap": ("缺测", "gap"),
    "neighbour": ("邻站一致性", "neighbours"),
    "stage_discharge": ("水位流量关系", "stage and discharge"),
    "drift": ("漂移", "drift"),
    "step": ("突变", "step"),
}


def data(report: Report, voice: Voice) -> list[Block]:
    """Values received, doubted and missing; who fell silent; what came late."""
    found = report.quality
    share = found.usable / found.received if found.received else None
    cards = (
        Card(
            voice.say("接收观测值", "Observations"),
            fixed(found.received, 0),
            voice.say("个", ""),
            voice.say(f"{found.stations}站", counted(found.stations, "station")),
        ),
        Card(
            voice.say("可用率", "Usable"),
            percent(share, 2),
            "",
            voice.say(f"可疑{found.suspect} · 错误{found.bad}", f"{found.suspect} suspect · {found.bad} bad"),
        ),
        Card(
            voice.say("到报率", "Completeness"),
            percent(found.completeness, 1),
            "",
            voice.say("按应报时段计", "of reports expected"),
        ),
        Card(
            voice.say("迟到数据", "Late data"),
            fixed(found.late_values, 0),
            voice.say("个", ""),
            voice.say(f"{found.late_events}次重开评估", f"{counted(found.late_events, 'assessment')} reopened"),
        ),
    )
    blocks: list[Block] = [Heading(voice.say("数据质量", "Data quality")), Cards(cards)]
    if found.doubts:
        tests = [
            f"{voice.say(*_TESTS.get(name, (name, name.replace('_', ' '))))} {count}"
            for name, count in found.doubts.items()
        ]
        said = voice.say(
            f"质量控制存疑时段（按检验项）：{'、'.join(tests)}。",
            f"Episodes in which quality control doubted a series, by test: {', '.join(tests)}.",
        )
        blocks.append(Paragraph((Cell(said),)))
    if found.worst:
        blocks.append(_worst(report, voice))
    if found.silences:
        blocks.append(_silences(report, voice))
    return blocks


def _worst(report: Report, voice: Voice) -> Table:
    columns = (
        Column(voice.say("存疑值最多的站", "Stations with most doubtful values"), share=2),
        Column(voice.say("错误", "Bad"), "", "right"),
        Column(voice.say("可疑", "Suspect"), "", "right"),
    )
    rows = tuple(
        (Cell(voice.of(name), strong=True), Cell(str(bad)), Cell(str(suspect)))
        for name, bad, suspect in report.quality.worst
    )
    return Table(columns, rows, dense=True)


def _silences(report: Report, voice: Voice) -> Table:
    columns = (
        Column(voice.say("报汛中断", "Silent"), share=2),
        Column(voice.say("末次报", "Last value")),
        Column(voice.say("恢复", "Returned")),
        Column(voice.say("历时", "For"), voice.say("小时", "h"), "right"),
    )
    shown = report.quality.silences[:_MOST]
    rows = tuple(
        (
            Cell(voice.of(each.station), strong=True, refs=(each.seq,)),
            Cell(voice.stamp(each.start)),
            Cell(voice.stamp(each.returned) if each.returned is not None else DASH),
            Cell(fixed(((each.returned if each.returned is not None else report.end) - each.start) / 3600, 0)),
        )
        for each in shown
    )
    more = len(report.quality.silences) - len(shown)
    return Table(
        columns, rows, note=voice.say(f"另有{more}次未列。", f"{more} more are not listed.") if more else "", dense=True
    )
