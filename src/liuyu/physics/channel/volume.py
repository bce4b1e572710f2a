"""The levels at which every cell's volume balances, whatever its shape.

V(z) + step (outflow - inflow)(z) = V0, with V bent and the rest straight: Newton's method, which converges from any
start because width never falls with level [1]. The matrix is eliminated without fill on a tree.

[1] Brugnano L., Casulli V. (2008) Iterative solution of piecewise linear systems. SIAM J. Sci. Comput. 30(1), 463-472.
"""

from __future__ import annotations

import math

from liuyu.physics.channel.compiled import inner
from liuyu.physics.channel.fields import HOLD, LEVEL, Floats, Net, Work
from liuyu.physics.channel.tables import cell_volume, rated

_MOST = 60  # iterations of Newton; some four are usual
_LEAST_SURFACE = 1e-6  # [m²] lets a dry cell with a pointed bed begin to fill
ROUNDED = 1e-6  # [m³] what rounding may leave in or take from a cell
_CLOSE = 1e-9  # [m] a last correction below this leaves its square as error


@inner
def flows(net: Net, level: Floats, work: Work) -> None:
    """Mean discharge of every face and outlet over the step [m³/s] if it ends at these levels."""
    faces, start = net.faces, work.start_level
    for f in range(len(faces.kind)):
        left, right = faces.left[f], faces.right[f]
        rise = work.give[f] * (level[left] - start[left]) - work.take[f] * (level[right] - start[right])
        work.mean_flow[f] = work.predicted[f] + rise
        if faces.kind[f] == HOLD:
            _bound(net, f, level, work)
    outlets = net.outlets
    for k in range(len(outlets.cell)):
        q, rate = rated(
            outlets.level, outlets.discharge, outlets.first[k], outlets.first[k + 1], level[outlets.cell[k]]
        )
        work.outlet_flow[k], work.outlet_rate[k] = q, rate


@inner
def _bound(net: Net, f: int, level: Floats, work: Work) -> None:
    """Keep what a dam that holds a level releases within its bounds; there it answers to no level."""
    faces, left = net.faces, net.faces.left[f]
    rise = faces.coefficient[f] * (level[left] - work.start_level[left])
    wanted = work.predicted[f] + rise
    work.mean_flow[f] = min(max(wanted, faces.crest[f]), faces.width[f])
    work.give[f] = faces.coefficient[f] if work.mean_flow[f] == wanted else 0.0


@inner
def _assemble(net: Net, level: Floats, volume: Floats, source: Floats, step: float, work: Work) -> None:
    """Residual (into `correction`) and matrix at these levels."""
    cells, faces, order = net.cells, net.faces, net.order
    work.lower[:], work.upper[:] = 0.0, 0.0
    for c in range(len(cells.kind)):
        v, s = cell_volume(
            net.tables, cells.part_table, cells.part_length, work.hint_part,
            cells.part_first[c], cells.part_first[c + 1], level[c],
        )  # fmt: skip
        work.volume[c], work.surface[c], work.diagonal[c] = v, s, max(s, _LEAST_SURFACE)
        held = 0.0 if -ROUNDED < volume[c] < 0.0 else volume[c]  # a dry cell that rounding left below nothing
        work.correction[c] = held + step * source[c] - v
    for f in range(len(faces.kind)):
        left, right, edge = faces.left[f], faces.right[f], order.face_edge[f]
        q, give, take = step * work.mean_flow[f], step * work.give[f], step * work.take[f]
        work.correction[left] -= q
        work.correction[right] += q
        work.diagonal[left] += give
        work.diagonal[right] += take
        if order.face_flip[f]:
            work.upper[edge] -= give
            work.lower[edge] -= take
        else:
            work.upper[edge] -= take
            work.lower[edge] -= give
    for k in range(len(net.outlets.cell)):
        work.correction[net.outlets.cell[k]] -= step * work.outlet_flow[k]
        work.diagonal[net.outlets.cell[k]] += step * work.outlet_rate[k]


@inner
def _solve(net: Net, work: Work) -> None:
    """Solve for the correction of the levels, in place. Cells held at a level do not move."""
    order, x, d, low, up = net.order, work.correction, work.diagonal, work.lower, work.upper
    for k in range(len(order.cells)):
        v = order.cells[k]
        first, last = order.first[k], order.first[k + 1]
        if net.cells.kind[v] == LEVEL:
            d[v], x[v] = 1.0, 0.0
            up[first:last] = 0.0
        for e in range(first, last):
            factor = low[e] / d[v]
            low[e] = factor
            w = order.later[e]
            x[w] -= factor * x[v]
            d[w] -= factor * up[e]
        for j in range(order.fill_first[k], order.fill_first[k + 1]):
            change = low[order.fill_from[j]] * up[order.fill_to[j]]
            if order.fill_flip[j]:
                low[order.fill_edge[j]] -= change
            else:
                up[order.fill_edge[j]] -= change
    for k in range(len(order.cells) - 1, -1, -1):
        v = order.cells[k]
        if net.cells.kind[v] == LEVEL:
            continue
        for e in range(order.first[k], order.first[k + 1]):
            x[v] -= up[e] * x[order.later[e]]
        x[v] /= d[v]


@inner
def balance(net: Net, level: Floats, volume: Floats, source: Floats, step: float, work: Work) -> bool:
    """Find the levels [m] at the end of the step, in place; False where there are none.

    `volume` (cells,) [m³] is that of the start, `source` [m³/s] what enters from outside.
    """
    for _ in range(_MOST):
        flows(net, level, work)
        _assemble(net, level, volume, source, step, work)
        _solve(net, work)
        greatest = 0.0
        for c in range(len(level)):
            level[c] += work.correction[c]
            greatest = max(greatest, abs(work.correction[c]))
        if not math.isfinite(greatest):
            return False
        if greatest < _CLOSE:
            flows(net, level, work)
            return True
    return False
