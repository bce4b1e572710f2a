"""Runoff over time: a split run equals the whole, a series does not depend on its company, a fault is told by name."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput, ModelFailed, NotFound
from liuyu.twin.runoff import MODELS, Forcing, RunoffModel, RunoffState, find_model, simulate
from liuyu.twin.runoff.lanes import LANES

Floats = NDArray[np.float64]
DAYS = 400


def weather(rows: int, *, snow: bool = True) -> Forcing:
    draw = np.random.default_rng(5)
    day = np.arange(DAYS)
    warmth = 6.0 - 9.0 * np.cos(2 * np.pi * day / 365) + draw.normal(0, 3, (rows, DAYS))
    rain = draw.gamma(0.3, 9.0, (rows, DAYS))
    pet = np.maximum(2.0 - 1.8 * np.cos(2 * np.pi * day / 365), 0.0) * np.ones((rows, 1))
    times = [str(np.datetime64("2001-01-01") + k) for k in day]
    return Forcing(rain, pet, warmth if snow else None, [f"sub-basin {k}" for k in range(rows)], times)


def sets(model: RunoffModel, count: int) -> Floats:
    low = np.array([each.low for each in model.parameters])
    high = np.array([each.high for each in model.parameters])
    return np.asarray(low + np.random.default_rng(6).random((count, len(low))) * (high - low))


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("snow", [True, False])
def test_a_split_run_equals_the_whole_bit_for_bit(name: str, snow: bool) -> None:
    model, forcing = MODELS[name], weather(3, snow=snow)
    parameters, rows = sets(model, 20), np.arange(20) % 3
    whole, end = simulate(model, forcing, parameters, rows=rows)
    first, state = simulate(model, forcing.between(0, 150), parameters, rows=rows)
    saved = state.dump()
    second, later = simulate(model, forcing.between(150, DAYS), parameters, rows=rows, state=RunoffState.load(saved))
    assert np.concatenate([first, second], axis=1).tobytes() == whole.tobytes()
    assert later.dump() == end.dump()
    assert state.dump() == saved  # the run from it left it as it was


@pytest.mark.parametrize("name", MODELS)
def test_a_series_does_not_depend_on_its_company(name: str) -> None:
    model, forcing = MODELS[name], weather(3)
    parameters, rows = sets(model, 2 * LANES + 3), np.arange(2 * LANES + 3) % 3
    together, _ = simulate(model, forcing, parameters, rows=rows)
    for series in (0, LANES - 1, LANES, 2 * LANES + 2):
        alone, _ = simulate(model, forcing, parameters[series], rows=[int(rows[series])])
        assert alone[0].tobytes() == together[series].tobytes()


@pytest.mark.parametrize("name", MODELS)
@pytest.mark.parametrize("count", [1, LANES])
def test_missing_rain_fails_by_name_and_day(name: str, count: int) -> None:
    forcing = weather(2)
    forcing.precipitation[1, 37] = np.nan
    model = MODELS[name]
    with pytest.raises(ModelFailed, match=r"sub-basin 1 .* at 2001-02-07: precipitation nan"):
        simulate(model, forcing, sets(model, count), rows=np.ones(count, np.int64))
    without = Forcing(forcing.precipitation, forcing.pet, None, forcing.names, forcing.times)
    with pytest.raises(ModelFailed, match=r"sub-basin 1 .* at 2001-02-07: precipitation nan"):
        simulate(model, without, sets(model, count), rows=np.ones(count, np.int64))


def test_an_impossible_parameter_fails_and_is_not_papered_over() -> None:
    model = MODELS["gr4j"]
    parameters = sets(model, 1)
    parameters[0, 6] = 0.0  # a production store without capacity
    with pytest.raises(ModelFailed, match="gr4j of sub-basin 0"):
        simulate(model, weather(1), parameters)


def test_wrong_shapes_are_refused() -> None:
    model, forcing = MODELS["hbv"], weather(2)
    with pytest.raises(BadInput, match="14 parameters, not 4"):
        simulate(model, forcing, np.ones((2, 4)))
    with pytest.raises(BadInput, match="name a row for each series"):
        simulate(model, forcing, sets(model, 3))
    _, state = simulate(model, forcing, sets(model, 2))
    with pytest.raises(BadInput, match="begin anew"):
        simulate(MODELS["gr4j"], forcing, sets(MODELS["gr4j"], 2), state=state)
    with pytest.raises(NotFound, match="gr4j, gr6j"):
        find_model("gr5")


def test_cold_land_keeps_its_snow_and_warm_land_has_none() -> None:
    model = MODELS["gr4j"]
    forcing = weather(1)
    row = np.array([1.0, 1.0, 0.0, 3.0, 5.0, 1.0, 300.0, 0.0, 60.0, 1.5])
    cold = Forcing(forcing.precipitation, forcing.pet, np.full((1, DAYS), -15.0), forcing.names, forcing.times)
    _, state = simulate(model, cold, row)
    assert state.snow[0, :5].mean() == pytest.approx(forcing.precipitation.sum(), rel=1e-12)
    warm = Forcing(forcing.precipitation, forcing.pet, np.full((1, DAYS), 25.0), forcing.names, forcing.times)
    bare = Forcing(forcing.precipitation, forcing.pet, None, forcing.names, forcing.times)
    assert simulate(model, warm, row)[0] == pytest.approx(simulate(model, bare, row)[0], rel=1e-12)
