"""River networks without circles, of channels, lakes and reservoirs: many members at once, on two cores."""

from liuyu.twin.network.network import (
    Coupled,
    Pool,
    RiverNetwork,
    channel_laws,
    geometry_laws,
    muskingum_laws,
    pieces,
)
from liuyu.twin.network.route import RiverState, Router

__all__ = [
    "Coupled",
    "Pool",
    "RiverNetwork",
    "RiverState",
    "Router",
    "channel_laws",
    "geometry_laws",
    "muskingum_laws",
    "pieces",
]
