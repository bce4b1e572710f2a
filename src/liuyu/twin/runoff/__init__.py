"""Rainfall-runoff of sub-basins: models over basins, members and parameter sets; state, balance, calibration."""

from liuyu.twin.runoff.calibrate import Both, Fitted, both, fit, mean_of, warmed
from liuyu.twin.runoff.models import MODELS, Parameter, RunoffModel, find_model
from liuyu.twin.runoff.run import Forcing, RunoffState, begin, simulate
from liuyu.twin.runoff.scores import Scores, score

__all__ = [
    "MODELS",
    "Both",
    "Fitted",
    "Forcing",
    "Parameter",
    "RunoffModel",
    "RunoffState",
    "Scores",
    "begin",
    "both",
    "find_model",
    "fit",
    "mean_of",
    "score",
    "simulate",
    "warmed",
]
