"""Rain members of a configuration, made ready for the twin of a basin."""

from __future__ import annotations

from pathlib import Path

from liuyu.app.config import Outlook
from liuyu.basin.errors import BadInput
from liuyu.outlook.forecast.stage import Layer
from liuyu.twin import RiverTwin


def open_rain(settings: Outlook, twin: RiverTwin) -> Layer | None:
    """What lays rain members on a twin's forecasts; None where the configuration names none.

    Raises BadInput where the basin has no calibrated land, BadPackage where that land has faults.
    """
    if not settings.rain:
        return None
    from liuyu.twin.ensemble import RainMembers, RainSettings, read_land  # noqa: PLC0415 - reads grids, slow to load

    land = read_land(twin.basin)
    if land is None:
        raise BadInput(
            f"basin {twin.basin.code!r} has no land.toml beside its model, so rain cannot run off; calibrate its "
            "sub-basins with `liuyu calibrate`, or leave `rain` out of [outlook]"
        )
    past = Path(settings.rain_past) if settings.rain_past else None
    return RainMembers(twin, land, RainSettings(Path(settings.rain), past, settings.rain_spread, settings.rain_name))
