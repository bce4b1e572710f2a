"""Every listener hears everything, and a slow one holds up nobody."""

from __future__ import annotations

import asyncio

from liuyu.app.broadcast import BACKLOG, Broadcast
from liuyu.web.ports import Message


def test_every_listener_hears_every_message_in_order() -> None:
    async def listen(broadcast: Broadcast) -> list[int]:
        return [message.data async for message in broadcast.listen()]

    async def story() -> list[list[int]]:
        broadcast = Broadcast()
        tasks = [asyncio.create_task(listen(broadcast)) for _ in range(3)]
        await asyncio.sleep(0)
        await asyncio.to_thread(lambda: [broadcast.publish(Message(topic="clock", data=n)) for n in range(5)])
        await asyncio.sleep(0)
        broadcast.close()
        return await asyncio.gather(*tasks)

    assert asyncio.run(story()) == [[0, 1, 2, 3, 4]] * 3


def test_a_listener_that_falls_behind_is_cut_off() -> None:
    async def story() -> int:
        broadcast = Broadcast()
        stream = broadcast.listen()
        first = asyncio.ensure_future(anext(stream))
        await asyncio.sleep(0)
        broadcast.publish(Message(topic="clock", data=-1))
        await first
        for number in range(2 * BACKLOG):
            broadcast.publish(Message(topic="clock", data=number))
        return len([message async for message in stream])

    assert asyncio.run(story()) < 2 * BACKLOG
