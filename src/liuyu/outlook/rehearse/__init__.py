"""NEXT, third: what if? A scenario laid upon a state: the river routed, floods run, their impact, and comparisons."""

from liuyu.outlook.rehearse.announce import announce_rehearsal, rehearse
from liuyu.outlook.rehearse.read import read_scenario, scenario_of
from liuyu.outlook.rehearse.run import run_scenario
from liuyu.outlook.rehearse.scenario import Setup

__all__ = ["Setup", "announce_rehearsal", "read_scenario", "rehearse", "run_scenario", "scenario_of"]
