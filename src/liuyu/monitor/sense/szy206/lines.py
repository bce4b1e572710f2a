"""Messages as plain objects for JSON, times as the station's wall clock shows them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from liuyu.monitor.sense.szy206.decode import OFFSET
from liuyu.monitor.sense.szy206.messages import Message, Refusal, Stamp
from liuyu.monitor.sense.szy206.tables import MODES, functions, kinds, told


def to_line(said: Message | Refusal, offset: int = OFFSET) -> dict[str, Any]:
    """A message as an object with `crc_ok`, `station`, `function`, `send_time` and `elements`, or why it is none.

    `send_time` is null where the tag has no month and there is no clock to supply one; `tag` has what it says.
    """
    if isinstance(said, Refusal):
        claimed = {
            "station": said.station or None,
            "function": None if said.function is None else f"{said.function:02X}",
        }
        return {"crc_ok": said.crc_ok, "error": str(said), "reason": said.reason, "claimed": claimed}
    sent = None if said.sent is None else wall_clock(said.sent, offset)
    kind = kinds().get(said.kind)
    line: dict[str, Any] = {
        "crc_ok": True,
        "station": said.station,
        "address": said.address._asdict(),
        "function": f"{said.function:02X}",
        "name": functions().get(said.function, ("用户自定义", ""))[0],
        "direction": said.direction,
        "type": said.kind,
        "type_name": kind.name_zh if kind else "确认",
        "send_time": sent,
        "zone": f"{'-' if offset < 0 else '+'}{abs(offset) // 3600:02d}:{abs(offset) // 60 % 60:02d}",
        "elements": [
            {
                "id": each.id,
                "quantity": each.quantity,
                "value": each.value,
                "unit": each.unit,
                "time": sent,
                "name": each.name,
                "raw": each.raw.hex().upper(),
            }
            for each in said.elements
        ],
    }
    return line | _tail(said)


def _tail(said: Message) -> dict[str, Any]:
    """Alarm and state as their bytes stand in the frame, and in words; password and tag; what is unread."""
    facts: dict[str, Any] = {}
    if said.alarm is not None:
        facts["alarm"] = said.alarm.to_bytes(2, "little").hex().upper()
        facts["alarms"] = [each.name_zh for each in told("alarm", said.alarm)]
    if said.state is not None:
        facts["state"] = said.state.to_bytes(2, "little").hex().upper()
        facts["states"] = [MODES[said.state & 3][0], *(each.name_zh for each in told("state", said.state))]
    if said.password is not None:
        facts["password"] = f"{said.password[0]}{said.password[1]:03d}"
    if said.stamp is not None:
        facts["tag"], facts["delay"] = _tag(said.stamp), said.stamp.delay
    if said.part is not None:
        facts["part"] = said.part
    if said.data and not said.elements:
        facts["data"] = said.data.hex().upper()
    if said.remarks:
        facts["remarks"] = said.remarks
    return facts


def _tag(stamp: Stamp) -> str:
    day = f"{stamp.day:02d}" if stamp.month is None else f"{stamp.year}-{stamp.month:02d}-{stamp.day:02d}"
    return f"{day} {stamp.hour:02d}:{stamp.minute:02d}:{stamp.second:02d}"


def wall_clock(seconds: int, offset: int = OFFSET) -> str:
    """A time as the station's clock shows it."""
    return datetime.fromtimestamp(seconds + offset, UTC).strftime("%Y-%m-%d %H:%M:%S")
