"""The twin as its scenarios see it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from liuyu.app.pipeline import Pipeline
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.store.interface import Store
from liuyu.twin import RiverTwin
from liuyu.web.ports import Message


class Running(Protocol):
    """A pipeline on its way, and its present [s UTC]."""

    @property
    def pipeline(self) -> Pipeline:
        """Its stages."""
        ...

    @property
    def now(self) -> int:
        """The last moment [s UTC] whose step is complete."""
        ...


@dataclass(frozen=True, slots=True)
class Stage:
    """Satisfies `desk.Host` for a twin whose run may be opened anew."""

    basin: Basin
    store: Store
    run: Callable[[], Running]
    log: Callable[[Callable[[int], Event], Callable[[], None]], None]
    publish: Callable[[Message], None]

    @property
    def model(self) -> RiverTwin | None:
        """Its river; None where the basin has no model."""
        return self.run().pipeline.twin

    @property
    def now(self) -> int:
        """Its present [s UTC]."""
        return self.run().now
