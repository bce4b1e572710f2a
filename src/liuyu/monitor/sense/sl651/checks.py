"""The check code: X16 + X15 + X2 + 1 over everything before it, which is CRC-16/MODBUS sent high byte first."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray


def _table() -> NDArray[np.uint16]:
    table = np.zeros(256, np.uint16)
    for byte in range(256):
        word = byte
        for _ in range(8):
            word = word >> 1 ^ (0xA001 if word & 1 else 0)
        table[byte] = word
    return table


TABLE = _table()


@njit(cache=True)  # type: ignore[untyped-decorator]
def crc_of(data: NDArray[np.uint8], start: int, stop: int) -> int:
    """The check code of data[start:stop]."""
    word: Any = 0xFFFF
    for place in range(start, stop):
        word = (word >> 8) ^ np.int64(TABLE[(word ^ data[place]) & 0xFF])
    return word  # type: ignore[no-any-return]


def crc16(data: bytes) -> int:
    """The check code of some bytes.

    >>> hex(crc16(b"123456789"))
    '0x4b37'
    """
    return int(crc_of(np.frombuffer(data, np.uint8), 0, len(data)))
