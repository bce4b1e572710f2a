"""The words of orders and notifications in the standard form, Chinese and English, and of what is told about them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from liuyu.basin.directives import Dispatch, Recipient
from liuyu.basin.places import Basin
from liuyu.monitor.respond.dispatch.recipients import Office
from liuyu.monitor.respond.dispatch.steps import Hold

Text = dict[str, str]
_NUMERALS = "一二三四五六七八九十"
FORMS: Mapping[str, Text] = {
    "order": {"zh": "调度令", "en": "Operation order"},
    "notification": {"zh": "通知", "en": "Notification"},
}
UNNUMBERED: Text = {"zh": "（签发时编号）", "en": "(numbered when it is signed)"}
EXERCISE: Text = {"zh": "【演练】", "en": "[EXERCISE] "}
STATES: Mapping[str, Text] = {
    "drafted": {"zh": "拟稿", "en": "drafted"},
    "signed": {"zh": "已签发", "en": "signed"},
    "acknowledged": {"zh": "各单位均已确认", "en": "acknowledged by all"},
    "reported": {"zh": "各单位均已报告执行情况", "en": "reported by all"},
    "overdue": {"zh": "逾期", "en": "overdue"},
    "cancelled": {"zh": "已撤销", "en": "cancelled"},
}


def when(time: datetime, zone: ZoneInfo, *, year: bool = True) -> Text:
    """A moment as orders write it.

    >>> when(datetime.fromisoformat("2020-08-17T12:30:00+00:00"), ZoneInfo("Asia/Shanghai"))["zh"]
    '2020年8月17日20时30分'
    """
    here = time.astimezone(zone)
    minutes = f"{here.minute}分" if here.minute else ""
    zh = f"{here.month}月{here.day}日{here.hour}时{minutes}"
    return {
        "zh": f"{here.year}年{zh}" if year else zh,
        "en": f"{here:%H:%M} on {here.day} {here:%B}" + (f" {here.year}" if year else ""),
    }


def title(basin: Basin, reservoirs: Sequence[str]) -> Text:
    """关于…的调度令, after the reservoirs that it moves."""
    names = [_reservoir(basin, each) for each in reservoirs]
    zh, en = "、".join(each["zh"] for each in names), " and ".join(each["en"] for each in names)
    if not names:
        return {"zh": "关于防洪调度的调度令", "en": "Order on flood operation"}
    if len(names) > 1:
        return {"zh": f"关于{zh}联合调度的调度令", "en": f"Order on the joint operation of {en}"}
    return {"zh": f"关于调整{zh}出库流量的调度令", "en": f"Order on the release of {en}"}


def _opening(recipients: Sequence[Recipient]) -> Text:
    """The line with which a text begins."""
    to = _names(recipients)
    return {"zh": f"{to['zh']}：", "en": f"To: {to['en']}"}


def addressed(wording: Mapping[str, str], before: Sequence[Recipient], now: Sequence[Recipient]) -> Text:
    """A text with other recipients; as it stands where it does not begin with those before."""
    old, new = _opening(before), _opening(now)
    return {
        language: new[language] + text.removeprefix(old[language]) if text.startswith(old[language] + "\n") else text
        for language, text in wording.items()
    }


def body(
    basin: Basin,
    office: Office,
    recipients: Sequence[Recipient],
    schedule: Mapping[str, Sequence[Hold]],
    effective: datetime,
    reason: Text,
) -> Text:
    """The text of an order: to whom, what from when, what is asked of them."""
    zone = basin.zone
    lines = [
        _line(_reservoir(basin, code), each, effective, zone)
        for code, holds in sorted(schedule.items())
        for each in holds
    ]
    numbered_zh = [f"{numeral(place)}、{each['zh']}" for place, each in enumerate(lines, 1)]
    numbered_en = [f"{place}. {each['en']}" for place, each in enumerate(lines, 1)]
    to = _opening(recipients)
    ask = asked(office)
    because = {"zh": f"依据：{reason['zh']}。", "en": f"Grounds: {reason['en']}."} if reason.get("zh") else {}
    return {
        "zh": "\n".join(
            [
                to["zh"],
                "根据当前水雨情和预报，经会商研究，现就水库调度下达如下指令：",
                *numbered_zh,
                *([because["zh"]] if because else []),
                ask["zh"],
            ]
        ),
        "en": "\n".join(
            [
                to["en"],
                "In view of the present situation and the forecast, you are ordered to operate as follows:",
                *numbered_en,
                *([because["en"]] if because else []),
                ask["en"],
            ]
        ),
    }


def asked(office: Office) -> Text:
    """What an order asks of those who get it."""
    received, done = office.acknowledge_h, office.report_h
    return {
        "zh": "执行要求：请严格执行，流量增减应平缓过渡，提前做好下游沿岸警示和安全避让；"
        f"收到本令后{received}小时内确认，{done}小时内报告执行情况；遇险情或水情突变，立即报告。",
        "en": "Requirements: carry this out strictly, change the flow gradually, and warn the banks below in time. "
        f"Acknowledge within {received} h of receipt and report its execution within {done} h; report any emergency "
        "or sudden change at once.",
    }


def document(dispatch: Dispatch, zone: ZoneInfo, *, old: Dispatch | None = None) -> Text:
    """The whole paper: office, form, number, title, text, signatory and time. `old`: the order that it replaces."""
    form, parts = FORMS[dispatch.form], {"zh": list[str](), "en": list[str]()}
    signed = when(dispatch.signed, zone) if dispatch.signed else {"zh": "（待签发）", "en": "(not yet signed)"}
    by = dispatch.signed_by or ("（待签发）", "(not yet signed)")
    signatory = {"zh": by if isinstance(by, str) else by[0], "en": by if isinstance(by, str) else by[1]}
    labels = {
        "zh": ("编号：", "标题：", "本令替代：", "签发人：", "签发时间："),
        "en": ("Number: ", "Subject: ", "Replaces: ", "Signed by: ", "Signed at: "),
    }
    for language, lines in parts.items():
        number, subject, replaces, signer, at = labels[language]
        head = f"{EXERCISE[language] if dispatch.exercise else ''}{dispatch.office.get(language, '')}"
        lines += [*([head] if head.strip() else []), form[language], f"{number}{dispatch.number[language]}"]
        lines += [f"{subject}{dispatch.title[language]}"]
        if old is not None:
            lines.append(f"{replaces}{old.number[language]}")
        lines += ["", dispatch.wording[language], "", f"{signer}{signatory[language]}", f"{at}{signed[language]}"]
    return {language: "\n".join(lines) for language, lines in parts.items()}


def numeral(number: int) -> str:
    """A whole number below a hundred as Chinese paragraphs are numbered.

    >>> [numeral(each) for each in (3, 10, 12, 21)]
    ['三', '十', '十二', '二十一']
    """
    tens, ones = divmod(number, 10)
    last = _NUMERALS[ones - 1] if ones else ""
    return last if not tens else f"{'' if tens == 1 else _NUMERALS[tens - 1]}十{last}"


def _line(name: Text, hold: Hold, effective: datetime, zone: ZoneInfo) -> Text:
    start = when(effective + timedelta(hours=hold.start), zone, year=False)
    end = when(effective + timedelta(hours=hold.start + hold.hours), zone, year=False)
    return {
        "zh": f"{name['zh']}自{start['zh']}起出库流量按{hold.flow:.0f} m³/s控制，至{end['zh']}；",
        "en": f"{name['en']}: release {hold.flow:,.0f} m³/s from {start['en']} until {end['en']};",
    }


def _names(recipients: Sequence[Recipient]) -> Text:
    return {
        "zh": "、".join(each.name["zh"] for each in recipients) or "（待定）",
        "en": "; ".join(each.name["en"] for each in recipients) or "(to be chosen)",
    }


def _reservoir(basin: Basin, code: str) -> Text:
    found = next((each for each in basin.reservoirs if each.code == code), None)
    return {"zh": found.name, "en": found.name_en} if found else {"zh": code, "en": code}
