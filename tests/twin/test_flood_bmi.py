"""The flood behind the Basic Model Interface."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.errors import BadInput, NotFound
from liuyu.twin.flood.bmi import DEPTH, SUPPLY, BmiFlood


@pytest.fixture
def pond(tmp_path: Path) -> BmiFlood:
    rows = "\n".join(" ".join(["0"] * 6) for _ in range(5))
    (tmp_path / "flat.asc").write_text(f"ncols 6\nnrows 5\nxllcorner 10\nyllcorner 20\ncellsize 2\n{rows}\n")
    (tmp_path / "case.toml").write_text('[grid]\nterrain = "flat.asc"\n[time]\nend_s = 60\noutput_s = 20\n')
    bmi = BmiFlood()
    bmi.initialize(str(tmp_path / "case.toml"))
    return bmi


def test_a_framework_drives_the_flood(pond: BmiFlood) -> None:
    assert (pond.get_start_time(), pond.get_end_time(), pond.get_time_step()) == (0.0, 60.0, 20.0)
    assert pond.get_grid_shape(0, np.zeros(2, int)).tolist() == [5, 6]
    assert pond.get_grid_origin(0, np.zeros(2)).tolist() == [21.0, 11.0]
    pond.set_value_at_indices(SUPPLY, np.array([14]), np.array([12.0]))
    while pond.get_current_time() < pond.get_end_time():
        pond.update()
    depth = pond.get_value(DEPTH, np.zeros(30))
    assert depth.sum() * 4.0 == pytest.approx(12.0)
    assert depth == pytest.approx(0.1, abs=0.02)
    assert pond.get_value_at_indices(DEPTH, np.zeros(2), np.array([3, 4])).tolist() == depth[3:5].tolist()
    assert pond.get_var_nbytes(DEPTH) == 240
    pond.finalize()


def test_what_it_cannot_do_it_says(pond: BmiFlood) -> None:
    with pytest.raises(NotFound, match="no variable"):
        pond.get_var_units("rain")
    with pytest.raises(BadInput, match="cannot be set"):
        pond.set_value(DEPTH, np.zeros(30))
    with pytest.raises(BadInput, match="initialize"):
        BmiFlood().update()


def test_it_has_every_function_of_the_interface() -> None:
    bmipy = pytest.importorskip("bmipy")
    wanted = {name for name in dir(bmipy.Bmi) if not name.startswith("_")}
    assert wanted <= set(dir(BmiFlood))
