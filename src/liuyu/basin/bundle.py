"""The one door to the bundle of real data: the folder in LIUYU_DATA, else `shared/data` beside the project.

Data stay outside the project. Whoever needs a file asks here, and gets None or a clear error where there is no bundle.
"""

from __future__ import annotations

import os
from pathlib import Path

from liuyu.basin.errors import NotFound


def bundle_folder() -> Path | None:
    """The bundle's folder, or None where there is none. Raises NotFound if LIUYU_DATA names a folder that is absent."""
    named = os.environ.get("LIUYU_DATA")
    if named:
        if Path(named).is_dir():
            return Path(named)
        raise NotFound(f"LIUYU_DATA={named!r} is no folder; correct it, or unset it to run on synthetic basins")
    project = Path(__file__).resolve().parents[3]
    for beside in (project.parent, Path.cwd().parent):
        folder = beside / "shared" / "data"
        if folder.is_dir():
            return folder
    return None


def bundle_file(path: str) -> Path:
    """A file of the bundle by its path within it. Raises NotFound where the bundle or the file is absent."""
    folder = bundle_folder()
    if folder is None:
        raise NotFound(f"{path} needs the data bundle, and there is none; set LIUYU_DATA to its folder")
    if not (folder / path).exists():
        raise NotFound(f"the data bundle at {folder} has no {path}; is LIUYU_DATA the right folder?")
    return folder / path
