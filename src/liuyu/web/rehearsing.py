"""What the page may ask about scenarios: to have one run, how far it is, what came of it.

`app` implements it, as it does `ports.py`; every rule of that file holds here too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

import msgspec

from liuyu.basin.directives import Text

if TYPE_CHECKING:
    from liuyu.web.ports import User

RehearsalState = Literal["queued", "running", "done", "failed", "cancelled"]


class RehearsalSheet(msgspec.Struct, frozen=True, kw_only=True):
    """A scenario as it stands. `share` [0, 1] is how much is done and `words` what is being done.

    `at` is the base moment; `submitted` and `ended` are on the machine's clock. `reason` says why it failed. One that
    is asked for by its id brings `scenario`, as it was sent, and `summary`, what summary.json says.
    """

    id: str
    name: Text
    state: RehearsalState
    share: float
    words: Text
    by: str
    at: datetime
    submitted: datetime
    ended: datetime | None = None
    reason: str = ""
    scenario: Mapping[str, Any] | None = None
    summary: Mapping[str, Any] | None = None


class RehearsalDesk(Protocol):
    """Scenarios in a running twin."""

    def submit(self, user: User, scenario: Mapping[str, Any]) -> RehearsalSheet:
        """Queue a scenario. Needs duty_officer. Raises BadInput with every fault of it."""
        ...

    def faults(self, scenario: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Every fault of a scenario: field, value, problem, cure; empty where it could be queued."""
        ...

    def listed(self, limit: int = 100) -> list[RehearsalSheet]:
        """Scenarios, newest first."""
        ...

    def find(self, id: str) -> RehearsalSheet:
        """A scenario with its outcome. Raises NotFound."""
        ...

    def results(self, id: str) -> Path:
        """The folder of a scenario that is done. Raises NotFound, BadInput while it is not."""
        ...

    def cancel(self, user: User, id: str) -> RehearsalSheet:
        """End a scenario that waits or runs. Needs duty_officer. Raises NotFound, BadInput."""
        ...

    def options(self) -> Mapping[str, Any]:
        """What a scenario may change here, from the twin's present. Raises BadInput without a model."""
        ...
