"""The results of a scenario as Zarr: the same variables as in the NetCDF files, a group for each file."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xarray as xr


def write_zarr(folder: Path, told: Mapping[str, Any]) -> Path:
    """results.zarr in a folder of results: group river, and floods/NAME/MEMBER for each flood. Returns its path."""
    target = folder / "results.zarr"
    shutil.rmtree(target, ignore_errors=True)
    parts = {"river": folder / "river.nc"}
    parts |= {each["path"]: folder / each["path"] / "flow.nc" for each in told.get("floods", ())}
    for group, path in parts.items():
        with xr.open_dataset(path, decode_cf=False) as found:
            for each in found.variables.values():
                each.encoding = {}
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "The data type")  # text has no final form in Zarr 3 yet
                found.load().to_zarr(target, group=group, mode="a", consolidated=False, zarr_format=3)
    return target
