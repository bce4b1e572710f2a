"""The lines of an incident's log and its summary, in the language of a flood office, Chinese and English."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from liuyu.basin.events import SEVERITIES
from liuyu.basin.places import THRESHOLD_KINDS, Basin

Text = dict[str, str]
COLOURS: Mapping[str, Text] = {
    "blue": {"zh": "蓝色", "en": "blue"},
    "yellow": {"zh": "黄色", "en": "yellow"},
    "orange": {"zh": "橙色", "en": "orange"},
    "red": {"zh": "红色", "en": "red"},
}
_SHOWN = 4


def place(basin: Basin, code: str) -> Text:
    """The name of a station, or of any code that is none, in a sentence."""
    station = basin.station_by_code.get(code)
    if station is None:
        return {"zh": code or "报汛网", "en": code or "the telemetry network"}
    bare = station.name.endswith(("站", "库", "湖", "闸"))
    return {"zh": station.name if bare else f"{station.name}站", "en": station.name_en}


def sentence(parts: Iterable[Text]) -> Text:
    """Parts as one line, each with its own full stop."""
    parts = list(parts)
    return {"zh": "".join(f"{each['zh']}。" for each in parts), "en": " ".join(f"{each['en']}." for each in parts)}


def listed(titles: Sequence[Text]) -> Text:
    """Titles in a row; beyond four, how many more there are."""
    more = len(titles) - _SHOWN
    zh, en = "；".join(each["zh"] for each in titles[:_SHOWN]), "; ".join(each["en"] for each in titles[:_SHOWN])
    return {"zh": f"{zh}等{len(titles)}项", "en": f"{en} and {more} more"} if more > 0 else {"zh": zh, "en": en}


def opened(title: Text, level: str, causes: Sequence[Text]) -> Text:
    """The first line of the log."""
    why, colour = listed(causes), COLOURS[level]
    return {
        "zh": f"{title['zh']}立案跟踪，级别{colour['zh']}：{why['zh']}",
        "en": f"{title['en']} opened at level {colour['en']}: {why['en']}",
    }


def joined(titles: Sequence[Text]) -> Text:
    """What came to be active."""
    what = listed(titles)
    return {"zh": f"新增：{what['zh']}", "en": f"New: {what['en']}"}


def left(titles: Sequence[Text], still: int) -> Text:
    """What ended, and how many alerts and notices are active still."""
    what = listed(titles)
    return {
        "zh": f"解除：{what['zh']}（尚有{still}项生效）",
        "en": f"Ended: {what['en']} ({still} still active)",
    }


def level_moved(before: str, after: str) -> Text:
    """The level went up or down."""
    up = SEVERITIES.index(after) > SEVERITIES.index(before)
    old, new = COLOURS[before], COLOURS[after]
    return {
        "zh": f"级别由{old['zh']}{'升为' if up else '降为'}{new['zh']}",
        "en": f"Level {'raised' if up else 'lowered'} from {old['en']} to {new['en']}",
    }


def flood_numbered(name: str, name_en: str) -> Text:
    """A flood got its number."""
    return {"zh": f"{name}形成", "en": f"{name_en} formed"}


def proposal_said(state: str, title: Text, user: str) -> Text:
    """What became of a release proposal."""
    zh = {"proposed": "提出调度方案", "accepted": "采纳调度方案", "rejected": "未采纳调度方案"}.get(
        state, "调度方案失效"
    )
    en = {"proposed": "Release proposed", "accepted": "Accepted", "rejected": "Rejected"}.get(state, "Proposal lapsed")
    by_zh, by_en = (f"（{user}）", f" ({user})") if user else ("", "")
    return {"zh": f"{zh}：{title['zh']}{by_zh}", "en": f"{en}: {title['en']}{by_en}"}


def response_said(title: Text, user: str) -> Text:
    """What became of an emergency response."""
    by_zh, by_en = (f"（{user}）", f" ({user})") if user else ("", "")
    return {"zh": f"{title['zh']}{by_zh}", "en": f"{title['en']}{by_en}"}


def closing(hours: int) -> Text:
    """Nothing has been active for some time."""
    return {"zh": f"全部解除已满{hours}小时，转入结案观察", "en": f"All clear for {hours} h; closing under watch"}


def closed(hours: int) -> Text:
    """The incident is over."""
    return {"zh": f"全部解除已满{hours}小时，结案", "en": f"All clear for {hours} h; closed"}


def summary(stations_by_line: Mapping[str, int], notices: int, floods: Sequence[Text], open_tasks: int) -> Text:
    """Where things stand: stations above each line, notices in force, numbered floods, tasks not done."""
    zh, en = [], []
    for kind, count in stations_by_line.items():
        kind_zh, kind_en = THRESHOLD_KINDS.get(kind, (kind, kind.replace("_", " ")))
        zh.append(f"{count}站超{kind_zh.removesuffix('水位')}")
        en.append(f"{count} station{'s' if count != 1 else ''} above {kind_en}")
    if notices:
        zh.append(f"{notices}条预警生效")
        en.append(f"{notices} notice{'s' if notices != 1 else ''} in force")
    if floods:
        zh.append("、".join(each["zh"] for each in floods))
        en.append(", ".join(each["en"] for each in floods))
    if open_tasks:
        zh.append(f"{open_tasks}项任务未完成")
        en.append(f"{open_tasks} task{'s' if open_tasks != 1 else ''} open")
    if not zh:
        return {"zh": "各站均在警戒以下", "en": "All stations below their lines"}
    return {"zh": "；".join(zh), "en": "; ".join(en)}
