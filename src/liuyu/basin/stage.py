"""What every stage of the pipeline offers, so that a twin killed at any moment goes on as if nothing had been."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol, runtime_checkable


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


@runtime_checkable
class PartedStage(Stage, Protocol):
    """A stage whose memory is too large to be kept whole at every step: it gives up the parts that changed.

    Whoever keeps every part of `changes`, the newer in place of the older, can make a new stage like the old one with
    `load_parts`, bit for bit.
    """

    def changes(self) -> Iterator[tuple[str, bytes]]:
        """The parts, by name, that changed since this was last called; at first all of them."""
        ...

    def load_parts(self, part: Callable[[str], bytes | None]) -> None:
        """Take the memory back from whoever knows the newest part of a name; None for a name never given."""
        ...
