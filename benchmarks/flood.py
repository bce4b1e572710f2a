"""Two-dimensional floods: wall time of the loop on two problems, beside peers, and as a share of the machine.

    python benchmarks/flood.py [--cells 500] [--threads 2] [--peers PYTHON] [--repeat 3]

The problems are a meandering valley of 30 m cells with walls all round: "dambreak", a lake 30 m deep released onto a
dry bed, to 600 s; and "rain", a film of 0.1 m and 20 mm/h, every cell wet from the first step, to 1,800 s. `--peers`
names a Python in which ANUGA (DE0) and landlab (OverlandFlow) are installed; they run the same problems in the same
call. A STREAM triad runs before and after, for machines differ and are shared: read the ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numba
import numpy as np
from numpy.typing import NDArray

from liuyu.twin.flood import Flood, FloodModel, Rain, Scheme, Series

Floats = NDArray[np.float64]
CELL, MANNING = 30.0, 0.035
ENDS = {"dambreak": 600.0, "rain": 1800.0}
RAIN = 20.0e-3 / 3600.0
KINDS = (("hllc", 1, "single"), ("hllc", 1, "double"), ("hllc", 2, "single"), ("hllc", 2, "double"),
         ("inertial", 1, "single"), ("inertial", 1, "double"))  # fmt: skip
BYTES = {"hllc": 10, "inertial": 10}  # numbers that pass memory in a step of a cell: 4 read, 3 written, 3 fetched first
OPERATIONS = {("hllc", 1): 245, ("hllc", 2): 480, ("inertial", 1): 85}  # sums, products and choices of a cell's step


def problem(name: str, n: int) -> tuple[Floats, Floats]:
    """Bed and initial depth [m] of a problem on n x n cells, rows from south to north."""
    length = n * CELL
    centres = (np.arange(n) + 0.5) * CELL
    x, y = np.meshgrid(centres, centres)
    axis = length / 2.0 + 0.08 * length * np.sin(2.0 * np.pi * x / (length / 2.0))
    waves = 1.5 * np.sin(2.0 * np.pi * x / 900.0) * np.cos(2.0 * np.pi * y / 700.0)
    bed = 0.002 * (length - x) + 60.0 * ((y - axis) / (length / 2.0)) ** 2 + waves
    if name == "rain":
        return bed, np.full_like(bed, 0.1)
    return bed, np.where(x < 0.2 * length, np.maximum(0.0016 * length + 30.0 - bed, 0.0), 0.0)


@numba.njit(cache=True, nogil=True)
def _triad(a: Floats, b: Floats, c: Floats) -> None:
    for i in range(len(a)):
        a[i] = b[i] + 3.0 * c[i]


def triad(threads: int) -> float:
    """Memory bandwidth of a = b + 3 c on several threads [GB/s], the best of five."""
    parts = [[np.ones(8_000_000) for _ in range(3)] for _ in range(threads)]
    _triad(*parts[0])
    best = np.inf
    for _ in range(5):
        began = time.perf_counter()
        work = [threading.Thread(target=_triad, args=tuple(part)) for part in parts]
        for each in work:
            each.start()
        for each in work:
            each.join()
        best = min(best, time.perf_counter() - began)
    return threads * 24.0 * 8e6 / best / 1e9


def march(name: str, n: int, scheme: Scheme, repeat: int) -> dict[str, float]:
    """The fastest of some runs."""
    bed, depth = problem(name, n)
    rain = Rain(series=Series.constant(RAIN)) if name == "rain" else Rain()
    best: dict[str, float] = {}
    for _ in range(repeat):
        model = FloodModel(Flood(terrain=bed, cell=CELL, manning=MANNING, depth=depth, rain=rain, scheme=scheme))
        model.compile()
        began = time.perf_counter()
        model.advance(ENDS[name])
        wall = time.perf_counter() - began
        if not best or wall < best["wall"]:
            whole = n * n * model.steps
            best = {
                "wall": wall,
                "steps": model.steps,
                "rate": whole / wall / 1e6,
                "marched": model.cell_updates / whole,
                "error": abs(model.balance.relative_error),
            }
    return best


ANUGA = """
import json, sys, time, numpy as np, anuga
n, end, name = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
bed, depth = np.load(sys.argv[4]), np.load(sys.argv[5])
domain = anuga.rectangular_cross_domain(n // 1, n // 1, len1=30.0 * n, len2=30.0 * n) if n <= 500 else None
domain.set_flow_algorithm("DE0"); domain.set_store(False); domain.set_quantities_to_be_stored(None)
def of(a):
    return lambda x, y: a[np.clip((y / 30).astype(int), 0, n - 1), np.clip((x / 30).astype(int), 0, n - 1)]
domain.set_quantity("elevation", of(bed), location="centroids")
domain.set_quantity("stage", of(bed + depth), location="centroids")
domain.set_quantity("friction", 0.035)
wall = anuga.Reflective_boundary(domain)
domain.set_boundary({each: wall for each in ("left", "right", "top", "bottom")})
if name == "rain":
    anuga.Rate_operator(domain, rate=20e-3 / 3600)
share = float(sys.argv[6])
began = time.perf_counter()
for t in domain.evolve(yieldstep=end * share, finaltime=end * share): pass
print(json.dumps({"wall": (time.perf_counter() - began) / share}))
"""
LANDLAB = """
import json, sys, time, numpy as np
from landlab import RasterModelGrid
from landlab.components import OverlandFlow
n, end, name = int(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
bed, depth = np.load(sys.argv[4]), np.load(sys.argv[5])
grid = RasterModelGrid((n, n), xy_spacing=30.0)
grid.add_field("topographic__elevation", bed.ravel(), at="node")
grid.add_field("surface_water__depth", depth.ravel() + 1e-8, at="node")
grid.set_closed_boundaries_at_grid_edges(True, True, True, True)
rain = 20e-3 / 3600 if name == "rain" else 0.0
flow = OverlandFlow(grid, mannings_n=0.035, steep_slopes=True, rainfall_intensity=rain)
share = float(sys.argv[6])
t, began = 0.0, time.perf_counter()
while t < end * share:
    dt = min(flow.calc_time_step(), end * share - t); flow.run_one_step(dt=dt); t += dt
print(json.dumps({"wall": (time.perf_counter() - began) / share}))
"""


def peer(python: str, source: str, name: str, n: int, share: float, folder: Path) -> float | None:
    """Wall time of a peer [s], from a share of the way; None where it is absent or fails."""
    bed, depth = problem(name, n)
    files = []
    for key, values in (("bed", bed), ("depth", depth)):
        files.append(str(folder / f"flood_{key}.npy"))
        np.save(files[-1], values)
    call = [python, "-c", source, str(n), str(ENDS[name]), name, *files, str(share)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, cwd=folder)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith('{"wall"'):
            return float(json.loads(line)["wall"])
    print(f"  a peer did not run: {(done.stderr or done.stdout).strip().splitlines()[-1:]}")
    return None


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cells", type=int, default=500, help="cells a side")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--peers", metavar="PYTHON", help="a Python with anuga and landlab")
    parser.add_argument("--share", type=float, default=0.1, help="share of the way that peers go, scaled up")
    given = parser.parse_args()
    first = triad(given.threads)
    print(f"{os.cpu_count()} cores, {given.threads} threads; STREAM triad {first:.1f} GB/s before")
    print(f"{'scheme':26s} {'problem':9s} {'wall s':>8s} {'steps':>6s} {'M cells/s':>10s} {'marched':>8s} "
          f"{'GB/s':>6s} {'of triad':>8s} {'Gop/s':>6s} {'mass error':>10s}")  # fmt: skip
    walls: dict[tuple[str, str], float] = {}
    for name in ENDS:
        for kind, order, precision in KINDS:
            scheme = Scheme(name=kind, order=order, precision=precision, threads=given.threads)
            got = march(name, given.cells, scheme, given.repeat)
            walls[name, f"{kind} {order} {precision}"] = got["wall"]
            true = got["rate"] * got["marched"]
            traffic = true * BYTES[kind] * (4 if precision == "single" else 8) / 1e3
            print(f"{kind + f' order {order} ' + precision:26s} {name:9s} {got['wall']:8.3f} {got['steps']:6.0f} "
                  f"{got['rate']:10.0f} {got['marched']:8.0%} {traffic:6.1f} {traffic / first:8.0%} "
                  f"{true * OPERATIONS[kind, order] / 1e3:6.0f} {got['error']:10.1e}")  # fmt: skip
    print(f"STREAM triad {triad(given.threads):.1f} GB/s after")
    if not given.peers:
        print("no peers: name a Python that has anuga and landlab with --peers")
        return
    folder = Path(tempfile.gettempdir())
    peers = (("ANUGA DE0", ANUGA, "hllc 1 single"), ("landlab OverlandFlow", LANDLAB, "inertial 1 single"))
    for label, source, ours in peers:
        for name in ENDS:
            wall = peer(given.peers, source, name, given.cells, given.share, folder)
            if wall is not None:
                print(f"{label:26s} {name:9s} {wall:8.1f} s, {wall / walls[name, ours]:.0f} times ours ({ours})")


if __name__ == "__main__":
    sys.exit(main())
