"""A disk that is full for a while, without a disk: files that a process may not make longer.

Linux lets anyone set the largest file size (RLIMIT_FSIZE) of processes of their own. A write beyond it fails as one to
a full disk does, in the middle of a write too.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def full_disk(process: int, size: int = 0, *, user: str | None = None) -> Iterator[None]:
    """No file of a process, which is ours or a user's, may grow beyond a size [bytes] within."""
    command = ["prlimit", "--pid", str(process)]
    subprocess.run([*command, f"--fsize={size}:"], check=True, user=user)
    try:
        yield
    finally:
        # A server of PostgreSQL ends where it cannot write its log, and is started again by itself.
        subprocess.run([*command, "--fsize=unlimited:"], check=False, user=user, capture_output=True)
