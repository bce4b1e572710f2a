"""Orders to stations: queries, clock, configuration; and what became of them."""

from __future__ import annotations

from typing import Annotated, Literal

from litestar import get, post
from litestar.params import JSONBody, PathParameter, QueryParameter

from liuyu.basin.errors import NotFound
from liuyu.web.desk import AtDesk, Desk
from liuyu.web.ports import OrderDesk, OrderWish, StationOrder
from liuyu.web.reply import WebRequest, answers, errors
from liuyu.web.session import signed_read, signed_write

OrderId = Annotated[str, PathParameter(description="Id of the order, as in /api/orders", max_length=200)]
Ordered = Annotated[str, PathParameter(description="Station code, or the address in its frames", max_length=64)]


@post(
    "/api/stations/{code:str}/orders",
    status_code=200,
    sync_to_thread=True,
    guards=[signed_write],
    summary="Order a station to do something",
    description="Sent as soon as the station can be reached, in vain after `hours`. Queries and the clock need a "
    "signed-in duty officer, what changes a station an administrator. Names and function codes: docs/howto/orders.md.",
    responses=errors(400, 401, 403, 404, 413, 415),
    security=[{"session": []}],
    tags=["orders"],
)
def send_order(request: WebRequest, desk: AtDesk, code: Ordered, data: JSONBody[OrderWish]) -> StationOrder:
    """Order a station to do something."""
    return _orders(desk).send(request.user, code, data)


@get(
    "/api/orders",
    sync_to_thread=True,
    guards=[signed_read],
    summary="Orders to stations, newest first",
    description="Needs a signed-in duty officer.",
    responses=answers(list[StationOrder], "Orders", 401, 403, 404),
    security=[{"session": []}],
    tags=["orders"],
)
def get_orders(
    request: WebRequest,
    desk: AtDesk,
    station: Annotated[
        str, QueryParameter(name="station", max_length=64, description="Of this station alone, by code or address")
    ] = "",
    stage: Annotated[
        Literal["queued", "sent", "answered", "refused", "expired"] | None,
        QueryParameter(name="state", description="In this state alone"),
    ] = None,
    limit: Annotated[int, QueryParameter(name="limit", ge=1, le=1000, description="At most so many")] = 100,
) -> list[StationOrder]:
    """Orders to stations."""
    return _orders(desk).listed(request.user, station=station, state=stage or "", limit=limit)


@get(
    "/api/orders/{id:str}",
    sync_to_thread=True,
    guards=[signed_read],
    summary="One order, with the station's answer",
    description="Needs a signed-in duty officer.",
    responses=answers(StationOrder, "The order", 401, 403, 404),
    security=[{"session": []}],
    tags=["orders"],
)
def get_order(request: WebRequest, desk: AtDesk, id: OrderId) -> StationOrder:
    """One order."""
    return _orders(desk).find(request.user, id)


def _orders(desk: Desk) -> OrderDesk:
    found = desk.twin.orders
    if found is None:
        raise NotFound("this twin listens to no stations; start one that does, or add a stations source to its file")
    return found
