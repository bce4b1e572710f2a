"""The description of the interface: OpenAPI for machines, and the same as a plain page for people, without scripts."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from litestar import Response, Router
from litestar.openapi.config import OpenAPIConfig
from litestar.openapi.plugins import JsonRenderPlugin
from litestar.openapi.spec import Components, Reference, SecurityScheme, Tag

from liuyu import __version__
from liuyu.web.reply import JSON, WebRequest
from liuyu.web.session import COOKIE

_ABOUT = (
    "The digital twin of a river basin. Times are ISO 8601 with a zone, in answers UTC; numbers are in the unit of "
    'their quantity (/api/basin). Errors are {"error": ..., "cure": ...}. Reading is open; changes need a session. '
    "Stations and observations are also at /sta/v1.1 (OGC SensorThings 1.1)."
)
_TAGS = (
    Tag("basin", "The basin and its map"),
    Tag("values", "What was observed"),
    Tag("forecasts", "What is to come"),
    Tag("events", "What happened"),
    Tag("actions", "What people do"),
    Tag("dispatches", "Orders and notifications to people"),
    Tag("handover", "The shift"),
    Tag("attachments", "Files laid to what happens"),
    Tag("push", "Web push"),
    Tag("scenarios", "Scenarios: what could happen, with floods and their impact"),
    Tag("orders", "Orders to stations"),
    Tag("letters", "Dead letters: what was set aside"),
    Tag("clock", "The twin's time"),
    Tag("report", "The report"),
    Tag("session", "Who is signed in"),
    Tag("cap", "Alerts for other systems"),
    Tag("sensorthings", "OGC SensorThings API 1.1"),
    Tag("server", "The server itself"),
)
_HEADERS: dict[str, SecurityScheme | Reference] = {
    "basic": SecurityScheme(type="http", scheme="basic", description="Name and password of a user"),
    "bearer": SecurityScheme(type="http", scheme="bearer", description="A token that liuyu user gave out"),
}
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'self'"
_STYLE = """
:root { color-scheme: light dark }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h2 { margin-top: 2.5rem; border-bottom: 1px solid #8886 }
h3 { margin: 1.5rem 0 .25rem; font-family: ui-monospace, monospace; font-size: 1rem; overflow-wrap: anywhere }
h3 b { color: #07a; margin-right: .5rem }
table { border-collapse: collapse; width: 100%; font-size: .9rem }
td { padding: .2rem .8rem .2rem 0; vertical-align: top; border-top: 1px solid #8883 }
td:first-child { white-space: nowrap; font-family: ui-monospace, monospace }
"""


def openapi_config() -> OpenAPIConfig:
    """OpenAPI at /schema and /schema/openapi.json; a browser that asks for a page at /schema gets one."""
    scheme = SecurityScheme(type="apiKey", name=COOKIE, security_scheme_in="cookie", description="POST /api/session")
    return OpenAPIConfig(
        title="liuyu",
        version=__version__,
        description=_ABOUT,
        components=Components(security_schemes={"session": scheme, **_HEADERS}),
        render_plugins=[JsonRenderPlugin(path=("/", "/openapi.json"), media_type=JSON)],  # type: ignore[arg-type]
        openapi_router=Router("/schema", route_handlers=[], before_request=_page_for_people, include_in_schema=False),
        tags=list(_TAGS),
    )


def _page_for_people(request: WebRequest) -> Response[str] | None:
    asked = request.headers.get("accept", "")
    if request.scope["path"].rstrip("/") != "/schema" or "text/html" not in asked:
        return None
    headers = {"Content-Security-Policy": _POLICY, "Cache-Control": "no-cache", "Vary": "Accept"}
    page = "".join(_page(request.app.openapi_schema.to_schema()))
    return Response(page, media_type="text/html", headers=headers)


def _page(schema: dict[str, Any]) -> Iterator[str]:
    title, version = escape(schema["info"]["title"]), escape(schema["info"]["version"])
    yield f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title} {version}</title>'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<style>{_STYLE}</style><h1>{title} {version}</h1><p>{escape(schema['info']['description'])}</p>"
    yield '<p>For machines: <a href="/schema/openapi.json">openapi.json</a></p>'
    for tag in schema["tags"]:
        yield f"<h2>{escape(tag['description'])}</h2>"
        for path, methods in schema["paths"].items():
            for method, operation in methods.items():
                if isinstance(operation, dict) and tag["name"] in operation.get("tags", ()):
                    yield from _operation(path, method, operation)
    yield "</html>"


def _operation(path: str, method: str, operation: dict[str, Any]) -> Iterator[str]:
    yield f"<h3><b>{method.upper()}</b>{escape(path)}</h3><p>{escape(operation.get('summary', ''))}. "
    yield f"{escape(operation.get('description', ''))}</p><table>"
    for each in operation.get("parameters", ()):
        yield f"<tr><td>{escape(each['name'])}</td><td>{escape(each.get('description', ''))}</td></tr>"
    for status, each in operation.get("responses", {}).items():
        yield f"<tr><td>{escape(status)}</td><td>{escape(each.get('description', ''))}</td></tr>"
    yield "</table>"
