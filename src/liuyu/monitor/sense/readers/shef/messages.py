"""SHEF text to messages: which lines belong together, and what of them is comment."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

_START = re.compile(r"\s*\.([ABE])(R?)(?=\s|$)(.*)", re.IGNORECASE)
_GOES_ON = re.compile(r"\s*\.([ABE])R?\d+(?=\s|$)(.*)", re.IGNORECASE)
_END = re.compile(r"\s*\.END\b", re.IGNORECASE)


@dataclass(slots=True)
class Message:
    """One message: form A, B or E; its header or whole text as lines; the body lines of form B. Lines from 1."""

    form: str
    revised: bool
    line: int
    raw: str
    head: list[str] = field(default_factory=list)
    body: list[tuple[int, str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        """The lines as one, a slash between them; the slash that ends or begins a line is the same one."""
        parts = [each.strip() for each in self.head]
        first, rest = parts[0], [each.removeprefix("/") for each in parts[1:]]
        return "/".join(each.removesuffix("/").rstrip() for each in (first, *rest)) if rest else first


def messages(text: str) -> Iterator[Message]:
    """Every message of a text, in order; what stands between them is passed over."""
    current: Message | None = None
    for line, raw in enumerate(text.splitlines(), 1):
        start, more = _START.match(raw), _GOES_ON.match(raw)
        if start:
            if current:
                yield current
            current = Message(start[1].upper(), bool(start[2]), line, raw, [without_comments(start[3])])
        elif current is None or not raw.strip():
            continue
        elif more and more[1].upper() == current.form:
            current.head.append(without_comments(more[2]))
            current.raw += "\n" + raw
        elif _END.match(raw) or raw.startswith("."):
            yield current
            current = None
        elif current.form == "B":
            current.body += [(line, raw, each) for each in without_comments(raw).split(",") if each.strip()]
    if current:
        yield current


def without_comments(line: str) -> str:
    """A line without what stands between colons, or after one, and without remarks in quotes."""
    kept: list[str] = []
    inside = quote = ""
    for sign in line:
        if quote:
            quote = "" if sign == quote else quote
        elif sign == ":":
            inside = "" if inside else sign
            kept.append(" ")
        elif inside:
            continue
        elif sign in "\"'":
            quote = sign
        else:
            kept.append(sign)
    return "".join(kept)
