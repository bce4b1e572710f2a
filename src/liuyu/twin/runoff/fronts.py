"""Calibration for several objectives: the front of what can be had together, and one point of it for use.

A short global search finds good land, a search for each objective alone the ends of the front, and a sorting genetic
algorithm what lies between them. The compromise is the point nearest to the ideal, each objective counted from the best
to the worst that it is on the front.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.runoff.calibrate import Search, enough, misfit, warmed
from liuyu.twin.runoff.cmaes import polish
from liuyu.twin.runoff.models import RunoffModel
from liuyu.twin.runoff.pareto import compromise, front
from liuyu.twin.runoff.run import Forcing
from liuyu.twin.runoff.sceua import minimise
from liuyu.twin.runoff.scores import kge, nse

Floats = NDArray[np.float64]
GLOBAL, ALONE = 0.2, 0.4  # shares of the evaluations for the first search, and for the objectives one by one


@dataclass(frozen=True, slots=True)
class Objective:
    """Something to reach. loss: (sets, n) simulated and (n,) observed to (sets,), 0 where perfect; the number people
    know is `perfect` less the loss, in words `zh` and `en`."""

    name: str
    loss: Callable[[Floats, Floats], Floats]
    perfect: float
    zh: str
    en: str

    def shown(self, loss: float) -> float:
        """The number that people know."""
        return self.perfect - loss if self.perfect else loss


def _log(simulated: Floats, observed: Floats) -> Floats:
    little = observed.mean() / 100.0  # so that a dry river has a logarithm [Pushpalatha et al. 2012, J. Hydrol. 420]
    return np.asarray(1.0 - nse(np.log(np.maximum(simulated, 0.0) + little), np.log(observed + little)))


def _high(simulated: Floats, observed: Floats) -> Floats:
    """Relative error of the flows above the 98th percentile of what was observed."""
    top = observed >= np.quantile(observed, 0.98)
    return np.asarray(np.abs(simulated[:, top] - observed[top]).sum(1) / observed[top].sum())


OBJECTIVES = {
    each.name: each
    for each in (
        Objective("nse", lambda s, o: 1.0 - nse(s, o), 1.0, "纳什效率", "Nash-Sutcliffe efficiency"),
        Objective(
            "sqrt_nse",
            lambda s, o: 1.0 - nse(np.sqrt(np.maximum(s, 0.0)), np.sqrt(o)),
            1.0,
            "平方根流量纳什效率",
            "efficiency of the root of the flow",
        ),
        Objective("log_nse", _log, 1.0, "对数流量纳什效率", "efficiency of the logarithm of the flow"),
        Objective("kge", lambda s, o: 1.0 - kge(s, o), 1.0, "KGE 效率系数", "Kling-Gupta efficiency"),
        Objective(
            "bias",
            lambda s, o: np.abs(s.mean(-1) / o.mean() - 1.0),
            0.0,
            "水量相对误差(绝对值)",
            "absolute bias of volume",
        ),
        Objective("peaks", _high, 0.0, "大流量相对误差", "relative error of the highest 2 % of flows"),
    )
}


@dataclass(frozen=True, slots=True)
class FittedFront:
    """parameters: (k, count) rows of the front; losses: (k, objectives); chosen: the compromise's place in it."""

    model: RunoffModel
    objectives: tuple[Objective, ...]
    parameters: Floats
    losses: Floats
    chosen: int
    seed: int
    evaluations: int


def find_objectives(text: str) -> tuple[Objective, ...]:
    """Objectives "nse,log_nse,bias". Raises BadInput for a name that is not known, or under two of them."""
    names = list(dict.fromkeys(each.strip() for each in text.split(",") if each.strip()))
    unknown = [each for each in names if each not in OBJECTIVES]
    if unknown or len(names) < 2:
        what = f"objective {unknown[0]!r} is not known" if unknown else f"{text!r} names fewer than two objectives"
        raise BadInput(f"{what}; give two or more of {', '.join(OBJECTIVES)}, parted by commas")
    return tuple(OBJECTIVES[each] for each in names)


def losses_of(objectives: Sequence[Objective], simulated: Floats, observed: Floats) -> Floats:
    """Losses (sets, objectives) of runoff (sets, steps); steps without observation (NaN) do not count."""
    there = np.isfinite(observed)
    return np.stack([each.loss(simulated[:, there], observed[there]) for each in objectives], axis=1)


def fit_front(
    model: RunoffModel,
    forcing: Forcing,
    observed: Floats,
    period: slice,
    objectives: Sequence[Objective],
    *,
    seed: int = 1,
    evaluations: int = 12_000,
    tell: Callable[[float], None] = lambda _: None,
) -> FittedFront:
    """The front of a model for one row of forcing; nothing after the period's end is looked at.

    observed: (steps,) runoff [mm], NaN where missing. Raises BadInput where the period has too few observations.
    """
    known = forcing.between(0, period.stop)
    truth = np.full(period.stop, np.nan)
    truth[period] = observed[period]
    there = np.flatnonzero(np.isfinite(truth))
    enough(model, len(there))
    target = truth[there]
    search = Search(model, snow=forcing.temperature is not None)

    def run(points: Floats) -> Floats:
        return warmed(model, known, search.rows(points))[:, there]

    def every(points: Floats) -> Floats:
        simulated = run(points)
        return np.stack([each.loss(simulated, target) for each in objectives], axis=1)

    rough = minimise(
        lambda points: misfit(run(points), target),
        search.size,
        seed,
        evaluations=int(GLOBAL * evaluations),
        tell=lambda share: tell(GLOBAL * share),
    )
    ends, asked = [rough.best], rough.evaluations
    for place, each in enumerate(objectives):
        tell(GLOBAL + ALONE * place / len(objectives))
        alone = polish(
            lambda points, each=each: each.loss(run(points), target),  # type: ignore[misc]
            rough.best,
            seed + place,
            evaluations=int(ALONE * evaluations / len(objectives)),
        )
        ends.append(alone.best)
        asked += alone.evaluations
    start = np.vstack([ends, _near(np.array(ends), seed)])
    before = GLOBAL + ALONE
    found = front(
        every, start, seed, evaluations=max(evaluations - asked, 400), tell=lambda s: tell(before + (1.0 - before) * s)
    )
    rows, total = search.rows(found.points), asked + found.evaluations
    return FittedFront(model, tuple(objectives), rows, found.values, compromise(found.values), seed, total)


def _near(ends: Floats, seed: int) -> Floats:
    """Points between the ends and around them, so that the first generation already lies along the front."""
    draw = np.random.default_rng([seed, len(ends)])
    weights = draw.dirichlet(np.ones(len(ends)), 40)
    return np.clip(weights @ ends + 0.03 * draw.standard_normal((40, ends.shape[1])), 0.0, 1.0)


def reason(found: FittedFront) -> dict[str, str]:
    """Why the compromise was chosen, and what it gives up against the best of each objective."""
    best, mine = found.losses.min(0), found.losses[found.chosen]
    parts = [
        (each, each.shown(float(own)), each.shown(float(top)))
        for each, own, top in zip(found.objectives, mine, best, strict=True)
    ]
    zh = "，".join(f"{each.zh} {own:.3f}（前沿最优 {top:.3f}）" for each, own, top in parts)
    en = ", ".join(f"{each.name} {own:.3f} where the front reaches {top:.3f}" for each, own, top in parts)
    return {
        "zh": f"取前沿上离理想点最近的一点，各目标按其在前沿上的最优至最差归一：{zh}。",
        "en": f"nearest to the ideal, each objective counted from its best to its worst on the front: {en}",
    }
