"""Alert: rules as data over assessed values; numbered floods; export as CAP; rules tested as data."""

from liuyu.monitor.alert.cap import to_cap
from liuyu.monitor.alert.language import Rules
from liuyu.monitor.alert.reading import read_rules
from liuyu.monitor.alert.stage import Alert
from liuyu.monitor.alert.trial import Outcome, test_rules

__all__ = ["Alert", "Outcome", "Rules", "read_rules", "test_rules", "to_cap"]
