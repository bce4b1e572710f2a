"""Correction and assimilation: no leak from the future, and better than nothing on years not learned from."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.runoff import (
    DAILY,
    MODELS,
    Forcing,
    Noise,
    assimilated,
    autoregressive,
    blended,
    choose,
    mean_of,
    warmed,
    weights_of,
)
from liuyu.twin.runoff.calibrate import Fitted
from liuyu.twin.runoff.nested import Gauge, fit_nested
from liuyu.twin.runoff.scores import nse
from liuyu.twin.runoff.transfer import climate, donors, transferred

Floats = NDArray[np.float64]
DAYS, HALF, LEADS = 1400, slice(0, 800), (1, 3, 5)
TRUTH = np.array([1.0, 1.0, 0.0, 3.0, 5.0, 1.0, 320.0, -0.6, 70.0, 1.8])
WRONG = np.array([1.0, 1.15, 0.0, 3.0, 5.0, 1.0, 400.0, -0.2, 90.0, 1.6])


def weather(seed: int = 11) -> Forcing:
    draw = np.random.default_rng(seed)
    season = np.cos(2 * np.pi * np.arange(DAYS) / 365)
    return Forcing(draw.gamma(0.3, 10.0, (1, DAYS)), (2.0 - 1.7 * season)[None], None, ("brook",))


def observed() -> Floats:
    """Runoff of the true model under rain that a gauge measures with errors."""
    forcing = weather()
    noisy = Forcing(forcing.precipitation * np.random.default_rng(4).lognormal(-0.03, 0.25, (1, DAYS)), forcing.pet)
    out = warmed(MODELS["gr4j"], noisy, TRUTH[None])[0]
    out[300:320] = np.nan
    return np.asarray(out)


def efficiency(forecast: Floats, truth: Floats) -> float:
    there = np.isfinite(truth) & np.isfinite(forecast)
    there[HALF] = False
    return float(nse(forecast[there], truth[there]))


def test_correction_helps_most_at_the_first_lead_and_never_reads_ahead() -> None:
    truth, plain = observed(), warmed(MODELS["gr4j"], weather(), WRONG[None])[0]
    forecast = autoregressive(plain, truth, LEADS, HALF)
    score = [efficiency(row, truth) for row in forecast]
    assert score[0] > score[1] > score[2] > efficiency(plain, truth)
    later = truth.copy()
    later[1000:] = 99.0
    again = autoregressive(plain, later, LEADS, HALF)
    for row, lead in enumerate(LEADS):
        assert again[row, : 1000 + lead].tobytes() == forecast[row, : 1000 + lead].tobytes()
        assert again[row, 1000 + lead] != forecast[row, 1000 + lead]
    with pytest.raises(BadInput, match="too few to learn"):
        autoregressive(plain, np.where(np.arange(DAYS) < 50, truth, np.nan), LEADS, HALF)


def test_the_filter_helps_and_never_reads_ahead() -> None:
    truth, plain = observed(), warmed(MODELS["gr4j"], weather(), WRONG[None])[0]
    few = {"members": 16, "warm": 365}
    forecast = assimilated(MODELS["gr4j"], WRONG, weather(), truth, LEADS, HALF, **few)  # type: ignore[arg-type]
    assert efficiency(forecast[0], truth) > efficiency(plain, truth)
    assert np.isnan(forecast[2, :5]).all()
    later = truth.copy()
    later[1000:] = 99.0
    again = assimilated(MODELS["gr4j"], WRONG, weather(), later, LEADS, HALF, **few)  # type: ignore[arg-type]
    for row, lead in enumerate(LEADS):
        assert again[row, : 1000 + lead].tobytes() == forecast[row, : 1000 + lead].tobytes()


def test_a_filter_that_trusts_nothing_but_the_model_is_the_open_run() -> None:
    sure = Noise(rain=0.0, pet=0.0, stores=0.0)
    truth, plain = observed(), warmed(MODELS["gr6j"], weather(), np.append(WRONG, [0.2, 20.0])[None])[0]
    forecast = assimilated(
        MODELS["gr6j"], np.append(WRONG, [0.2, 20.0]), weather(), truth, (1,), slice(0, DAYS), noise=sure, members=2
    )
    assert forecast[0, 1:] == pytest.approx(plain[1:], rel=1e-9)


def test_the_best_way_is_chosen_by_the_calibration_period_alone() -> None:
    truth = observed()
    draw = np.random.default_rng(1)
    good, bad = (truth + draw.normal(0, size, (2, DAYS)) for size in (0.1, 0.5))
    good[:, 800:] += 50.0  # of which the choice must not know
    best, choices = choose({"bad": bad, "good": good}, truth, (1, 2), HALF)
    assert [each.name for each in choices] == ["good", "good"]
    assert best.tobytes() == good.tobytes()
    assert choices[0].calibration["good"] > choices[0].calibration["bad"]
    blend = blended((bad, good), truth, slice(0, 700))
    there = np.isfinite(truth[700:800])
    assert nse(blend[0, 700:800][there], truth[700:800][there]) > 0.95


def test_better_models_weigh_more() -> None:
    truth = observed()
    runs = [truth + np.random.default_rng(k).normal(0, 0.1 * (k + 1), DAYS) for k in range(3)]
    weights = weights_of(runs, truth, HALF)
    assert weights.sum() == pytest.approx(1.0)
    assert weights[0] > weights[1] > weights[2]
    assert mean_of(runs, weights)[10] == pytest.approx(sum(w * r[10] for w, r in zip(weights, runs, strict=True)))
    assert set(DAILY) == {"gr4j", "gr6j", "hbv", "xinanjiang", "sacsma", "gr5j"}


def test_an_ungauged_sub_basin_takes_after_its_like() -> None:
    attributes = np.array([[0.0, 0.0], [1.0, 1.0], [5.0, 5.0]])
    places, weights = donors(attributes, np.array([0.9, 1.0]), 2)
    assert places.tolist() == [1, 0]
    assert weights[0] > weights[1]
    assert weights.sum() == pytest.approx(1.0)
    with pytest.raises(BadInput, match="4 donors"):
        donors(attributes, attributes[0], 4)
    giver = Fitted(MODELS["gr4j"], TRUTH, 1, 0, 0.0)
    alone = warmed(MODELS["gr4j"], weather(), TRUTH[None])[0]
    assert transferred(weather(), [giver, giver], np.array([0.3, 0.7])) == pytest.approx(alone)
    assert climate(weather())[2] == 0.0


def test_nested_gauges_are_calibrated_from_the_springs_down() -> None:
    upper = warmed(MODELS["gr4j"], weather(1), TRUTH[None])[0]
    own = warmed(MODELS["gr4j"], weather(2), TRUTH[None])[0]
    late = np.concatenate([[upper[0]], upper[:-1]])  # a day's way
    gauges = [
        Gauge("up", (), (), 600.0, weather(1), upper),
        Gauge("down", (0,), (86.4,), 1000.0, weather(2), 0.6 * late + 0.4 * own),
    ]
    found = fit_nested(MODELS["gr4j"], gauges, HALF, evaluations=2500)
    assert found[1].velocity == pytest.approx(1.0, rel=0.3)
    for interval, gauge in zip(found, gauges, strict=True):
        assert nse(interval.simulated[800:], gauge.observed[800:]) > 0.95
    with pytest.raises(BadInput, match="down comes before"):
        fit_nested(MODELS["gr4j"], [Gauge("down", (1,), (9.0,), 9.0, weather(2), own), gauges[0]], HALF)
