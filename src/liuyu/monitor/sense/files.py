"""Archive files to Arrow tables: Parquet as it is, CSV with every cell as text, so that a bad cell spoils no other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pa_parquet

from liuyu.basin.errors import BadInput, NotFound


def open_table(file: Path) -> tuple[Any, list[str]]:
    """The Arrow table of a Parquet or CSV file, and the lines of a CSV file that are no rows of it.

    Raises NotFound, or BadInput where it is neither.
    """
    if not file.is_file():
        raise NotFound(f"there is no archive {file}; check the name")
    try:
        if file.suffix == ".parquet":
            return pa_parquet.read_table(file), []
        return _csv(file)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise BadInput(f"{file.name} cannot be read ({reason}); give a Parquet file, or CSV in UTF-8") from None


def _csv(file: Path) -> tuple[Any, list[str]]:
    with file.open("rb") as handle:
        first = handle.readline().decode("utf-8-sig", errors="replace").strip()
    if not first:
        raise BadInput(f"{file.name} is empty; its first line must name the columns")
    names = [each.strip().strip('"') for each in first.split(",")]
    broken: list[str] = []

    def keep(row: Any) -> str:
        broken.append(row.text)
        return "skip"

    table = pa_csv.read_csv(
        file,
        read_options=pa_csv.ReadOptions(use_threads=False),
        parse_options=pa_csv.ParseOptions(newlines_in_values=False, invalid_row_handler=keep),
        convert_options=pa_csv.ConvertOptions(
            column_types={name: pa.string() for name in names}, strings_can_be_null=True, null_values=["", "NaN", "nan"]
        ),
    )
    return table, broken
