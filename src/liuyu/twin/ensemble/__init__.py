"""Ensembles of rain: members from files, laid over sub-basins by area, through runoff models and rivers."""

from liuyu.twin.ensemble.basin import BasinModel, BasinState, Land, Weather
from liuyu.twin.ensemble.rain import MemberRain, read_members
from liuyu.twin.ensemble.weights import Weights, areal_weights

__all__ = [
    "BasinModel",
    "BasinState",
    "Land",
    "MemberRain",
    "Weather",
    "Weights",
    "areal_weights",
    "read_members",
]
