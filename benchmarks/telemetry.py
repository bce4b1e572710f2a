"""Telemetry: frames decoded per second on one core, by the fast path, the object path and the stream framer.

    python benchmarks/telemetry.py [--frames 200000] [--json FILE]

The frames are those of a network in a flood: hourly reports with five-minute rain and levels, timed and added reports
with and without users' own elements, heartbeats. The package index offers no decoder of SL 651 or SZY 206, so the
peer is our own object path, which is plain Python as the open decoders are: one run, the same bytes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from liuyu.monitor.sense import szy206
from liuyu.monitor.sense.sl651 import Framer, Group, Message, decode, decode_many, element, encode

BEGIN = 1_594_000_200 // 3600 * 3600
AIM = 100_000
CHUNK = 1400


def network(count: int) -> list[bytes]:
    """What `count` stations send within an hour, one frame each."""
    rng = np.random.default_rng(651)
    frames = []
    for number in range(count):
        station, level = f"00{60000000 + number:08d}", float(np.round(rng.uniform(5, 60), 3))
        rain = float(np.round(rng.uniform(0, 40), 1))
        volt = element("38", float(np.round(rng.uniform(11.5, 13.9), 2)))
        basic = [element("20", rain), element("26", rain + 100), element("39", level), volt]
        odd = [element("22", 0.5), element("1A", 2.0), element("FF92", 19.9, digits=5, decimals=1)]
        hour = [element("F4", [0.5] * 12), element("F5", [level % 5] * 12), element("39", level), volt]
        code, elements = ((0x34, hour), (0x32, basic), (0x33, [*odd, *basic]), (0x2F, []))[number % 4]
        at = BEGIN - 3300 if code == 0x34 else BEGIN
        groups = (Group(station=station, category=0x48, observed=at, elements=tuple(elements)),) if elements else ()
        sent = Message(function=code, station=station, serial=number % 65535 + 1, sent=BEGIN + 30, groups=groups)
        frames.append(encode(sent))
    return frames


def rate(work: Callable[[], int], rounds: int = 3) -> float:
    """Frames per second, the best of some rounds."""
    best = 0.0
    for _ in range(rounds):
        began = perf_counter()
        done = work()
        best = max(best, done / (perf_counter() - began))
    return best


def framed(stream: bytes) -> int:
    """Frames that come out of a stream of network packets."""
    framer = Framer()
    return sum(each.whole for at in range(0, len(stream), CHUNK) for each in framer.feed(stream[at : at + CHUNK]))


def measure(count: int) -> dict[str, Any]:
    """Every rate, in frames per second on one core."""
    few = network(min(count, 5000))
    stream = b"".join(few * max(1, count // len(few)))
    messages = [decode(each) for each in few]
    decode_many(stream[:5000])
    columns = decode_many(stream)
    tag = szy206.stamp_of(BEGIN)
    meters = [szy206.encode(szy206.report(f"{each:010d}", 3, [5.9], tag, volumes=[106182.0])) for each in range(5000)]
    found = {
        "frames": len(columns),
        "bytes_per_frame": len(stream) / len(columns),
        "values_per_frame": len(columns.value) / len(columns),
        "sl651_fast": rate(lambda: len(decode_many(stream))),
        "sl651_object": rate(lambda: len([decode(each) for each in few])),
        "sl651_framer": rate(lambda: framed(stream[: len(stream) // 10])),
        "sl651_encode": rate(lambda: len([encode(each) for each in messages if isinstance(each, Message)])),
        "szy206_decode": rate(lambda: len([szy206.decode(each) for each in meters])),
    }
    found["fast_over_object"] = found["sl651_fast"] / found["sl651_object"]
    found["fast_over_aim"] = found["sl651_fast"] / AIM
    return found


def main() -> None:
    """Measure, print and, where asked, write JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=200_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = measure(options.frames)
    print(
        f"{found['frames']:,} frames of {found['bytes_per_frame']:.0f} bytes and "
        f"{found['values_per_frame']:.1f} values; frames per second on one core:"
    )
    rows = (
        ("SL 651, fast path", "sl651_fast", f"{found['fast_over_aim']:.1f} x the aim of {AIM:,}"),
        ("SL 651, object path", "sl651_object", f"the fast path is {found['fast_over_object']:.0f} x it"),
        ("SL 651, stream framer", "sl651_framer", f"in chunks of {CHUNK} bytes"),
        ("SL 651, encode", "sl651_encode", ""),
        ("SZY 206, object path", "szy206_decode", ""),
    )
    for title, name, note in rows:
        print(f"  {title:<22}{found[name]:>12,.0f}   {note}".rstrip())
    if options.json:
        options.json.write_text(json.dumps(found, indent=2), encoding="utf-8")


if __name__ == "__main__":
    main()
