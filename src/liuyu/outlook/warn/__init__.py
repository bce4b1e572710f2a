"""Warning ahead of time: notices from forecasts, held until the river has answered, then verified."""

from liuyu.outlook.warn.crossing import LEADS_H, Crest, Crossing, crest, crossing
from liuyu.outlook.warn.notices import Warn
from liuyu.outlook.warn.rules import Step, WarningRule, WarningRules, read_warning_rules
from liuyu.outlook.warn.tally import Tally, tally
from liuyu.outlook.warn.trial import Outcome, test_notices

__all__ = [
    "LEADS_H",
    "Crest",
    "Crossing",
    "Outcome",
    "Step",
    "Tally",
    "Warn",
    "WarningRule",
    "WarningRules",
    "crest",
    "crossing",
    "read_warning_rules",
    "tally",
    "test_notices",
]
