"""Calibration: an archive in, a model folder out.

1. ranges of every series, travel times, laws of stage           fit.py, on the training periods
2. regressions of the drivers, then of what routing leaves        ridge; leaving one year out for all that is scored
3. errors of the left-out years, whole trajectories               the spread of a forecast
4. skill in the held-out periods, beside persistence              kept with the model
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

import liuyu
from liuyu.basin.errors import BadInput
from liuyu.basin.places import Basin
from liuyu.twin.archive import Archive, months, read_archive, span
from liuyu.twin.derive import derive, series_of
from liuyu.twin.fit import bridge, clean, fill, fit_law, fit_series, fit_travel, ridge
from liuyu.twin.flow import LAKE, warm
from liuyu.twin.hindcast import Hindcast, Issues, at_leads, hindcast, issues
from liuyu.twin.model import (
    Calibrated,
    Errors,
    Model,
    Regression,
    SeriesModel,
    Skill,
    read_model,
    read_network,
    write_model,
)
from liuyu.twin.present import Plumbing, present
from liuyu.twin.skill import FEWEST, SCORED_LEADS, skill_row
from liuyu.twin.spread import beyond, nearest
from liuyu.twin.study import Ground, Study, learn, learned_skill
from liuyu.twin.window import Window

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Reader = Callable[[tuple[SeriesModel, ...]], Archive]
DRIVER_PENALTY = 1.0
CORRECTION_PENALTY = 0.03
STEP_H = 6
LIBRARY = 160


def calibrate(
    basin: Basin,
    source: Path | Reader,
    out: Path,
    *,
    network: Path | None = None,
    say: Callable[[str], None] = lambda _: None,
) -> Calibrated:
    """Calibrate a basin's twin on an archive and write the model folder; returns the model as it is read back.

    source: an archive file, or what gives the archive of some series, such as one that quality control has checked;
    network: the TOML file of nodes and periods; without it, the one that the package names, else one derived from the
    reaches. Raises BadInput where the archive is too short.
    """
    model = begin(basin, network)
    ground, model = ground_of(basin, source, model)
    say(f"{len(model.series)} series, {int(ground.train.sum())} training hours")
    model = fit_network(basin, model, ground)
    for node in model.nodes:
        reaches = ", ".join(f"{each.source} {each.share:g} x {each.travel_h:g} h" for each in node.inflows)
        say(f"  {node.station} {node.kind}: {reaches}")
    calibrated = regress(basin, model, ground, say)
    return read_model(write_model(out, calibrated))


def begin(basin: Basin, network: Path | None) -> Model:
    """The network to calibrate, with every series that its stations report."""
    file = network or (Path(basin.folder) / basin.model_file if basin.model_file else None)
    model = read_network(file) if file else derive(basin)
    return replace(model, series=series_of(basin, model.nodes))


def ground_of(basin: Basin, source: Path | Reader, model: Model) -> tuple[Ground, Model]:
    """What a calibration reads, and the model with the series that the archive holds and their ranges."""
    archive = read_archive(source, basin, model.series) if isinstance(source, Path) else source(model.series)
    kept = np.isfinite(archive.value).sum(axis=1) > 24 * 30
    model = replace(model, series=tuple(s for s, k in zip(model.series, kept, strict=True) if k))
    archive = Archive(archive.time, archive.value[kept])
    year, month = months(archive, basin)
    held_out = np.zeros(len(archive.time), bool)
    for start, end in model.held_out:
        held_out |= span(archive, start, end, basin)
    train = np.zeros(len(archive.time), bool)
    for start, end in model.train or (("0001-01-01", "9999-12-31"),):
        train |= span(archive, start, end, basin) if model.train else True
    train &= ~held_out
    season = (month >= model.season[0]) & (month <= model.season[1])
    if (train & season).sum() < 24 * 60:
        name = source if isinstance(source, Path) else "the archive"
        hours = int((train & season).sum())
        raise BadInput(f"{name} holds {hours} hours to train on; give at least sixty days")
    model = replace(model, series=fit_series(model.series, archive.value, train))
    cleaned = clean(archive.value, model.series)
    return Ground(archive, cleaned, train, season, held_out, year), model


def fit_network(basin: Basin, model: Model, ground: Ground) -> Model:
    """Travel times and laws of every node, upstream first, and the correlations of the series."""
    curves = {each.station: each.curve for each in basin.reservoirs}
    filled = np.stack([fill(row) for row in ground.cleaned])
    train = ground.train & ground.season
    nodes = list(model.nodes)
    flows: dict[str, Floats] = {}
    for place, node in enumerate(nodes):
        plumbing = Plumbing.of(replace(model, nodes=tuple(nodes)), curves)
        row = plumbing.flow_row[place]
        arrives = plumbing.inflow_row[place] if node.kind == "reservoir" else row
        if node.kind in ("channel", "reservoir") and arrives >= 0 and not model.travel_known:
            nodes[place] = fit_travel(node, filled[arrives], flows, train)
            plumbing = Plumbing.of(replace(model, nodes=tuple(nodes)), curves)
        flows[node.station] = _flow_of(plumbing, filled, place)
    level = {s.station: filled[r] for r, s in enumerate(model.series) if s.quantity == "water_level"}
    for place, node in enumerate(nodes):
        if node.kind != "reservoir" and node.station in level:
            law, _ = fit_law(flows[node.station], level[node.station], level.get(node.backwater), train)
            nodes[place] = replace(node, law=law)
    correlation = np.atleast_2d(np.corrcoef(filled[:, train])).round(4)
    return replace(model, nodes=tuple(nodes), correlation=tuple(tuple(map(float, row)) for row in correlation))


def _flow_of(plumbing: Plumbing, filled: Floats, place: int) -> Floats:
    """Flow that passed a node, from its gauge; at a lake, from the routed river and the lake's outlet."""
    seen = np.zeros((len(plumbing.flow_row), filled.shape[1]))
    seen[plumbing.flow_row >= 0] = filled[plumbing.flow_row[plumbing.flow_row >= 0]]
    river, aside = warm(plumbing.network.kind, seen, *plumbing.network.arrays, plumbing.network.new_state())
    if plumbing.network.kind[place] == LAKE:
        return np.asarray(seen[place] + river[place], np.float64)
    return seen[place] if plumbing.flow_row[place] >= 0 else np.asarray(river[place] + aside[place], np.float64)


def study(basin: Basin, model: Model, ground: Ground, say: Callable[[str], None] = lambda _: None) -> Study:
    """Regressions of drivers and corrections, and what routed forecasts of every issue say without its own year."""
    curves = {each.station: each.curve for each in basin.reservoirs}
    plumbing = Plumbing.of(model, curves)
    known = issues(ground.archive, plumbing, STEP_H)
    usable = (ground.train & ground.season)[known.place]
    year = ground.year[known.place]
    folds = [int(each) for each in np.unique(year[usable])]
    say(f"{len(known.place)} issues, {int(usable.sum())} to train on, years {folds}")
    drivers, by_fold = _drivers(known, plumbing, ground, usable, year, folds)
    rows = np.array([r for r, s in enumerate(model.series) if s.quantity != "reservoir_outflow"], np.int64)
    cast = hindcast(known, plumbing, lambda n: by_fold.get(int(year[n]), drivers) if usable[n] else drivers, rows)
    truth = at_leads(bridge(ground.cleaned, 6), known.place, model.leads_h)
    correction, predicted = _correction(cast, rows, truth, usable, year, folds, plumbing)
    routed = cast.base.copy()
    routed[:, rows] += predicted
    return Study(model, ground, known, usable, truth, routed, cast.regime, drivers, correction)


def regress(basin: Basin, model: Model, ground: Ground, say: Callable[[str], None]) -> Calibrated:
    """Drivers, corrections, data-driven models, errors of left-out years, and skill where nothing was learned."""
    found = study(basin, model, ground, say)
    targets = tuple((s.station, s.quantity) for s in model.series)
    errors = _errors(targets, found.truth - found.routed, found.regime, found.usable)
    trained = learn(found, basin) if model.learned is not None else None
    if trained is not None:
        say(f"data-driven: {len(trained.model.targets)} series, {trained.model.weights.shape[2]} weights at each lead")
    folds = sorted({int(each) for each in ground.year[found.known.place][found.usable]})
    provenance = {
        "liuyu": liuyu.__version__,
        "archive": f"{_day(ground.archive.time[0])} to {_day(ground.archive.time[-1])}, {len(model.series)} series",
        "trained_on": f"months {model.season[0]}-{model.season[1]} of {', '.join(map(str, folds))}",
        "held_out": "; ".join(f"{a} to {b}" for a, b in model.held_out)
        or "none; every score is of a year forecast by models of the other years",
        "method": f"ridge, penalties {DRIVER_PENALTY:g} (drivers) and {CORRECTION_PENALTY:g} (correction); "
        "errors are those of years left out",
    }
    if trained is not None:
        provenance["learned"] = (
            "ridge on every month of the training, and weights beside the routed forecast, series by "
        )
        provenance["learned"] += "series and lead by lead, from errors of years left out"
    skill = learned_skill(trained, found) if trained is not None else _skill(found, errors)
    model = replace(model, provenance=provenance)
    return Calibrated(model=model, drivers=found.drivers, correction=found.correction, errors=errors, skill=skill,
                      learned=trained.model if trained is not None else None)  # fmt: skip


def _day(seconds: int) -> str:
    return str(np.datetime64(int(seconds), "s").astype("datetime64[D]"))


def _drivers(
    known: Issues, plumbing: Plumbing, ground: Ground, usable: Mask, year: NDArray[np.int64], folds: list[int]
) -> tuple[Regression, dict[int, Regression]]:
    """The regression of the drivers on all training years, and on all but each of them."""
    model = plumbing.model
    filled = np.stack([fill(row) for row in ground.cleaned])
    none = np.zeros(len(model.series))
    whole = present(Window(int(ground.archive.time[-1]), filled, none, none + 1.0), plumbing, laws=False).driver
    running = np.concatenate([np.zeros((len(whole), 1)), np.cumsum(whole, axis=1)], axis=1)
    anchor = np.stack([each.anchor for each in known.presents])
    change = np.full((len(known.place), len(whole), len(model.leads_h)), np.nan)
    for number, lead in enumerate(model.leads_h):
        end = known.place + lead + 1
        inside = end < running.shape[1]
        for row, hold in enumerate(plumbing.hold):
            mean = (running[row, end[inside]] - running[row, end[inside] - hold]) / hold
            change[inside, row, number] = mean - anchor[inside, row]
    names = tuple((model.nodes[n].station, "release" if release else "local") for n, release in plumbing.drivers)

    def fit(rows: Mask) -> Regression:
        flat = ridge(known.features[rows], change[rows].reshape(int(rows.sum()), -1), DRIVER_PENALTY)
        weights = flat.T.reshape(len(whole), len(model.leads_h), -1)
        return Regression(targets=names, weights=weights)

    by_fold = {fold: fit(usable & (year != fold)) for fold in folds} if len(folds) > 1 else {}
    return fit(usable), by_fold


def _correction(
    cast: Hindcast, rows: NDArray[np.int64], truth: Floats, usable: Mask, year: NDArray[np.int64], folds: list[int],
    plumbing: Plumbing,
) -> tuple[Regression, Floats]:  # fmt: skip
    """The regression of what routing leaves, and what it predicts for every issue without that issue's year."""
    model = plumbing.model
    predicted = np.zeros((len(usable), len(rows), len(model.leads_h)))
    weights = np.empty((len(rows), len(model.leads_h), cast.features.shape[2] + 1))
    for number, row in enumerate(rows):
        features = cast.features[:, number].astype(np.float64)
        left = truth[:, row] - cast.base[:, row]
        full = ridge(features[usable], left[usable], CORRECTION_PENALTY)
        predicted[:, number] = features @ full[:-1] + full[-1]
        for fold in folds if len(folds) > 1 else ():
            rest, here = usable & (year != fold), usable & (year == fold)
            part = ridge(features[rest], left[rest], CORRECTION_PENALTY)
            predicted[here, number] = features[here] @ part[:-1] + part[-1]
        weights[number] = full.T
    names = tuple((model.series[row].station, model.series[row].quantity) for row in rows)
    return Regression(targets=names, weights=weights), predicted


def _errors(targets: tuple[tuple[str, str], ...], error: Floats, regime: Floats, usable: Mask) -> Errors:
    """A library of whole trajectories, evenly spread over the training issues in which every value is known."""
    whole = np.flatnonzero(usable & np.isfinite(error).all(axis=(1, 2)))
    chosen = whole[np.unique(np.linspace(0, len(whole) - 1, min(LIBRARY, len(whole))).astype(int))]
    return Errors(targets=targets, regime=regime[chosen], error=error[chosen])


def _skill(found: Study, errors: Errors) -> tuple[Skill, ...]:
    """Scores of the routed forecasts in the held-out periods, by series and lead, persistence beside."""
    model, known, truth, final, regime = found.model, found.known, found.truth, found.routed, found.regime
    test = found.ground.held_out[known.place]
    if not test.any():
        return ()
    now = np.stack([each.window.value[:, -1] for each in known.presents])
    low, high = _interval(errors, regime, model)
    rows = []
    for row, series in enumerate(model.series):
        for lead in SCORED_LEADS:
            if lead not in model.leads_h:
                continue
            at = model.leads_h.index(lead)
            ok = test & np.isfinite(truth[:, row, at])
            if ok.sum() < FEWEST:
                continue
            real, said = truth[ok, row, at], final[ok, row, at]
            inside = (real - said >= low[ok, row, at]) & (real - said <= high[ok, row, at])
            target = (series.station, series.quantity)
            rows.append(skill_row(target, lead, said, real, now[ok, row], float(inside.mean())))
    return tuple(rows)


def _interval(errors: Errors, regime: Floats, model: Model) -> tuple[Floats, Floats]:
    """10 and 90 % quantiles of the errors that each issue would draw from: (n, series, leads) each."""
    low = np.empty((len(regime), *errors.error.shape[1:]))
    high = np.empty_like(low)
    for number, here in enumerate(regime):
        near = nearest(errors, here, 51)
        pool = errors.error[near]
        grown = (pool - pool.mean(axis=0)) * beyond(errors, near, here, model)[:, None]
        low[number], high[number] = np.quantile(grown, [0.1, 0.9], axis=0)
    return low, high
