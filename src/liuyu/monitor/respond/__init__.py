"""What people do about it: one incident for one flood, its tasks with owners and deadlines, and a log of its course."""

from liuyu.monitor.respond.playbook import Playbook, read_playbook
from liuyu.monitor.respond.respond import Respond

__all__ = ["Playbook", "Respond", "read_playbook"]
