"""Rainfall-runoff of sub-basins: models over basins, members and parameter sets; state, balance, calibration."""

from liuyu.twin.runoff.assimilate import Noise, assimilated
from liuyu.twin.runoff.calibrate import Both, Fitted, both, fit, mean_of, warmed, weights_of
from liuyu.twin.runoff.correct import Choice, autoregressive, blended, choose
from liuyu.twin.runoff.models import DAILY, HOURLY, MODELS, Parameter, RunoffModel, find_model
from liuyu.twin.runoff.run import Forcing, RunoffState, begin, simulate
from liuyu.twin.runoff.scores import Scores, score

__all__ = [
    "DAILY",
    "HOURLY",
    "MODELS",
    "Both",
    "Choice",
    "Fitted",
    "Forcing",
    "Noise",
    "Parameter",
    "RunoffModel",
    "RunoffState",
    "Scores",
    "assimilated",
    "autoregressive",
    "begin",
    "blended",
    "both",
    "choose",
    "find_model",
    "fit",
    "mean_of",
    "score",
    "simulate",
    "warmed",
    "weights_of",
]
