"""Data-driven forecasts: what is left out stays out, and a file gives back what was learned."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from liuyu.basin.errors import BadPackage
from liuyu.twin.learned import Learned, Recipe, blocks, combine, features, read_learned, ridge_by_year, write_learned
from liuyu.twin.learned.train import Lessons, train

SERIES = (("A", "water_level"), ("A", "discharge"), ("B", "water_level"))
RECIPE = Recipe(pivot="B", tidal="B", lags_h=(1, 6, 24), state_lags_h=(6,), leads_h=(6, 24))
DICE = np.random.Generator(np.random.PCG64(7))


def line(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    x = DICE.standard_normal((n, 3))
    y = x @ np.array([2.0, -1.0, 0.0]) + 0.1 * DICE.standard_normal(n)
    z = np.concatenate([x, np.ones((n, 1))], axis=1).astype(np.float32)
    return z, y, np.repeat(np.arange(2020, 2024), n // 4)


def test_a_line_is_found_and_a_penalty_draws_it_towards_nothing() -> None:
    z, y, year = line(800)
    assert np.abs(ridge_by_year(z, y, year, np.full(3, 1e-4)).weights - [2.0, -1.0, 0.0, 0.0]).max() < 0.02
    assert np.abs(ridge_by_year(z, y, year, np.full(3, 1.0)).weights[:2] - [1.0, -0.5]).max() < 0.1


def test_a_year_is_forecast_without_anything_of_that_year() -> None:
    z, y, year = line(800)
    here = year == 2022
    before = ridge_by_year(z, y, year, np.full(3, 1e-3)).out
    after = ridge_by_year(z, np.where(here, 50.0 - 5.0 * y, y), year, np.full(3, 1e-3)).out
    assert np.abs(after[here] - before[here]).max() < 1e-3, "what rounding of sums in single precision leaves"
    assert np.abs(after[~here] - before[~here]).max() > 1.0
    rest = ~here
    alone = ridge_by_year(z[rest], y[rest], year[rest], np.full(3, 1e-3)).weights
    assert np.allclose(before[here], z[here] @ alone, atol=1e-3)


def test_unknown_targets_are_forecast_and_never_learned_from() -> None:
    z, y, year = line(800)
    gone = y.copy()
    gone[::7] = np.nan
    fit = ridge_by_year(z, gone, year, np.full(3, 1e-4))
    assert np.isfinite(fit.out).all()
    assert np.abs(fit.out - y).max() < 0.6


def past(n: int) -> tuple[np.ndarray, np.ndarray]:
    value = np.cumsum(0.1 * DICE.standard_normal((n, 3, 25)), axis=2) + 10.0
    return value, 1_600_000_000 // 3600 * 3600 + 21_600 * np.arange(n, dtype=np.int64)


def test_features_are_named_block_by_block_and_depend_on_one_issue_alone() -> None:
    value, now = past(5)
    whole = features(value, now, SERIES, RECIPE)
    assert whole.shape == (5, len(blocks(3, RECIPE)))
    assert np.array_equal(features(value[3:4], now[3:4], SERIES, RECIPE)[0], whole[3])
    names = np.array(blocks(3, RECIPE))
    assert np.array_equal(whole[:, names == "now"], value[:, :, -1])
    assert np.allclose(whole[:, names == "change"][:, 3:6], value[:, :, -1] - value[:, :, -7])
    assert RECIPE.penalties(3).shape == (2, whole.shape[1])
    assert RECIPE.penalties(3)[1, 0] == pytest.approx(0.03)


def test_the_better_forecast_gets_the_weight() -> None:
    truth = DICE.standard_normal((500, 2, 3))
    good, bad = truth + 0.1 * DICE.standard_normal(truth.shape), truth + DICE.standard_normal(truth.shape)
    judge = np.ones(500, bool)
    assert combine(good, bad, truth, judge).weight.max() < 0.1
    assert combine(bad, good, truth, judge).weight.min() > 0.9
    both = combine(bad, truth + DICE.standard_normal(truth.shape), truth, judge)
    assert (np.abs(both.weight - 0.5) < 0.15).all()
    assert ((both.out - truth) ** 2).mean() < 0.7 * ((bad - truth) ** 2).mean()


@pytest.fixture(scope="module")
def trained() -> tuple[Learned, Lessons]:
    n = 1600
    value, now = past(n)
    year = 1970 + (now // 31_556_952).astype(np.int64)
    here = value[:, :, -1]
    slope = (here - value[:, :, -7])[:, :, None]
    truth = here[:, :, None] + slope * np.array([0.8, 1.5]) + 0.05 * DICE.standard_normal((n, 3, 2))
    routed = np.repeat(here[:, :, None], 2, axis=2)
    season = np.ones(n, bool)
    regime = DICE.standard_normal((n, 3))
    lessons = Lessons(SERIES, value.astype(np.float32), now, year, truth, routed, regime, season, season)
    return train(RECIPE, lessons).model, lessons


def test_it_learns_what_comes_and_how_far_it_is_off(trained: tuple[Learned, Lessons]) -> None:
    model, lessons = trained
    expected = np.stack([
        model.expected(each.astype(np.float64), int(when))
        for each, when in zip(lessons.value[:200], lessons.now[:200], strict=True)
    ])  # fmt: skip
    change = lessons.truth[:200] - lessons.value[:200, :, -1][:, :, None]
    assert np.sqrt(((expected - change) ** 2).mean()) < 0.08
    assert model.routed.max() < 0.1
    error = model.error * model.unit[:, None]
    assert error.std() == pytest.approx(0.05, rel=0.25)


def test_a_past_never_seen_cannot_carry_it_away(trained: tuple[Learned, Lessons]) -> None:
    model, lessons = trained
    absurd = lessons.value[0].astype(np.float64)
    absurd[:, -1] += 1e4
    found = model.expected(absurd, int(lessons.now[0]))
    assert (found >= model.change[:, :, 0]).all()
    assert (found <= model.change[:, :, 1]).all()


def test_a_file_gives_back_what_was_learned_in_the_same_bytes(trained: tuple[Learned, Lessons], tmp_path: Path) -> None:
    write_learned(tmp_path / "a.npz", trained[0])
    read, digest = read_learned(tmp_path / "a.npz")
    write_learned(tmp_path / "b.npz", read)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    assert read_learned(tmp_path / "b.npz")[1] == digest
    assert read.recipe == msgspec.convert(msgspec.to_builtins(trained[0].recipe), Recipe)
    value = trained[1].value[9].astype(np.float64)
    assert np.allclose(read.expected(value, 1_600_000_000), trained[0].expected(value, 1_600_000_000), atol=1e-4)


def test_a_file_that_is_none_says_so(tmp_path: Path) -> None:
    (tmp_path / "learned.npz").write_bytes(b"nothing")
    with pytest.raises(BadPackage, match="liuyu forecast train"):
        read_learned(tmp_path / "learned.npz")
