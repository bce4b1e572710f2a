"""NEXT, last: a release schedule put forward when a warning comes, for a person to accept or reject."""

from liuyu.outlook.plan.stage import Plan

__all__ = ["Plan"]
