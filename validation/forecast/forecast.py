"""Models of the Yangtze's stages compared in seasons that each of them was not trained on.

Run `python validation/forecast/forecast.py` with the data bundle at hand (LIUYU_DATA), five minutes on two cores. Every
season, April to October of 2020 to 2023, 2025 and 2026, is forecast every six hours by models of the other years: the
last value (persistence), ridge regression on the gauges of the past 72 h, the routed twin, the data-driven model, and
their combination, which is what the live loop issues. It writes CSV files and `figure.svg` here, prints the table of
README.md, and exits with 1 where the combination does not beat the ridge at a gauge and lead. The same issues, hours
and observations count for every model. With `--boosting` and LightGBM installed it adds gradient boosting (far slower).
"""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from liuyu.app.verify import trusted
from liuyu.basin.bundle import bundle_file
from liuyu.basin.package import find_basin, read_basin
from liuyu.outlook.forecast import crps
from liuyu.twin.calibrate import begin, fit_network, ground_of, study
from liuyu.twin.fit import ridge
from liuyu.twin.learned import features
from liuyu.twin.learned.train import Trained, near
from liuyu.twin.study import Study, learn, lessons

Floats = NDArray[np.float64]
HERE = Path(__file__).parent
STATIONS = ("60107300", "60108300", "60111200", "60112200", "60113400", "62601600", "60115000")
LEADS = (24, 48, 72, 120, 168)
PAST = (6, 12, 24, 48, 72)
RIDGE_PENALTY = 0.01
MEMBERS, NEAR = 51, 153


def by_ridge(value: Floats, year: NDArray[np.int64], train: NDArray[np.bool_], change: Floats) -> Floats:
    """Change of one series by ridge regression on every gauge now and up to 72 h ago, each year by the others: (n,)."""
    now = value[:, :, -1]
    x = np.concatenate([now, *(now - value[:, :, -1 - hours] for hours in PAST)], axis=1)
    out = np.full(len(x), np.nan)
    for each in np.unique(year[train]):
        learn_from = train & (year != each) & np.isfinite(change)
        weights = ridge(x[learn_from], change[learn_from, None], RIDGE_PENALTY)
        here = year == each
        out[here] = (x[here] @ weights[:-1] + weights[-1])[:, 0]
    return out


def by_boosting(x: Floats, year: NDArray[np.int64], train: NDArray[np.bool_], change: Floats) -> Floats:
    """Change of one series by gradient boosting on absolute errors, each year by the others: (n,)."""
    import lightgbm  # noqa: PLC0415  an extra that nothing else needs

    settings = {"objective": "l1", "learning_rate": 0.05, "num_leaves": 15, "min_data_in_leaf": 60, "verbose": -1,
                "feature_fraction": 0.2, "bagging_fraction": 0.5, "bagging_freq": 1, "lambda_l2": 10.0, "max_bin": 63,
                "seed": 1, "num_threads": 2}  # fmt: skip
    out = np.full(len(x), np.nan)
    for each in np.unique(year[train]):
        learn_from = train & (year != each) & np.isfinite(change)
        found = lightgbm.train(settings, lightgbm.Dataset(x[learn_from], change[learn_from]), 250)
        out[year == each] = found.predict(x[year == each])
    return out


def compare(found: Study, trained: Trained, boosting: bool) -> dict[tuple[str, int], dict[str, Floats]]:
    """Errors of each model at each gauge and lead, (n,) each, NaN where the issue does not count."""
    model = trained.model
    taught = lessons(found, model.recipe.leads_h, max(PAST))
    value, now = taught.value.astype(np.float64), taught.value[:, :, -1].astype(np.float64)
    season = found.usable & np.isin(taught.year, (2020, 2021, 2022, 2023, 2025, 2026))
    wide = (
        features(value, taught.now, model.series, model.recipe)[:, : len(model.series) * 15 + 4] if boosting else None
    )
    out = {}
    for station in STATIONS:
        row, place = model.series.index((station, "water_level")), model.targets.index((station, "water_level"))
        for lead in LEADS:
            at = model.recipe.leads_h.index(lead)
            change = taught.truth[:, row, at] - now[:, row]
            guess = {
                "persistence": np.zeros(len(change)),
                "ridge": by_ridge(value, taught.year, found.usable, change),
                "twin": taught.routed[:, row, at] - now[:, row],
                "learned": trained.learned[:, place, at] - now[:, row],
                "combination": trained.out[:, place, at] - now[:, row],
            }
            if wide is not None:
                guess["boosting"] = by_boosting(wide, taught.year, found.usable, change)
            counts = season & np.isfinite(change)
            out[station, lead] = {name: np.where(counts, each - change, np.nan) for name, each in guess.items()}
    return out


def spread(found: Study, trained: Trained, station: str, lead: int) -> tuple[Floats, Floats, Floats]:
    """Members (n, m) of errors of other years, widened as the model does, the error that came, and persistence's."""
    model = trained.model
    place, at = model.targets.index((station, "water_level")), model.recipe.leads_h.index(lead)
    row, step = model.series.index((station, "water_level")), found.model.leads_h.index(lead)
    error = found.truth[:, row, step] - trained.out[:, place, at]
    flat = np.abs(found.truth[:, row, step] - found.now[:, row])
    year = found.ground.year[found.known.place]
    rows = trained.judged[np.isfinite(error[trained.judged])]
    members = np.empty((len(rows), MEMBERS))
    dice = np.random.Generator(np.random.PCG64(1))
    for number, each in enumerate(rows):
        other = rows[year[rows] != year[each]]
        pool = error[other[near(found.regime[other], found.regime[each], NEAR)]]
        picked = dice.choice(pool, MEMBERS, replace=False)
        members[number] = (picked - picked.mean()) * model.wide[place, at]
    return members, error[rows], flat[rows]


def reliability_rows(found: Study, trained: Trained) -> list[list[object]]:
    """By gauge and lead: coverage of the 80 % interval, CRPS, its skill against persistence, the rank histogram."""
    rows: list[list[object]] = [["station", "lead_h", "n", "coverage_80", "crps", "crpss", "ranks"]]
    for station in STATIONS:
        for lead in LEADS:
            members, error, flat = spread(found, trained, station, lead)
            low, high = np.quantile(members, [0.1, 0.9], axis=1)
            mean = float(crps(members, error).mean())
            place = ((members < error[:, None]).sum(axis=1) + 0.5) / (MEMBERS + 1)
            ranks = np.histogram(place, np.linspace(0, 1, 11))[0] / len(error)
            inside = float(((error >= low) & (error <= high)).mean())
            rows.append([station, lead, len(error), f"{inside:.3f}", f"{mean:.4f}", f"{1 - mean / flat.mean():.3f}",
                         " ".join(f"{each:.3f}" for each in ranks)])  # fmt: skip
    return rows


def rise_roc(found: Study, trained: Trained, lead: int) -> list[tuple[float, float]]:
    """False-alarm and hit rates of a rise of half a metre at any gauge, by the share of members that expect it."""
    chances, events = [], []
    for station in STATIONS:
        place, at = trained.model.targets.index((station, "water_level")), trained.model.recipe.leads_h.index(lead)
        row, step = trained.model.series.index((station, "water_level")), found.model.leads_h.index(lead)
        members, error, _ = spread(found, trained, station, lead)
        real = found.truth[:, row, step] - trained.out[:, place, at]
        rows = trained.judged[np.isfinite(real[trained.judged])]
        expected = trained.out[rows, place, at] - found.now[rows, row]
        chances.append((members + expected[:, None] > 0.5).mean(axis=1))
        events.append(expected + error > 0.5)
    chance, event = np.concatenate(chances), np.concatenate(events)
    limits = np.linspace(1.0, 0.0, 21)
    return [(float((chance[~event] >= each).mean()), float((chance[event] >= each).mean())) for each in limits]


def figure(rows: list[list[object]], roc: dict[int, list[tuple[float, float]]]) -> str:
    """Rank histograms of all gauges by lead, and the curves of `rise_roc`, as SVG."""
    parts = [
        '<svg xmlns="http://www.w3.org/2000/svg" width="900" height="230" font-family="sans-serif" font-size="11">'
    ]
    for number, lead in enumerate(LEADS):
        x = 10 + number * 130
        ranks = np.mean([[float(p) for p in str(row[6]).split()] for row in rows[1:] if row[1] == lead], axis=0)
        parts.append(f'<text x="{x}" y="20">ranks at {lead} h</text>')
        parts.append(f'<line x1="{x}" x2="{x + 110}" y1="140" y2="140" stroke="#999" stroke-dasharray="3"/>')
        for tenth, share in enumerate(ranks):
            high = 600.0 * share
            parts.append(
                f'<rect x="{x + tenth * 11}" y="{200 - high:.1f}" width="10" height="{high:.1f}" fill="#3a7ca5"/>'
            )
    parts.append('<text x="680" y="20">rise of 0.5 m: hits over false alarms</text>')
    parts.append('<rect x="680" y="30" width="170" height="170" fill="none" stroke="#999"/>')
    for colour, (lead, curve) in zip(("#081d58", "#3a7ca5", "#7fcdbb"), roc.items(), strict=True):
        points = " ".join(f"{680 + 170 * x:.1f},{200 - 170 * y:.1f}" for x, y in curve)
        parts.append(f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts.append(f'<text x="{780}" y="{150 + 14 * list(roc).index(lead)}" fill="{colour}">{lead} h</text>')
    return "\n".join([*parts, "</svg>", ""])


def rms(error: Floats) -> float:
    """Root mean square of what counts."""
    return float(np.sqrt(np.nanmean(error**2)))


def main() -> int:
    """Train and compare."""
    basin = read_basin(find_basin("yangtze"))
    ground, model = ground_of(basin, trusted(bundle_file(basin.archive), basin), begin(basin, None))
    found = study(basin, fit_network(basin, model, ground), ground, print)
    return conclude(found, learn(found, basin), "--boosting" in sys.argv)


def conclude(found: Study, trained: Trained, boosting: bool) -> int:
    """Compare, write, judge."""
    errors = compare(found, trained, boosting)
    year = found.ground.year[found.known.place]
    names = list(next(iter(errors.values())))
    rows: list[list[object]] = [["station", "lead_h", "n", *names, "combination / ridge"]]
    seasons: list[list[object]] = [["season", "station", "lead_h", "n", *names]]
    worse = []
    for (station, lead), each in errors.items():
        scores = {name: rms(error) for name, error in each.items()}
        ratio = scores["combination"] / scores["ridge"]
        count = int(np.isfinite(each["ridge"]).sum())
        rows.append([station, lead, count, *(f"{value:.3f}" for value in scores.values()), f"{ratio:.3f}"])
        worse += [f"{station} at {lead} h"] if ratio >= 1.0 else []
        for season in (2020, 2021, 2022, 2023, 2025, 2026):
            mine = {name: error[year == season] for name, error in each.items()}
            seasons.append([season, station, lead, int(np.isfinite(mine["ridge"]).sum()),
                            *(f"{rms(error):.3f}" for error in mine.values())])  # fmt: skip
    spreads = reliability_rows(found, trained)
    for name, table in (("skill", rows), ("seasons", seasons), ("reliability", spreads)):
        with (HERE / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            csv.writer(file, lineterminator="\n").writerows(table)
    roc = {lead: rise_roc(found, trained, lead) for lead in (24, 72, 168)}
    (HERE / "figure.svg").write_text(figure(spreads, roc), encoding="utf-8")
    for row in rows:
        print("| " + " | ".join(map(str, row)) + " |")
    print(f"median of combination / ridge: {np.median([float(str(row[-1])) for row in rows[1:]]):.3f}")
    print(f"coverage: {[row[3] for row in spreads[1:]]}")
    print(f"not better than the ridge: {', '.join(worse) or 'nowhere'}")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
