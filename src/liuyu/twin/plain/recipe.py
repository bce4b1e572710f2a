"""A plain that is made up from a few numbers: ground, dikes, canals, a town, fields, people. The same numbers give the
same plain, to the bit; whatever comes of it is synthetic and is called so."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.twin.flood.places import cells_along
from liuyu.twin.flood.problem import Floats
from liuyu.twin.flood.rasters import Grid

Line = tuple[tuple[float, float], ...]


class Dike(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A wall of earth along a line (x, y) with a level crest [m]."""

    line: Line
    crest_m: float


class Canal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A ditch along a line, so deep below the ground [m]; it runs through dikes where it is named after them."""

    line: Line
    depth_m: float


class Town(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A round town on raised ground: centre (x, y), radius [m], raised by [m], and its people."""

    name: str
    name_en: str
    centre: tuple[float, float]
    radius_m: float
    raise_m: float = 0.5
    people: float


class Recipe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a plain is made up: ground at the river [m], its fall away from the river [1], waves of so many metres up and
    down over so many metres, and what stands on it; the share of the fields and the people per km² outside towns."""

    ground_m: float
    slope: float
    wave_m: float = 0.3
    wave_length_m: float = 3000.0
    dikes: tuple[Dike, ...] = ()
    canals: tuple[Canal, ...] = ()
    towns: tuple[Town, ...] = ()
    people_per_km2: float = 300.0
    cropland_share: float = 0.7
    manning_field: float = 0.045
    manning_town: float = 0.09
    manning_canal: float = 0.03


class Made(msgspec.Struct, frozen=True):
    """What a recipe made: ground [m] (NaN on the river's side), Manning, people per cell, cropland per cell [m²]."""

    terrain: Floats
    manning: Floats
    people: Floats
    cropland: Floats


def make(recipe: Recipe, grid: Grid, levees: Sequence[Line]) -> Made:
    """The plain of a recipe. Ground lies on the right of each levee's line, as one walks it; cells on its left are the
    river's and have none."""
    x, y = np.meshgrid(grid.columns_x, grid.rows_y)
    away, outside = np.full(grid.shape, np.inf), np.zeros(grid.shape, bool)
    for line in levees:
        distance, left = _beside(x, y, line)
        away = np.minimum(away, distance)
        outside |= left & ~_on(grid, line)
    phase = 2.0 * np.pi / recipe.wave_length_m
    waves = np.sin(phase * (x - grid.x)) * np.cos(0.73 * phase * (y - grid.y)) + 0.5 * np.sin(
        0.41 * phase * (x - grid.x) + 0.29 * phase * (y - grid.y)
    )
    terrain = recipe.ground_m - recipe.slope * away + recipe.wave_m * waves / 1.5
    manning = np.full(grid.shape, recipe.manning_field)
    people = np.full(grid.shape, recipe.people_per_km2 * grid.cell**2 / 1e6)
    crops = np.full(grid.shape, recipe.cropland_share * grid.cell**2)
    for town in recipe.towns:
        inside = np.hypot(x - town.centre[0], y - town.centre[1]) <= town.radius_m
        terrain[inside] += town.raise_m
        manning[inside], crops[inside] = recipe.manning_town, 0.0
        people[inside] = town.people / max(int((inside & ~outside).sum()), 1)
    for canal in recipe.canals:
        at = tuple(cells_along(grid, canal.line)[0].T)
        terrain[at] -= canal.depth_m
        manning[at], crops[at], people[at] = recipe.manning_canal, 0.0, 0.0
    for dike in recipe.dikes:
        at = tuple(cells_along(grid, dike.line)[0].T)
        terrain[at] = np.maximum(terrain[at], dike.crest_m)
        crops[at] = 0.0
    for each in (terrain, manning, people, crops):
        each[outside] = np.nan
    return Made(terrain, manning, people, crops)


def _on(grid: Grid, line: Line) -> NDArray[np.bool_]:
    on = np.zeros(grid.shape, bool)
    on[tuple(cells_along(grid, line)[0].T)] = True
    return on


def _beside(x: Floats, y: Floats, line: Line) -> tuple[Floats, NDArray[np.bool_]]:
    """Distance of each place from a line [m], and whether it lies on its left beside one of its pieces."""
    best, left = np.full(x.shape, np.inf), np.zeros(x.shape, bool)
    for (ax, ay), (bx, by) in pairwise(line):
        run = (bx - ax) ** 2 + (by - ay) ** 2
        share = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / run, 0.0, 1.0)
        distance = np.hypot(x - ax - share * (bx - ax), y - ay - share * (by - ay))
        nearer = distance < best
        side = (bx - ax) * (y - ay) - (by - ay) * (x - ax) > 0.0
        left[nearer] = side[nearer]
        best = np.minimum(best, distance)
    return best, left
