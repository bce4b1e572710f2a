"""What goes wrong with stations, each as a chance."""

from __future__ import annotations

from typing import Annotated

import msgspec

from liuyu.basin.errors import BadInput

Chance = Annotated[float, msgspec.Meta(ge=0.0, le=1.0)]


class Faults(msgspec.Struct, frozen=True, kw_only=True):
    """Chances from 0 to 1.

    duplicates: a frame is sent twice. reorder: a report waits until after the next one. bitflips: a bit of a frame is
    changed on its way. clock: the station's clock is days off. silence: the station falls silent for some reports, and
    keeps them. burst: what it kept is sent all at once, not one after another. drift: the station's clock is hours off
    until it is set. packets: a packet of a longer message is lost on its way.
    """

    duplicates: Chance = 0.0
    reorder: Chance = 0.0
    bitflips: Chance = 0.0
    clock: Chance = 0.0
    silence: Chance = 0.0
    burst: Chance = 0.0
    drift: Chance = 0.0
    packets: Chance = 0.0


def parse_faults(text: str) -> Faults:
    """Faults written as `duplicates=0.1,silence=0.05`. Raises BadInput for another name, or no chance.

    >>> parse_faults("bitflips=0.1").bitflips
    0.1
    """
    given = {}
    for part in text.split(",") if text.strip() else ():
        name, _, value = part.partition("=")
        given[name.strip()] = value.strip()
    names = Faults.__struct_fields__
    if unknown := sorted(set(given) - set(names)):
        raise BadInput(f"no fault {unknown[0]!r}; there are {', '.join(names)}, written as duplicates=0.1,silence=0.05")
    try:
        return msgspec.convert(given, Faults, strict=False)
    except msgspec.ValidationError as fault:
        raise BadInput(f"faults {text!r}: {fault}; give each a chance from 0 to 1") from None
