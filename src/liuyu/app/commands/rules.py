"""`liuyu rules`: rules are data, and tested as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.alert import Outcome, test_rules
from liuyu.monitor.assess import Assess
from liuyu.outlook.warn import Outcome as NoticeOutcome
from liuyu.outlook.warn import test_notices


@click.group()
def rules() -> None:
    """Work with rules of alerts, floods and notices.

    Example: liuyu rules test basins/yangtze/rules/tests/floods.toml
    """


@rules.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.pass_context
def test(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Run the unit tests of rules: this series in, that alert out, at that minute; this forecast in, that notice out.

    Exit code 0: all passed; 1: some failed.

    Example: liuyu rules test basins/yangtze/rules/tests/*.toml
    """
    outcomes = [outcome for file in files for outcome in _outcomes(file)]
    failed = sum(not outcome.passed for outcome in outcomes)
    lines = [str(outcome) for outcome in outcomes]
    say(outcomes, "\n".join([*lines, f"{len(outcomes) - failed} passed, {failed} failed"]), as_json=as_json)
    context.exit(1 if failed or not outcomes else 0)


def _outcomes(file: Path) -> Sequence[Outcome | NoticeOutcome]:
    """The outcomes of a file, of whichever kind it says that it is."""
    return test_notices(file) if TomlFile(file).kind == "notice-test" else test_rules(file, Assess)
