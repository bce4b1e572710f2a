"""The report, made from the log as of any moment."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from litestar import Response, get
from litestar.params import QueryParameter

from liuyu.basin.clock import moment
from liuyu.web.desk import AtDesk
from liuyu.web.parameters import At, moment_of
from liuyu.web.reply import WebRequest, answers, send

Language = Annotated[Literal["zh", "en"], QueryParameter(name="language", description="zh for Chinese, en for English")]
_HTML = "text/html"
_PDF = "application/pdf"


@get(
    "/api/report.html",
    sync_to_thread=True,
    summary="The report as a page",
    responses=answers(str, "A page that needs nothing else", media_type="text/html"),
    tags=["report"],
)
def get_report_page(request: WebRequest, desk: AtDesk, language: Language = "zh", at: At = None) -> Response[bytes]:
    """The report as HTML."""
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; frame-ancestors 'self'"
    page = desk.twin.report("html", language, _moment(at))
    return send(request, page, media_type=_HTML, headers={"Content-Security-Policy": policy})


@get(
    "/api/report.pdf",
    sync_to_thread=True,
    summary="The report as PDF",
    responses=answers(bytes, "A PDF file", media_type=_PDF),
    tags=["report"],
)
def get_report_file(desk: AtDesk, language: Language = "zh", at: At = None) -> Response[bytes]:
    """The report as PDF."""
    name = f'inline; filename="{desk.twin.basin.code}-report-{language}.pdf"'
    body = desk.twin.report("pdf", language, _moment(at))
    return Response(body, media_type=_PDF, headers={"Content-Disposition": name, "Cache-Control": "no-cache"})


def _moment(at: str | None) -> datetime | None:
    return None if at is None else moment(moment_of("at", at))
