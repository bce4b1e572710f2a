"""The options of a query ($top, $skip, $count, $orderby, $filter, $select, $expand), read and made sure of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote

from liuyu.basin.errors import BadInput
from liuyu.web.sensorthings.expressions import Node, Path, parse

PAGE = 100
LARGEST_PAGE = 10_000
DEEPEST_EXPAND = 5
_MOST_SKIPPED = 2**40
_KNOWN = ("$top", "$skip", "$count", "$orderby", "$filter", "$select", "$expand", "$skiptoken")

Pairs = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Order:
    """What to order by, and which way."""

    by: Node
    falling: bool

    @property
    def path(self) -> tuple[str, ...]:
        """The property to order by; empty where it is an expression."""
        return self.by.names if isinstance(self.by, Path) else ()


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a page of observations ended: the key of its last one, and the count, where it was asked for."""

    time: int
    place: int
    quantity: int
    count: int = -1

    def __str__(self) -> str:
        return f"{self.time}.{self.place}.{self.quantity}.{self.count}"


@dataclass(frozen=True, slots=True)
class Options:
    """A query. `pairs` keeps the options as they were written, for the link to the next page."""

    top: int = PAGE
    skip: int = 0
    count: bool = False
    order: tuple[Order, ...] = ()
    filter: Node | None = None
    select: tuple[str, ...] = ()
    expand: tuple[tuple[str, Options], ...] = ()
    mark: Mark | None = None
    pairs: tuple[tuple[str, str], ...] = ()

    def next_query(self, *, skip: int | None = None, mark: Mark | None = None) -> str:
        """The query string of the next page: the same options, farther on."""
        kept = [pair for pair in self.pairs if pair[0] not in ("$skip", "$skiptoken")]
        kept.append(("$skip", str(skip)) if mark is None else ("$skiptoken", str(mark)))
        return "&".join(f"{name}={quote(value, safe=_SAFE)}" for name, value in kept)


_SAFE = "$(),;='/:@*"


def read_query(text: str) -> Options:
    """The options of a query string. Raises BadInput, which names the option, its value and the cure."""
    pairs = parse_qsl(text, keep_blank_values=True)
    if len(pairs) > 50:
        raise BadInput(f"the query has {len(pairs)} options; give each once")
    return _read([pair for pair in pairs if pair[0].startswith("$")], 0)


def _read(pairs: Pairs, depth: int) -> Options:
    names = [name for name, _ in pairs]
    for name in names:
        if name not in _KNOWN:
            raise BadInput(f"option {name[:40]!r} is not known; choose from {', '.join(_KNOWN[:-1])}")
        if names.count(name) > 1:
            raise BadInput(f"{name} is given more than once; give it once")
    given = dict(pairs)
    return Options(
        top=min(_whole("$top", given.get("$top", str(PAGE))), LARGEST_PAGE),
        skip=_whole("$skip", given.get("$skip", "0")),
        count=_truth("$count", given.get("$count", "false")),
        order=tuple(_order(each) for each in split(given.get("$orderby", ""), ",")),
        filter=parse(given["$filter"]) if "$filter" in given else None,
        select=tuple(each.strip() for each in split(given.get("$select", ""), ",")),
        expand=_expansions(given.get("$expand", ""), depth),
        mark=_mark(given["$skiptoken"]) if "$skiptoken" in given else None,
        pairs=tuple(pairs),
    )


def split(text: str, separator: str) -> list[str]:
    """The parts of a text at a separator that stands outside parentheses and quotes."""
    parts, depth, quoted, start = [], 0, False, 0
    for place, each in enumerate(text):
        if each == "'":
            quoted = not quoted
        elif not quoted:
            depth += (each == "(") - (each == ")")
            if each == separator and depth == 0:
                parts.append(text[start:place])
                start = place + 1
    return [part.strip() for part in (*parts, text[start:]) if part.strip()]


def _whole(name: str, text: str) -> int:
    if not (text.isascii() and text.isdecimal()) or len(text) > 15 or int(text) > _MOST_SKIPPED:
        raise BadInput(f"{name}={text[:40]!r} is no whole number; give 0 or more")
    return int(text)


def _truth(name: str, text: str) -> bool:
    if text not in ("true", "false"):
        raise BadInput(f"{name}={text[:40]!r} is neither true nor false; give one of them")
    return text == "true"


def _order(text: str) -> Order:
    words = text.rsplit(None, 1)
    way = words[1].lower() if len(words) == 2 else ""
    if way in ("asc", "desc"):
        return Order(parse(words[0], "$orderby"), way == "desc")
    return Order(parse(text, "$orderby"), falling=False)


def _mark(text: str) -> Mark:
    parts = text.split(".")
    if len(parts) != 4 or not all(each.lstrip("-").isdecimal() and len(each) < 16 for each in parts):
        raise BadInput(f"$skiptoken={text[:40]!r} is not one that was given out; follow @iot.nextLink as it stands")
    time, place, quantity, count = (int(each) for each in parts)
    return Mark(time, place, quantity, count)


def _expansions(text: str, depth: int) -> tuple[tuple[str, Options], ...]:
    """What to expand: relations with options of their own; Datastreams/Thing expands one within the other."""
    if text and depth >= DEEPEST_EXPAND:
        raise BadInput(f"$expand is nested more than {DEEPEST_EXPAND} deep; ask in steps")
    found: dict[str, list[tuple[str, str]]] = {}
    for item in split(text, ","):
        head, bracket, rest = item.partition("(")
        if bracket and not rest.endswith(")"):
            raise BadInput(f"$expand={item[:60]!r} lacks its closing parenthesis; write Relation($option=...;...)")
        relation, _, below = head.strip().partition("/")
        inner = [_pair(each) for each in split(rest[:-1], ";")] if bracket else []
        if below:
            inner = [("$expand", below + (f"({rest}" if bracket else ""))]
        found.setdefault(relation, []).extend(inner)
    return tuple((name, _read(_joined(pairs), depth + 1)) for name, pairs in found.items())


def _pair(text: str) -> tuple[str, str]:
    name, _, value = text.partition("=")
    return name.strip(), value.strip()


def _joined(pairs: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Several expansions of one relation as one."""
    kept = [pair for pair in pairs if pair[0] != "$expand"]
    below = ",".join(value for name, value in pairs if name == "$expand")
    return [*kept, ("$expand", below)] if below else kept
