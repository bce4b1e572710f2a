"""Assess: how each series stands against its lines, where it is going, how rare that is."""

from liuyu.monitor.assess.season import Exceedance, SeasonStatistics, season_statistics
from liuyu.monitor.assess.stage import Assess, Steady

__all__ = ["Assess", "Exceedance", "SeasonStatistics", "Steady", "season_statistics"]
