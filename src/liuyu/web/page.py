"""The page: built files, sent so that a browser fetches each hashed one once and asks anew for the rest."""

from __future__ import annotations

import mimetypes
import re
import threading
from pathlib import Path

from litestar import Response, get
from litestar.params import FromPath

from liuyu.basin.errors import NotFound
from liuyu.web.reply import Packed, WebRequest, send_packed

_HASHED = re.compile(r"[-.][A-Za-z0-9_-]{8,}\.\w+$")
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_ASK_ANEW = {"Cache-Control": "no-cache"}
_COMPRESSED = {".woff2", ".png", ".webp", ".jpg", ".ico", ".gz"}
_TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".css": "text/css",
    ".html": "text/html",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".webmanifest": "application/manifest+json",
    ".map": "application/json",
}

_NOT_BUILT = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>liuyu</title>
<h1>The page is not built</h1>
<p>The interface answers; see <a href="/schema">its description</a>. Install the wheel, or build the page in the
folder <code>page</code>.</p>
</html>
"""


class Page:
    """The built page in one folder, read and compressed at first use and kept while the file stays the same."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder.resolve() if folder is not None and (folder / "index.html").is_file() else None
        self._kept: dict[Path, tuple[int, Packed]] = {}
        self._lock = threading.Lock()

    def file(self, path: str) -> Packed | None:
        """A file of the page by its path below the folder, or None where there is none."""
        if self._folder is None or "\0" in path:
            return None
        file = (self._folder / path).resolve()
        if not file.is_relative_to(self._folder) or not file.is_file():
            return None
        changed = file.stat().st_mtime_ns
        with self._lock:
            kept = self._kept.get(file)
            if kept is None or kept[0] != changed:
                kept = self._kept[file] = (changed, _pack(file))
        return kept[1]

    def send(self, request: WebRequest, path: str) -> Response[bytes]:
        """A file of the page. Raises NotFound."""
        found = self.file(path)
        if found is None:
            raise NotFound(f"there is nothing at /{path[:200]}; see /schema for every address")
        hashed = path.startswith("assets/") and _HASHED.search(path)
        return send_packed(request, found, headers=_FOREVER if hashed else _ASK_ANEW)


@get("/", sync_to_thread=True, include_in_schema=False)
def get_page(request: WebRequest) -> Response[bytes]:
    """The page."""
    page: Page = request.app.state.page
    if page.file("index.html") is None:
        return Response(_NOT_BUILT.encode(), media_type="text/html", headers=_ASK_ANEW)
    return page.send(request, "index.html")


@get("/{path:path}", sync_to_thread=True, include_in_schema=False)
def get_page_file(request: WebRequest, path: FromPath[str]) -> Response[bytes]:
    """A file of the page."""
    page: Page = request.app.state.page
    return page.send(request, path.strip("/"))


def _pack(file: Path) -> Packed:
    body = file.read_bytes()
    guess = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    kind = _TYPES.get(file.suffix, guess)
    return Packed.of(body, kind, level=1 if file.suffix in _COMPRESSED else 8)
