"""MQTT: loggers publish to the embedded broker or to one elsewhere, and are confirmed once what they sent is kept."""

from liuyu.monitor.sense.mqtt.broker import Broker, is_loopback, server_tls
from liuyu.monitor.sense.mqtt.client import Address, Client, read_address
from liuyu.monitor.sense.mqtt.mapping import LoggerMapping, Rule, Value, read_logger_mapping
from liuyu.monitor.sense.mqtt.payloads import Payloads
from liuyu.monitor.sense.mqtt.source import MqttSource
from liuyu.monitor.sense.mqtt.users import Users, add_user

__all__ = [
    "Address",
    "Broker",
    "Client",
    "LoggerMapping",
    "MqttSource",
    "Payloads",
    "Rule",
    "Users",
    "Value",
    "add_user",
    "is_loopback",
    "read_address",
    "read_logger_mapping",
    "server_tls",
]
