"""SL 651-2014, the protocol of hydrological telemetry: its frames to messages and back, in both forms."""

from liuyu.monitor.sense.sl651.decode import decode
from liuyu.monitor.sense.sl651.dialect import STANDARD, Dialect, Dialects, Odd, read_dialects
from liuyu.monitor.sense.sl651.encode import element, encode, in_packets, parameter
from liuyu.monitor.sense.sl651.fast import Columns, decode_many, ways_of
from liuyu.monitor.sense.sl651.framer import Framer, Piece
from liuyu.monitor.sense.sl651.messages import REMARKS, Element, Group, Message, Packet, Period, Refusal
from liuyu.monitor.sense.sl651.orders import Orders, ask_again, confirm
from liuyu.monitor.sense.sl651.packets import Assembler

__all__ = [
    "REMARKS",
    "STANDARD",
    "Assembler",
    "Columns",
    "Dialect",
    "Dialects",
    "Element",
    "Framer",
    "Group",
    "Message",
    "Odd",
    "Orders",
    "Packet",
    "Period",
    "Piece",
    "Refusal",
    "ask_again",
    "confirm",
    "decode",
    "decode_many",
    "element",
    "encode",
    "in_packets",
    "parameter",
    "read_dialects",
    "ways_of",
]
