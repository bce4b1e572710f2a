"""Orders 调度令 and notifications 通知: their standard form, numbers, states, deadlines, and the shift's handover."""

from liuyu.monitor.respond.dispatch.handover import OPEN_KINDS, open_items, shift_of
from liuyu.monitor.respond.dispatch.recipients import Contact, Directory, read_directory
from liuyu.monitor.respond.dispatch.register import Dispatches, answered, runs, silent
from liuyu.monitor.respond.dispatch.wish import Wish
from liuyu.monitor.respond.dispatch.words import STATES, document, when

__all__ = [
    "OPEN_KINDS",
    "STATES",
    "Contact",
    "Directory",
    "Dispatches",
    "Wish",
    "answered",
    "document",
    "open_items",
    "read_directory",
    "runs",
    "shift_of",
    "silent",
    "when",
]
