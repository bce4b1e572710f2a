"""Warning ahead of time: notices from forecasts, held until the river has answered, then verified."""

from liuyu.outlook.warn.notices import Warn
from liuyu.outlook.warn.rules import WarningRule, WarningRules, read_warning_rules

__all__ = ["Warn", "WarningRule", "WarningRules", "read_warning_rules"]
