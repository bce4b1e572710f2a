"""Which files may be laid to an incident, a task or an order: by their name and by how their content begins, both."""

from __future__ import annotations

import io
import re
import unicodedata
import zipfile
from collections.abc import Mapping

from liuyu.basin.errors import BadInput

LARGEST = 8 * 1024 * 1024
"""Size of a file at the most [bytes]."""

TYPES: Mapping[str, str] = {
    "jpg": "image/jpeg",
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "pdf": "application/pdf",
    "txt": "text/plain",
    "csv": "text/csv",
    "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
"""What is taken, by the ending of its name. Nothing in it can run in a browser."""

_BEGINNINGS = {"jpg": b"\xff\xd8\xff", "jpeg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n\x1a\n", "pdf": b"%PDF-"}
_PARTS = {"docx": "word/document.xml", "xlsx": "xl/workbook.xml"}


def media_type(name: str, content: bytes) -> str:
    """The type of a file. Raises BadInput where it is empty, too large, not taken, or not what its name says."""
    ending = name.rpartition(".")[2].lower() if "." in name else ""
    if ending not in TYPES:
        raise BadInput(f"a file {name[:80]!r} is not taken; send one of {', '.join(TYPES)}")
    if not content:
        raise BadInput(f"{name[:80]!r} is empty; send its content as the body")
    if len(content) > LARGEST:
        raise BadInput(f"{name[:80]!r} has {len(content)} bytes; send at most {LARGEST}")
    if not _is(ending, content):
        raise BadInput(f"{name[:80]!r} does not hold what its name says; save it as {ending.upper()} and send it again")
    return TYPES[ending]


def plain_name(name: str) -> str:
    """The name without folders and without what no file system takes. Raises BadInput where nothing is left.

    >>> plain_name("C:\\\\evidence\\\\巡堤 照片.jpg")
    '巡堤 照片.jpg'
    """
    last = re.split(r"[\\/]", name)[-1]
    kept = "".join(each for each in last if unicodedata.category(each)[0] != "C" and each not in '<>:"|?*').strip(" .")
    if not kept:
        raise BadInput(f"{name[:80]!r} is no name of a file; give one such as patrol.jpg")
    stem, dot, ending = kept.rpartition(".")
    return f"{stem[:100]}{dot}{ending}" if dot else kept[:100]


def _is(ending: str, content: bytes) -> bool:
    if ending in _BEGINNINGS:
        return content.startswith(_BEGINNINGS[ending])
    if ending == "webp":
        return content[:4] == b"RIFF" and content[8:12] == b"WEBP"
    if ending in _PARTS:
        return _office(content, _PARTS[ending])
    try:
        return "\0" not in content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return False


def _office(content: bytes, part: str) -> bool:
    """Whether it is a document of an office, without macros."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError):
        return False
    return part in names and not any(each.endswith("vbaProject.bin") for each in names)
