"""A future of the river: drivers ahead, routed, and turned into the series that are forecast."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.twin.flow import BOUNDARY, LAKE, run
from liuyu.twin.model import Regression
from liuyu.twin.present import Plumbing, Present

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Course:
    """What each node does, hour by hour from the first after now: each (nodes, hours).

    river, inflow, flow [m3/s]: what came by river, all that came, what passed on; stage [m].
    """

    river: Floats
    inflow: Floats
    flow: Floats
    stage: Floats


def hourly(at_leads: Floats, leads: tuple[int, ...], hours: int) -> Floats:
    """Values at some leads drawn out to every hour, straight lines from 0 at lead 0: (..., leads) to (..., hours)."""
    known = np.concatenate([[0.0], np.asarray(leads, np.float64)])
    wanted = np.arange(1.0, hours + 1)
    right = np.clip(np.searchsorted(known, wanted), 1, len(known) - 1)
    part = np.clip((wanted - known[right - 1]) / (known[right] - known[right - 1]), 0.0, 1.0)
    grown = np.concatenate([np.zeros((*at_leads.shape[:-1], 1)), at_leads], axis=-1)
    return np.asarray(grown[..., right - 1] * (1.0 - part) + grown[..., right] * part, np.float64)


def apply(regression: Regression, features: Floats) -> Floats:
    """Targets by lead from features (k,) or (targets, k): (targets, leads)."""
    weights, constant = regression.weights[..., :-1], regression.weights[..., -1]
    if features.ndim == 1:
        return np.asarray(weights @ features + constant, np.float64)
    return np.asarray(np.einsum("tlk,tk->tl", weights, features) + constant, np.float64)


def drivers_ahead(here: Present, plumbing: Plumbing, regression: Regression | None) -> Floats:
    """Every driver's expected future: (drivers, hours) [m3/s]; without a regression it stays as it is."""
    model = plumbing.model
    ahead = np.repeat(here.anchor[:, None], model.horizon_h, axis=1)
    if regression is not None:
        ahead += hourly(apply(regression, here.features), model.leads_h, model.horizon_h)
    lowest = np.quantile(here.driver, 0.02, axis=1)
    for row, (node, release) in enumerate(plumbing.drivers):
        if release or plumbing.network.kind[node] == BOUNDARY:
            np.maximum(ahead[row], 0.6 * max(lowest[row], 0.0), out=ahead[row])
    return ahead


def flow_on(
    here: Present, plumbing: Plumbing, ahead: Floats, releases: Mapping[int, Floats] | None = None, factor: float = 1.0
) -> Course:
    """Route a future from the present state, which is left untouched.

    ahead: (drivers, hours) [m3/s]; releases: outflow by node in place of the expected one; factor multiplies all
    water that enters from outside, at the boundaries and between the gauges; losses (negative) stay as they are.
    """
    net = plumbing.network.shifted(here.shift)
    nodes, hours = len(net.codes), ahead.shape[1]
    local = ahead[:nodes].copy()
    release = np.zeros((nodes, hours))
    for row, (node, is_release) in enumerate(plumbing.drivers):
        if is_release:
            release[node] = ahead[row]
    for node, given in (releases or {}).items():
        release[node] = given
    if factor != 1.0:
        local = np.where(local > 0.0, factor * local, local)
    arrays = (net.kind, net.law, net.backwater, net.lake, net.curve)
    return Course(*run(*arrays, *net.arrays, here.state.copy(), here.level.copy(), local, release))


def to_series(course: Course, here: Present, plumbing: Plumbing) -> Floats:
    """The course as the model's series: (series, hours), each met to what its gauge says now where no law does so."""
    model, net = plumbing.model, plumbing.network
    nodes = {node.station: place for place, node in enumerate(model.nodes)}
    outlets = {node.outlet: place for place, node in enumerate(model.nodes) if node.outlet}
    out = np.empty((len(model.series), course.flow.shape[1]))
    for row, series in enumerate(model.series):
        place = nodes.get(series.station, outlets.get(series.station, -1))
        now = here.window.value[row, -1]
        if series.quantity == "water_level":
            out[row] = now + course.stage[place] - here.level[place]
        elif series.quantity == "reservoir_inflow":
            out[row] = course.inflow[place]
        elif series.quantity == "discharge" and net.kind[place] == LAKE:
            out[row] = course.flow[place] - course.river[place]
        else:
            out[row] = course.flow[place]
    return out
