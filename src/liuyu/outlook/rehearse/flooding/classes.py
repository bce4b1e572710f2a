"""Classes of depth and of hazard (depth times velocity), from `classes.toml`, with their source."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.twin.flood.problem import Floats

Text = dict[str, str]


class Hazard(msgspec.Struct, frozen=True):
    """One class of hazard: the greatest depth times speed [m2/s], depth [m] and speed [m/s] that it allows."""

    code: str
    product: float
    depth: float
    speed: float
    meaning: Text


class Classes(msgspec.Struct, frozen=True):
    """Lower limits of the classes of depth [m], those of hazard from the mildest, and where both come from."""

    above_m: tuple[float, ...]
    hazards: tuple[Hazard, ...]
    depth_source: str
    hazard_source: str

    @property
    def depths(self) -> tuple[str, ...]:
        """Names of the classes of depth, from the shallowest, as 0.5-1 m."""
        uppers = [*(f"-{each:g}" for each in self.above_m[1:]), " and more"]
        return tuple(f"{low:g}{high} m" for low, high in zip(self.above_m, uppers, strict=True))

    def depth_class(self, depth: Floats) -> NDArray[np.int64]:
        """The class of each depth [m]; -1 below the first and where there is none."""
        return np.digitize(np.nan_to_num(depth), self.above_m).astype(np.int64) - 1

    def hazard_class(self, depth: Floats, speed: Floats, product: Floats) -> NDArray[np.int64]:
        """The class of each cell by its greatest depth [m], speed [m/s] and product [m2/s]; -1 where it stays dry."""
        out = np.full(depth.shape, len(self.hazards) - 1)
        for place in range(len(self.hazards) - 1, -1, -1):
            each = self.hazards[place]
            out[(product <= each.product) & (depth <= each.depth) & (speed <= each.speed)] = place
        return np.where(np.nan_to_num(depth) >= self.above_m[0], out, -1)


@cache
def classes() -> Classes:
    """The classes that are shipped."""
    told = tomllib.loads(files("liuyu.outlook.rehearse.flooding").joinpath("classes.toml").read_text(encoding="utf-8"))
    return Classes(
        above_m=tuple(told["depth"]["above_m"]),
        hazards=tuple(msgspec.convert(each, Hazard) for each in told["hazard"]["classes"]),
        depth_source=told["depth"]["source"],
        hazard_source=told["hazard"]["source"],
    )
