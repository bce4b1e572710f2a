"""What every channel is: settings of its own, and a `send` that either hands over a message or says why not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import msgspec

from liuyu.basin.errors import BadInput, LiuyuError
from liuyu.monitor.respond.channels.message import Message
from liuyu.store.interface import Store


class NotSent(LiuyuError):
    """A message was not handed over. `doubt`: it may have arrived all the same; `final`: to try again is no use."""

    def __init__(self, reason: str, *, doubt: bool = False, final: bool = False) -> None:
        super().__init__(reason)
        self.doubt, self.final = doubt, final


class NobodyThere(NotSent):
    """There is nobody to hand a message to by this channel, which is no failure of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason, final=True)


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What each `[[channels]]` table may say. Recipients name a channel by its name, or else by its kind."""

    kind: str
    name: str = ""

    @property
    def title(self) -> str:
        """Its name, or that of its kind."""
        return self.name or self.kind

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell: key, problem and cure."""
        yield from ()


@dataclass(frozen=True, slots=True)
class Place:
    """What a channel is given: the folder that relative paths begin at, one of its own, and the twin's store."""

    folder: Path
    home: Path
    store: Store


class Channel(Protocol):
    """A way to a recipient. `patience` [s] is the longest that a `send` may take."""

    patience: float

    def send(self, message: Message) -> None:
        """Hand a message over. Raises NotSent."""
        ...


def secret(env: str, file: str, folder: Path) -> str:
    """A secret out of an environment variable or a file, "" where neither is named. Raises BadInput."""
    if env:
        if not os.environ.get(env):
            raise BadInput(f"environment variable {env!r} is not set; set it to the secret before the twin starts")
        return os.environ[env]
    if file:
        try:
            return (folder / file).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"the secret in {file!r} cannot be read ({error}); name a file of this machine") from None
    return ""
