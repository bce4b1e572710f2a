"""The living basin: network, parameters and state; run, balance, calibrate, correct."""

from liuyu.twin.calibrate import calibrate
from liuyu.twin.river import Alternative, Outlook, RiverTwin, along_curve
from liuyu.twin.synthetic import make_archive

__all__ = ["Alternative", "Outlook", "RiverTwin", "along_curve", "calibrate", "make_archive"]
