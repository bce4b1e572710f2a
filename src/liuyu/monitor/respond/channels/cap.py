"""The CAP feed: orders and notifications as CAP 1.2 messages (OASIS, 2010), for whoever reads /api/cap.

What is signed is an Alert, what is cancelled a Cancel, all else an Update that refers to the messages before it. Scope
is Restricted: an order is addressed to its recipients, who are named.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from xml.etree import ElementTree as ET

from liuyu.basin.directives import Dispatch
from liuyu.basin.errors import BadInput
from liuyu.basin.events import Event, record
from liuyu.basin.places import Basin
from liuyu.monitor.respond.channels.channel import Place
from liuyu.monitor.respond.channels.channel import Settings as Common
from liuyu.monitor.respond.channels.message import Message

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
LANGUAGES = {"zh": "zh-CN", "en": "en-US"}
_TYPES = {"signed": "Alert", "cancelled": "Cancel"}
_EVENTS: Mapping[str, Mapping[str, str]] = {
    "order": {"zh": "调度令", "en": "Operation order"},
    "notification": {"zh": "通知", "en": "Notification"},
}


class Settings(Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Nothing to set: the feed is computed from the log."""


class Feed:
    """A channel that has done its work when the event is in the log."""

    patience = 0.0

    def send(self, message: Message) -> None:
        """Nothing is left to do."""


def open_channel(settings: Settings, place: Place) -> Feed:
    """The feed."""
    return Feed()


def dispatch_to_cap(event: Event, basin: Basin, earlier: Iterable[Event]) -> bytes:
    """A signed paper as CAP, UTF-8: the same event gives the same bytes.

    `earlier` are the events of the same id before this one. Raises BadInput for a draft, nobody's business yet.
    """
    dispatch = record(event, Dispatch)
    if event.state == "drafted" or dispatch.signed is None:
        raise BadInput(f"{event.id!r} is not signed; only what is signed has a CAP form")
    ET.register_namespace("", NAMESPACE)
    root = ET.Element(f"{{{NAMESPACE}}}alert")
    before = [_reference(each, basin) for each in earlier if each.state != "drafted"]
    kind = _TYPES.get(event.state, "Update")
    _add(root, "identifier", _identifier(event, basin))
    _add(root, "sender", f"liuyu@{basin.code}")
    _add(root, "sent", _time(event.time, basin))
    _add(root, "status", "Exercise" if dispatch.exercise else "Actual")
    _add(root, "msgType", kind if before or kind == "Alert" else "Alert")
    _add(root, "source", f"liuyu {basin.code}")
    _add(root, "scope", "Restricted")
    _add(root, "restriction", "; ".join(each.name["en"] for each in dispatch.recipients))
    if before:
        _add(root, "references", " ".join(before))
    for language, code in LANGUAGES.items():
        _info(root, language, code, dispatch, basin)
    ET.indent(root)
    text: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return text + b"\n"


def _info(root: ET.Element, language: str, code: str, dispatch: Dispatch, basin: Basin) -> None:
    info = _add(root, "info", None)
    _add(info, "language", code)
    for name, value in (
        ("category", "Infra" if dispatch.form == "order" else "Safety"),
        ("event", _EVENTS[dispatch.form][language]),
        ("responseType", "Execute" if dispatch.form == "order" else "Prepare"),
        ("urgency", "Immediate"),
        ("severity", "Severe"),
        ("certainty", "Observed"),
    ):
        _add(info, name, value)
    if dispatch.effective is not None:
        _add(info, "onset", _time(dispatch.effective, basin))
    _add(info, "senderName", dispatch.office.get(language) or basin.name)
    _add(info, "headline", f"{dispatch.number[language]} {dispatch.title[language]}"[:160])
    _add(info, "description", dispatch.wording[language])
    for name, value in (("dispatch", dispatch.id), ("signed_by", dispatch.signed_by)):
        parameter = _add(info, "parameter", None)
        _add(parameter, "valueName", name)
        _add(parameter, "value", value)
    area = _add(info, "area", None)
    _add(area, "areaDesc", basin.name if language == "zh" else basin.name_en)


def _add(parent: ET.Element, name: str, text: str | None) -> ET.Element:
    child = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _identifier(event: Event, basin: Basin) -> str:
    """Letters, digits and .-_: only: CAP forbids spaces, commas, < and &."""
    return re.sub(r"[^\w.:-]", "-", f"{basin.code}:{event.id}:{event.state}:{event.body['version']}")


def _reference(event: Event, basin: Basin) -> str:
    return f"liuyu@{basin.code},{_identifier(event, basin)},{_time(event.time, basin)}"


def _time(time: datetime, basin: Basin) -> str:
    return time.astimezone(basin.zone).isoformat(timespec="seconds")
