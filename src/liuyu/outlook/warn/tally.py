"""How the notices of a log stood the test: what was foretold, what was missed, what did not come."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from liuyu.basin.events import Event, Notice, record


class Tally(msgspec.Struct, frozen=True, kw_only=True):
    """Verified notices of one line of one station.

    A miss counts whether a notice had been withdrawn or none was ever given. pod = hits / (hits + misses), the share of
    crossings that were foretold (probability of detection); far = false_alarms / (hits + false_alarms), the share of
    notices that were not borne out (false alarm ratio); csi = hits / (hits + misses + false_alarms), the critical
    success index; None where nothing can be divided. `lead_h`: least, median and longest lead time of the hits [h].
    """

    station: str
    quantity: str
    threshold: str
    near: float
    hits: int
    misses: int
    false_alarms: int
    pod: float | None
    far: float | None
    csi: float | None
    lead_h: tuple[float, float, float] | None


def tally(events: Iterable[Event], station: str = "") -> tuple[Tally, ...]:
    """What became of the notices of a log, a row for each line; of one station where it is named."""
    found: dict[tuple[str, str, str, float], list[Notice]] = {}
    for event in events:
        if event.kind == "notice" and event.state == "verified" and station in {"", event.subject}:
            notice = record(event, Notice)
            key = (notice.station, notice.quantity, notice.threshold, notice.near)
            found.setdefault(key, []).append(notice)
    return tuple(_row(*key, notices) for key, notices in sorted(found.items()))


def _row(station: str, quantity: str, threshold: str, near: float, notices: list[Notice]) -> Tally:
    hits, misses, false = (sum(each.outcome == name for each in notices) for name in ("hit", "miss", "false_alarm"))
    leads = [each.lead_h for each in notices if each.outcome == "hit" and each.lead_h is not None]
    least, median, longest = np.round(np.quantile(leads, (0.0, 0.5, 1.0)), 1).tolist() if leads else (0.0, 0.0, 0.0)
    return Tally(
        station=station,
        quantity=quantity,
        threshold=threshold,
        near=near,
        hits=hits,
        misses=misses,
        false_alarms=false,
        pod=_share(hits, hits + misses),
        far=_share(false, hits + false),
        csi=_share(hits, hits + misses + false),
        lead_h=(least, median, longest) if leads else None,
    )


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
