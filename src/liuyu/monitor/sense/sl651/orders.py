"""What the centre sends: confirmations, requests to send a packet again, queries, settings, and orders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from liuyu.monitor.sense.sl651.encode import parameter, wanted
from liuyu.monitor.sense.sl651.messages import (
    ACK,
    ENQ,
    EOT,
    ESC,
    ETB,
    NAK,
    Element,
    Form,
    Group,
    Message,
    Packet,
    Period,
)
from liuyu.monitor.sense.sl651.tables import function


def confirm(message: Message, now: int, *, stay: bool = False) -> Message | None:
    """The centre's answer to a report: go on (ACK), done (EOT), or done and stay on line for ten minutes (ESC).

    None where no answer belongs: to a heartbeat, and to what is itself an answer unless more packets follow.
    """
    reply = function(message.function).reply
    more = message.end == ETB
    if reply == "never" or message.direction == "down" or (reply == "answer" and not more):
        return None
    return _back(message, now, ACK if more else ESC if stay else EOT)


def ask_again(message: Message, number: int, now: int) -> Message:
    """The centre's request to send packet `number` again. `message`: any packet of the same transfer.

    The frame repeats the total and names the bad packet behind SYN; SL 651-2014, 6.3 has no example of it.
    """
    total = message.packet.total if message.packet else number
    return msgspec.structs.replace(_back(message, now, NAK), packet=Packet(total, number))


def _back(message: Message, now: int, end: int) -> Message:
    return Message(
        form=message.form,
        direction="down",
        centre=message.centre,
        station=message.station,
        password=message.password,
        function=message.function,
        end=end,
        serial=message.serial or 0,
        sent=now,
    )


class Orders:
    """Frames from one centre to one station.

    >>> Orders("0012345678", centre=1, password="1234").present(now=1500346816).function
    55
    """

    def __init__(self, station: str, *, centre: int = 1, password: str = "0000", form: Form = "hex") -> None:
        self._station, self._centre, self._password, self._form = station, centre, password, form

    def order(self, code: int, now: int, **facts: Any) -> Message:
        """Any function with any content; `now` is the time of sending [s UTC]."""
        whole: dict[str, Any] = {"serial": 0, "end": ENQ, **facts}
        return Message(
            form=self._form,
            direction="down",
            centre=self._centre,
            station=self._station,
            password=self._password,
            function=code,
            sent=now,
            **whole,
        )

    def picture(self, now: int) -> Message:
        """36H: take a picture and send it."""
        return self.order(0x36, now)

    def present(self, now: int) -> Message:
        """37H: the present values."""
        return self.order(0x37, now)

    def period(self, identifier: str, start: int, end: int, step: int, now: int) -> Message:
        """38H: the values of one element from `start` to `end` by whole hours [s UTC], every `step` [s]."""
        return self.order(0x38, now, period=Period(start=start, end=end, step=step), wanted=(wanted(identifier),))

    def manual(self, now: int) -> Message:
        """39H: what was entered by hand."""
        return self.order(0x39, now)

    def elements(self, identifiers: Iterable[str], now: int) -> Message:
        """3AH: the present values of some elements."""
        return self.order(0x3A, now, wanted=tuple(wanted(each) for each in identifiers))

    def read(self, identifiers: Iterable[str], now: int, *, running: bool = False) -> Message:
        """41H, or 43H for running parameters: what these parameters are."""
        asked = tuple(wanted(each, parameter=True) for each in identifiers)
        return self.order(0x43 if running else 0x41, now, wanted=asked)

    def write(self, values: Mapping[str, float | str], now: int, *, running: bool = False) -> Message:
        """40H, or 42H for running parameters: set them."""
        return self._settings(0x42 if running else 0x40, now, [parameter(each, values[each]) for each in values])

    def pumps(self, now: int) -> Message:
        """44H: the working of the pump motors."""
        return self.order(0x44, now)

    def version(self, now: int) -> Message:
        """45H: the version of the station's software."""
        return self.order(0x45, now)

    def state(self, now: int) -> Message:
        """46H: state and alarms."""
        return self.order(0x46, now)

    def clear(self, now: int) -> Message:
        """47H: clear the stored data."""
        return self._settings(0x47, now, [parameter("97", "")])

    def restore(self, now: int) -> Message:
        """48H: restore the factory settings."""
        return self._settings(0x48, now, [parameter("98", "")])

    def change_password(self, new: str, now: int) -> Message:
        """49H: the old password and the new one, four hex digits each."""
        return self._settings(0x49, now, [parameter("03", self._password), parameter("03", new)])

    def set_clock(self, now: int) -> Message:
        """4AH: the station takes the time of sending."""
        return self.order(0x4A, now)

    def control(self, code: int, payload: bytes, now: int) -> Message:
        """4BH to 4FH: IC card, pumps, valves, gates, quota; the payload as the station's maker defines it."""
        return self.order(code, now, payload=payload)

    def events(self, now: int) -> Message:
        """50H: how often each event was recorded."""
        return self.order(0x50, now)

    def clock(self, now: int) -> Message:
        """51H: the station's clock."""
        return self.order(0x51, now)

    def _settings(self, code: int, now: int, items: list[Element]) -> Message:
        return self.order(code, now, groups=(Group(elements=tuple(items)),))
