"""Fitting the network to an archive: believable ranges, travel times and shares of reaches, laws of stage."""

from __future__ import annotations

from itertools import product

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from liuyu.physics.routing import muskingum
from liuyu.twin.model import Inflow, Law, Node, SeriesModel
from liuyu.twin.window import running_median

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
_WEIGHTS = (0.0, 0.05, 0.1, 0.2, 0.3)
_WHOLE = 3


def fit_series(series: tuple[SeriesModel, ...], value: Floats, train: Mask) -> tuple[SeriesModel, ...]:
    """Ranges half a range beyond what training saw (outliers aside), spikes thrice the largest that is common."""
    out = []
    for each, row in zip(series, value, strict=True):
        seen = row[train & np.isfinite(row)]
        low, high = np.quantile(seen, [0.0005, 0.9995])
        room = 0.6 * (high - low)
        inside = np.where((row < low - room) | (row > high + room), np.nan, row)
        filled = fill(inside)
        jump = np.abs(filled - running_median(filled[None])[0])[train]
        spike = max(3.0 * float(np.quantile(jump, 0.9995)), 0.05 * float(high - low))
        good = inside[train & np.isfinite(inside)]
        mean, spread = float(good.mean()), max(float(good.std()), 1e-6)
        floor = -1e9 if each.quantity == "water_level" or low <= 0.0 else 0.5 * float(low)
        out.append(replace(each, lower=_round(low - room), upper=_round(high + room), spike=_round(spike),
                           mean=_round(mean), spread=_round(spread), floor=_round(floor)))  # fmt: skip
    return tuple(out)


def clean(value: Floats, series: tuple[SeriesModel, ...]) -> Floats:
    """Values outside the range or off the running median taken out (NaN): (series, hours)."""
    out = value.copy()
    for row, each in zip(out, series, strict=True):
        row[(row < each.lower) | (row > each.upper)] = np.nan
        filled = fill(row)
        row[np.abs(filled - running_median(filled[None])[0]) > each.spike] = np.nan
    return out


def bridge(value: Floats, hours: int) -> Floats:
    """Gaps of fewer than some hours closed by straight lines, longer ones left: (series, hours)."""
    out = value.copy()
    for row in out:
        known = np.flatnonzero(np.isfinite(row))
        if len(known) < 2:
            continue
        right = np.clip(np.searchsorted(known, np.arange(len(row))), 1, len(known) - 1)
        short = known[right] - known[right - 1] <= hours
        inside = (np.arange(len(row)) > known[0]) & (np.arange(len(row)) < known[-1]) & short & ~np.isfinite(row)
        row[inside] = fill(row)[inside]
    return out


def fill(row: Floats) -> Floats:
    """A series with its gaps closed by straight lines."""
    real = np.isfinite(row)
    hours = np.arange(len(row))
    return np.asarray(np.interp(hours, hours[real], row[real]), np.float64)


def fit_travel(node: Node, observed: Floats, sources: dict[str, Floats], train: Mask) -> Node:
    """Travel time and weight of each reach into a node, share by least squares, on changes over twice the travel time.

    observed: flow of the node (hours,) [m3/s]; sources: flow by source. Reaches into a lake are left as they are.
    """
    inflows = list(node.inflows)
    rivers = [place for place, each in enumerate(inflows) if not each.into_lake]
    for _ in range(2 if len(rivers) > 1 else 1):
        for place in rivers:
            others = sum(
                (inflows[o].share * muskingum(sources[inflows[o].source], inflows[o].travel_h, inflows[o].x, 1.0)
                 for o in rivers if o != place),
                np.zeros_like(observed),
            )  # fmt: skip
            inflows[place] = _best_reach(node.inflows[place], observed - others, sources[inflows[place].source], train)
    return replace(node, inflows=tuple(inflows))


def _best_reach(reach: Inflow, wanted: Floats, source: Floats, train: Mask) -> Inflow:
    """The reach whose routed changes lie nearest to the wanted ones, within half to 1.6 times the first travel time.

    A share of one is a matter of geometry and is kept; another is fitted. Noise in the source looks like storage, hence
    the bounds.
    """
    apart, smooth = int(np.clip(2 * reach.travel_h, 3, 48)), int(np.clip(reach.travel_h / 3, 1, 6))
    target = _change(wanted, apart, smooth)
    hours = sorted(set(np.round(np.geomspace(0.5 * reach.travel_h, 1.6 * reach.travel_h, 12), 1).tolist()))
    best, found = np.inf, reach
    for travel, x in product(hours, _WEIGHTS):
        change = _change(np.asarray(muskingum(source, travel, x, 1.0)), apart, smooth)
        ok = train & np.isfinite(target) & np.isfinite(change)
        share = 1.0
        if reach.share != 1.0:
            share = min(max(float(change[ok] @ target[ok] / (change[ok] @ change[ok])), 0.05), 1.0)
        miss = float(np.mean((target[ok] - share * change[ok]) ** 2))
        if miss < best:
            best, found = miss, replace(reach, travel_h=float(travel), x=x, share=round(share, 3))
    return found


def _change(row: Floats, apart: int, smooth: int) -> Floats:
    """Change over some hours of the mean over the last few; NaN at the beginning."""
    mean = np.convolve(row, np.full(smooth, 1 / smooth), mode="full")[: len(row)]
    out = np.full(len(row), np.nan)
    out[apart + smooth :] = mean[apart + smooth :] - mean[smooth:-apart]
    return out


def fit_law(q: Floats, z: Floats, s: Floats | None, train: Mask) -> tuple[Law, float]:
    """The law with the least error of stage, by least squares on logarithms over a grid of b and d.

    q [m3/s], z [m] and the lower gauge's s [m] (None: no backwater): (hours,). Returns the law and its error [m].
    """
    ok = train & np.isfinite(q) & np.isfinite(z) & (q > 1.0) & (np.isfinite(s) if s is not None else True)
    ok &= np.arange(len(z)) % 3 == 0
    q, z = q[ok], z[ok]
    depth = float(np.quantile(z, 0.999) - np.quantile(z, 0.001)) + 0.5
    best: tuple[float, Law] = (np.inf, Law(a=1.0, b=0.0, m=1.5))
    fall = None if s is None else z - s[ok]
    bottoms = z.min() - 0.05 - depth * np.linspace(0.01, 2.0, 20)
    drops = [0.0] if fall is None else np.quantile(fall, 0.0005) - depth * np.array([0.02, 0.05, 0.1, 0.2, 0.35, 0.6])
    exponents = (0.0,) if fall is None else (None, 0.5)
    for _ in range(2):
        for b, d, e in product(bottoms, drops, exponents):
            found = _logarithmic(q, z, fall, float(b), float(d), e)
            if found is not None and found[0] < best[0]:
                best = found
        step = float(np.abs(bottoms[1] - bottoms[0]))
        bottoms = np.minimum(best[1].b + step * np.linspace(-0.9, 0.9, 10), z.min() - 0.02)
    return best[1], best[0]


def _logarithmic(
    q: Floats, z: Floats, fall: Floats | None, b: float, d: float, e: float | None
) -> tuple[float, Law] | None:
    """One fit of log Q = log a + m log(z - b) + e log(fall - d), e given or fitted: error of stage [m] and law."""
    depth = z - b
    drop = np.maximum(fall - d, 0.02) if fall is not None else np.ones_like(z)
    columns = [np.ones_like(z), np.log(depth)] + ([np.log(drop)] if e is None else [])
    known = np.log(q) - (0.0 if e is None else e) * np.log(drop)
    design = np.column_stack(columns)
    weights = np.linalg.solve(design.T @ design + 1e-9 * np.eye(design.shape[1]), design.T @ known)
    power = float(weights[2]) if e is None else e
    if not (0.0 <= power <= 0.7 and 0.5 <= weights[1] <= 5.0):
        return None
    miss = (known - design @ weights) / (weights[1] / depth + power / drop)
    law = Law(a=float(f"{np.exp(weights[0]):.5g}"), b=round(b, 3), m=round(float(weights[1]), 4), e=round(power, 4),
              d=round(d, 3) if power else 0.0)  # fmt: skip
    return float(np.sqrt(np.mean(miss**2))), law


def ridge(features: Floats, targets: Floats, penalty: float) -> Floats:
    """Ridge regression on standardised features: (k + 1, targets), the last row the constant. NaN targets are left out
    target by target where they differ."""
    mean, spread = features.mean(axis=0), features.std(axis=0)
    spread = np.where(spread < 1e-9, 1.0, spread)
    normal = (features - mean) / spread
    out = np.empty((features.shape[1] + 1, targets.shape[1]))
    real = np.isfinite(targets)
    for pattern, columns in _patterns(real):
        x, y = normal[pattern], targets[np.ix_(pattern, columns)]
        middle, level = x.mean(axis=0), y.mean(axis=0)
        x = x - middle
        weights = np.linalg.solve(x.T @ x + penalty * len(x) * np.eye(x.shape[1]), x.T @ (y - level))
        scaled = weights / spread[:, None]
        out[:-1, columns] = scaled
        out[-1, columns] = level - middle @ weights - mean @ scaled
    return out


def _patterns(real: NDArray[np.bool_]) -> list[tuple[NDArray[np.bool_], NDArray[np.intp]]]:
    """Columns grouped by the rows in which they are known."""
    groups: dict[bytes, list[int]] = {}
    for column in range(real.shape[1]):
        groups.setdefault(real[:, column].tobytes(), []).append(column)
    return [(real[:, columns[0]], np.array(columns)) for columns in groups.values()]


def _round(value: float) -> float:
    return round(float(value), _WHOLE)
