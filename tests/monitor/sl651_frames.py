"""Frames of SL 651-2014 to build tests of: sound ones of every kind, and ways to break them."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.monitor.sense.sl651 import Group, Message, Orders, confirm, element, encode, in_packets, parameter
from liuyu.monitor.sense.sl651.checks import crc16

BEGIN = 1782856800  # 2026-07-01 06:00 at the station


def reports() -> list[bytes]:
    """One frame of every kind that stations and centres send."""
    level = element("39", 28.96)
    rain = [element("20", 2.5), element("22", 0.5), element("26", 210.5), element("1A", 2.0)]
    odd = [element("FF92", -19.9, digits=5, decimals=1), element("45", 1024.0), element("38", 12.87)]
    hour = [element("F4", [0.5, None] * 6), element("F5", [1.2, 1.21, None, 1.3] * 3), level]
    steady = [element("04", 5.0), element("39", [28.96, 28.95, None, -0.25])]
    bodies = {0x30: [*rain, level], 0x31: steady, 0x32: [level, *odd], 0x33: [*rain, *odd], 0x34: hour, 0x38: steady}
    bodies |= {0x35: [element("F2", "Q 1.234")], 0x37: [*rain, level], 0x3A: [level], 0x44: [element("70", 220.3)]}
    found = [message(code, each) for code, each in bodies.items()]
    found.append(Message(function=0x2F, station="0060112200", serial=3, sent=BEGIN))
    settings = Group(station="00418D2337", elements=(parameter("28", 18.5), parameter("03", "1234")))
    found.append(Message(function=0x43, station="00418D2337", serial=4, sent=BEGIN, groups=(settings,)))
    found.append(Message(function=0x45, station="0060112200", serial=4, sent=BEGIN, text="V1.0"))
    found += in_packets(message(0x36, [element("F3", "picture " * 40)]), 200)
    orders = Orders("0060112200", password="1234")
    found += [orders.period("39", BEGIN, BEGIN + 7200, 300, BEGIN), orders.elements(["39", "20"], BEGIN)]
    found += [orders.write({"20": 1}, BEGIN), orders.set_clock(BEGIN)]
    answer = confirm(found[0], BEGIN)
    assert answer is not None
    return [encode(each) for each in [*found, answer]]


def message(code: int, elements: list) -> Message:  # type: ignore[type-arg]
    """A report of one station."""
    group = Group(station="0060112200", category=72, observed=BEGIN - 3300, elements=tuple(elements))
    return Message(function=code, station="0060112200", serial=7, sent=BEGIN, groups=(group,))


def damaged(frames: list[bytes], count: int, rng: np.random.Generator) -> tuple[bytes, NDArray[np.bool_]]:
    """A stream of `count` frames of which most have one byte changed, put in or taken out; which are whole."""
    which = rng.integers(0, len(frames), count)
    stream = np.frombuffer(b"".join(frames[each] for each in which), np.uint8).copy()
    sizes = np.array([len(frames[each]) for each in which])
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    fate = rng.choice(4, count, p=(0.1, 0.5, 0.2, 0.2))
    place = starts + rng.integers(0, sizes)
    changed = place[fate == 1]
    stream[changed] ^= rng.integers(1, 256, len(changed)).astype(np.uint8)
    extra = rng.integers(0, 256, int((fate == 2).sum())).astype(np.uint8)
    added = np.sort(place[fate == 2])
    kept = np.ones(len(stream), np.bool_)
    kept[place[fate == 3]] = False
    shifted = np.cumsum(kept)
    stream = np.insert(stream[kept], shifted[added] - kept[added], extra)
    return stream.tobytes(), fate == 0


def resealed(frame: bytes, rng: np.random.Generator) -> bytes:
    """A frame whose body and function are damaged but whose length and check code are right."""
    broken = bytearray(frame)
    for place in rng.integers(14, len(frame) - 3, rng.integers(0, 5)):
        broken[place] = rng.choice([rng.integers(0, 256), 0xFF, 0xF0, 0xF1, 0xF4, 0xF5, 0x04, 0x18, 0x39, 0x23, 0x00])
    if rng.random() < 0.5:
        broken[10] = rng.choice([0x31, 0x38, 0x32, 0x34, 0x40, 0x46, 0xE1, 0x3A, 0x50, 0x2F, 0x45, 0x99])
    return bytes(broken[:-2]) + crc16(bytes(broken[:-2])).to_bytes(2, "big")
