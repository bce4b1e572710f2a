"""The import contract of the house, and that it can fail."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LINT = Path(sys.executable).with_name("lint-imports")


def lint(*arguments: str, folder: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(LINT), *arguments], cwd=folder, capture_output=True, text=True, check=False)


def test_imports_only_point_down() -> None:
    done = lint()
    assert done.returncode == 0, done.stdout


def test_the_contract_refuses_an_upward_import(tmp_path: Path) -> None:
    package = tmp_path / "toy"
    for room in ("basin", "app"):
        (package / room).mkdir(parents=True)
        (package / room / "__init__.py").write_text("", encoding="utf-8")
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "basin" / "places.py").write_text("from toy import app\n", encoding="utf-8")
    (tmp_path / "pyproject.toml").write_text(
        '[tool.importlinter]\nroot_package = "toy"\n[[tool.importlinter.contracts]]\n'
        'name = "down"\ntype = "layers"\ncontainers = ["toy"]\nlayers = ["app", "basin"]\n',
        encoding="utf-8",
    )
    done = lint(folder=tmp_path)
    assert done.returncode == 1
    assert "toy.basin.places" in done.stdout
