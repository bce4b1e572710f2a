"""From the bytes of a package's files to text, with every fault noted in place of an exception."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from pathlib import Path

from liuyu.basin.errors import Fault

SHOWN = 60
FEW = 2000


class Faults:
    """The faults found so far, in a package of one folder."""

    def __init__(self) -> None:
        self._found: list[Fault] = []

    def add(
        self, file: str, problem: str, cure: str, *, line: int | None = None, field: str = "", value: object = ""
    ) -> None:
        """Note one fault; a long value is cut."""
        text = str(value)
        shown = text if len(text) <= SHOWN else text[:SHOWN] + "…"
        self._found.append(Fault(file=file, line=line, field=field, value=shown, problem=problem, cure=cure))

    def __len__(self) -> int:
        return len(self._found)

    def sorted(self) -> tuple[Fault, ...]:
        """All faults by file and line, in the order of discovery within a line, none told twice."""
        unique = dict.fromkeys(self._found)
        return tuple(sorted(unique, key=lambda fault: (fault.file, fault.line or 0)))


def near(name: str, known: Iterable[str], otherwise: str) -> str:
    """A cure that names the nearest known name, or says something else where none is near.

    Among more than FEW names the search would take longer than the check, and a near one would mean little.
    """
    names = list(known)
    found = difflib.get_close_matches(name, names, n=1) if len(names) <= FEW else []
    return f"did you mean {found[0]!r}?" if found else otherwise


def read_text(folder: Path, file: str, faults: Faults) -> str | None:
    """The text of a file of the package, without byte order mark; None, and a fault, where it is no UTF-8 text."""
    try:
        raw = (folder / file).read_bytes()
    except OSError as error:
        faults.add(file, f"cannot be read: {error.strerror or error}", "make it a plain file that you may read")
        return None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        found = raw[error.start : error.start + 4].hex(" ")
        faults.add(file, f"is not UTF-8 text; it looks like {_guess(raw)}", "save it as UTF-8", line=line, value=found)
        return None


def _guess(raw: bytes) -> str:
    if raw[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    try:
        raw.decode("gb18030")
    except UnicodeDecodeError:
        return "no encoding known here"
    return "GB 18030"


def inside(path: str) -> bool:
    """True for a relative path that does not leave the folder it starts in."""
    parts = Path(path).parts
    return bool(parts) and not Path(path).is_absolute() and ".." not in parts and "\0" not in path
