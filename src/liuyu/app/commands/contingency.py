"""`liuyu plan check` and `liuyu plan test`: contingency plans are data, checked and tested as data."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from liuyu.app.commands.shared import say
from liuyu.app.plan_replay import test_recorded
from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.basin.package import check_basin, find_basin
from liuyu.basin.package.columns import CONFIG_FILE
from liuyu.basin.places import Basin
from liuyu.basin.toml_file import TomlFile
from liuyu.monitor.assess import Assess
from liuyu.monitor.respond import read_playbook
from liuyu.monitor.respond.contingency import check_plans
from liuyu.monitor.respond.contingency.trial import Outcome, test_plans


@click.command()
@click.argument("what", metavar="FOLDER|FILE|NAME")
@click.option("--json", "as_json", is_flag=True, help="Print the faults as JSON.")
@click.pass_context
def check(context: click.Context, what: str, as_json: bool) -> None:
    """Check contingency plans and report every fault at once, with file, line, value and cure.

    FOLDER is a basin package, or a folder of plan files within one; FILE is one plan; NAME a shipped basin.

    Exit code 0: no fault; 1: faults were found.

    Example: liuyu plan check basins/yangtze
    """
    files, package = _plans(what)
    basin, faults = check_basin(package)
    if basin is None:
        raise BadPackage(str(package), faults)
    read = check_plans(files, basin, _owners(basin))
    found = [fault for each in read for fault in each.faults]
    plans = [
        {"file": str(each.path), "code": each.plan.code if each.plan else "", "version": _version(each.plan)}
        for each in read
    ]
    lines = [_heading(len(files), found), *map(str, found)]
    say({"plans": plans, "faults": found}, "\n".join(lines), as_json=as_json)
    context.exit(1 if found else 0)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True))
@click.option("--json", "as_json", is_flag=True, help="Print the outcomes as JSON.")
@click.pass_context
def test(context: click.Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Run the tests of plans: this series and these events in, that level proposed at that minute, for these reasons.

    A folder stands for the *.toml files in it. A test over the archive is skipped where there is no data bundle.

    Exit code 0: all passed; 1: some failed.

    Example: liuyu plan test basins/yangtze/plans/tests
    """
    named = [one for each in files for one in (sorted(each.glob("*.toml")) if each.is_dir() else [each])]
    if not named:
        raise BadInput(
            f"no file of plan tests in {', '.join(map(str, files))}; name a file or a folder that holds some"
        )
    outcomes = [outcome for file in named for outcome in _outcomes(file)]
    failed = sum(not each.passed for each in outcomes)
    skipped = sum(each.skipped for each in outcomes)
    tail = f"{len(outcomes) - failed - skipped} passed, {failed} failed" + (f", {skipped} skipped" if skipped else "")
    say(outcomes, "\n".join([*map(str, outcomes), tail]), as_json=as_json)
    context.exit(1 if failed or not outcomes else 0)


def _outcomes(file: Path) -> Sequence[Outcome]:
    """The outcomes of a file: of tests with their own series, or of tests over an archive."""
    recorded = TomlFile(file).kind == "plan-replay-test"
    return test_recorded(file) if recorded else test_plans(file, Assess)


def _plans(what: str) -> tuple[list[Path], Path]:
    """The plan files that are meant, and the basin package that they belong to."""
    path = Path(what) if Path(what).exists() else find_basin(what)
    package = next((each for each in (path.resolve(), *path.resolve().parents) if (each / CONFIG_FILE).is_file()), None)
    if package is None:
        raise BadInput(f"{path} lies in no basin package; put it into the folder that holds {CONFIG_FILE}")
    if path.is_file():
        return [path], package
    if package == path.resolve():
        basin, _ = check_basin(package)
        named = {package / each for each in basin.plan_files} if basin else set()
        folder = path / "plans"
        return sorted({(path / each.relative_to(package)) for each in named} | set(folder.glob("*.toml"))), package
    return sorted(path.glob("*.toml")), package


def _owners(basin: Basin) -> list[str]:
    files = [Path(basin.folder) / basin.playbook_file] if basin.playbook_file else []
    return [each.code for each in read_playbook(files, basin).owners]


def _version(plan: object) -> str:
    return getattr(plan, "version", "")


def _heading(files: int, faults: Sequence[Fault]) -> str:
    plans = f"{files} plan file{'s' if files != 1 else ''}"
    return f"{plans}: {len(faults)} fault{'s' if len(faults) != 1 else ''}"
