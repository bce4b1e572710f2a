"""The inbox in a folder: what was put is there, in order, once, whatever is killed, torn, filled or changed."""

from __future__ import annotations

import multiprocessing
import os
import resource
import signal
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput, InboxFull, StoreFailed
from liuyu.basin.series import Aside, Batch, Roster
from liuyu.store.inbox.files import FileInbox
from liuyu.store.inbox.interface import Parcel
from liuyu.store.inbox.parcels import pack, unpack, unpack_any

ROSTER = Roster(("60101300", "60104800", "SCCL01"))
MOST = 1 << 20


def parcel(number: int, values: int = 1, key: str = "", source: str = "test") -> Parcel:
    """A parcel whose values say which it is."""
    places = [each % len(ROSTER) for each in range(values)]
    batch = Batch.of(ROSTER, places, [1] * values, range(values), [float(number)] * values, source=source)
    return Parcel(source, 1000 + number, batch, (), key)


def number_of(each: Parcel) -> int:
    return each.received - 1000


def inbox(folder: Path, most: int = MOST) -> FileInbox:
    return FileInbox(folder / "inbox", ROSTER, most=most)


def files(folder: Path) -> list[Path]:
    return sorted((folder / "inbox").glob("*.inbox"))


@given(
    values=st.lists(
        st.tuples(
            st.integers(0, 2),
            st.integers(1, 90),
            st.integers(-(2**40), 2**40),
            st.floats(width=64),
            st.sampled_from([1, 2, 3, 4, 9]),
        ),
        max_size=30,
    ),
    aside=st.binary(max_size=40),
    texts=st.tuples(st.text(max_size=9), st.text(max_size=9)),
)
def test_a_parcel_comes_out_as_it_went_in(
    values: list[tuple[int, int, int, float, int]], aside: bytes, texts: tuple[str, str]
) -> None:
    station, quantity, time, value, flag = zip(*values, strict=True) if values else ((), (), (), (), ())
    batch = Batch.of(ROSTER, station, quantity, time, value, flag, texts[0])
    sent = Parcel(texts[0], 1_600_000_000, batch, (Aside(texts[0], texts[1], aside),), texts[1])
    came = unpack(pack(sent), ROSTER)
    assert (came.source, came.received, came.asides, came.key) == (sent.source, sent.received, sent.asides, sent.key)
    assert came.batch.source == batch.source
    for name in ("station", "quantity", "time", "flag"):
        assert getattr(came.batch, name).tolist() == getattr(batch, name).tolist()
    assert came.batch.value.tobytes() == batch.value.tobytes() or np.isnan(batch.value).any()


def test_a_parcel_finds_its_stations_in_another_roster_and_the_rest_is_set_aside() -> None:
    other = Roster(("NEW", "SCCL01", "60101300"))
    came = unpack(pack(parcel(7, 3)), other)
    assert came.batch.station.tolist() == [2, 1]
    assert came.batch.time.tolist() == [0, 2]
    (aside,) = came.asides
    assert aside.reason == "station: not in the basin any more: 1 value"
    assert aside.payload == b"stcd,time,quantity,value\n60104800,1970-01-01T00:00:01+00:00,water_level,7.0\n"


@pytest.mark.parametrize("hurt", [b"", b"\x05\x00\x00\x00junk!", pack(parcel(1))[:-1], pack(parcel(1)) + b"x"])
def test_what_is_no_parcel_is_refused_and_does_not_hold_up_the_rest(hurt: bytes) -> None:
    with pytest.raises(StoreFailed):
        unpack(hurt, ROSTER)
    assert [each.payload for each in unpack_any(hurt, ROSTER).asides] == [hurt]


def test_places_count_from_one_in_order_of_arrival(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    assert box.put([parcel(1), parcel(2)]) == 2
    assert box.put([parcel(3)]) == 3
    assert [(each.place, number_of(each.parcel)) for each in box.take(0)] == [(1, 1), (2, 2), (3, 3)]
    assert [each.place for each in box.take(2)] == [3]
    assert box.take(3) == []
    assert (box.waiting(0), box.waiting(2), box.waiting(3)) == (3, 1, 0)


def test_a_take_ends_when_its_parcels_hold_enough_values(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    box.put([parcel(each, values=10) for each in range(5)])
    assert [each.place for each in box.take(0, limit=25)] == [1, 2, 3]
    assert [each.place for each in box.take(3, limit=25)] == [4, 5]


def test_a_key_counts_once_also_in_another_process_and_within_one_call(tmp_path: Path) -> None:
    box, other = inbox(tmp_path), inbox(tmp_path)
    assert box.put([parcel(1, key="a"), parcel(2, key="a"), parcel(3, key="b")]) == 2
    assert other.put([parcel(4, key="a")]) == 1
    assert inbox(tmp_path).put([parcel(5, key="b")]) == 2
    assert [number_of(each.parcel) for each in box.take(0)] == [1, 3]


def test_what_was_put_is_there_when_it_is_opened_again(tmp_path: Path) -> None:
    inbox(tmp_path).put([parcel(1), parcel(2)])
    again = inbox(tmp_path)
    assert again.put([parcel(3)]) == 3
    assert [number_of(each.parcel) for each in again.take(0)] == [1, 2, 3]


@pytest.mark.parametrize("cut", [1, 5, 9, 30])
def test_a_record_cut_short_by_a_kill_is_taken_off_and_the_next_has_its_place(tmp_path: Path, cut: int) -> None:
    box = inbox(tmp_path)
    box.put([parcel(1)])
    whole = files(tmp_path)[0].stat().st_size
    box.put([parcel(2)])
    os.truncate(files(tmp_path)[0], whole + cut)
    again = inbox(tmp_path)
    assert [each.place for each in again.take(0)] == [1]
    assert again.put([parcel(3)]) == 2
    assert [number_of(each.parcel) for each in again.take(0)] == [1, 3]
    assert files(tmp_path)[0].with_suffix(".torn").stat().st_size == cut


def test_what_another_process_left_half_written_is_mended_by_one_that_lives_on(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    box.put([parcel(1)])
    with files(tmp_path)[0].open("ab") as stream:
        stream.write(b"\x50\x00\x00\x00half a record")
    assert [each.place for each in box.take(0)] == [1]
    assert box.put([parcel(2)]) == 2
    assert [number_of(each.parcel) for each in box.take(0)] == [1, 2]


def test_every_byte_of_a_record_is_under_its_checksum(tmp_path: Path) -> None:
    box = inbox(tmp_path)
    box.put([parcel(1)])
    sound = files(tmp_path)[0].read_bytes()
    for at in range(8, len(sound)):
        files(tmp_path)[0].write_bytes(sound[:at] + bytes([sound[at] ^ 0x20]) + sound[at + 1 :])
        assert inbox(tmp_path).take(0) == []


def test_old_files_go_when_the_loop_has_passed_them_and_places_go_on(tmp_path: Path) -> None:
    box = inbox(tmp_path, most=65536)
    last = 0
    for number in range(300):
        last = box.put([parcel(number, values=20)])
        taken = box.take(last - 1)
        assert [number_of(each.parcel) for each in taken] == [number]
        box.forget(last)
    assert sum(each.stat().st_size for each in files(tmp_path)) < 65536 // 8
    assert inbox(tmp_path, most=65536).put([parcel(1)]) == last + 1 == 301


def test_what_was_not_yet_taken_is_never_forgotten(tmp_path: Path) -> None:
    box = inbox(tmp_path, most=65536)
    for number in range(40):
        box.put([parcel(number, values=20)])
    assert len(files(tmp_path)) > 2
    box.forget(25)
    assert [each.place for each in box.take(25)] == list(range(26, 41))


def test_a_full_inbox_refuses_whole_calls_and_takes_again_when_the_loop_has_caught_up(tmp_path: Path) -> None:
    box = inbox(tmp_path, most=8192)
    pair = [parcel(1, values=10), parcel(2, values=10)]
    with pytest.raises(InboxFull, match="let the loop catch up"):
        [box.put(pair) for _ in range(20)]
    kept = box.waiting(0)
    assert len(box.take(0)) == kept
    box.forget(kept)
    assert box.put([parcel(1)]) == kept + 1


def test_a_bound_that_holds_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="4096"):
        inbox(tmp_path, most=10)


def test_a_file_that_is_damaged_in_the_middle_is_told_and_not_passed_over(tmp_path: Path) -> None:
    box = inbox(tmp_path, most=65536)
    for number in range(20):
        box.put([parcel(number, values=20)])
    first = files(tmp_path)[0]
    hurt = bytearray(first.read_bytes())
    hurt[len(hurt) // 2] ^= 1
    first.write_bytes(hurt)
    with pytest.raises(StoreFailed, match="damaged at byte"):
        inbox(tmp_path, most=65536).take(0)


def test_many_threads_and_processes_put_at_once_and_each_parcel_is_there_once(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    others = [context.Process(target=_put_many, args=(tmp_path, 100 * each)) for each in (1, 2)]
    for each in others:
        each.start()
    box = inbox(tmp_path)
    threads = [
        threading.Thread(target=lambda first=first: [box.put([parcel(first + each)]) for each in range(10)])
        for first in range(300, 340, 10)
    ]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    for each in others:
        each.join()
        assert each.exitcode == 0
    taken = box.take(0)
    assert [each.place for each in taken] == list(range(1, 141))
    wanted = [*range(100, 150), *range(200, 250), *range(300, 340)]
    assert sorted(number_of(each.parcel) for each in taken) == wanted


def _put_many(folder: Path, first: int) -> None:
    box = inbox(folder)
    for each in range(50):
        box.put([parcel(first + each)])


WRITER = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.store.test_inbox_files import inbox, parcel
box = inbox(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    box.put([parcel(number, values=50)])
    print(number, flush=True)
"""


def test_whatever_a_process_was_told_is_kept_when_it_is_killed(tmp_path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(tmp_path), str(Path(__file__).resolve().parents[2])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout
        told = [int(writer.stdout.readline()) for _ in range(30)]
        writer.send_signal(signal.SIGKILL)
        told += [int(line) for line in writer.stdout.read().split()]
    kept = [number_of(each.parcel) for each in inbox(tmp_path).take(0)]
    assert kept[: len(told)] == told
    assert len(kept) - len(told) in (0, 1)


FILLED = """
import resource, sys
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from liuyu.basin.errors import InboxFull, StoreFailed
from tests.store.test_inbox_files import inbox, parcel
box = inbox(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (6000, resource.RLIM_INFINITY))
for number in range(100):
    try:
        box.put([parcel(number, values=50)])
    except InboxFull:
        raise
    except StoreFailed as error:
        print(number, error)
        break
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
box.put([parcel(number, values=50)])
"""


def test_a_disk_that_is_full_keeps_whole_parcels_alone_and_goes_on_when_there_is_room(tmp_path: Path) -> None:
    assert resource.getrlimit(resource.RLIMIT_FSIZE)[0] == resource.RLIM_INFINITY
    command = [sys.executable, "-c", FILLED, str(tmp_path), str(Path(__file__).resolve().parents[2])]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused, _, why = said.partition(" ")
    assert "cannot keep what came" in why
    kept = inbox(tmp_path).take(0)
    assert [number_of(each.parcel) for each in kept] == list(range(int(refused) + 1))
    assert not list((tmp_path / "inbox").glob("*.torn"))
