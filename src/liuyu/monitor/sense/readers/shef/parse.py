"""The three forms of SHEF to single reports.

After the SHEF Code Manual (National Weather Service 10-944): .A one station, several elements; .B several stations,
the same elements; .E one station, one element, evenly spaced.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from liuyu.basin.errors import BadInput
from liuyu.monitor.sense.readers.shef.dates import STEP, Clock, NoTime, header_date, zone_of
from liuyu.monitor.sense.readers.shef.messages import Message

_HEAD = re.compile(r"\s*(\S+)\s+(\d{4}|\d{6}|\d{8})(?=[\s/]|$)(?:\s+([A-Za-z]{1,2})(?=[\s/]|$))?(.*)", re.DOTALL)
_ELEMENT = re.compile(r"[A-Za-z][A-Za-z0-9]{0,6}")
_VALUE = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*([A-Za-z]?)", re.ASCII)
_MISSING = re.compile(r"[+-]?9999(\.0*)?|[+]|M+(\.M+)?|MSG|X|\*+|NAN", re.IGNORECASE)
_SETTING = re.compile(r"D(U[ES]|Q[A-Z]?|V[SNHDMY]\d+|VZ|VH?|C\d*|CM*)", re.IGNORECASE)
LONGEST_STATION = 8


@dataclass(frozen=True, slots=True)
class Report:
    """One value: station, code as written, time [s UTC], value as written (None: missing, "T": a trace).

    `standard` is True for SI units, False for English ones. `qualifier` is one letter, or empty.
    """

    station: str
    code: str
    time: int
    value: float | None
    trace: bool
    qualifier: str
    standard: bool
    line: int
    raw: str


Tell = Callable[[str, int, str, str], None]
"""Hears of a fault: problem and cure, line, value, raw text."""


@dataclass(slots=True)
class _State:
    clock: Clock
    standard: bool = False
    qualifier: str = ""

    def copy(self) -> _State:
        return replace(self, clock=self.clock.copy())

    def change(self, token: str) -> bool:
        """Take a D code; False where the token is none."""
        code = token.upper()
        if self.clock.change(code):
            return True
        if not _SETTING.fullmatch(code):
            return False
        if code.startswith("DU"):
            self.standard = code.endswith("S")
        elif code.startswith("DQ"):
            self.qualifier = code[2:]
        return True


def reports(message: Message, near: datetime | None, tell: Tell) -> Iterator[Report]:
    """The reports of a message, in order; what is faulty is told, and the rest goes on."""
    found = _HEAD.fullmatch(message.text)
    try:
        if not found:
            raise BadInput("has no station and date; write .A STATION yymmdd Z DHhhmm /code value")
        station, zone = found[1], zone_of(found[3] or "Z")
        rest = found[4] if zone else f" {found[3]}{found[4]}"
        state = _State(Clock(header_date(found[2], near), zone or zone_of("Z")))  # type: ignore[arg-type]
        if message.form != "B":
            _check_station(station)
        read = {"A": _form_a, "B": _form_b, "E": _form_e}[message.form]
        yield from read(message, station, state, rest, tell)
    except BadInput as error:
        tell(str(error), message.line, "", message.raw)


def _check_station(station: str) -> None:
    if len(station) > LONGEST_STATION:
        raise BadInput(f"station {station!r} is longer than {LONGEST_STATION} signs; shorten it")


def _form_a(message: Message, station: str, state: _State, rest: str, tell: Tell) -> Iterator[Report]:
    waits = ""  # an element whose value has not come: some write a slash between the two
    for piece in [*rest.split("/"), ""]:
        words = piece.split()
        try:
            if waits and not (words and _VALUE.match(words[0])):
                yield _report(message, station, waits, state, state.clock.moment(), "")
                waits = ""
            while words:
                word = words.pop(0)
                if waits or (not state.change(word) and not _MISSING.fullmatch(word)):
                    waits = waits or _element(word)
                    text = word if word != waits else words.pop(0) if words else ""
                    if text and words and re.fullmatch("[A-Z]", words[0]):
                        text += words.pop(0)
                    if text:
                        code, waits = waits, ""
                        yield _report(message, station, code, state, state.clock.moment(), text)
        except NoTime:
            waits = ""
        except BadInput as error:
            tell(str(error), message.line, piece.strip(), message.raw)
            waits = ""


def _element(word: str) -> str:
    if not _ELEMENT.fullmatch(word):
        raise BadInput(f"{word!r} is neither an element nor a time; check the slashes")
    return word


def _report(message: Message, station: str, code: str, state: _State, time: int, text: str) -> Report:
    value, trace, qualifier = _value(text)
    return Report(
        station,
        code.upper(),
        time,
        value,
        trace,
        qualifier or state.qualifier,
        state.standard,
        message.line,
        message.raw,
    )


def _value(text: str) -> tuple[float | None, bool, str]:
    """Value, whether it is a trace, and its qualifier. Raises BadInput for what is none of these."""
    plain = text.strip()
    if not plain or _MISSING.fullmatch(plain):
        return None, False, ""
    if plain.upper() == "T":
        return 0.0, True, ""
    found = _VALUE.fullmatch(plain)
    if not found:
        raise BadInput(f"value {plain!r} is not a number; write M where there is none")
    return float(found[1]), False, found[2].upper()


def _form_e(message: Message, station: str, state: _State, rest: str, tell: Tell) -> Iterator[Report]:
    code, step, count = "", ("", 0), 0
    for piece in rest.split("/"):
        words = piece.split()
        if step[0]:
            for word in words or [""]:
                if state.change(word):
                    continue
                found = _step_value(message, station, code, state, (step[0], step[1] * count), word, tell)
                count += 1
                if found is not None:
                    yield found
            continue
        for place, word in enumerate(words):
            interval = STEP.fullmatch(word)
            if interval:
                step = interval[1].upper(), int(interval[2])
                if not code:
                    raise BadInput("the interval comes before the element; write /element/DIHnn/value/value")
            elif not state.change(word):
                if code or not _ELEMENT.fullmatch(word):
                    raise BadInput(f"{' '.join(words[place:])!r} stands where DI and an interval should; write /DIHnn/")
                code = word
    if not step[0]:
        raise BadInput("has no interval; write /DIHnn/ before the values")


def _step_value(
    message: Message, station: str, code: str, state: _State, steps: tuple[str, int], text: str, tell: Tell
) -> Report | None:
    """One value of a row, or None where nothing stands there or it is faulty."""
    if not text:
        return None
    try:
        return _report(message, station, code, state, state.clock.moment(steps), text)
    except NoTime:
        return None
    except BadInput as error:
        tell(str(error), message.line, text, message.raw)
        return None


def _form_b(message: Message, source: str, state: _State, rest: str, tell: Tell) -> Iterator[Report]:
    columns: list[tuple[str, _State]] = []
    for word in rest.replace("/", " ").split():
        if state.change(word):
            continue
        if not _ELEMENT.fullmatch(word):
            raise BadInput(f"{word!r} in the header is neither an element nor a time; check the slashes")
        columns.append((word, state.copy()))
    if not columns:
        raise BadInput("the header names no element; write .B SOURCE yymmdd Z DHhh /element/element")
    for line, raw, text in message.body:
        row = replace(message, line=line, raw=raw)
        try:
            yield from _row(row, columns, text, tell)
        except NoTime:
            continue
        except BadInput as error:
            tell(str(error), line, "", raw)


def _row(row: Message, columns: list[tuple[str, _State]], text: str, tell: Tell) -> Iterator[Report]:
    first, *pieces = text.split("/")
    words = first.split()
    if not words or _State(columns[0][1].clock.copy()).change(words[0]):
        raise BadInput("names no station; begin the line with one")
    station, changes, rest = words[0], [], words[1:]
    _check_station(station)
    trial = columns[0][1].copy()
    while rest and trial.change(rest[0]):
        changes.append(rest.pop(0))
    if rest or not changes:
        pieces.insert(0, " ".join(rest))
    while pieces and trial.change(pieces[0].strip()) if pieces and pieces[0].strip() else False:
        changes.append(pieces.pop(0).strip())
    if len(pieces) == len(columns) + 1 and not pieces[-1].strip():
        pieces.pop()
    if len(pieces) > len(columns):
        raise BadInput(f"has {len(pieces)} values where the header names {len(columns)} elements; remove some")
    pieces += [""] * (len(columns) - len(pieces))
    for (code, state), piece in zip(columns, pieces, strict=True):
        here = state.copy()
        for change in changes:
            here.change(change)
        try:
            yield _report(row, station, code, here, here.clock.moment(), piece)
        except BadInput as error:
            tell(str(error), row.line, piece.strip(), row.raw)
