"""Series in short: "20+0.1x10 _x3 27.3? 27.2" is ten values rising by 0.1, three gaps, a suspect value, a good one."""

from __future__ import annotations

import re

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag

_TOKEN = re.compile(
    r"(?P<gap>_)?(?P<value>[-+]?\d+(\.\d+)?)?(?P<step>[-+]\d+(\.\d+)?)?(x(?P<times>\d+))?(?P<mark>[?!])?"
)
_FLAGS = {None: Flag.GOOD, "?": Flag.SUSPECT, "!": Flag.BAD}


def expand(text: str) -> list[tuple[float, Flag] | None]:
    """The values of a series with their flags, None for a gap. Raises BadInput for what is not understood.

    A token is a value, or `_` for a gap; `+0.1` or `-0.1` after a value is its change from one to the next; `x10` says
    how many there are; `?` marks them suspect, `!` bad.

    >>> [each and each[0] for each in expand("1+0.5x3 _ 7?")]
    [1.0, 1.5, 2.0, None, 7.0]
    """
    found: list[tuple[float, Flag] | None] = []
    for token in text.split():
        match = _TOKEN.fullmatch(token)
        if match is None or (match["gap"] is None) == (match["value"] is None):
            raise BadInput(f'"{token}" is no value; write a number, as 20.5, 20+0.1x10 or 20.5?, or _ for a gap')
        times = int(match["times"] or 1)
        if match["gap"]:
            found += [None] * times
        else:
            first, step = float(match["value"]), float(match["step"] or 0)
            found += [(round(first + number * step, 6), _FLAGS[match["mark"]]) for number in range(times)]
    return found
