"""A PostgreSQL server of the tests' own: in a temporary folder, on loopback, on a free port, without syncing."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote

from tests.setup_postgres import programs

QUICK = {"fsync": "off", "full_page_writes": "off", "shared_buffers": "64MB", "autovacuum": "off"}
"""Settings for tests: what is kept need not outlive the machine."""


class PostgresServer:
    """A running server; the superuser is `liuyu`, and everyone on loopback is trusted."""

    def __init__(self, settings: Mapping[str, str] = QUICK) -> None:
        found = programs()
        if found is None:
            raise RuntimeError("no PostgreSQL; see tests/setup_postgres.py")
        self._programs = found
        self._home = Path(tempfile.mkdtemp(prefix="liuyu-postgres-"))
        # PostgreSQL refuses to run as root. None: as whoever runs the tests.
        self.user = "postgres" if os.geteuid() == 0 else None
        if self.user:
            owner = pwd.getpwnam(self.user)
            os.chown(self._home, owner.pw_uid, owner.pw_gid)
        self._data = self._home / "data"
        self._run("initdb", "-U", "liuyu", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        here = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "port": str(self.port)}
        self._options = " ".join(f"-c {name}={value!r}" for name, value in {**settings, **here}.items())
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self._home / "log"), "-o", self._options)

    def stop(self, mode: str = "immediate") -> None:
        """Stop; `immediate` is what a power cut leaves."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", mode)

    def url(self, schema: str) -> str:
        """The address of a schema of its database."""
        return f"postgresql://liuyu@127.0.0.1:{self.port}/postgres?options={quote(f'-csearch_path={schema}')}"

    def remove(self) -> None:
        """Stop and leave nothing."""
        self.stop()
        shutil.rmtree(self._home)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), "-D", str(self._data), *arguments]
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, user=self.user, cwd="/"
        )
        if done.returncode != 0:
            log = self._home / "log"
            raise RuntimeError(f"{program}: {done.stderr}{log.read_text() if log.exists() else ''}")
