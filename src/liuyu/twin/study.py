"""What a calibration has found out about an archive, and what data-driven models learn of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.twin.archive import Archive
from liuyu.twin.hindcast import Issues
from liuyu.twin.learned.train import Lessons, Trained, train
from liuyu.twin.model import Model, Regression, Skill
from liuyu.twin.skill import FEWEST, SCORED_LEADS, skill_row

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Ground:
    """What every step of a calibration reads: hourly values, cleaned; which hours train; the year of each hour."""

    archive: Archive
    cleaned: Floats
    train: Mask
    season: Mask
    held_out: Mask
    year: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Study:
    """Issues of an archive and routed forecasts of them without their own year: truth, routed (n, series, leads);
    regime (n, r); usable (n,): issues of the season that may be learned from."""

    model: Model
    ground: Ground
    known: Issues
    usable: Mask
    truth: Floats
    routed: Floats
    regime: Floats
    drivers: Regression
    correction: Regression

    @property
    def now(self) -> Floats:
        """Every series at each issue: (n, series) [unit]."""
        return np.stack([each.window.value[:, -1] for each in self.known.presents])


def lessons(found: Study, leads: tuple[int, ...], hours: int) -> Lessons:
    """What data-driven models learn from: the last hours as they stood at each issue, and what came."""
    places = [found.model.leads_h.index(lead) for lead in leads]
    ground, at = found.ground, found.known.place
    return Lessons(
        series=tuple((each.station, each.quantity) for each in found.model.series),
        value=np.stack([each.window.value[:, -1 - hours :] for each in found.known.presents]).astype(np.float32),
        now=ground.archive.time[at],
        year=ground.year[at],
        truth=found.truth[:, :, places],
        routed=found.routed[:, :, places],
        regime=found.regime,
        train=ground.train[at],
        season=found.usable,
    )


def learn(found: Study, basin: Basin) -> Trained:
    """Train the data-driven model that the network asks for. Raises BadInput where it asks for none."""
    recipe = found.model.learned
    if recipe is None:
        raise BadInput(f"{found.model.name} asks for no data-driven model; add a table [learned] to its network.toml")
    offset = datetime(2020, 1, 1, tzinfo=basin.zone).utcoffset()
    leads = tuple(lead for lead in recipe.leads_h if lead in found.model.leads_h)
    recipe = replace(recipe, leads_h=leads, clock_h=offset.total_seconds() / 3600.0 if offset else 0.0)
    return train(recipe, lessons(found, leads, max(recipe.lags_h)))


def learned_skill(trained: Trained, found: Study) -> tuple[Skill, ...]:
    """Scores of the combined forecast, persistence beside: in the held-out periods, where there are any, else of every
    season by models of the other seasons. Coverage is always that of years left out."""
    held_out = found.ground.held_out[found.known.place]
    judge = held_out if held_out.any() else found.usable
    model, now, judged = trained.model, found.now, trained.judged
    series = {each: row for row, each in enumerate(model.series)}
    rows = []
    for place, target in enumerate(model.targets):
        row = series[target]
        for at, lead in enumerate(model.recipe.leads_h):
            real = found.truth[:, row, found.model.leads_h.index(lead)]
            ok = judge & np.isfinite(real)
            if lead not in SCORED_LEADS or ok.sum() < FEWEST:
                continue
            miss = (real - trained.out[:, place, at])[judged]
            inside = (miss >= trained.low[:, place, at]) & (miss <= trained.high[:, place, at])
            coverage = float(inside[np.isfinite(miss)].mean())
            rows.append(skill_row(target, lead, trained.out[ok, place, at], real[ok], now[ok, row], coverage))
    return tuple(rows)
