"""Reading rule files: every fault at once, each with its file, line, value and cure."""

from __future__ import annotations

import difflib
import string
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from liuyu.basin.errors import BadPackage
from liuyu.basin.events import SEVERITIES
from liuyu.basin.places import THRESHOLD_KINDS, Basin
from liuyu.basin.quantities import quantities
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.alert.floods import line_of
from liuyu.monitor.alert.language import PLACEHOLDERS, FloodRule, Rule, Rules, Section, Test, Titles

KINDS = ("alerts", "floods", "notices", "playbook")


def read_rules(files: Sequence[Path], basin: Basin) -> Rules:
    """The alert rules and flood numberings of some files; files of another kind are left to their own readers.

    Raises BadPackage with every fault of every file.
    """
    sources = [TomlFile(path) for path in files]
    alerts: list[Rule] = []
    floods: list[FloodRule] = []
    known = {str(row.get("name")) for file in sources if file.kind == "alerts" for row in _rows(file, "rule")}
    seen: dict[str, str] = {}
    for file in sources:
        if file.kind == "alerts":
            alerts += _alerts(file, basin, known, seen)
        elif file.kind == "floods":
            floods += _floods(file, basin)
        elif file.data and file.kind not in KINDS:
            cure = f"begin the file with kind = one of {', '.join(KINDS)}"
            file.fault("says not what it holds", cure, key="kind", value=file.kind)
    faults = [fault for file in sources for fault in file.faults]
    if faults:
        raise BadPackage(basin.folder or basin.code, faults)
    return Rules(alerts=tuple(alerts), floods=tuple(floods))


def _rows(file: TomlFile, table: str) -> list[Mapping[str, object]]:
    rows = file.data.get(table, [])
    return [row for row in rows if isinstance(row, Mapping)] if isinstance(rows, list) else []


class _Place:
    """A table of a file, for telling faults in it."""

    def __init__(self, file: TomlFile, table: str, row: int) -> None:
        self.file, self.table, self.row = file, table, row

    def fault(self, key: str, value: object, problem: str, cure: str) -> None:
        self.file.fault(problem, cure, table=self.table, index=self.row, key=key, value=value)

    def known(self, key: str, values: Iterable[str], allowed: Iterable[str], what: str) -> None:
        names = list(allowed)
        for value in values:
            if value not in names:
                near = difflib.get_close_matches(value, names, n=1)
                listed = ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
                cure = f"did you mean {near[0]!r}?" if near else f"known: {listed or 'none'}"
                self.fault(key, value, f"no such {what}", cure)

    def title(self, key: str, title: Titles, fields: Sequence[str]) -> None:
        for language in ("zh", "en"):
            if not title.get(language):
                self.fault(key, title, f"has no {language} text", "give both languages")
                continue
            try:
                used = {name for _, name, _, _ in string.Formatter().parse(title[language]) if name is not None}
            except ValueError as error:
                self.fault(key, title[language], f"cannot be filled in: {error}", "close every brace")
            else:
                self.known(key, sorted(used), fields, "placeholder")


def _alerts(file: TomlFile, basin: Basin, known: set[str], seen: dict[str, str]) -> list[Rule]:
    found = file.tables("rule", Rule)
    for row, rule in found:
        place = _Place(file, "rule", row)
        if rule.name in seen:
            place.fault("name", rule.name, f"is a rule of {seen[rule.name]} already", "give it another name")
        seen[rule.name] = str(file.path)
        place.title("title", rule.title, PLACEHOLDERS)
        place.title("group", {"zh": rule.group, "en": rule.group}, PLACEHOLDERS)
        _match(place, rule, basin)
        _levels(place, rule)
        place.known("inhibits", rule.inhibits, sorted(known - {rule.name}), "rule to inhibit")
        if rule.escalate_to and not rule.escalate_after:
            place.fault("escalate_to", rule.escalate_to, "never happens without escalate_after", "add escalate_after")
    if not found and not file.faults:
        file.fault("holds no rule", "add [[rule]] tables")
    return [rule for _, rule in found]


def _match(place: _Place, rule: Rule, basin: Basin) -> None:
    match = rule.match
    reservoirs = [each.code for each in basin.reservoirs]
    place.known("match", [match.quantity], [each.name for each in quantities()], "quantity")
    place.known("match", [match.threshold] if match.threshold else [], THRESHOLD_KINDS, "threshold kind")
    place.known("match", match.stations, basin.roster.codes, "station")
    place.known("match", match.rivers, sorted({each.river for each in basin.stations}), "river")
    place.known("match", [each for each in match.reservoirs if each != "*"], reservoirs, "reservoir")


def _levels(place: _Place, rule: Rule) -> None:
    if rule.level and (rule.severity or rule.when):
        place.fault("level", rule.name, "stands beside severity or when", "write one level, or several in `level`")
    elif not rule.level and not (rule.severity and rule.when):
        place.fault("when", rule.name, "has no condition", "give severity and when, or several in `level`")
    ranks = [SEVERITIES.index(each.severity) for each in rule.levels]
    if ranks != sorted(set(ranks)):
        place.fault("level", [each.severity for each in rule.levels], "are not rising", "order them mildest first")
    for level in rule.levels:
        for test in level.when:
            _test(place, test, "level" if rule.level else "when")


def _test(place: _Place, test: Test, key: str) -> None:
    if not test.tests:
        place.fault(key, "{}", "tests nothing", "name a test: above, below, value_above, rising, ...")
    place.known(key, [each for each in (test.above, test.below) if each], THRESHOLD_KINDS, "threshold kind")
    place.known(key, [test.trend] if test.trend else [], ("rising", "falling", "steady"), "trend")


class _Heading(msgspec.Struct, frozen=True, kw_only=True):
    kind: str
    name: Titles
    source: str = ""


def _floods(file: TomlFile, basin: Basin) -> list[FloodRule]:
    heading = file.convert(file.data, _Heading)
    sections = file.tables("section", Section)
    codes = [section.code for _, section in sections]
    for row, section in sections:
        place = _Place(file, "section", row)
        place.title("name", section.name, ())
        if codes.index(section.code) != row:
            place.fault("code", section.code, "is a section already", "give it another code")
        place.known("station", [each.station for each in section.criterion], basin.roster.codes, "station")
        names = [each.name for each in quantities()]
        place.known("quantity", [each.quantity for each in section.criterion], names, "quantity")
        place.known("joins", [each.section for each in section.joins], codes, "section")
        for each in section.criterion:
            if line_of(each, basin) is None:
                cure = "add reaches = ... here, or a threshold of kind flood_number to thresholds.csv"
                place.fault("station", each.station, f"{each.quantity} has no line to number floods by", cure)
        if not section.criterion:
            place.fault("criterion", section.code, "has no criterion", "add [[section.criterion]] tables")
    if heading is None:
        return []
    _Place(file, "", 0).title("name", heading.name, ("year", "number"))
    if not sections and not file.faults:
        file.fault("holds no section", "add [[section]] tables")
    rows = tuple(section for _, section in sections)
    return [FloodRule(name=heading.name, sections=rows, source=heading.source, file=str(file.path.name))]
