"""CSV and its kin: any delimiter, encoding and decimal sign that the mapping names."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.basin.places import Basin
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer, Reading
from liuyu.monitor.sense.readers.table import Row, TableReader

csv.field_size_limit(1 << 20)


def read_csv(path: Path, mapping: Mapping, basin: Basin) -> Reading:
    """The observations of a CSV file. Raises BadInput where it cannot be read at all, with every reason."""
    gatherer = Gatherer(path.name, basin.roster, mapping.source, mapping.codes)
    rows = _rows(_text(path, mapping.encoding), mapping, gatherer)
    header: Row | None = next(rows, None) if mapping.header else None
    if mapping.header and header is None:
        raise BadInput(f"{path.name} is empty; its first line after skip_rows must name the columns")
    line, names = header or (1, None)
    TableReader(names, line, mapping, gatherer).read(rows)
    return gatherer.reading()


def _text(path: Path, encoding: str) -> str:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); check its name and rights") from None
    try:
        return raw.decode("utf-8-sig" if encoding.lower().replace("-", "") == "utf8" else encoding)
    except UnicodeDecodeError as error:
        fault = Fault(
            file=path.name,
            line=raw.count(b"\n", 0, error.start) + 1,
            value=raw[error.start : error.start + 4].hex(" "),
            problem=f"is not {encoding}",
            cure="set encoding in the mapping; Chinese Windows writes gb18030",
        )
        raise BadPackage(path.name, [fault]) from None


def _rows(text: str, mapping: Mapping, gatherer: Gatherer) -> Iterator[Row]:
    """Cells with the line that they begin on; what is no CSV ends the file with a fault."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mapping.delimiter, strict=True)
    begins = 1
    try:
        for cells in reader:
            line, begins = begins, reader.line_num + 1
            comment = mapping.comment and cells and cells[0].lstrip().startswith(mapping.comment)
            if line > mapping.skip_rows and not comment and any(each.strip() for each in cells):
                yield line, cells
    except csv.Error as error:
        rest = "\n".join(text.splitlines()[begins - 1 :])
        gatherer.fault(f"is not CSV: {error}", "check the quotes of this line", line=begins, raw=rest)
