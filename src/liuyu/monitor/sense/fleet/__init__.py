"""A fleet of simulated SL 651 stations, with the faults of the field on demand."""

from liuyu.monitor.sense.fleet.faults import Faults, parse_faults
from liuyu.monitor.sense.fleet.fleet import Fleet, Outcome, only_here
from liuyu.monitor.sense.fleet.memory import Memory
from liuyu.monitor.sense.fleet.scripts import Report, from_batch, synthetic
from liuyu.monitor.sense.fleet.station import Nature

__all__ = [
    "Faults",
    "Fleet",
    "Memory",
    "Nature",
    "Outcome",
    "Report",
    "from_batch",
    "only_here",
    "parse_faults",
    "synthetic",
]
