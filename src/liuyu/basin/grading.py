"""Grades of forecasts after GB/T 22482, with the numbers of each edition kept as data in `grading.toml`."""

from __future__ import annotations

import difflib
from functools import cache
from importlib.resources import files

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import NotFound

Floats = NDArray[np.float64]


class Grade(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A grade and the least QR [%] and DC [1] that it asks for; `dc_within` says that the DC may equal its bound."""

    name: str
    qr: float
    dc: float
    dc_within: bool


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One edition of the standard: how large an error may be, and which grades there are, the best first."""

    name: str
    source: str
    share_of_change: float
    floor_level_m: float
    floor_flow_share: float
    peak_time_share: float
    peak_time_floor_h: float
    below: str
    grades: tuple[Grade, ...]

    def permissible(self, quantity: str, change: Floats, observed: Floats) -> Floats:
        """The largest error of a qualified forecast [unit of the quantity].

        change: observed minus value at issue; observed: value at the valid time; both of one shape.
        """
        floor = self.floor_level_m if quantity == "water_level" else self.floor_flow_share * np.abs(observed)
        return np.maximum(self.share_of_change * np.abs(change), floor)

    def permissible_time(self, lead: Floats) -> Floats:
        """The largest error of the time of a peak [h] that comes some hours after issue."""
        return np.maximum(self.peak_time_share * lead, self.peak_time_floor_h)

    def grade(self, qr: float, dc: float) -> str:
        """The grade that a share of qualified forecasts [%] and a determination coefficient reach together.

        >>> find_profile("GB/T 22482-2008").grade(90.0, 0.80)
        '乙'
        """
        for each in self.grades:
            if qr >= each.qr and (dc >= each.dc if each.dc_within else dc > each.dc):
                return each.name
        return self.below


class _File(msgspec.Struct, forbid_unknown_fields=True):
    profiles: tuple[Profile, ...]


@cache
def profiles() -> tuple[Profile, ...]:
    """Every edition, the one in force first."""
    text = files("liuyu.basin").joinpath("grading.toml").read_bytes()
    return msgspec.toml.decode(text, type=_File).profiles


def find_profile(name: str = "") -> Profile:
    """The edition of a name, the one in force without a name. Raises NotFound with the nearest name."""
    names = [each.name for each in profiles()]
    if name and name not in names:
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.3)
        raise NotFound(f"no grading profile {name!r}; known: {', '.join(near or names)}")
    return profiles()[names.index(name) if name else 0]
