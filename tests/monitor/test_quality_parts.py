"""The parts of the memory that changed, kept one over the other, are the whole memory."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.bundle import bundle_file
from liuyu.basin.clock import DAY, HOUR
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.monitor.quality import Quality
from liuyu.monitor.sense import Archive
from liuyu.twin import make_archive


def hold_parts_against_the_whole(basin: Basin, archive: Archive, start: int, steps: int) -> None:
    stage, kept = Quality(basin), dict[str, bytes]()
    rng = np.random.default_rng(3)
    for step in range(steps):
        stage.step(archive.take(start + step * HOUR, start + (step + 1) * HOUR), start + (step + 1) * HOUR)
        if rng.random() < 0.3:
            kept |= dict(stage.changes())
            again = Quality(basin)
            again.load_parts(kept.get)
            assert again.dump() == stage.dump(), step
    assert len(kept) > 1


def test_parts_make_the_whole_on_the_synthetic_basin(tmp_path: Path) -> None:
    basin = read_basin(find_basin("qingxi"))
    make_archive(basin, tmp_path / "archive.parquet", 5)
    archive = Archive(tmp_path / "archive.parquet", basin)
    hold_parts_against_the_whole(basin, archive, archive.span[0] - HOUR, 240)


@pytest.mark.data
def test_parts_make_the_whole_on_the_yangtze() -> None:
    basin = read_basin(find_basin("yangtze"))
    archive = Archive(bundle_file(basin.archive), basin)
    hold_parts_against_the_whole(basin, archive, archive.span[1] - 14 * DAY, 14 * 24)


def test_a_step_of_one_station_changes_few_parts(tmp_path: Path) -> None:
    basin = read_basin(find_basin("qingxi"))
    make_archive(basin, tmp_path / "archive.parquet", 5)
    archive = Archive(tmp_path / "archive.parquet", basin)
    stage, now = Quality(basin), archive.span[0] + DAY
    stage.step(archive.take(archive.span[0] - 1, now), now)
    every = len(dict(stage.changes()))
    assert dict(stage.changes()) == {}
    batch = archive.take(now, now + HOUR)
    stage.step(batch.take(batch.station == batch.station[0]), now + HOUR)
    assert 0 < len(dict(stage.changes())) < every
