"""The inbox on NATS JetStream: sources on many machines put, one loop takes.

Each inbox is a stream of its own, kept in files; a parcel's place is its sequence number there. Several parcels of one
`put` go as an atomic batch (NATS 2.12). The server confirms a message once it has written it; whether it has also
waited for its disk is the server's setting `sync_interval`, which should be `always`.
"""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from nats.aio.msg import Msg
from nats.errors import NoRespondersError
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig

from liuyu.basin.clock import epoch
from liuyu.basin.errors import BadInput, InboxFull, StoreFailed
from liuyu.basin.series import Roster
from liuyu.store.inbox.interface import Parcel, Placed
from liuyu.store.inbox.nats_link import NatsLink
from liuyu.store.inbox.parcels import pack, unpack_any

REMEMBERED = 600.0
PATIENCE = 5.0
_ANSWER = 20.0  # [s] that a server may take for an answer while the connection stands
_HEADERS = 2048  # bytes of a message that its headers may take
_BATCH = 1000  # messages in one atomic batch, the server's own limit
_TOGETHER = 8  # batches of one process on their way at once; the server takes 50 from all
_FETCH = {"batch": 500, "max_bytes": 8_000_000}
_FULL = (10077, 10047, 10023)  # err_code: maximum messages or bytes exceeded; storage or resources used up
_DUPLICATE = 10201
_Message = tuple[bytes, str]


class JetStreamInbox:
    """Satisfies `Inbox`. `name` is the basin's; `most` bytes may wait, beyond which `put` raises InboxFull.

    A key is remembered for ten minutes. Where the connection breaks while parcels are on their way, `put` goes on with
    them for `patience` [s], and only then raises StoreFailed; those parcels may be there whole or not at all, and
    putting them again does no harm. A put of more than a thousand parcels counts as several.
    """

    def __init__(self, url: str, name: str, roster: Roster, *, most: int, patience: float = PATIENCE) -> None:
        plain = re.sub("[^A-Za-z0-9_-]+", "_", name).strip("_")
        if not plain:
            raise BadInput(f"inbox name {name!r} has no letter or digit; give the code of the basin")
        self._stream, self._subject = f"liuyu-inbox-{plain}", f"liuyu.inbox.{plain}"
        self._roster, self._most = roster, most
        self._ahead: deque[tuple[int, Parcel]] = deque()
        self._gate = asyncio.Semaphore(_TOGETHER)
        self._link = NatsLink(url, patience)
        try:
            self._link.do(self._begin, "nothing was begun")
        except BaseException:
            self._link.close()
            raise

    def put(self, parcels: Sequence[Parcel]) -> int:
        """Keep parcels durably; returns the place of the last. Raises InboxFull, StoreFailed: nothing was kept then."""
        room = self._link.largest - _HEADERS
        messages = [(data, each.key or uuid.uuid4().hex) for each in parcels for data, each in _parts(each, room)]
        if not messages:
            return self._state()[1]
        last = 0
        for start in range(0, len(messages), _BATCH):
            last = self._put(messages[start : start + _BATCH])
        return last

    def _put(self, messages: Sequence[_Message]) -> int:
        return self._link.do(lambda: self._send(messages), "nothing is confirmed; deliver again")

    def take(self, after: int, *, limit: int = 50_000) -> list[Placed]:
        """Parcels beyond a place, in order, until together they hold `limit` values; empty where there are none."""
        if self._ahead and self._ahead[0][0] != after + 1:
            self._ahead.clear()
        taken: list[Placed] = []
        held, place = 0, after
        while held < limit:
            if not self._ahead:
                self._ahead.extend(self._fetch(place))
            if not self._ahead:
                break
            place, parcel = self._ahead.popleft()
            taken.append(Placed(place, parcel))
            held += len(parcel.batch)
        return taken

    def forget(self, until: int) -> None:
        """Let go of parcels up to a place: the loop has made them durable elsewhere."""
        self._link.do(lambda: self._ask("STREAM.PURGE", {"seq": until + 1}), "what was taken is still kept")

    def waiting(self, after: int) -> int:
        """How many parcels stand beyond a place."""
        first, last = self._state()
        return max(0, last - max(after, first - 1))

    def close(self) -> None:
        """Let go of the connection; what was put stays."""
        self._link.close()

    def _state(self) -> tuple[int, int]:
        found = self._link.do(lambda: self._ask("STREAM.INFO", {}), "nothing was counted")["state"]
        return int(found["first_seq"]), int(found["last_seq"])

    def _fetch(self, after: int) -> list[tuple[int, Parcel]]:
        """Some parcels beyond a place, as many as one answer of the server holds."""
        found = self._link.do(lambda: self._read(after + 1), "nothing was taken")
        return [(place, self._unpacked(data, stamp)) for place, data, stamp in found]

    def _unpacked(self, data: bytes, stamp: str) -> Parcel:
        """A parcel; what is none, for others may write there too, is an aside that came when the server had it."""
        parcel = unpack_any(data, self._roster)
        return parcel if parcel.received else replace(parcel, received=epoch(datetime.fromisoformat(f"{stamp[:19]}Z")))

    async def _begin(self) -> None:
        """Make the stream, or give the one that is there our bound."""
        config = StreamConfig(
            name=self._stream,
            subjects=[self._subject],
            storage=StorageType.FILE,
            retention=RetentionPolicy.LIMITS,
            discard=DiscardPolicy.NEW,
            max_bytes=self._most,
            duplicate_window=REMEMBERED,
            allow_direct=True,
            allow_atomic=True,
        )
        wanted = config.as_dict()
        try:
            answer = await self._ask("STREAM.INFO", {}, missing=True)
            if "error" in answer:
                await self._ask("STREAM.CREATE", wanted)
            elif answer["config"]["max_bytes"] != self._most:
                await self._ask("STREAM.UPDATE", {**answer["config"], "max_bytes": self._most})
        except NoRespondersError:
            raise StoreFailed(f"NATS at {self._link.address} runs without JetStream; start it with -js") from None

    async def _ask(self, what: str, body: Any, *, missing: bool = False) -> dict[str, Any]:
        """The server's answer to a question about the stream. Raises StoreFailed where it is an error."""
        reply = await self._link.client.request(
            f"$JS.API.{what}.{self._stream}", json.dumps(body).encode(), timeout=_ANSWER
        )
        answer: dict[str, Any] = json.loads(reply.data)
        if "error" in answer and not (missing and answer["error"]["code"] == 404):
            self._refuse(answer["error"])
        return answer

    async def _send(self, messages: Sequence[_Message]) -> int:
        """Publish all, as one batch where they are several; where some of their keys are known, each for itself."""
        async with self._gate:
            if len(messages) == 1:
                return await self._publish(*messages[0])
            answer = await self._publish_batch(messages)
            if answer.get("error", {}).get("err_code") == _DUPLICATE:
                return max([await self._publish(data, key) for data, key in messages])
            return self._sequence(answer)

    async def _publish(self, data: bytes, key: str) -> int:
        headers = {"Nats-Msg-Id": key}
        return self._sequence(
            _read(await self._link.client.request(self._subject, data, headers=headers, timeout=_ANSWER))
        )

    async def _publish_batch(self, messages: Sequence[_Message]) -> dict[str, Any]:
        batch = uuid.uuid4().hex
        for number, (data, key) in enumerate(messages, 1):
            headers = {"Nats-Batch-Id": batch, "Nats-Batch-Sequence": str(number), "Nats-Msg-Id": key}
            if number < len(messages):
                await self._link.client.publish(self._subject, data, headers=headers)
        headers["Nats-Batch-Commit"] = "1"
        return _read(await self._link.client.request(self._subject, data, headers=headers, timeout=_ANSWER))

    def _sequence(self, answer: dict[str, Any]) -> int:
        if "error" in answer:
            self._refuse(answer["error"])
        return int(answer["seq"])

    def _refuse(self, error: dict[str, Any]) -> None:
        said = f"{self._stream} at {self._link.address}: {error['description']}"
        if error.get("err_code") in _FULL:
            raise InboxFull(f"inbox {said}; let the loop catch up, or raise its bound, then deliver again")
        raise StoreFailed(f"{said} (NATS error {error.get('err_code')}); look at the server's log")

    async def _read(self, first: int) -> list[tuple[int, bytes, str]]:
        """Messages from a sequence number on, in one answer: number, bytes, and when the server had them."""
        client = self._link.client
        inbox = client.new_inbox()
        answers = await client.subscribe(inbox)
        found: list[tuple[int, bytes, str]] = []
        try:
            question = json.dumps({"seq": first, "next_by_subj": self._subject, **_FETCH}).encode()
            await client.publish(f"$JS.API.DIRECT.GET.{self._stream}", question, reply=inbox)
            while True:
                message: Msg = await answers.next_msg(timeout=_ANSWER)
                headers = message.headers or {}
                status = headers.get("Status")
                if status in ("204", "404"):
                    return found
                if status is not None:
                    raise NoRespondersError
                found.append((int(headers["Nats-Sequence"]), message.data, headers["Nats-Time-Stamp"]))
        finally:
            await answers.unsubscribe()


def _read(message: Msg) -> dict[str, Any]:
    answer: dict[str, Any] = json.loads(message.data)
    return answer


def _parts(parcel: Parcel, room: int) -> list[tuple[bytes, Parcel]]:
    """A parcel as messages that the server takes: in halves of halves where it is too large. Raises BadInput."""
    data = pack(parcel)
    if len(data) <= room:
        return [(data, parcel)]
    values, asides = len(parcel.batch), len(parcel.asides)
    if values < 2 and asides < 2:
        raise BadInput(
            f"a parcel of {parcel.source} takes {len(data)} bytes where NATS takes {room}; raise its max_payload"
        )
    half, part = values // 2, asides // 2
    keys = (f"{parcel.key}/0", f"{parcel.key}/1") if parcel.key else ("", "")
    front = replace(parcel, batch=parcel.batch.take(slice(0, half)), asides=parcel.asides[:part], key=keys[0])
    back = replace(parcel, batch=parcel.batch.take(slice(half, None)), asides=parcel.asides[part:], key=keys[1])
    return [*_parts(front, room), *_parts(back, room)]
