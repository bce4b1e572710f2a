"""The language of $filter: what binds tighter, what each function gives, and that arrays and single values agree."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from liuyu.basin.errors import BadInput
from liuyu.web.sensorthings.evaluate import evaluate, holds
from liuyu.web.sensorthings.expressions import conjuncts, parse, paths_in
from liuyu.web.sensorthings.options import read_query, split

NAMES = {
    ("a",): 3,
    ("b",): 4.0,
    ("name",): "Three Gorges",
    ("none",): None,
    ("time",): np.datetime64("2020-08-20T08:30:15.250", "ms"),
    ("yes",): True,
}


def value(text: str) -> Any:
    return evaluate(parse(text), NAMES.__getitem__)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1 add 2 mul 3", 7),
        ("(1 add 2) mul 3", 9),
        ("7 sub 2 sub 1", 4),
        ("-a mul -2", 6),
        ("- (a add 1)", -4),
        ("7 mod 4 div 2", 1.5),
        ("2 lt 3 and 3 lt 2 or true", True),
        ("true or true and false", True),
        ("(true or true) and false", False),
        ("not false and false", False),
        ("not (false and false)", True),
        ("not not true", True),
        ("not a eq 4", True),
        ("a add 1 eq b", True),
        ("1.5e2 eq 150", True),
        ("'it''s' eq 'it''s'", True),
        ("length('it''s')", 4),
        ("none eq null", True),
        ("none ne null", False),
        ("name ne null", True),
        ("none gt 3", False),
        ("none and true", False),
        ("contains(name, 'Gorge')", True),
        ("substringof('Gorge', name)", True),
        ("startswith(tolower(name), 'three')", True),
        ("endswith(toupper(name), 'ES')", True),
        ("indexof(name, 'Gorges')", 6),
        ("substring(name, 6)", "Gorges"),
        ("substring(name, 0, 5)", "Three"),
        ("trim('  x ')", "x"),
        ("concat('a', concat('b', 'c'))", "abc"),
        ("round(2.5) eq 3 and round(-2.5) eq -2", True),
        ("floor(-0.5)", -1),
        ("ceiling(0.2)", 1),
        ("year(time)", 2020),
        ("month(time)", 8),
        ("day(time)", 20),
        ("hour(time)", 8),
        ("minute(time)", 30),
        ("second(time)", 15),
        ("fractionalseconds(time)", 0.25),
        ("date(time) eq 2020-08-20", True),
        ("time eq 2020-08-20T16:30:15.250+08:00", True),
        ("time lt 2020-08-20T16:30:15.250 08:00", False),
        ("time add duration'P1DT1H' gt 2020-08-21T09:00:00Z", True),
        ("time gt 2020-08-19T00:00:00Z/2020-08-20T00:00:00Z", True),
        ("before(time, 2020-08-21T00:00:00Z)", True),
        ("after(time, 2020-08-21T00:00:00Z)", False),
        ("overlaps(time, 2020-08-20T00:00:00Z/2020-08-21T00:00:00Z)", True),
        ("geo.distance(geography'POINT(3 0)', geography'POINT(0 4)')", 5.0),
    ],
)
def test_worth(text: str, expected: Any) -> None:
    assert value(text) == expected


numbers = st.one_of(st.integers(-50, 50), st.floats(-50, 50).map(lambda x: round(x, 3)))


@given(numbers, numbers, st.sampled_from(["add", "sub", "mul"]), st.sampled_from(["lt", "le", "gt", "ge", "eq", "ne"]))
def test_arrays_and_single_values_agree(x: float, y: float, operation: str, comparison: str) -> None:
    tree = parse(f"x {operation} y {comparison} x and not (y gt 10 or x eq y)")
    single = holds(tree, {("x",): x, ("y",): y}.__getitem__)
    many = holds(tree, {("x",): np.array([x, x, 1.0]), ("y",): np.array([y, y, 11.0])}.__getitem__)
    assert many.tolist() == [bool(single), bool(single), False]


def test_conditions_that_must_all_hold() -> None:
    tree = parse("a eq 1 and (b eq 2 and name eq 'x' or yes) and none eq null")
    assert [sorted(paths_in(each)) for each in conjuncts(tree)] == [
        [("a",)],
        [("b",), ("name",), ("yes",)],
        [("none",)],
    ]


@pytest.mark.parametrize("text", ["a ge", "a b", "a eq 1)", "(a eq 1", "a eq 'x", "f(a,,b)", "1 eq /", "a/", "?"])
def test_what_cannot_be_read(text: str) -> None:
    with pytest.raises(BadInput, match=r"\$filter cannot be read at"):
        parse(text)


def test_separators_within_parentheses_and_quotes_stay() -> None:
    assert split("A($x=1,2;$y=3),B,C($f=n eq 'a,b')", ",") == ["A($x=1,2;$y=3)", "B", "C($f=n eq 'a,b')"]


def test_expansions_of_one_relation_are_joined() -> None:
    options = read_query("$expand=A/B($top=1),A/C,A($select=name)")
    ((name, inner),) = options.expand
    assert (name, inner.select) == ("A", ("name",))
    assert [(each, below.top) for each, below in inner.expand] == [("B", 1), ("C", 100)]


def test_next_page_keeps_the_query() -> None:
    options = read_query("$top=5&$skip=3&$filter=name%20eq%20'a%2Bb%26c'&$count=true")
    again = read_query(options.next_query(skip=8))
    assert (again.top, again.skip, again.count, again.filter) == (5, 8, True, options.filter)
