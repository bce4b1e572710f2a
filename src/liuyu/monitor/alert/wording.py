"""The words of alerts: titles, and the trace that says which conditions were met, with which numbers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import tzinfo

from liuyu.basin.clock import HOUR, moment
from liuyu.basin.events import Text
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Assessment
from liuyu.monitor.alert.language import Rule, Test

SEVERITY_WORDS: Mapping[str, Text] = {
    "blue": {"zh": "蓝色", "en": "blue"},
    "yellow": {"zh": "黄色", "en": "yellow"},
    "orange": {"zh": "橙色", "en": "orange"},
    "red": {"zh": "红色", "en": "red"},
}
_QUANTITY_EN: Mapping[str, str] = {"reservoir_inflow": "inflow", "reservoir_outflow": "outflow"}


def unit(name: str) -> str:
    """A quantity's unit as people write it."""
    return quantity(name).unit.replace("m3", "m³")


def number(value: float, name: str) -> str:
    """A value with the decimals that its quantity is spoken of with: levels to the centimetre, large flows whole.

    >>> number(27.3, "water_level"), number(50000.0, "discharge"), number(12.25, "discharge")
    ('27.30', '50000', '12.2')
    """
    if name == "water_level":
        return f"{value:.3f}" if round(value, 2) != round(value, 3) else f"{value:.2f}"
    return f"{value:.0f}" if abs(value) >= 100 or value == round(value) else f"{value:.1f}"


def clock(seconds: int, zone: tzinfo) -> str:
    """A time of day as the basin's people read it."""
    return f"{moment(seconds, zone):%Y-%m-%d %H:%M}"


def span(seconds: int) -> str:
    """A length of time in hours, or in minutes where it is short.

    >>> span(7200), span(5400)
    ('2 h', '90 min')
    """
    return f"{seconds // HOUR} h" if seconds % HOUR == 0 else f"{seconds // 60} min"


def _kind(kind: str) -> tuple[str, str]:
    return THRESHOLD_KINDS.get(kind, (kind, kind.replace("_", " ")))


def names(basin: Basin, station: str, quantity_name: str) -> Mapping[str, dict[str, str]]:
    """What a station and its quantity are called in both languages, as placeholders."""
    place, reservoir = basin.station_by_code[station], basin.reservoir_by_station.get(station)
    row = quantity(quantity_name)
    chinese = {"station": place.name, "quantity": row.name_zh, "reservoir": reservoir.name if reservoir else ""}
    english = {
        "station": place.name_en,
        "quantity": _QUANTITY_EN.get(row.name, row.name.replace("_", " ")),
        "reservoir": reservoir.name_en if reservoir else "",
    }
    shared = {"river": place.river, "unit": unit(quantity_name)}
    return {"zh": chinese | shared, "en": english | shared}


def values(basin: Basin, rule: Rule, severity: str, at: Assessment, kind: str) -> Mapping[str, dict[str, str]]:
    """Every placeholder that a title may use, in both languages."""
    found, line = names(basin, at.station, at.quantity), _line(at, kind)
    margin = at.margins.get(kind)
    shared = {
        "rule": rule.name,
        "value": number(at.value, at.quantity),
        "line": "" if line is None else number(line, at.quantity),
        "margin": "" if margin is None else number(abs(margin), at.quantity),
        "tendency": "" if at.tendency is None else f"{at.tendency:+.2f} {unit(at.quantity)}/h",
        "time": f"{at.time.astimezone(basin.zone):%Y-%m-%d %H:%M}",
    }
    for language, word in (("zh", _kind(kind)[0]), ("en", _kind(kind)[1])):
        found[language].update(shared, threshold=word if kind else "", severity=SEVERITY_WORDS[severity][language])
    return found


def _line(at: Assessment, kind: str) -> float | None:
    return round(at.value - at.margins[kind], 6) if kind in at.margins else None


def reason(test: Test, at: Assessment, basin: Basin) -> Text:
    """A met condition in words, with its numbers: one clause for each test, and the time of the value."""
    clauses = [_CLAUSES[name](test, at, names(basin, at.station, at.quantity)) for name in test.tests]
    when = f"{at.time.astimezone(basin.zone):%Y-%m-%d %H:%M}"
    return {
        "zh": f"{when} {',且'.join(chinese for chinese, _ in clauses)}",
        "en": f"{when}: {' and '.join(english for _, english in clauses)}",
    }


Words = Mapping[str, dict[str, str]]


def _against_line(test: Test, at: Assessment, words: Words) -> tuple[str, str]:
    kind = test.above or test.below
    margin, line = at.margins.get(kind, 0.0), _line(at, kind)
    shown, gap = number(at.value, at.quantity), number(abs(margin), at.quantity)
    height = "" if line is None else number(line, at.quantity)
    side_zh, side_en = ("达到", "at") if margin == 0 else ("超", "above") if margin > 0 else ("低于", "below")
    chinese, english, measure = words["zh"]["quantity"], words["en"]["quantity"], words["en"]["unit"]
    by_zh, by_en = ("", "") if margin == 0 else (f" {gap} {measure}", f"{gap} {measure} ")
    near_zh, near_en = "", ""
    if test.by < 0:
        reach = number(-test.by, at.quantity)
        near_zh, near_en = f"（接近：{reach} {measure} 以内）", f" (near: within {reach} {measure})"
    return (
        f"{chinese} {shown} {measure}，{side_zh}{_line_zh(kind, chinese)}（{height} {measure}）{by_zh}{near_zh}",
        f"{english} {shown} {measure} is {by_en}{side_en} the {_kind(kind)[1]} line {height} {measure}{near_en}",
    )


def _line_zh(kind: str, chinese: str) -> str:
    """A line's Chinese name, as 警戒水位, 汛限水位, 死水位."""
    word = _kind(kind)[0]
    return word if word.endswith(("位", "标准")) else word + chinese


def _against_value(test: Test, at: Assessment, words: Words) -> tuple[str, str]:
    above = test.value_above is not None
    limit = test.value_above if test.value_above is not None else (test.value_below or 0.0)
    shown, held, measure = number(at.value, at.quantity), number(limit, at.quantity), words["en"]["unit"]
    return (
        f"{words['zh']['quantity']} {shown} {measure}，{'不低于' if above else '不高于'} {held} {measure}",
        f"{words['en']['quantity']} {shown} {measure} is at least {held} {measure}"
        if above
        else f"{words['en']['quantity']} {shown} {measure} is at most {held} {measure}",
    )


def _against_rate(test: Test, at: Assessment, words: Words) -> tuple[str, str]:
    rising = test.rising is not None
    limit = test.rising if test.rising is not None else (test.falling or 0.0)
    rate, measure = abs(at.tendency or 0.0), f"{words['en']['unit']}/h"
    return (
        f"{words['zh']['quantity']}{'上涨' if rising else '下降'} {rate:.3g} {measure}（标准 {limit:g} {measure}）",
        f"{words['en']['quantity']} {'rises' if rising else 'falls'} by {rate:.3g} {measure} "
        f"(limit {limit:g} {measure})",
    )


def _against_period(test: Test, at: Assessment, words: Words) -> tuple[str, str]:
    years = at.return_period or 0.0
    return (
        f"重现期约 {years:.0f} 年（标准 {test.return_period:g} 年）",
        f"return period about {years:.0f} years (limit {test.return_period:g} years)",
    )


def _against_trend(test: Test, at: Assessment, words: Words) -> tuple[str, str]:
    chinese = {"rising": "上涨", "falling": "下降", "steady": "平稳"}[at.trend]
    return f"{words['zh']['quantity']}{chinese}", f"{words['en']['quantity']} is {at.trend}"


_CLAUSES = {
    "above": _against_line,
    "below": _against_line,
    "value_above": _against_value,
    "value_below": _against_value,
    "rising": _against_rate,
    "falling": _against_rate,
    "return_period": _against_period,
    "trend": _against_trend,
}


def lasted(seconds: int) -> Text:
    """That the condition held for so long."""
    return {"zh": f"已持续 {span(seconds)}", "en": f"held for {span(seconds)}"}


def ceased(at: Assessment, kind: str, lasting: int, basin: Basin) -> Text:
    """That no condition holds any more."""
    words, line = names(basin, at.station, at.quantity), _line(at, kind)
    when, shown = f"{at.time.astimezone(basin.zone):%Y-%m-%d %H:%M}", number(at.value, at.quantity)
    measure = unit(at.quantity)
    against = ("", "")
    if line is not None:
        held = number(line, at.quantity)
        against = (
            f"（{_line_zh(kind, words['zh']['quantity'])} {held} {measure}）",
            f" ({_kind(kind)[1]} line {held} {measure})",
        )
    for_zh, for_en = (
        (f"，已持续 {span(lasting)}", f"has not held for {span(lasting)}") if lasting else ("", "no longer holds")
    )
    return {
        "zh": f"{when} {words['zh']['quantity']} {shown} {measure}{against[0]}，条件不再满足{for_zh}",
        "en": f"{when}: {words['en']['quantity']} {shown} {measure}{against[1]}, the condition {for_en}",
    }


def silent(since: int, basin: Basin) -> Text:
    """That no usable value has come since a time, so that the alert stands."""
    when = clock(since, basin.zone)
    return {"zh": f"{when} 以来无可用数据，预警保持", "en": f"no usable value since {when}; the alert stands"}
