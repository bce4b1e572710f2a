"""Nothing public is undocumented, and every command shows an example."""

from __future__ import annotations

import ast
import doctest
import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

import liuyu
from liuyu.app.main import commands

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "src" / "liuyu").rglob("*.py"))
MODULES = sorted(each.name for each in pkgutil.walk_packages(liuyu.__path__, "liuyu."))


def undocumented(tree: ast.AST, prefix: str = "") -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef) and not node.name.startswith("_"):
            if ast.get_docstring(node) is None:
                yield prefix + node.name
            if isinstance(node, ast.ClassDef):
                yield from undocumented(node, f"{prefix}{node.name}.")


@pytest.mark.parametrize("file", SOURCES, ids=lambda each: str(each.relative_to(ROOT / "src")))
def test_everything_public_has_a_docstring(file: Path) -> None:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "the module itself has none"
    assert list(undocumented(tree)) == []


@pytest.mark.parametrize("name", MODULES)
def test_examples_in_docstrings_run(name: str) -> None:
    result = doctest.testmod(importlib.import_module(name))
    assert result.failed == 0


def every_command(group: click.Group, path: str = "liuyu") -> Iterator[tuple[str, click.Command]]:
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None, name
        yield f"{path} {name}", command
        if isinstance(command, click.Group):
            yield from every_command(command, f"{path} {name}")


@pytest.mark.parametrize(("path", "command"), list(every_command(commands)), ids=str)
def test_every_command_shows_an_example_of_itself(path: str, command: click.Command) -> None:
    assert command.help
    assert f"Example: {path}" in re.sub(r"\s+", " ", command.help)


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = [*project["build-system"]["requires"], *project["project"]["dependencies"]]
    wanted += [each for extra in project["project"]["optional-dependencies"].values() for each in extra]
    names = {re.split(r"[<>=!~\[; ]", each)[0] for each in wanted}
    page = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    justified = set(re.findall(r"^\| `([^`]+)` \|", page, re.MULTILINE))
    assert sorted(names - justified) == [], "each needs a line in docs/dependencies.md"
