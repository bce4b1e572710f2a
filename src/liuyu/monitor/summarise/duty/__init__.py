"""The duty room's own bulletins, as of a moment: the daily one (水情日报), and that of a flood in course (汛情通报)."""

from liuyu.monitor.summarise.duty.daily import daily_page
from liuyu.monitor.summarise.duty.flood import flood_page
from liuyu.monitor.summarise.duty.watch import Watch, watch

__all__ = ["Watch", "daily_page", "flood_page", "watch"]
