"""What a shift hands over: everything that is not done, computed from the log."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from zoneinfo import ZoneInfo

from liuyu.basin.events import Event
from liuyu.monitor.respond.dispatch.register import runs
from liuyu.monitor.respond.dispatch.words import STATES, when

Text = dict[str, str]
OPEN_KINDS = (
    "incident",
    "response",
    "alert",
    "notice",
    "proposal",
    "dispatch",
    "delivery",
    "task",
    "source",
)
_OPEN = {
    "incident": {"opened", "updated", "closing"},
    "response": {"proposed", "started", "adjusted"},
    "alert": {"raised", "changed", "escalated"},
    "notice": {"issued", "updated"},
    "proposal": {"proposed"},
    "task": {"assigned", "acknowledged", "overdue"},
    "source": {"silent"},
}
_WORDS = {
    "incident": ("事件", "Incident"),
    "response": ("应急响应", "Response"),
    "alert": ("未确认告警", "Alert not acknowledged"),
    "notice": ("生效预警", "Notice in force"),
    "proposal": ("待定方案", "Proposal to be decided"),
    "dispatch": ("文书", "Paper"),
    "task": ("未完成任务", "Task not done"),
    "source": ("中断测站", "Silent station"),
}
_TASK = {
    "assigned": ("未接受", "not accepted"),
    "acknowledged": ("办理中", "in hand"),
    "overdue": ("逾期", "overdue"),
}


def open_items(events: Iterable[Event], zone: ZoneInfo) -> tuple[Text, ...]:
    """What is open, a line each, in the order of OPEN_KINDS and then of the log; `events` from the log's beginning.

    An alert that another inhibits is left out; an order that could not be delivered is named.
    """
    newest: dict[tuple[str, str], Event] = {}
    for event in events:
        newest[event.kind, event.id] = event
    lines = []
    for kind in OPEN_KINDS:
        for (each_kind, _), event in newest.items():
            if each_kind == kind and _is_open(event) and not event.body.get("inhibited_by"):
                lines.append(_line(event, zone))
    failed = {
        (event.body["dispatch"], event.body["recipient"], event.body["channel"])
        for (kind, _), event in newest.items()
        if kind == "delivery"
        and event.state == "failed"
        and event.body.get("final")
        and (paper := newest.get(("dispatch", event.body["dispatch"]))) is not None
        and _is_open(paper)
    }
    lines += [
        {"zh": f"未能送达：{dispatch} → {who}（{channel}）", "en": f"Not delivered: {dispatch} to {who} by {channel}"}
        for dispatch, who, channel in sorted(failed)
    ]
    return tuple(lines)


def _is_open(event: Event) -> bool:
    if event.kind == "dispatch":
        return event.state == "drafted" or runs(event.state, event.body.get("report_due"))
    return event.state in _OPEN.get(event.kind, ())


def shift_of(now: datetime, zone: ZoneInfo) -> Text:
    """The shift that a moment lies in: by day from 8 to 20 o'clock, else by night, named by the day it began.

    >>> shift_of(datetime.fromisoformat("2020-08-17T18:00:00+00:00"), ZoneInfo("Asia/Shanghai"))["zh"]
    '8月17日夜班'
    """
    here = now.astimezone(zone)
    by_day = 8 <= here.hour < 20
    day = here if here.hour >= 8 else datetime.fromtimestamp(here.timestamp() - 86_400, zone)
    return {
        "zh": f"{day.month}月{day.day}日{'白班' if by_day else '夜班'}",
        "en": f"{'Day' if by_day else 'Night'} shift of {day.day} {day:%B}",
    }


def _line(event: Event, zone: ZoneInfo) -> Text:
    zh, en = _WORDS[event.kind]
    title = event.body.get("title") or {"zh": event.id, "en": event.id}
    if event.kind == "dispatch":
        state = STATES[event.state]
        number = event.body["number"]
        return {
            "zh": f"{zh}{number['zh']}：{title['zh']}（{state['zh']}）",
            "en": f"{en} {number['en']}: {title['en']} ({state['en']})",
        }
    if event.kind == "task":
        state_zh, state_en = _TASK[event.state]
        due = when(datetime.fromisoformat(str(event.body["due"])), zone, year=False)
        return {
            "zh": f"{zh}：{title['zh']}（{state_zh}，期限{due['zh']}）",
            "en": f"{en}: {title['en']} ({state_en}, due {due['en']})",
        }
    return {"zh": f"{zh}：{title['zh']}", "en": f"{en}: {title['en']}"}
