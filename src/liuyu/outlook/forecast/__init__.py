"""NEXT, first: a forecast of every gauge that the twin knows, with its spread, from what was known at the time."""

from liuyu.basin.grading import Profile, find_profile, profiles
from liuyu.outlook.forecast.peaks import Peak, PeakScore, find_peak, score_peaks
from liuyu.outlook.forecast.scores import Judged, Reliability, Score, crps, reliability, score
from liuyu.outlook.forecast.stage import Forecaster, Issue, announce_forecasts

__all__ = [
    "Forecaster",
    "Issue",
    "Judged",
    "Peak",
    "PeakScore",
    "Profile",
    "Reliability",
    "Score",
    "announce_forecasts",
    "crps",
    "find_peak",
    "find_profile",
    "profiles",
    "reliability",
    "score",
    "score_peaks",
]
