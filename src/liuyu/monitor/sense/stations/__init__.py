"""The centre's end of SL 651: a server that stations report to, over TCP and UDP, and the raw log beside it."""

from liuyu.monitor.sense.stations.asking import Contact, Outbox
from liuyu.monitor.sense.stations.downlinks import Downlink, Said, Way, Wish, downlinks, find_downlink, message_of
from liuyu.monitor.sense.stations.raw import Kept, RawLog, read_raw, repair
from liuyu.monitor.sense.stations.received import Limits, Received, Sink
from liuyu.monitor.sense.stations.server import Counts, StationServer

__all__ = [
    "Contact",
    "Counts",
    "Downlink",
    "Kept",
    "Limits",
    "Outbox",
    "RawLog",
    "Received",
    "Said",
    "Sink",
    "StationServer",
    "Way",
    "Wish",
    "downlinks",
    "find_downlink",
    "message_of",
    "read_raw",
    "repair",
]
