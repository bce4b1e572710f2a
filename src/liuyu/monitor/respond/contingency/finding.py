"""What a condition found: the value that met it or did not, where, when and by how much; and the words for it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import msgspec

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.respond.contingency.form import Condition
from liuyu.monitor.respond.contingency.situation import names_of, stations_of
from liuyu.monitor.respond.words import COLOURS

Text = dict[str, str]
_SHOWN = 5
_QUANTITY_EN = {"reservoir_inflow": "inflow", "reservoir_outflow": "outflow"}


class Value(msgspec.Struct, frozen=True, kw_only=True):
    """One station held against one line. `margin` is positive where the line is passed, on whichever side danger lies.

    `time` is that of the value; of a forecast it is when the median has its peak, and `chance` the share of members
    that pass the line.
    """

    station: str
    quantity: str
    met: bool
    value: float | None = None
    line: float | None = None
    threshold: str = ""
    margin: float | None = None
    chance: float | None = None
    time: datetime | None = None


class Finding(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one condition: whether it is met, by how many of how many needed, in words and in numbers."""

    kind: str
    met: bool
    text: Text
    need: int = 1
    have: int = 0
    since: datetime | None = None
    values: tuple[Value, ...] = ()
    parts: tuple[Finding, ...] = ()

    def said(self) -> list[Text]:
        """The words of what is met, part by part."""
        if not self.met:
            return []
        if self.parts:
            return [line for part in self.parts for line in part.said()]
        return [self.text]


def number(value: float, name: str) -> str:
    """A value as it is spoken: levels to the centimetre, large flows whole."""
    if name == "water_level":
        return f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"


def unit(name: str) -> str:
    """The unit of a quantity as people write it."""
    return quantity(name).unit.replace("m3", "m³")


def line_words(kind: str, value: float | None, name: str) -> Text:
    """A line in words: 保证水位34.40 m."""
    shown = f"{number(value, name)} {unit(name)}" if value is not None else ""
    if not kind:
        return {"zh": shown, "en": shown}
    zh, en = THRESHOLD_KINDS.get(kind, (kind, kind.replace("_", " ")))
    zh = f"{zh}水位" if name == "water_level" and not zh.endswith("位") else zh
    return {"zh": f"{zh}（{shown}）" if shown else zh, "en": f"{en} ({shown})" if shown else en}


def clock(seconds: int, basin: Basin) -> Text:
    """A moment as people of the basin read it."""
    at = moment(seconds, basin.zone)
    return {
        "zh": f"{at.month}月{at.day}日{at.hour}时{f'{at.minute}分' if at.minute else ''}",
        "en": f"{at:%d %b %H:%M}",
    }


def _against(condition: Condition, value: Value) -> Text:
    """By how much a value is past its line, or short of it."""
    name, beyond = value.quantity, (value.margin or 0.0) >= 0
    gap = f"{number(abs(value.margin or 0.0), name)} {unit(name)}"
    over = condition.below is None
    up = beyond == over
    shown = f"{number(value.line or 0.0, name)} {unit(name)}"
    en_side = "above" if up else "below"
    given = condition.above if over else condition.below
    if not isinstance(given, str):
        return {"zh": f"比{shown}{'高' if up else '低'}{gap}", "en": f"{gap} {en_side} {shown}"}
    words = line_words(given, value.line, name)
    if condition.by:
        zh_kind, en_kind = THRESHOLD_KINDS.get(given, (given, given.replace("_", " ")))
        step = f"{'+' if condition.by > 0 else '-'}{number(abs(condition.by), name)}"
        line = {"zh": f"{zh_kind}{step}（{shown}）", "en": f"{en_kind} {step} ({shown})"}
        return {"zh": f"比{line['zh']}{'高' if up else '低'}{gap}", "en": f"{gap} {en_side} {line['en']}"}
    return {"zh": f"{'超' if up else '低于'}{words['zh']}{gap}", "en": f"{gap} {en_side} {words['en']}"}


def value_words(condition: Condition, value: Value, basin: Basin) -> Text:
    """One station against its line, as a sentence."""
    place, name = names_of(basin, value.station), value.quantity
    zh_name, en_name = quantity(name).name_zh, _QUANTITY_EN.get(name, name.replace("_", " "))
    if value.value is None:
        return {
            "zh": f"{place['zh']}无可用{zh_name}",
            "en": f"{place['en']}: no usable {en_name}",
        }
    at = clock(int(value.time.timestamp()), basin) if value.time else {"zh": "", "en": ""}
    shown = f"{number(value.value, name)} {unit(name)}"
    if value.line is None:
        return {
            "zh": f"{place['zh']}{zh_name}{shown}（{at['zh']}）",
            "en": f"{place['en']}: {en_name} {shown} ({at['en']})",
        }
    gap = _against(condition, value)
    if value.chance is not None:
        return {
            "zh": f"预报{place['zh']}{condition.within_h}小时内最高{zh_name}{shown}（中位，{at['zh']}），"
            f"{gap['zh']}，越线概率{value.chance * 100:.0f}%",
            "en": f"{place['en']}: {en_name} forecast to reach {shown} within {condition.within_h} h (median, "
            f"{at['en']}), {gap['en']}; chance of passing it {value.chance * 100:.0f} %",
        }
    return {
        "zh": f"{place['zh']}{zh_name}{shown}，{gap['zh']}（{at['zh']}）",
        "en": f"{place['en']}: {en_name} {shown}, {gap['en']} ({at['en']})",
    }


def many_words(condition: Condition, values: Sequence[Value], basin: Basin) -> Text:
    """How many stations are past their line, and which."""
    met = sorted((each for each in values if each.met), key=lambda each: -(each.margin or 0.0))
    kind = str(condition.above if condition.above is not None else condition.below)
    zh_line, en_line = THRESHOLD_KINDS.get(kind, (f"{kind}", kind))
    side = "超" if condition.below is None else "低于"
    step = f"{condition.by:+g} " if condition.by and kind in THRESHOLD_KINDS else ""
    where = {
        "zh": condition.river or "所列站点",
        "en": f"on {condition.river}" if condition.river else "of those named",
    }
    zh = "、".join(
        f"{names_of(basin, each.station)['zh']}{number(each.value or 0, each.quantity)}（{_signed(each)}）"
        for each in met[:_SHOWN]
    )
    en = ", ".join(
        f"{names_of(basin, each.station)['en']} {number(each.value or 0, each.quantity)} ({_signed(each)})"
        for each in met[:_SHOWN]
    )
    ahead = (
        {"zh": f"预报{condition.within_h}小时内", "en": f"forecast within {condition.within_h} h: "}
        if condition.kind == "forecast"
        else {"zh": "", "en": ""}
    )
    more_zh, more_en = ("等", " and more") if len(met) > _SHOWN else ("", "")
    return {
        "zh": f"{ahead['zh']}{where['zh']}{len(met)}站{side}{zh_line}{step.strip()}（须{condition.at_least}站）"
        + (f"：{zh}{more_zh}" if zh else ""),
        "en": f"{ahead['en']}{len(met)} stations {where['en']} past {en_line} {step}({condition.at_least} needed)"
        + (f": {en}{more_en}" if en else ""),
    }


def _signed(value: Value) -> str:
    margin = value.margin or 0.0
    return f"{'-' if margin < 0 else '+'}{number(abs(margin), value.quantity)}"


def held(since: int, now: int, need_h: int) -> Text:
    """For how long a condition has held, where it must hold for some time."""
    lasted = (now - since) // HOUR
    return {"zh": f"，已持续{lasted}小时（须{need_h}小时）", "en": f", for {lasted} h ({need_h} h needed)"}


def listed_words(kind: str, titles: Sequence[Mapping[str, str]], need: int) -> Text:
    """Alerts, notices or floods in a row."""
    zh_kind, en_kind = {
        "notice": ("预警在效", "notices in force"),
        "alert": ("告警在效", "alerts standing"),
        "numbered_flood": ("编号洪水", "numbered floods"),
    }[kind]
    if not titles:
        return {"zh": f"无{zh_kind}", "en": f"no {en_kind}"}
    zh, en = "；".join(each["zh"] for each in titles[:_SHOWN]), "; ".join(each["en"] for each in titles[:_SHOWN])
    need_words = (f"（须{need}）", f" ({need} needed)") if need > 1 else ("", "")
    return {
        "zh": f"{zh_kind}{len(titles)}{need_words[0]}：{zh}" if need > 1 else zh,
        "en": f"{len(titles)} {en_kind}{need_words[1]}: {en}" if need > 1 else en,
    }


def plain(condition: Condition, basin: Basin) -> Text:
    """A condition in words, as it stands in the plan, without any value."""
    if condition.text is not None:
        return condition.text.text()
    if condition.kind in {"any", "all"}:
        parts = [plain(each, basin) for each in condition.parts]
        return joined(parts, condition)
    if condition.kind == "numbered_flood":
        return {
            "zh": f"{condition.within_h}小时内形成编号洪水",
            "en": f"a flood numbered within {condition.within_h} h",
        }
    if condition.kind in {"notice", "alert"}:
        return _plain_standing(condition)
    return _plain_line(condition, basin)


def joined(parts: Iterable[Text], condition: Condition) -> Text:
    """Parts as one sentence."""
    parts = list(parts)
    if condition.kind == "all":
        return {"zh": "，且".join(each["zh"] for each in parts), "en": " and ".join(each["en"] for each in parts)}
    head = (
        (f"下列至少{condition.at_least}项：", f"at least {condition.at_least} of: ")
        if condition.at_least > 1
        else ("", "")
    )
    return {
        "zh": head[0] + "；或".join(each["zh"] for each in parts),
        "en": head[1] + "; or ".join(each["en"] for each in parts),
    }


def _plain_standing(condition: Condition) -> Text:
    colour = COLOURS.get(condition.severity, {"zh": "", "en": ""})
    what = {"notice": ("预警", "notice"), "alert": ("告警", "alert")}[condition.kind]
    kind = THRESHOLD_KINDS.get(condition.threshold, ("", ""))
    chance = (f"，概率不低于{condition.chance * 100:.0f}%", f", chance at least {condition.chance * 100:.0f} %")
    of = chance if condition.kind == "notice" else ("", "")
    grave = ("及以上", " or graver") if condition.severity else ("", "")
    return {
        "zh": f"至少{condition.at_least}条{colour['zh']}{grave[0]}{kind[0]}{what[0]}在效{of[0]}",
        "en": f"at least {condition.at_least} {colour['en']}{grave[1]} {kind[1]} {what[1]} in force{of[1]}".replace(
            "  ", " "
        ),
    }


def _plain_line(condition: Condition, basin: Basin) -> Text:
    name = condition.quantity
    zh_name, en_name = quantity(name).name_zh, _QUANTITY_EN.get(name, name.replace("_", " "))
    codes = stations_of(condition, basin)
    if condition.river:
        where = {
            "zh": f"{condition.river}至少{condition.at_least}站",
            "en": f"at least {condition.at_least} on {condition.river}",
        }
    elif len(codes) == 1:
        where = dict(names_of(basin, codes[0]))
    else:
        where = {
            "zh": f"{'、'.join(names_of(basin, each)['zh'] for each in codes[:8])}中至少{condition.at_least}站",
            "en": f"at least {condition.at_least} of {', '.join(names_of(basin, each)['en'] for each in codes[:8])}",
        }
    ahead = (
        (f"预报{condition.within_h}小时内", f"forecast within {condition.within_h} h: ")
        if condition.kind == "forecast"
        else ("", "")
    )
    lasting = (f"，持续{condition.for_h}小时", f" for {condition.for_h} h") if condition.for_h else ("", "")
    chance = (
        (f"（概率不低于{condition.chance * 100:.0f}%）", f" (chance at least {condition.chance * 100:.0f} %)")
        if condition.kind == "forecast"
        else ("", "")
    )
    if condition.kind == "rising":
        tail = (f"每小时上涨{condition.rate:g} {unit(name)}", f" rising {condition.rate:g} {unit(name)} an hour")
    elif condition.kind == "return_period":
        tail = (f"重现期达{condition.years:g}年", f" at a return period of {condition.years:g} years")
    else:
        tail = _plain_tail(condition)
    return {
        "zh": f"{ahead[0]}{where['zh']}{zh_name}{tail[0]}{chance[0]}{lasting[0]}",
        "en": f"{ahead[1]}{where['en']}: {en_name}{tail[1]}{chance[1]}{lasting[1]}",
    }


def _plain_tail(condition: Condition) -> tuple[str, str]:
    over = condition.below is None
    line = condition.above if over else condition.below
    name = condition.quantity
    if isinstance(line, str):
        zh, en = THRESHOLD_KINDS.get(line, (line, line.replace("_", " ")))
        zh = f"{zh}水位" if name == "water_level" and not zh.endswith("位") else zh
        by = f"{number(abs(condition.by), name)} {unit(name)}"
        if condition.by > 0:
            return (
                (f"超{zh}{by}以上", f" {by} or more above {en}")
                if over
                else (f"高于{zh}不足{by}", f" below {en} + {by}")
            )
        if condition.by < 0:
            return (
                (f"距{zh}{by}以内", f" within {by} of {en}")
                if over
                else (f"低于{zh}{by}以上", f" {by} or more below {en}")
            )
        return (f"达到{zh}", f" at or above {en}") if over else (f"不高于{zh}", f" at or below {en}")
    shown = f"{number(float(line or 0) + condition.by, name)} {unit(name)}"
    return (f"达到{shown}", f" at or above {shown}") if over else (f"不高于{shown}", f" at or below {shown}")
