"""The gate through which every observation comes: ordered, once, on time or marked late; and who has fallen silent."""

from liuyu.monitor.gather.precedence import Precedence, Sorted
from liuyu.monitor.gather.stage import Gather, Gathered

__all__ = ["Gather", "Gathered", "Precedence", "Sorted"]
