"""Data-driven forecasts of gauged rivers: linear models of many features, learned season by season.

features  what a forecast reads: levels, flows and their changes, the season, the week, the tide
fit       ridge regression, every year forecast by the others
combine   weights between this and the routed forecast, from errors on years left out
model     what was learned, as one file; predict with numpy alone
"""

from liuyu.twin.learned.combine import Combined, combine
from liuyu.twin.learned.features import Recipe, blocks, features
from liuyu.twin.learned.fit import Fit, fit_all, ridge_by_year
from liuyu.twin.learned.model import Learned, read_learned, write_learned

__all__ = [
    "Combined",
    "Fit",
    "Learned",
    "Recipe",
    "blocks",
    "combine",
    "features",
    "fit_all",
    "read_learned",
    "ridge_by_year",
    "write_learned",
]
