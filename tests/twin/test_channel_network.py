"""Networks: rest, volumes, confluences, lakes, dams, restart, levees, files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from liuyu.basin.errors import BadInput, BadPackage, ModelFailed
from liuyu.twin.channel import (
    Boundary,
    ChannelModel,
    Lake,
    Lateral,
    Levee,
    Network,
    Reach,
    Section,
    Structure,
    read_network,
    refine,
    write_sections,
)  # fmt: skip
from liuyu.twin.flood import Flood, FloodModel
from liuyu.twin.flood.problem import Series


def vee(x: float, bed: float, half: float, manning: float = 0.03) -> Section:
    return Section(
        chainage=x,
        station=np.array([0.0, half, half + 5.0, 2 * half + 5.0, 3 * half]),
        level=np.array([bed + 10.0, bed, bed, bed + 6.0, bed + 12.0]),
        manning=np.array([0.06, manning, manning, 0.08, 0.08]),
    )


def reach(name: str, start: str, end: str, bed: float, slope: float, count: int = 21, length: float = 10e3) -> Reach:
    x = np.linspace(0.0, length, count)
    return Reach(name=name, start=start, end=end, sections=tuple(vee(a, bed - slope * a, 30.0) for a in x))


def flow(node: str, value: float) -> Boundary:
    return Boundary(node=node, kind="discharge", series=Series.constant(value))


def test_lake_at_rest_over_changing_sections_stays_at_rest() -> None:
    draw = np.random.default_rng(4)
    sections = tuple(vee(500.0 * k, float(draw.uniform(0, 8)), float(draw.uniform(10, 60))) for k in range(30))
    model = ChannelModel(
        Network(reaches=(Reach(name="r", start="a", end="b", sections=sections),)), step=900.0, level=6.0
    )
    begun = model.level.copy()
    model.advance(86_400.0)
    assert np.abs(model.level - begun).max() < 1e-12
    assert np.abs(model.speed).max() < 1e-12


@pytest.mark.parametrize("step", [300.0, 3600.0, 6 * 3600.0])
def test_flood_wave_keeps_its_volume(step: float) -> None:
    times = np.array([0.0, 1.0, 2.0, 4.0, 6.0]) * 86_400.0
    wave = Boundary(node="a", kind="discharge", series=Series(times=times, values=np.array([50.0, 50, 600, 50, 50])))
    ends = (wave, Boundary(node="b", kind="normal", slope=5e-4))
    model = ChannelModel(
        Network(reaches=(reach("r", "a", "b", 50.0, 5e-4, 51, 50e3),), boundaries=ends), step=step, depth=2.0
    )
    course = model.advance(10 * 86_400.0)
    assert abs(model.balance.relative_error) < 1e-13
    outlet = course.discharge[:, -1]
    assert 400.0 < outlet.max() < 600.0
    assert outlet.argmax() * step > 2 * 86_400.0
    assert outlet[-1] == pytest.approx(50.0, rel=0.01)


def test_confluence_adds_what_comes() -> None:
    network = Network(
        reaches=(
            reach("one", "a", "c", 25.0, 5e-4),
            reach("two", "b", "c", 25.0, 5e-4),
            reach("out", "c", "d", 20.0, 5e-4),
        ),
        boundaries=(flow("a", 80.0), flow("b", 40.0), Boundary(node="d", kind="normal", slope=5e-4)),
    )
    model = ChannelModel(network, step=1800.0, depth=2.0)
    model.advance(5 * 86_400.0, every=240)
    assert model.discharge[model.faces("out")] == pytest.approx(120.0, abs=1e-6)
    assert model.discharge[model.faces("two")] == pytest.approx(40.0, abs=1e-6)
    at = [model.level[model.cells(name)[k]] for name, k in (("one", -1), ("two", -1), ("out", 0))]
    assert at[0] == at[1] == at[2]


def test_two_arms_of_an_island_share_by_their_friction() -> None:
    arms = (reach("left", "b", "c", 20.0, 2e-4), reach("right", "b", "c", 20.0, 2e-4))
    network = Network(
        reaches=(reach("in", "a", "b", 22.0, 2e-4), *arms, reach("out", "c", "d", 18.0, 2e-4)),
        boundaries=(flow("a", 200.0), Boundary(node="d", kind="normal", slope=2e-4)),
    )
    model = ChannelModel(network, step=1800.0, depth=3.0)
    model.set_roughness("right", 2.0)
    model.advance(8 * 86_400.0, every=384)
    left, right = model.discharge[model.faces("left")].mean(), model.discharge[model.faces("right")].mean()
    assert left + right == pytest.approx(200.0, abs=1e-6)
    assert 1.4 < left / right < 2.1


def test_river_flows_back_into_a_lake() -> None:
    day = 86_400.0
    river = Series(times=np.array([0.0, 2.0, 4.0, 8.0, 10.0]) * day, values=np.array([12.0, 12.0, 15.0, 15.0, 11.0]))
    network = Network(
        reaches=(reach("mouth", "lake", "river", 6.0, 1e-5),),
        lakes=(Lake(node="lake", level=np.array([5.0, 20.0]), surface=np.array([2e7, 5e7])),),
        boundaries=(Boundary(node="river", kind="level", series=river),),
        laterals=(Lateral(name="stream", node="lake", series=Series.constant(60.0)),),
    )
    model = ChannelModel(network, step=3600.0, level=12.5)
    course = model.advance(14 * day)
    through = course.discharge[:, model.faces("mouth")[0]]
    assert through[20] > 0.0
    assert through[60:90].min() < -100.0
    assert through[-1] > 60.0
    assert abs(model.balance.relative_error) < 1e-13


def test_dam_releases_and_weir_spills() -> None:
    network = Network(
        reaches=(reach("above", "a", "dam", 30.0, 1e-4), reach("below", "foot", "b", 15.0, 5e-4)),
        structures=(
            Structure(name="turbine", kind="release", start="dam", end="foot", series=Series.constant(40.0)),
            Structure(name="crest", kind="weir", start="dam", end="foot", crest=36.0, width=50.0),
        ),
        boundaries=(flow("a", 100.0), Boundary(node="b", kind="normal", slope=5e-4)),
    )
    model = ChannelModel(network, step=1800.0, depth=3.0)
    model.advance(10 * 86_400.0, every=480)
    assert model.discharge[model.faces("turbine")] == pytest.approx(40.0)
    assert model.discharge[model.faces("crest")] == pytest.approx(60.0, abs=1e-4)
    head = model.level[model.built.nodes["dam"]] - 36.0
    assert 0.385 * 50.0 * np.sqrt(2 * 9.81) * head**1.5 == pytest.approx(60.0, rel=1e-3)


def test_dam_that_gives_more_than_there_is_ends_the_march() -> None:
    network = Network(
        reaches=(reach("above", "a", "dam", 30.0, 1e-4), reach("below", "foot", "b", 15.0, 5e-4)),
        structures=(
            Structure(name="turbine", kind="release", start="dam", end="foot", series=Series.constant(4000.0)),
        ),
        boundaries=(Boundary(node="b", kind="normal", slope=5e-4),),
    )
    with pytest.raises(ModelFailed, match=r"at \d+ s"):
        ChannelModel(network, step=3600.0, depth=3.0).advance(5 * 86_400.0)


def test_restart_goes_on_bit_for_bit(tmp_path: Path) -> None:
    def fresh() -> ChannelModel:
        ends = (flow("a", 150.0), Boundary(node="b", kind="normal", slope=5e-4))
        return ChannelModel(
            Network(reaches=(reach("r", "a", "b", 10.0, 5e-4),), boundaries=ends), step=600.0, depth=1.0
        )

    whole, first, second = fresh(), fresh(), fresh()
    whole.advance(20 * 600.0)
    first.advance(7 * 600.0)
    first.save(tmp_path / "state.npz")
    second.restore(tmp_path / "state.npz")
    second.advance(20 * 600.0)
    assert second.level.tobytes() == whole.level.tobytes()
    assert second.speed.tobytes() == whole.speed.tobytes()
    assert second.volume.tobytes() == whole.volume.tobytes()


def test_levee_hands_over_exactly_what_the_plain_receives() -> None:
    network = Network(reaches=(reach("r", "a", "b", 0.0, 1e-4),), boundaries=(flow("a", 200.0),))
    river = ChannelModel(network, step=60.0, depth=3.0)
    plain = FloodModel(Flood(terrain=np.full((8, 20), 2.0), cell=50.0, manning=0.03))
    pieces = np.arange(20)
    levee = Levee(
        reach="r", chainage=pieces * 500.0, row=np.zeros(20, int), column=pieces, crest=np.full(20, 3.5),
        length=np.full(20, 50.0),
    )  # fmt: skip
    before = river.volume.sum()
    for k in range(1, 121):
        levee.exchange(river, plain, 60.0)
        river.advance(60.0 * k)
        plain.advance(60.0 * k)
        if k == 60:
            levee.crest[5] = 2.2
    received = plain.balance.stored
    assert received > 1000.0
    assert received == pytest.approx(levee.given, rel=1e-12)
    assert river.volume.sum() - before == pytest.approx(200.0 * 7200.0 - levee.given, rel=1e-11)


def test_folder_gives_back_the_network(tmp_path: Path) -> None:
    lake = Lake(node="lake", level=np.array([5.0, 20.0]), surface=np.array([2e7, 5e7]))
    made = Network(reaches=(reach("r", "lake", "b", 10.0, 5e-4, 3),), lakes=(lake,))
    write_sections(tmp_path, made)
    (tmp_path / "boundaries.csv").write_text("node,kind,series,slope\nb,normal,,0.0005\n")
    (tmp_path / "laterals.csv").write_text("lateral,reach,chainage_m,node,series\nrain,r,5000,,rain\n")
    read = read_network(tmp_path, {"rain": Series.constant(5.0)})
    model = ChannelModel(read, step=600.0, depth=1.0)
    assert model.volume.sum() == pytest.approx(ChannelModel(made, step=600.0, depth=1.0).volume.sum(), rel=1e-6)
    model.advance(6000.0)


def test_folder_tells_every_fault(tmp_path: Path) -> None:
    (tmp_path / "reaches.csv").write_text("reach,start,end\nr,a,b\n")
    (tmp_path / "sections.csv").write_text("reach,chainage_m,station_m,level_m,manning,synthetic\nq,0,0,x,0.03,1\n")
    (tmp_path / "boundaries.csv").write_text("node,kind,series,slope\nb,tide,,\n")
    with pytest.raises(BadPackage) as found:
        read_network(tmp_path)
    assert {(each.file, each.field) for each in found.value.faults} == {
        ("sections.csv", "level_m"), ("reaches.csv", "reach"), ("boundaries.csv", "kind"),
    }  # fmt: skip


def test_network_with_faults_is_refused() -> None:
    bad = Network(
        reaches=(reach("r", "a", "b", 0.0, 1e-4),), boundaries=(Boundary(node="z", kind="level"),),
        structures=(Structure(name="gate", kind="gate", start="b", end="y"),),
    )  # fmt: skip
    with pytest.raises(BadInput, match="node 'z'") as found:
        ChannelModel(bad, step=60.0)
    assert "gate needs a series" in str(found.value)


def test_refined_reach_holds_the_same_water() -> None:
    coarse = reach("r", "a", "b", 10.0, 5e-4, 3)
    fine = refine(coarse, 250.0)
    assert len(fine.sections) == 41
    held = [ChannelModel(Network(reaches=(each,)), step=60.0, depth=4.0).volume.sum() for each in (coarse, fine)]
    assert held[1] == pytest.approx(held[0], rel=0.01)
