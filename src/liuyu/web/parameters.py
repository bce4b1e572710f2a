"""What callers ask for, made sure of: each refusal names the parameter, shows its value and gives the cure."""

from __future__ import annotations

import difflib
import re
from typing import Annotated

from litestar.params import PathParameter, QueryParameter

from liuyu.basin.clock import epoch, parse_time
from liuyu.basin.errors import BadInput, NotFound
from liuyu.basin.places import Basin, Station
from liuyu.basin.quantities import quantity

_ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2}(:?\d{2})?)$", re.IGNORECASE)
_LOST_PLUS = re.compile(r"(T\d{2}:\d{2}\S*) (\d{2}:?\d{2})$")

At = Annotated[
    str | None,
    QueryParameter(
        name="at",
        description="Moment as of which to answer, ISO 8601 with its zone; the twin's present without it",
        schema_extra={"format": "date-time"},
    ),
]
StationCode = Annotated[str, PathParameter(description="Station code, as in /api/basin", max_length=64)]
QuantityName = Annotated[
    str, PathParameter(description="Name of a quantity in /api/basin, such as water_level [m]", max_length=64)
]


def moment_of(name: str, text: str) -> int:
    """The time [s UTC] that a parameter gives. A time without a zone is refused: a guess would shift it silently.

    Raises BadInput.
    """
    mended = _LOST_PLUS.sub(r"\1+\2", text.strip())
    if not _ZONE.search(mended) or "T" not in mended.upper():
        shown = text[:40]
        raise BadInput(f"{name}={shown!r} is no time with a zone; write it as 2020-08-10T14:00:00+08:00 or with Z")
    try:
        return epoch(parse_time(mended.upper(), "UTC"))
    except (BadInput, OverflowError):
        raise BadInput(f"{name}={text[:40]!r} is not ISO 8601; write it as 2020-08-10T14:00:00Z") from None


def moment_or(name: str, text: str | None, otherwise: int) -> int:
    """The time [s UTC] that a parameter gives, or another without it. Raises BadInput."""
    return otherwise if text is None else moment_of(name, text)


def interval_of(start: int, end: int, longest: int) -> tuple[int, int]:
    """A time interval [s UTC] that is not empty and not longer than `longest` [s]. Raises BadInput."""
    if end <= start:
        raise BadInput(f"start={start} does not lie before end={end} (seconds UTC); exchange or widen them")
    if end - start > longest:
        asked, most = (end - start) // 86400, longest // 86400
        raise BadInput(f"start..end spans {asked} days and the longest is {most}; ask for a part, or with a step")
    return start, end


def known_station(basin: Basin, code: str) -> Station:
    """The station of a code. Raises NotFound with near codes."""
    found = basin.station_by_code.get(code)
    if found is None:
        near = difflib.get_close_matches(code, basin.station_by_code, n=3)
        hint = f"did you mean {', '.join(near)}?" if near else "see /api/basin for every code"
        raise NotFound(f"no station {code[:40]!r} in {basin.name_en}; {hint}")
    return found


def known_quantity(name: str) -> int:
    """The number of a quantity. Raises NotFound with the nearest name."""
    return quantity(name[:64]).number


def names_of(text: str | None, known: list[str], name: str) -> list[str]:
    """A list of names parted by commas, each of which must be known. Raises BadInput."""
    asked = [each.strip() for each in (text or "").split(",") if each.strip()]
    for each in asked:
        if each not in known:
            raise BadInput(f"{name}={each[:40]!r} is not known; choose from {', '.join(known)}")
    return asked
