"""Steps of a network: momentum, levels, and the books of every cell."""

from __future__ import annotations

import math

from liuyu.physics.channel.compiled import inner
from liuyu.physics.channel.fields import LEVEL, Floats, Integers, Net, Work
from liuyu.physics.channel.momentum import predict, settle
from liuyu.physics.channel.tables import cell_volume
from liuyu.physics.channel.volume import ROUNDED, balance
from liuyu.physics.compiled import compiled_ieee

DONE, UNSOLVED, UNBALANCED = 0, 1, 2
_MOST_HALVINGS = 8
_TOLERANCE = 1e-9  # of a cell's volume, between what it holds and what its level says


@compiled_ieee
def march(
    net: Net, level: Floats, volume: Floats, speed: Floats, work: Work, step: float, theta: float,
    source: Floats, entering: Floats, held: Floats, heights: Floats, into: Floats, out: Floats,
    levels: Floats, discharges: Floats, every: int, failed: Integers,
) -> int:  # fmt: skip
    """March a network over the rows of its boundaries; state in place. The result is how many rows were done.

    `source` and `entering` (steps, cells) [m³/s] are what enters and what of it runs along the river; `held`
    (steps, cells) levels [m] of the cells held; `heights` (steps, faces) openings or releases of structures.
    `into` and `out` (cells,) [m³] gather what came from and went outside. After each `every` steps levels (rows, cells)
    and mean discharges of the step (rows, faces) are noted. `failed` is (reason, cell).
    """
    saved_level, saved_volume, saved_speed = level.copy(), volume.copy(), speed.copy()
    saved_into, saved_out = into.copy(), out.copy()
    for n in range(len(source)):
        net.faces.height[:] = heights[n]
        saved_level[:], saved_volume[:], saved_speed[:] = level, volume, speed
        saved_into[:], saved_out[:] = into, out
        for halving in range(_MOST_HALVINGS + 1):
            pieces = 1 << halving
            reason = DONE
            for piece in range(pieces):
                share = (piece + 1.0) / pieces
                reason = _one(
                    net, level, volume, speed, work, step / pieces, theta, source[n], entering[n], held[n],
                    saved_level, share, into, out, failed,
                )  # fmt: skip
                if reason != DONE:
                    break
            if reason == DONE:
                break
            if halving < _MOST_HALVINGS:
                level[:], volume[:], speed[:] = saved_level, saved_volume, saved_speed
                into[:], out[:] = saved_into, saved_out
        if reason != DONE:
            failed[0] = reason
            return n
        if (n + 1) % every == 0:
            row = (n + 1) // every - 1
            levels[row], discharges[row] = level, work.mean_flow
    return len(source)


@inner
def _one(
    net: Net, level: Floats, volume: Floats, speed: Floats, work: Work, step: float, theta: float, source: Floats,
    entering: Floats, held: Floats, begun: Floats, share: float, into: Floats, out: Floats, failed: Integers,
) -> int:  # fmt: skip
    """One step; the reason where it fails. Held levels run straight from where the whole step began."""
    work.start_level[:] = level
    predict(net, level, speed, entering, step, theta, work)
    for c in range(len(level)):
        if net.cells.kind[c] == LEVEL:
            level[c] = begun[c] + share * (held[c] - begun[c])
    if not balance(net, level, volume, source, step, work):
        failed[1] = _worst(work.correction)
        return UNSOLVED
    settle(net, level, speed, work)
    return _book(net, level, volume, source, step, work, into, out, failed)


@compiled_ieee
def fill(net: Net, level: Floats, work: Work) -> None:
    """Volume [m³] and surface [m²] of every cell at its level, into `work`."""
    cells = net.cells
    for c in range(len(level)):
        v, s = cell_volume(
            net.tables, cells.part_table, cells.part_length, work.hint_part,
            cells.part_first[c], cells.part_first[c + 1], level[c],
        )  # fmt: skip
        work.volume[c], work.surface[c] = v, s


@inner
def _worst(values: Floats) -> int:
    worst, at = -1.0, 0
    for c in range(len(values)):
        if not math.isfinite(values[c]):
            return c
        if abs(values[c]) > worst:
            worst, at = abs(values[c]), c
    return at


@inner
def _book(
    net: Net, level: Floats, volume: Floats, source: Floats, step: float, work: Work, into: Floats, out: Floats,
    failed: Integers,
) -> int:  # fmt: skip
    """Move the volumes as the faces say, so that not a drop is lost, and hold them against the levels."""
    faces, cells, outlets = net.faces, net.cells, net.outlets
    for c in range(len(level)):
        work.correction[c] = step * source[c]
    for k in range(len(outlets.cell)):
        work.correction[outlets.cell[k]] -= step * work.outlet_flow[k]
        out[outlets.cell[k]] += step * work.outlet_flow[k]
    for c in range(len(level)):
        gain = step * source[c]
        into[c] += max(gain, 0.0)
        out[c] += max(-gain, 0.0)
    for f in range(len(faces.kind)):
        work.correction[faces.left[f]] -= step * work.mean_flow[f]
        work.correction[faces.right[f]] += step * work.mean_flow[f]
    for c in range(len(level)):
        says, surface = cell_volume(
            net.tables, cells.part_table, cells.part_length, work.hint_part,
            cells.part_first[c], cells.part_first[c + 1], level[c],
        )  # fmt: skip
        if cells.kind[c] == LEVEL:
            gain = says - volume[c] - work.correction[c]
            into[c] += max(gain, 0.0)
            out[c] += max(-gain, 0.0)
            volume[c] = volume[c] + work.correction[c] + gain
            continue
        volume[c] += work.correction[c]
        if abs(says - volume[c]) > _TOLERANCE * (abs(volume[c]) + surface) + ROUNDED:
            failed[1] = c
            return UNBALANCED
        level[c] = max(level[c], cells.bed[c])
    return DONE
