"""What it came to: a report computed from the log and the series, as HTML and PDF, in Chinese and English."""

from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.html import to_html
from liuyu.monitor.summarise.pdf import to_pdf
from liuyu.monitor.summarise.report import report

__all__ = ["Report", "report", "to_html", "to_pdf"]
