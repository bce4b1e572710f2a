"""Contingency plans as data: read, checked, matched, and carried through as responses with their tasks."""

from liuyu.monitor.respond.contingency.finding import Finding
from liuyu.monitor.respond.contingency.form import LEVELS, Plan, digest
from liuyu.monitor.respond.contingency.reading import PlanFile, check_plans, in_force, plans_of, read_plans
from liuyu.monitor.respond.contingency.stage import Contingency

__all__ = [
    "LEVELS",
    "Contingency",
    "Finding",
    "Plan",
    "PlanFile",
    "check_plans",
    "digest",
    "in_force",
    "plans_of",
    "read_plans",
]
