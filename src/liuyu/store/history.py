"""The Parquet history: one file for each month that left the live tables, and a manifest that says which files count.

    history/
    ├── manifest.json            months, files, rows, sizes and hashes; replaced whole, by renaming
    └── 2020-08.1.parquet        station, quantity, time, value, flag, received, source; zstd; sorted

A file is never changed. A month that is archived again gets a new file, then a new manifest; a reader that still holds
the old manifest finds the old file until the month after next is archived or the store is opened anew.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import StoreFailed
from liuyu.basin.quantities import quantities as all_quantities

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

FORMAT = 1


class Month(msgspec.Struct, frozen=True, kw_only=True):
    """One file of the history: its month as [start, end) [s UTC], its rows, its size [bytes] and its SHA-256."""

    name: str
    start: int
    end: int
    file: str
    rows: int
    bytes: int
    sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """The files that count, by month."""

    format: int = FORMAT
    months: tuple[Month, ...] = ()


def month_of(time: int) -> tuple[str, int, int]:
    """Name, start and end [s UTC] of the month that holds a time.

    >>> month_of(1598918399)
    ('2020-08', 1596240000, 1598918400)
    """
    at = datetime.fromtimestamp(time, UTC)
    start = datetime(at.year, at.month, 1, tzinfo=UTC)
    end = datetime(at.year + at.month // 12, at.month % 12 + 1, 1, tzinfo=UTC)
    return f"{at:%Y-%m}", int(start.timestamp()), int(end.timestamp())


class History:
    """The months in a folder. All reads may run in any thread."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._mutex = threading.Lock()
        self._duck: duckdb.DuckDBPyConnection | None = None
        self._stamp: tuple[int, int] | None = None
        self._months: tuple[Month, ...] = ()

    @property
    def months(self) -> tuple[Month, ...]:
        """The archived months, oldest first. Raises StoreFailed where the manifest cannot be read."""
        try:
            stat = (self.folder / "manifest.json").stat()
        except FileNotFoundError:
            return ()
        stamp = (stat.st_mtime_ns, stat.st_ino)
        if stamp != self._stamp:
            manifest = _read_manifest(self.folder / "manifest.json")
            self._months, self._stamp = manifest.months, stamp
        return self._months

    def covers(self, start: int, end: int) -> bool:
        """Whether any of [start, end) is archived."""
        return any(month.start < end and start < month.end for month in self.months)

    def stretches(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """[start, end) cut where archived and live months meet: (start, end, archived)."""
        at = start
        for month in self.months:
            if month.end <= at or month.start >= end:
                continue
            if month.start > at:
                yield at, month.start, False
            yield max(at, month.start), min(end, month.end), True
            at = month.end
        if at < end:
            yield at, end, False

    def read(
        self,
        stations: Mapping[int, str],
        quantities: NDArray[np.int64] | None,
        start: int,
        end: int,
        columns: Sequence[str],
        sources: Mapping[int, str] | None = None,
    ) -> list[NDArray[np.float64]]:
        """Columns of the rows in [start, end), in no order: station, quantity, time, value, flag, received, source.

        Stations, quantities and sources come as the numbers that the caller gives them. Raises StoreFailed where a
        file is gone or damaged.
        """
        for last_try in (False, True):
            months = [month for month in self.months if month.start < end and start < month.end]
            if not months or not stations:
                break
            try:
                return self._query(months, stations, quantities, start, end, columns, sources or {})
            except OSError as fault:
                # The month may have been archived again since the manifest was read.
                self._stamp = None
                if last_try:
                    raise StoreFailed(
                        f"the history in {self.folder} is damaged ({fault}); restore it from a copy"
                    ) from None
        return [np.empty(0) for _ in columns]

    def publish(self, month: tuple[str, int, int], tables: Iterable[pa.Table]) -> Month:
        """Write the whole of a month, then the manifest that names the new file in place of an older one.

        `tables` hold the rows in order, in the columns of `schema`. Whatever moment the machine stops at, the manifest
        names whole files. Raises StoreFailed where the folder cannot take them; the older file counts then.
        """
        with writing(self.folder):
            return self._publish(month, tables)

    def _publish(self, month: tuple[str, int, int], tables: Iterable[pa.Table]) -> Month:
        name, start, end = month
        self.folder.mkdir(parents=True, exist_ok=True)
        older = next((each for each in self.months if each.name == name), None)
        generation = int(older.file.split(".")[1]) + 1 if older else 1
        file = f"{name}.{generation}.parquet"
        rows = _write_parquet(self.folder / f"{file}.part", tables)
        _settle(self.folder / f"{file}.part", self.folder / file)
        content = (self.folder / file).read_bytes()
        written = Month(
            name=name,
            start=start,
            end=end,
            file=file,
            rows=rows,
            bytes=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
        )
        kept = [each for each in self.months if each.name != name]
        manifest = Manifest(months=tuple(sorted([*kept, written], key=lambda each: each.start)))
        part = self.folder / "manifest.json.part"
        part.write_bytes(msgspec.json.format(msgspec.json.encode(manifest), indent=2))
        _settle(part, self.folder / "manifest.json")
        return written

    def verify(self) -> None:
        """Read every file and compare it with its hash. Raises StoreFailed with those that differ."""
        wrong = []
        for month in self.months:
            file = self.folder / month.file
            if not file.exists() or hashlib.sha256(file.read_bytes()).hexdigest() != month.sha256:
                wrong.append(month.file)
        if wrong:
            raise StoreFailed(f"{', '.join(wrong)} in {self.folder} differ from the manifest; restore them from a copy")

    def tidy(self) -> None:
        """Remove files that no manifest names: unfinished ones, and months that were archived again."""
        named = {month.file for month in self.months} | {"manifest.json"}
        for file in self.folder.glob("*"):
            if file.name not in named:
                file.unlink()

    def close(self) -> None:
        """Let go of the query engine."""
        with self._mutex:
            if self._duck is not None:
                self._duck.close()
                self._duck = None

    def _query(
        self,
        months: Sequence[Month],
        stations: Mapping[int, str],
        quantities: NDArray[np.int64] | None,
        start: int,
        end: int,
        columns: Sequence[str],
        sources: Mapping[int, str],
    ) -> list[NDArray[np.float64]]:
        import duckdb  # noqa: PLC0415  # 0.1 s, and many a store has no history
        import pyarrow as pa  # noqa: PLC0415

        wanted = {each.number: each.name for each in all_quantities()}
        if quantities is not None:
            wanted = {number: name for number, name in wanted.items() if number in quantities}
        cursor = self._cursor()
        try:
            for name, table in (("st", stations), ("qu", wanted), ("so", sources)):
                numbers = pa.array(table.keys(), pa.int64())
                cursor.register(name, pa.table({"number": numbers, "name": pa.array(table.values(), pa.string())}))
            files = [str(self.folder / month.file) for month in months]
            chosen = ", ".join(f"CAST({_FROM_FILE[column]} AS DOUBLE) AS {column}" for column in columns)
            result = cursor.execute(
                f"SELECT {chosen} FROM read_parquet($files) h JOIN st ON h.station = st.name"
                " JOIN qu ON h.quantity = qu.name LEFT JOIN so ON h.source = so.name"
                " WHERE h.station BETWEEN $low AND $high"
                " AND h.time >= to_timestamp($start) AND h.time < to_timestamp($end)",
                {
                    "files": files,
                    "low": min(stations.values()),
                    "high": max(stations.values()),
                    "start": start,
                    "end": end,
                },
            ).fetchnumpy()
        except duckdb.Error as fault:
            raise OSError(str(fault).splitlines()[0]) from None
        finally:
            cursor.close()
        return [np.asarray(np.ma.filled(result[column], np.nan), np.float64) for column in columns]

    def _cursor(self) -> duckdb.DuckDBPyConnection:
        import duckdb  # noqa: PLC0415

        with self._mutex:
            if self._duck is None:
                self._duck = duckdb.connect(":memory:", config={"threads": 2, "autoinstall_known_extensions": False})
            return self._duck.cursor()


_FROM_FILE = {
    "station": "st.number",
    "quantity": "qu.number",
    "time": "epoch(h.time)",
    "value": "h.value",
    "flag": "h.flag",
    "received": "h.received",
    "source": "so.number",
}


def schema() -> pa.Schema:
    """Columns of a file: text, UTC times, values in the unit of the quantity (NaN where there is none)."""
    import pyarrow as pa  # noqa: PLC0415

    return pa.schema(
        [
            pa.field("station", pa.string(), nullable=False),
            pa.field("quantity", pa.string(), nullable=False),
            pa.field("time", pa.timestamp("ms", "UTC"), nullable=False),
            pa.field("value", pa.float64(), nullable=False),
            pa.field("flag", pa.uint8(), nullable=False),
            pa.field("received", pa.int64(), nullable=False),
            pa.field("source", pa.string(), nullable=False),
        ]
    )


def month_table(
    stations: Sequence[tuple[str, int]], sources: Mapping[int, str], columns: Sequence[NDArray[np.float64]]
) -> pa.Table:
    """Rows of some stations in the columns of a file, by station, quantity and time.

    stations: codes in order with the store's numbers. columns: station, quantity, time, value, flag, received, source.
    """
    import pyarrow as pa  # noqa: PLC0415

    numbers = np.array([number for _, number in stations], np.int64)
    rank = np.zeros(int(numbers.max()) + 1, np.int64)
    rank[numbers] = np.arange(len(numbers))
    place = rank[columns[0].astype(np.int64)]
    order = np.lexsort((columns[2], columns[1], place))
    quantity, time, value, flag, received, source = (column[order] for column in columns[1:])
    return pa.table(
        [
            pa.array([code for code, _ in stations], pa.string()).take(pa.array(place[order])),
            _named({each.number: each.name for each in all_quantities()}, quantity),
            pa.array(time.astype(np.int64) * 1000, pa.int64()).cast(pa.timestamp("ms", "UTC")),
            pa.array(value, pa.float64()),
            pa.array(flag.astype(np.uint8), pa.uint8()),
            pa.array(received.astype(np.int64), pa.int64()),
            _named(sources, source),
        ],
        schema=schema(),
    )


def _named(names: Mapping[int, str], numbers: NDArray[np.float64]) -> pa.Array:
    """The texts of numbers."""
    import pyarrow as pa  # noqa: PLC0415

    texts = pa.array([names.get(number, "") for number in range(max(names, default=0) + 1)], pa.string())
    return texts.take(pa.array(numbers.astype(np.int64)))


def _write_parquet(file: Path, tables: Iterable[pa.Table]) -> int:
    import pyarrow.parquet as pq  # noqa: PLC0415

    rows = 0
    with pq.ParquetWriter(file, schema(), compression="zstd", compression_level=6) as writer:
        for table in tables:
            writer.write_table(table, row_group_size=131_072)
            rows += table.num_rows
    return rows


def _settle(part: Path, final: Path) -> None:
    """Give a finished file its name, so that after a power cut it is there whole or not at all."""
    sync(part)
    part.replace(final)
    sync(final.parent)


@contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into StoreFailed, with what a person can do about it."""
    try:
        yield
    except OSError as fault:
        raise StoreFailed(
            f"{folder} takes no more ({fault.strerror or fault}); free space there, and see that it can be written"
        ) from fault


def sync(path: Path) -> None:
    """Wait until a file's or folder's content is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _read_manifest(file: Path) -> Manifest:
    try:
        manifest = msgspec.json.decode(file.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError) as fault:
        raise StoreFailed(f"{file} cannot be read ({fault}); restore the history folder from a copy") from None
    if manifest.format > FORMAT:
        raise StoreFailed(
            f"{file} has format {manifest.format}, this liuyu knows up to {FORMAT}; install a newer liuyu"
        )
    return manifest
