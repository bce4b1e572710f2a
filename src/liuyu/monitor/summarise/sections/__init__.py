"""The chapters of a report, each a function from report and voice to blocks, in the order in which they are read."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from liuyu.monitor.summarise.blocks import Block
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.sections.data import data
from liuyu.monitor.summarise.sections.decisions import decisions
from liuyu.monitor.summarise.sections.forecasts import appendix, forecasts
from liuyu.monitor.summarise.sections.late import late
from liuyu.monitor.summarise.sections.operation import operation
from liuyu.monitor.summarise.sections.options import options
from liuyu.monitor.summarise.sections.overview import overview
from liuyu.monitor.summarise.sections.response import response
from liuyu.monitor.summarise.sections.sources import sources
from liuyu.monitor.summarise.sections.warnings import warnings
from liuyu.monitor.summarise.sections.water import water
from liuyu.monitor.summarise.voice import Voice

CHAPTERS: Sequence[Callable[[Report, Voice], list[Block]]] = (
    overview,
    water,
    operation,
    warnings,
    forecasts,
    response,
    decisions,
    options,
    late,
    data,
    appendix,
    sources,
)
