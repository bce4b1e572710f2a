"""Readers of foreign files: each turns one format into observations, what it sets aside, and faults, all told at once.

To add a format, write one file and add one line to READERS.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.monitor.sense.readers import mapping as mapping_file
from liuyu.monitor.sense.readers.csv_file import read_csv
from liuyu.monitor.sense.readers.excel_file import read_excel
from liuyu.monitor.sense.readers.mapping import read_mapping
from liuyu.monitor.sense.readers.observations import write_observations
from liuyu.monitor.sense.readers.reading import Reading
from liuyu.monitor.sense.readers.shef import read_shef
from liuyu.monitor.sense.readers.waterml2 import read_waterml2

__all__ = ["READERS", "Reader", "Reading", "read_file", "read_mapping", "write_observations"]

Reader = Callable[[Path, mapping_file.Mapping, Basin, datetime | None], Reading]

READERS: Mapping[str, Reader] = {
    "csv": lambda path, mapping, basin, near: read_csv(path, mapping, basin),
    "excel": lambda path, mapping, basin, near: read_excel(path, mapping, basin),
    "waterml2": lambda path, mapping, basin, near: read_waterml2(path, mapping, basin),
    "shef": read_shef,
}


def read_file(
    path: Path, kind: str, mapping: mapping_file.Mapping, basin: Basin, near: datetime | None = None
) -> Reading:
    """A file of one of the formats of READERS. `near` is the day near which dates without a year lie (SHEF).

    Raises BadInput where the format is not known or the file cannot be read as that.
    """
    reader = READERS.get(kind)
    if reader is None:
        raise BadInput(f"no reader {kind!r}; there are: {', '.join(READERS)}")
    return reader(path, mapping, basin, near)
