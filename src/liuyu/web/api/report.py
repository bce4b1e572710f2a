"""The report and the bulletins, made from the log as of any moment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from litestar import Response, get
from litestar.params import QueryParameter

from liuyu.basin.clock import moment
from liuyu.monitor.summarise import Form, Kind, bulletin_file, bulletin_pages
from liuyu.outlook.warn import crossing
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.parameters import At, known_station, moment_of, moment_or
from liuyu.web.reply import WebRequest, answers, send

Language = Annotated[Literal["zh", "en"], QueryParameter(name="language", description="zh for Chinese, en for English")]
_HTML = "text/html"
_PDF = "application/pdf"
_DOCX = "application/vnd.openxmlformats-officedocument.wordprocessingml.document"
_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
OfStation = Annotated[
    str, QueryParameter(name="station", max_length=64, description="Of this station alone; the main ones without it")
]


OfKind = Annotated[
    Kind, QueryParameter(name="kind", description="forecast, daily (of the duty room), or flood (of the one in course)")
]


@get(
    "/api/report.html",
    sync_to_thread=True,
    summary="The report as a page",
    responses=answers(str, "A page that needs nothing else", media_type="text/html"),
    tags=["report"],
)
def get_report_page(request: WebRequest, desk: AtDesk, language: Language = "zh", at: At = None) -> Response[bytes]:
    """The report as HTML."""
    page = desk.twin.report("html", language, _moment(at))
    return send(request, page, media_type=_HTML, headers={"Content-Security-Policy": _POLICY})


@get(
    "/api/report.pdf",
    sync_to_thread=True,
    summary="The report as PDF",
    responses=answers(bytes, "A PDF file", media_type=_PDF),
    tags=["report"],
)
def get_report_file(desk: AtDesk, language: Language = "zh", at: At = None) -> Response[bytes]:
    """The report as PDF."""
    return _file(desk, "report", "pdf", language, desk.twin.report("pdf", language, _moment(at)))


@get(
    "/api/report.docx",
    sync_to_thread=True,
    summary="The report as a Word document",
    responses=answers(bytes, "A DOCX file", media_type=_DOCX),
    tags=["report"],
)
def get_report_document(desk: AtDesk, language: Language = "zh", at: At = None) -> Response[bytes]:
    """The report as DOCX."""
    return _file(desk, "report", "docx", language, desk.twin.report("docx", language, _moment(at)))


@get(
    "/api/bulletin.html",
    sync_to_thread=True,
    summary="A bulletin as a page",
    description="forecast: values to come, peaks and lines, grounds, verification. daily: rivers, reservoirs, what is "
    "expected and under way. flood: the flood in course. 404 where no forecast was issued, or no flood is under way.",
    responses=answers(str, "A page that needs nothing else", 404, media_type="text/html"),
    tags=["report"],
)
def get_bulletin_page(
    request: WebRequest,
    desk: AtDesk,
    kind: OfKind = "forecast",
    language: Language = "zh",
    at: At = None,
    station: OfStation = "",
) -> Response[bytes]:
    """The bulletin as HTML."""
    page = _bulletin(desk, kind, "html", language, at, station)
    return send(request, page, media_type=_HTML, headers={"Content-Security-Policy": _POLICY})


@get(
    "/api/bulletin.pdf",
    sync_to_thread=True,
    summary="A bulletin as PDF",
    responses=answers(bytes, "A PDF file", 404, media_type=_PDF),
    tags=["report"],
)
def get_bulletin_file(
    desk: AtDesk, kind: OfKind = "forecast", language: Language = "zh", at: At = None, station: OfStation = ""
) -> Response[bytes]:
    """The bulletin as PDF."""
    return _file(desk, _named(kind), "pdf", language, _bulletin(desk, kind, "pdf", language, at, station))


@get(
    "/api/bulletin.docx",
    sync_to_thread=True,
    summary="A bulletin as a Word document",
    responses=answers(bytes, "A DOCX file", 404, media_type=_DOCX),
    tags=["report"],
)
def get_bulletin_document(
    desk: AtDesk, kind: OfKind = "forecast", language: Language = "zh", at: At = None, station: OfStation = ""
) -> Response[bytes]:
    """The bulletin as DOCX."""
    return _file(desk, _named(kind), "docx", language, _bulletin(desk, kind, "docx", language, at, station))


def _file(desk: Desk, what: str, kind: Literal["pdf", "docx"], language: str, body: bytes) -> Response[bytes]:
    """A file to be shown, or saved where the browser cannot show it."""
    how = "inline" if kind == "pdf" else "attachment"
    name = f'{how}; filename="{desk.twin.basin.code}-{what}-{language}.{kind}"'
    headers = {"Content-Disposition": name, "Cache-Control": "no-cache"}
    return Response(body, media_type=_PDF if kind == "pdf" else _DOCX, headers=headers)


def _named(kind: Kind) -> str:
    return "bulletin" if kind == "forecast" else kind


def _bulletin(desk: Desk, kind: Kind, form: Form, language: str, at: str | None, station: str) -> bytes:
    if station:
        known_station(desk.twin.basin, station)
    stations = [station] if station else []
    pages = bulletin_pages(kind, desk.twin.basin, desk.twin.store, moment_or("at", at, desk.now), crossing, stations)
    return bulletin_file(pages(language), form)


def _moment(at: str | None) -> datetime | None:
    return None if at is None else moment(moment_of("at", at))
