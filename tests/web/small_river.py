"""A small basin made of nouns, a store full of its values, and a server on a loopback port over both."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import numpy as np
import rasterio
import uvicorn
from looptwin import LoopTwin
from rasterio.transform import from_bounds

from liuyu.basin.clock import HOUR, epoch
from liuyu.basin.events import Alert, Event, Incident, Notice, NumberedFlood, Proposal, SourceNote, Task, announce
from liuyu.basin.places import Basin, Layer, Reservoir, Season, Station, Threshold
from liuyu.basin.quantities import quantity
from liuyu.basin.records import Forecast, Provenance
from liuyu.basin.series import Batch
from liuyu.store.sqlite import open_store
from liuyu.web.app import create_app
from liuyu.web.ports import ClockState

START = datetime(2021, 6, 1, tzinfo=UTC)
NOW = datetime(2021, 7, 1, tzinfo=UTC)
END = datetime(2021, 8, 1, tzinfo=UTC)
NORTH, SOUTH, WEST, EAST = 31.0, 30.0, 110.0, 112.0


def make_basin(folder: Path) -> Basin:
    """Five stations on one river: one reports every five minutes, one has no position, one never reported."""
    folder.mkdir(parents=True, exist_ok=True)
    _write_layers(folder)
    flow = ("water_level", "discharge")
    return Basin(
        code="test-river",
        name="试验河",
        name_en="Test River",
        time_zone="Asia/Shanghai",
        synthetic=True,
        folder=str(folder),
        attribution="made by the test",
        stations=(
            Station(
                code="S1", name="上站", name_en="Upper", position=(110.25, 30.5), quantities=flow, rank=1, kind="ZQ"
            ),
            Station(code="S2", name="中站", name_en="Middle", position=(110.75, 30.6), interval=300, river="试验河"),
            Station(code="S3", name="下站", name_en="Lower", quantities=flow, datum="local"),
            Station(code="R1", name="水库", name_en="Dam", position=(111.5, 30.4), kind="RR", rank=1),
            Station(code="S9", name="哑站", name_en="Mute", position=(111.9, 30.1)),
        ),
        thresholds=(
            Threshold(station="S1", quantity="water_level", kind="warning", value=21.0),
            Threshold(station="S1", quantity="water_level", kind="drought_warning", value=19.0, side="below"),
            Threshold(
                station="S1",
                quantity="water_level",
                kind="flood_limit",
                value=22.0,
                season=Season(start=(9, 1), end=(10, 1)),
            ),
        ),
        reservoirs=(Reservoir(code="res", name="库", name_en="Pool", station="R1", curve=((0.0, 0.0), (10.0, 1e8))),),
        layers=(
            Layer(kind="rivers", path="rivers.geojson", source="made", licence="CC0"),
            Layer(kind="dams", path="dams.csv", source="made", licence="CC0"),
            Layer(kind="terrain", path="terrain.tif", source="made", licence="CC0"),
            Layer(kind="lakes", path="absent.geojson", source="nobody", licence="none"),
        ),
    )


def make_values(basin: Basin) -> Batch:
    """Thirty days before NOW: waves with flags, a missing value and a bad newest one, the same at every run."""
    numbers = np.random.default_rng(7)
    parts = []
    for place, station in enumerate(basin.stations):
        if station.code == "S9":
            continue
        time = np.arange(epoch(START), epoch(NOW) + 1, station.interval, dtype=np.int64)
        wave = np.sin((time - time[0]) / (5 * 24 * HOUR) * 2 * np.pi + place)
        for name in station.quantities:
            kind = quantity(name)
            level, swing = (20.0, 2.0) if name == "water_level" else (5000.0, 3000.0)
            value = np.round(level + swing * wave + numbers.normal(0, 0.01, len(time)), kind.decimals)
            flag = np.ones(len(time), np.uint8)
            flag[::211] = 3
            if station.code == "S3":
                value[5], flag[5] = np.nan, 9
                flag[-1] = 4
            places, kinds = np.full(len(time), place, np.int32), np.full(len(time), kind.number, np.int16)
            parts.append(Batch(basin.roster, places, kinds, time, value, flag, "test"))
    return Batch.join(parts).ordered()


def make_forecast(issued: datetime) -> Forecast:
    """Forty members that rise by 2 m in two days, evenly spread by 1 m at the end."""
    hours = np.arange(1, 49)
    members = 20.0 + hours[None, :] / 24 + np.linspace(-0.5, 0.5, 41)[:, None] * hours[None, :] / 48
    return Forecast(
        station="S1",
        quantity="water_level",
        issued=issued,
        model="ridge",
        time=epoch(issued) + hours * HOUR,
        members=members,
        drivers={"upstream": "S9"},
        provenance=Provenance(code="liuyu", version="0", inputs_until=issued),
    )


def make_events() -> list[Event]:
    """An alert that came and went, one that stands, a notice, a flood, an incident, a task, a proposal, a silence."""
    at = [NOW - timedelta(hours=hours) for hours in range(48, 0, -1)]
    both = {"zh": "水位超警戒", "en": "Level above warning"}
    first = Alert(
        id="alert:above:S1:1", rule="above", subject="S1", quantity="water_level", severity="yellow", title=both,
        since=at[0], value=21.4, threshold="warning", threshold_value=21.0, margin=0.4, unit="m",
    )  # fmt: skip
    second = Alert(
        id="alert:above:S2:1", rule="above", subject="S2", quantity="water_level", severity="red", title=both,
        since=at[10], value=25.0, unit="m",
    )  # fmt: skip
    notice = Notice(
        id="notice:S1:warning", station="S1", quantity="water_level", threshold="warning", threshold_value=21.0,
        severity="blue", issued=at[20], chance=0.7, crossing=NOW, crossing_from=None, crossing_to=None, peak=21.9,
        peak_time=NOW + timedelta(hours=40), title=both, model="ridge",
    )  # fmt: skip
    flood = NumberedFlood(
        id="flood:2021:1", name="试验河2021年第1号洪水", name_en="Test River flood No. 1 of 2021", year=2021, number=1,
        section="upper", station="S1", quantity="discharge", value=50100.0, threshold_value=50000.0, time=at[5],
    )  # fmt: skip
    incident = Incident(
        id="incident:1", title=both, level="yellow", opened=at[6], stations=("S1",), alerts=("alert:above:S1:1",)
    )
    task = Task(id="task:1:patrol", incident="incident:1", title=both, owner="duty", due=NOW)
    plan = Proposal(
        id="proposal:1", issued=at[21], reservoir="res", title=both, releases={"res": (100.0, 120.0)}, compared=(),
        reason=both,
    )  # fmt: skip
    silent = SourceNote(id="source:S9", station="S9", last=START, title=both)
    return [
        announce(first, state="raised", time=at[0], subject="S1"),
        announce(flood, state="numbered", time=at[5], subject="S1"),
        announce(incident, state="opened", time=at[6], subject="test-river"),
        announce(task, state="assigned", time=at[6], subject="incident:1"),
        announce(second, state="raised", time=at[10], subject="S2"),
        announce(notice, state="issued", time=at[20], subject="S1"),
        announce(plan, state="proposed", time=at[21], subject="res"),
        announce(silent, state="silent", time=at[22], subject="S9"),
        announce(first, state="cleared", time=at[30], subject="S1"),
    ]


def make_twin(folder: Path, *, values: bool = True) -> LoopTwin:
    """A twin whose store holds all of it, or all but the values."""
    basin = make_basin(folder / "package")
    store = open_store(folder / "store")
    if values:
        store.write(make_values(basin), received=epoch(NOW))
    store.put_forecasts([make_forecast(NOW - timedelta(hours=hours)) for hours in (12, 6)])
    store.append(make_events())
    return LoopTwin(basin, store, ClockState(now=NOW, start=START, end=END, speed=3600.0, phase="paused"))


@contextmanager
def serving(twin: LoopTwin, static: Path | None = None, cache: Path | None = None) -> Iterator[str]:
    """A server over a twin on a free loopback port; gives its address."""
    app = create_app(twin, static=static, cache=cache)
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error", timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        assert thread.is_alive(), "the server did not start"
        threading.Event().wait(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(5)


def sign_in(client: httpx.Client, name: str = "duty_officer") -> None:
    """Begin a session as one of the twin's users."""
    assert client.post("/api/session", json={"name": name, "password": name}).status_code == 200


def _write_layers(folder: Path) -> None:
    line = [[110 + x / 3000, 30.5 + 0.0001 * (x % 3)] for x in range(6001)]  # large enough to be worth thinning
    river = {
        "type": "Feature",
        "properties": {"name": "试验河"},
        "geometry": {"type": "LineString", "coordinates": line},
    }
    collection = {"type": "FeatureCollection", "features": [river]}
    (folder / "rivers.geojson").write_text(json.dumps(collection), encoding="utf-8")
    dams = "Baihetan Dam,13050,28.26,103.65\nGuadian Dam,2400,27.82,101.9\nGuandi,2400,27.82,101.88\n"
    (folder / "dams.csv").write_text("Name,capacity_mw,lat,lon\n" + dams, encoding="utf-8")
    longitude = WEST + (np.arange(400) + 0.5) / 200
    latitude = NORTH - (np.arange(200) + 0.5) / 200
    height = (100 * (longitude[None, :] - WEST) + 1000 * (latitude[:, None] - SOUTH)).astype(np.float32)
    height[:20, :20] = -999
    shape = from_bounds(WEST, SOUTH, EAST, NORTH, 400, 200)
    with rasterio.open(
        folder / "terrain.tif", "w", driver="GTiff", width=400, height=200, count=1, dtype="float32",
        crs="EPSG:4326", transform=shape, nodata=-999,
    ) as target:  # fmt: skip
        target.write(height, 1)
