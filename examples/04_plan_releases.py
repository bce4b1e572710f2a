"""Decide what two reservoirs release over five members of a forecast, and set the schedule against each member."""

from pathlib import Path

import numpy as np

from liuyu.outlook.plan.optimise import read_problem, solve, stress, tell

problem = read_problem(Path(__file__).with_name("plan") / "problem.toml")
answer = solve(problem)
for dam in problem.dams:
    print(dam.name_en, "releases", answer.course.release[dam.code].round().astype(int).tolist(), "m3/s")
for words in tell(problem, answer):
    print("-", words["en"])
held = {dam.code: np.full(problem.steps, dam.release) for dam in problem.dams}
for row in stress(problem, {"optimised": answer.course.release, "hold": held}):
    kept = f"leaves the range of {', '.join(row.broken)}" if row.broken else "every range kept"
    print(f"{row.schedule:10} member {row.member}: town at most {row.peak['town']:5.0f} m3/s, {kept}")
