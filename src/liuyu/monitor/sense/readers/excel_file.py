"""Excel workbooks (.xlsx), read by openpyxl, which comes with `liuyu[excel]`."""

from __future__ import annotations

import importlib
import zipfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.monitor.sense.readers.mapping import Mapping
from liuyu.monitor.sense.readers.reading import Gatherer, Reading
from liuyu.monitor.sense.readers.table import Row, TableReader, as_text

LARGEST = 1 << 30
_OLD = b"\xd0\xcf\x11\xe0"


def read_excel(path: Path, mapping: Mapping, basin: Basin) -> Reading:
    """The observations of one sheet of a workbook: values as last computed, dates as dates.

    Raises BadInput where it is no workbook, would unpack to more than LARGEST bytes, or lacks the sheet.
    """
    _check(path)
    gatherer = Gatherer(path.name, basin.roster, mapping.source, mapping.codes)
    with closing(_open(path)) as book:
        rows = _rows(_sheet(book, mapping.sheet, path.name), mapping)
        header = next(rows, None) if mapping.header else None
        if mapping.header and header is None:
            raise BadInput(f"{path.name} is empty; its first row after skip_rows must name the columns")
        line, names = header or (1, None)
        TableReader(names, line, mapping, gatherer).read(rows)
    return gatherer.reading()


def _check(path: Path) -> None:
    try:
        with path.open("rb") as handle:
            start = handle.read(4)
        if start == _OLD:
            raise BadInput(f"{path.name} is an old .xls workbook; save it as .xlsx")
        with zipfile.ZipFile(path) as packed:
            size = sum(each.file_size for each in packed.infolist())
    except OSError as error:
        raise BadInput(f"{path} cannot be read ({error.strerror}); check its name and rights") from None
    except zipfile.BadZipFile:
        raise BadInput(f"{path.name} is no Excel workbook; save it as .xlsx, or read it --as csv") from None
    if size > LARGEST:
        raise BadInput(f"{path.name} would unpack to {size:,} bytes, more than {LARGEST:,}; split it")


def _open(path: Path) -> Any:
    try:
        openpyxl = importlib.import_module("openpyxl")  # an extra
    except ImportError:
        raise BadInput("Excel needs openpyxl; pip install 'liuyu[excel]'") from None
    try:
        return openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:  # a broken workbook fails in as many ways as openpyxl has lines
        raise BadInput(f"{path.name} is no Excel workbook ({error}); save it again as .xlsx") from None


def _sheet(book: Any, wanted: str | int, file: str) -> Any:
    names: list[str] = book.sheetnames
    if isinstance(wanted, int):
        if 1 <= wanted <= len(names):
            return book[names[wanted - 1]]
    elif not wanted:
        return book[names[0]]
    elif wanted in names:
        return book[wanted]
    raise BadInput(f"{file} has no sheet {wanted!r}; it has: {', '.join(names)}")


def _rows(sheet: Any, mapping: Mapping) -> Iterator[Row]:
    for line, cells in enumerate(sheet.iter_rows(values_only=True), 1):
        comment = mapping.comment and cells and as_text(cells[0]).startswith(mapping.comment)
        if line > mapping.skip_rows and not comment and any(as_text(each) for each in cells):
            yield line, cells
