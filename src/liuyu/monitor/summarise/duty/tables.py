"""Tables that the daily and the flood bulletin share."""

from __future__ import annotations

from collections.abc import Sequence

from liuyu.monitor.summarise.blocks import Block, Cell, Column, LogIndex, Remark, Table, Tone
from liuyu.monitor.summarise.contents import NoticeCourse, TaskCourse
from liuyu.monitor.summarise.duty.watch import OVER, Gauge, Pool, Reading, Watch
from liuyu.monitor.summarise.voice import DASH, Voice, fixed, percent, signed, tone_of, tone_of_line, volume

_LINES = ("warning", "guarantee")
_POOL_LINES = ("flood_limit", "normal_pool")
_ARROWS = {1: "↑", -1: "↓", 0: "→"}


def levels(found: Sequence[Gauge], voice: Voice) -> Table:
    """Level, change, margins and discharge of the stations."""
    river = (Column("河名", share=0.8),) if voice.chinese else ()
    columns = (
        *river,
        Column(voice.say("站名", "Station"), share=1.2),
        Column(voice.say("水位", "Level"), voice.unit("m"), "right"),
        Column(voice.say("涨落", "Now"), align="center", share=0.6),
        Column(voice.say("24小时变化", "24 h change"), voice.unit("m"), "right"),
        *(
            Column(voice.say(f"较{voice.line(kind)}", f"above {voice.line(kind)}"), voice.unit("m"), "right", 1.1)
            for kind in _LINES
        ),
        Column(voice.say("流量", "Discharge"), voice.unit("m3/s"), "right", 1.2),
    )
    rows = tuple((*(Cell(each.river or DASH) for _ in river), *_level(each, voice)) for each in found)
    note = voice.say(
        "“涨落”按最近6小时计：↑涨 ↓落 →平；较某线为正即超过该线。",
        "Now: over the last six hours, ↑ rising, ↓ falling, → steady. Positive: above the line.",
    )
    return Table(columns, rows, note=note, dense=True)


def _level(gauge: Gauge, voice: Voice) -> tuple[Cell, ...]:
    reached = [kind for kind in _LINES if (gauge.above(kind) or -1.0) >= 0]
    tone: Tone = tone_of_line(reached[-1]) if reached else ""
    return (
        Cell(voice.of(gauge.name), strong=True),
        Cell(fixed(gauge.level.value), tone=tone, strong=bool(reached), below=voice.stamp(gauge.level.time)),
        Cell(_ARROWS[gauge.level.tendency]),
        Cell(signed(gauge.level.change) if gauge.level.change is not None else DASH),
        *(
            Cell(signed(above), tone=tone_of_line(kind) if above >= 0 else "muted")
            if (above := gauge.above(kind)) is not None
            else Cell(DASH)
            for kind in _LINES
        ),
        Cell(_flow(gauge.discharge)),
    )


def _flow(reading: Reading | None) -> str:
    return fixed(reading.value, 0) if reading is not None else DASH


def pools(found: Sequence[Pool], voice: Voice) -> Table:
    """Level, limits, inflow, outflow and storage of the reservoirs."""
    columns = (
        Column(voice.say("水库", "Reservoir"), share=1.2),
        Column(voice.say("库水位", "Level"), voice.unit("m"), "right"),
        Column(voice.say("24小时变化", "24 h change"), voice.unit("m"), "right"),
        *(
            Column(voice.say(f"较{voice.line(kind)}", f"above {voice.line(kind)}"), voice.unit("m"), "right", 1.1)
            for kind in _POOL_LINES
        ),
        Column(voice.say("入库", "Inflow"), voice.unit("m3/s"), "right"),
        Column(voice.say("出库", "Outflow"), voice.unit("m3/s"), "right"),
        Column(voice.say("蓄水量", "Storage"), align="right", share=1.2),
        Column(voice.say("日拦蓄", "Held in a day"), align="right", share=1.2),
    )
    return Table(columns, tuple(_pool(each, voice) for each in found), dense=True)


def _pool(pool: Pool, voice: Voice) -> tuple[Cell, ...]:
    level = pool.level
    margins = {kind: level.value - pool.lines[kind] for kind in _POOL_LINES if level and kind in pool.lines}
    return (
        Cell(voice.of(pool.name), strong=True),
        Cell(fixed(level.value), below=voice.stamp(level.time)) if level else Cell(DASH),
        Cell(signed(level.change) if level and level.change is not None else DASH),
        *(
            Cell(signed(margins[kind]), tone="orange" if margins[kind] > 0 else "muted")
            if kind in margins
            else Cell(DASH)
            for kind in _POOL_LINES
        ),
        Cell(_flow(pool.inflow)),
        Cell(_flow(pool.outflow)),
        Cell(" ".join(volume(pool.storage, voice)).strip()),
        Cell(" ".join(volume(pool.stored_in_day, voice)).strip()),
    )


def standing(seen: Watch, voice: Voice) -> list[Block]:
    """Notices in force and alerts that stand, gravest first."""
    order = ("red", "orange", "yellow", "blue")
    columns = (
        Column(voice.say("级别", "Level"), align="center", share=0.6),
        Column(voice.say("类别", "Kind"), share=0.7),
        Column(voice.say("内容", "What"), share=4.0),
        Column(voice.say("自", "Since"), share=1.0),
    )
    notice, alert = voice.say("预警", "notice"), voice.say("告警", "alert")
    rows = [
        (
            each.severity,
            (
                Cell(voice.colour(each.severity), tone=tone_of(each.severity)),
                Cell(notice),
                Cell(
                    _noticed(each, voice),
                    refs=each.seqs,
                ),
                Cell(voice.stamp(each.issued)),
            ),
        )
        for each in seen.notices
    ]
    rows += [
        (
            each.severity,
            (
                Cell(voice.colour(each.severity), tone=tone_of(each.severity)),
                Cell(alert),
                Cell(voice.of(each.title), refs=(each.seq,)),
                Cell(voice.stamp(each.start)),
            ),
        )
        for each in seen.alerts
    ]
    if not rows:
        return [Remark(voice.say("无生效中的预警与告警。", "No notice is in force and no alert stands."))]
    ranked = sorted(rows, key=lambda each: order.index(each[0]))
    return [Table(columns, tuple(cells for _, cells in ranked), dense=True)]


def _noticed(notice: NoticeCourse, voice: Voice) -> str:
    line, when = voice.line(notice.threshold), voice.time(notice.crossing)
    zh = f"{voice.of(notice.station)}预计{when}达到{line}（首发可能性{percent(notice.chance)}）"
    en = (
        f"{voice.of(notice.station)} is expected to reach its {line}, {when} (first issued at {percent(notice.chance)})"
    )
    return voice.say(zh, en)


def tasks(found: Sequence[TaskCourse], at: int, voice: Voice) -> Table:
    """Tasks that are not over, those that are late first."""
    columns = (
        Column(voice.say("任务", "Task"), share=3.4),
        Column(voice.say("责任人", "Owner"), share=1.7),
        Column(voice.say("期限", "Due"), share=1.1),
        Column(voice.say("状态", "State"), align="center"),
    )
    rows = tuple(
        (
            Cell(voice.of(each.title), refs=each.seqs),
            Cell(voice.of(each.owner)),
            Cell(voice.stamp(each.due)),
            Cell(voice.say("逾期", "late"), tone="red")
            if each.due < at
            else Cell(
                voice.say("已接收", "acknowledged") if each.state == "acknowledged" else voice.say("待办", "open")
            ),
        )
        for each in sorted(found, key=lambda each: each.due)
    )
    return Table(columns, rows, dense=True)


def open_tasks(seen: Watch) -> list[TaskCourse]:
    """Tasks neither done nor cancelled."""
    return [task for each in seen.incidents for task in each.tasks if task.state not in OVER]


def end(seen: Watch, voice: Voice) -> list[Block]:
    """Who made it, of what, and the events that it rests on."""
    said = voice.say(
        f"由liuyu {seen.version}依运行日志与实时资料编制，同一日志所得字节一致。",
        f"Made by liuyu {seen.version} from the log and the series; the same log gives the same bytes.",
    )
    rows = tuple((each.seq, voice.stamp(each.time), each.kind, each.id, each.state) for each in seen.log)
    heads = voice.say("编号 时间 类别 标识 状态", "No. Time Kind Id State").split()
    source = voice.of(seen.attribution)
    return [Remark(" ".join(each for each in (said, source) if each)), LogIndex(tuple(heads), rows)]
