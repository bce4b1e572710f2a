"""Sources of observations. Each hands over what was observed in a span of time, and sets aside what it cannot use."""

from __future__ import annotations

from typing import Protocol

from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.archive import Archive

__all__ = ["Archive", "Source"]


class Source(Protocol):
    """Anything that observations can be taken from; times are seconds since 1970-01-01 UTC."""

    @property
    def asides(self) -> tuple[Aside, ...]:
        """What could not be used so far, raw, with the reason."""
        ...

    def take(self, after: int, until: int) -> Batch:
        """What was observed in (after, until], by time, station and quantity."""
        ...
