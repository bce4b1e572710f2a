"""The states of stages that a transaction keeps: hundreds of small parts a step, sent together."""

from __future__ import annotations

from liuyu.store.engine.session import Session

_SAVE = "INSERT INTO state VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET blob = excluded.blob"


class States:
    """What is to be sent before the transaction ends, or anything is read within it."""

    def __init__(self) -> None:
        self._waiting: dict[str, bytes] = {}

    def keep(self, name: str, blob: bytes) -> None:
        """Keep the state of a stage in place of the older."""
        self._waiting[name] = bytes(blob)

    def send(self, writer: Session) -> None:
        """Write what waits."""
        if self._waiting:
            writer.ask_many(_SAVE, self._waiting.items())
            self._waiting.clear()

    def clear(self) -> None:
        """Forget what waits: its transaction was taken back."""
        self._waiting.clear()
