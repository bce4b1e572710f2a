"""Observations in pages: read from the store in pieces of time, as far as a page needs, however many there are.

The order is by time, then by place in the roster and number of the quantity; ids name the same three, so that ordering
by id is ordering by time. A page ends with a mark, and the next begins right behind it: a page far on costs as much as
the first. Any other order, or a count, reads all that match.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Any

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.clock import DAY, epoch, parse_time
from liuyu.basin.errors import BadInput
from liuyu.basin.series import Batch
from liuyu.web.sensorthings.catalogue import Entity
from liuyu.web.sensorthings.evaluate import Look, Mismatch, evaluate, holds
from liuyu.web.sensorthings.expressions import Call, Interval, Literal, Node, Path, conjuncts, paths_in
from liuyu.web.sensorthings.observations import Observations, ids_of, series_of, tell, texts_of
from liuyu.web.sensorthings.options import Mark, Options

MOST_SORTED = 200_000
MOST_COUNTED = 20_000_000
_TIME = ("phenomenonTime", "resultTime")
_BY_TIME = {("phenomenonTime",), ("resultTime",), ("id",), ("@iot.id",)}
_NOTED = {"parameters", "validTime"}
_MAY_BE_NOTED = {"result", "resultTime"}
_FLIPPED = {"gt": "lt", "ge": "le", "lt": "gt", "le": "ge", "eq": "eq"}


@dataclass(frozen=True, slots=True)
class Page:
    """A page of observations, the mark behind which the next begins (None at the end), and the count if asked for."""

    rows: Batch
    mark: Mark | None
    count: int | None
    skip: int | None = None


class Search:
    """One query for the observations of some datastreams.

    `newest` is the time of the newest usable observation of all and `end` a time after every one [s UTC].
    `look(stream, path)` gives a property of a datastream. With a `feature` only its observations are meant. Raises
    BadInput where the query cannot be done.
    """

    def __init__(
        self,
        source: Observations,
        streams: Sequence[Entity],
        options: Options,
        newest: int,
        end: int,
        look: Any,
        feature: str = "",
    ) -> None:
        self._options = options
        self._source = source
        self._lead = max(0, end - newest)
        self._look = look
        conditions = conjuncts(options.filter)
        of_stream = [each for each in conditions if _is_of_stream(each)]
        self._streams = [each for each in streams if all(self._keeps(one, each) for one in of_stream)]
        self._conditions = [each for each in conditions if not _is_of_stream(each)]
        self._by_key = source.keys(self._streams)
        self._noted = any(source.ledger.noted(each.id) for each in self._streams)
        self._feature = feature if feature and self._noted else ""
        orders = options.order
        by_time = _BY_TIME - {("resultTime",)} if self._noted else _BY_TIME
        self._by_time = not orders or (orders[0].path in by_time and all(each.path in by_time for each in orders))
        self._falling = bool(orders) and orders[0].falling
        first = source.earliest(self._streams)
        self._start, self._end = (0, 0) if first is None else (first, end)
        for each in self._conditions:
            self._narrow(each)

    def page(self) -> Page:
        """The observations that the query asks for."""
        return self._walk() if self._by_time else self._sort()

    def _walk(self) -> Page:
        """Read forward, or backward, in time until the page is full."""
        options, mark = self._options, self._options.mark
        count = mark.count if mark and mark.count >= 0 else None
        if options.count and count is None:
            count = sum(len(each) for each in self._pieces(DAY * 366, None))
        parts: list[Batch] = []
        to_skip, missing = (0 if mark else options.skip), options.top + 1
        for piece in self._pieces(self._span(options.top + to_skip), mark):
            skipped = min(to_skip, len(piece))
            to_skip -= skipped
            part = piece.take(slice(skipped, skipped + missing))
            missing -= len(part)
            parts.append(part)
            if missing <= 0:
                break
        rows = Batch.join(parts) if parts else self._source.read((), 0, 0)
        page = rows.take(slice(0, options.top))
        behind = _mark_of(page, count) if len(rows) > options.top and len(page) else None
        return Page(page, behind, count if options.count else None)

    def _sort(self) -> Page:
        """Read all that match, and order them by whatever was asked for."""
        parts, total = [], 0
        for piece in self._pieces(DAY * 92, None):
            total += len(piece)
            parts.append(piece)
            if total > MOST_SORTED:
                raise BadInput(
                    f"$orderby would sort more than {MOST_SORTED} observations; narrow phenomenonTime, or order by it"
                )
        rows = Batch.join(parts) if parts else self._source.read((), 0, 0)
        for order in reversed(self._options.order):
            keys = self._column(order.by, rows)
            rows = rows.take(_sorted(keys, order.falling))
        options = self._options
        page = rows.take(slice(options.skip, options.skip + options.top))
        end = options.skip + len(page)
        more = end if end < len(rows) and len(page) else None
        return Page(page, None, len(rows) if options.count else None, more)

    def _pieces(self, span: int, mark: Mark | None) -> Iterator[Batch]:
        """What matches, piece by piece in the order of the answer; pieces grow where little is found."""
        start, end = self._start, self._end
        if mark and self._falling:
            end = min(end, mark.time + 1)
        elif mark:
            start = max(start, mark.time)
        counted, lead = 0, (self._lead if self._falling and not mark else 0)
        while start < end and self._streams:
            edge = max(start, end - span - lead) if self._falling else min(end, start + span)
            first, last = (edge, end) if self._falling else (start, edge)
            found = self._source.read(self._streams, first, last)
            counted += len(found)
            if counted > MOST_COUNTED:
                raise BadInput(f"the query reads more than {MOST_COUNTED} observations; narrow phenomenonTime")
            if self._falling:
                found = found.take(slice(None, None, -1))
            if mark:
                found = found.take(_behind(found, mark, self._falling))
            if self._feature:
                found = found.take(self._of_feature(found))
            yield found.take(self._matching(found))
            start, end = (start, edge) if self._falling else (edge, end)
            span, lead = min(span * 2, DAY * 366), 0

    def _span(self, rows: int) -> int:
        """A piece of time in which about so many observations lie, if the stations report as they should."""
        rate = self._source.rate(self._streams)
        return int(min(DAY * 366, max(60, 1.2 * (rows + 1) / rate if rate else DAY)))

    def _matching(self, rows: Batch) -> NDArray[np.bool_]:
        keep = np.ones(len(rows), np.bool_)
        if self._conditions and len(rows):
            for each in self._conditions:
                keep &= self._column(each, rows, condition=True)
        return keep

    def _of_feature(self, rows: Batch) -> NDArray[np.bool_]:
        """Where observations are of the feature: they name it, or name none and their datastream is of it."""
        streams = [self._by_key[key] for key in series_of(rows).tolist()]
        told = [note.get("feature", "") for note in self._source.notes_of(rows)]
        own = [each.links.get("FeatureOfInterest", (each.station,))[0] for each in streams]
        named = [note or other for note, other in zip(told, own, strict=True)]
        return np.array([each == self._feature for each in named], np.bool_)

    def _column(self, node: Node, rows: Batch, *, condition: bool = False) -> Any:
        """The value of an expression for every row; where notes count, those rows that may have one by one."""
        told = {path[0] for path in paths_in(node)} & (_NOTED | _MAY_BE_NOTED if self._noted else _NOTED)
        if not told or not len(rows):
            return self._plain_column(node, rows, condition=condition)
        noted = [key for key, each in self._by_key.items() if self._source.ledger.noted(each.id)]
        alone = np.isin(series_of(rows), noted) if told <= _MAY_BE_NOTED else np.ones(len(rows), np.bool_)
        column = np.empty(len(rows), np.bool_ if condition else object)
        column[alone] = self._one_by_one(node, rows.take(alone), condition=condition)
        if alone.all():
            return column
        try:
            column[~alone] = self._plain_column(node, rows.take(~alone), condition=condition)
        except Mismatch:
            if not condition:
                raise
            column[~alone] = False
        return column

    def _plain_column(self, node: Node, rows: Batch, *, condition: bool) -> Any:
        """The value of an expression for rows without notes; properties of datastreams are looked up once for each."""
        ask = holds if condition else evaluate
        if all(_of_row(each) for each in paths_in(node)):
            return np.broadcast_to(np.asarray(ask(node, lambda path: _row_value(path, rows))), rows.time.shape)
        series = series_of(rows)
        column = np.empty(len(rows), np.bool_ if condition else object)
        for key in np.unique(series):
            where = series == key
            column[where] = ask(node, self._looking(rows.take(where), self._by_key[int(key)]))
        return column

    def _one_by_one(self, node: Node, rows: Batch, *, condition: bool) -> Any:
        """The value of an expression with notes; a condition on a value of another kind does not hold."""
        column = np.empty(len(rows), np.bool_ if condition else object)
        times = texts_of(rows.time)
        for place, note in enumerate(self._source.notes_of(rows)):
            told = tell(times[place], float(rows.value[place]), int(rows.flag[place]), note)
            row = rows.take(slice(place, place + 1))
            stream = self._by_key[int(series_of(row)[0])]

            def look(path: tuple[str, ...], told: Any = told, row: Batch = row, stream: Entity = stream) -> Any:
                if not _of_row(path):
                    return self._look(stream, path)
                return _told_value(path, told) if path[0] in _NOTED | _MAY_BE_NOTED else _row_value(path, row)[0]

            try:
                column[place] = holds(node, look) if condition else evaluate(node, look)
            except Mismatch:
                if not condition:
                    raise
                column[place] = False
        return column

    def _looking(self, rows: Batch, stream: Entity) -> Look:
        """What gives the value of a path for rows of one datastream."""
        return lambda path: _row_value(path, rows) if _of_row(path) else self._look(stream, path)

    def _keeps(self, node: Node, stream: Entity) -> bool:
        return bool(holds(node, lambda path: self._look(stream, path)))

    def _narrow(self, node: Node) -> None:
        """Narrow the span of time by a condition such as `phenomenonTime ge 2020-08-10T00:00:00Z`."""
        if not (isinstance(node, Call) and node.name in _FLIPPED):
            return
        left, right = node.arguments
        name = node.name
        if isinstance(left, Literal):
            left, right, name = right, left, _FLIPPED[name]
        times = _TIME[:1] if self._noted else _TIME
        is_time = isinstance(left, Path) and len(left.names) == 1 and left.names[0] in times
        if not (is_time and isinstance(right, Literal) and isinstance(right.value, np.datetime64)):
            return
        second = float(right.value.astype("datetime64[ms]").astype(np.int64)) / 1000
        if name in ("gt", "ge", "eq"):
            self._start = max(self._start, int(np.floor(second)))
        if name in ("lt", "le", "eq"):
            self._end = min(self._end, int(np.floor(second)) + 1)


def _mark_of(page: Batch, count: int | None) -> Mark:
    return Mark(int(page.time[-1]), int(page.station[-1]), int(page.quantity[-1]), -1 if count is None else count)


def _behind(rows: Batch, mark: Mark, falling: bool) -> NDArray[np.bool_]:
    """Which rows lie behind a mark, in the order of the answer."""
    here, there = series_of(rows), (mark.place << 16) | mark.quantity
    behind, beside = (np.less, here < there) if falling else (np.greater, here > there)
    return np.asarray(behind(rows.time, mark.time) | ((rows.time == mark.time) & beside), np.bool_)


def _is_of_stream(node: Node) -> bool:
    paths = paths_in(node)
    return bool(paths) and all(path[0] in ("Datastream", "FeatureOfInterest") for path in paths)


def _of_row(path: tuple[str, ...]) -> bool:
    return path[0] not in ("Datastream", "FeatureOfInterest")


def _row_value(path: tuple[str, ...], rows: Batch) -> Any:
    if path == ("result",):
        return rows.value
    if path in (("phenomenonTime",), ("resultTime",)):
        return rows.time.astype("datetime64[s]").astype("datetime64[ms]")
    if path in (("resultQuality",), ("resultQuality", "flag")):
        return rows.flag.astype(np.int64)
    if path in (("id",), ("@iot.id",)):
        return np.array(ids_of(rows))
    shown = "/".join(path)
    raise BadInput(
        f"an Observation has no property {shown[:60]!r} to ask by; use result, phenomenonTime, resultTime, "
        "resultQuality/flag, or a property of its Datastream"
    )


def _told_value(path: tuple[str, ...], told: Any) -> Any:
    value = told.get(path[0])
    if path[0] in ("resultTime", "validTime") and value is not None:
        return time_value(value)
    for name in path[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def time_value(text: str) -> Any:
    """A time or interval that a property holds, as expressions know it."""
    parts = [np.datetime64(epoch(parse_time(each, UTC)), "s").astype("datetime64[ms]") for each in text.split("/")]
    return parts[0] if len(parts) == 1 else Interval(parts[0], parts[1])


def _sorted(keys: Any, falling: bool) -> NDArray[np.intp]:
    values = np.asarray(keys)
    if values.dtype == object:
        values = np.array(["" if each is None else str(each) for each in values])
    order = np.argsort(values, kind="stable")
    return order if not falling else np.argsort(-np.unique(values, return_inverse=True)[1], kind="stable")
