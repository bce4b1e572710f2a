"""A plain beside a river: flooded through breaches, gates and over crests, river and plain marched together.

`read_plain` reads one from a folder, `PlainChange` says what is changed, `run_plain` floods it, `write_layers` writes
its ground and what may be hit as rasters.
"""

from liuyu.twin.plain.change import Breach, Opening, PlainChange
from liuyu.twin.plain.package import PlainPackage, read_plain, write_layers
from liuyu.twin.plain.result import Books, Hydrograph, PlainResult
from liuyu.twin.plain.run import check_change, run_plain

__all__ = [
    "Books", "Breach", "Hydrograph", "Opening", "PlainChange", "PlainPackage", "PlainResult", "check_change",
    "read_plain", "run_plain", "write_layers",
]  # fmt: skip
