"""A river network as arrays: reaches, the links between them, and the law of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.twin.network.kernels import CHANNEL, COUPLED, POOL

Floats = NDArray[np.float64]
Places = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Pool:
    """A lake or reservoir whose surface is level and that nothing below pushes back.

    reach: its place in the network; storages [m3], outflows [m3/s]: its curve, both (points,) and rising, from the
    least water that it can hold.
    """

    reach: int
    storages: Floats
    outflows: Floats


@dataclass(frozen=True, slots=True)
class Coupled:
    """Stretches of river and lakes that push each other's water back, solved together: see `physics.diffusive`.

    reaches: (n,) places in the network, each before the one below it, the last the mouth; cell: (n, 3) bed level [m],
    surface at 1 m depth [m2], exponent of its growth with depth; link: (n, 4) bed level [m], width [m], Manning's n,
    length [m] of what joins it to the cell below; rating: (3,) a, b, m of the mouth's a (z - b)^m.
    """

    reaches: tuple[int, ...]
    cell: Floats
    link: Floats
    rating: Floats


@dataclass(frozen=True)
class RiverNetwork:
    """Reaches (n,) in any order, and the links between them.

    law: (n, 4) of channels, from `channel_laws` or `muskingum_laws`; source, target: (links,) places; share: (links,)
    of the source's flow [1], which sum to one at a reach that has any. Raises BadInput listing every fault.
    """

    codes: Sequence[str]
    source: Places
    target: Places
    share: Floats
    law: Floats
    pools: tuple[Pool, ...] = ()
    coupled: tuple[Coupled, ...] = ()
    kind: Places = field(init=False)

    def __post_init__(self) -> None:
        kind = np.full(len(self.codes), CHANNEL)
        kind[[each.reach for each in self.pools]] = POOL
        for each in self.coupled:
            kind[list(each.reaches)] = COUPLED
        object.__setattr__(self, "kind", kind)
        faults = self._faults()
        if faults:
            raise BadInput("; ".join(faults))

    @classmethod
    def tree(
        cls,
        codes: Sequence[str],
        down: Places,
        law: Floats,
        pools: Sequence[Pool] = (),
        coupled: Sequence[Coupled] = (),
    ) -> RiverNetwork:
        """A network in which each reach hands everything to one other; down: (n,) its place, -1 at an outlet."""
        source = np.flatnonzero(np.asarray(down) >= 0)
        return cls(
            codes, source, np.asarray(down, np.int64)[source], np.ones(len(source)), law, tuple(pools), tuple(coupled)
        )

    @property
    def size(self) -> int:
        """How many reaches there are."""
        return len(self.codes)

    def place(self, code: str) -> int:
        """The place of a reach. Raises BadInput where there is none of that code."""
        try:
            return list(self.codes).index(code)
        except ValueError:
            raise BadInput(f"the network has no reach {code!r}; its first is {self.codes[0]!r}") from None

    def _faults(self) -> list[str]:
        count, found = self.size, []
        ends = np.concatenate([self.source, self.target])
        if len(ends) and not (ends.min() >= 0 and ends.max() < count):
            return [f"a link names place {ends.max()} of {count} reaches; count them from 0"]
        if self.law.shape != (count, 4):
            return [f"the law is of shape {self.law.shape}, not {(count, 4)}; give each reach a row"]
        given = np.bincount(self.source, self.share, minlength=count)
        for reach in np.flatnonzero((abs(given - 1.0) > 1e-9) & (np.bincount(self.source, minlength=count) > 0))[:9]:
            found.append(f"reach {self.codes[reach]} hands on {given[reach]:g} of its flow; its shares must sum to 1")
        plain = self.kind == CHANNEL
        wrong = plain & ~(np.isfinite(self.law).all(axis=1) & (self.law[:, 0] > 0.0) & (self.law[:, 2] >= 0.0))
        for reach in np.flatnonzero(wrong)[:9]:
            found.append(
                f"reach {self.codes[reach]} has the law {self.law[reach]}; give length, slope and width above 0"
            )
        for pool in self.pools:
            rising = (
                len(pool.storages) > 1 and (np.diff(pool.storages) > 0).all() and (np.diff(pool.outflows) >= 0).all()
            )
            if not rising or pool.outflows[0] < 0.0:
                found.append(
                    f"the curve of pool {self.codes[pool.reach]} does not rise; give storages and outflows that do"
                )
        for each in self.coupled:
            found += self._faults_of(each)
        return found

    def _faults_of(self, each: Coupled) -> list[str]:
        """What is wrong with a coupled element: every reach but the last has one link, to a later reach of it."""
        place = {reach: number for number, reach in enumerate(each.reaches)}
        found = []
        for number, reach in enumerate(each.reaches[:-1]):
            below = self.target[self.source == reach]
            if len(below) != 1 or place.get(int(below[0]), -1) <= number:
                found.append(f"coupled reach {self.codes[reach]} must hand on to one later reach of its element")
        if any(int(below) in place for below in self.target[self.source == each.reaches[-1]]):
            found.append(
                f"coupled reach {self.codes[each.reaches[-1]]} is the mouth and may not flow back into its element"
            )
        count = len(each.reaches)
        if each.cell.shape != (count, 3) or each.link.shape != (count, 4) or each.rating.shape != (3,):
            found.append(
                f"the element of {self.codes[each.reaches[0]]} needs cells {count, 3}, links {count, 4}, rating (3,)"
            )
        return found


def channel_laws(length: Floats, slope: Floats, width: Floats, roughness: Floats) -> Floats:
    """Laws (n, 4) of wide rectangles by Manning, all (n,): lengths, widths [m], slopes [1], roughness n [s/m^(1/3)].

    They hold for a step of 1 s; `Router` scales them. See `physics.muskingum_cunge`.
    """
    area = width**0.4 * (roughness / np.sqrt(slope)) ** 0.6
    return geometry_laws(length, slope, area, np.full_like(area, 0.6), width, np.zeros_like(area))


def geometry_laws(length: Floats, slope: Floats, a: Floats, m: Floats, b: Floats, k: Floats) -> Floats:
    """Laws (n, 4) of reaches with hydraulic geometry A = a Q^m [m2], B = b Q^k [m], all (n,)."""
    return np.stack([1.0 / (a * length), 1.0 - m, m * m * a / (b * slope * length), m - k], axis=1)


def muskingum_laws(travel: Floats, x: Floats) -> Floats:
    """Laws (n, 4) of plain Muskingum reaches with travel time K [s] and weight x, both (n,)."""
    nothing = np.zeros_like(travel)
    return np.stack([1.0 / travel, nothing, 1.0 - 2.0 * x, nothing], axis=1)


def pieces(law: Floats, dt: float, flow: Floats, most: int = 50) -> Places:
    """Into how many equal pieces each channel is best cut, so that a step of dt [s] resolves it at a flow (n,) [m3/s].

    A wave keeps its shape where C + D >= 1 (see `physics.muskingum_cunge`); both grow with the number of pieces.
    """
    c = law[:, 0] * dt * flow ** law[:, 1]
    d = law[:, 2] * flow ** law[:, 3]
    return np.clip(np.ceil(1.0 / (c + d) - 1e-9), 1, most).astype(np.int64)
