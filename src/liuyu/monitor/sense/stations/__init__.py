"""The centre's end of SL 651: a server that stations report to, over TCP and UDP, and the raw log beside it."""

from liuyu.monitor.sense.stations.raw import Kept, RawLog, read_raw, repair
from liuyu.monitor.sense.stations.received import Limits, Received, Sink
from liuyu.monitor.sense.stations.server import Counts, StationServer

__all__ = [
    "Counts",
    "Kept",
    "Limits",
    "RawLog",
    "Received",
    "Sink",
    "StationServer",
    "read_raw",
    "repair",
]
