"""What goes out by every channel: one paper to one recipient, and how its resend is marked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

Text = Mapping[str, str]
Occasion = Literal["order", "overdue", "cancelled"]
DUPLICATE: Text = {"zh": "【重发，可能重复】", "en": "[RESENT, possibly a duplicate] "}
EXERCISE: Text = {"zh": "【演练】", "en": "[EXERCISE] "}
HEADS: Mapping[str, Text] = {
    "order": {"zh": "", "en": ""},
    "overdue": {"zh": "【逾期未复】", "en": "[OVERDUE] "},
    "cancelled": {"zh": "【撤销】", "en": "[CANCELLED] "},
}


class Message(msgspec.Struct, frozen=True, kw_only=True):
    """One message. `key` is the same in every attempt, so that whoever gets it twice can tell.

    `text` is the whole paper, `link` an address at which a phone can answer without an account, "" for none; `time` is
    when it was signed [s UTC of the twin], `at` when this attempt is made [s UTC of this machine]; `head` the end of
    the log's chain of hashes as the paper was signed, which fixes the log before it.
    """

    key: str
    dispatch: str
    occasion: Occasion
    recipient: str
    name: Text
    address: str
    number: Text
    title: Text
    text: Text
    body: Mapping[str, Any]
    time: int
    at: int
    attempt: int = 1
    duplicate: bool = False
    exercise: bool = False
    link: str = ""
    head: str = ""

    def subject(self, language: str) -> str:
        """The line above it, with every mark that it must carry."""
        marks = [EXERCISE[language]] if self.exercise else []
        marks += [DUPLICATE[language]] if self.duplicate else []
        number = f"{self.number[language]} " if self.number.get(language) else ""
        return f"{''.join(marks)}{HEADS[self.occasion][language]}{number}{self.title[language]}"

    def letter(self) -> str:
        """The whole of it as plain text, Chinese before English."""
        parts = []
        for language, ask in (("zh", "确认收悉、报告执行情况："), ("en", "Acknowledge and report: ")):
            lines = [self.subject(language), "", self.text[language]]
            lines += ["", f"{ask}{self.link}"] if self.link else []
            parts.append("\n".join(lines))
        foot = f"\n\n-- \nliuyu {self.key}" + (f"\n{self.head}" if self.head else "")
        return "\n\n----------------------------------------\n\n".join(parts) + foot + "\n"

    def short(self) -> str:
        """What fits a text message."""
        text = self.subject("zh")
        return f"{text[:200]}。请确认：{self.link}" if self.link else text[:250]
