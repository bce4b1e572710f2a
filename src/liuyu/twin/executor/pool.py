"""A pool of processes. A worker that dies takes one piece of work with it, which is named; the others go on."""

from __future__ import annotations

import atexit
import logging
import os
import pickle
import signal
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from itertools import chain, repeat
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from pathlib import Path
from typing import Any, TypeVar

from liuyu.basin.errors import ModelFailed
from liuyu.twin.executor.interface import Heard, Scattered
from liuyu.twin.executor.worker import error_of, serve

T = TypeVar("T")
_log = logging.getLogger("liuyu")


class _Task:
    """A piece of work, what it is called, and who waits for it; `given_up` while it was on its way to a worker."""

    def __init__(self, parcel: bytes, label: str, heard: Heard | None) -> None:
        self.parcel, self.label, self.heard = parcel, label, heard
        self.future: Future[Any] = Future()
        self.given_up = False


class _Hand:
    """One worker process, and the task it has in hand."""

    def __init__(self, context: Any) -> None:
        ours, theirs = context.Pipe()
        self.line: Connection = ours
        self.process = context.Process(target=serve, args=(theirs,), daemon=True)
        self.process.start()
        theirs.close()
        self.task: _Task | None = None

    def give(self, task: _Task) -> None:
        self.task = task
        self.line.send_bytes(task.parcel)

    def end(self) -> None:
        self.line.close()
        self.process.terminate()
        self.process.join(5.0)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


class ProcessExecutor:
    """Processes of this machine, started when there is work; satisfies `Executor`. `workers` 0 takes every core.

    Processes are spawned, not forked: a server has threads, and so have the laws of the flood.
    """

    def __init__(self, workers: int = 0) -> None:
        self._most = workers or os.cpu_count() or 1
        self._context = get_context("spawn")
        self._waiting: deque[_Task] = deque()
        self._hands: list[_Hand] = []
        self._passing: _Task | None = None  # taken from those that wait, not yet in a worker's hand
        self._lock = threading.Lock()
        self._bell, self._rung = self._context.Pipe(duplex=False)
        self._thread: threading.Thread | None = None
        self._closing = False
        self._kept: tempfile.TemporaryDirectory[str] | None = None
        self._scattered = 0
        atexit.register(self.close)

    @property
    def workers(self) -> int:
        """How many processes work at a time."""
        return self._most

    def submit(self, work: Callable[..., T], /, *given: Any, label: str = "", heard: Heard | None = None) -> Future[T]:
        """Have one thing done in a process."""
        task = _Task(pickle.dumps((work, given), pickle.HIGHEST_PROTOCOL), label, heard)
        with self._lock:
            if self._closing:
                raise ModelFailed(f"{label or 'work'} was given to workers that have been dismissed; take a new pool")
            self._waiting.append(task)
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="liuyu-executor", daemon=True)
                self._thread.start()
        self._ring()
        return task.future

    def map(
        self,
        work: Callable[..., T],
        items: Iterable[Any],
        *,
        labels: Iterable[str] = (),
        heard: Callable[[int, Any], None] | None = None,
    ) -> Iterator[T]:
        """Do the same with each item; results in the order of the items."""
        futures: list[Future[T]] = []
        for place, (item, label) in enumerate(zip(items, chain(labels, repeat("")), strict=False)):
            told = None if heard is None else (lambda news, place=place: heard(place, news))
            futures.append(self.submit(work, item, label=label, heard=told))
        try:
            for future in futures:
                yield future.result()
        finally:
            for future in futures:
                future.cancel()

    def scatter(self, value: Any) -> Scattered:
        """Lay a value down where every worker can read it, once."""
        if self._kept is None:
            self._kept = tempfile.TemporaryDirectory(prefix="liuyu-")
        self._scattered += 1
        path = Path(self._kept.name) / str(self._scattered)
        path.write_bytes(pickle.dumps(value, pickle.HIGHEST_PROTOCOL))
        return Scattered(str(path))

    def abandon(self) -> None:
        """End what is being done and forget what waits."""
        with self._lock:
            waiting, self._waiting = self._waiting, deque()
            busy = [hand for hand in self._hands if hand.task is not None]
            if self._passing is not None:
                self._passing.given_up = True
        for task in waiting:
            task.future.cancel()
        for hand in busy:
            hand.process.kill()

    def close(self) -> None:
        """End the workers; what they had in hand is lost."""
        with self._lock:
            self._closing = True
        self.abandon()
        if self._thread is not None:
            self._ring()
            self._thread.join()
        if self._kept is not None:
            self._kept.cleanup()
            self._kept = None
        atexit.unregister(self.close)

    def __enter__(self) -> ProcessExecutor:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # in the thread of the pool

    def _ring(self) -> None:
        self._rung.send_bytes(b"!")

    def _run(self) -> None:
        while True:
            self._share_out()
            if self._closing:
                break
            lines = {hand.line: hand for hand in self._hands}
            for line in wait([self._bell, *lines]):
                if line is self._bell:
                    self._bell.recv_bytes()
                else:
                    self._hear(lines[line])  # type: ignore[index]
        for hand in self._hands:
            if hand.task is not None:
                self._fail(hand.task, "was given up when its pool was closed")
            hand.end()

    def _share_out(self) -> None:
        """Give what waits to whoever is idle, and start as many workers as that needs."""
        while True:
            with self._lock:
                idle = next((hand for hand in self._hands if hand.task is None), None)
                if not self._waiting or (idle is None and len(self._hands) >= self._most):
                    return
                self._passing = task = self._waiting.popleft()
            if not task.future.set_running_or_notify_cancel():
                continue
            hand = idle or _Hand(self._context)
            if idle is None:
                self._hands.append(hand)
            try:
                hand.give(task)
            except OSError:
                self._bury(hand)
                continue
            with self._lock:  # to start a worker takes a while, in which all may have been given up
                self._passing = None
                if task.given_up:
                    hand.process.kill()

    def _hear(self, hand: _Hand) -> None:
        try:
            what, *rest = hand.line.recv()
        except (EOFError, OSError):
            self._bury(hand)
            return
        task = hand.task
        if task is None:
            return
        if what == "told":
            if task.heard is not None:
                try:
                    task.heard(rest[0])
                except Exception:  # a listener's fault must not stop the pool
                    _log.exception("who listens to %s failed", task.label)
            return
        hand.task = None
        if what == "done":
            task.future.set_result(rest[0])
        else:
            kind, message, trace = rest
            if trace:
                _log.error("%s failed in a worker:\n%s", task.label, trace)
            task.future.set_exception(error_of(kind, message, task.label))

    def _bury(self, hand: _Hand) -> None:
        """Take a dead worker out of the pool, and say what died with it."""
        hand.process.join(5.0)
        code = hand.process.exitcode
        self._hands.remove(hand)
        hand.end()
        if hand.task is not None:
            how = signal.Signals(-code).name if code is not None and code < 0 else f"exit code {code}"
            cure = "it may have run out of memory, or was stopped; run it again with fewer workers"
            self._fail(hand.task, f"its worker process {hand.process.pid} died ({how}); {cure}")

    @staticmethod
    def _fail(task: _Task, why: str) -> None:
        task.future.set_exception(ModelFailed(f"{task.label or 'work'}: {why}"))
