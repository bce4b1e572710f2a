"""Floods against exact solutions, a wave tank and a real street: python validation/flood/flood.py [--quick]

Prints errors and orders of convergence, writes a figure of each case beside this file, and exits with 1 where a
tolerance is missed. Some minutes on two cores; `--quick` takes coarser grids. The tank and the street need the data
bundle.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.basin.bundle import bundle_folder
from liuyu.physics.flood import exact
from liuyu.twin.flood import Flood, FloodModel, Inflow, Run, Scheme, Series, Side, read_raster, simulate
from liuyu.twin.flood.places import cell_of, cells_along, cells_in

HERE = Path(__file__).resolve().parent
Floats = NDArray[np.float64]
Curve = tuple[str, Floats, Floats]


def figure(name: str, curves: list[Curve], across: str, up: str) -> None:
    """Lines as a small SVG."""
    x = np.concatenate([each[1] for each in curves])
    y = np.concatenate([each[2] for each in curves])
    low, span = np.array([np.nanmin(x), np.nanmin(y)]), np.array([np.ptp(x), np.nanmax(y) - np.nanmin(y)])
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 320" font-family="sans-serif" font-size="12">']
    for number, (label, a, b) in enumerate(curves):
        colour = ("#111", "#c33", "#28c", "#2a5")[number % 4]
        at = 40 + 660 * (a - low[0]) / span[0], 280 - 260 * (b - low[1]) / span[1]
        points = " ".join(f"{p:.1f},{q:.1f}" for p, q in zip(*at, strict=True) if np.isfinite(q))
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.5"/>')
        parts.append(f'<text x="{60 + 160 * number}" y="14" fill="{colour}">{label}</text>')
    ends = f"{across}: {low[0]:.3g} to {low[0] + span[0]:.3g}; {up}: {low[1]:.3g} to {low[1] + span[1]:.3g}"
    parts.append(f'<text x="40" y="306">{ends}</text></svg>\n')
    (HERE / f"{name}.svg").write_text("\n".join(parts), encoding="utf-8")


def strip(n: int, length: float, end: float, bed: Floats, depth: Floats, order: int, **parts: object) -> Floats:
    """Depth along a strip of three rows at the end."""
    rows = (3, 1)
    scheme = Scheme(order=order)
    run = simulate(np.tile(bed, rows), length / n, end, depth=np.tile(depth, rows), scheme=scheme, **parts)
    return run.frames[-1].depth[1]


def ritter(n: int, order: int, slope: float = 0.0) -> tuple[float, list[Curve]]:
    x = (np.arange(n) + 0.5) * 100.0 / n - 50.0
    ends = {"west": Side(kind="open"), "east": Side(kind="open")} if slope else {}
    h = strip(n, 100.0, 4.0, -slope * x, np.where(x < 0.0, 1.0, 0.0), order, manning=0.0, **ends)
    wanted = exact.ritter(x, 4.0, 1.0, slope)[0]
    near = abs(x) < 30.0
    return float(abs(h - wanted)[near].mean()), [("exact", x[near], wanted[near]), ("liuyu", x[near], h[near])]


def stoker(n: int, order: int) -> tuple[float, list[Curve]]:
    x = (np.arange(n) + 0.5) * 100.0 / n - 50.0
    h = strip(n, 100.0, 6.0, 0.0 * x, np.where(x < 0.0, 1.0, 0.1), order, manning=0.0)
    wanted = exact.stoker(x, 6.0, 1.0, 0.1)[0]
    return float(abs(h - wanted).mean()), [("exact", x, wanted), ("liuyu", x, h)]


def rough_slope(n: int, order: int) -> tuple[float, list[Curve]]:
    """A dam break down a slope of 1 in 50 with friction, against 6,400 cells of the second order."""

    def run(m: int, which: int) -> Floats:
        x = (np.arange(m) + 0.5) * 200.0 / m - 50.0
        return strip(m, 200.0, 15.0, -0.02 * x, np.where(x < 0.0, 2.0, 0.0), which, manning=0.03)

    fine = run(6400 if n > 100 else 3200, 2)
    wanted = fine.reshape(n, -1).mean(1)
    h = run(n, order)
    x = (np.arange(n) + 0.5) * 200.0 / n - 50.0
    return float(abs(h - wanted).mean()), [("6,400 cells", x, wanted), ("liuyu", x, h)]


def bowl(n: int, order: int, planar: bool) -> tuple[float, list[Curve]]:
    centres = (np.arange(n) + 0.5) * 4.0 / n - 2.0
    x, y = np.meshgrid(centres, centres)
    speeds: dict[str, Floats] = {}
    if planar:
        bed, h, speeds["velocity_x"], speeds["velocity_y"] = exact.planar_bowl(x, y, 0.0)
    else:
        bed, h = exact.radial_bowl(x, y, 0.0)
    period = exact.PLANAR_PERIOD if planar else exact.RADIAL_PERIOD
    run = simulate(bed, 4.0 / n, period, depth=h, manning=0.0, scheme=Scheme(order=order), **speeds)
    assert abs(run.summary.mass_error) < 1e-10
    middle, after = n // 2, run.frames[-1].depth
    curves = [
        ("exact", centres, (h + bed)[middle]),
        ("liuyu", centres, (after + bed)[middle]),
        ("bed", centres, bed[middle]),
    ]
    return float(abs(after - h).mean() / h.mean()), curves


def steady(n: int, order: int, kind: str) -> tuple[float, list[Curve]]:
    x = (np.arange(n) + 0.5) * 1000.0 / n
    bed, depth = exact.macdonald(x, kind)
    end = exact.macdonald(np.array([1000.0]), kind)[1][0]
    east = Side(kind="stage", series=Series.constant(end)) if kind == "subcritical" else Side(kind="open")
    west = Side(kind="discharge", series=Series.constant(2.0 * 3 * 1000.0 / n))
    h = strip(
        n,
        1000.0,
        4000.0,
        bed,
        depth,
        order,
        manning=0.033,
        west=west,
        east=east,
        velocity_x=np.tile(2.0 / depth, (3, 1)),
    )
    inner = slice(n // 20, -n // 20)
    return float(abs(h - depth)[inner].mean()), [("exact", x, depth + bed), ("liuyu", x, h + bed), ("bed", x, bed)]


CASES: dict[str, tuple[Callable[[int, int], tuple[float, list[Curve]]], tuple[int, ...], tuple[float, float]]] = {
    "ritter": (ritter, (100, 200, 400), (0.6, 0.95)),
    "ritter_slope": (lambda n, o: ritter(n, o, 0.05), (100, 200, 400), (0.55, 0.95)),
    "stoker": (stoker, (100, 200, 400), (0.65, 0.85)),
    "rough_slope": (rough_slope, (100, 200, 400), (0.65, 0.9)),
    "thacker_planar": (lambda n, o: bowl(n, o, True), (50, 100, 200), (0.75, 1.4)),
    "thacker_radial": (lambda n, o: bowl(n, o, False), (50, 100, 200), (0.6, 1.2)),
    "macdonald_subcritical": (lambda n, o: steady(n, o, "subcritical"), (50, 100), (0.9, 1.8)),
    "macdonald_transcritical": (lambda n, o: steady(n, o, "transcritical"), (50, 100), (0.9, 1.8)),
}


def rest() -> bool:
    """A lake over a rough bed, partly dry, for 10 minutes: greatest speed and change of level."""
    bed = np.random.default_rng(5).uniform(0.0, 2.0, (120, 160))
    good = True
    for name, order in (("hllc", 1), ("hllc", 2), ("inertial", 1)):
        model = FloodModel(Flood(terrain=bed, cell=5.0, depth=np.maximum(1.2 - bed, 0.0), manning=0.0,
                                 scheme=Scheme(name=name, order=order)))  # fmt: skip
        model.advance(600.0)
        speed = float(np.hypot(*model.velocity).max())
        moved = float(np.nanmax(abs(model.level - 1.2)))
        print(f"rest, {name} order {order}: greatest speed {speed:.1e} m/s, level moved {moved:.1e} m")
        good &= speed < 1e-11 and moved < 1e-11
    return good


def okushiri(folder: Path, stride: int) -> bool:
    """The wave tank of Monai valley at 1:400: three gauges of water level for 22.5 s [cm]."""
    data = folder / "hydraulics_okushiri"
    points = np.loadtxt(data / "Benchmark_2_Bathymetry.xya", delimiter=",", skiprows=1)
    bed = points[:, 2].reshape(393, 244).T[::stride, ::stride]
    cell = 0.014 * stride
    wave = np.loadtxt(data / "Benchmark_2_input.txt", skiprows=1)
    seen = np.loadtxt(data / "output_ch5-7-9.txt", skiprows=1)
    times = np.arange(0.0, 22.5, 0.05)
    side = Side(kind="stage", series=Series(times=wave[:, 0], values=wave[:, 1]))
    flood = Flood(
        terrain=bed, cell=cell, depth=np.maximum(-bed, 0.0), manning=0.0025, west=side, scheme=Scheme(order=2)
    )
    run = Run(flood, float(times[-1]), 0.05)
    gauges = [(1.196, 4.521), (1.696, 4.521), (2.196, 4.521)]  # y, x of gauges 5, 7, 9
    places = [(round(y / cell), round(x / cell)) for y, x in gauges]
    levels = np.array([[frame.depth[at] + bed[at] for at in places] for frame in run.frames()])
    good = abs(run.summary.mass_error) < 1e-10
    for number, name in enumerate(("5", "7", "9")):
        ours, theirs = 100.0 * levels[:, number], seen[: len(levels), 1 + number]
        later = times[: len(levels)] > 10.0
        error = float(np.sqrt(np.mean((ours - theirs)[later] ** 2)))
        print(f"okushiri gauge {name}: root mean square error {error:.2f} cm after 10 s, crest {ours.max():.2f} cm "
              f"against {theirs.max():.2f} cm")  # fmt: skip
        figure(
            f"okushiri_{name}",
            [("tank", times[: len(levels)], theirs), ("liuyu", times[: len(levels)], ours)],
            "s",
            "cm",
        )
        good &= error < 0.8
    return good


def merewether(folder: Path) -> bool:
    """The street flood of 2007 in Newcastle: 19.7 m³/s through a suburb, five flood marks."""
    data = folder / "hydraulics_merewether"
    bed, grid = read_raster(data / "topography1.asc")
    manning = np.full(bed.shape, 0.04)
    for file in sorted(data.glob("house*.csv")):
        cells = cells_in(grid, np.loadtxt(file, delimiter=","))
        bed[cells[:, 0], cells[:, 1]] += 3.0
    road = cells_in(grid, np.loadtxt(data / "RoadPolygon.csv", delimiter=","))
    manning[road[:, 0], road[:, 1]] = 0.02
    cells, _ = cells_along(grid, [(382300.0, 6354290.0), (382306.0, 6354283.0)])
    inflow = Inflow(cells=cells, series=Series.constant(19.7))
    ends = {side: Side(kind="open") for side in ("west", "east", "south", "north")}
    flood = Flood(terrain=bed, cell=grid.cell, manning=manning, inflows=(inflow,), scheme=Scheme(), **ends)
    model = FloodModel(flood)
    model.advance(1000.0)
    level = model.level
    marks = np.loadtxt(data / "ObservationPoints.csv", delimiter=",", skiprows=1)
    errors = []
    for x, y, number, _, seen, peer in marks:
        at = cell_of(grid, (x, y))
        near = level[at[0] - 1 : at[0] + 2, at[1] - 1 : at[1] + 2]
        errors.append(float(np.nanmean(near)) - seen if np.isfinite(near).any() else np.nan)
        print(f"merewether mark {number:.0f}: {errors[-1] + seen:.2f} m against {seen:.2f} m (TUFLOW {peer:.2f} m)")
    error = float(np.sqrt(np.mean(np.square(errors))))
    print(f"merewether: root mean square error {error:.2f} m, mass error {model.balance.relative_error:.1e}")
    return error < 0.3 and abs(model.balance.relative_error) < 1e-10


def main() -> int:
    """Run every case; 1 where a tolerance is missed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="coarser grids")
    quick = parser.parse_args().quick
    good = rest()
    for name, (case, sizes, least) in CASES.items():
        for order in (1, 2):
            found = [case(n, order) for n in (sizes[:2] if quick else sizes)]
            errors = [each[0] for each in found]
            rate = float(np.log2(errors[0] / errors[-1])) / (len(errors) - 1)
            print(f"{name}, order {order}: errors {', '.join(f'{each:.2e}' for each in errors)}; order {rate:.2f}")
            good &= rate > least[order - 1]
        figure(name, found[-1][1], "m", "m")
    folder = bundle_folder()
    if folder is None:
        print("no data bundle (LIUYU_DATA): the wave tank and the street were left out")
    else:
        good &= okushiri(folder, 2 if quick else 1)
        good &= merewether(folder)
    print("all within tolerance" if good else "a tolerance was missed")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
