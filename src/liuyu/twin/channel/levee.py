"""A levee between a river and a two-dimensional plain: what one gives the other receives, to the last drop."""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

from liuyu.basin.errors import BadInput
from liuyu.physics.channel.structures import crest_discharge
from liuyu.twin.channel.model import ChannelModel
from liuyu.twin.flood.model import FloodModel

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


class Levee(msgspec.Struct, kw_only=True):
    """Pieces of a levee along a reach, one per cell of the plain: all arrays (pieces,).

    `chainage` [m] on the reach, (row, column) of the plain, `crest` [m], `length` [m]; `coefficient` without dimension.
    A breach is a piece whose crest is set lower: `levee.crest[k] = 30.0`. `given` [m³] is what the plain received.
    """

    reach: str
    chainage: Floats
    row: Integers
    column: Integers
    crest: Floats
    length: Floats
    coefficient: float = 0.385
    given: float = 0.0

    def exchange(self, river: ChannelModel, plain: FloodModel, step: float) -> float:
        """Let water over the crests for a step [s], by the levels as they stand; the volume the plain gained [m³].

        Both are then marched by the step. No piece lets more over than would level both sides, nor more than half of
        what stands above its crest, so that neither side runs dry. Raises BadInput where the plain has no terrain.
        """
        cells = np.array([river.place(self.reach, each) for each in self.chainage])
        depth, bed, surface = plain.depth, plain.bed, river.surfaces()
        area = plain.flood.cell**2
        gained = 0.0
        for k, cell in enumerate(cells.tolist()):
            row, column = int(self.row[k]), int(self.column[k])
            if not np.isfinite(bed[row, column]):
                raise BadInput(
                    f"levee along {self.reach}: row {row}, column {column} has no terrain; choose a cell inside"
                )
            one, other = float(river.level[cell]), float(bed[row, column] + depth[row, column])
            crest = max(float(self.crest[k]), float(bed[row, column]))
            q = float(crest_discharge(one, other, crest, float(self.length[k]), self.coefficient))
            if q == 0.0:
                continue
            sharing = int((cells == cell).sum())
            even = abs(one - other) / (sharing / max(float(surface[cell]), 1e-9) + 1.0 / area)
            above = (max(one, other) - crest) * (area if q < 0.0 else float(surface[cell]) / sharing)
            volume = min(abs(q) * step, even, 0.5 * above)
            moved = plain.put(row, column, volume if q > 0.0 else -volume)
            river.put(cell, -moved)
            gained += moved
        self.given += gained
        return gained
