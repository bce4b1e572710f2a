"""The momentum of every face, and how its discharge leans on the levels to come.

The speed u of a face obeys du/dt + advection + g dz/dx + g (A/K)² u|u| = 0, on a staggered line [1]. Advection
conserves momentum where the flow widens or jumps: q (u - u_in) / (A dx) with the flow q of the cell the water comes
from [2]; it is implicit, so that no speed bounds the step. Friction is implicit in u, and in the area and conveyance
of the upstream cell, so that a kinematic wave does not bound it either. The slope of the surface enters with what it
was; what it becomes is added by `volume`. A steady state is therefore the same for every step.

We differ from [1] in that the advection is upwind and implicit, where [1] follows characteristics.

[1] Casulli V., Stelling G. S. (2013) A semi-implicit numerical model for urban drainage systems. Int. J. Numer. Methods
    Fluids 73(6), 600-614.
[2] Stelling G. S., Duinmeijer S. P. A. (2003) A staggered conservative scheme for every Froude number in rapidly varied
    shallow water flows. Int. J. Numer. Methods Fluids 43(12), 1329-1354.
"""

from __future__ import annotations

import math

from liuyu.physics.channel.compiled import inner, within
from liuyu.physics.channel.fields import CHANNEL, MANY, Floats, Net, Work
from liuyu.physics.channel.sections import GRAVITY
from liuyu.physics.channel.structures import through
from liuyu.physics.channel.tables import measures

_THIN = 1e-7  # [m²] a face with less area carries nothing
_SWEEPS = 1


@inner
def predict(net: Net, level: Floats, speed: Floats, entering: Floats, step: float, theta: float, work: Work) -> None:
    """What each face would do if no level changed, and how it answers when they do.

    Afterwards the mean discharge of a face over the step is predicted + give d(left) - take d(right) [m³/s], with d
    the changes of level [m]. `entering` (cells,) [m³/s] comes along the river from outside; `theta` is the weight of
    the end of the step.
    """
    faces = net.faces
    for f in range(len(faces.kind)):
        if faces.kind[f] == CHANNEL:
            _state(net, f, level, speed, step, work)
        else:
            _structure(net, f, level, work)
    for f in range(len(faces.kind)):
        if work.area[f] > 0.0:
            _weigh(net, f, speed, entering, work)
            _push(net, f, level, speed, entering, work)
    for _ in range(_SWEEPS):
        for f in range(len(faces.kind)):
            if work.area[f] > 0.0:
                _advance(net, f, entering, step, work)
        for f in range(len(faces.kind) - 1, -1, -1):
            if work.area[f] > 0.0:
                _advance(net, f, entering, step, work)
    for f in range(len(faces.kind)):
        if work.area[f] > 0.0:
            _lean(net, f, speed, step, theta, work)


@within
def _structure(net: Net, f: int, level: Floats, work: Work) -> None:
    faces = net.faces
    q, give, take = through(
        faces.kind[f], level[faces.left[f]], level[faces.right[f]], faces.crest[f], faces.width[f],
        faces.coefficient[f], faces.height[f],
    )  # fmt: skip
    work.area[f], work.change[f], work.hold[f], work.answer[f] = 0.0, 0.0, 0.0, 0.0
    work.flow[f], work.predicted[f], work.give[f], work.take[f] = q, q, give, take


@within
def _state(net: Net, f: int, level: Floats, speed: Floats, step: float, work: Work) -> None:
    """Area, discharge and friction of a face as it is. The upstream side's width stays in give or take."""
    faces, tables = net.faces, net.tables
    left, right = level[faces.left[f]], level[faces.right[f]]
    k, bl, al, cl, rl = measures(tables, faces.table_left[f], work.hint_left[f], left)
    work.hint_left[f] = k
    k, br, ar, cr, rr = measures(tables, faces.table_right[f], work.hint_right[f], right)
    work.hint_right[f] = k
    onward = speed[f] > 0.0 if speed[f] != 0.0 else left > right
    a, b, c, r = (al, bl, cl, rl) if onward else (ar, br, cr, rr)
    middle = 0.5 * (cl + cr) / faces.roughness[f]
    work.change[f] = 0.0
    if a <= _THIN or middle <= 0.0:
        speed[f], work.area[f], work.flow[f], work.predicted[f], work.hold[f] = 0.0, 0.0, 0.0, 0.0, 0.0
        work.give[f], work.take[f], work.answer[f] = 0.0, 0.0, 0.0
        return
    u = speed[f]
    phi = GRAVITY * (a / middle) * (a / middle)
    work.area[f], work.mean_area[f], work.flow[f], work.friction[f] = a, 0.5 * (al + ar), a * u, phi
    work.answer[f] = 2.0 * (r / c - b / a)
    work.give[f], work.take[f] = (b, 0.0) if onward else (0.0, b)
    toward = u - step * GRAVITY * (right - left) / faces.distance[f]
    settled = 0.5 * (math.sqrt(1.0 + 4.0 * step * phi * abs(toward)) - 1.0) / max(step * phi, 1e-300)
    work.drag[f] = 1.0 + step * phi * (abs(u) + min(settled, abs(toward)))


@within
def _weigh(net: Net, f: int, speed: Floats, entering: Floats, work: Work) -> None:
    """Weights [1/s] of both sides of a face in its advection: q / (A dx) of what comes towards it."""
    faces, cells = net.faces, net.cells
    work.weight_left[f], work.weight_right[f] = 0.0, 0.0
    q = work.mean_flow[f]
    share = 1.0 / (work.mean_area[f] * faces.distance[f])
    left, right = faces.left[f], faces.right[f]
    if cells.still[left]:
        work.weight_left[f] = 0.5 * max(speed[f], 0.0) / faces.distance[f]
    elif faces.behind[f] >= 0:
        work.weight_left[f] = share * max(0.5 * (faces.behind_sign[f] * work.mean_flow[faces.behind[f]] + q), 0.0)
    elif faces.behind[f] == MANY or entering[left] > 0.0:
        work.weight_left[f] = share * max(q, 0.0)
    if cells.still[right]:
        work.weight_right[f] = 0.5 * max(-speed[f], 0.0) / faces.distance[f]
    elif faces.ahead[f] >= 0:
        work.weight_right[f] = share * max(-0.5 * (faces.ahead_sign[f] * work.mean_flow[faces.ahead[f]] + q), 0.0)
    elif faces.ahead[f] == MANY or entering[right] > 0.0:
        work.weight_right[f] = share * max(-q, 0.0)


@inner
def _arriving(net: Net, cell: int, face: int, value: Floats, inflow: float, work: Work) -> float:
    """Mean of a value of the faces by which water comes to a cell, in the way it comes; `inflow` is from outside."""
    cells, faces = net.cells, net.faces
    carried, total = 0.0, inflow
    for k in range(cells.face_first[cell], cells.face_first[cell + 1]):
        other = cells.face_of[k]
        if other == face or faces.kind[other] != CHANNEL:
            continue
        sign = 1.0 if faces.right[other] == cell else -1.0
        q = sign * work.mean_flow[other]
        if q > 0.0:
            carried += q * sign * value[other]
            total += q
    return carried / total if total > 0.0 else 0.0


@within
def _upstream(net: Net, f: int, value: Floats, entering: Floats, known: bool, work: Work) -> tuple[float, float]:
    """The value on the left and on the right of a face, turned its way. `known`: with what enters from outside."""
    faces = net.faces
    left, right = 0.0, 0.0
    if work.weight_left[f] > 0.0 and not net.cells.still[faces.left[f]]:
        cell = faces.left[f]
        if faces.behind[f] >= 0:
            left = faces.behind_sign[f] * value[faces.behind[f]]
        elif faces.behind[f] == MANY:
            left = _arriving(net, cell, f, value, entering[cell], work)
        elif known:
            left = entering[cell] / work.area[f]
    if work.weight_right[f] > 0.0 and not net.cells.still[faces.right[f]]:
        cell = faces.right[f]
        if faces.ahead[f] >= 0:
            right = faces.ahead_sign[f] * value[faces.ahead[f]]
        elif faces.ahead[f] == MANY:
            right = -_arriving(net, cell, f, value, entering[cell], work)
        elif known:
            right = -entering[cell] / work.area[f]
    return left, right


@within
def _push(net: Net, f: int, level: Floats, speed: Floats, entering: Floats, work: Work) -> None:
    """What acts on a face as it is [m/s²]: advection, friction, slope of the surface."""
    faces, u = net.faces, speed[f]
    wl, wr = work.weight_left[f], work.weight_right[f]
    left, right = _upstream(net, f, speed, entering, True, work)
    fall = (level[faces.right[f]] - level[faces.left[f]]) / faces.distance[f]
    work.force[f] = wl * (u - left) + wr * (u - right) + work.friction[f] * abs(u) * u + GRAVITY * fall


@within
def _advance(net: Net, f: int, entering: Floats, step: float, work: Work) -> None:
    """One face of the sweep that solves (drag + step advection) change = - step force: exact along each way of flow."""
    wl, wr = work.weight_left[f], work.weight_right[f]
    left, right = 0.0, 0.0
    if wl + wr > 0.0:
        left, right = _upstream(net, f, work.change, entering, False, work)
    work.change[f] = step * (wl * left + wr * right - work.force[f]) / (work.drag[f] + step * (wl + wr))


@within
def _lean(net: Net, f: int, speed: Floats, step: float, theta: float, work: Work) -> None:
    """Discharge of a face for levels as they are, and its answers to their changes."""
    u, a = speed[f], work.area[f]
    next_speed = u + work.change[f]
    onward, width = work.give[f] > 0.0, work.give[f] + work.take[f]
    work.hold[f] = GRAVITY * step * theta / (net.faces.distance[f] * work.drag[f])
    work.answer[f] *= theta * step * work.friction[f] * u * abs(u) / work.drag[f]
    base = theta * a * work.hold[f]
    upstream = theta * (a * work.answer[f] + width * next_speed)
    work.give[f] = base + max(upstream, 0.0) if onward else base
    work.take[f] = base if onward else base + max(-upstream, 0.0)
    work.predicted[f] = a * ((1.0 - theta) * u + theta * next_speed)


@inner
def settle(net: Net, level: Floats, speed: Floats, work: Work) -> None:
    """The speed of every channel face [m/s] once the levels at the end of the step are known."""
    faces = net.faces
    for f in range(len(faces.kind)):
        if work.area[f] == 0.0:
            speed[f] = 0.0
            continue
        left = level[faces.left[f]] - work.start_level[faces.left[f]]
        right = level[faces.right[f]] - work.start_level[faces.right[f]]
        upstream = left if work.flow[f] > 0.0 else right
        speed[f] += work.change[f] - work.hold[f] * (right - left) + work.answer[f] * upstream
