"""What every stage of the pipeline offers, so that a twin killed at any moment goes on as if nothing had been."""

from __future__ import annotations

from typing import Protocol


class Stage(Protocol):
    """A stage keeps what it must remember between steps, and gives it up as bytes on request.

    `load(dump())` on a new stage of the same basin and rules must make it behave, bit for bit, like the old one.
    The pipeline stores `dump()` in the transaction that stores the step's results.
    """

    name: str

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        ...

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        ...
