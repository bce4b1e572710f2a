"""What was late: tasks, orders, warnings, answers to alerts. A flood's lessons begin here."""

from __future__ import annotations

from liuyu.monitor.summarise.blocks import Block, Cell, Column, Heading, Paragraph, Table
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.voice import DASH, Voice, counted, fixed

_SHOWN = 40
Row = tuple[float, tuple[Cell, ...]]


def late(report: Report, voice: Voice) -> list[Block]:
    """One table of everything that missed its time, the longest delay first; nothing where no incident ran."""
    if not (report.incidents or report.dispatches):
        return []
    rows = sorted([*_tasks(report, voice), *_orders(report, voice)], key=lambda each: -each[0])
    misses = sum(each.outcome == "miss" for each in report.notices)
    unanswered = sum(each.escalated for each in report.alerts)
    zh = f"逾期任务与指令{len(rows)}项；无预警而越线{misses}次；告警逾时无人应答而升级{unanswered}次。"
    en = f"{counted(len(rows), 'task or order', 'tasks and orders')} came late; {counted(misses, 'crossing')} came "
    en += f"without a notice; {counted(unanswered, 'alert')} went up for want of an answer."
    blocks: list[Block] = [
        Heading(voice.say("迟滞事项", "What was late")),
        Paragraph((Cell(voice.say(zh, en)),)),
    ]
    if not rows:
        return blocks
    columns = (
        Column(voice.say("事项", "What"), share=3.5),
        Column(voice.say("责任方", "Whose"), share=1.8),
        Column(voice.say("期限", "Due"), share=1.2),
        Column(voice.say("完成", "Done"), share=1.2),
        Column(voice.say("迟", "Late by"), voice.say("小时", "h"), "right"),
    )
    more = len(rows) - _SHOWN
    note = voice.say(f"另有{more}项未列。", f"{more} more are not listed.") if more > 0 else ""
    return [*blocks, Table(columns, tuple(cells for _, cells in rows[:_SHOWN]), note=note, dense=True)]


def _tasks(report: Report, voice: Voice) -> list[Row]:
    return [
        (
            task.late_h,
            (
                Cell(voice.of(task.title), refs=task.seqs),
                Cell(voice.of(task.owner)),
                Cell(voice.stamp(task.due)),
                Cell(voice.stamp(task.done) if task.done is not None else DASH),
                Cell(fixed(task.late_h, 1), tone="red"),
            ),
        )
        for incident in report.incidents
        for task in incident.tasks
        if task.late_h is not None
    ]


def _orders(report: Report, voice: Voice) -> list[Row]:
    out: list[Row] = []
    for order in report.dispatches:
        if order.late_h is None:
            continue
        waiting = [each for each in order.recipients if each.acknowledged is None and each.reported is None]
        cells = (
            Cell(f"{voice.of(order.number)} {voice.of(order.title)}".strip(), refs=order.seqs),
            Cell(voice.joined([voice.of(each.name) for each in waiting or order.recipients])),
            Cell(voice.stamp(order.due) if order.due is not None else DASH),
            Cell(DASH if waiting else voice.say("已答复", "answered")),
            Cell(fixed(order.late_h, 1), tone="red"),
        )
        out.append((order.late_h, cells))
    return out
