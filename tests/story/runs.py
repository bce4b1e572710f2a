"""How the stories run the twin: the command itself, in a process of its own, as a user would."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LIUYU = str(Path(sys.executable).with_name("liuyu"))
RESULTS = (
    "events.jsonl",
    "forecasts.parquet",
    "report.zh.html",
    "report.en.html",
    "report.zh.pdf",
    "report.en.pdf",
    "report.zh.docx",
    "report.en.docx",
)


def replay(out: Path, *arguments: str) -> None:
    """Run `liuyu replay` to its end."""
    done = subprocess.run(
        [LIUYU, "replay", "--out", str(out), *arguments], capture_output=True, text=True, check=False, timeout=600
    )
    assert done.returncode == 0, done.stderr


def events(out: Path) -> list[dict[str, Any]]:
    """The lines of a replay's log."""
    return [json.loads(line) for line in (out / "events.jsonl").read_text(encoding="utf-8").splitlines()]


def results(out: Path) -> dict[str, bytes]:
    """Every file that a replay promises, by name."""
    return {name: (out / name).read_bytes() for name in RESULTS}
