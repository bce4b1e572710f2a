"""The body of an Observation, read and made sure of: what goes into the series, and what no column of it can hold.

A result is converted into our unit here, once. The time of an observation is the instant of its phenomenonTime, or the
end of its interval, in whole seconds: the convention of the quantities that sum over an interval, such as rainfall.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch, Roster
from liuyu.monitor.sense.readers.units import convert
from liuyu.monitor.sense.sensorthings.streams import CATEGORY, COUNT, MEASUREMENT, TRUTH, Stream
from liuyu.monitor.sense.sensorthings.times import Span, read_instant, read_time
from liuyu.store.inbox.interface import Parcel

AHEAD = 15 * 60  # [s] a reading may be this much ahead of the centre's clock; `gather` holds the same
LARGEST = 1e15
_LARGEST_WHOLE = 2**63 - 1
_DEEPEST = 20
_FLAGS = {flag.name.lower().replace("_", " "): flag for flag in Flag}
_FLAGS |= {"passed": Flag.GOOD, "ok": Flag.GOOD, "questionable": Flag.SUSPECT, "failed": Flag.BAD}
_KNOWN = ("phenomenonTime", "result", "resultTime", "resultQuality", "validTime", "parameters")


@dataclass(frozen=True, slots=True)
class Observed:
    """One observation of a datastream.

    time: [s UTC]; value: in the unit of the quantity, NaN where the result is no number; flag: a `Flag`. `note` keeps
    what was said beyond that, as JSON values: the result itself of a datastream that feeds no series, an interval, a
    resultTime of its own, validTime, parameters, and the resultQuality as it was reported.
    """

    stream: Stream
    time: int
    value: float
    flag: int
    note: Mapping[str, Any]


def read_body(body: Mapping[str, Any], stream: Stream, now: int) -> Observed:
    """An observation from its body; without a phenomenonTime it is of `now` [s UTC].

    Raises BadInput for an unknown property, a time without a zone, in the future or before 1970, a result that the
    datastream cannot have, or rain over another interval than the station's.
    """
    for key in body:
        if key not in _KNOWN:
            raise BadInput(f"an Observation has no property {key[:40]!r}; it has {', '.join(_KNOWN)}")
    told = body.get("phenomenonTime")
    span = Span(now, now) if told is None else read_time("phenomenonTime", told)
    _check_time(span, now)
    if "result" not in body:
        raise BadInput(f"the observation of {stream.id} has no result; give one")
    value = _value(body["result"], stream)
    flag, reported = _flag(body.get("resultQuality"))
    note: dict[str, Any] = {} if stream.mapped else {"result": plain_json("result", body["result"])}
    if stream.mapped:
        _check_interval(span, stream)
    if not span.instant or not span.whole:
        note["phenomenonTime"] = told
    if body.get("resultTime") is not None:
        at = read_instant("resultTime", body["resultTime"])
        note |= {"resultTime": body["resultTime"]} if at != span.end else {}
    if body.get("validTime") is not None:
        read_time("validTime", body["validTime"])
        note["validTime"] = body["validTime"]
    if body.get("parameters"):
        if not isinstance(body["parameters"], Mapping):
            raise BadInput(f"parameters={str(body['parameters'])[:40]!r} is no object; give names with values")
        note["parameters"] = plain_json("parameters", body["parameters"])
    if reported is not None:
        note["resultQuality"] = plain_json("resultQuality", reported)
    return Observed(stream, span.end, value, int(flag), note)


def parcel_of(observed: Sequence[Observed], roster: Roster, source: str, now: int) -> Parcel:
    """What of some observations goes through the door: those that feed a series of the basin."""
    rows = [each for each in observed if each.stream.mapped]
    batch = Batch.of(
        roster,
        [roster.number[each.stream.station] for each in rows],
        [quantity(each.stream.quantity).number for each in rows],
        [each.time for each in rows],
        [each.value for each in rows],
        [each.flag for each in rows],
        source,
    )
    return Parcel(source, now, batch)


def plain_json(name: str, value: Any, depth: int = 0) -> Any:
    """JSON values that any reader can take back. Raises BadInput for a number beyond 64 bits or a nest too deep."""
    if depth > _DEEPEST:
        raise BadInput(f"{name} is nested more than {_DEEPEST} deep; make it flatter")
    if isinstance(value, Mapping):
        return {str(key): plain_json(name, each, depth + 1) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain_json(name, each, depth + 1) for each in value]
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_WHOLE:
        raise BadInput(f"{name} holds the number {str(value)[:30]}, which has more than 64 bits; send it as text")
    if isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{name} holds {value}, which JSON does not have; leave it out")
    return value


def _check_time(span: Span, now: int) -> None:
    if span.end > now + AHEAD:
        ahead = f"{(span.end - now) / 60:.0f} min" if span.end - now < 86400 else f"{(span.end - now) // 86400} days"
        raise BadInput(f"phenomenonTime lies {ahead} in the future; set the station's clock, or its zone")
    if span.start < 0:
        raise BadInput("phenomenonTime lies before 1970, where the store begins; import it as history instead")


def _check_interval(span: Span, stream: Stream) -> None:
    """Rain and other sums are kept at the station's own interval; one over a day would count as one over an hour."""
    if quantity(stream.quantity).kind != "interval" or span.instant:
        return
    length = span.end - span.start
    if length != stream.interval:
        raise BadInput(
            f"{stream.quantity} over {length} s does not fit the series of {stream.station}, whose interval is "
            f"{stream.interval} s; send it interval by interval"
        )


def _value(result: Any, stream: Stream) -> float:
    """The value of a result, converted; NaN where it is no number and need be none."""
    shown = str(result)[:40]
    if not stream.mapped and not _fits(result, stream.kind):
        kind = stream.kind.rpartition("/")[2]
        raise BadInput(f"result={shown!r} of {stream.id} is no {kind}; send what its observationType says")
    if isinstance(result, bool) or not isinstance(result, int | float):
        if stream.mapped:
            raise BadInput(
                f"result={shown!r} of {stream.id} is no number; send a number, or nothing where it is missing"
            )
        return math.nan
    if isinstance(result, float) and not math.isfinite(result):
        raise BadInput(f"result={shown} of {stream.id} is no finite number; send nothing where it is missing")
    if abs(result) > LARGEST:
        raise BadInput(f"result={shown} of {stream.id} is beyond any measurement; correct it")
    if not stream.mapped:
        return float(result)
    return float(convert(float(result), stream.factor, stream.offset, quantity(stream.quantity).decimals))


def _fits(result: Any, kind: str) -> bool:
    number = isinstance(result, int | float) and not isinstance(result, bool)
    if kind == MEASUREMENT:
        return number
    if kind == COUNT:
        return number and float(result).is_integer() if number and abs(result) <= LARGEST else False
    if kind == CATEGORY:
        return isinstance(result, str) and bool(result)
    return isinstance(result, bool) if kind == TRUTH else result is not None


def _flag(quality: Any) -> tuple[Flag, Any]:
    """The flag that a resultQuality names, and what is kept of it as it was reported."""
    if quality is None:
        return Flag.NOT_EVALUATED, None
    told = quality.get("flag", quality.get("meaning")) if isinstance(quality, Mapping) else quality
    if isinstance(told, str):
        found = _FLAGS.get(told.strip().lower().replace("_", " "))
        told = int(told) if found is None and told.strip().isascii() and told.strip().isdecimal() else told
    else:
        found = None
    if found is None and isinstance(told, int) and not isinstance(told, bool) and told in set(Flag):
        found = Flag(told)
    return (Flag.NOT_EVALUATED if found is None or found is Flag.MISSING else found), quality
