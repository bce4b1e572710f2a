"""Alerts and notices: their course, and how the notices stood the test."""

from __future__ import annotations

from collections import Counter

import numpy as np

from liuyu.basin.events import SEVERITIES
from liuyu.monitor.summarise import charts
from liuyu.monitor.summarise.blocks import Block, Card, Cards, Cell, Column, Figure, Heading, Paragraph, Table, Tone
from liuyu.monitor.summarise.contents import NoticeCourse, Report
from liuyu.monitor.summarise.voice import DASH, Voice, counted, fixed, percent, tone_of

_MOST = 60


def warnings(report: Report, voice: Voice) -> list[Block]:
    """Alerts by colour and through time; notices with what came of each."""
    blocks: list[Block] = [Heading(voice.say("告警与预警", "Alerts and warnings"))]
    blocks += [Heading(voice.say("告警过程", "Course of the alerts"), 2), *_alerts(report, voice)]
    blocks += [Heading(voice.say("预警及检验", "Notices and their verification"), 2), *_notices(report, voice)]
    return blocks


def _alerts(report: Report, voice: Voice) -> list[Block]:
    if not report.alerts:
        return [Paragraph((Cell(voice.say("期内无告警。", "There were no alerts in the period.")),))]
    counts = Counter(each.severity for each in report.alerts)
    by_colour = [
        f"{voice.colour(one)}{voice.say('色', '')} {counts[one]}" for one in reversed(SEVERITIES) if counts[one]
    ]
    standing = sum(each.end is None for each in report.alerts)
    answered = sum(each.acknowledged is not None for each in report.alerts)
    count, escalated = len(report.alerts), sum(each.escalated for each in report.alerts)
    zh = f"告警{count}条（{'、'.join(by_colour)}），期末仍有{standing}条生效；"
    zh += f"{answered}条经值班员确认，{escalated}条逾时升级。"
    en = f"{counted(count, 'alert')} ({', '.join(by_colour)}), {standing} standing at the end; "
    en += f"{answered} acknowledged, {escalated} escalated."
    names = {code: voice.of(name) for code, name in report.station_names.items()}
    return [Paragraph((Cell(voice.say(zh, en)),)), Figure(charts.course(report, voice, names))]


def _notices(report: Report, voice: Voice) -> list[Block]:
    if not report.notices:
        return [Paragraph((Cell(voice.say("期内未发布预警。", "No notice was issued in the period.")),))]
    return [Cards(tuple(_scores(report, voice))), _table(report, voice)]


def _scores(report: Report, voice: Voice) -> list[Card]:
    counts = Counter(each.outcome for each in report.notices)
    hits, misses, false = counts["hit"], counts["miss"], counts["false_alarm"]
    leads = [each.lead_h for each in report.notices if each.outcome == "hit" and each.lead_h is not None]
    detected = percent(hits / (hits + misses)) if hits + misses else DASH
    ratio = percent(false / (hits + false)) if hits + false else DASH
    success = percent(hits / (hits + misses + false)) if hits + misses + false else DASH
    lead = fixed(float(np.mean(leads)), 0) if leads else DASH
    span = f"{fixed(min(leads), 0)}–{fixed(max(leads), 0)} {voice.say('小时', 'h')}" if leads else ""
    return [
        Card(
            voice.say("命中率", "Probability of detection"),
            detected,
            "",
            voice.say(f"命中{hits} · 漏报{misses}", f"{counted(hits, 'hit')} · {counted(misses, 'miss', 'misses')}"),
        ),
        Card(
            voice.say("空报率", "False alarm ratio"),
            ratio,
            "",
            voice.say(f"空报{false}", counted(false, "false alarm")),
        ),
        Card(voice.say("成功指数", "Critical success index"), success, "", "CSI"),
        Card(voice.say("平均提前", "Mean lead"), lead, voice.say("小时", "h"), span),
    ]


def _table(report: Report, voice: Voice) -> Table:
    columns = (
        Column(voice.say("站点与界限", "Station and line"), share=2.2),
        Column(voice.say("级别", "Level"), align="center"),
        Column(voice.say("首次发布", "Issued"), share=1.3),
        Column(voice.say("可能性", "Chance"), align="right"),
        Column(voice.say("预计出现", "Expected"), share=1.3),
        Column(voice.say("实况", "Observed"), share=1.3),
        Column(voice.say("提前", "Lead"), voice.say("小时", "h"), "right"),
        Column(voice.say("结果", "Outcome"), align="center"),
    )
    shown = report.notices[:_MOST]
    more = len(report.notices) - len(shown)
    note = voice.say(f"另有{more}条未列，见事件日志。", f"{more} more are in the log.") if more else ""
    return Table(columns, tuple(_row(each, voice) for each in shown), note=note, dense=True)


def _row(notice: NoticeCourse, voice: Voice) -> tuple[Cell, ...]:
    words, tone = outcome(notice, voice)
    decimals = 2 if notice.unit == "m" else 0
    near = voice.say("接近", "near ") if notice.near else ""
    line = f"{near}{voice.line(notice.threshold)} {fixed(notice.threshold_value, decimals)} {voice.unit(notice.unit)}"
    unsaid = notice.outcome == "miss" and notice.crossing is None
    return (
        Cell(voice.of(notice.station), strong=True, below=line, refs=notice.seqs),
        Cell(voice.colour(notice.severity), tone=tone_of(notice.severity)),
        Cell(DASH if unsaid else voice.time(notice.issued)),
        Cell(percent(notice.chance)),
        Cell(voice.time(notice.crossing)),
        Cell(voice.time(notice.crossed_at)),
        Cell(fixed(notice.lead_h, 0)),
        Cell(words, tone=tone),
    )


def outcome(notice: NoticeCourse, voice: Voice) -> tuple[str, Tone]:
    """What came of a notice, in a word and a tone."""
    known: dict[str, tuple[str, str, Tone]] = {
        "hit": ("命中", "hit", "good"),
        "miss": ("漏报", "miss", "red"),
        "false_alarm": ("空报", "false alarm", "orange"),
        "withdrawn": ("已撤销", "withdrawn", "muted"),
        "": ("生效中", "in force", "blue"),
    }
    zh, en, tone = known.get(notice.outcome, (notice.outcome, notice.outcome, ""))
    return voice.say(zh, en), tone
