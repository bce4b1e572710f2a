"""The desk: alerts that stand, and what happens to them. Raised, changed, acknowledged, escalated, cleared."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.basin.assessments import Assessments, SeriesIndex
from liuyu.basin.clock import epoch, moment
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.events import SEVERITIES, Alert, Event, Severity, Silence, announce
from liuyu.basin.places import Basin
from liuyu.basin.records import Assessment
from liuyu.monitor.alert import wording
from liuyu.monitor.alert.conditions import met
from liuyu.monitor.alert.language import Rule, both, fill, seconds
from liuyu.monitor.alert.memory import Quiet, Standing

_MATCHES = ("id", "subject", "rule", "severity", "quantity", "group")


class Desk:
    """Standing alerts by rule and series, and the events that a step will announce."""

    def __init__(self, basin: Basin, rules: Sequence[Rule], index: SeriesIndex) -> None:
        self.basin = basin
        self.rules = rules
        self.index = index
        self.standing: dict[tuple[int, int], Standing] = {}
        self.quiets: list[Quiet] = []
        self._stations: dict[str, list[tuple[int, int]]] = {}
        self._journal: dict[tuple[str, str], Event] = {}
        self._escalate = [seconds(rule.escalate_after) if rule.escalate_after else None for rule in rules]
        self._silent = [seconds(rule.silent_after) for rule in rules]

    def restore(self, standing: Sequence[Standing], quiets: list[Quiet]) -> None:
        """Take up the alerts and silences of an earlier run."""
        numbers = {rule.name: number for number, rule in enumerate(self.rules)}
        self.standing, self._stations, self._journal, self.quiets = {}, {}, {}, quiets
        for each in standing:
            self._add((numbers[each.rule], each.place), each)

    def drain(self) -> list[Event]:
        """The events since the last call, oldest first. Of two equal in id and state, the later one stands."""
        events, self._journal = list(self._journal.values()), {}
        return events

    def change(
        self, number: int, place: int, level: int, since: int, assessed: Assessments, row: int, now: int
    ) -> None:
        """A rule's level for a series became another: raise, change or clear its alert."""
        key, at = (number, place), assessed.record(row)
        kept = self.standing.get(key)
        if level == 0 and kept is not None:
            self._clear(key, kept, at, since, now)
        elif level > 0:
            alert = self._written(number, level, since, assessed, row, at)
            if kept is None:
                kept = Standing(rule=alert.rule, place=place, level=level, waiting_since=now, alert=alert)
                kept.alert = replace(alert, raised=moment(now), inhibited_by=self._inhibitor(key, alert))
                self._add(key, kept)
                self._say(kept, "raised", now)
            else:
                self._regrade(kept, alert, level, now)
        self._settle(self.index.station(place), now)

    def _regrade(self, kept: Standing, alert: Alert, level: int, now: int) -> None:
        """Another level: a worse one waits for a new acknowledgement, a milder one keeps the old."""
        before, worse = kept.alert, level > kept.level
        kept.level = level
        if worse:
            kept.waiting_since, kept.escalated = now, False
        kept.alert = replace(
            alert,
            id=before.id,
            since=before.since,
            raised=before.raised,
            inhibited_by=before.inhibited_by,
            acknowledged_by="" if worse else before.acknowledged_by,
            note="" if worse else before.note,
        )
        self._say(kept, "changed", now)

    def _clear(self, key: tuple[int, int], kept: Standing, at: Assessment, since: int, now: int) -> None:
        lasting = epoch(at.time) - since
        why = (wording.ceased(at, kept.alert.threshold, lasting, self.basin),)
        margin = at.margins.get(kept.alert.threshold)
        line = kept.alert.threshold_value if margin is None else round(at.value - margin, 6)
        kept.alert = replace(kept.alert, value=at.value, margin=margin, threshold_value=line, why=why)
        self._say(kept, "cleared", now)
        del self.standing[key]
        self._stations[kept.alert.subject].remove(key)

    def _written(self, number: int, level: int, since: int, assessed: Assessments, row: int, at: Assessment) -> Alert:
        """An alert as its condition and value make it."""
        rule, graded = self.rules[number], self.rules[number].levels[level - 1]
        tests = met(graded, rule, assessed, row)
        kind = next((each.above or each.below for each in (*tests, *graded.when) if each.above or each.below), "")
        words = wording.values(self.basin, rule, graded.severity, at, kind)
        why = tuple(wording.reason(test, at, self.basin) for test in tests)
        lasted = epoch(at.time) - since
        margin = at.margins.get(kind)
        return Alert(
            id=f"alert:{rule.name}:{at.station}:{moment(since):%Y%m%dT%H%MZ}",
            rule=rule.name,
            subject=at.station,
            quantity=at.quantity,
            severity=graded.severity,
            title=both(rule.title, words),
            since=moment(since),
            value=at.value,
            threshold=kind if margin is not None else "",
            threshold_value=None if margin is None else round(at.value - margin, 6),
            margin=margin,
            unit=wording.unit(at.quantity),
            why=why + ((wording.lasted(lasted),) if lasted else ()),
            group=fill(rule.group, words["en"] | {"station": at.station}),
        )

    def _add(self, key: tuple[int, int], kept: Standing) -> None:
        self.standing[key] = kept
        self._stations.setdefault(kept.alert.subject, []).append(key)

    def _say(self, kept: Standing, state: str, now: int) -> None:
        event = announce(kept.alert, state=state, time=moment(now), subject=kept.alert.subject)
        self._journal.pop((event.id, state), None)
        self._journal[event.id, state] = event

    def _inhibitor(self, key: tuple[int, int], alert: Alert) -> str:
        """The id of the alert or silence that makes this one needless to tell, or nothing."""
        name = self.rules[key[0]].name
        for other in sorted(self._stations.get(alert.subject, ())):
            if other != key and name in self.rules[other[0]].inhibits:
                return self.standing[other].alert.id
        return next((quiet.id for quiet in self.quiets if quiet.covers(alert)), "")

    def _settle(self, station: str, now: int) -> None:
        """Note whose inhibition began or ended at a station."""
        for key in sorted(self._stations.get(station, ())):
            kept = self.standing[key]
            by = self._inhibitor(key, kept.alert)
            if by != kept.alert.inhibited_by:
                kept.waiting_since = kept.waiting_since if by else now
                kept.alert = replace(kept.alert, inhibited_by=by)
                self._say(kept, "changed", now)

    def pass_time(self, newest: NDArray[np.int64], now: int) -> None:
        """What time alone brings: silences end, unacknowledged alerts escalate, alerts without data say so."""
        ended = [quiet for quiet in self.quiets if quiet.until <= now]
        self.quiets = [quiet for quiet in self.quiets if quiet.until > now]
        for quiet in ended:
            self._journal[quiet.id, "ended"] = self._announce_quiet(quiet, "ended", now)
        if ended or self.quiets:
            for station in list(self._stations):
                self._settle(station, now)
        for (number, place), kept in self.standing.items():
            self._escalate_if_due(number, kept, now)
            last = int(newest[place])
            if (now - last >= self._silent[number]) != (kept.silent_since is not None):
                self._tell_silence(kept, last, now)

    def _escalate_if_due(self, number: int, kept: Standing, now: int) -> None:
        after, alert = self._escalate[number], kept.alert
        if after is None or kept.escalated or alert.acknowledged_by or alert.inhibited_by:
            return
        if now - kept.waiting_since >= after:
            kept.escalated = True
            severity: Severity = self.rules[number].escalate_to or alert.severity
            severity = max(severity, alert.severity, key=SEVERITIES.index)
            waited = wording.span(now - kept.waiting_since)
            why = {"zh": f"发出 {waited} 后仍无人确认，升级", "en": f"escalated, not acknowledged within {waited}"}
            kept.alert = replace(alert, severity=severity, why=(*alert.why, why))
            self._say(kept, "escalated", now)

    def _tell_silence(self, kept: Standing, since: int, now: int) -> None:
        """Say since when no value has come; when one has come, take the words back."""
        if kept.silent_since is None:
            kept.silent_since, why = since, (*kept.alert.why, wording.silent(since, self.basin))
        else:
            said, kept.silent_since = wording.silent(kept.silent_since, self.basin), None
            why = tuple(each for each in kept.alert.why if each != said)
        kept.alert = replace(kept.alert, why=why)
        self._say(kept, "changed", now)

    def acknowledge(self, id: str, user: str, note: str, now: int) -> Event:
        """Acknowledge a standing alert."""
        ids = {kept.alert.id: kept for kept in self.standing.values()}
        if id not in ids:
            near = difflib.get_close_matches(id, ids, n=3)
            hint = f"near: {', '.join(near)}" if near else f"{len(ids)} alerts stand now"
            raise NotFound(f"no standing alert {id!r}; {hint}")
        kept = ids[id]
        if kept.alert.acknowledged_by:
            raise BadInput(f"alert {id!r} was acknowledged by {kept.alert.acknowledged_by!r} already; nothing to do")
        kept.alert = replace(kept.alert, acknowledged_by=user, note=note)
        return announce(kept.alert, state="acknowledged", time=moment(now), subject=kept.alert.subject)

    def silence(self, match: Mapping[str, str], until: int, user: str, note: str, now: int) -> Event:
        """Begin a silence; alerts that stand already are marked in the next step."""
        unknown = sorted(set(match) - set(_MATCHES))
        if not match or unknown:
            raise BadInput(
                f"a silence matches on {', '.join(_MATCHES)}, not on {unknown or 'nothing'}; name one at least"
            )
        if until <= now:
            raise BadInput(f"a silence until {moment(until):%Y-%m-%dT%H:%MZ} is over already; give a later time")
        same = sum(1 for each in self.quiets if each.id.startswith(f"silence:{moment(now):%Y%m%dT%H%M%SZ}"))
        what = ", ".join(f"{key} {value}" for key, value in sorted(match.items()))
        when = wording.clock(until, self.basin.zone)
        quiet = Quiet(
            id=f"silence:{moment(now):%Y%m%dT%H%M%SZ}" + (f":{same + 1}" if same else ""),
            match=dict(sorted(match.items())),
            until=until,
            user=user,
            note=note,
            title={"zh": f"{user} 静默预警（{what}）至 {when}", "en": f"{user} silenced alerts ({what}) until {when}"},
        )
        self.quiets.append(quiet)
        return self._announce_quiet(quiet, "set", now)

    def _announce_quiet(self, quiet: Quiet, state: str, now: int) -> Event:
        record = Silence(
            id=quiet.id,
            match=quiet.match,
            until=moment(quiet.until),
            user=quiet.user,
            note=quiet.note,
            title=quiet.title,
        )
        return announce(record, state=state, time=moment(now), subject=quiet.match.get("subject", self.basin.code))
