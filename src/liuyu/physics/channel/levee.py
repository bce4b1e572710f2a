"""What passes a levee between a river and the cells of a plain beside it.

Over the crest, and through what is open in it: a breach down to its sill, or a gate under its lintel. Both are weirs of
`structures`, drowned where the lower side stands high. The jet of a breach brings no momentum onto the plain.
"""

from __future__ import annotations

import math

from liuyu.physics.channel.fields import Floats
from liuyu.physics.channel.structures import gate, weir
from liuyu.physics.compiled import compiled_ieee

_JET = 0.6  # coefficient of an opening under a lintel


@compiled_ieee
def pass_levee(
    river: Floats, surface: Floats, plain: Floats, bed: Floats, area: float, crest: Floats, length: Floats,
    gap: Floats, sill: Floats, lintel: Floats, coefficient: float, step: float, volume: Floats, through: Floats,
) -> None:  # fmt: skip
    """Volume that each piece lets onto the plain in a step [m³], negative for the other way, into `volume`.

    All arrays are (pieces,): levels of river and plain [m]; `surface` of the river's cell over the pieces that share it
    [m²]; bed of the plain [m], `area` of a cell of it [m²]; `crest` [m] over `length` [m]; `gap` [m] is how much of it
    is open, from `sill` up to `lintel` [m]. `through` is the part of the volume that went through gaps. No piece lets
    more over than would level both sides, nor more than half of what stands above the edge it runs over.
    """
    for k in range(len(river)):
        volume[k], through[k] = 0.0, 0.0
        high, low = max(river[k], plain[k]), min(river[k], plain[k])
        top, foot = max(crest[k], bed[k]), max(sill[k], bed[k])
        over, opened = 0.0, 0.0
        if length[k] > gap[k]:
            over = weir(high - top, low - top, length[k] - gap[k], coefficient)
        if gap[k] > 0.0:
            if lintel[k] < math.inf:
                opened = gate(high - foot, low - foot, gap[k], max(lintel[k] - foot, 0.0), _JET)
            else:
                opened = weir(high - foot, low - foot, gap[k], coefficient)
        q = over + opened
        if q <= 0.0:
            continue
        onto = river[k] >= plain[k]
        edge = min(top, foot) if opened > 0.0 else top
        even = (high - low) / (1.0 / max(surface[k], 1e-9) + 1.0 / area)
        above = (high - edge) * (surface[k] if onto else area)
        moved = min(q * step, even, 0.5 * above)
        volume[k] = moved if onto else -moved
        through[k] = volume[k] * (opened / q)
