"""Quality flags of an observation, after QARTOD (IOOS, Manual for Real-Time Water Level Quality Control)."""

from __future__ import annotations

from enum import IntEnum


class Flag(IntEnum):
    """How far a value may be trusted. Only GOOD and NOT_EVALUATED values drive alerts and models."""

    GOOD = 1
    NOT_EVALUATED = 2
    SUSPECT = 3
    BAD = 4
    MISSING = 9

    @property
    def usable(self) -> bool:
        """True where assessment, alerts and models may use the value."""
        return self <= Flag.NOT_EVALUATED
