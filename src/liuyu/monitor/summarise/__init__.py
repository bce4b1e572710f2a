"""What it came to: a report computed from the log and the series, as HTML and PDF, in Chinese and English."""

from liuyu.monitor.summarise.bulletin import Bulletin, bulletin
from liuyu.monitor.summarise.bulletin_page import bulletin_html, bulletin_pdf
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.html import to_html
from liuyu.monitor.summarise.pdf import to_pdf
from liuyu.monitor.summarise.report import report

__all__ = ["Bulletin", "Report", "bulletin", "bulletin_html", "bulletin_pdf", "report", "to_html", "to_pdf"]
