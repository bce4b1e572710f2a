"""The web application: every address, what guards it, and the headers that every answer carries."""

from __future__ import annotations

from pathlib import Path

from litestar import Litestar
from litestar.datastructures import MutableScopeHeaders, State
from litestar.di import Provide
from litestar.types import Message, Scope

from liuyu.web.api import (
    actions,
    answer,
    attachments,
    basin,
    cap,
    clock,
    dispatches,
    events,
    forecasts,
    handover,
    letters,
    orders,
    push,
    rehearsals,
    report,
    responses,
    scores,
    session,
    statistics,
    stream,
    values,
)
from liuyu.web.desk import Desk
from liuyu.web.errors import error_handlers
from liuyu.web.page import Page, get_page, get_page_file
from liuyu.web.ports import Twin
from liuyu.web.schema import openapi_config
from liuyu.web.sensorthings.routes import get_service, get_things
from liuyu.web.sensorthings.write_routes import WRITES

LARGEST_BODY = 256 * 1024

HANDLERS = (
    basin.get_basin,
    basin.get_layer,
    basin.get_terrain,
    basin.get_tile,
    clock.get_clock,
    clock.set_clock,
    values.get_values,
    values.get_series,
    statistics.get_statistics,
    forecasts.get_forecast,
    forecasts.get_forecasts,
    forecasts.get_tally,
    scores.get_scores,
    events.get_events,
    events.get_board,
    actions.acknowledge,
    actions.update_task,
    actions.decide,
    actions.silence,
    actions.rehearse,
    *rehearsals.HANDLERS,
    responses.get_plans,
    responses.get_plan,
    responses.get_response,
    responses.propose_response,
    responses.decide_response,
    dispatches.get_dispatches,
    dispatches.get_dispatch,
    dispatches.get_recipients,
    dispatches.draft_dispatch,
    dispatches.amend_dispatch,
    dispatches.sign_dispatch,
    dispatches.cancel_dispatch,
    dispatches.receive_dispatch,
    answer.get_paper,
    answer.answer_paper,
    handover.get_handover,
    handover.offer_handover,
    handover.take_handover,
    attachments.add_attachment,
    attachments.get_attachments,
    attachments.get_attachment,
    push.get_push_key,
    push.subscribe,
    push.unsubscribe,
    orders.send_order,
    orders.get_orders,
    orders.get_order,
    letters.get_letters,
    letters.get_letter,
    letters.replay_letter,
    report.get_report_page,
    report.get_report_file,
    report.get_report_document,
    report.get_bulletin_page,
    report.get_bulletin_file,
    report.get_bulletin_document,
    session.get_session,
    session.sign_in,
    session.sign_out,
    stream.get_stream,
    stream.get_health,
    cap.get_feed,
    cap.get_message,
    get_service,
    *WRITES,
    get_things,  # behind them: of a path's handlers, litestar wraps those in threads again as others join
    get_page,
    get_page_file,
)

_POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; style-src-attr 'unsafe-inline'; worker-src 'self' blob:; "
    "img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-ancestors 'self'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


def create_app(twin: Twin, *, static: Path | None = None, cache: Path | None = None) -> Litestar:
    """The web application of a running twin.

    `static` is the folder of the built page, by default the one in the package. With a `cache` folder the terrain tiles
    are kept over a restart, and the map is prepared as soon as the server runs; without one, when someone asks.
    Blocking work runs in threads, beside the event loop.
    """
    desk = Desk(twin, cache=cache)
    page = Page(static if static is not None else Path(__file__).parent / "static")
    return Litestar(
        route_handlers=list(HANDLERS),
        dependencies={"desk": Provide(lambda: desk, sync_to_thread=False)},
        state=State({"desk": desk, "page": page}),
        lifespan=[desk.hub.running],
        on_startup=[desk.prepare] if cache is not None else [],
        exception_handlers=error_handlers(),
        before_send=[_add_headers],
        request_max_body_size=LARGEST_BODY,
        openapi_config=openapi_config(),
        logging_config=None,  # where the log goes is for whoever runs the server to say
        debug=False,
    )


async def _add_headers(message: Message, scope: Scope) -> None:
    if message["type"] != "http.response.start":
        return
    headers = MutableScopeHeaders(message)
    for name, value in _HEADERS.items():
        headers.setdefault(name, value)
    if headers.get("content-type", "").startswith("text/html"):
        headers.setdefault("Content-Security-Policy", _POLICY)
