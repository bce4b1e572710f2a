"""Compile ahead: the first call of a kernel takes seconds, which belong in the installation and not in a user's run.

python -m liuyu.monitor.quality.warm
"""

from __future__ import annotations

import numpy as np

from liuyu.basin.places import Basin, Station
from liuyu.basin.series import Batch
from liuyu.monitor.quality.hindsight import judge
from liuyu.monitor.quality.stage import Quality


def compile_kernels() -> None:
    """Run both faces of quality control once on a few values, so that Numba keeps their machine code on disk."""
    pair = tuple(Station(code=code, name=code, name_en=code, position=(110.0, 30.0)) for code in ("A", "B"))
    basin = Basin(code="w", name="w", name_en="w", time_zone="UTC", synthetic=True, folder="", stations=pair)
    hours = np.arange(60)
    station, quantity, time = (part.ravel() for part in np.meshgrid([0, 1], [1, 2], hours * 3600, indexing="ij"))
    value = np.where(time == 40 * 3600, 30.0, 20.0)
    batch = Batch.of(basin.roster, station, quantity, time, value)
    judge(batch, basin)
    Quality(basin).step(batch.ordered(), 0)


if __name__ == "__main__":
    compile_kernels()
