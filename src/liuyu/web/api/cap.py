"""Alerts, notices and signed orders as CAP 1.2 messages (OASIS, 2010), and a feed of them (Atom, RFC 4287)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal
from urllib.parse import quote
from xml.etree.ElementTree import Element, SubElement, tostring

from litestar import Response, get
from litestar.params import PathParameter, QueryParameter

from liuyu.basin.clock import DAY
from liuyu.basin.errors import NotFound
from liuyu.basin.events import Event
from liuyu.monitor import alert
from liuyu.monitor.respond.channels.cap import dispatch_to_cap
from liuyu.web.desk import AtDesk
from liuyu.web.reply import WebRequest, answers, send, utc

_KINDS = ("alert", "notice", "dispatch")
_ATOM = "http://www.w3.org/2005/Atom"
_CAP = "application/cap+xml"
_FEED = "application/atom+xml"
_STATUS: Literal["Exercise"] = "Exercise"
"""The clock of every twin walks through an archive, and nobody must take a flood of the past for one of today."""
_DAYS = 30
_ENTRIES = 200


@get(
    "/api/cap",
    sync_to_thread=True,
    summary="Feed of alerts, notices and orders",
    description="Atom feed of the alerts, notices and signed orders of the last 30 days, newest first, linked to their "
    "CAP messages.",
    responses=answers(str, "An Atom feed", media_type=_FEED),
    tags=["cap"],
)
def get_feed(request: WebRequest, desk: AtDesk) -> Response[bytes]:
    """The feed."""
    start = desk.now - _DAYS * DAY
    found = desk.twin.store.events(kinds=_KINDS, start=start, limit=2 * _ENTRIES, newest_first=True)
    events = [each for each in found if _told(each)][:_ENTRIES]
    address = str(request.base_url).rstrip("/")
    body = _feed(events, address, desk.twin.basin.name_en, desk.twin.clock().now)
    return send(request, body, media_type=_FEED)


@get(
    "/api/cap/{name:str}",
    sync_to_thread=True,
    summary="A CAP message",
    description="The newest message about an alert, notice or order; with `seq` the one of that event.",
    responses=answers(str, "A CAP 1.2 alert", 404, media_type=_CAP),
    tags=["cap"],
)
def get_message(
    request: WebRequest,
    desk: AtDesk,
    name: Annotated[str, PathParameter(description="Id of the alert or notice, and .xml", max_length=200)],
    seq: Annotated[int | None, QueryParameter(name="seq", ge=1, le=2**53, description="Number of one event")] = None,
) -> Response[bytes]:
    """An alert or notice as CAP."""
    event_id, _, ending = name.rpartition(".")
    if ending != "xml":
        raise NotFound(f"no message {name!r}; write the id of an alert or notice and .xml")
    life = [each for each in desk.twin.store.events(id=event_id, kinds=_KINDS) if _told(each)]
    told = [each for each in life if seq is None or each.seq <= seq]
    if not told or seq not in (None, told[-1].seq):
        raise NotFound(f"no such message about {event_id[:80]!r}; /api/cap lists those of the last {_DAYS} days")
    basin = desk.twin.basin
    if told[-1].kind == "dispatch":
        return send(request, dispatch_to_cap(told[-1], basin, told[:-1]), media_type=_CAP)
    return send(request, alert.to_cap(told[-1], basin, told[:-1], _STATUS), media_type=_CAP)


def _told(event: Event) -> bool:
    """Whether an event is for others to know: of an order only what is signed."""
    return event.kind != "dispatch" or bool(event.body.get("signed_by"))


def _feed(events: Iterable[Event], address: str, basin: str, now: datetime) -> bytes:
    root = Element("feed", xmlns=_ATOM)
    _texts(root, id=f"{address}/api/cap", title=f"{basin}: alerts and notices", updated=_iso(now))
    SubElement(SubElement(root, "author"), "name").text = "liuyu"
    SubElement(root, "link", rel="self", href=f"{address}/api/cap", type=_FEED)
    for event in events:
        url = f"{address}/api/cap/{quote(event.id, safe=':')}.xml?seq={event.seq}"
        title = event.body.get("title", {})
        entry = SubElement(root, "entry")
        _texts(entry, id=url, title=f"{title.get('en', event.id)} ({event.state})", updated=_iso(event.time))
        _texts(entry, summary=title.get("zh", ""))
        SubElement(entry, "link", rel="alternate", href=url, type=_CAP)
        SubElement(entry, "category", term=event.kind)
    body: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return body


def _texts(parent: Element, **texts: str) -> None:
    for name, text in texts.items():
        SubElement(parent, name).text = text


def _iso(moment: datetime) -> str:
    return utc(moment).strftime("%Y-%m-%dT%H:%M:%SZ")
