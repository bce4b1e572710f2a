"""Work in other processes: in order, with its failures named, and a worker that dies taking nothing else with it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from concurrent.futures import CancelledError

import pytest

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.twin.executor import Executor, ProcessExecutor, tell


def squared(number: int) -> int:
    tell(number)
    return number * number


def faulty(number: int) -> int:
    if number == 1:
        raise BadInput("one is too few; give two")
    if number == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if number == 3:
        raise ValueError("three")
    return number


def added(values: list[int], more: int) -> int:
    return sum(values) + more


def process(_: int) -> int:
    return os.getpid()


def forever(path: str) -> None:
    with open(path, "w", encoding="utf-8") as file:
        file.write("begun")
    time.sleep(600.0)


@pytest.fixture(scope="module")
def pool() -> Iterator[ProcessExecutor]:
    with ProcessExecutor(2) as opened:
        yield opened


def test_results_come_in_order_and_what_is_told_is_heard(pool: ProcessExecutor) -> None:
    heard: list[tuple[int, int]] = []
    found = list(pool.map(squared, range(12), heard=lambda place, news: heard.append((place, news))))
    assert found == [k * k for k in range(12)]
    assert sorted(heard) == [(k, k) for k in range(12)]
    assert os.getpid() not in {*pool.map(process, range(4))}


def test_a_failure_names_what_was_being_done_and_the_others_go_on(pool: ProcessExecutor) -> None:
    futures = [pool.submit(faulty, k, label=f"scenario 'x', member {k}") for k in range(5)]
    assert (futures[0].result(), futures[4].result()) == (0, 4)
    with pytest.raises(BadInput, match=r"^scenario 'x', member 1: one is too few; give two$"):
        futures[1].result()
    with pytest.raises(ModelFailed, match=r"member 2: its worker process \d+ died \(SIGKILL\)"):
        futures[2].result()
    with pytest.raises(ModelFailed, match="member 3: ValueError: three"):
        futures[3].result()


def test_map_raises_the_first_failure_in_order(pool: ProcessExecutor) -> None:
    results = pool.map(faulty, [0, 3, 1], labels=["a", "b", "c"])
    assert next(results) == 0
    with pytest.raises(ModelFailed, match=r"^b: "):
        next(results)


def test_a_scattered_value_arrives_as_itself(pool: ProcessExecutor) -> None:
    large = pool.scatter(list(range(1000)))
    assert [pool.submit(added, large, k).result() for k in (0, 1)] == [499500, 499501]


def test_what_is_given_up_ends_and_the_pool_goes_on(pool: ProcessExecutor, tmp_path: object) -> None:
    path = f"{tmp_path}/begun"
    running = pool.submit(forever, path, label="long work")
    while not os.path.exists(path):
        time.sleep(0.01)
    rest = [pool.submit(forever, f"{tmp_path}/never") for _ in range(3)]
    pool.abandon()
    with pytest.raises(ModelFailed, match="long work: its worker"):
        running.result()
    for each in rest:
        with pytest.raises((ModelFailed, CancelledError)):
            each.result()
    assert pool.submit(squared, 7).result() == 49


def test_what_is_given_up_while_its_worker_starts_ends_too(tmp_path: object) -> None:
    with ProcessExecutor(1) as fresh:
        late = fresh.submit(forever, f"{tmp_path}/late", label="late work")
        while not late.running():  # taken, and its process not yet there: to spawn one takes far longer
            time.sleep(0.0)
        fresh.abandon()
        with pytest.raises((ModelFailed, CancelledError)):
            late.result(timeout=60.0)
        assert fresh.submit(squared, 8).result(timeout=60.0) == 64


def test_a_pool_that_is_closed_takes_nothing() -> None:
    closed = ProcessExecutor(1)
    assert closed.submit(squared, 2).result() == 4
    closed.close()
    with pytest.raises(ModelFailed, match="dismissed"):
        closed.submit(squared, 3, label="late")


def test_dask_does_the_same() -> None:
    pytest.importorskip("distributed", reason="liuyu[dask] is not installed")
    from liuyu.twin.executor.dask import DaskExecutor  # noqa: PLC0415

    cluster: Executor = DaskExecutor(workers=1)
    try:
        assert list(cluster.map(squared, range(5))) == [0, 1, 4, 9, 16]
        assert cluster.submit(added, cluster.scatter([1, 2, 3]), 4).result() == 10
        with pytest.raises(BadInput, match="member 1: one is too few"):
            cluster.submit(faulty, 1, label="member 1").result()
    finally:
        cluster.close()
