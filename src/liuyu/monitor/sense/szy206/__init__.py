"""SZY 206-2016 and SL/T 427-2021, the protocols of water-resource metering: their frames to messages and back."""

from liuyu.monitor.sense.szy206.decode import decode, time_of
from liuyu.monitor.sense.szy206.encode import (
    confirm,
    divide,
    encode,
    heartbeat,
    order,
    report,
    set_clock,
    stamp_of,
    voltage,
)
from liuyu.monitor.sense.szy206.frame import Framer, crc8
from liuyu.monitor.sense.szy206.messages import (
    REMARKS,
    Address,
    Element,
    Message,
    Refusal,
    Stamp,
    method_one,
    method_two,
)
from liuyu.monitor.sense.szy206.parts import Joiner

__all__ = [
    "REMARKS",
    "Address",
    "Element",
    "Framer",
    "Joiner",
    "Message",
    "Refusal",
    "Stamp",
    "confirm",
    "crc8",
    "decode",
    "divide",
    "encode",
    "heartbeat",
    "method_one",
    "method_two",
    "order",
    "report",
    "set_clock",
    "stamp_of",
    "time_of",
    "voltage",
]
