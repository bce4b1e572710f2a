"""The raw log: what is in it comes out, and half a record at its end harms nothing."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.stations import Kept, RawLog, read_raw, repair

NOW = 1_782_856_800
FRAMES = [
    Kept(NOW, "127.0.0.1:4000", b"\x7e\x7e one"),
    Kept(NOW + 1, "udp:[::1]:5", b""),
    Kept(NOW + 2, "", b"\0" * 900),
]


def test_frames_come_out_as_they_went_in_by_day(tmp_path: Path) -> None:
    log = RawLog(tmp_path)
    log.append(FRAMES[:1])
    log.append([*FRAMES[1:], Kept(NOW + 86400, "later", b"next")])
    log.close()
    log.append([Kept(NOW + 3, "again", b"more")])
    log.close()
    first, second = sorted(tmp_path.iterdir())
    assert (first.name, second.name) == ("20260630.raw", "20260701.raw")
    assert list(read_raw(first)) == [*FRAMES, Kept(NOW + 3, "again", b"more")]
    assert list(read_raw(second)) == [Kept(NOW + 86400, "later", b"next")]


def file_length(frames: list[Kept]) -> int:
    """Bytes of a file with these frames."""
    return 8 + sum(18 + len(each.peer) + len(each.frame) for each in frames)


@given(cut=st.integers(0, 1100), flip=st.booleans())
def test_half_a_record_is_moved_aside_and_writing_goes_on(
    tmp_path_factory: pytest.TempPathFactory, cut: int, flip: bool
) -> None:
    folder = tmp_path_factory.mktemp("raw")
    log = RawLog(folder)
    log.append(FRAMES)
    log.close()
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    torn = bytearray(whole[: max(len(whole) - cut, 0)])
    if flip and torn:
        torn[-1] ^= 1
    file.write_bytes(torn)
    sound = [] if len(torn) < 8 or not torn.startswith(b"LIUYURAW") else list(read_raw(file))
    assert sound == FRAMES[: len(sound)]
    log.append([FRAMES[0]])
    log.close()
    assert list(read_raw(file)) == [*sound, FRAMES[0]]
    lost = bytes(torn)[file_length(sound) if sound or torn.startswith(b"LIUYURAW") else 0 :]
    aside = file.with_suffix(".raw.torn")
    assert (aside.read_bytes() if aside.exists() else b"") == lost
    assert repair(file) == 0


def test_a_write_that_fails_leaves_no_half_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    log = RawLog(tmp_path)
    log.append(FRAMES[:1])
    (file,) = tmp_path.iterdir()
    write = os.write

    def full(descriptor: int, data: bytes) -> int:
        if len(data) < 900:
            raise OSError(28, "No space left on device")
        return write(descriptor, data[:600])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        log.append(FRAMES[1:])
    monkeypatch.undo()
    assert list(read_raw(file)) == FRAMES[:1]
    log.append(FRAMES[1:])
    assert list(read_raw(file)) == FRAMES
    log.close()


def test_another_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "notes.raw"
    other.write_text("remember the milk")
    with pytest.raises(BadInput, match=r"notes\.raw is no log of raw frames"):
        list(read_raw(other))
