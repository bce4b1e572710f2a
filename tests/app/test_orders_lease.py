"""An order that a process which died had taken is not sent a second time while its lease runs."""

from __future__ import annotations

import asyncio
from contextlib import closing, suppress
from pathlib import Path

from liuyu.app.orders import KIND, Orders
from liuyu.monitor.sense.sl651 import Dialects
from liuyu.monitor.sense.stations import StationServer
from liuyu.store.sqlite import open_store
from liuyu.web.ports import OrderWish, User
from tests.monitor.stations_bench import NOW, Caller, basin_of, report
from tests.store_sink import StoreSink

OFFICER = User("wang", "duty_officer")


def test_a_claim_of_a_dead_process_holds_while_its_lease_runs(tmp_path: Path) -> None:
    async def run() -> tuple[str, int, bool]:
        with closing(open_store(tmp_path)) as store:
            basin, dialects = basin_of(1), Dialects()
            sent = Orders(store, basin, dialects, lambda: NOW).send(OFFICER, "60000000", OrderWish(order="clock"))
            store.claim([KIND], "dead", now=NOW, lease=60, name=sent.id)
            server = StationServer(StoreSink(store, basin), lambda: NOW)
            port = await server.start()
            orders = Orders(store, basin, dialects, lambda: NOW)
            serving = asyncio.create_task(orders.serve(server))
            async with Caller(port) as station:
                station.send(report(1))
                await station.hear()
                silent = await station.silence(0.3)
            serving.cancel()
            with suppress(asyncio.CancelledError):
                await serving
            await server.stop()
            found = orders.find(OFFICER, sent.id)
            return found.state, found.attempts, silent

    assert asyncio.run(run()) == ("sent", 1, True)
