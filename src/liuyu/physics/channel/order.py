"""In which order a matrix over a graph is eliminated: the cell with the fewest neighbours first, so that a tree of
rivers fills nothing in and a loop little [1].

[1] George A., Liu J. W. H. (1989) The evolution of the minimum degree ordering algorithm. SIAM Review 31(1), 1-19.
"""

from __future__ import annotations

import heapq

import numpy as np

from liuyu.physics.channel.fields import Integers, Order


def eliminate(cells: int, left: Integers, right: Integers) -> Order:
    """The order for faces that join cells left to right: edges by cell, faces to edges, fill to edges."""
    near: list[set[int]] = [set() for _ in range(cells)]
    for a, b in zip(left.tolist(), right.tolist(), strict=True):
        near[a].add(b)
        near[b].add(a)
    sequence, later = _sequence(near)
    place = np.empty(cells, np.int64)
    place[sequence] = np.arange(cells)
    first = np.concatenate([[0], np.cumsum([len(later[v]) for v in sequence])]).astype(np.int64)
    edges = {
        (v, w): int(first[k]) + j for k, v in enumerate(sequence) for j, w in enumerate(later[v])
    }  # fmt: skip
    flip = place[left] > place[right] if len(left) else np.zeros(0, bool)
    pairs = zip(left.tolist(), right.tolist(), flip.tolist(), strict=True)
    face_edge = [edges[b, a] if turned else edges[a, b] for a, b, turned in pairs]
    fill = _fill(sequence, later, edges, place)
    return Order(
        np.array(sequence, np.int64),
        first,
        np.array([w for v in sequence for w in later[v]], np.int64),
        np.array(face_edge, np.int64),
        flip.astype(np.int64),
        *fill,
    )


def _sequence(near: list[set[int]]) -> tuple[list[int], list[list[int]]]:
    """Cells as they are eliminated, and for each those that are left beside it then."""
    heap = [(len(each), v) for v, each in enumerate(near)]
    heapq.heapify(heap)
    done = [False] * len(near)
    sequence: list[int] = []
    later: list[list[int]] = [[] for _ in near]
    while heap:
        degree, v = heapq.heappop(heap)
        if done[v] or degree != len(near[v]):
            continue
        done[v] = True
        sequence.append(v)
        later[v] = sorted(near[v])
        for w in later[v]:
            near[w] |= near[v]
            near[w] -= {v, w}
            heapq.heappush(heap, (len(near[w]), w))
    return sequence, later


def _fill(
    sequence: list[int], later: list[list[int]], edges: dict[tuple[int, int], int], place: Integers
) -> tuple[Integers, ...]:
    """Edges among those beside an eliminated cell: where they begin, from, to, and which one they change."""
    rows: list[tuple[int, int, int, int]] = []
    first = [0]
    for v in sequence:
        for one in later[v]:
            for other in later[v]:
                if one != other:
                    turned = int(place[one] > place[other])
                    edge = edges[other, one] if turned else edges[one, other]
                    rows.append((edges[v, one], edges[v, other], edge, turned))
        first.append(len(rows))
    columns = np.array(rows, np.int64).reshape(-1, 4).T
    return (np.array(first, np.int64), *(np.ascontiguousarray(each) for each in columns))
