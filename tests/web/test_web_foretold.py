"""What the forecast page needs over HTTP: chance by lead, crossing, peak, persistence, other models, the tally."""

from __future__ import annotations

from datetime import timedelta

import httpx
import msgspec
import pytest
from looptwin import LoopTwin
from small_river import NOW, make_forecast

from liuyu.basin.clock import HOUR, epoch


def test_a_forecast_says_by_when_how_likely_and_how_high(client: httpx.Client, twin: LoopTwin) -> None:
    found = client.get("/api/forecast/S1/water_level").json()
    warning = next(each for each in found["chances"] if each["threshold"] == "warning")
    assert list(warning["leads"]) == ["6", "12", "24", "36", "48"]
    for lead, chance in warning["leads"].items():
        assert chance == warning["chance"][int(lead) - 1]
    crossing = warning["crossing"]
    assert crossing["start"] < crossing["median"] < crossing["end"]
    assert crossing["median"] == "2021-07-01T18:00:00Z"  # 20 m + 1 m a day meets 21 m after 24 h
    peak = found["peak"]
    assert (peak["low"], peak["median"], peak["high"]) == pytest.approx((21.6, 22.0, 22.4))
    assert peak["open"] == 1.0
    usable = twin.store.series("S1", "water_level", 0, epoch(NOW) - 6 * HOUR + 1).usable()
    assert found["at_issue"]["value"] == usable.value[-1]
    assert found["others"] == []


def test_other_models_of_the_same_issue_are_told(officer: httpx.Client, own_twin: LoopTwin) -> None:
    issued = NOW - timedelta(hours=6)
    other = make_forecast(issued)
    own_twin.store.put_forecasts([msgspec.structs.replace(other, model="flat", members=other.members * 0 + 20.5)])
    found = officer.get("/api/forecast/S1/water_level", params={"model": "ridge"}).json()
    assert [(each["model"], set(each["median"])) for each in found["others"]] == [("flat", {20.5})]
    assert found["at_issue"] is None


def test_the_tally_of_notices(client: httpx.Client) -> None:
    assert client.get("/api/notices/tally").json() == []
    assert client.get("/api/notices/tally", params={"station": "S77"}).status_code == 404
