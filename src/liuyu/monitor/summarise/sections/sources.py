"""Where every number comes from: code, data, and the events of the log."""

from __future__ import annotations

from liuyu.monitor.summarise.blocks import Block, Cell, Column, Heading, LogIndex, Paragraph, Table
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.voice import Voice


def sources(report: Report, voice: Voice) -> list[Block]:
    """Provenance, then an index of the events that the references lead to."""
    said = voice.say(
        f"本报告由事件日志与观测序列计算得出：时段内日志{report.logged:,}条，其中引用{len(report.log):,}条。"
        "文中上标为事件编号，见下表；同一日志生成的报告逐字节相同。",
        f"This report is computed from the log and the series: {report.logged:,} events in the period, "
        f"{len(report.log):,} of them cited. Raised numbers are those of events in the index below. The same log gives "
        "the same bytes.",
    )
    rows = (
        (voice.say("流域", "Basin"), f"{voice.of(report.basin)} ({report.code})"),
        (voice.say("程序", "Code"), f"liuyu {report.version}"),
        (voice.say("预报模型", "Forecast models"), ", ".join(report.models) or "—"),
        (
            voice.say("评定表", "Grading table"),
            f"{report.grading['name']}， {voice.say('版本', 'version')} {report.grading['version']}",
        ),
        (voice.say("时区", "Time zone"), report.time_zone),
        (voice.say("数据来源", "Data"), voice.of(report.attribution) or "—"),
    )
    table = Table(
        (Column(voice.say("项目", "Item"), share=1), Column(voice.say("内容", "Content"), share=4)),
        tuple((Cell(name, strong=True), Cell(value)) for name, value in rows),
    )
    heads = (
        voice.say("编号", "No."),
        voice.say("时间", "Time"),
        voice.say("类别", "Kind"),
        voice.say("事件", "Event"),
        voice.say("状态", "State"),
    )
    index = LogIndex(
        heads, tuple((each.seq, voice.stamp(each.time), each.kind, each.id, each.state) for each in report.log)
    )
    blocks: list[Block] = [Heading(voice.say("来源与索引", "Sources and index")), Paragraph((Cell(said),)), table]
    return [*blocks, Heading(voice.say("事件索引", "Index of events"), 2), index]
