"""A plan's termination is always reachable: whatever plan passes the check, whatever the water did before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from liuyu.basin.assessments import Assessments
from liuyu.basin.clock import HOUR
from liuyu.basin.places import Basin, Reservoir, Season, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.assess import Assess
from liuyu.monitor.respond import Respond, read_playbook
from liuyu.monitor.respond.contingency.checking import Where, check_plan
from liuyu.monitor.respond.contingency.ending import World, calm, days_of, end
from liuyu.monitor.respond.contingency.form import Both, Condition, Ends, Level, Plan

START = 1625097600  # 2021-07-01T00:00Z, in the flood season of the reservoir below
CODES = ("A", "B", "D")
BASIN = Basin(
    code="trial",
    name="试验",
    name_en="trial",
    time_zone="Asia/Shanghai",
    synthetic=True,
    folder="trial",
    stations=tuple(Station(code=code, name=code, name_en=code, river="江", kind="ZZ") for code in CODES),
    thresholds=(
        Threshold(station="A", quantity="water_level", kind="warning", value=20.0),
        Threshold(station="A", quantity="water_level", kind="guarantee", value=22.0),
        Threshold(station="B", quantity="water_level", kind="warning", value=15.0),
        Threshold(
            station="D",
            quantity="water_level",
            kind="flood_limit",
            value=145.0,
            season=Season(start=(6, 10), end=(9, 30)),
        ),
        Threshold(station="D", quantity="water_level", kind="dead_pool", value=144.0, side="below"),
    ),
    reservoirs=(Reservoir(code="dam", name="坝", name_en="dam", station="D", curve=((140.0, 1e9), (180.0, 4e9))),),
)
RANGES = {"A": (10.0, 26.0), "B": (8.0, 20.0), "D": (144.0, 180.0)}


class Notes(Where):
    """Collects faults."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def fault(self, thing: object, problem: str, cure: str, *, key: str = "", value: object = "") -> None:
        self.found.append(problem)


@st.composite
def leaves(draw: st.DrawFn) -> Condition:
    station = draw(st.sampled_from(CODES))
    low, high = RANGES[station]
    line: Any = draw(st.floats(low, high).map(lambda each: round(each, 1)))
    if station == "A" and draw(st.booleans()):
        line = draw(st.sampled_from(["warning", "guarantee"]))
    elif station == "D" and draw(st.booleans()):
        line = draw(st.sampled_from(["flood_limit", "dead_pool"]))
    side = {"below": line} if draw(st.integers(0, 5)) == 0 else {"above": line}
    by = draw(st.sampled_from([0.0, 0.0, 0.5, -0.3]))
    return Condition(kind="observed", station=station, by=by, for_h=draw(st.integers(0, 3)), **side)


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    if draw(st.integers(0, 2)):
        return draw(leaves())
    kind: Any = draw(st.sampled_from(["any", "all"]))
    return Condition(kind=kind, parts=tuple(draw(st.lists(leaves(), min_size=2, max_size=3))))


@st.composite
def levels(draw: st.DrawFn, code: str) -> Level:
    ends = Ends(
        after_h=draw(st.integers(1, 6)),
        easing={"water_level": draw(st.sampled_from([0.0, 0.2, 1.0]))},
        also=tuple(draw(st.lists(leaves(), max_size=1))),
    )
    tops = tuple(draw(st.lists(conditions(), min_size=1, max_size=3)))
    return Level(code=code, conditions=tops, ends=ends)  # type: ignore[arg-type]


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    return Plan(
        code="trial",
        version="1",
        effective_from="2020-01-01",
        name=Both("试验", "trial"),
        authority=Both("试验", "trial"),
        source="synthetic",
        levels=tuple(draw(levels(code)) for code in ("IV", "II")),
    )


COURSES = st.lists(
    st.fixed_dictionaries(
        {code: st.floats(low, high).map(lambda each: round(each, 2)) for code, (low, high) in RANGES.items()}
    ),
    min_size=1,
    max_size=12,
)


class Bench:
    """The stage under one plan, fed with a level of each gauge an hour; everything proposed is approved."""

    def __init__(self, plan: Plan) -> None:
        self.assess, self.respond, self.now = Assess(BASIN), Respond(BASIN, read_playbook([], BASIN), [plan]), START

    def hour(self, values: Mapping[str, float]) -> None:
        self.now += HOUR
        self.respond.contingency.observe(self._assessed(values))
        self.respond.step([], self.now)
        for course in self.respond.contingency.open():
            if course.proposed is not None:
                event = self.respond.contingency.decide(course.id, True, None, "wang", "", self.now)
                self.respond.step([event], self.now)

    def _assessed(self, values: Mapping[str, float]) -> Assessments:
        places = [BASIN.roster.number[code] for code in CODES]
        kinds = [quantity("water_level").number] * len(CODES)
        batch = Batch.of(BASIN.roster, places, kinds, [self.now] * 3, [values[code] for code in CODES], [1] * 3)
        return self.assess.step(batch, self.now)

    @property
    def level(self) -> str:
        return "".join(course.level for course in self.respond.contingency.open())


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans(), course=COURSES)
def test_whatever_plan_passes_the_check_its_response_comes_to_an_end(
    plan: Plan, course: list[dict[str, float]]
) -> None:
    notes = Notes()
    check_plan(plan, BASIN, [], notes)
    quiet = calm(plan, BASIN, date(2021, 7, 1))
    if any("can never be ended" in each for each in notes.found) or quiet is None:
        return
    bench = Bench(plan)
    for values in course:
        bench.hour(values)
    values = {code: quiet.get(f"{code}/water_level", RANGES[code][0]) for code in CODES}
    for _ in range(4 * 7):
        bench.hour(values)
    assert bench.level == "", f"still at {bench.level} under {values}: {msgspec.json.encode(plan).decode()}"


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(plan=plans())
def test_the_check_finds_an_ending_whenever_a_search_of_all_values_does(plan: Plan) -> None:
    """Against brute force over every value at which something can change, one gauge beside the other."""
    level, day = plan.levels[-1], date(2021, 7, 1)
    world = World(BASIN, day)
    lines: dict[str, set[float]] = {code: {low, high} for code, (low, high) in RANGES.items()}
    for each in (
        *(one for level in plan.levels for one in level.conditions),
        *(o for x in plan.levels for o in x.ends.also),
    ):
        for leaf in each.leaves():
            line = world.line(leaf, leaf.station)
            assert line is not None
            for eased in (0.0, 0.2, 1.0, -0.2, -1.0):
                lines[leaf.station] |= {line + eased - 0.01, line + eased, line + eased + 0.01}
    inside = {
        code: sorted(each for each in values if world.range(f"{code}/water_level")[0] <= each <= 180.0)
        for code, values in lines.items()
    }
    found = end(plan, level, world).values
    brute = any(
        _ends_at(plan, {"A": a, "B": b, "D": d}, world) for a in inside["A"] for b in inside["B"] for d in inside["D"]
    )
    assert (found is not None) == brute
    if found is not None:
        middle = {code: found.get(f"{code}/water_level", RANGES[code][0]) for code in CODES}
        assert _ends_at(plan, middle, world)


def _ends_at(plan: Plan, values: Mapping[str, float], world: World) -> bool:
    return not any(
        any(_holds(each, values, world, level.ends.easing["water_level"]) for each in level.conditions)
        for level in plan.levels
    ) and all(_holds(each, values, world, 0.0) for level in plan.levels for each in level.ends.also)


def _holds(condition: Condition, values: Mapping[str, float], world: World, ease: float) -> bool:
    if condition.parts:
        parts = [_holds(each, values, world, ease) for each in condition.parts]
        return all(parts) if condition.kind == "all" else any(parts)
    line = world.line(condition, condition.station)
    assert line is not None
    value = values[condition.station]
    return value >= line - ease - 1e-9 if condition.below is None else value <= line + ease + 1e-9


def test_every_day_on_which_a_threshold_changes_is_looked_at() -> None:
    assert [(each.month, each.day) for each in days_of(BASIN)] == [(1, 1), (6, 10), (10, 1)]
