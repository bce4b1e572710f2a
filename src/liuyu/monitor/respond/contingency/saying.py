"""What a response is called and why it is proposed, in the language of a flood office."""

from __future__ import annotations

from collections.abc import Sequence

from liuyu.monitor.respond.contingency.finding import Finding, Text
from liuyu.monitor.respond.contingency.form import Plan, rank

ROMAN = {"I": "Ⅰ", "II": "Ⅱ", "III": "Ⅲ", "IV": "Ⅳ"}
_SHOWN = 6


def act(plan: Plan, level: str, to: str) -> Text:
    """What is done to a response: started, raised, lowered or ended."""
    zh, en = plan.name.zh, plan.name.en
    if not level:
        return {"zh": f"启动{zh}{ROMAN[to]}级应急响应", "en": f"Start {en} response at level {to}"}
    if not to:
        return {"zh": f"终止{zh}{ROMAN[level]}级应急响应", "en": f"End the {en} response of level {level}"}
    up = rank(to) > rank(level)
    return {
        "zh": f"将{zh}应急响应由{ROMAN[level]}级{'提升' if up else '调整'}至{ROMAN[to]}级",
        "en": f"{'Raise' if up else 'Lower'} the {en} response from level {level} to {to}",
    }


def title(state: str, what: Text) -> Text:
    """The title of an event of a response, from what is done or was to be."""
    zh = {"proposed": "建议", "declined": "未采纳："}.get(state, "")
    en = {"proposed": "Proposed: ", "declined": "Declined: "}.get(state, "")
    return {"zh": zh + what["zh"], "en": en + what["en"]}


def lapsed(what: Text) -> Text:
    """The title of a proposal that fell away by itself."""
    return {"zh": f"建议撤回：{what['zh']}", "en": f"Withdrawn: {what['en']}"}


def met(findings: Sequence[Finding]) -> list[Text]:
    """Why a level is called for: each condition that is met, with the value that met it."""
    return [line for each in findings for line in each.said()]


def ceased(level: str, hours: int, findings: Sequence[Finding]) -> list[Text]:
    """Why a level is left: for how long none of its conditions has held, and how they stand."""
    head = {
        "zh": f"{ROMAN[level]}级条件（含回差）已连续{hours}小时均不满足",
        "en": f"no condition of level {level}, eased, has held for {hours} h",
    }
    return [head, *(each.text for each in findings if each.kind != "reported")][: _SHOWN + 1]


def no_longer() -> list[Text]:
    """Why a proposal is withdrawn."""
    return [{"zh": "触发条件已变化，建议不再成立", "en": "the conditions have changed; the proposal no longer holds"}]


def by_hand(note: str) -> list[Text]:
    """Why a person proposes."""
    return [{"zh": f"人工提出：{note}", "en": f"proposed by hand: {note}"}]
