"""What it came to: a report computed from the log and the series, as HTML, PDF and DOCX, in Chinese and English."""

from liuyu.monitor.summarise.bulletin import Bulletin, bulletin
from liuyu.monitor.summarise.bulletin_page import bulletin_docx, bulletin_html, bulletin_pdf
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.html import to_html
from liuyu.monitor.summarise.pdf import to_pdf
from liuyu.monitor.summarise.report import report
from liuyu.monitor.summarise.word import to_docx

__all__ = [
    "Bulletin",
    "Report",
    "bulletin",
    "bulletin_docx",
    "bulletin_html",
    "bulletin_pdf",
    "report",
    "to_docx",
    "to_html",
    "to_pdf",
]
