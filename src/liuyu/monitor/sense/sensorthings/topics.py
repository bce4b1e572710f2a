"""SensorThings over MQTT (OGC 18-088, section 14): a message on a datastream's topic creates an observation.

    v1.1/Datastreams('60112200:water_level')/Observations    {"result": 23.41, "phenomenonTime": "2020-08-10T06:00:00Z"}
    v1.1/Observations                                        {..., "Datastream": {"@iot.id": "60112200:water_level"}}

Both functions are pure; whoever holds the connection subscribes to, and publishes on, the same topics.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import numpy as np

from liuyu.basin.errors import BadInput
from liuyu.basin.flags import Flag
from liuyu.basin.quantities import quantity
from liuyu.basin.series import Batch
from liuyu.monitor.sense.sensorthings.observation import Observed, parcel_of, read_body
from liuyu.monitor.sense.sensorthings.streams import Streams
from liuyu.store.inbox.interface import Parcel

SOURCE = "mqtt:sensorthings"
_TOPIC = re.compile(r"(?:.*/)?v1\.[01]/(?:Datastreams\((?:'((?:[^']|'')*)'|([^'()/]+))\)/)?Observations$")
_LARGEST = 256 * 1024


def read_observation(topic: str, payload: bytes, catalogue: Streams, now: int, source: str = SOURCE) -> Parcel:
    """The parcel that a message is. Raises BadInput where its topic or body cannot be used, as `read_body` does."""
    observed = read_message(topic, payload, catalogue, now)
    if not observed.stream.mapped:
        raise BadInput(f"datastream {observed.stream.id!r} feeds no series of the basin; send it over HTTP")
    return parcel_of([observed], catalogue.roster, source, now)


def read_message(topic: str, payload: bytes, catalogue: Streams, now: int) -> Observed:
    """The observation that a message tells of, also one that feeds no series. Raises BadInput."""
    body = {key: value for key, value in _body(payload).items() if "@iot." not in key}
    name = stream_of_topic(topic)
    linked = body.pop("Datastream", None)
    body.pop("FeatureOfInterest", None)
    if name is None:
        if not isinstance(linked, Mapping) or "@iot.id" not in linked:
            raise BadInput(f"a message on {topic[:80]!r} must name its Datastream; put its @iot.id into the body")
        name = str(linked["@iot.id"])
    stream = catalogue.stream(name)
    if stream is None:
        raise BadInput(f"no datastream {name[:80]!r}; ids look like 60112200:water_level, see /sta/v1.1/Datastreams")
    return read_body(body, stream, now)


def stream_of_topic(topic: str) -> str | None:
    """The id of the datastream that a topic names; None for the topic of all. Raises BadInput for any other."""
    found = _TOPIC.match(topic)
    if found is None:
        raise BadInput(f"topic {topic[:80]!r} creates nothing; publish on v1.1/Datastreams('ID')/Observations")
    return found[1].replace("''", "'") if found[1] is not None else found[2]


def tell_observations(batch: Batch) -> Iterator[tuple[str, bytes]]:
    """What to publish of new observations: the topic of each one's datastream, and its body."""
    times = np.datetime_as_string(batch.time.astype("datetime64[s]")).tolist()
    columns = zip(batch.station.tolist(), batch.quantity.tolist(), batch.time.tolist(), strict=True)
    for row, (place, number, time) in enumerate(columns):
        stream = f"{batch.roster.codes[place]}:{quantity(number).name}"
        flag, value = int(batch.flag[row]), float(batch.value[row])
        body: dict[str, Any] = {
            "@iot.id": f"{stream}:{time}",
            "phenomenonTime": f"{times[row]}Z",
            "resultTime": f"{times[row]}Z",
            "result": value if np.isfinite(value) else None,
            "resultQuality": {"flag": flag, "meaning": Flag(flag).name.lower().replace("_", " ")},
            "Datastream": {"@iot.id": stream},
        }
        yield f"v1.1/Datastreams('{stream}')/Observations", msgspec.json.encode(body)


def _body(payload: bytes) -> dict[str, Any]:
    if len(payload) > _LARGEST:
        raise BadInput(f"the message has {len(payload)} bytes; send at most {_LARGEST}")
    try:
        body = msgspec.json.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadInput(f"the message is not JSON ({error}); send one object") from None
    if not isinstance(body, dict):
        raise BadInput(f"the message holds a {type(body).__name__}; send one object")
    return body
