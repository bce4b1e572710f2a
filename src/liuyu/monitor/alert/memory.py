"""What the alert stage remembers: alerts that stand, levels about to change, silences."""

from __future__ import annotations

import msgspec

from liuyu.basin.events import Alert, Text


class Standing(msgspec.Struct, kw_only=True):
    """An alert that stands. `alert` is what was last announced of it.

    `level` counts from 1; `waiting_since` [s UTC] is when it was raised, last became more severe or ceased to be
    inhibited, from which an acknowledgement is waited for; `silent_since` the last value's time once its absence was
    told.
    """

    rule: str
    place: int
    level: int
    waiting_since: int
    alert: Alert
    escalated: bool = False
    silent_since: int | None = None


class Pending(msgspec.Struct, kw_only=True):
    """A change that must last before it counts: to which level, since when [s UTC]; None where none is under way."""

    rise_to: int = 0
    rise_since: int | None = None
    fall_to: int = 0
    fall_since: int | None = None

    @property
    def idle(self) -> bool:
        """True where nothing is under way."""
        return self.rise_since is None and self.fall_since is None


class Quiet(msgspec.Struct, frozen=True, kw_only=True):
    """A silence in force: which alerts, until when [s UTC], by whom."""

    id: str
    match: dict[str, str]
    until: int
    user: str
    note: str
    title: Text

    def covers(self, alert: Alert) -> bool:
        """True if the alert has all that the silence names (id, subject, rule, severity, quantity, group)."""
        return all(str(getattr(alert, key)) == value for key, value in self.match.items())


class Kept(msgspec.Struct, kw_only=True):
    """The whole memory, as it is dumped."""

    newest: bytes
    standing: list[Standing]
    pending: list[tuple[str, int, Pending]]
    quiets: list[Quiet]
    floods: list[bytes]
