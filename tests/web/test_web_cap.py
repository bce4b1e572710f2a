"""Alerts for other systems: a feed whose every entry leads to a message that keeps to CAP 1.2."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import httpx

ATOM = {"a": "http://www.w3.org/2005/Atom"}
CAP = {"c": "urn:oasis:names:tc:emergency:cap:1.2"}


def test_feed_leads_to_every_message(client: httpx.Client) -> None:
    answer = client.get("/api/cap")
    assert answer.headers["content-type"] == "application/atom+xml"
    feed = ElementTree.fromstring(answer.content)
    titles = [each.findtext("a:title", "", ATOM) for each in feed.findall("a:entry", ATOM)]
    assert titles == [f"Level above warning ({state})" for state in ("cleared", "issued", "raised", "raised")]
    updated = [each.findtext("a:updated", "", ATOM) for each in feed.findall("a:entry", ATOM)]
    assert updated == sorted(updated, reverse=True)
    kinds = []
    for link in feed.findall("a:entry/a:link", ATOM):
        message = client.get(link.attrib["href"])
        assert message.headers["content-type"] == "application/cap+xml"
        root = ElementTree.fromstring(message.content)
        kinds.append(root.findtext("c:msgType", "", CAP))
        assert root.findtext("c:status", "", CAP) == "Exercise", "nobody may take a replay for a flood of today"
    assert kinds == ["Cancel", "Alert", "Alert", "Alert"]


def test_a_cancel_refers_to_what_it_cancels(client: httpx.Client) -> None:
    first = ElementTree.fromstring(client.get("/api/cap/alert:above:S1:1.xml?seq=1").content)
    last = ElementTree.fromstring(client.get("/api/cap/alert:above:S1:1.xml").content)
    assert first.findtext("c:msgType", "", CAP) == "Alert"
    assert last.findtext("c:msgType", "", CAP) == "Cancel"
    assert first.findtext("c:identifier", "", CAP) in last.findtext("c:references", "", CAP)


def test_what_is_no_alert_has_no_message(client: httpx.Client) -> None:
    for path in ("task:1:patrol.xml", "alert:above:S1:1.xml?seq=2", "alert:above:S1:1", "nothing.xml"):
        answer = client.get(f"/api/cap/{path}")
        assert answer.status_code == 404, path
        assert re.search(r"message", answer.json()["error"])
