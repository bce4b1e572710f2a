"""Observations as SensorThings clients send them, over HTTP or MQTT: bodies, topics, times and units, read and told."""

from liuyu.monitor.sense.sensorthings.observation import Observed, parcel_of, read_body
from liuyu.monitor.sense.sensorthings.streams import BasinStreams, Stream, Streams
from liuyu.monitor.sense.sensorthings.topics import read_observation, tell_observations
from liuyu.monitor.sense.sensorthings.ucum import unit_conversion

__all__ = [
    "BasinStreams",
    "Observed",
    "Stream",
    "Streams",
    "parcel_of",
    "read_body",
    "read_observation",
    "tell_observations",
    "unit_conversion",
]
