"""How water runs through a package: no circles, no reach to itself, nothing uphill, no wave faster than one can be."""

from __future__ import annotations

from liuyu.basin.package.reading import Faults
from liuyu.basin.package.references import Tables
from liuyu.basin.package.tables import Row

FASTEST = 150.0  # km/h; a long wave in 175 m of water, the depth of a deep reservoir, runs at sqrt(g h)


def check_network(tables: Tables, faults: Faults) -> None:
    """Note every fault of the reaches as a network."""
    reaches = [row for row in tables.get("reaches.csv", []) if row["upper"] and row["lower"]]
    joined: dict[tuple[str, str], Row] = {}
    for row in reaches:
        ends = (row["upper"], row["lower"])
        if ends[0] == ends[1]:
            _fault(faults, row, "lower", "is the upper end too", "name the next node downstream")
        elif ends in joined:
            where = f"line {joined[ends].line}"
            _fault(faults, row, "code", f"joins the same two nodes as {where}", "remove one of them")
        joined.setdefault(ends, row)
        _check_speed(row, faults)
    _check_chainage(tables, reaches, faults)
    _check_circles([row for row in reaches if row["upper"] != row["lower"]], faults)
    _check_downstream(tables, reaches, faults)


def _fault(faults: Faults, row: Row, column: str, problem: str, cure: str) -> None:
    faults.add(row.file, problem, cure, line=row.line, field=column, value=row.text.get(column, ""))


def _check_speed(row: Row, faults: Faults) -> None:
    length, hours = row["length_km"], row["travel_hours"]
    if length and hours and length / hours > FASTEST:
        problem = f"makes the wave run at {length / hours:.0f} km/h over {length:g} km"
        _fault(faults, row, "travel_hours", problem, "give the travel time in hours and the length in km")


def _check_chainage(tables: Tables, reaches: list[Row], faults: Faults) -> None:
    stations = {row["code"]: row for row in tables.get("stations.csv", ()) if row["code"]}
    for row in reaches:
        upper, lower = stations.get(row["upper"]), stations.get(row["lower"])
        if upper is None or lower is None or upper is lower or not upper["river"] or upper["river"] != lower["river"]:
            continue
        above, below = upper["chainage_km"], lower["chainage_km"]
        if above is not None and below is not None and above >= below:
            problem = f"runs from km {above:g} to km {below:g} of {upper['river']}, which is upstream"
            _fault(faults, row, "lower", problem, "swap the ends, or correct chainage_km in stations.csv")


def _check_circles(reaches: list[Row], faults: Faults) -> None:
    """One fault for each knot of reaches that leads back to where it starts."""
    left = _untangled(_untangled(reaches, "upper", "lower"), "lower", "upper")
    after: dict[str, list[Row]] = {}
    for row in left:
        after.setdefault(row["upper"], []).append(row)
    told: set[str] = set()
    for row in left:
        circle = _circle(row, after) if row["upper"] not in told else []
        if circle and told.isdisjoint(circle):
            told.update(circle)
            problem = f"closes a circle: {' → '.join([*circle, circle[0]])}"
            _fault(faults, row, "code", problem, "water cannot come back; turn or remove one of these reaches")


def _untangled(reaches: list[Row], above: str, below: str) -> list[Row]:
    """The reaches without those that a walk from the ends of the network, from above to below, can clear away."""
    waits: dict[str, int] = {}
    leaving: dict[str, list[Row]] = {}
    for row in reaches:
        waits[row[below]] = waits.get(row[below], 0) + 1
        leaving.setdefault(row[above], []).append(row)
    free = [node for node in leaving if node not in waits]
    cleared = set()
    while free:
        node = free.pop()
        cleared.add(node)
        for row in leaving.get(node, ()):
            waits[row[below]] -= 1
            if not waits[row[below]]:
                free.append(row[below])
    return [row for row in reaches if row[above] not in cleared]


def _circle(start: Row, after: dict[str, list[Row]]) -> list[str]:
    """The nodes of a way from a reach's upper end back to it, or nothing."""
    goal = start["upper"]
    came: dict[str, str] = {start["lower"]: goal}
    waiting = [start["lower"]]
    while waiting:
        node = waiting.pop(0)
        for row in after.get(node, ()):
            below = row["lower"]
            if below == goal:
                way = [node]
                while way[-1] != goal:
                    way.append(came[way[-1]])
                return way[::-1]
            if below not in came:
                came[below] = node
                waiting.append(below)
    return []


def _check_downstream(tables: Tables, reaches: list[Row], faults: Faults) -> None:
    below: dict[str, set[str]] = {}
    for row in reaches:
        below.setdefault(row["upper"], set()).add(row["lower"])
    for row in tables.get("reservoirs.csv", ()):
        known = below.get(row["code"] or "", set()) | below.get(row["station"] or "", set())
        if row["downstream"] and known and row["downstream"] not in known:
            reached = ", ".join(sorted(known))
            _fault(faults, row, "downstream", f"but the reaches lead from here to {reached}", "name that node")
