"""The stage that proposes: for a warning downstream of a reservoir, one what-if and one schedule."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.clock import HOUR, epoch, moment
from liuyu.basin.errors import BadInput, ModelFailed, NotFound
from liuyu.basin.events import SEVERITIES, Event, Notice, Proposal, announce, record
from liuyu.basin.places import Basin, Reservoir
from liuyu.basin.records import Scenario
from liuyu.outlook.plan.judge import Judged
from liuyu.outlook.plan.schedules import OPTIMISED, Compared, compare
from liuyu.store.interface import Store
from liuyu.twin import Outlook, RiverTwin
from liuyu.twin.compare import binding_of, rehearsal_event, rows
from liuyu.twin.limits import Text, bounded

LAPSES_H = 24
PAUSE_H = 24
HOLD_BACK = 5000.0
HOLD_BACK_SHARE = 0.2
HOLD_BACK_H = 72
SAID = 6
_LEAST = SEVERITIES.index("yellow")


class _Memory(msgspec.Struct):
    """What the stage remembers: open and decided proposals by id, the last proposal's time by reservoir [s UTC]."""

    open: dict[str, Proposal] = {}
    decided: dict[str, str] = {}
    last: dict[str, int] = {}


class Plan:
    """Proposes releases. `step` reads notices, `decide` takes a person's word; a proposal nobody decides on lapses."""

    name = "plan"

    def __init__(self, basin: Basin, twin: RiverTwin | None = None) -> None:
        self.basin = basin
        self.twin = twin if twin is not None else RiverTwin(basin)
        self._memory = _Memory()

    def step(self, events: Sequence[Event], store: Store, now: int) -> list[Event]:
        """Lapse what is old; for a notice of yellow or above below a reservoir, one what-if and one proposal.

        At most one open proposal a reservoir, and a day between two. Where the model cannot run nothing is proposed:
        the forecast stage has told of it already.
        """
        out = self._lapse(now)
        reservoir = self._reservoir_for(events, now)
        if reservoir is None:
            return out
        try:
            outlook = self.twin.ahead(self.twin.view(store, now))
        except ModelFailed:
            return out
        release = self._release_now(outlook, reservoir)
        self._memory.last[reservoir.code] = now
        return [*out, self._what_if(outlook, reservoir, release), self._propose(outlook, reservoir, release)]

    def decide(self, proposal: str, accept: bool, user: str, note: str, now: int) -> Event:
        """A person's decision. Raises NotFound for no such proposal, BadInput for one that is closed."""
        held = self._memory.open.get(proposal)
        if held is None:
            state = self._memory.decided.get(proposal)
            if state:
                raise BadInput(f"proposal {proposal!r} is {state} already; only an open one can be decided")
            known = ", ".join(self._memory.open) or "none is open"
            raise NotFound(f"no proposal {proposal!r}; {known}")
        state = "accepted" if accept else "rejected"
        return self._close(msgspec.structs.replace(held, decided_by=user, note=note), state, now)

    def dump(self) -> bytes:
        """The whole memory of the stage."""
        return msgspec.json.encode(self._memory, order="deterministic")

    def load(self, blob: bytes) -> None:
        """Take the memory back."""
        self._memory = msgspec.json.decode(blob, type=_Memory)

    def _lapse(self, now: int) -> list[Event]:
        old = [each for each in self._memory.open.values() if now - epoch(each.issued) >= LAPSES_H * HOUR]
        return [self._close(each, "lapsed", now) for each in old]

    def _close(self, proposal: Proposal, state: str, now: int) -> Event:
        self._memory.open.pop(proposal.id)
        self._memory.decided[proposal.id] = state
        return announce(proposal, state=state, time=moment(now), subject=proposal.reservoir)

    def _reservoir_for(self, events: Sequence[Event], now: int) -> Reservoir | None:
        """The largest reservoir above a station that a fresh notice of yellow or above names, if one is due there."""
        for event in events:
            if event.kind != "notice" or event.state not in ("issued", "updated"):
                continue
            notice = record(event, Notice)
            if SEVERITIES.index(notice.severity) < _LEAST:
                continue
            above = [each for each in self._reservoirs() if notice.station in self._below(each)]
            largest = max(above, key=lambda each: each.curve[-1][1], default=None)
            if largest is not None and self._due(largest.code, now):
                return largest
        return None

    def _reservoirs(self) -> list[Reservoir]:
        return [each for each in self.basin.reservoirs if each.code in self.twin.reservoir_places]

    def _below(self, reservoir: Reservoir) -> tuple[str, ...]:
        return self.twin.below(self.twin.reservoir_places[reservoir.code])

    def _due(self, code: str, now: int) -> bool:
        is_open = any(each.reservoir == code for each in self._memory.open.values())
        return not is_open and now - self._memory.last.get(code, -(10**12)) >= PAUSE_H * HOUR

    def _release_now(self, outlook: Outlook, reservoir: Reservoir) -> float:
        place = self.twin.reservoir_places[reservoir.code]
        row = int(self.twin.plumbing.flow_row[place])
        return float(outlook.here.window.value[row, -1]) if row >= 0 else float(outlook.course.flow[place, 0])

    def _what_if(self, outlook: Outlook, reservoir: Reservoir, release: float) -> Event:
        """What would holding back more do: a fixed question, so that one day's answer compares with another's."""
        place = self.twin.reservoir_places[reservoir.code]
        less = min(HOLD_BACK, HOLD_BACK_SHARE * release)
        expected = outlook.course.flow[place]
        wanted = np.where(np.arange(len(expected)) < HOLD_BACK_H, np.minimum(expected, release) - less, expected)
        scenario = Scenario(
            name=f"{reservoir.name}再拦蓄{less:.0f} m³/s，持续{HOLD_BACK_H}小时",
            name_en=f"{reservoir.name_en} holds back {less:.0f} m³/s more for {HOLD_BACK_H} h",
            releases={reservoir.code: tuple(bounded(reservoir, wanted, release).round(1).tolist())},
        )
        alternative = self.twin.alternative(outlook, scenario)
        results = rows(self.twin, outlook.now, self._levels(outlook.members), self._levels(alternative.members))
        texts = binding_of(self.twin, outlook, alternative, scenario)
        return rehearsal_event(self.twin, scenario, outlook.now, results, texts)

    def _levels(self, members: Any) -> dict[str, Any]:
        return {s: members[row] for row, (s, name) in enumerate(self.twin.targets) if name == "water_level"}

    def _propose(self, outlook: Outlook, reservoir: Reservoir, release: float) -> Event:
        compared = compare(self.twin, outlook, reservoir, release)
        best = compared.judged[0]
        schedule = tuple(best.candidate.release.round(1).tolist())
        scenario = Scenario(name=best.candidate.zh, name_en=best.candidate.en, releases={reservoir.code: schedule})
        proposal = Proposal(
            id=f"proposal:{reservoir.code}:{moment(outlook.now).astimezone(UTC):%Y%m%dT%H%MZ}",
            issued=moment(outlook.now),
            reservoir=reservoir.code,
            title={"zh": f"{reservoir.name}：{best.candidate.zh}", "en": f"{reservoir.name_en}: {best.candidate.en}"},
            releases={reservoir.code: schedule},
            compared=tuple(self._row(each) for each in compared.judged),
            reason=self._reason(compared),
            binding=(*binding_of(self.twin, outlook, best.alternative, scenario), *compared.words[:SAID]),
        )
        self._memory.open[proposal.id] = proposal
        return announce(proposal, state="proposed", time=moment(outlook.now), subject=reservoir.code)

    def _row(self, judged: Judged) -> Mapping[str, Any]:
        release = judged.candidate.release
        return {
            "name": {"zh": judged.candidate.zh, "en": judged.candidate.en},
            "loss": round(judged.loss, 2),
            "exceedance_m_h": round(judged.downstream, 2),
            "highest_level": round(judged.highest, 2),
            "over_pool": round(judged.over_pool, 2),
            "highest_level_wet": round(judged.highest_wet, 2),
            "end_level": round(judged.ends, 2),
            "least_release": round(float(release.min()), 0),
            "most_release": round(float(release.max()), 0),
            "peaks": {code: round(peak, 2) for code, peak in judged.peaks.items()},
        }

    def _reason(self, compared: Compared) -> Text:
        """Why the first is proposed: its peaks and pool beside those of releasing as usual."""
        best, expected = compared.judged[0], compared.of("expected")
        if expected is None or best is expected:
            return {
                "zh": f"其余方案均不优于按以往习惯调度（超警超保期望{best.downstream:.1f} 米·小时）",
                "en": f"No other schedule does better than releasing as usual ({best.downstream:.1f} metre-hours "
                "above the lines)",
            }
        how = (
            ("逐级目标优化", "Best by the goals in their order")
            if best.candidate.key == OPTIMISED
            else ("不超正常蓄水位的方案中损失最小", "Least loss of those that keep to the normal pool")
        )
        zh, en = self._drops(best, expected)
        was, will = f"{expected.downstream:.1f}", f"{best.downstream:.1f}"
        pool = (
            f"{best.highest:.2f} m ({best.highest_wet:.2f} m if the inflow is high), {best.ends:.2f} m at the end, "
            f"instead of {expected.highest:.2f} m and {expected.ends:.2f} m"
        )
        return {
            "zh": f"{how[0]}：与按以往习惯调度相比，{zh}；下游超警超保期望由{was}变为{will} 米·小时（超保按10倍计）；"
            f"库水位最高{best.highest:.2f} m（来水偏大时{best.highest_wet:.2f} m）、期末{best.ends:.2f} m，"
            f"按习惯为{expected.highest:.2f} m、{expected.ends:.2f} m",
            "en": f"{how[1]}: beside releasing as usual {en}; {will} instead of {was} metre-hours above the lines "
            f"downstream (guarantee counts tenfold); reservoir at most {pool}",
        }

    def _drops(self, best: Judged, expected: Judged) -> tuple[str, str]:
        """By how much the peak moves at the gauges with lines where it moves most down and up."""
        lined = {each.station for each in self.basin.thresholds if each.kind in ("warning", "guarantee")}
        change = {code: peak - expected.peaks[code] for code, peak in best.peaks.items() if code in lined}
        shown = (
            {min(change, key=lambda each: change[each]), max(change, key=lambda each: change[each])}
            if change
            else set()
        )
        zh, en = [], []
        for code in sorted(shown, key=lambda each: change[each]):
            station, by = self.basin.station_by_code[code], change[code]
            zh.append(f"{station.name}洪峰{'降低' if by <= 0 else '抬高'}{abs(by):.2f} m")
            en.append(f"the peak at {station.name_en} is {abs(by):.2f} m {'lower' if by <= 0 else 'higher'}")
        return "、".join(zh) or "下游无可比站", " and ".join(en) or "no gauge below compares"
