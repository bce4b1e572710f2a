"""What a notice says, in the language of a flood bulletin, Chinese and English."""

from __future__ import annotations

from datetime import datetime

from liuyu.basin.events import SEVERITIES
from liuyu.basin.places import THRESHOLD_KINDS, Basin, Threshold
from liuyu.basin.quantities import quantity

Text = dict[str, str]
_UNITS = {"m": ("米", "m"), "m3/s": ("立方米每秒", "m³/s")}


def number(value: float, unit: str) -> Text:
    """A value with its unit, as people write it: levels to the centimetre, discharges whole."""
    zh, en = _UNITS.get(unit, (unit, unit))
    shown = f"{value:.0f}" if unit == "m3/s" else f"{value:.2f}"
    return {"zh": shown + zh, "en": f"{shown} {en}"}


def place(basin: Basin, code: str) -> Text:
    """The name of a station in a sentence."""
    station = basin.station_by_code[code]
    bare = station.name.endswith(("站", "库", "湖", "闸"))
    return {"zh": station.name if bare else f"{station.name}站", "en": station.name_en}


def line_name(threshold: Threshold, near: float) -> Text:
    """What is crossed: 警戒水位27.30米; where near it counts already, 距警戒水位27.30米不足0.50米."""
    kind_zh, kind_en = THRESHOLD_KINDS[threshold.kind]
    what = quantity(threshold.quantity)
    shown = number(threshold.value, what.unit)
    named = kind_zh if kind_zh.endswith(("水位", "标准")) else kind_zh + what.name_zh
    zh, en = f"{named}{shown['zh']}", f"{_article(threshold.quantity, kind_en)} of {shown['en']}"
    if near:
        by = number(near, what.unit)
        zh, en = f"距{zh}不足{by['zh']}", f"within {by['en']} of {en}"
    return {"zh": zh, "en": en}


def _article(quantity_name: str, kind_en: str) -> str:
    if kind_en.endswith(("level", "pool", "criterion", "limit")):
        return f"its {kind_en}"
    nouns = {"water_level": "level", "discharge": "discharge", "reservoir_inflow": "inflow"}
    return f"its {kind_en} {nouns.get(quantity_name, quantity_name.replace('_', ' '))}"


def likelihood(chance: float) -> Text:
    """A chance in whole per cent; the ends are open, since an ensemble never knows for sure."""
    if chance > 0.95:
        return {"zh": "95%以上", "en": "above 95 %"}
    if chance < 0.05:
        return {"zh": "5%以下", "en": "below 5 %"}
    return {"zh": f"{chance * 100:.0f}%", "en": f"{chance * 100:.0f} %"}


def day_hour(when: datetime) -> Text:
    """8月20日8时, or 20 Aug 08:00, in the zone of the given time."""
    return {"zh": f"{when.month}月{when.day}日{when.hour}时", "en": f"{when.day} {when:%b %H:%M}"}


def _verbs(threshold: Threshold, near: float) -> tuple[str, str]:
    if near:
        return ("涨至" if threshold.side == "above" else "降至", "to come")
    return ("超过", "to exceed") if threshold.side == "above" else ("低于", "to fall below")


def _past(near: float) -> str:
    return "came" if near else "passed"


def _what(threshold: Threshold) -> str:
    """The quantity before the verb, where the line's name does not say it: a flow that meets 编号标准."""
    return "" if threshold.quantity == "water_level" else quantity(threshold.quantity).name_zh


def expected(basin: Basin, threshold: Threshold, near: float, when: datetime, chance: float) -> Text:
    """预计汉口站8月20日8时前后超过警戒水位27.30米(可能性78%)."""
    where, line = place(basin, threshold.station), line_name(threshold, near)
    time, sure = day_hour(when), likelihood(chance)
    verb_zh, verb_en = _verbs(threshold, near)
    zh = f"预计{where['zh']}{_what(threshold)}{time['zh']}前后{verb_zh}{line['zh']}（可能性{sure['zh']}）"
    return {"zh": zh, "en": f"{where['en']} expected {verb_en} {line['en']} about {time['en']} (chance {sure['en']})"}


_COLOURS = {"blue": "蓝色", "yellow": "黄色", "orange": "橙色", "red": "红色"}


def changed(title: Text, before: str, after: str) -> Text:
    """The title of a notice with the change of colour: ……，黄色预警升级为橙色."""
    up = SEVERITIES.index(after) > SEVERITIES.index(before)
    zh = f"{title['zh']}，{_COLOURS[before]}预警{'升级' if up else '降级'}为{_COLOURS[after]}"
    return {"zh": zh, "en": f"{title['en']}: {before} notice {'raised' if up else 'lowered'} to {after}"}


def withdrawn(basin: Basin, threshold: Threshold, near: float, chance: float) -> Text:
    """汉口站超过警戒水位27.30米的预警撤销(可能性降至8%)."""
    where, line, sure = place(basin, threshold.station), line_name(threshold, near), likelihood(chance)
    verb_zh, verb_en = _verbs(threshold, near)
    zh = f"{where['zh']}{_what(threshold)}{verb_zh}{line['zh']}的预警撤销（可能性降至{sure['zh']}）"
    return {"zh": zh, "en": f"Notice withdrawn: {where['en']} {verb_en} {line['en']} (chance down to {sure['en']})"}


def hit(basin: Basin, threshold: Threshold, near: float, when: datetime, lead_h: float) -> Text:
    """汉口站8月20日6时超过警戒水位27.30米,预警提前42小时."""
    where, line, time = place(basin, threshold.station), line_name(threshold, near), day_hour(when)
    verb_zh, _ = _verbs(threshold, near)
    zh = f"{where['zh']}{_what(threshold)}{time['zh']}{verb_zh}{line['zh']}，预警提前{lead_h:.0f}小时"
    return {
        "zh": zh,
        "en": f"{where['en']} {_past(near)} {line['en']} on {time['en']}, {lead_h:.0f} h after the notice",
    }


def miss(basin: Basin, threshold: Threshold, near: float, when: datetime, chance: float) -> Text:
    """汉口站8月20日6时超过警戒水位27.30米,此前未发布预警(末次预报可能性23%)."""
    where, line, time = place(basin, threshold.station), line_name(threshold, near), day_hour(when)
    verb_zh, _ = _verbs(threshold, near)
    sure = likelihood(chance)
    zh = f"{where['zh']}{_what(threshold)}{time['zh']}{verb_zh}{line['zh']}，当时无有效预警"
    zh += f"（末次预报可能性{sure['zh']}）"
    en = f"{where['en']} {_past(near)} {line['en']} on {time['en']} with no notice in force"
    en += f" (last forecast chance {sure['en']})"
    return {"zh": zh, "en": en}


def false_alarm(basin: Basin, threshold: Threshold, near: float) -> Text:
    """汉口站未超过警戒水位27.30米,预警未应验."""
    where, line = place(basin, threshold.station), line_name(threshold, near)
    verb_zh, _ = _verbs(threshold, near)
    zh = f"{where['zh']}{_what(threshold)}未{verb_zh}{line['zh']}，预警未应验"
    return {
        "zh": zh,
        "en": f"{where['en']} did not {'come' if near else 'pass'} {line['en']}: the notice was not borne out",
    }
