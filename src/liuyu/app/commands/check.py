"""`liuyu check`: every fault of a basin package at once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import click

from liuyu.app.commands.shared import say
from liuyu.basin.errors import BadPackage, Fault
from liuyu.basin.package import check_basin, find_basin
from liuyu.basin.places import Basin
from liuyu.monitor.alert import read_rules
from liuyu.monitor.respond import read_playbook
from liuyu.monitor.respond.contingency import Plan, read_plans
from liuyu.monitor.respond.dispatch import read_directory
from liuyu.outlook.plan.rules import read_reservoir_rules
from liuyu.outlook.warn import read_warning_rules


@click.command()
@click.argument("package", metavar="FOLDER|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
@click.pass_context
def check(context: click.Context, package: str, as_json: bool) -> None:
    """Check a basin package and report every fault at once, with file, line, value and cure.

    Exit code 0: no fault; 1: faults were found.

    Example: liuyu check basins/yangtze
    """
    folder = Path(package) if Path(package).exists() else find_basin(package)
    basin, faults = check_basin(folder)
    if basin is not None:
        faults = (*faults, *_rule_faults(basin))
    heading = f"{folder}: {len(faults)} fault{'s' if len(faults) != 1 else ''}"
    say({"folder": str(folder), "faults": faults}, "\n".join([heading, *map(str, faults)]), as_json=as_json)
    context.exit(1 if faults else 0)


def _rule_faults(basin: Basin) -> list[Fault]:
    folder = Path(basin.folder)
    readers: tuple[tuple[Callable[[Sequence[Path], Basin], Any], Sequence[str]], ...] = (
        (read_rules, basin.rule_files),
        (read_warning_rules, basin.notice_files),
        (read_playbook, [basin.playbook_file] if basin.playbook_file else []),
        (read_reservoir_rules, [basin.reservoir_rules_file] if basin.reservoir_rules_file else []),
    )
    readers += ((_read_plans, basin.plan_files),)
    readers += ((read_directory, [basin.recipients_file] if basin.recipients_file else []),)
    faults: list[Fault] = []
    for reader, names in readers:
        try:
            reader([folder / name for name in names if (folder / name).is_file()], basin)
        except BadPackage as error:
            faults += error.faults
    return faults


def _read_plans(files: Sequence[Path], basin: Basin) -> tuple[Plan, ...]:
    """The contingency plans, as far as the playbook can say who may own their actions."""
    book = Path(basin.folder) / basin.playbook_file
    try:
        owners = [each.code for each in read_playbook([book] if basin.playbook_file else [], basin).owners]
    except BadPackage:  # told by the reader of the playbook
        return ()
    return read_plans(files, basin, owners)
