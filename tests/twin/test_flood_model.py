"""Floods as they are run: rest, balance of volumes, threads, boundaries, sources, structures, breaches, failures."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pytest

from liuyu.basin.errors import BadInput, ModelFailed
from liuyu.twin.flood import Breach, Flood, FloodModel, Inflow, Rain, Scheme, Series, Side, Structure, simulate

SCHEMES: list[tuple[Literal["hllc", "inertial"], Literal[1, 2]]] = [("hllc", 1), ("hllc", 2), ("inertial", 1)]
every_scheme = pytest.mark.parametrize(("name", "order"), SCHEMES)


def hills(rows: int = 40, columns: int = 70) -> np.ndarray:
    """A rough bed between 0.7 and 1.5 m with pits, islands and one cell that is no terrain."""
    draw = np.random.default_rng(7)
    x, y = np.meshgrid(np.arange(columns), np.arange(rows))
    bed = 1.0 + 0.3 * np.sin(x / 5.0) * np.cos(y / 4.0) + draw.uniform(0.0, 0.2, (rows, columns))
    bed[11, 33] = np.nan
    return bed


@every_scheme
@pytest.mark.parametrize(("precision", "rest"), [("double", 1e-12), ("single", 5e-4)])
def test_a_lake_that_is_partly_dry_stays_at_rest(name: Any, order: Any, precision: Any, rest: float) -> None:
    bed = hills()
    for manning in (0.0, 0.03):
        model = FloodModel(
            Flood(
                terrain=bed,
                cell=1.0,
                manning=manning,
                depth=np.maximum(1.1 - np.nan_to_num(bed, nan=9.0), 0.0),
                scheme=Scheme(name=name, order=order, precision=precision),
            )
        )
        model.advance(60.0)
        u, v = model.velocity
        assert np.nanmax(np.hypot(u, v)) < rest
        assert np.nanmax(abs(model.level - 1.1)) < rest
        assert model.steps > 50


@every_scheme
def test_every_drop_is_accounted_for(name: Any, order: Any) -> None:
    bed = hills() + 0.05 * np.arange(70)[::-1]
    result = simulate(
        bed,
        2.0,
        240.0,
        manning=np.where(np.arange(70) < 30, 0.02, 0.05) * np.ones((40, 1)),
        depth=0.05,
        west=Side(kind="discharge", series=Series(times=np.array([0.0, 60.0]), values=np.array([0.0, 9.0]))),
        east=Side(kind="open"),
        north=Side(kind="stage", series=Series(times=np.array([0.0, 200.0]), values=np.array([1.0, 3.0]))),
        inflows=(
            Inflow(cells=np.array([[20, 30], [21, 30]]), series=Series.constant(1.5)),
            Inflow(cells=np.array([[5, 60]]), series=Series.constant(-0.2)),
        ),
        rain=Rain(series=Series.constant(2e-5), infiltration=5e-6),
        structures=(Structure(kind="culvert", start=(10, 10), end=(10, 40), crest=1.0, width=1.0),),
        scheme=Scheme(name=name, order=order),
    )
    summary = result.summary
    assert abs(summary.mass_error) < 1e-13
    assert summary.volume_in_m3 > 1000.0
    assert summary.volume_out_m3 > 100.0
    assert summary.infiltration_m3 > 0.0
    wet_cells = np.isfinite(bed).sum()
    assert summary.rain_m3 == pytest.approx(2e-5 * 240.0 * wet_cells * 4.0)


@every_scheme
def test_threads_do_not_change_a_bit(name: Any, order: Any) -> None:
    x = np.arange(200.0)
    bed = np.tile(-0.01 * x, (150, 1)) + 0.2 * np.sin(np.arange(150.0) / 9.0)[:, None]
    depth = np.where(x < 40.0, 2.0, 0.0) * np.ones((150, 1))

    def run(threads: int) -> Any:
        scheme = Scheme(name=name, order=order, threads=threads, precision="single")
        return simulate(bed, 5.0, 40.0, depth=depth, scheme=scheme).frames[-1]

    one, two = run(1), run(2)
    assert one.depth.tobytes() == two.depth.tobytes()
    assert one.discharge_x.tobytes() == two.discharge_x.tobytes()


@every_scheme
def test_dry_tiles_cost_nothing_and_change_nothing(name: Any, order: Any) -> None:
    x = np.arange(320.0)
    depth = np.where(x < 20.0, 1.0, 0.0) * np.ones((40, 1))
    bed = np.zeros((40, 320))
    scheme = Scheme(name=name, order=order)
    skipped = FloodModel(Flood(terrain=bed, cell=1.0, depth=depth, scheme=scheme))
    drizzle = Rain(series=Series.constant(0.0))  # rain that never falls has every tile marched
    whole = FloodModel(Flood(terrain=bed, cell=1.0, depth=depth, rain=drizzle, scheme=scheme))
    skipped.advance(25.0)
    whole.advance(25.0)
    assert skipped.depth.tobytes() == whole.depth.tobytes()
    assert skipped.cell_updates < 0.6 * whole.cell_updates


def test_a_film_left_in_a_skipped_tile_keeps_its_volume() -> None:
    bed = np.tile(-0.02 * np.arange(300.0), (8, 1))
    pulse = np.where(np.arange(300) < 10, 0.3, 0.0) * np.ones((8, 1))
    model = FloodModel(Flood(terrain=bed, cell=1.0, manning=0.0, depth=pulse, east=Side(kind="open")))
    model.advance(400.0)
    assert abs(model.balance.relative_error) < 1e-13
    assert model.balance.outflow > 0.5 * model.balance.start


@every_scheme
@pytest.mark.parametrize("turns", [1, 2, 3])
def test_a_turned_flood_is_the_same_flood(name: Any, order: Any, turns: int) -> None:
    draw = np.random.default_rng(3)
    bed = draw.uniform(0.0, 0.4, (24, 24))
    depth = np.where(np.arange(24) < 9, 1.0, 0.1) * np.ones((24, 1))
    scheme = Scheme(name=name, order=order)
    first = simulate(bed, 2.0, 8.0, depth=depth, scheme=scheme).frames[-1].depth
    other = simulate(np.rot90(bed, turns), 2.0, 8.0, depth=np.rot90(depth, turns), scheme=scheme).frames[-1].depth
    assert np.allclose(np.rot90(first, turns), other, atol=1e-9)


def test_uniform_flow_runs_at_the_depth_of_manning() -> None:
    slope, manning, q = 0.002, 0.03, 1.5
    normal = (manning * q / np.sqrt(slope)) ** 0.6
    bed = np.tile(-slope * 10.0 * np.arange(120.0), (4, 1))
    for name, order in SCHEMES:
        end = Series.constant(bed[0, -1] + normal)
        run = simulate(
            bed,
            10.0,
            3000.0,
            manning=manning,
            depth=normal,
            west=Side(kind="discharge", series=Series.constant(q * 40.0)),
            east=Side(kind="stage", series=end),
            scheme=Scheme(name=name, order=order),
        )
        assert run.frames[-1].depth[1, 30:90] == pytest.approx(normal, rel=0.01)
        within = 0.015 if (name, order) == ("hllc", 1) else 0.003  # first order: cells hold less than faces pass
        assert run.frames[-1].discharge_x[1, 30:90] == pytest.approx(q, rel=within)


def test_rain_fills_a_closed_basin_and_soaks_away_again() -> None:
    rain = Rain(
        series=Series(times=np.array([0.0, 600.0, 600.1]), values=np.array([1e-4, 1e-4, 0.0])), infiltration=2e-5
    )
    run = simulate(np.zeros((8, 8)), 10.0, 900.0, rain=rain)
    assert run.frames[-1].depth == pytest.approx(600.05 * 1e-4 - 900.0 * 2e-5, rel=1e-6)


@pytest.mark.parametrize("order", [1, 2])
def test_cliffs_neither_feed_nor_blow_up(order: Any) -> None:
    bed = np.random.default_rng(0).uniform(0.0, 50.0, (30, 30))
    inflow = Inflow(cells=np.array([[15, 15]]), series=Series.constant(20.0))
    run = simulate(
        bed, 2.0, 30.0, manning=0.0, inflows=(inflow,), east=Side(kind="open"), scheme=Scheme(order=order)
    )  # fmt: skip
    assert run.summary.maximum_speed_m_s < 4.0 * np.sqrt(2.0 * 9.81 * 50.0)
    assert run.summary.volume_in_m3 == pytest.approx(600.0)
    assert abs(run.summary.mass_error) < 1e-12


def test_an_open_side_lets_a_wave_go() -> None:
    x = np.arange(200.0) - 100.0
    depth = np.tile(2.0 + 0.2 * np.exp(-((x / 8.0) ** 2)), (3, 1))
    sides = {"west": Side(kind="open"), "east": Side(kind="open")}
    run = simulate(np.zeros((3, 200)), 1.0, 60.0, depth=depth, manning=0.0, scheme=Scheme(order=2), **sides)
    assert run.frames[-1].depth == pytest.approx(2.0, abs=0.004)


def test_a_breach_grows_and_gives_exactly_what_the_plain_receives() -> None:
    bed = np.zeros((21, 60))
    bed[:, 20] = 3.0
    depth = np.where(np.arange(60) < 20, 2.0, 0.0) * np.ones((21, 1))
    cells = np.array([[row, 20] for row in range(8, 13)])
    breach = Breach(cells=cells, distances=np.abs(cells[:, 0] - 10) / 2.5, bottom=0.5, start_s=10.0, duration_s=20.0)
    model = FloodModel(Flood(terrain=bed, cell=5.0, depth=depth, breaches=(breach,)))
    model.advance(10.0)
    assert np.nanmax(model.depth[:, 21:]) == 0.0
    model.advance(20.0)
    assert model.bed[10, 20] == pytest.approx(0.5)
    assert model.bed[8, 20] > 1.0
    model.advance(60.0)
    assert model.bed[8:13, 20] == pytest.approx(0.5)
    assert model.depth[:, 21:].sum() * 25.0 > 100.0
    assert abs(model.balance.relative_error) < 1e-13


def test_a_breach_waits_for_its_level() -> None:
    bed = np.zeros((5, 30))
    bed[:, 10] = 4.0
    cells = np.array([[row, 10] for row in range(5)])
    breach = Breach(cells=cells, distances=np.zeros(5), bottom=0.0, level=1.5)
    inflow = Inflow(cells=np.array([[2, 2]]), series=Series.constant(10.0))
    model = FloodModel(Flood(terrain=bed, cell=2.0, inflows=(inflow,), breaches=(breach,)))
    model.advance(20.0)
    assert model.bed[2, 10] == 4.0
    model.advance(60.0)
    assert model.bed[2, 10] == 0.0


def test_a_basin_opens_when_the_river_is_high_enough() -> None:
    bed = np.zeros((6, 40))
    bed[:, 20] = 5.0
    gate = Structure(
        kind="gate", start=(3, 18), end=(3, 22), crest=0.0, width=4.0, height=1.0, opens_level=1.0, opens_over_s=5.0
    )
    inflow = Inflow(cells=np.array([[3, 3]]), series=Series.constant(20.0))
    model = FloodModel(Flood(terrain=bed, cell=4.0, inflows=(inflow,), structures=(gate,)))
    model.advance(30.0)
    assert model.depth[:, 21:].max() == 0.0
    model.advance(300.0)
    assert model.depth[:, 21:].mean() > 0.5
    assert abs(model.balance.relative_error) < 1e-13


def test_water_can_be_put_and_taken_by_hand() -> None:
    model = FloodModel(Flood(terrain=np.zeros((70, 70)), cell=2.0, depth=0.0))
    assert model.put(60, 60, 100.0) == pytest.approx(100.0)
    model.advance(10.0)
    assert model.put(60, 60, -1e9) < 0.0
    assert model.depth[60, 60] == 0.0
    model.advance(12.0)
    assert abs(model.balance.relative_error) < 1e-13
    assert model.depth[60, 60] > 0.0


def test_greatest_values_and_arrival() -> None:
    depth = np.where(np.arange(100) < 30, 1.0, 0.0) * np.ones((4, 1))
    run = simulate(np.zeros((4, 100)), 1.0, 20.0, output=1.0, depth=depth, manning=0.02)
    assert [frame.time for frame in run.frames] == pytest.approx(np.arange(21.0))
    assert (run.maximum.depth >= run.frames[-1].depth).all()
    arrival = run.maximum.arrival[1]
    assert arrival[10] == 0.0
    assert (np.diff(arrival[30:60]) >= 0.0).all()
    assert run.maximum.hazard.max() == pytest.approx(np.sqrt(9.81) * 8.0 / 27.0, rel=0.1)


def test_what_is_no_number_ends_the_run_with_cell_and_time() -> None:
    model = FloodModel(Flood(terrain=np.zeros((20, 20)), cell=1.0, depth=1.0))
    model.advance(1.0)
    model.fields.qx[int(model.notes.counts[0]), 7, 9] = np.nan
    with pytest.raises(ModelFailed, match=r"unstable at .* s in row \d+ from the south, column \d+"):
        model.advance(5.0)


def test_a_flood_that_cannot_begin_says_all_that_is_wrong() -> None:
    with pytest.raises(BadInput) as caught:
        FloodModel(
            Flood(
                terrain=np.zeros((4, 4)),
                cell=1.0,
                manning=-0.1,
                depth=np.zeros((3, 4)),
                west=Side(kind="stage"),
                inflows=(Inflow(cells=np.array([[9, 9]]), series=Series.constant(1.0)),),
            )
        )
    for word in ("manning", "depth has shape (3, 4)", "west", "outside the terrain"):
        assert word in str(caught.value)
