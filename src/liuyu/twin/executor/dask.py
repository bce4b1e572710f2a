"""The same work on a Dask cluster: `pip install liuyu[dask]`, and the address of a scheduler."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from importlib import import_module
from itertools import chain, repeat
from typing import Any, TypeVar

from liuyu.basin.errors import BadInput, LiuyuError, ModelFailed
from liuyu.twin.executor.interface import Heard, Scattered

T = TypeVar("T")


class DaskExecutor:
    """A cluster that a Dask scheduler leads; satisfies `Executor`. Without an address, one of this machine is started.

    Workers need liuyu installed, and see the folders that the work names. What the work tells on its way is not heard.
    """

    def __init__(self, address: str = "", workers: int = 0) -> None:
        try:
            distributed: Any = import_module("distributed")
        except ImportError:
            raise BadInput("a Dask executor needs dask.distributed; pip install liuyu[dask]") from None
        self._cluster: Any = None
        if not address:
            self._cluster = distributed.LocalCluster(
                n_workers=workers or None, threads_per_worker=1, dashboard_address=None
            )
        try:
            self._client: Any = distributed.Client(address or self._cluster, timeout=20)
        except OSError as error:
            raise BadInput(f"no Dask scheduler answers at {address!r} ({error}); start one, or correct it") from None

    @property
    def workers(self) -> int:
        """Workers that have joined."""
        return max(len(self._client.scheduler_info()["workers"]), 1)

    def submit(self, work: Callable[..., T], /, *given: Any, label: str = "", heard: Heard | None = None) -> Future[T]:
        """Have one thing done in the cluster."""
        given = tuple(each.place if isinstance(each, Scattered) else each for each in given)
        remote = self._client.submit(work, *given, pure=False)
        ours: Future[T] = Future()

        def hand_over(done: Any) -> None:
            if done.status == "finished":
                ours.set_result(done.result())
                return
            error = done.exception() if done.status == "error" else ModelFailed("was given up")
            kind = type(error) if isinstance(error, BadInput | ModelFailed) else ModelFailed
            ours.set_exception(kind(f"{label or 'work'}: {_said(error)}"))

        remote.add_done_callback(hand_over)
        return ours

    def map(
        self,
        work: Callable[..., T],
        items: Iterable[Any],
        *,
        labels: Iterable[str] = (),
        heard: Callable[[int, Any], None] | None = None,
    ) -> Iterator[T]:
        """Do the same with each item; results in the order of the items."""
        named = zip(items, chain(labels, repeat("")), strict=False)
        futures = [self.submit(work, item, label=label) for item, label in named]
        for future in futures:
            yield future.result()

    def scatter(self, value: Any) -> Scattered:
        """Send a value to every worker."""
        return Scattered(self._client.scatter(value, broadcast=True, hash=False))

    def abandon(self) -> None:
        """End what is being done: the workers are started anew."""
        self._client.restart()

    def close(self) -> None:
        """Leave the cluster; one that was started here ends."""
        self._client.close()
        if self._cluster is not None:
            self._cluster.close()


def _said(error: BaseException) -> str:
    return str(error) if isinstance(error, LiuyuError) else f"{type(error).__name__}: {error}"
