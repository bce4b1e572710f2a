"""Joint release schedules for any number of dams, over a network with delays and an ensemble of inflows."""

from liuyu.outlook.plan.optimise.members import Course, simulate
from liuyu.outlook.plan.optimise.problem import Dam, Goal, Junction, Link, Problem
from liuyu.outlook.plan.optimise.read import read_problem
from liuyu.outlook.plan.optimise.solve import Answer, GivenWay, Reached, solve
from liuyu.outlook.plan.optimise.stress import Stressed, stress
from liuyu.outlook.plan.optimise.tell import Needed, needed_storage, tell

__all__ = [
    "Answer",
    "Course",
    "Dam",
    "GivenWay",
    "Goal",
    "Junction",
    "Link",
    "Needed",
    "Problem",
    "Reached",
    "Stressed",
    "needed_storage",
    "read_problem",
    "simulate",
    "solve",
    "stress",
    "tell",
]
