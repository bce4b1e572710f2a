"""`liuyu plan`: schedules of release."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import msgspec
import numpy as np

from liuyu.app.commands.contingency import check, test
from liuyu.app.commands.shared import say
from liuyu.outlook.plan.optimise import Answer, Problem, Stressed, read_problem, solve, stress, tell
from liuyu.outlook.plan.optimise.problem import Floats


@click.group()
def plan() -> None:
    """Decide what reservoirs release; check and test contingency plans.

    Example: liuyu plan optimise examples/plan/problem.toml --out out
    """


plan.add_command(check)
plan.add_command(test)


@plan.command()
@click.argument("problem_file", metavar="PROBLEM.toml", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder for schedule.csv, stress.csv and answer.json."
)
@click.option("--weighted", is_flag=True, help="All goals in one weighted sum, instead of in order of priority.")
@click.option("--language", type=click.Choice(["zh", "en"]), default="en", show_default=True, help="Of the words.")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.pass_context
def optimise(
    context: click.Context, problem_file: Path, out: Path, weighted: bool, language: str, as_json: bool
) -> None:
    """Find the best joint schedule of all dams over all members of the inflow.

    stress.csv sets three schedules against every member: the optimised one, the present releases held, and the mean
    inflow passed on.

    Exit code 0: every hard limit is kept; 1: the schedule is infeasible, and the answer says where and by how much.

    Example: liuyu plan optimise examples/plan/problem.toml --out out
    """
    problem = read_problem(problem_file)
    answer = solve(problem, weighted=weighted)
    told = _told(problem, answer)
    out.mkdir(parents=True, exist_ok=True)
    _write_schedule(out / "schedule.csv", problem, answer)
    _write_stress(out / "stress.csv", stress(problem, _schedules(problem, answer)))
    (out / "answer.json").write_bytes(msgspec.json.format(msgspec.json.encode(told), indent=2))
    say(told, "\n".join(_lines(told, language)), as_json=as_json)
    context.exit(0 if answer.feasible else 1)


def _told(problem: Problem, answer: Answer) -> dict[str, Any]:
    """The answer as plain data."""
    goals = [
        {
            "kind": each.goal.kind,
            "at": each.goal.at,
            "value": each.goal.value,
            "priority": each.goal.priority,
            "total": each.total,
        }
        for each in answer.reached
    ]
    return {
        "feasible": answer.feasible,
        "objective": {str(priority): value for priority, value in answer.objective.items()},
        "goals": goals,
        "words": tell(problem, answer),
        "balance_error": answer.course.error,
    }


def _lines(told: Mapping[str, Any], language: str) -> list[str]:
    head = {
        "zh": ("满足全部硬约束", "无可行方案：以下为最接近的调度"),
        "en": ("Every hard limit is kept.", "No schedule keeps every hard limit; this one comes nearest."),
    }[language]
    return [head[0] if told["feasible"] else head[1], *(each[language] for each in told["words"])]


def _write_schedule(file: Path, problem: Problem, answer: Answer) -> None:
    """Rows of a step and a dam: its release, and its storage on the mean, lowest and highest member."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["step", "code", "release_m3s", "storage_m3", "storage_lowest_m3", "storage_highest_m3"])
        for step in range(problem.steps):
            for dam in problem.dams:
                held = answer.course.storage[dam.code][:, step]
                numbers = (held.mean(), held.min(), held.max())
                release = f"{answer.course.release[dam.code][step]:.3f}"
                writer.writerow([step, dam.code, release, *(f"{each:.0f}" for each in numbers)])


def _schedules(problem: Problem, answer: Answer) -> dict[str, dict[str, Floats]]:
    """The schedules that are set against the members."""
    held = {each.code: np.full(problem.steps, np.clip(each.release, *each.release_range)) for each in problem.dams}
    passed = {
        each.code: np.clip(sum(problem.from_outside(code).mean(axis=0) for code in _above(problem, each.code)),
                           *each.release_range)
        for each in problem.dams
    }  # fmt: skip
    return {"optimised": dict(answer.course.release), "hold": held, "pass": passed}


def _above(problem: Problem, code: str) -> list[str]:
    """A place and every place whose water comes to it."""
    found = {code}
    for each in reversed(problem.order):
        if any(link.source == each and link.target in found for link in problem.links):
            found.add(each)
    return sorted(found)


def _write_stress(file: Path, rows: Sequence[Stressed]) -> None:
    """Rows of a schedule, a member and a place: its lowest and highest storage, or its peak; penalties by priority."""
    priorities = sorted({priority for row in rows for priority in row.penalty})
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        names = [f"penalty_{each}" for each in priorities]
        writer.writerow(["schedule", "member", "code", "lowest_m3", "highest_m3", "peak", "range_kept", *names])
        for row in rows:
            penalties = [f"{row.penalty[each]:.6g}" for each in priorities]
            for code, high in row.highest.items():
                kept = "no" if code in row.broken else "yes"
                writer.writerow(
                    [row.schedule, row.member, code, f"{row.lowest[code]:.0f}", f"{high:.0f}", "", kept, *penalties]
                )
            for code, peak in row.peak.items():
                writer.writerow([row.schedule, row.member, code, "", "", f"{peak:.3f}", "", *penalties])
