"""The map tells the truth: every name on it exists, and every room is on it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MAP = ROOT / "docs" / "map.md"
LINKED = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])


def names_on_the_map() -> list[str]:
    return re.findall(r"^\s*- `([^`]+)`", MAP.read_text(encoding="utf-8"), re.MULTILINE)


def rooms() -> list[str]:
    """Every package of liuyu down to the stages, and every folder at the top that git would keep."""
    source = ROOT / "src" / "liuyu"
    inside = [each for each in source.glob("*") if (each / "__init__.py").exists()]
    stages = [each for room in ("monitor", "outlook") for each in (source / room).glob("[a-z]*") if each.is_dir()]
    top = [ROOT / name for name in ("basins", "benchmarks", "docs", "examples", "page", "tests", "validation")]
    kept = [each for each in (*inside, *stages, *top) if any(each.rglob("*.*"))]
    return [f"{each.relative_to(ROOT)}/" for each in kept]


def test_every_name_on_the_map_exists() -> None:
    names = names_on_the_map()
    assert len(names) > 20
    assert [name for name in names if not (ROOT / name).exists()] == []


def test_every_room_is_on_the_map() -> None:
    assert sorted(set(rooms()) - set(names_on_the_map())) == []


@pytest.mark.parametrize("page", LINKED, ids=lambda each: str(each.relative_to(ROOT)))
def test_links_of_a_page_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    own = [link for link in links if "://" not in link and not link.startswith("mailto:")]
    assert [link for link in own if not (page.parent / link).exists()] == []
