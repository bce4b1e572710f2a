"""Rain members through land and rivers, the truth being known: python validation/runoff/ensemble.py [--land]

The basin is the synthetic qingxi, whose archive is made from rain that this script makes again. Each issue gets 51
members of rain for four days that could each be the truth: one factor and one shift in time, drawn for them all alike.
Three forecasts are held against what then came: past errors alone, rain members alone, and both. `perfect` holds
the rain members against the twin's own course under the true rain, where they differ: their ranks must be flat there.
Writes ensemble.csv (CRPS, coverage, rank histogram) and ensemble_roc.csv beside this file.

--land calibrates the package's sub-basins on other seasons of the same river, and prints land.toml.
"""

from __future__ import annotations

import argparse
import csv
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import xarray as xr

from liuyu.app.verify import Feed
from liuyu.basin.clock import HOUR
from liuyu.basin.package import find_basin, read_basin
from liuyu.basin.places import Basin
from liuyu.monitor.sense import Archive
from liuyu.outlook.forecast import Forecaster, Judged, reliability
from liuyu.twin import RiverTwin, make_archive
from liuyu.twin.ensemble import RainMembers, RainSettings, read_land
from liuyu.twin.ensemble.roc import roc, roc_area
from liuyu.twin.runoff import MODELS, Forcing, fit, score, warmed
from liuyu.twin.synthetic import SEASON, _large_enough, _peak_hour, _storms, flow_down, runoff

HERE = Path(__file__).resolve().parent
MEMBERS, HOURS, WAYS = 51, 96, ("errors", "rain", "both")
LEADS = (12, 24, 48, 72)
GAUGES = ("99000100", "99000500", "99000600", "99000800")
PET = (0.8, 1.1, 1.8, 2.8, 3.6, 4.2, 4.9, 4.5, 3.2, 2.2, 1.3, 0.8)  # [mm/d] by month
TRAINED, UNSEEN = (71, (2001, 2002, 2003)), (72, (2031, 2032, 2033))  # seed and years
FACTOR, SHIFT = 0.35, 2.0  # of the rain's error: standard deviation of a logarithm, and hours


def season_rain(basin: Basin, seed: int, year: int) -> tuple[int, np.ndarray]:
    """First hour [s UTC] and rain (sub-basins, hours) [mm] of a season, as `make_archive` makes it."""
    dice = np.random.Generator(np.random.PCG64([seed, year]))
    start = np.datetime64(f"{year}-{SEASON[0][0]:02d}-{SEASON[0][1]:02d}", "h")
    last = np.datetime64(f"{year}-{SEASON[1][0]:02d}-{SEASON[1][1]:02d}", "h")
    hours = int((last - start) / np.timedelta64(1, "h")) + 24
    peak = _peak_hour(basin, year, start, hours, dice)
    small, great = _storms(basin.subbasins, hours, peak, dice)
    water, _ = _large_enough(basin, (small, great))
    outlet = next(reversed(water.flow))
    low, high = 0.0, 8.0  # the factor by which the archive scales its great storm
    for _ in range(40):
        middle = 0.5 * (low + high)
        more = flow_down(basin, small + middle * great).flow[outlet].sum() > water.flow[outlet].sum()
        low, high = (low, middle) if more else (middle, high)
    first = int(start.astype("datetime64[s]").astype(np.int64)) - 8 * HOUR
    return first, small + low * great


def calibrate_land(basin: Basin) -> None:
    """Print land.toml: each sub-basin by the better of two models, on rain and runoff of three seasons."""
    rain = np.concatenate([season_rain(basin, TRAINED[0], year)[1] for year in TRAINED[1]], axis=1)
    month = np.concatenate([(np.arange(rain.shape[1] // 3) // 24 + 14) // 31 for _ in range(3)]) + 4
    pet = np.array(PET)[month][None] / 24.0
    cut = 2 * rain.shape[1] // 3
    print("# SYNTHETIC: calibrated by validation/runoff/ensemble.py on seasons that make_archive made.")
    print(f"fade_h = 24\npet_mm_d = {list(PET)}")
    for place, land in enumerate(basin.subbasins):
        each = [runoff(part, land.area_km2) for part in np.split(rain[place], 3)]
        observed = np.concatenate(each) * 3.6 / land.area_km2
        forcing = Forcing(rain[place][None], pet, None, (land.code,))
        tried = []
        for name in ("hbv_h", "gr5h"):
            found = fit(MODELS[name], forcing, observed, slice(0, cut), evaluations=4000)
            run = warmed(found.model, forcing, found.parameters[None])[0]
            tried.append((score(run[cut:], observed[cut:]).nse, found))
        nse, best = max(tried, key=lambda pair: pair[0])
        print(f"{land.code}: {[(f.model.name, n) for n, f in tried]}", file=sys.stderr, flush=True)
        own = {k: v for k, v in best.named().items() if not k.startswith("snow_")}
        given = ", ".join(f"{name} = {value:.6g}" for name, value in own.items())
        print(f'\n[[subbasin]]\ncode = "{land.code}"\nmodel = "{best.model.name}" # NSE {nse:.3f} in the third season')
        print(f"parameters = {{ {given} }}")


def members(rain: np.ndarray, at: int, draw: np.random.Generator) -> np.ndarray:
    """Members (members, steps, sub-basins) [mm/h] of the rain after an hour, the truth one of their kind."""
    factor = np.exp(FACTOR * draw.standard_normal(MEMBERS + 1))
    shift = np.round(SHIFT * draw.standard_normal(MEMBERS + 1)).astype(int)
    out = np.empty((MEMBERS, HOURS, len(rain)))
    for member in range(MEMBERS):
        hours = np.clip(np.arange(at + 1, at + 1 + HOURS) - (shift[member] - shift[-1]), at + 1, rain.shape[1] - 1)
        out[member] = (factor[member] / factor[-1] * rain[:, hours]).T
    return out


def write(path: Path, value: np.ndarray, codes: list[str], first: int) -> None:
    """A NetCDF of members; first: end of the first hour [s UTC]."""
    time = (first + HOUR * np.arange(value.shape[1])).astype("datetime64[s]")
    kept = (("member", "time", "sub_basin"), value.astype("f4"), {"units": "mm"})
    coords = {"member": np.arange(len(value)), "time": time, "sub_basin": codes}
    xr.Dataset({"precip_mm": kept}, coords=coords).to_netcdf(path)


def walk(basin: Basin, year: int, folder: Path, every: int) -> Iterator[tuple[str, str, int, np.ndarray, float, float]]:
    """Way, station, lead, members, value at issue and what came, of each issue of a season; levels [m]."""
    seed = UNSEEN[0]
    file = make_archive(basin, folder / f"{year}.parquet", seed, years=(year,))
    first, rain = season_rain(basin, seed, year)
    archive, codes = Archive(file, basin), [each.code for each in basin.subbasins]
    feed = Feed(archive, basin, first, first + rain.shape[1] * HOUR)
    write(folder / f"past{year}.nc", rain.T[None], codes, first)
    draw = np.random.default_rng([seed, year])
    twin, land = RiverTwin(basin), read_land(basin)
    assert land is not None
    later: dict[str, list[tuple[str, int, np.ndarray]]] = {code: [] for code in GAUGES}
    own: dict[tuple[str, int], np.ndarray] = {}
    for at in range(10 * 24, rain.shape[1] - HOURS - 1):
        feed.advance(first + at * HOUR)
        if at % every:
            continue
        now = first + at * HOUR
        write(folder / f"ahead{year}.nc", members(rain, at, draw), codes, now + HOUR)
        known = feed.known(now, twin.model.history_h)
        write(folder / f"truth{year}.nc", rain[:, at + 1 : at + 1 + HOURS].T[None], codes, now + HOUR)
        truth = RainMembers(twin, land, RainSettings(folder / f"truth{year}.nc", folder / f"past{year}.nc", "rain"))
        for each in Forecaster(basin, twin, truth).issue_from(known):
            if each.station in GAUGES and each.quantity == "water_level":
                own[each.station, at] = each.members[0]
        for way in WAYS:
            settings = RainSettings(folder / f"ahead{year}.nc", folder / f"past{year}.nc", way)  # type: ignore[arg-type]
            laid = None if way == "errors" else RainMembers(twin, land, settings)
            for each in Forecaster(basin, twin, laid).issue_from(known):
                if each.station in GAUGES and each.quantity == "water_level":
                    later[each.station].append((way, at, each.members))
    number = basin.roster.number
    feed.advance(first + (rain.shape[1] - 1) * HOUR)
    for code in GAUGES:
        seen = feed.hourly((code, "water_level"), number, first, rain.shape[1])
        for way, at, value in later[code]:
            for lead in LEADS:
                if way == "rain" and np.ptp(value[:, lead - 1]) > 0.05:
                    came = float(own[code, at][lead - 1])
                    yield "perfect", code, lead, value[:, lead - 1], float(value[:, 0].mean()), came
                if np.isfinite(seen[at]) and np.isfinite(seen[at + lead]):
                    yield way, code, lead, value[:, lead - 1], float(seen[at]), float(seen[at + lead])


def main() -> None:
    """Forecast three seasons three ways, score, write the tables; exits with 1 where rain members do not help."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--land", action="store_true")
    parser.add_argument("--every", type=int, default=12, help="hours between issues")
    parser.add_argument("--years", type=int, default=3)
    chosen = parser.parse_args()
    basin = read_basin(find_basin("qingxi"))
    if chosen.land:
        calibrate_land(basin)
        return
    kept: dict[tuple[str, str, int], list[tuple[np.ndarray, float, float]]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for year in UNSEEN[1][: chosen.years]:
            for way, code, lead, value, now, came in walk(basin, year, Path(folder), chosen.every):
                kept.setdefault((code, way, lead), []).append((value, now, came))
    lines = {
        code: next(t.value for t in basin.thresholds_of(code, "water_level") if t.kind == "warning") for code in GAUGES
    }
    rows, curves, total = [], [], dict.fromkeys((*WAYS, "perfect"), 0.0)
    for (code, way, lead), cases in sorted(kept.items()):
        value, now, came = (np.array(each) for each in zip(*cases, strict=True))
        told = reliability(Judged(code, "water_level", lead, value, now, came))
        area = roc_area(value, came, lines[code] - 1.0)
        rows.append((code, lead, way, told.n, told.crps, told.crps_persistence, told.coverage_50, told.coverage_80,
                     told.coverage_90, area, " ".join(f"{each:.3f}" for each in told.ranks)))  # fmt: skip
        total[way] += told.crps or 0.0
        curves += [(code, lead, way, *point) for point in roc(value, came, lines[code] - 1.0)]
    head = (
        "stcd",
        "lead_h",
        "members",
        "n",
        "crps",
        "crps_persistence",
        "in_50",
        "in_80",
        "in_90",
        "roc_area",
        "ranks",
    )
    table(HERE / "ensemble.csv", head, rows)
    table(HERE / "ensemble_roc.csv", ("stcd", "lead_h", "members", "chance", "false_alarms", "hits"), curves)
    for code, lead, way, n, crps, flat, half, most, _, area, ranks in rows:
        scores = f"crps {crps:.3f} ({flat:.3f}) in 50/80 % {half:.2f} {most:.2f} roc {area:.2f}"
        print(f"{code} {lead:3d} h {way:7s} n {n} {scores} [{ranks}]")
    print({way: round(each, 3) for way, each in total.items()})
    sys.exit(0 if total["both"] < total["errors"] else 1)


def table(path: Path, head: tuple[str, ...], rows: list[tuple[object, ...]]) -> None:
    """A CSV; numbers to four digits."""
    with path.open("w", encoding="utf-8", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(head)
        out.writerows([[f"{each:.4g}" if isinstance(each, float) else each for each in row] for row in rows])


if __name__ == "__main__":
    main()
