"""Pollers of public services, over the standard library.

To add a service, write one file with its addresses and the form of its answers, and add one line to SERVICES.
"""

from __future__ import annotations

from collections.abc import Mapping

from liuyu.basin.errors import NotFound
from liuyu.monitor.sense.pollers.cjh import Cjh
from liuyu.monitor.sense.pollers.environment_agency import EnvironmentAgency
from liuyu.monitor.sense.pollers.open_meteo import OpenMeteo
from liuyu.monitor.sense.pollers.poller import Polled, Poller
from liuyu.monitor.sense.pollers.service import Service, Unanswered
from liuyu.monitor.sense.pollers.usgs import Usgs

__all__ = ["SERVICES", "Polled", "Poller", "Service", "Unanswered", "service"]

SERVICES: Mapping[str, type[Service]] = {
    "cjh": Cjh,
    "usgs": Usgs,
    "environment_agency": EnvironmentAgency,
    "open_meteo": OpenMeteo,
}


def service(name: str) -> Service:
    """A service by its name. Raises NotFound.

    >>> service("usgs").name
    'usgs'
    """
    found = SERVICES.get(name)
    if found is None:
        raise NotFound(f"no service {name!r}; there are: {', '.join(SERVICES)}")
    return found()
