"""Orders to stations: durable in the store, sent when a station can be reached, kept with what it answered.

    queued -> sent -> answered, or refused by the station, or expired where it could not be reached in time

A station that stands on a line gets an order at once; one that only reports gets it when it next does, and is told to
stay on line. An order is sent three times at most at each contact; it waits for the next one until its deadline.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any, Literal

import msgspec

from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput, LiuyuError, NotAllowed, NotFound, StoreFailed
from liuyu.basin.places import Basin
from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Dialects, Message
from liuyu.monitor.sense.sl651.lines import to_line as sl651_line
from liuyu.monitor.sense.sl651.messages import NAK
from liuyu.monitor.sense.stations import Downlink, Said, StationServer, Way, Wish, find_downlink, message_of
from liuyu.monitor.sense.stations.asking import RESENDS
from liuyu.monitor.sense.szy206.lines import to_line as szy206_line
from liuyu.store.interface import Job, Store
from liuyu.web.ports import ROLES, OrderState, OrderWish, Role, StationOrder, User

KIND = "order"
WORKER = "stations"
RETRY = 300.0  # between two tries on a line that stands [s]
LOOK = 1.0  # between two looks at deadlines [s]
LEASE = 30  # beyond the patience of an order [s]
MOST = 10_000  # orders that may wait
SECRET = "****"
STATES = ("queued", "sent", "answered", "refused", "expired")
_log = logging.getLogger("liuyu.orders")


class _Kept(msgspec.Struct, frozen=True, kw_only=True):
    """An order as its job keeps it."""

    station: str
    address: str
    downlink: Downlink
    wish: OrderWish
    by: str
    deadline: int


class Orders:
    """The orders of one twin; satisfies `web.ports.OrderDesk`. `clock` is the centre's [s UTC].

    `send` and the lists may be called in any thread. `serve` runs in the loop of the station server and delivers.
    pace: factor on the time that an answer may take, more than 1 for slow channels.
    """

    def __init__(
        self, store: Store, basin: Basin, dialects: Dialects, clock: Callable[[], int], *, pace: float = 1.0
    ) -> None:
        self._pace = pace
        self._store, self._basin, self._dialects, self._clock = store, basin, dialects, clock
        self._addresses = {each.code: address for address, each in dialects.stations.items() if each.code}
        self._lock = threading.Lock()
        self._open: dict[str, list[str]] = {}
        self._kept: dict[str, _Kept] = {}
        self._met: set[str] = set()
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._next: dict[str, float] = {}
        self._barred: dict[str, float] = {}
        self._server: StationServer | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake = asyncio.Event()
        for job in reversed(store.jobs(kinds=[KIND], states=["queued", "claimed"], limit=MOST)):
            self._wait(job.name, msgspec.json.decode(job.payload, type=_Kept))

    # what users ask

    def send(self, user: User, station: str, wish: OrderWish) -> StationOrder:
        """Queue an order. Needs duty_officer, for what changes a station administrator. Raises NotFound, BadInput."""
        _need(user, "duty_officer", "send orders to stations")
        code, address = self._station(station)
        way = self._way(address, wish.protocol)
        told = _told(wish)
        downlink = find_downlink(way.protocol, wish.order.lower(), told)
        _need(user, downlink.role, f"send the order {downlink.name}")
        now = self._clock()
        message_of(downlink, address, told, way, now)
        deadline = now + round(wish.hours * 3600)
        kept = _Kept(station=code, address=address, downlink=downlink, wish=wish, by=user.name, deadline=deadline)
        with self._lock:
            if len(self._kept) >= MOST:
                raise BadInput(f"{MOST} orders wait already; wait until some have been answered")
            job = self._submit(user, kept, now)
            self._wait(job.name, kept)
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._wake.set)
        return _shown(job, kept)

    def listed(self, user: User, *, station: str = "", state: str = "", limit: int = 100) -> list[StationOrder]:
        """Orders, newest first, of a station and in a state, empty for all. Needs duty_officer. Raises BadInput."""
        _need(user, "duty_officer", "see the orders")
        if state and state not in STATES:
            raise BadInput(f"state={state!r} is none of an order; choose one of {', '.join(STATES)}")
        kept = {"queued": "queued", "sent": "claimed", "answered": "done"}.get(state, "failed")
        found = self._store.jobs(kinds=[KIND], states=[kept] if state else (), limit=MOST)
        shown = (_shown(job, msgspec.json.decode(job.payload, type=_Kept)) for job in found)
        wanted = (
            each
            for each in shown
            if (not station or station in (each.station, each.address)) and state in ("", each.state)
        )
        return [each for each, _ in zip(wanted, range(limit), strict=False)]

    def find(self, user: User, id: str) -> StationOrder:
        """One order. Needs duty_officer. Raises NotFound."""
        _need(user, "duty_officer", "see the orders")
        found = self._store.jobs(kinds=[KIND], name=id, limit=1)
        if not found:
            raise NotFound(f"no order {id[:80]!r}; see GET /api/orders")
        return _shown(found[0], msgspec.json.decode(found[0].payload, type=_Kept))

    def _submit(self, user: User, kept: _Kept, now: int) -> Job:
        stem = f"{kept.address}-{kept.downlink.code}-{moment(now).strftime('%Y%m%dT%H%M%SZ')}"
        number = 1
        while self._store.jobs(kinds=[KIND], name=(name := stem if number == 1 else f"{stem}-{number}"), limit=1):
            number += 1
        with self._store.transaction():
            job = self._store.submit(KIND, name, msgspec.json.encode(kept), now=now)
            self._audit(f"{user.name} ({user.role})", "order", name, kept)
        return job

    def _station(self, station: str) -> tuple[str, str]:
        """Code and address of a station, which may be asked for by either. Raises NotFound."""
        asked = station.upper()
        if asked in self._dialects.stations:
            return self._dialects.of(asked).code or asked[2:], asked
        if station in self._addresses:
            return station, self._addresses[station]
        if len(asked) == 10 and self._server is not None and self._server.contact(asked):
            return asked[2:], asked
        known = self._basin.station_by_code
        code = station if station in known else asked[2:] if asked[:2] == "00" and asked[2:] in known else ""
        with suppress(ValueError):
            if len(code) == 8 and int(code, 16) >= 0:
                return code, f"00{code}"
        raise NotFound(
            f"no station {station[:40]!r} that reports here; give a code of the basin, or an address as in its frames"
        )

    def _way(self, address: str, protocol: Literal["sl651", "szy206"] | None = None) -> Way:
        """How a station speaks: as it last did, or as the standard has it; with the password of its dialect."""
        contact = self._server.contact(address) if self._server else None
        way = contact.way if contact else Way(protocol or "sl651")
        if protocol and protocol != way.protocol:
            raise BadInput(f"station {address} speaks {way.protocol}, not {protocol}; leave the protocol out")
        password = self._dialects.of(address).password
        return way if password is None else way._replace(password=password)

    # delivering

    async def serve(self, server: StationServer) -> None:
        """Deliver orders through a server, in its loop, until cancelled."""
        self._server, self._loop = server, asyncio.get_running_loop()
        self._wake, self._busy, self._next, self._barred = asyncio.Event(), {}, {}, {}
        server.attend(self)
        try:
            while True:
                self._begin(self._loop.time())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._wake.wait(), LOOK)
                self._wake.clear()
        finally:
            for task in self._busy.values():
                task.cancel()
            await asyncio.gather(*self._busy.values(), return_exceptions=True)

    def wants(self, station: str) -> bool:
        """Whether an order waits for a station."""
        return station in self._open

    def met(self, station: str) -> None:
        """A station has been heard: its orders go out now."""
        if station in self._open and station not in self._busy:
            self._met.add(station)
            self._wake.set()

    def _begin(self, at: float) -> None:
        """Start what can be delivered, and end what is overdue."""
        assert self._server is not None
        now = self._clock()
        for address, names in list(self._open.items()):
            if address in self._busy or self._barred.get(address, 0.0) > at:
                continue
            overdue = self._kept[names[0]].deadline <= now
            contact = self._server.contact(address)
            if not overdue:
                if contact is None or not contact.reachable(at):
                    continue
                if address not in self._met and self._next.get(address, 0.0) > at:
                    continue
            self._met.discard(address)
            task = asyncio.create_task(self._take(address, names[0], overdue=overdue))
            self._busy[address] = task
            task.add_done_callback(partial(self._idle, address))

    def _idle(self, address: str, _: object) -> None:
        self._busy.pop(address, None)
        if address in self._open:
            self._wake.set()

    async def _take(self, address: str, name: str, *, overdue: bool) -> None:
        """Deliver one order, or end it; the next of the station follows when this is over."""
        kept = self._kept[name]
        self._next[address] = asyncio.get_running_loop().time() + RETRY
        try:
            job = await asyncio.to_thread(self._claim, name, kept, sending=not overdue)
            if job is None:  # another process had it, which is gone: its lease must run out
                self._barred[address] = asyncio.get_running_loop().time() + LEASE
            elif overdue:
                reason = f"expired: {job.reason or 'the station was not heard before the deadline'}"
                await asyncio.to_thread(self._close, job, kept, reason)
            else:
                await self._deliver(job, kept)
        except StoreFailed as fault:
            _log.error("order %s cannot be kept, and waits: %s", name, fault)
            self._barred[address] = asyncio.get_running_loop().time() + LEASE

    async def _deliver(self, job: Job, kept: _Kept) -> None:
        assert self._server is not None
        downlink = kept.downlink
        try:
            message = message_of(downlink, kept.address, _told(kept.wish), self._way(kept.address), self._clock())
            said = await self._server.order(message, downlink.patience * self._pace, resends=RESENDS)
        except NotFound as fault:
            await asyncio.to_thread(self._again, job, str(fault))
            return
        except LiuyuError as fault:
            await asyncio.to_thread(self._close, job, kept, f"refused: {fault}")
            return
        refused = _refusal(said, kept)
        if refused:
            await asyncio.to_thread(self._close, job, kept, refused)
        else:
            await asyncio.to_thread(self._answered, job, kept, _line(said, self._dialects))
        self._next[kept.address] = 0.0

    def _claim(self, name: str, kept: _Kept, *, sending: bool) -> Job | None:
        lease = round(kept.downlink.patience * self._pace * (1 + RESENDS)) + LEASE
        with self._store.transaction():
            job = self._store.claim([KIND], WORKER, now=self._clock(), lease=lease, name=name)
            if job is not None and sending:
                self._audit(kept.by, "order_sent", name, kept)
        return job

    def _again(self, job: Job, reason: str) -> None:
        now = self._clock()
        self._store.fail(job, reason, now=now, retry_at=now)

    def _answered(self, job: Job, kept: _Kept, line: dict[str, Any]) -> None:
        with self._store.transaction():
            self._store.finish(job, msgspec.json.encode(line), now=self._clock())
            self._audit(kept.by, "order_answered", job.name, kept)
        self._forget(kept.address, job.name)

    def _close(self, job: Job, kept: _Kept, reason: str) -> None:
        with self._store.transaction():
            self._store.fail(job, reason, now=self._clock())
            self._audit(kept.by, f"order_{reason.partition(':')[0]}", job.name, kept, reason=reason)
        self._forget(kept.address, job.name)

    def _wait(self, name: str, kept: _Kept) -> None:
        self._kept[name] = kept
        self._open.setdefault(kept.address, []).append(name)

    def _forget(self, address: str, name: str) -> None:
        with self._lock:
            self._kept.pop(name, None)
            left = [each for each in self._open.get(address, ()) if each != name]
            if left:
                self._open[address] = left
            else:
                self._open.pop(address, None)

    def _audit(self, user: str, action: str, name: str, kept: _Kept, **more: str) -> None:
        wish = {key: each for key, each in msgspec.to_builtins(_masked(kept.wish)).items() if each}
        detail = {"id": name, "code": kept.downlink.code, "order": kept.downlink.name, **wish, **more}
        self._store.audit(at=self._clock(), user=user, action=action, target=kept.station, detail=detail)


def _need(user: User, role: Role, what: str) -> None:
    if ROLES.index(user.role) < ROLES.index(role):
        raise NotAllowed(f"{user.name!r} is a {user.role} and may not {what}; sign in as {role}")


def _told(wish: OrderWish) -> Wish:
    """A wish as the table of orders takes it."""
    return Wish(
        elements=tuple(each.upper() for each in wish.elements),
        values={each.upper(): value for each, value in wish.values.items()},
        start=epoch(wish.start) if wish.start else None,
        end=epoch(wish.end) if wish.end else None,
        step=wish.step,
        data=wish.data.upper().replace(" ", ""),
        password=wish.password.upper(),
    )


def _masked(wish: OrderWish) -> OrderWish:
    """A wish without its passwords."""
    values = {each: SECRET if each == "03" else value for each, value in wish.values.items()}
    return msgspec.structs.replace(wish, values=values, password=SECRET if wish.password else "")


def _line(said: Said, dialects: Dialects) -> dict[str, Any]:
    """An answer as an object, without passwords."""
    if isinstance(said, szy206.Message):
        return {key: each for key, each in szy206_line(said).items() if key != "password"}
    line = sl651_line(said, dialects)
    if said.function in (0x40, 0x41, 0x49):
        hidden = {"value": SECRET, "raw": SECRET}
        line["elements"] = [{**each, **hidden} if each["id"] == "03" else each for each in line["elements"]]
    return line


def _refusal(said: Said, kept: _Kept) -> str:
    """Why an answer is a refusal: it ends with NAK, or tells of other values than those that were to be set."""
    if not isinstance(said, Message):
        return ""
    if said.end == NAK:
        return "refused: the station answered NAK"
    if kept.downlink.takes != "parameters":
        return ""
    there = {element.id: element.values[0] for _, element in said.elements() if element.values}
    for identifier, value in kept.wish.values.items():
        found = there.get(identifier.upper())
        if found is not None and not _same(found, value):
            shown = SECRET if identifier == "03" else repr(found)
            return f"refused: the station reports {identifier} as {shown}"
    return ""


def _same(found: float | str, wished: float | str) -> bool:
    with suppress(ValueError):
        return abs(float(found) - float(wished)) < 1e-9
    return str(found).upper() == str(wished).upper()


def _shown(job: Job, kept: _Kept) -> StationOrder:
    states: dict[str, OrderState] = {"queued": "queued", "claimed": "sent", "done": "answered"}
    ended: OrderState = "refused" if job.reason.startswith("refused") else "expired"
    return StationOrder(
        id=job.name,
        station=kept.station,
        address=kept.address,
        protocol=kept.downlink.protocol,
        order=kept.downlink.name,
        code=kept.downlink.code,
        name={"zh": kept.downlink.name_zh, "en": kept.downlink.name_en},
        wish=_masked(kept.wish),
        by=kept.by,
        at=moment(job.submitted),
        deadline=moment(kept.deadline),
        state=states.get(job.state, ended),
        attempts=job.attempts,
        ended=None if job.ended is None else moment(job.ended),
        reason="" if job.state == "done" else job.reason,
        answer=msgspec.json.decode(job.result) if job.result else None,
    )
