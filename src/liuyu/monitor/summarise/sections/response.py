"""What people did: the incident's log, the tasks, and which of them were late."""

from __future__ import annotations

from collections.abc import Sequence

from liuyu.monitor.summarise.blocks import (
    Block,
    Cell,
    Column,
    Heading,
    Moment,
    Paragraph,
    Table,
    Timeline,
    Tone,
)
from liuyu.monitor.summarise.contents import IncidentCourse, Report, TaskCourse
from liuyu.monitor.summarise.voice import DASH, Voice, counted, fixed, tone_of

_STATES = {
    "opened": ("立案", "opened"),
    "updated": ("续报", "updated"),
    "closing": ("观察", "closing"),
    "closed": ("结案", "closed"),
    "assigned": ("待办", "assigned"),
    "acknowledged": ("已接收", "acknowledged"),
    "done": ("完成", "done"),
    "overdue": ("逾期", "overdue"),
    "cancelled": ("取消", "cancelled"),
    "proposed": ("待决", "undecided"),
    "accepted": ("采纳", "accepted"),
    "rejected": ("未采纳", "rejected"),
    "lapsed": ("失效", "lapsed"),
    "run": ("预演", "run"),
}


def response(report: Report, voice: Voice) -> list[Block]:
    """Every incident: its log as a timeline, its tasks as a table."""
    blocks: list[Block] = [Heading(voice.say("应急处置", "Response"))]
    if not report.incidents:
        nothing = voice.say("期内没有立案的洪水事件。", "No incident was opened in the period.")
        return [*blocks, Paragraph((Cell(nothing),))]
    for incident in report.incidents:
        blocks += [Heading(voice.of(incident.title), 2), _said(incident, voice), _timeline(incident, voice)]
        if incident.tasks:
            blocks += [_late(incident, voice), _tasks(incident.tasks, voice)]
    return blocks


def state(name: str, voice: Voice) -> str:
    """The name of a state."""
    return voice.say(*_STATES.get(name, (name, name)))


def _said(incident: IncidentCourse, voice: Voice) -> Paragraph:
    opened, closed = voice.time(incident.opened), voice.time(incident.closed)
    colour = voice.colour(incident.highest)
    end_zh = f"{closed}结案" if incident.closed else "期末尚未结案"
    end_en = f"closed {closed}" if incident.closed else "still open at the end of the period"
    zh = f"{opened}立案，{end_zh}；涉及{incident.stations}站，最高级别{colour}色。"
    en = f"Opened {opened}, {end_en}; {counted(incident.stations, 'station')}, at most at level {colour}."
    return Paragraph((Cell(voice.say(zh, en)),))


def _timeline(incident: IncidentCourse, voice: Voice) -> Timeline:
    return Timeline(
        tuple(
            Moment(
                voice.stamp(each.time),
                tone_of(each.level),
                f"{state(each.state, voice)} · {voice.colour(each.level)}",
                Cell(voice.of(each.entry), refs=(each.seq,)),
            )
            for each in incident.entries
        )
    )


def _late(incident: IncidentCourse, voice: Voice) -> Paragraph:
    late = [each for each in incident.tasks if each.late_h is not None]
    done = sum(each.state == "done" for each in incident.tasks)
    zh = f"下达任务{len(incident.tasks)}项，完成{done}项，逾期{len(late)}项。"
    en = f"{counted(len(incident.tasks), 'task')} given, {done} done, {len(late)} late."
    return Paragraph((Cell(voice.say(zh, en)),))


def _tasks(tasks: Sequence[TaskCourse], voice: Voice) -> Table:
    columns = (
        Column(voice.say("任务", "Task"), share=3.0),
        Column(voice.say("责任人", "Owner"), share=1.5),
        Column(voice.say("下达", "Given"), share=1.2),
        Column(voice.say("期限", "Due"), share=1.2),
        Column(voice.say("完成", "Done"), share=1.2),
        Column(voice.say("状态", "State"), align="center"),
        Column(voice.say("超时", "Late by"), voice.say("小时", "h"), "right"),
    )
    return Table(columns, tuple(_task(each, voice) for each in tasks), dense=True)


def _task(task: TaskCourse, voice: Voice) -> tuple[Cell, ...]:
    tones: dict[str, Tone] = {"done": "good", "overdue": "red", "cancelled": "muted"}
    handed = f"→ {voice.of(task.escalated_to)}" if task.escalated_to else ""
    return (
        Cell(voice.of(task.title), refs=task.seqs),
        Cell(voice.of(task.owner), below=handed),
        Cell(voice.stamp(task.given)),
        Cell(voice.stamp(task.due)),
        Cell(voice.stamp(task.done) if task.done is not None else DASH),
        Cell(state(task.state, voice), tone=tones.get(task.state, "")),
        Cell(fixed(task.late_h, 0), tone="red" if task.late_h is not None else ""),
    )
