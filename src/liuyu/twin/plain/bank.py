"""The levees of a plain as pieces, one per cell that they cross, and what is open in them from moment to moment."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.physics.channel.levee import pass_levee
from liuyu.twin.channel import ChannelModel
from liuyu.twin.flood import FloodModel
from liuyu.twin.flood.places import cells_along
from liuyu.twin.flood.problem import Floats
from liuyu.twin.plain.change import Breach, Growth, Opening, PlainChange
from liuyu.twin.plain.package import Detention, LeveeLine, PlainPackage

Integers = NDArray[np.int64]


class Gap:
    """What opens in a levee: a breach that grows, or a gate that moves."""

    def __init__(self, bank: Bank, name: str, middle: float, width: float) -> None:
        self.name, self.bank, self.middle, self.most = name, bank, middle, width
        self.kind, self.width, self.volume, self.flow, self.peak = "gate", 0.0, 0.0, 0.0, 0.0
        self.pieces = np.flatnonzero(bank.overlap(middle, width) > 0.0)
        if not len(self.pieces):
            self.pieces = np.array([int(np.abs(bank.middle - middle).argmin())])

    def fall(self, river: Floats, plain: Floats) -> float:
        """Fall of the water across it [m]."""
        return float(np.abs(river[self.pieces] - plain[self.pieces]).max())

    def open(self, now: float, river: Floats, plain: Floats) -> None:
        """Bring gap, sill and lintel of its pieces to what they are at a time [s]."""
        raise NotImplementedError


class BreachGap(Gap):
    """A breach."""

    def __init__(self, bank: Bank, breach: Breach) -> None:
        super().__init__(bank, f"breach at {breach.chainage_m:g} m", bank.along(breach.chainage_m), breach.width_m)
        self.kind, self.growth, self.breach = "breach", Growth(breach), breach

    def open(self, now: float, river: Floats, plain: Floats) -> None:
        """Wider and lower, as its law says."""
        bank, at = self.bank, self.pieces
        self.width, down = self.growth.grow(now, self.fall(river, plain))
        if self.width <= 0.0:
            return
        bottom = bank.bed[at] if self.breach.bottom_m is None else np.maximum(self.breach.bottom_m, bank.bed[at])
        bank.gap[at] = np.maximum(bank.share(self.middle, self.width, at), bank.gap[at])
        sill = bank.crest[at] - down * np.maximum(bank.crest[at] - bottom, 0.0)
        bank.sill[at] = np.minimum(bank.sill[at], sill)


class GateGap(Gap):
    """The gate of a detention basin, with the times at which it is open."""

    def __init__(self, bank: Bank, basin: Detention, openings: tuple[Opening, ...]) -> None:
        super().__init__(bank, basin.code, bank.along(basin.chainage_m), basin.width_m)
        self.basin, self.openings = basin, openings

    def open(self, now: float, river: Floats, plain: Floats) -> None:
        """As far up as its times say."""
        bank, at, basin = self.bank, self.pieces, self.basin
        lift = 0.0
        for each in self.openings:
            up = (now - each.start_s) / max(basin.moves_s, 1e-9)
            down = 0.0 if each.close_s is None else (now - each.close_s) / max(basin.moves_s, 1e-9)
            lift = max(lift, float(np.clip(up, 0.0, 1.0) - np.clip(down, 0.0, 1.0)))
        self.width = basin.width_m if lift > 0.0 else 0.0
        bank.gap[at] = bank.share(self.middle, basin.width_m, at) if lift > 0.0 else 0.0
        bank.sill[at] = basin.sill_m
        bank.lintel[at] = basin.sill_m + lift * basin.height_m


class Bank:
    """A levee between river and plain: arrays are (pieces,), from upstream to downstream."""

    def __init__(self, levee: LeveeLine, package: PlainPackage, river: ChannelModel, change: PlainChange) -> None:
        cells, middle = cells_along(package.grid, levee.line)
        keep = np.isfinite(package.terrain[cells[:, 0], cells[:, 1]])
        if not keep.any():
            raise BadInput(f"levee {levee.code}: no cell along its line has ground; move the line onto the plain")
        cells, self.middle = cells[keep], middle[keep]
        self.levee, self.row, self.column = levee, cells[:, 0], cells[:, 1]
        corners = np.asarray(levee.line, float)
        self.total = float(np.hypot(*np.diff(corners, axis=0).T).sum())
        edges = np.concatenate([[0.0], 0.5 * (self.middle[1:] + self.middle[:-1]), [self.total]])
        self._low, self._high = edges[:-1], edges[1:]
        self.length = np.diff(edges)
        share = self.middle / self.total
        self.crest = levee.crest_m[0] + share * (levee.crest_m[1] - levee.crest_m[0])
        self.bed = package.terrain[self.row, self.column]
        self._place(river, levee.start_m + share * (levee.end_m - levee.start_m))
        count = len(self.middle)
        self.gap, self.sill, self.lintel = np.zeros(count), np.full(count, np.inf), np.full(count, np.inf)
        self.volume, self.through = np.zeros(count), np.zeros(count)
        self.given, self.over = 0.0, 0.0
        self.gaps = self._gaps(package, change)

    def _place(self, river: ChannelModel, chainage: Floats) -> None:
        """Cells of the river beside each piece, to read the level between them and to take the water from."""
        cells, x = river.cells(self.levee.reach), river.built.chainage[self.levee.reach]
        if chainage[0] < x[0] - 1.0 or chainage[-1] > x[-1] + 1.0:
            raise BadInput(
                f"levee {self.levee.code} runs from {chainage[0]:g} to {chainage[-1]:g} m, "
                f"but reach {self.levee.reach} from {x[0]:g} to {x[-1]:g} m"
            )
        k = np.clip(np.searchsorted(x, chainage) - 1, 0, len(x) - 2)
        self._weight = (chainage - x[k]) / (x[k + 1] - x[k])
        self._above, self._below = cells[k], cells[k + 1]
        self.cell = np.where(self._weight < 0.5, self._above, self._below)
        self._sharing = np.bincount(self.cell)[self.cell].astype(float)

    def _gaps(self, package: PlainPackage, change: PlainChange) -> list[Gap]:
        code = self.levee.code
        gaps: list[Gap] = [BreachGap(self, each) for each in change.breaches if each.levee == code]
        for basin in package.detention_basins:
            opened = tuple(each for each in change.openings if each.detention == basin.code)
            if basin.levee == code and opened and basin.code not in change.failed_gates:
                gaps.append(GateGap(self, basin, opened))
        return gaps

    def along(self, chainage: float) -> float:
        """How far along the line a chainage of the reach lies [m]."""
        levee = self.levee
        return (chainage - levee.start_m) / (levee.end_m - levee.start_m) * self.total

    def overlap(self, middle: float, width: float) -> Floats:
        """How much of each piece lies within half a width of a place on the line [m]."""
        low, high = middle - 0.5 * width, middle + 0.5 * width
        return np.asarray(np.maximum(np.minimum(self._high, high) - np.maximum(self._low, low), 0.0), np.float64)

    def share(self, middle: float, width: float, pieces: Integers) -> Floats:
        """As `overlap` for some pieces; what overhangs them is put on them, so that all of the width is there."""
        found = self.overlap(middle, width)[pieces]
        held = found.sum()
        return np.asarray(found * (width / held) if held > 0.0 else np.full(len(pieces), width / len(pieces)))

    def river_level(self, river: ChannelModel) -> Floats:
        """Level of the river beside each piece [m]."""
        return np.asarray((1.0 - self._weight) * river.level[self._above] + self._weight * river.level[self._below])

    def idle(self, river: ChannelModel, now: float, until: float) -> bool:
        """True if nothing can pass before a time [s]: no gap opens, and the river stays a hand below the crests."""
        opens = any(
            each.breach.start_s < until
            if isinstance(each, BreachGap)
            else isinstance(each, GateGap) and any(one.start_s < until for one in each.openings)
            for each in self.gaps
        )
        return not opens and bool((self.river_level(river) < self.crest - 0.3).all()) and now < until

    def exchange(self, river: ChannelModel, surface: Floats, plain: FloodModel, now: float, step: float) -> float:
        """Let water pass for a step [s] that begins now, by the levels as they stand; the volume the plain gained [m³].

        The plain is asked first what it takes or gives, and the river gets exactly that.
        """
        depth, bed = plain.depth[self.row, self.column], self.bed
        level, beside = bed + depth, self.river_level(river)
        for each in self.gaps:
            each.open(now, beside, level)
        pass_levee(
            beside, surface[self.cell] / self._sharing, level, bed, plain.flood.cell**2, self.crest, self.length,
            self.gap, self.sill, self.lintel, self.levee.coefficient, step, self.volume, self.through,
        )  # fmt: skip
        gained = 0.0
        for k in np.flatnonzero(self.volume).tolist():
            moved = plain.put(int(self.row[k]), int(self.column[k]), float(self.volume[k]))
            river.put(int(self.cell[k]), -moved)
            gained += moved
            self.through[k] *= moved / self.volume[k]
        for each in self.gaps:
            passed = float(self.through[each.pieces].sum())
            each.volume += passed
            each.flow = passed / step
            each.peak = max(each.peak, each.flow)
        self.over += gained - float(self.through.sum())
        self.given += gained
        return gained

    def quickest(self, area: float) -> float:
        """How fast a cell of the plain rises or falls by what passed last [m] per volume of that step."""
        return float(np.abs(self.volume).max(initial=0.0)) / area
