"""Gridded products as Zarr 3, a folder for each name and content; which of them count is written in the store.

    grids/
    └── rain_1h.1597017600.3f2a9c01b7d4/      name, valid time [s UTC], hash of the content

A folder is written aside, then renamed, and never changed, so that a transaction that is taken back leaves only a
folder that nothing names.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import warnings
from collections.abc import Set
from pathlib import Path

import msgspec
import numpy as np
import xarray as xr

from liuyu.basin.errors import BadInput, StoreFailed
from liuyu.store.history import sync, writing

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")


class Grids:
    """The folders of grids."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def write(self, name: str, time: int, grid: xr.Dataset) -> str:
        """Keep a dataset; returns the name of its folder.

        Raises BadInput for a name that makes no folder name, and StoreFailed where the folder takes no more.
        """
        if not _NAME.fullmatch(name):
            raise BadInput(f"grid name {name!r} cannot name a folder; use a-z, 0-9, - and _, at most 64")
        final = self.folder / f"{name}.{time}.{digest(grid)[:12]}"
        if final.exists():
            return final.name
        part = self.folder / f"{final.name}.part"
        shutil.rmtree(part, ignore_errors=True)
        with writing(self.folder):
            self._write(grid, part)
            part.replace(final)
            sync(self.folder)
        return final.name

    def _write(self, grid: xr.Dataset, part: Path) -> None:
        part.mkdir(parents=True)
        with warnings.catch_warnings():
            # Strings have no Zarr 3 specification yet; Zarr for Python reads its own.
            warnings.filterwarnings("ignore", message=".*(specification|Consolidated metadata).*")
            grid.to_zarr(part, mode="w", zarr_format=3, consolidated=False)
        for path in (*sorted(part.rglob("*")), part):
            sync(path)

    def read(self, folder: str) -> xr.Dataset:
        """The dataset of a folder, in memory. Raises StoreFailed where it is gone or damaged."""
        try:
            with xr.open_zarr(self.folder / folder, consolidated=False) as grid:
                loaded: xr.Dataset = grid.load()
                return loaded
        except (OSError, ValueError, KeyError) as fault:
            raise StoreFailed(
                f"grid {self.folder / folder} cannot be read ({fault}); restore it from a copy"
            ) from fault

    def tidy(self, named: Set[str]) -> None:
        """Remove folders that the store does not name."""
        for folder in self.folder.glob("*"):
            if folder.name not in named:
                shutil.rmtree(folder)


def digest(grid: xr.Dataset) -> str:
    """SHA-256 of a dataset's content: names, dimensions, types, attributes and values."""
    hashed = hashlib.sha256(msgspec.json.encode(grid.attrs, order="sorted", enc_hook=str))
    for name in sorted(grid.variables, key=str):
        variable = grid.variables[name]
        values = np.ascontiguousarray(variable.values)
        head = (str(name), [str(each) for each in variable.dims], values.dtype.str, list(values.shape))
        hashed.update(msgspec.json.encode(head))
        hashed.update(msgspec.json.encode(dict(variable.attrs), order="sorted", enc_hook=str))
        hashed.update(repr(values.tolist()).encode() if values.dtype.hasobject else values.tobytes())
    return hashed.hexdigest()
