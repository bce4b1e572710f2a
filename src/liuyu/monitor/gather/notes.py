"""The events of the gate in words of both languages."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC

from liuyu.basin.clock import moment
from liuyu.basin.events import Event, LateData, QualityNote, SourceNote, announce
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.monitor.gather.silence import Change
from liuyu.monitor.gather.units import Odd

NETWORK = "source:network"
_SHOWN = 5


def late(basin: Basin, place: int, first: int, count: int, now: int) -> Event:
    """A station's values came after their time was assessed."""
    station = basin.stations[place]
    since = f"{moment(first, basin.zone):%Y-%m-%d %H:%M}"
    values = "value" if count == 1 else "values"
    note = LateData(
        id=f"late:{station.code}:{moment(first).astimezone(UTC):%Y%m%dT%H%MZ}",
        station=station.code,
        first=moment(first),
        count=count,
        title={
            "zh": f"{station.name}站补报{since}起的{count}个数据，相应时段重新评估",
            "en": f"{station.name_en}: {count} late {values} from {since} on; that time is assessed again",
        },
    )
    return announce(note, state="reopened", time=moment(now), subject=station.code)


def silence(basin: Basin, change: Change, now: int, sources: Sequence[str] = ()) -> list[Event]:
    """Everything that a change of silence gives to announce: whole sources first, then stations by roster."""
    events = [_source(basin, sources, *each, now) for each in change.sources]
    states = ["silent"] * len(change.silent) + ["returned"] * len(change.returned)
    places = [*change.silent.tolist(), *change.returned.tolist()]
    for state, place, last in zip(states, places, change.last.tolist(), strict=True):
        events.append(_station(basin, state, place, last, now))
    return events


def clock(basin: Basin, place: int, doubted: bool, time: int, now: int) -> Event:
    """A station's clock began to run ahead, or ceased to."""
    station = basin.stations[place]
    minutes = (time - now) // 60
    zh = f"{station.name}站时钟超前{minutes}分钟，数据未采用" if doubted else f"{station.name}站时钟恢复正常"
    en = (
        f"The clock of {station.name_en} runs {minutes} min ahead; its values are set aside"
        if doubted
        else f"The clock of {station.name_en} is right again"
    )
    note = QualityNote(
        id=f"quality:{station.code}:clock",
        station=station.code,
        quantity="",
        test="clock" if doubted else "",
        value=float(time - now),
        title={"zh": zh, "en": en},
    )
    return announce(note, state="doubted" if doubted else "trusted", time=moment(now), subject=station.code)


def odd_units(basin: Basin, sources: Sequence[str], odd: Odd, now: int) -> Event:
    """A source began to tell values that look as if they were in another unit, or ceased to."""
    measured = quantity(odd.quantity)
    source = sources[odd.source] if odd.source < len(sources) else basin.code
    which = [basin.stations[each] for each in odd.stations]
    more = len(which) - _SHOWN
    names = "、".join(each.name for each in which[:_SHOWN]) + (f"等{len(which)}站" if more > 0 else "")
    names_en = ", ".join(each.name_en for each in which[:_SHOWN]) + (f" and {more} more" if more > 0 else "")
    name = measured.name.replace("_", " ")
    times = f"{odd.factor:.3g}"
    title = {
        "zh": f"数据源{source}的{measured.name_zh}约为前值的{times}倍，疑为单位有误（应为{measured.unit}）：{names}",
        "en": f"{name} from {source} is about {times} times what it was; a unit other than {measured.unit}? {names_en}",
    }
    if not which:
        title = {
            "zh": f"数据源{source}的{measured.name_zh}单位恢复正常",
            "en": f"{name} from {source} is in its own unit again",
        }
    note = QualityNote(
        id=f"quality:source:{source}:{measured.name}",
        station="",
        quantity=measured.name,
        test="unit" if which else "",
        value=odd.factor,
        title=title,
    )
    return announce(note, state="doubted" if which else "trusted", time=moment(now), subject=basin.code)


def _station(basin: Basin, state: str, place: int, last: int, now: int) -> Event:
    station = basin.stations[place]
    clock = f"{moment(last, basin.zone):%Y-%m-%d %H:%M}"
    hours = f"{(now - last) / 3600:.1f}"
    title = {
        "silent": {
            "zh": f"{station.name}站已{hours}小时无数据，最后数据{clock}",
            "en": f"{station.name_en} has been silent for {hours} h; its last value is of {clock}",
        },
        "returned": {
            "zh": f"{station.name}站恢复报数，最新数据{clock}",
            "en": f"{station.name_en} reports again; its newest value is of {clock}",
        },
    }[state]
    note = SourceNote(id=f"source:{station.code}", station=station.code, last=moment(last), title=title)
    return announce(note, state=state, time=moment(now), subject=station.code)


def _source(basin: Basin, sources: Sequence[str], number: int, state: str, last: int, now: int) -> Event:
    clock = f"{moment(last, basin.zone):%Y-%m-%d %H:%M}"
    name = sources[number] if number < len(sources) else ""
    zh = f"数据源{name}" if name else f"{basin.name}测报网络"
    en = f"The source {name}" if name else f"The network of {basin.name_en}"
    title = {
        "silent": {
            "zh": f"{zh}整体中断，最后数据{clock}；非单站故障",
            "en": f"{en} has fallen silent as a whole; the last value is of {clock}",
        },
        "returned": {
            "zh": f"{zh}恢复，最新数据{clock}",
            "en": f"{en} reports again; the newest value is of {clock}",
        },
    }[state]
    note = SourceNote(id=f"{NETWORK}:{name}" if name else NETWORK, station="", last=moment(last), title=title)
    return announce(note, state=state, time=moment(now), subject=basin.code)
