"""Holding conditions against the situation: which is met, by which value, at which station and time, by how much."""

from __future__ import annotations

from dataclasses import dataclass

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.events import SEVERITIES
from liuyu.basin.places import Basin
from liuyu.monitor.respond.contingency import finding as words
from liuyu.monitor.respond.contingency.finding import Finding, Value
from liuyu.monitor.respond.contingency.form import Condition, Ends, Level, Plan
from liuyu.monitor.respond.contingency.situation import Situation, Standing, stations_of, threshold_of


@dataclass(frozen=True, slots=True)
class View:
    """A situation as one plan sees it at a moment [s UTC].

    With `ease` lines count as passed a little below them, chances a little lower, durations not at all, and a gauge
    that fell silent counts longer: so a level that is in force is held.
    """

    plan: Plan
    situation: Situation
    now: int
    ease: Ends | None = None

    @property
    def basin(self) -> Basin:
        """The basin of the situation."""
        return self.situation.basin

    def margin(self, name: str) -> float:
        """By how much a line of a quantity is lowered [unit]."""
        return float(self.ease.easing.get(name, 0.0)) if self.ease else 0.0


def triggered(level: Level, view: View) -> tuple[bool, tuple[Finding, ...]]:
    """Whether the conditions of a level are met, and what each found."""
    found = tuple(
        evaluate(each, view, f"{view.plan.code}@{view.plan.version}/{level.code}/{place}")
        for place, each in enumerate(level.conditions)
    )
    return enough(level, [each.met for each in found]), found


def enough(level: Level, met: list[bool]) -> bool:
    """Whether so many conditions met make a level."""
    if level.match == "all":
        return bool(met) and all(met)
    return sum(met) >= (1 if level.match == "any" else level.match)


def evaluate(condition: Condition, view: View, path: str) -> Finding:
    """What becomes of a condition. `path` names it among all, for what must last some time."""
    if condition.kind in {"any", "all"}:
        return _joined(condition, view, path)
    if condition.kind == "reported":
        return Finding(kind="reported", met=False, text=words.plain(condition, view.basin))
    if condition.kind == "numbered_flood":
        return _flood(condition, view)
    if condition.kind in {"notice", "alert"}:
        return _standing(condition, view)
    values = tuple(_value(condition, each, view) for each in stations_of(condition, view.basin))
    have = sum(each.met for each in values)
    passed = have >= condition.at_least
    text = _values_text(condition, values, view)
    if view.ease is not None or not condition.for_h:
        return Finding(kind=condition.kind, met=passed, text=text, need=condition.at_least, have=have, values=values)
    return _lasting(condition, view, path, Finding(
        kind=condition.kind, met=passed, text=text, need=condition.at_least, have=have, values=values
    ))  # fmt: skip


def _lasting(condition: Condition, view: View, path: str, found: Finding) -> Finding:
    since = view.situation.memory.since
    if not found.met:
        since.pop(path, None)
        return found
    times = [int(each.time.timestamp()) for each in found.values if each.met and each.time]
    first = since.setdefault(path, min(times, default=view.now))
    lasted = words.held(first, view.now, condition.for_h)
    return Finding(
        kind=found.kind,
        met=view.now - first >= condition.for_h * HOUR,
        text={language: found.text[language] + lasted[language] for language in ("zh", "en")},
        need=found.need,
        have=found.have,
        since=moment(first),
        values=found.values,
    )


def _joined(condition: Condition, view: View, path: str) -> Finding:
    parts = tuple(evaluate(each, view, f"{path}/{place}") for place, each in enumerate(condition.parts))
    have = sum(each.met for each in parts)
    need = len(parts) if condition.kind == "all" else condition.at_least
    text = condition.text.text() if condition.text else words.joined([each.text for each in parts], condition)
    return Finding(kind=condition.kind, met=have >= need and bool(parts), text=text, need=need, have=have, parts=parts)


def _value(condition: Condition, station: str, view: View) -> Value:
    """One station against the condition."""
    if condition.kind == "forecast":
        return _ahead(condition, station, view)
    name = condition.quantity
    reading = view.situation.memory.readings.get(f"{station}/{name}")
    limit = view.plan.silent_h if view.ease else view.plan.fresh_h
    if reading is None or view.now - reading.time > limit * HOUR:
        return Value(station=station, quantity=name, met=False)
    at = moment(reading.time)
    if condition.kind == "rising":
        met = reading.rate is not None and reading.rate >= (condition.rate or 0.0) - view.margin("rising")
        return Value(station=station, quantity=name, met=met, value=reading.value, time=at)
    if condition.kind == "return_period":
        met = reading.years is not None and reading.years >= (condition.years or 0.0) - view.margin("return_period")
        return Value(station=station, quantity=name, met=met, value=reading.value, time=at)
    line, kind = line_of(condition, station, view)
    if line is None:
        return Value(station=station, quantity=name, met=False, value=reading.value, threshold=kind, time=at)
    margin = round(reading.value - line if condition.below is None else line - reading.value, 4)
    return Value(
        station=station,
        quantity=name,
        met=margin >= -view.margin(name),
        value=reading.value,
        line=line,
        threshold=kind,
        margin=margin,
        time=at,
    )


def line_of(condition: Condition, station: str, view: View) -> tuple[float | None, str]:
    """The line of a condition at a station [unit] on the day of the view, and the kind of threshold it is laid on."""
    given = condition.above if condition.below is None else condition.below
    if not isinstance(given, str):
        return (None if given is None else float(given) + condition.by), ""
    day = moment(view.now, view.basin.zone).date()
    found = threshold_of(view.basin, station, condition.quantity, given, day)
    return (None if found is None else round(found.value + condition.by, 4)), given


def _ahead(condition: Condition, station: str, view: View) -> Value:
    name = condition.quantity
    outlook = view.situation.memory.outlooks.get(f"{station}/{name}/{condition.within_h}")
    if outlook is None or view.now - outlook.issued > view.plan.forecast_h * HOUR:
        return Value(station=station, quantity=name, met=False)
    line, kind = line_of(condition, station, view)
    over = condition.below is None
    members = outlook.highest if over else outlook.lowest
    middle = members[len(members) // 2]
    if line is None:
        return Value(station=station, quantity=name, met=False, value=middle, threshold=kind)
    eased = view.margin(name)
    passed = [each >= line - eased if over else each <= line + eased for each in members]
    chance = round(sum(passed) / len(passed), 4)
    need = condition.chance - (view.ease.chance_easing if view.ease else 0.0)
    return Value(
        station=station,
        quantity=name,
        met=chance >= max(need, 0.01),
        value=middle,
        line=line,
        threshold=kind,
        margin=round(middle - line if over else line - middle, 4),
        chance=chance,
        time=moment(outlook.peak_time),
    )


def _values_text(condition: Condition, values: tuple[Value, ...], view: View) -> dict[str, str]:
    if len(values) == 1:
        said = words.value_words(condition, values[0], view.basin)
        if condition.kind in {"rising", "return_period"}:
            need = words.plain(condition, view.basin)
            return {"zh": f"{said['zh']}（条件：{need['zh']}）", "en": f"{said['en']} (condition: {need['en']})"}
        return said
    return words.many_words(condition, values, view.basin)


def _flood(condition: Condition, view: View) -> Finding:
    wanted = set(stations_of(condition, view.basin))
    found = [
        each
        for each in view.situation.memory.floods.values()
        if view.now - each.time <= condition.within_h * HOUR and each.station in wanted
    ]
    titles = [
        {
            "zh": f"{each.name}形成（{words.clock(each.time, view.basin)['zh']}）",
            "en": f"{each.name_en} formed ({words.clock(each.time, view.basin)['en']})",
        }
        for each in sorted(found, key=lambda each: each.time)
    ]
    text = words.listed_words("numbered_flood", titles, condition.at_least)
    met = len(found) >= condition.at_least
    return Finding(kind="numbered_flood", met=met, text=text, need=condition.at_least, have=len(found))


def _standing(condition: Condition, view: View) -> Finding:
    memory = view.situation.memory
    wanted = set(stations_of(condition, view.basin))
    rows = memory.notices if condition.kind == "notice" else memory.alerts
    need = condition.chance - (view.ease.chance_easing if view.ease else 0.0)
    found = [each for each in rows.values() if each.station in wanted and _suits(condition, each, need)]
    text = words.listed_words(condition.kind, [each.title for each in found], condition.at_least)
    met = len(found) >= condition.at_least
    return Finding(kind=condition.kind, met=met, text=text, need=condition.at_least, have=len(found))


def _suits(condition: Condition, each: Standing, chance: float) -> bool:
    if condition.threshold and each.threshold != condition.threshold:
        return False
    if condition.rule and each.rule != condition.rule:
        return False
    if condition.severity and SEVERITIES.index(each.severity) < SEVERITIES.index(condition.severity):
        return False
    return condition.kind == "alert" or each.chance >= chance
