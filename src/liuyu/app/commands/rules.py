"""`liuyu rules`: rules are data, and tested as data."""

from __future__ import annotations

from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.monitor.alert import test_rules
from liuyu.monitor.assess import Assess


@click.group()
def rules() -> None:
    """Work with alert and flood rules.

    Example: liuyu rules test basins/yangtze/rules/tests/floods.toml
    """


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.pass_context
def test(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Run the unit tests of rules: this series in, that alert out, at that minute.

    Exit code 0: all passed; 1: some failed.

    Example: liuyu rules test basins/yangtze/rules/tests/*.toml
    """
    outcomes = [outcome for file in files for outcome in test_rules(file, Assess)]
    failed = sum(not outcome.passed for outcome in outcomes)
    lines = [str(outcome) for outcome in outcomes]
    say(outcomes, "\n".join([*lines, f"{len(outcomes) - failed} passed, {failed} failed"]), as_json=as_json)
    context.exit(1 if failed or not outcomes else 0)
