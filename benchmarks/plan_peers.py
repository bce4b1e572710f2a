# ruff: noqa: PLC0415 - a peer is imported only where it is asked for
"""One case solved by a peer, for plan.py: python plan_peers.py TASK.json; prints objective and seconds as JSON."""

from __future__ import annotations

import json
import logging
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np

START = datetime(2020, 8, 1)  # noqa: DTZ001 - both peers want a time without zone


def chain_model(dams: int, step: float) -> str:
    """A chain of reservoirs in Modelica."""
    lines = ["model Chain"]
    for place in range(dams):
        lines += [
            f"  input Real q_in_{place}(fixed=true);",
            f"  input Real q_{place}(fixed=false);",
            f"  Real v_{place};",
        ]
    lines += ["  input Real lateral(fixed=true);", "equation"]
    for place in range(dams):
        above = f" + q_{place - 1}" if place else ""
        lines.append(f"  der(v_{place}) = q_in_{place}{above} - q_{place};")
    return "\n".join([*lines, "end Chain;\n"])


def rtc_tools(task: dict[str, Any]) -> dict[str, float]:
    """The mean excess at the gauge, by RTC-Tools with HiGHS and one schedule for all members."""
    import casadi as ca
    from rtctools.optimization.collocated_integrated_optimization_problem import CollocatedIntegratedOptimizationProblem
    from rtctools.optimization.control_tree_mixin import ControlTreeMixin
    from rtctools.optimization.io_mixin import IOMixin
    from rtctools.optimization.modelica_mixin import ModelicaMixin

    logging.getLogger("rtctools").setLevel(logging.ERROR)
    filling = task["case"] == "filling"
    if filling:
        task |= {
            "step": 43200.0,
            "line": 0.0,
            "dams": [[4e5, 3.8e5, 4.2e5, 0.0, 6.5]],
            "inflow": [[[1.95, 2.55, 3.30, 4.35, 5.55, 7.20, 5.55, 4.35, 3.30, 2.55, 1.95]]],
            "lateral": [[0.0] * 11],
        }
    folder, dams = Path(task["folder"]), task["dams"]
    inflow, lateral = np.array(task["inflow"]), np.array(task["lateral"])
    (folder / "Chain.mo").write_text(chain_model(len(dams), task["step"]))
    seconds = [0.0]

    class Chain(ControlTreeMixin, IOMixin, ModelicaMixin, CollocatedIntegratedOptimizationProblem):  # type: ignore[misc]
        def __init__(self) -> None:
            self.excess = ca.MX.sym("excess")
            super().__init__(model_name="Chain", model_folder=str(folder), input_folder=".", output_folder=".")

        def read(self) -> None:
            times = [START + timedelta(seconds=task["step"] * k) for k in range(inflow.shape[2] + 1)]
            self.io.reference_datetime = START
            for member in range(inflow.shape[1]):
                for place in range(len(dams)):
                    series = np.concatenate([[0.0], inflow[place, member]])
                    self.io.set_timeseries(f"q_in_{place}", times, series, member)
                self.io.set_timeseries("lateral", times, np.concatenate([[0.0], lateral[member]]), member)

        def write(self) -> None:
            pass

        def control_tree_options(self) -> dict[str, Any]:
            return {"forecast_variables": ["lateral"], "branching_times": [], "k": 1}

        def bounds(self) -> Any:
            out = super().bounds()
            for place, (_, low, high, least, most) in enumerate(dams):
                out[f"v_{place}"] = (low, high)
                out[f"q_{place}"] = (least, most)
            out["excess"] = (0.0, np.inf)
            return out

        def variable_nominal(self, variable: str) -> float:
            if variable.startswith("v_"):
                return float(dams[int(variable[2:])][2])
            return 100.0 if variable == "excess" or variable.startswith("q_") else super().variable_nominal(variable)

        @property
        def path_variables(self) -> Any:
            return [*super().path_variables, self.excess]

        def path_constraints(self, ensemble_member: int) -> Any:
            over = self.state("excess") - self.state(f"q_{len(dams) - 1}") - self.state("lateral") + task["line"]
            return [*super().path_constraints(ensemble_member), (over, 0.0, np.inf)]

        def constraints(self, ensemble_member: int) -> Any:
            start = [(self.state_at(f"v_{k}", 0.0, ensemble_member), each[0], each[0]) for k, each in enumerate(dams)]
            first = (self.state_at(f"q_{len(dams) - 1}", 0.0, ensemble_member), dams[-1][3], dams[-1][3])
            return [*super().constraints(ensemble_member), *start, first]

        def path_objective(self, ensemble_member: int) -> Any:
            return self.state("excess")

        def solver_options(self) -> dict[str, Any]:
            options = super().solver_options()
            options["casadi_solver"] = "qpsol"
            options["solver"] = "highs"
            options["highs"] = {"output_flag": False}
            return options

        def compiler_options(self) -> dict[str, Any]:
            return super().compiler_options() | {"cache": False}

    found = Chain()  # compiles the model, which is not counted
    begin = time.perf_counter()
    found.optimize()
    seconds[0] = time.perf_counter() - begin
    excess = [
        np.maximum(found.extract_results(m)[f"q_{len(dams) - 1}"][1:] + lateral[m] - task["line"], 0.0).sum()
        for m in range(inflow.shape[1])
    ]
    return {"objective": float(np.mean(excess)), "seconds": seconds[0]}


def pywr(task: dict[str, Any]) -> dict[str, float]:
    """The same by Pywr, which decides each step and member for itself, without a look ahead."""
    from pywr.core import Input, Link, Model, Output, Scenario, Storage
    from pywr.parameters import ArrayIndexedScenarioParameter
    from pywr.recorders import NumpyArrayNodeRecorder

    if task["case"] == "simple":
        begin = time.perf_counter()
        model = Model(start="2016-01-01", end="2019-12-31", timestep=7)
        source, link = Input(model, name="A", max_flow=10.0), Link(model, name="B", cost=1.0)
        sink = Output(model, name="C", max_flow=5.0, cost=-2.0)
        source.connect(link)
        link.connect(sink)
        kept = NumpyArrayNodeRecorder(model, sink)
        model.setup()
        model.run()
        return {"objective": float(np.abs(kept.data - 5.0).sum()), "seconds": time.perf_counter() - begin}
    inflow, lateral, dams = np.array(task["inflow"]), np.array(task["lateral"]), task["dams"]
    begin = time.perf_counter()
    members, steps = lateral.shape
    volume = task["step"] / 1e6
    model = Model(start="2020-08-01", end=START + timedelta(days=steps - 1), timestep=1)
    scenario = Scenario(model, "member", size=members)
    before = None
    for place, (stored, low, high, least, most) in enumerate(dams):
        held = Storage(
            model, f"dam{place}", min_volume=low / 1e6, max_volume=high / 1e6, initial_volume=stored / 1e6, cost=-1.0
        )
        water = Input(model, f"in{place}")
        series = ArrayIndexedScenarioParameter(model, scenario, np.ascontiguousarray(inflow[place].T * volume))
        water.min_flow = water.max_flow = series
        water.connect(held)
        if before is not None:
            before.connect(held)
        before = Link(model, f"out{place}", min_flow=least * volume, max_flow=most * volume)
        held.connect(before)
    room = np.maximum(task["line"] - lateral, 0.0)
    within = Output(model, "within", cost=0.0)
    within.max_flow = ArrayIndexedScenarioParameter(model, scenario, np.ascontiguousarray(room.T * volume))
    over = Output(model, "over", cost=1000.0)
    before.connect(within)
    before.connect(over)
    kept = [NumpyArrayNodeRecorder(model, each) for each in (within, over)]
    model.setup()
    model.run()
    taken = time.perf_counter() - begin
    flow = (kept[0].data + kept[1].data).T / volume
    return {"objective": float(np.maximum(flow + lateral - task["line"], 0.0).sum(axis=1).mean()), "seconds": taken}


def main() -> None:
    """Read the task, solve it, say what came of it."""
    task = json.loads(Path(sys.argv[1]).read_text())
    solvers = {"RTC-Tools": rtc_tools, "Pywr": pywr}
    print(json.dumps(solvers[task["peer"]](task)))


if __name__ == "__main__":
    main()
