"""The events of the gate in words of both languages."""

from __future__ import annotations

from datetime import UTC

from liuyu.basin.clock import moment
from liuyu.basin.events import Event, LateData, SourceNote, announce
from liuyu.basin.places import Basin
from liuyu.monitor.gather.silence import Change

NETWORK = "source:network"


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


def silence(basin: Basin, change: Change, now: int) -> list[Event]:
    """Everything that a change of silence gives to announce: the network first, then stations by roster."""
    events = [_network(basin, change, now)] if change.network else []
    states = ["silent"] * len(change.silent) + ["returned"] * len(change.returned)
    places = [*change.silent.tolist(), *change.returned.tolist()]
    for state, place, last in zip(states, places, change.last.tolist(), strict=True):
        events.append(_station(basin, state, place, last, now))
    return events


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


def _network(basin: Basin, change: Change, now: int) -> Event:
    last = change.network_last
    clock = f"{moment(last, basin.zone):%Y-%m-%d %H:%M}"
    title = {
        "silent": {
            "zh": f"{basin.name}测报网络整体中断，最后数据{clock}；非单站故障",
            "en": f"The network of {basin.name_en} has fallen silent as a whole; the last value is of {clock}",
        },
        "returned": {
            "zh": f"{basin.name}测报网络恢复，最新数据{clock}",
            "en": f"The network of {basin.name_en} reports again; the newest value is of {clock}",
        },
    }[change.network]
    note = SourceNote(id=NETWORK, station="", last=moment(last), title=title)
    return announce(note, state=change.network, time=moment(now), subject=basin.code)
