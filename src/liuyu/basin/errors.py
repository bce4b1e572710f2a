"""What can go wrong, as one family.

    LiuyuError                 catch this to catch everything liuyu raises on purpose
    ├── BadInput               what was given cannot be used; nothing was changed
    │   └── BadPackage         a basin package has faults; `.faults` lists every one
    ├── NotFound               a name that is asked for does not exist; the message lists near names
    ├── NotAllowed             the caller lacks the role that this needs
    ├── StoreFailed            the store could not keep or find what it must
    │   └── InboxFull          the loop is too far behind; nothing was kept, deliver again later
    └── ModelFailed            a model left its valid range; says where, when and why

A message names the thing, shows the value and gives the cure.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """One fault in one file: where it is, what was found, what would mend it."""

    file: str
    line: int | None = None
    field: str = ""
    value: str = ""
    problem: str
    cure: str

    def __str__(self) -> str:
        place = self.file + (f":{self.line}" if self.line else "")
        found = f" {self.field}={self.value!r}" if self.field else ""
        return f"{place}:{found} {self.problem}; {self.cure}"


class LiuyuError(Exception):
    """Root of every error that liuyu raises on purpose."""


class BadInput(LiuyuError):
    """What was given cannot be used; nothing was changed."""


class BadPackage(BadInput):
    """A basin package with faults, all of them listed."""

    def __init__(self, folder: str, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(self.faults)} fault{'s' if len(self.faults) != 1 else ''}"
        super().__init__("\n".join([f"{folder}: {count}", *map(str, self.faults)]))


class NotFound(LiuyuError):
    """A name that is asked for does not exist."""


class NotAllowed(LiuyuError):
    """The caller lacks the role that this needs."""


class StoreFailed(LiuyuError):
    """The store could not keep or find what it must."""


class InboxFull(StoreFailed):
    """The inbox has no room for more; nothing was kept, so the source must wait and deliver again."""


class ModelFailed(LiuyuError):
    """A model left its valid range; the message says where, when and why."""
