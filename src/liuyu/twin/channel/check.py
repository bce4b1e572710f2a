"""Every fault of a network's folder at once: its files, its series, its gauges, and whether it could be marched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from liuyu.basin.errors import BadInput, BadPackage, Fault
from liuyu.twin.channel.drivers import Drivers, read_drivers
from liuyu.twin.channel.files import read_network, series_names
from liuyu.twin.channel.gauges import GaugePlace, read_gauges
from liuyu.twin.channel.network import Network, check_network
from liuyu.twin.channel.scour import read_scour
from liuyu.twin.channel.start import read_start
from liuyu.twin.flood.problem import Series

T = TypeVar("T")


def check_folder(path: Path) -> tuple[tuple[Fault, ...], dict[str, int]]:
    """The faults, and how much of what the folder holds. Raises nothing."""
    faults: list[Fault] = []
    if not path.is_dir():
        cure = "give the folder that holds reaches.csv"
        return (Fault(file=str(path), problem="is no folder", cure=cure),), {}
    names = _try(lambda: series_names(path), faults) or ((), ())
    spare = {name: Series.constant(0.0) for name in (*names[0], *names[1])}
    network = _try(lambda: read_network(path, spare), faults)
    gauges = _try(lambda: read_gauges(path), faults) or ()
    profile = _try(lambda: read_start(path), faults) or {}
    scour = _try(lambda: read_scour(path), faults) or {}
    drivers = _try(lambda: read_drivers(path), faults)
    if network is not None:
        _marches(network, faults)
        _along(network, gauges, faults)
        reaches = {each.name for each in network.reaches}
        faults += [_no_reach("start.csv", each, reaches) for each in profile if each not in reaches]
        faults += [_no_reach("scour.csv", each, reaches) for each in scour if each not in reaches]
    if drivers is not None:
        _driven(drivers, names, network, faults)
    elif spare:
        cure = "write drivers.toml, or name .csv files of seconds and values"
        faults += [
            Fault(file="boundaries.csv", field="series", value=name, problem="has no driver", cure=cure)
            for name in spare
        ]
    return tuple(dict.fromkeys(faults)), _counts(network, gauges)


def _try(read: Callable[[], T], faults: list[Fault]) -> T | None:
    try:
        return read()
    except BadPackage as error:
        faults += error.faults
    return None


def _marches(network: Network, faults: list[Fault]) -> None:
    try:
        check_network(network)
    except BadInput as error:
        for line in str(error).splitlines()[1:]:
            faults.append(Fault(file="the network", problem=line, cure="mend it in the file that says so"))


def _along(network: Network, gauges: tuple[GaugePlace, ...], faults: list[Fault]) -> None:
    reaches = {each.name: each for each in network.reaches}
    for each in gauges:
        reach = reaches.get(each.reach)
        if reach is None:
            faults.append(_no_reach("gauges.csv", each.reach, set(reaches)))
        elif reach.sections and not reach.sections[0].chainage <= each.chainage <= reach.sections[-1].chainage:
            span = f"{reach.sections[0].chainage:g} to {reach.sections[-1].chainage:g} m"
            faults.append(
                Fault(
                    file="gauges.csv", field="chainage_m", value=f"{each.chainage:g}",
                    problem=f"lies off reach {each.reach}", cure=f"it runs from {span}",
                )
            )  # fmt: skip


def _no_reach(file: str, name: str, known: set[str]) -> Fault:
    return Fault(
        file=file, field="reach", value=name, problem="is no reach", cure=f"known: {', '.join(sorted(known)) or 'none'}"
    )


def _driven(
    drivers: Drivers, names: tuple[tuple[str, ...], tuple[str, ...]], network: Network | None, faults: list[Fault]
) -> None:
    made = [each.name for each in drivers.series]
    for name in (*names[0], *names[1]):
        if name not in made:
            faults.append(
                Fault(
                    file="drivers.toml", field="name", value=name, problem="is not made here", cure="add its [[series]]"
                )
            )
    holds = set() if network is None else {*(r.name for r in network.reaches), *(k.node for k in network.lakes)}
    for one in drivers.series:
        for each in one.terms:
            if network is not None and each.stored_in and each.stored_in not in holds:
                faults.append(
                    Fault(
                        file="drivers.toml", field="stored_in", value=each.stored_in,
                        problem="is neither a lake nor a reach", cure=f"known: {', '.join(sorted(holds))}",
                    )
                )  # fmt: skip


def _counts(network: Network | None, gauges: tuple[GaugePlace, ...]) -> dict[str, int]:
    if network is None:
        return {}
    return {
        "reaches": len(network.reaches), "sections": sum(len(each.sections) for each in network.reaches),
        "lakes": len(network.lakes), "structures": len(network.structures), "boundaries": len(network.boundaries),
        "laterals": len(network.laterals), "gauges": len(gauges),
    }  # fmt: skip
