"""What leaves the twin as files: the log, forecasts, reports, CAP alerts. The same log gives the same bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from liuyu.basin.clock import epoch, moment, parse_time
from liuyu.basin.events import Event
from liuyu.basin.places import Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, leading
from liuyu.monitor.alert import to_cap
from liuyu.monitor.summarise import FORMS, report, report_file
from liuyu.store.interface import Store

QUANTILES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
LANGUAGES = ("zh", "en")
_EVENTS_OWN = ("kind", "id", "state", "subject")  # a record's field of such a name gives way to the event's


def event_line(event: Event, basin: Basin) -> dict[str, Any]:
    """An event as one flat JSON object, times in the basin's zone.

    The record's own fields stand beside `kind`, `state`, `subject` and `announced`, the moment at which the twin said
    so. `time` is the record's own where it has one (a numbered flood: when the gauge met the line), else `announced`.
    """
    said = event.time.astimezone(basin.zone).isoformat()
    line = {"kind": event.kind, "time": said, "id": event.id, "state": event.state, "subject": event.subject}
    body = {name: _local(value, basin) for name, value in event.body.items()}
    marked = {"synthetic": True} if basin.synthetic else {}
    return {
        **line,
        **{name: each for name, each in body.items() if name not in _EVENTS_OWN},
        "announced": said,
        **marked,
    }


def _local(value: Any, basin: Basin) -> Any:
    if isinstance(value, str) and len(value) >= len("2020-08-10T00:00Z") and value[4:5] == "-" and value[10:11] == "T":
        try:
            return parse_time(value, basin.zone).astimezone(basin.zone).isoformat()
        except ValueError:
            return value
    if isinstance(value, datetime):
        return value.astimezone(basin.zone).isoformat()
    if isinstance(value, dict):
        return {name: _local(each, basin) for name, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_local(each, basin) for each in value]
    return value


def write_events(events: Iterable[Event], basin: Basin, file: Path) -> int:
    """The log as `events.jsonl`, an object a line; returns the number of lines."""
    lines = [msgspec.json.encode(event_line(each, basin)) for each in events]
    _write(file, b"".join(line + b"\n" for line in lines))
    return len(lines)


def write_forecasts(store: Store, start: int, end: int, basin: Basin, file: Path) -> int:
    """Every forecast issued in [start, end) as quantiles by station, issue and lead, in Parquet; returns the rows.

    What each model says that a forecast was combined of is left out.
    """
    tables = [_table(each) for each in _by_day(store, start, end)]
    tables = [each for each in tables if each is not None]
    if not tables:
        return 0
    whole = pa.concat_tables(tables)
    synthetic = str(basin.synthetic).lower()
    file.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(
        whole.replace_schema_metadata({"basin": basin.code, "synthetic": synthetic}), file, compression="zstd"
    )
    return int(whole.num_rows)


def _by_day(store: Store, start: int, end: int) -> Iterator[list[Forecast]]:
    for day in range(start, end, 86400):
        yield leading(store.forecasts(day, min(day + 86400, end)))


def _table(forecasts: Sequence[Forecast]) -> pa.Table | None:
    if not forecasts:
        return None
    lengths = [len(each.time) for each in forecasts]
    columns: dict[str, Any] = {
        "station": pa.array(np.repeat([each.station for each in forecasts], lengths)).dictionary_encode(),
        "quantity": pa.array(np.repeat([each.quantity for each in forecasts], lengths)).dictionary_encode(),
        "unit": pa.array(np.repeat([quantity(each.quantity).unit for each in forecasts], lengths)).dictionary_encode(),
        "issued": pa.array(np.repeat([epoch(each.issued) for each in forecasts], lengths), pa.timestamp("s", "UTC")),
        "time": pa.array(np.concatenate([each.time for each in forecasts]), pa.timestamp("s", "UTC")),
        "model": pa.array(np.repeat([each.model for each in forecasts], lengths)).dictionary_encode(),
    }
    values = np.concatenate([each.quantile(QUANTILES) for each in forecasts], axis=1)
    for chance, row in zip(QUANTILES, values, strict=True):
        columns[f"q{round(chance * 100):02d}"] = pa.array(np.round(row, 3))
    return pa.table(columns)


def write_reports(store: Store, basin: Basin, start: int, end: int, folder: Path) -> tuple[Path, ...]:
    """The report of [start, end) as HTML, PDF and DOCX in every language; returns the files."""
    made = report(basin, store, start, end)
    files: list[Path] = []
    for language in LANGUAGES:
        for form in FORMS:
            files.append(folder / f"report.{language}.{form}")
            _write(files[-1], report_file(made, form, language))
    return tuple(files)


def write_cap(events: Sequence[Event], basin: Basin, folder: Path) -> tuple[Path, ...]:
    """Every alert and notice of a log as a CAP 1.2 file; returns the files.

    What an archive gives again is an exercise and says so, lest someone take a flood of long ago for one of today.
    """
    files: list[Path] = []
    earlier: dict[str, list[Event]] = {}
    for each in events:
        if each.kind not in ("alert", "notice"):
            continue
        stamp = moment(epoch(each.time)).strftime("%Y%m%dT%H%MZ")
        files.append(folder / f"{stamp}-{each.id.replace(':', '_')}-{each.state}.xml")
        before = earlier.setdefault(each.id, [])
        _write(files[-1], to_cap(each, basin, before, "Exercise"))
        before.append(each)
    return tuple(files)


def _write(file: Path, content: bytes) -> None:
    """Write a file whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.write_bytes(content)
    part.replace(file)
