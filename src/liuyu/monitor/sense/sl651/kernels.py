"""The compiled walk of `decode_many`: what `Framer` and `Reader` do, over arrays."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numba import njit

from liuyu.monitor.sense.sl651.checks import crc_of
from liuyu.monitor.sense.sl651.digits import NO_NUMBER, NO_TIME, PLAUSIBLE, number_of, step_of, time_of, word_of
from liuyu.monitor.sense.sl651.messages import REMARKS

Array = Any
NUMBER, SERIES, STEP, WORD, SILENT = 0, 1, 2, 3, 4
REPORT, SERIAL_REPORT, STATE_REPORT, SETTINGS, UNREAD, PERIOD = 0, 1, 2, 3, 4, 5
TIME, STATION, TEXT, PICTURE, DRP, DRZ1, DRZ8, USER = 0xF0, 0xF1, 0xF2, 0xF3, 0xF4, 0xF5, 0xFC, 0xFF
SLOT, SLACK, DAY = 300, 1800, 86400
AUTO, END = 0, 2
_BIT = {name: 1 << place for place, name in enumerate(REMARKS)}
CLOCK, WHEN, SERIES_END, DEFINITION = _BIT["clock"], _BIT["time"], _BIT["series-end"], _BIT["definition"]
NOT_DECIMAL, SHORT, LEFTOVER, PASSWORD = _BIT["not-decimal"], _BIT["short"], _BIT["leftover"], _BIT["password"]
EARLIEST, LATEST = PLAUSIBLE
POWERS: Final = np.array([1.0, 10.0, 100.0, 1e3, 1e4, 1e5, 1e6, 1e7])


@njit(cache=True)  # type: ignore[untyped-decorator]
def scan(data: Array, ends: Array, start: Array, stop: Array) -> Any:
    """Places of the frames, into start and stop; how many, and how many heads turned out to be none."""
    count, broken, place, size = 0, 0, 0, len(data)
    while place + 17 < size:
        sound = data[place] == 0x7E and data[place + 1] == 0x7E and (data[place + 11] >> 4) & 7 == 0
        if sound and (data[place + 13] == 0x02 or data[place + 13] == 0x16):
            length = (data[place + 11] & 15) << 8 | data[place + 12]
            last = place + 14 + length
            if length > 0 and last + 2 < size and ends[data[last]]:
                if crc_of(data, place, last + 1) == (np.int64(data[last + 1]) << 8 | data[last + 2]):
                    start[count], stop[count] = place, last + 3
                    count += 1
                    place = last + 3
                    continue
                broken += 1
        place += 1
    return count, broken


@njit(cache=True)  # type: ignore[untyped-decorator]
def read_frames(
    data: Array, start: Array, stop: Array, now: int, tables: Any, ways: Any, frames: Any, values: Any
) -> Any:
    """Fill the columns of frames and values; returns how many values there are."""
    stations, centre, function, up, end, serial, sent, total, number, remarks = frames
    made = 0
    for frame in range(len(start)):
        at, last = start[frame], stop[frame] - 3
        upward = data[at + 11] >> 4 == 0
        station = _address(data, at + 3 if upward else at + 2)
        row = _row(ways.station, station)
        stations[frame], up[frame], end[frame] = station, upward, data[last]
        centre[frame] = data[at + 2] if upward else data[at + 7]
        function[frame], serial[frame], sent[frame] = data[at + 10], -1, NO_TIME
        told, place, headed, single = 0, at + 14, True, data[at + 13] == 0x02
        if ways.password[row] >= 0 and ways.password[row] != (np.int64(data[at + 8]) << 8 | data[at + 9]):
            told |= PASSWORD
        if not single:
            both = word_of(data, place, min(3, last - place))
            total[frame], number[frame] = both >> 12, both & 0xFFF
            place = min(place + 3, last)
            headed = number[frame] == 1 or not upward
        if headed:
            serial[frame], sent[frame], more = _head(data, place, last, ways.offset[row])
            told |= more
            place = min(place + 8, last)
        if single and place < last:
            body = tables.up[data[at + 10]] if upward else tables.down[data[at + 10]]
            if body == PERIOD:
                told |= _period(data, place, last)
            elif body != UNREAD:
                facts = (frame, station, sent[frame], row, body)
                made, more = _walk(data, place, last, facts, tables, ways, values, made)
                told |= more
        if sent[frame] != NO_TIME and _wrong(sent[frame], now):
            told |= CLOCK
        remarks[frame] = told
    return made


@njit(cache=True)  # type: ignore[untyped-decorator]
def _address(data: Array, place: int) -> Any:
    return word_of(data, place, 5)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _row(stations: Array, station: int) -> Any:
    """The place of a station's dialect; the default stands last."""
    row = np.searchsorted(stations, station)
    return row if row < len(stations) and stations[row] == station else len(stations)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _head(data: Array, place: int, last: int, offset: int) -> Any:
    if last - place < 8:
        return -1, NO_TIME, SHORT
    wall = time_of(data, place + 2, 6)
    serial = np.int64(data[place]) << 8 | data[place + 1]
    return serial, NO_TIME if wall == NO_TIME else wall - offset, WHEN if wall == NO_TIME else 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _period(data: Array, place: int, last: int) -> int:
    if last - place < 13 or data[place + 8] != 0x04 or data[place + 9] != 0x18:
        return 0
    return WHEN if time_of(data, place, 4) == NO_TIME or time_of(data, place + 4, 4) == NO_TIME else 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _wrong(sent: int, now: int) -> bool:
    return sent < EARLIEST or sent >= LATEST or (now != NO_TIME and abs(sent - now) > DAY)


@njit(cache=True)  # type: ignore[untyped-decorator]
def _declared(data: Array, place: int, stop: int, first: bool, tables: Any) -> Any:
    if place + 2 > stop:
        return 0
    lead, definition = data[place], np.int64(data[place + 1])
    if lead in (TIME, STATION):
        return 0 if lead != definition else 7 if lead == TIME else 8
    declared = tables.declared[lead]
    if lead in (TEXT, PICTURE, USER) or (first and not tables.follower[lead]) or declared == 0:
        return 0
    minus = definition == declared + 8 and place + 2 < stop and data[place + 2] == 0xFF
    return 2 + (definition >> 3) if definition == declared or minus else 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _follows(data: Array, start: int, stop: int, tables: Any) -> bool:
    place, first = start, True
    while place < stop:
        size = _declared(data, place, stop, first, tables)
        if size == 0 or place + size > stop:
            return False
        place, first = place + size, False
    return not first


@njit(cache=True)  # type: ignore[untyped-decorator]
def _kind_of(row: int, code: int, lead: int, settings: bool, tables: Any, odd: Array) -> Any:
    for place in range(len(odd)):
        if odd[place, 0] == row and odd[place, 1] == code:
            return odd[place, 2]
    if code > 0xFF:
        return NUMBER
    return tables.parameter[lead] if settings else tables.element[lead]


@njit(cache=True)  # type: ignore[untyped-decorator]
def _walk(data: Array, place: int, stop: int, facts: Any, tables: Any, ways: Any, values: Any, made: int) -> Any:
    """The elements of one body, as `Reader` reads them. facts: frame, its station, time of sending, dialect, body."""
    frame, header, sent, row, body = facts
    told, step, has = 0, 0, False
    whose = (np.int64(-1), np.int64(0), np.int64(NO_TIME))
    while place < stop:
        if place + 2 > stop:
            told |= LEFTOVER
            break
        lead = np.int64(data[place])
        station, category, observed = whose
        owner = header if station < 0 else station
        if lead == data[place + 1] and TIME <= lead <= PICTURE:
            if lead >= TEXT:
                made = _put(values, made, (frame, owner, category), lead, observed, np.nan)
                place = stop
                continue
            place, whose, more = _mark(data, place, stop, whose, has, body, ways.offset[row])
            told, has = told | more, False
            continue
        has = True
        code, definition, place = _identifier(data, place, stop)
        if code < 0:
            told |= LEFTOVER
            break
        item = (frame, owner, category, code, observed, row, body == SERIAL_REPORT)
        kind, length, repeats = _form(code, lead, definition, row, body, tables, ways.odd)
        told |= DEFINITION if kind == SERIES and definition >> 3 != length else 0
        if place + length > stop:
            made, more = _cut(data, place, stop, item, kind, sent, ways, values, made)
            told, place = told | SHORT | more, stop
            continue
        last = place + length
        while repeats and step > 0 and last + length <= stop and not _follows(data, last, stop, tables):
            last += length
        if kind == SERIES:
            made, more = _series(data, place, last, item, sent, ways, values, made)
        elif kind == STEP and length == 3:
            step, more = step_of(data, place), 0
            made = _put(values, made, (frame, owner, category), code, observed, step / 60.0)
        else:
            made, more = _numbers(data, place, last, item, (kind, length, definition & 7, step), values, made)
        told, place = told | more, last
    return made, told


@njit(cache=True)  # type: ignore[untyped-decorator]
def _identifier(data: Array, place: int, stop: int) -> Any:
    """The code of an identifier, -1 where it is cut off, its definition byte, and where its data begin."""
    lead, definition, place = np.int64(data[place]), np.int64(data[place + 1]), place + 2
    if lead != USER:
        return lead, definition, place
    if place >= stop:
        return np.int64(-1), definition, place
    return np.int64(0xFF00 | definition), np.int64(data[place]), place + 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _form(code: int, lead: int, definition: int, row: int, body: int, tables: Any, odd: Array) -> Any:
    """Kind and length of an element, and whether values of equal periods may follow the first."""
    kind = _kind_of(row, code, lead, body == SETTINGS, tables, odd)
    length = definition >> 3
    if kind == SERIES:
        length = 12 if lead == DRP else 24
    repeats = body == SERIAL_REPORT and length > 0 and kind != STEP and not TEXT <= code <= PICTURE
    return kind, length, repeats


@njit(cache=True)  # type: ignore[untyped-decorator]
def _mark(data: Array, place: int, stop: int, whose: Any, has: bool, body: int, offset: int) -> Any:
    """A station or a time of observation. whose: station (-1 for none), category and time that held so far."""
    station, category, observed = whose
    if place + 7 > stop:
        return stop, whose, SHORT
    if data[place] == TIME:
        wall = time_of(data, place + 2, 5)
        observed = np.int64(NO_TIME if wall == NO_TIME else wall - offset)
        return place + 7, (station, category, observed), WHEN if wall == NO_TIME else 0
    if has or station >= 0:
        observed = np.int64(NO_TIME)
    station, category = np.int64(_address(data, place + 2)), np.int64(0)
    place += 7
    timed = place + 1 < stop and data[place] == TIME and data[place + 1] == TIME
    if body in (REPORT, SERIAL_REPORT) and place < stop and not timed:
        category, place = np.int64(data[place]), place + 1
    return place, (station, category, observed), 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _put(values: Any, made: int, whose: Any, code: int, time: int, value: float) -> int:
    frames, stations, categories, elements, times, numbers = values
    frames[made], stations[made], categories[made] = whose
    elements[made], times[made], numbers[made] = code, time, value
    return made + 1


@njit(cache=True)  # type: ignore[untyped-decorator]
def _cut(data: Array, place: int, stop: int, item: Any, kind: int, sent: int, ways: Any, values: Any, made: int) -> Any:
    frame, owner, category, code, observed, _, _ = item
    if kind == SERIES and place < stop:
        return _series(data, place, stop, item, sent, ways, values, made)
    return _put(values, made, (frame, owner, category), code, observed, np.nan), 0


@njit(cache=True)  # type: ignore[untyped-decorator]
def _series(data: Array, place: int, last: int, item: Any, sent: int, ways: Any, values: Any, made: int) -> Any:
    """Rain or levels of every five minutes, from the time of observation or up to it."""
    frame, owner, category, code, observed, row, repeats = item
    width = 1 if code == DRP else 2
    count = (last - place) // width
    told, first, span = 0, observed, (count - 1) * SLOT
    late = sent != NO_TIME and observed + span > sent + SLACK
    ending = ways.hourly[row] == END or (ways.hourly[row] == AUTO and late)
    if observed != NO_TIME and ending and not repeats:
        told, first = SERIES_END, observed - span
    base = np.nan if code == DRP else ways.bases[row, code - DRZ1]
    for at in range(count):
        value = np.nan
        if width == 1:
            value = np.nan if data[place + at] == 0xFF else data[place + at] / 10.0
        else:
            word = np.int64(data[place + 2 * at]) << 8 | data[place + 2 * at + 1]
            if word != 0xFFFF:
                value = word / 100.0
                if not np.isnan(base):
                    value = np.floor((base + word / 100.0) * 1000.0 + 0.5) / 1000.0
        time = NO_TIME if observed == NO_TIME else first + at * SLOT
        made = _put(values, made, (frame, owner, category), code, time, value)
    return made, told


@njit(cache=True)  # type: ignore[untyped-decorator]
def _numbers(data: Array, place: int, last: int, item: Any, form: Any, values: Any, made: int) -> Any:
    """The values of an element, one or several of equal periods. form: kind, length of each, decimals, step [s]."""
    frame, owner, category, code, observed, _, _ = item
    kind, length, decimals, step = form
    count = (last - place) // length if length > 0 else 1
    told = 0
    for at in range(count):
        begin, value = place + at * length, np.nan
        if kind != SILENT:
            number = word_of(data, begin, length) if kind == WORD else number_of(data, begin, length)
            if number != NO_NUMBER:
                value = number / POWERS[decimals]
            elif kind != WORD and not _all_ff(data, begin, length):
                told |= NOT_DECIMAL
        time = NO_TIME if observed == NO_TIME else observed + at * step
        made = _put(values, made, (frame, owner, category), code, time, value)
    return made, told


@njit(cache=True)  # type: ignore[untyped-decorator]
def _all_ff(data: Array, begin: int, length: int) -> bool:
    place = begin
    while place < begin + length and data[place] == 0xFF:
        place += 1
    return place == begin + length
