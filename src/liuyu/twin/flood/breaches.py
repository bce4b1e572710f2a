"""Breaches: levee cells that wear down while the flood goes on. The water on them keeps its volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from liuyu.physics.flood.fields import GHOSTS
from liuyu.twin.flood.problem import NEVER, Breach

if TYPE_CHECKING:
    from liuyu.twin.flood.model import FloodModel

_LOOKS = 100  # changes of the bed while a breach grows


class Worn:
    """One breach as it grows in a model."""

    def __init__(self, breach: Breach, model: FloodModel) -> None:
        self.breach = breach
        self._model = model
        self._rows, self._columns = breach.cells[:, 0] + GHOSTS, breach.cells[:, 1] + GHOSTS
        self._first = model.fields.bed[self._rows, self._columns].astype(float)
        self.began = breach.start_s if breach.level == -NEVER else NEVER

    def next_time(self, now: float) -> float:
        """When the bed should be looked at again [s]; infinite once the breach is done or while it waits for water."""
        if self.began == NEVER:
            return NEVER if now < self.breach.start_s else now + max(self.breach.duration_s / _LOOKS, 1.0)
        if now < self.began:
            return self.began
        end = self.began + self.breach.duration_s
        return NEVER if now >= end else min(end, now + self.breach.duration_s / _LOOKS)

    def wear(self, now: float) -> None:
        """Bring the bed to what it is at a time [s]: the middle is down at half the duration, the ends at its end."""
        if self.began == NEVER and now >= self.breach.start_s and self._level_beside() >= self.breach.level:
            self.began = now
        if now < self.began:
            return
        share = 1.0 if self.breach.duration_s <= 0.0 else min((now - self.began) / self.breach.duration_s, 1.0)
        worn = np.clip(2.0 * share - self.breach.distances, 0.0, 1.0)
        bottom = np.minimum(self.breach.bottom - self._model.datum, self._first)
        self._model.fields.bed[self._rows, self._columns] = self._first - worn * (self._first - bottom)

    def _level_beside(self) -> float:
        model, near = self._model, -NEVER
        h, bed = model.fields.depth[int(model.notes.counts[0])], model.fields.bed
        for down, across in ((0, 0), (0, 1), (0, -1), (1, 0), (-1, 0)):
            rows, columns = self._rows + down, self._columns + across
            wet = h[rows, columns] > 1e-3
            if wet.any():
                near = max(near, float((h[rows, columns] + bed[rows, columns])[wet].max()) + model.datum)
        return near
