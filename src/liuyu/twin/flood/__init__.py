"""Floods in two dimensions: march the shallow water equations over a terrain.

`simulate` runs a flood on arrays, `read_case` reads a case file, `FloodModel` is marched by hand.
"""

from liuyu.twin.flood.bmi import BmiFlood
from liuyu.twin.flood.case_file import Case, read_case
from liuyu.twin.flood.model import Balance, FloodModel
from liuyu.twin.flood.problem import Breach, Flood, Inflow, Rain, Scheme, Series, Side, Structure
from liuyu.twin.flood.rasters import Grid, read_raster, write_raster
from liuyu.twin.flood.run import Frame, Maximum, Result, Run, Summary, simulate
from liuyu.twin.flood.write import FlowFile, write_maximum, write_summary

__all__ = [
    "Balance",
    "BmiFlood", "Breach", "Case", "Flood", "FloodModel", "FlowFile", "Frame", "Grid", "Inflow", "Maximum", "Rain",
    "Result", "Run", "Scheme", "Series", "Side", "Structure", "Summary", "read_case", "read_raster", "simulate",
    "write_maximum", "write_raster", "write_summary",
]  # fmt: skip
