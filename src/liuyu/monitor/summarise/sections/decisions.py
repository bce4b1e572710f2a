"""What was decided and ordered: the timeline of decisions, emergency responses, orders and their answers, shifts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from liuyu.monitor.summarise.blocks import Block, Cell, Column, Heading, Moment, Paragraph, Table, Timeline, Tone
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.decisions import Addressed, DispatchCourse, Move, ResponseCourse
from liuyu.monitor.summarise.sections.response import state
from liuyu.monitor.summarise.voice import DASH, Voice, counted, fixed

_TONES: dict[str, Tone] = {"I": "red", "II": "orange", "III": "yellow", "IV": "blue"}
_MOVES = {
    "proposed": ("建议", "proposed"),
    "started": ("启动", "started"),
    "adjusted": ("调整", "adjusted"),
    "terminated": ("终止", "terminated"),
    "declined": ("未采纳", "declined"),
}
_ORDERS = {
    "drafted": ("拟稿", "draft"),
    "signed": ("已签发", "signed"),
    "acknowledged": ("已签收", "acknowledged"),
    "reported": ("已反馈", "carried out"),
    "overdue": ("逾期", "overdue"),
    "cancelled": ("撤销", "cancelled"),
}


def decisions(report: Report, voice: Voice) -> list[Block]:
    """Everything that a person decided, in its order; then the orders one by one."""
    if not (report.responses or report.dispatches or report.shifts):
        return []
    blocks: list[Block] = [
        Heading(voice.say("决策与调度指令", "Decisions and orders")),
        Heading(voice.say("决策过程", "Timeline of decisions"), 2),
        _sorted([*_acted(report.responses, report.dispatches, voice), *_chosen(report, voice)]),
    ]
    for form, zh, en in (("order", "调度令", "Orders"), ("notification", "通知", "Notifications")):
        found = [each for each in report.dispatches if each.form == form]
        if found:
            blocks += [Heading(voice.say(zh, en), 2), _counted(found, voice), orders_table(found, voice)]
    return blocks


Told = tuple[tuple[int, int], Moment]


def moments_of(
    responses: Sequence[ResponseCourse], dispatches: Sequence[DispatchCourse], voice: Voice
) -> Timeline | None:
    """Responses and signed orders on one timeline, None where there is nothing to tell."""
    found = list(_acted(responses, dispatches, voice))
    return _sorted(found) if found else None


def _sorted(found: Iterable[Told]) -> Timeline:
    return Timeline(tuple(moment for _, moment in sorted(found, key=lambda each: each[0])))


def _acted(responses: Sequence[ResponseCourse], dispatches: Sequence[DispatchCourse], voice: Voice) -> Iterable[Told]:
    for course in responses:
        for move in course.moves:
            yield (move.time, move.seq), _move(course, move, voice)
    for order in dispatches:
        if order.signed is not None:
            yield (order.signed, order.seqs[0]), _signed(order, voice)


def _chosen(report: Report, voice: Voice) -> Iterable[Told]:
    for each in report.alternatives:
        if each.kind == "proposal" and each.state in ("accepted", "rejected"):
            said = f"{voice.of(each.title)}{voice.say('；', '; ')}{each.decided_by}"
            said += f"{voice.say('：', ': ')}{each.note}" if each.note else ""
            what = voice.say("调度方案", "Proposal") + " · " + state(each.state, voice)
            yield (each.decided, each.seqs[-1]), Moment(voice.stamp(each.decided), "", what, Cell(said, refs=each.seqs))
    for shift in report.shifts:
        when = shift.taken if shift.taken is not None else shift.offered
        zh = f"{shift.given_by}交班，{shift.taken_by or '尚无人'}接班，未了事项{shift.open}项"
        en = f"{shift.given_by} handed over to {shift.taken_by or 'nobody yet'}, {counted(shift.open, 'open item')}"
        said = voice.say(zh, en) + (f"{voice.say('：', ': ')}{shift.note}" if shift.note else "")
        what = voice.say("交接班", "Shift")
        yield (when, shift.seqs[-1]), Moment(voice.stamp(when), "muted", what, Cell(said, refs=shift.seqs))


def _move(course: ResponseCourse, move: Move, voice: Voice) -> Moment:
    level = move.proposed if move.state in ("proposed", "declined") else move.level
    named = voice.say(f"{level}级" if level else "终止", f"level {level}" if level else "end")
    said = f"{voice.of(course.title)}{voice.say('：', ': ')}{named}"
    said += f"{voice.say('；', '; ')}{move.by}" if move.by else ""
    reasons = [voice.of(each) for each in move.why] + ([move.note] if move.note else [])
    said += voice.say("。", ". ") + voice.say("；", "; ").join(reasons) if reasons else ""
    what = voice.say("应急响应", "Response") + " · " + voice.say(*_MOVES.get(move.state, (move.state, move.state)))
    return Moment(voice.stamp(move.time), _TONES.get(level, ""), what, Cell(said, refs=(move.seq,)))


def _signed(order: DispatchCourse, voice: Voice) -> Moment:
    signed = order.signed if order.signed is not None else order.drafted
    what = voice.say(*(("调度令", "Order") if order.form == "order" else ("通知", "Notification")))
    said = f"{voice.of(order.number)} {voice.of(order.title)}".strip()
    said += voice.say(f"；{order.signed_by}签发", f"; signed by {order.signed_by}")
    label = f"{what} · {voice.say('签发', 'signed')}"
    return Moment(voice.stamp(signed), "", label, Cell(said, refs=order.seqs[:1]))


def _counted(found: list[DispatchCourse], voice: Voice) -> Paragraph:
    signed = [each for each in found if each.signed is not None]
    to = [one for each in signed for one in each.recipients]
    answered = sum(one.acknowledged is not None or one.reported is not None for one in to)
    carried = sum(one.reported is not None for one in to)
    failed, double = sum(one.failed for one in to), sum(one.duplicates for one in to)
    zh = f"签发{len(signed)}份，送达{len(to)}个单位次，签收{answered}、反馈{carried}；"
    zh += f"发送失败{failed}次，重发（标明重复）{double}次。"
    en = f"{len(signed)} signed, addressed {counted(len(to), 'time')}, {answered} acknowledged, {carried} carried out; "
    en += f"{counted(failed, 'attempt')} to send failed, {double} sent again and marked so."
    return Paragraph((Cell(voice.say(zh, en)),))


def orders_table(found: Sequence[DispatchCourse], voice: Voice) -> Table:
    """Orders with each recipient's answer."""
    columns = (
        Column(voice.say("文号与标题", "Number and title"), share=3.2),
        Column(voice.say("签发", "Signed"), share=1.3),
        Column(voice.say("受令单位", "Recipient"), share=1.8),
        Column(voice.say("签收", "Acknowledged"), share=1.2),
        Column(voice.say("反馈", "Carried out"), share=1.2),
        Column(voice.say("状态", "State"), align="center", share=1.1),
        Column(voice.say("超时", "Late by"), voice.say("小时", "h"), "right"),
    )
    return Table(columns, tuple(row for each in found for row in _order(each, voice)), dense=True)


def _order(order: DispatchCourse, voice: Voice) -> Iterable[tuple[Cell, ...]]:
    tones: dict[str, Tone] = {"reported": "good", "acknowledged": "good", "overdue": "red", "cancelled": "muted"}
    head = (
        Cell(voice.of(order.number), strong=True, below=voice.of(order.title), refs=order.seqs),
        Cell(voice.stamp(order.signed) if order.signed is not None else DASH, below=order.signed_by),
    )
    tail = (
        Cell(voice.say(*_ORDERS.get(order.state, (order.state, order.state))), tone=tones.get(order.state, "")),
        Cell(fixed(order.late_h, 1), tone="red" if order.late_h else ""),
    )
    for place, each in enumerate(order.recipients or (Addressed({}, None, None, "", "", 0, 0, 0),)):
        yield (
            *(head if place == 0 else (Cell(""), Cell(""))),
            Cell(voice.of(each.name), below=" ".join(one for one in (each.by, each.note) if one)),
            Cell(voice.stamp(each.acknowledged) if each.acknowledged is not None else DASH),
            Cell(voice.stamp(each.reported) if each.reported is not None else DASH),
            *(tail if place == 0 else (Cell(""), Cell(""))),
        )
