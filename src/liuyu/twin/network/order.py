"""In which order a network is run: from the springs down, reaches of one height side by side, in parts for two cores.

Everything of one height can be run at once, because its water comes from lower heights alone. A tree is also cut into
parts, each some whole subtrees, which share nothing; what lies below them all, the trunk, comes last.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from liuyu.physics.compiled import compiled
from liuyu.twin.network.kernels import COUPLED

Places = NDArray[np.int64]
SHARE = 4  # a part is made of subtrees no larger than the network over parts times this


@dataclass(frozen=True, slots=True)
class Order:
    """order: (n,) reaches as they are run; runs: for each part in turn, the trunk last, its (runs, 3) first place, end
    and kind."""

    order: Places
    runs: tuple[Places, ...]


def arrange(source: Places, target: Places, kind: Places, element: Places, rank: Places, parts: int) -> Order | int:
    """The order of a network, or one reach of a circle where there is one.

    source, target: (links,) reaches; kind: (n,); element: (n,) reaches of one element are solved together, each is its
    own elsewhere; rank: (n,) order within an element.
    """
    count = len(kind)
    outside = element[source] != element[target]
    above, below = element[source[outside]], element[target[outside]]
    first, sorted_below = _rows(above, below, count)
    visited, height = _heights(first, sorted_below, count)
    if len(visited) < count:
        missing = np.setdiff1d(np.arange(count), visited)
        return int(missing[0])
    weight = np.bincount(element, minlength=count)
    branching = bool((np.diff(first) > 1).any())
    part = np.zeros(count, np.int64)
    if parts > 1 and not branching:
        part = _parts(first, sorted_below, visited, weight, parts)
    end = _last_below(first, sorted_below, visited)
    key = np.lexsort((rank, element, end[element], kind, height[element], part[element]))
    runs = []
    for each in range(int(part.max(initial=0)) + 1):
        places = np.flatnonzero(part[element[key]] == each)
        runs.append(_runs(places, key, kind, height, element))
    return Order(key, tuple(runs))


def _rows(row: Places, value: Places, count: int) -> tuple[Places, Places]:
    """Values sorted by row, and where each row begins: (count + 1,)."""
    order = np.argsort(row, kind="stable")
    return np.concatenate([[0], np.cumsum(np.bincount(row, minlength=count))]).astype(np.int64), value[order]


def _runs(places: Places, key: Places, kind: Places, height: Places, element: Places) -> Places:
    """Runs of neighbours that one loop takes: of one height and kind, and of one element where cells are coupled."""
    if not len(places):
        return np.empty((0, 3), np.int64)
    reach = key[places]
    coupled = kind[reach] == COUPLED
    mark = np.stack([height[element[reach]], kind[reach], np.where(coupled, element[reach], -1)])
    starts = np.flatnonzero(np.concatenate([[True], (mark[:, 1:] != mark[:, :-1]).any(axis=0)]))
    ends = np.concatenate([starts[1:], [len(places)]])
    return np.stack([places[0] + starts, places[0] + ends, kind[reach[starts]]], axis=1).astype(np.int64)


@compiled
def _heights(first: Places, below: Places, count: int) -> tuple[Places, Places]:
    """Elements, each after all above it, and the longest way from a spring to each; circles are left out."""
    waiting = np.zeros(count, np.int64)
    for link in range(len(below)):
        waiting[below[link]] += 1
    queue = np.empty(count, np.int64)
    height = np.zeros(count, np.int64)
    ready = 0
    for each in range(count):
        if waiting[each] == 0:
            queue[ready] = each
            ready += 1
    done = 0
    while done < ready:
        each = queue[done]
        done += 1
        for link in range(first[each], first[each + 1]):
            other = below[link]
            height[other] = max(height[other], height[each] + 1)
            waiting[other] -= 1
            if waiting[other] == 0:
                queue[ready] = other
                ready += 1
    return queue[:ready], height


@compiled
def _last_below(first: Places, below: Places, visited: Places) -> Places:
    """A number by which siblings stand together: how early, from the mouth up, the element below comes."""
    number = np.zeros(len(visited), np.int64)
    place = np.zeros(len(visited), np.int64)
    for at in range(len(visited) - 1, -1, -1):
        each = visited[at]
        place[each] = len(visited) - at
        if first[each + 1] > first[each]:
            number[each] = place[below[first[each]]]
    return number


@compiled
def _parts(first: Places, below: Places, visited: Places, weight: Places, parts: int) -> Places:
    """Part of each element of a tree, 0 to parts - 1, and `parts` for the trunk; -1 for what is within another."""
    count = len(visited)
    size = weight.copy()
    for at in range(count):
        each = visited[at]
        if first[each + 1] > first[each]:
            size[below[first[each]]] += size[each]
    limit = max(weight.sum() // (parts * SHARE), 1)
    roots = np.zeros(count, np.int64)
    for each in range(count):
        inner = first[each + 1] > first[each] and size[below[first[each]]] <= limit
        roots[each] = size[each] if size[each] <= limit and not inner else 0
    out = np.full(count, -1)
    load = np.zeros(parts, np.int64)
    for root in np.argsort(-roots, kind="mergesort"):
        if roots[root] == 0:
            break
        out[root] = np.argmin(load)
        load[out[root]] += roots[root]
    for at in range(count - 1, -1, -1):
        each = visited[at]
        if out[each] < 0 and size[each] > 0:
            out[each] = parts if size[each] > limit else out[below[first[each]]]
    return out
