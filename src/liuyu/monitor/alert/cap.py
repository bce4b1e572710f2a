"""Common Alerting Protocol 1.2 (OASIS, 2010) for alerts and notices, in Chinese and English.

An event is one message: raised or issued an Alert, cleared or withdrawn a Cancel, all else an Update that refers to the
message before it. The identifier and the time of sending come from the event, so the same event gives the same bytes.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import partial
from typing import Literal
from xml.etree import ElementTree as ET

from liuyu.basin.errors import BadInput
from liuyu.basin.events import Alert, Event, Notice, Severity, record
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.monitor.alert import wording

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
RADIUS_KM = 5.0
_TYPES = {"raised": "Alert", "issued": "Alert", "cleared": "Cancel", "withdrawn": "Cancel"}
_SEVERITY: Mapping[Severity, str] = {"blue": "Minor", "yellow": "Moderate", "orange": "Severe", "red": "Extreme"}
_RESPONSE: Mapping[Severity, str] = {"blue": "Monitor", "yellow": "Prepare", "orange": "Prepare", "red": "Execute"}


def to_cap(
    event: Event,
    basin: Basin,
    earlier: Iterable[Event] = (),
    status: Literal["Actual", "Exercise", "Test"] | None = None,
) -> bytes:
    """A CAP 1.2 message of an alert or notice event, UTF-8.

    `earlier` are events of the same id before this one; with them an Update or Cancel refers to every message sent so
    far. Without them it refers to the first, whose time the record holds. `status` is Exercise for a synthetic basin
    and Actual otherwise, unless given: give Exercise for a replay. Raises BadInput for an event of another kind.
    """
    if event.kind not in {"alert", "notice"}:
        raise BadInput(f"a {event.kind} event has no CAP form; only alert and notice events have")
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}alert")
    add = partial(_add, root)
    body = record(event, Alert) if event.kind == "alert" else record(event, Notice)
    before = _before(event, basin, earlier, body)
    kind = _TYPES.get(event.state, "Update")
    add("identifier", _identifier(event, basin, event.state, event.time))
    add("sender", _sender(basin))
    add("sent", _time(event.time, basin))
    add("status", status or ("Exercise" if basin.synthetic else "Actual"))
    add("msgType", kind if before or kind == "Alert" else "Alert")
    add("source", f"liuyu {basin.code}")
    add("scope", "Public")
    if basin.synthetic:
        add("note", "合成流域,仅供演示 / synthetic basin, for demonstration only")
    if before and kind != "Alert":
        add("references", " ".join(before))
    for language in LANGUAGES:
        _info(root, language, event, body, basin)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _add(parent: ET.Element, name: str, text: str) -> ET.Element:
    child = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _sender(basin: Basin) -> str:
    return f"liuyu@{basin.code}"


def _identifier(event: Event, basin: Basin, state: str, time: datetime) -> str:
    """Letters, digits and .-_: only: CAP forbids spaces, commas, < and &."""
    return re.sub(r"[^\w.:-]", "-", f"{basin.code}:{event.id}:{state}:{time:%Y%m%dT%H%M%SZ}")


def _time(time: datetime, basin: Basin) -> str:
    """A time in the basin's zone with its offset in numbers, to the second, as CAP demands."""
    return time.astimezone(basin.zone).replace(microsecond=0).isoformat()


def _before(event: Event, basin: Basin, earlier: Iterable[Event], body: Alert | Notice) -> list[str]:
    """References ("sender,identifier,sent") to the messages that this one follows, oldest first."""
    told = [(each.state, each.time) for each in earlier if each.id == event.id and each.time <= event.time]
    told = [each for each in told if each != (event.state, event.time)]
    if not told:
        first = ("raised", body.raised) if isinstance(body, Alert) else ("issued", body.issued)
        told = [(state, time) for state, time in [first] if time is not None and state != event.state]
    sender = _sender(basin)
    return [f"{sender},{_identifier(event, basin, state, time)},{_time(time, basin)}" for state, time in told]


def _info(root: ET.Element, language: str, event: Event, body: Alert | Notice, basin: Basin) -> None:
    """One info block: what, how bad, how sure, since when, why, where."""
    info = _add(root, "info", "")
    info.text = None
    add = partial(_add, info)
    observed = isinstance(body, Alert)
    over = event.state in {"cleared", "withdrawn", "verified"}
    add("language", LANGUAGES[language])
    add("category", "Met")
    add("event", _event(body, language))
    add("responseType", "AllClear" if over else _RESPONSE[body.severity])
    add("urgency", "Past" if over else "Immediate" if observed else "Expected")
    add("severity", _SEVERITY[body.severity])
    add("certainty", _certainty(body))
    _code(info, "eventCode", "liuyu:rule", body.rule if isinstance(body, Alert) else f"notice:{body.threshold}")
    add("effective", _time(event.time, basin))
    onset = body.since if isinstance(body, Alert) else (body.crossing_from or body.crossing)
    if onset is not None:
        add("onset", _time(onset, basin))
    if isinstance(body, Notice) and body.crossing_to is not None and body.crossing_to > event.time:
        add("expires", _time(body.crossing_to, basin))
    add("senderName", basin.name if language == "zh" else basin.name_en)
    add("headline", body.title[language])
    add("description", _description(body, language, basin))
    for name, value in _numbers(body):
        _code(info, "parameter", name, value)
    _area(info, language, event.subject, basin)


def _event(body: Alert | Notice, language: str) -> str:
    if body.threshold in THRESHOLD_KINDS:
        chinese, english = THRESHOLD_KINDS[body.threshold]
        return f"水情预警（{chinese}）" if language == "zh" else f"Water warning ({english})"
    return "水情预警" if language == "zh" else "Water warning"


def _certainty(body: Alert | Notice) -> str:
    if isinstance(body, Alert):
        return "Observed"
    return "Likely" if body.chance > 0.5 else "Possible"


def _description(body: Alert | Notice, language: str, basin: Basin) -> str:
    if isinstance(body, Alert):
        return "; ".join(each[language] for each in body.why) or body.title[language]
    peak, unit = wording.number(body.peak, body.quantity), wording.unit(body.quantity)
    line, when = (
        wording.number(body.threshold_value, body.quantity),
        f"{body.peak_time.astimezone(basin.zone):%m-%d %H:%M}",
    )
    if language == "zh":
        return f"超过 {line} {unit} 的可能性 {body.chance:.0%}，预计最高 {peak} {unit}（{when}）"
    return f"chance {body.chance:.0%} of passing {line} {unit}; highest expected {peak} {unit} ({when})"


def _numbers(body: Alert | Notice) -> Iterable[tuple[str, str]]:
    measured = ("value", body.value) if isinstance(body, Alert) else ("peak", body.peak)
    rows = [measured, ("threshold", body.threshold_value)]
    yield "colour", body.severity
    yield "quantity", body.quantity
    yield "unit", wording.unit(body.quantity)
    for name, value in rows:
        if value is not None:
            yield name, f"{value:g}" if abs(value) < 1e5 else f"{value:.0f}"


def _code(parent: ET.Element, name: str, key: str, value: str) -> None:
    pair = _add(parent, name, "")
    pair.text = None
    _add(pair, "valueName", key)
    _add(pair, "value", value)


def _area(info: ET.Element, language: str, subject: str, basin: Basin) -> None:
    """The station's name, a circle about it where its place is known, and its national code."""
    area = _add(info, "area", "")
    area.text = None
    place = basin.station_by_code.get(subject)
    if place is None:
        _add(area, "areaDesc", basin.name if language == "zh" else basin.name_en)
        return
    _add(area, "areaDesc", f"{place.name}({place.river})" if language == "zh" else f"{place.name_en} ({place.river})")
    if place.position is not None:
        longitude, latitude = place.position
        _add(area, "circle", f"{latitude:.4f},{longitude:.4f} {RADIUS_KM:g}")
    _code(area, "geocode", "SL323:STCD", place.code)
