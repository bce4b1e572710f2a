"""A report as a page of blocks in one language."""

from __future__ import annotations

from liuyu.monitor.summarise.blocks import Page
from liuyu.monitor.summarise.contents import Report
from liuyu.monitor.summarise.sections import CHAPTERS
from liuyu.monitor.summarise.voice import Voice


def page(report: Report, language: str) -> Page:
    """The whole page. Raises BadInput for a language other than zh and en."""
    voice = Voice(report, language)
    basin = voice.of(report.basin)
    label = voice.say("合成数据 · 非真实水情", "SYNTHETIC DATA · not a real river")
    return Page(
        language=language,
        title=voice.say(f"{basin}水情总结报告", f"{basin}: hydrological report"),
        kicker=voice.say(
            "数字孪生流域 · 监测预报预警处置全过程",
            "Digital twin of the basin · monitoring, forecasts, warnings, response",
        ),
        period=voice.span(report.start, report.end),
        label=label if report.synthetic else "",
        footer=f"{basin} · {voice.span(report.start, report.end)}",
        contents=voice.say("目录", "Contents"),
        created=report.end,
        blocks=tuple(block for chapter in CHAPTERS for block in chapter(report, voice)),
    )
