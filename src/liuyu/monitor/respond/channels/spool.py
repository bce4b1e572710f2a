"""A folder that a gateway for text messages empties: one file for each message, there as a whole or not at all.

The file is the one that SMS Server Tools takes: a head (To, Alphabet), an empty line, the text. It is written beside
its name, flushed to the disk, then renamed; the name is that of the message, alike in each attempt.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

from liuyu.monitor.respond.channels.channel import NotSent, Place
from liuyu.monitor.respond.channels.channel import Settings as Common
from liuyu.monitor.respond.channels.message import Message


class Settings(Common, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The folder, relative to the configuration."""

    folder: str

    def faults(self) -> Iterator[tuple[str, str, str]]:
        """What the types do not tell."""
        if not self.folder.strip():
            yield "folder", "is empty", "name the folder that the gateway empties"


class Spool:
    """The channel."""

    patience = 10.0

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def send(self, message: Message) -> None:
        """Lay a file. Raises NotSent."""
        number = re.sub(r"[^\d]", "", message.address)
        if not number:
            raise NotSent(f"{message.recipient} has no telephone number; add it to recipients.toml", final=True)
        name = file_name(message.key)
        part = self.folder / f".{name}.part"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with part.open("w", encoding="utf-8", newline="\n") as file:
                file.write(content(message, number))
                file.flush()
                os.fsync(file.fileno())
            part.replace(self.folder / name)
            _settle(self.folder)
        except OSError as error:
            raise NotSent(f"{self.folder} takes no file ({error.strerror}); see that it can be written") from error


def open_channel(settings: Settings, place: Place) -> Spool:
    """The channel."""
    return Spool(place.folder / settings.folder)


def file_name(key: str) -> str:
    """A name that any file system takes, and that no other key has."""
    stem = re.sub(r"[^\w-]+", "-", key, flags=re.ASCII)[:80].strip("-")
    return f"{stem}-{hashlib.sha256(key.encode()).hexdigest()[:12]}.sms"


def content(message: Message, number: str) -> str:
    """The file."""
    return f"To: {number}\nAlphabet: UTF-8\n\n{' '.join(message.short().split())}\n"


def _settle(folder: Path) -> None:
    """Have the disk keep the new name too."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
