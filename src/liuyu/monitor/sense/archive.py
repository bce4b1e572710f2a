"""A recorded archive as a source: one table with a row for each station and time, replayed by observation time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.places import Basin
from liuyu.basin.series import Aside, Batch
from liuyu.monitor.sense.columns import to_observations
from liuyu.monitor.sense.files import open_table

_ENDINGS = (".parquet", ".csv")


class Archive:
    """Observations of a basin out of Parquet or CSV files, by time, all in memory.

    A file has the columns `stcd`, `time_cst` (wall time of the basin, or with a zone) and some of values: `z_m` [m],
    `q_m3s`, `inflow_m3s`, `outflow_m3s` [m3/s] as in the feed of the Yangtze, in which NaN, blank and 0 mean "not
    reported", or such as are named by a quantity, in its unit, in which 0 is a value. They are rounded to the decimals
    of their quantity, since archives keep them in single precision. Where `<column>_flag` holds a flag, the value is
    taken as it is, with that flag; a BAD one stands in `<column>_bad`. Other columns are passed over.
    Rows that cannot be used are in `asides`: one for each file, reason and station, with all its rows.

    >>> archive = Archive(bundle_file("yangtze_gauges_hourly/observations.parquet"), basin)  # doctest: +SKIP
    >>> batch = archive.take(first, first + 3600)  # doctest: +SKIP
    """

    def __init__(self, path: Path | Sequence[Path], basin: Basin) -> None:
        """Read a file, a folder of files, or several files. Raises BadInput that names all that is wrong with any."""
        files = _files(path)
        problems: list[str] = []
        batches: list[Batch] = []
        asides: list[Aside] = []
        for file in files:
            try:
                table, broken = open_table(file)
                batch, aside = to_observations(table, file.name, basin)
            except (BadInput, NotFound) as error:
                problems.append(str(error))
                continue
            batches.append(batch)
            asides.extend(aside)
            if broken:
                reason = f"another number of cells than the header has: {len(broken)} rows"
                asides.append(Aside(file.name, reason, "\n".join(broken).encode()))
        if problems:
            raise BadInput("\n".join(problems))
        whole = Batch.join(batches)
        if not len(whole):
            why = f"; the first reason: {asides[0].reason}" if asides else ""
            raise BadInput(f"{', '.join(each.name for each in files)}: no observation of {basin.code} in it{why}")
        self._batch = _by_time(whole)
        self.asides = tuple(asides)

    @property
    def span(self) -> tuple[int, int]:
        """The first and the last time of observation [s UTC]."""
        return int(self._batch.time[0]), int(self._batch.time[-1])

    def __len__(self) -> int:
        return len(self._batch)

    def take(self, after: int, until: int) -> Batch:
        """What was observed in (after, until], by time, station and quantity. Views: do not write into them."""
        first, last = np.searchsorted(self._batch.time, (after, until), side="right")
        return self._batch.take(slice(int(first), max(int(first), int(last))))


def _files(path: Path | Sequence[Path]) -> list[Path]:
    given = [Path(path)] if isinstance(path, str | Path) else [Path(each) for each in path]
    found: list[Path] = []
    for each in given:
        inside = sorted(one for one in each.iterdir() if one.suffix in _ENDINGS) if each.is_dir() else [each]
        if not inside:
            raise BadInput(f"folder {each} holds no file that ends in {' or '.join(_ENDINGS)}; name the archive itself")
        found.extend(inside)
    if not found:
        raise BadInput("no archive was named; give a file or a folder")
    return found


def _by_time(batch: Batch) -> Batch:
    """By time, station and quantity; rows of one key keep the order of the file, so the later one counts."""
    order: NDArray[np.intp] = np.lexsort((batch.quantity, batch.station, batch.time))
    return batch.take(order)
