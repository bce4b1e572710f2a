"""The notification of a response: its level began, moved or ended, told to the list of that level."""

from __future__ import annotations

import msgspec

from liuyu.basin.directives import Recipient, Response
from liuyu.basin.events import Event, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.dispatch.wish import TitleText, WordingText
from liuyu.monitor.respond.dispatch.words import when

_LEVELS = {"I": "Ⅰ级", "II": "Ⅱ级", "III": "Ⅲ级", "IV": "Ⅳ级"}
_DONE = {
    "started": ("启动", "started"),
    "adjusted": ("调整", "adjusted"),
    "terminated": ("终止", "terminated"),
}


class Made(msgspec.Struct, frozen=True):
    """What such a notification says, to whom and in whose name."""

    title: TitleText
    wording: WordingText
    recipients: tuple[Recipient, ...]
    incident: str
    by: str


def notice_of(event: Event, basin: Basin) -> Made:
    """The notification that a response event asks for; its body names the recipients in `notify`."""
    response = record(event, Response)
    recipients = msgspec.convert(event.body["notify"], tuple[Recipient, ...])
    level_zh, level_en = _LEVELS.get(response.level, ""), f"level {response.level} " if response.level else ""
    done_zh, done_en = _DONE.get(event.state, ("变动", event.state))
    plan_zh, plan_en = response.title["zh"], response.title["en"]
    at = when(event.time, basin.zone)
    to_level = f"至{level_zh}" if event.state == "adjusted" else level_zh
    named = level_zh and level_zh in plan_zh
    title = TitleText(
        zh=f"关于{done_zh}应急响应的通知：{plan_zh}{'' if named or not level_zh else f'（{to_level}）'}"[:300],
        en=f"Emergency response {level_en}{done_en}: {plan_en}"[:300],
    )
    why_zh = "".join(f"\n　　{each['zh']}；" for each in response.why)
    why_en = "".join(f"\n  - {each['en']}" for each in response.why)
    return Made(
        title=title,
        wording=WordingText(
            zh=(
                f"各有关单位：\n根据预案（{plan_zh}，版本{response.version}），自{at['zh']}起{done_zh}{to_level}应急响应。"
                + (f"\n依据：{why_zh}" if why_zh else "")
                + f"\n批准人：{response.approved_by or '值班系统'}。请按预案职责落实各项工作，收到后确认。"
            )[:8000],
            en=(
                f"To all concerned:\nUnder the plan ({plan_en}, version {response.version}) the emergency response "
                f"{level_en}was {done_en} at {at['en']}."
                + (f"\nGrounds:{why_en}" if why_en else "")
                + f"\nApproved by {response.approved_by or 'the system on duty'}. "
                "Do what the plan asks of you, and acknowledge receipt."
            )[:8000],
        ),
        recipients=recipients,
        incident=response.incident,
        by=response.approved_by or response.proposed_by,
    )
