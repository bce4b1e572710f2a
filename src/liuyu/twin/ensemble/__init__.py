"""Ensembles of rain: members from files, laid over sub-basins by area, through runoff models and rivers."""

from liuyu.twin.ensemble.basin import BasinModel, BasinState, Land, Weather
from liuyu.twin.ensemble.laid import RainMembers, RainSettings
from liuyu.twin.ensemble.land import LandModel, read_land
from liuyu.twin.ensemble.rain import MemberRain, read_members
from liuyu.twin.ensemble.weights import Weights, areal_weights

__all__ = [
    "BasinModel",
    "BasinState",
    "Land",
    "LandModel",
    "MemberRain",
    "RainMembers",
    "RainSettings",
    "Weather",
    "Weights",
    "areal_weights",
    "read_land",
    "read_members",
]
