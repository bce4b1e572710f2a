"""The one interface of whatever does work elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Heard = Callable[[Any], None]


@dataclass(frozen=True, slots=True)
class Scattered:
    """A value that was sent ahead; given as an argument it arrives as the value itself. `place` is where it lies."""

    place: Any


class Executor(Protocol):
    """Does work in other processes. What is given and what comes back must be picklable; `work` is a module's function.

    A failure of the work comes back as an error of the family with the label in front; so does a worker that died.
    """

    @property
    def workers(self) -> int:
        """How many can work at a time."""
        ...

    def submit(self, work: Callable[..., T], /, *given: Any, label: str = "", heard: Heard | None = None) -> Future[T]:
        """Have one thing done. `label` names it in errors; `heard` gets what the work tells on its way."""
        ...

    def map(
        self,
        work: Callable[..., T],
        items: Iterable[Any],
        *,
        labels: Iterable[str] = (),
        heard: Callable[[int, Any], None] | None = None,
    ) -> Iterator[T]:
        """Do the same with each item; results in the order of the items. `heard` gets the item's place and what it
        tells. The first failure in that order is raised, and nothing that has not begun is begun.
        """
        ...

    def scatter(self, value: Any) -> Scattered:
        """Send a large value to the workers once, to be given to many works."""
        ...

    def abandon(self) -> None:
        """End what is being done and forget what waits; their futures fail. New work may be given afterwards."""
        ...

    def close(self) -> None:
        """End the workers."""
        ...
