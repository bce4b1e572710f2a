"""Damaged frames by the hundred thousand: no crash, no hang, and nothing taken whose length or check code is wrong."""

from __future__ import annotations

from time import process_time

import numpy as np
import pytest

from liuyu.monitor.sense.sl651 import Framer, Message, decode, decode_many
from liuyu.monitor.sense.sl651.lines import to_line
from tests.monitor.sl651_frames import damaged, reports, resealed

FRAMES = reports()
BATCH = 20_000


def plain_crc(data: bytes) -> int:
    """The check code once more, bit by bit, so that the codec is not its own judge."""
    word = 0xFFFF
    for byte in data:
        word ^= byte
        for _ in range(8):
            word = word >> 1 ^ (0xA001 if word & 1 else 0)
    return word


def run(count: int, seed: int) -> tuple[int, int]:
    """Decode `count` frames, most of them damaged; how many were taken, and how many of those were not sent so."""
    rng, known = np.random.default_rng(seed), set(FRAMES)
    taken, chance = 0, 0
    for _ in range(count // BATCH):
        stream, whole = damaged(FRAMES, BATCH, rng)
        columns = decode_many(stream)
        slices = [stream[a:b] for a, b in zip(columns.start.tolist(), columns.stop.tolist(), strict=True)]
        strange = [each for each in slices if each not in known]
        for each in strange:
            assert plain_crc(each[:-2]) == int.from_bytes(each[-2:], "big")
            assert len(each) == 17 + (int.from_bytes(each[11:13], "big") & 0xFFF)
        taken += len(slices)
        chance += len(strange)
        assert len(slices) - len(strange) >= whole.sum() - 40, "hardly any sound frame may be lost beside a broken one"
        assert len(columns.value) == 0 or int(columns.value_frame.max()) < len(columns)
    return taken, chance


def test_two_hundred_thousand_damaged_frames() -> None:
    decode_many(FRAMES[0])
    began = process_time()
    taken, chance = run(200_000, seed=1)
    assert 19_000 < taken < 21_500
    assert chance <= 8, "a changed length still meets a check code once in 65,536 times"
    assert process_time() - began < 10.0


@pytest.mark.slow
def test_ten_million_damaged_frames() -> None:
    taken, chance = run(10_000_000, seed=2)
    assert 980_000 < taken < 1_060_000
    assert chance < 200


def test_one_changed_byte_is_never_missed() -> None:
    rng = np.random.default_rng(3)
    for frame in FRAMES:
        for place in range(len(frame)):
            broken = bytearray(frame)
            broken[place] ^= int(rng.integers(1, 256))
            assert not isinstance(decode(bytes(broken)), Message)
            assert len(decode_many(bytes(broken))) == 0


def test_bodies_of_nonsense_under_a_right_check_code() -> None:
    rng = np.random.default_rng(4)
    for _ in range(4_000):
        message = decode(resealed(FRAMES[rng.integers(0, len(FRAMES))], rng))
        assert isinstance(message, Message)
        for each in to_line(message)["elements"]:
            assert set(each) >= {"id", "quantity", "value", "unit", "time"}


def test_a_stream_made_to_waste_time_does_not() -> None:
    head = b"\x7e\x7e\x01\x00\x00\x00\x00\x03\x00\x00\x32\x0f\xff\x02"
    began = process_time()
    framer = Framer()
    for _ in range(40):
        framer.feed(head * 100)
        assert framer.waiting < 4300 + 1400
    assert decode_many(head * 20_000).broken > 19_000
    assert process_time() - began < 10.0
