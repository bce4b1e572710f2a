"""The page's tests drive the real thing: `liuyu up` on the synthetic basin, in a process and a folder of its own."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

LIUYU = str(Path(sys.executable).with_name("liuyu"))


@dataclass(frozen=True)
class Address:
    """Where a running twin answers: to look, and to sign in once as duty officer."""

    look: str
    act: str


def start(folder: Path, *arguments: str) -> tuple[subprocess.Popen[str], Address]:
    """Start `liuyu up` and read the addresses that it prints."""
    command = [LIUYU, "up", "--basin", "qingxi", "--port", "0", "--folder", str(folder), *arguments]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    found: list[str] = []
    for line in process.stdout:
        found += re.findall(r"http://\S+", line)
        if len(found) == 2:
            return process, Address(*found)
    raise AssertionError(f"liuyu up ended with {process.wait()} before it printed its addresses")


@pytest.fixture(scope="module")
def twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Address]:
    """A twin of the synthetic basin, its clock standing at the start."""
    process, address = start(tmp_path_factory.mktemp("twin"), "--paused")
    yield address
    process.terminate()
    process.wait(timeout=30)


@pytest.fixture(scope="module")
def twin_url(twin: Address) -> str:
    """The address to look."""
    return twin.look
