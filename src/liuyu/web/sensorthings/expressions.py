"""The language of $filter and $orderby (OGC 18-088 9.3.3.5, after OData 4.0 part 2), read into a small tree.

or < and < not < eq ne gt ge lt le < add sub < mul div mod < - < literal, path, function, (...)
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np

from liuyu.basin.errors import BadInput

LONGEST = 4000
DEEPEST = 40
COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<geography>geography'[^']*') | (?P<duration>duration'[^']*')
    | (?P<text>'(?:[^']|'')*')
    | (?P<time>\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+\- ]\d{2}:?\d{2})?)
    | (?P<date>\d{4}-\d{2}-\d{2})
    | (?P<number>\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_@][\w.@]*)
    | (?P<mark>[(),/\-])
    )""",
    re.VERBOSE,
)
_DURATION = re.compile(r"(-)?P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?$")


@dataclass(frozen=True, slots=True)
class Interval:
    """A time interval, as datetime64[ms] in UTC, both ends within."""

    start: np.datetime64
    end: np.datetime64


@dataclass(frozen=True, slots=True)
class Geometry:
    """A point, or a ring of positions (longitude, latitude)."""

    kind: str
    positions: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Literal:
    """A value that stands in the text."""

    value: Any


@dataclass(frozen=True, slots=True)
class Path:
    """A property, reached over relations: Thing/name."""

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """An operator or function and what it is applied to."""

    name: str
    arguments: tuple[Node, ...]


Node = Literal | Path | Call


def parse(text: str, option: str = "$filter") -> Node:
    """The tree of an expression. Raises BadInput, which shows where the text cannot be read."""
    if len(text) > LONGEST:
        raise BadInput(f"{option} has {len(text)} characters and the most is {LONGEST}; shorten it")
    parser = _Parser(text, option)
    node = parser.either()
    parser.end()
    return node


def paths_in(node: Node) -> set[tuple[str, ...]]:
    """Every path that an expression uses."""
    if isinstance(node, Path):
        return {node.names}
    if isinstance(node, Call):
        return set().union(*(paths_in(each) for each in node.arguments))
    return set()


def conjuncts(node: Node | None) -> list[Node]:
    """The expressions that must all hold: the operands of the outermost `and`s."""
    if node is None:
        return []
    if isinstance(node, Call) and node.name == "and":
        return [part for each in node.arguments for part in conjuncts(each)]
    return [node]


class _Parser:
    """Recursive descent over the tokens; each method reads one level of precedence and returns its tree."""

    def __init__(self, text: str, option: str) -> None:
        self._text = text
        self._option = option
        self._at = 0
        self._depth = 0
        self._kind = ""
        self._token = ""
        self._start = 0
        self._advance()

    def either(self) -> Node:
        self._depth += 1
        if self._depth > DEEPEST:
            raise BadInput(f"{self._option} is nested more than {DEEPEST} deep; take parentheses out")
        node = self._chain(("or",), lambda: self._chain(("and",), self._negation))
        self._depth -= 1
        return node

    def end(self) -> None:
        if self._kind != "end":
            self._fail("nothing more")

    def _chain(self, names: tuple[str, ...], operand: Any) -> Node:
        node: Node = operand()
        while self._kind == "name" and self._token in names:
            name = self._take()
            node = Call(name, (node, operand()))
        return node

    def _negation(self) -> Node:
        negations = 0
        while self._kind == "name" and self._token == "not":
            self._take()
            negations += 1
        node = self._comparison()
        return Call("not", (node,)) if negations % 2 else node

    def _comparison(self) -> Node:
        return self._chain(COMPARISONS, lambda: self._chain(("add", "sub"), self._product))

    def _product(self) -> Node:
        return self._chain(("mul", "div", "mod"), self._signed)

    def _signed(self) -> Node:
        if self._token == "-" and self._kind == "mark":
            self._take()
            return Call("sub", (Literal(0), self._signed())) if self._kind != "number" else Literal(-self._number())
        return self._primary()

    def _primary(self) -> Node:
        if self._kind == "mark" and self._token == "(":
            self._take()
            node = self.either()
            self._expect(")")
            return node
        if self._kind == "number":
            return Literal(self._number())
        if self._kind == "time":
            return self._time()
        if self._kind in ("text", "date", "duration", "geography"):
            read = {"text": _text, "date": _date, "duration": _duration, "geography": _geometry}[self._kind]
            try:
                return Literal(read(self._take()))
            except ValueError as error:
                raise BadInput(f"{self._option}: {error}; write it as the standard does") from None
        if self._kind == "name":
            return self._named()
        self._fail("a value, a property or a function")
        raise AssertionError

    def _time(self) -> Node:
        start = _moment(self._take(), self._option)
        if self._kind == "mark" and self._token == "/":
            self._take()
            if self._kind != "time":
                self._fail("the end of the interval")
            return Literal(Interval(start, _moment(self._take(), self._option)))
        return Literal(start)

    def _number(self) -> float | int:
        text = self._take()
        return float(text) if any(each in text for each in ".eE") else int(text[:300])

    def _named(self) -> Node:
        names = [self._take()]
        constant = {"true": True, "false": False, "null": None}
        if names[0] in constant:
            return Literal(constant[names[0]])
        if self._kind == "mark" and self._token == "(":
            return Call(names[0], self._arguments())
        while self._kind == "mark" and self._token == "/":
            self._take()
            if self._kind != "name":
                self._fail("the name of a property")
            names.append(self._take())
        return Path(tuple(names))

    def _arguments(self) -> tuple[Node, ...]:
        self._take()
        found: list[Node] = []
        while not (self._kind == "mark" and self._token == ")"):
            if found:
                self._expect(",")
            found.append(self.either())
        self._take()
        return tuple(found)

    def _expect(self, mark: str) -> None:
        if self._kind != "mark" or self._token != mark:
            self._fail(repr(mark))
        self._take()

    def _take(self) -> str:
        token = self._token
        self._advance()
        return token

    def _advance(self) -> None:
        found = _TOKEN.match(self._text, self._at)
        if found is None:
            rest = self._text[self._at :].strip()
            self._kind, self._token, self._start = ("end", "", len(self._text)) if not rest else ("?", rest, self._at)
            return
        self._kind = str(found.lastgroup)
        self._token, self._start, self._at = found[self._kind], found.start(self._kind), found.end()

    def _fail(self, expected: str) -> None:
        where = self._text[self._start : self._start + 30] or "the end"
        raise BadInput(
            f"{self._option} cannot be read at {where!r} (character {self._start + 1}); put {expected} there"
        )


def _text(token: str) -> str:
    return token[1:-1].replace("''", "'")


def _date(token: str) -> np.datetime64:
    return np.datetime64(token, "D")


def _duration(token: str) -> np.timedelta64:
    found = _DURATION.match(token[len("duration'") : -1])
    if found is None or not any(found.groups()[1:]):
        raise ValueError(f"{token} is no duration of days, hours, minutes and seconds")
    days, hours, minutes, seconds = (float(each or 0) for each in found.groups()[1:])
    whole = round((((days * 24 + hours) * 60 + minutes) * 60 + seconds) * 1000)
    return np.timedelta64(-whole if found[1] else whole, "ms")


def _moment(token: str, option: str) -> np.datetime64:
    """A time as datetime64[ms] in UTC. A plus sign that a URL turned into a space is put back."""
    try:
        moment = datetime.fromisoformat(token.replace(" ", "+"))
    except ValueError as error:
        raise BadInput(f"{option}: {token!r} is no time ({error}); write it as 2020-08-10T14:00:00Z") from None
    if moment.tzinfo is None:
        raise BadInput(f"{option}: {token!r} has no zone; add Z, or +08:00 with the plus sign as %2B")
    return np.datetime64(round(moment.timestamp() * 1000), "ms")


def _geometry(token: str) -> Geometry:
    found = re.fullmatch(r"geography'\s*(POINT|POLYGON)\s*\(+([^()]*)\)+\s*'", token, re.IGNORECASE)
    if found is None:
        raise ValueError(f"{token[:60]} is neither a POINT nor a POLYGON of one ring")
    positions = []
    for each in found[2].split(","):
        longitude, latitude = (float(part) for part in each.split()[:2])
        positions.append((longitude, latitude))
    return Geometry(found[1].upper(), tuple(positions))
