"""The tests of quality control: number, name in both languages, and what a failure means. Declared once, here."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from liuyu.basin.events import Text


class QualityTest(IntEnum):
    """Number of the test that decided a flag; 0 where none did."""

    NONE = 0
    MISSING = 1
    RANGE = 2
    CLIMATOLOGY = 3
    RATE = 4
    SPIKE = 5
    STEP = 6
    FLAT = 7
    NEIGHBOUR = 8
    RATING = 9
    GAP = 10
    DERIVED = 11


class QualityTestName(msgspec.Struct, frozen=True, kw_only=True):
    """How a test is written in files (`name`), shown to people (`title`) and explained (`meaning`)."""

    number: int
    name: str
    title: Text
    meaning: Text


def _row(test: QualityTest, zh: str, en: str, meaning_zh: str, meaning_en: str) -> QualityTestName:
    return QualityTestName(
        number=int(test),
        name=test.name.lower(),
        title={"zh": zh, "en": en},
        meaning={"zh": meaning_zh, "en": meaning_en},
    )


TESTS: tuple[QualityTestName, ...] = (
    QualityTestName(
        number=0, name="", title={"zh": "无", "en": "none"}, meaning={"zh": "各项检验均通过", "en": "passed"}
    ),
    _row(QualityTest.MISSING, "缺测", "missing", "没有数值", "there is no number"),
    _row(QualityTest.RANGE, "极值检验", "gross range", "超出该要素可能的范围", "outside what the quantity can be"),
    _row(
        QualityTest.CLIMATOLOGY, "气候值检验", "climatology", "远离本站以往的范围", "far outside the station's own past"
    ),
    _row(
        QualityTest.RATE,
        "变率检验",
        "rate of change",
        "变化过快，尚待后续数据证实",
        "too fast a change, not yet confirmed",
    ),
    _row(QualityTest.SPIKE, "尖峰检验", "spike", "跳离后一至三次报汛内返回", "leaves and returns within three reports"),
    _row(
        QualityTest.STEP,
        "跳变检验",
        "step or runaway",
        "跳离或持续漂移后返回",
        "leaves or runs away, and returns later",
    ),
    _row(
        QualityTest.FLAT,
        "滞值检验",
        "flat line",
        "数值不变而邻站或流量在变",
        "constant while the water around it moves",
    ),
    _row(
        QualityTest.NEIGHBOUR,
        "邻站一致性",
        "neighbour consistency",
        "与邻站不符",
        "at odds with the stations beside it",
    ),
    _row(
        QualityTest.RATING,
        "水位流量一致性",
        "stage-discharge consistency",
        "与水位流量关系不符",
        "at odds with the rating",
    ),
    _row(QualityTest.GAP, "时间检验", "gap", "早于可比较的时段", "too old to be compared with anything"),
    _row(QualityTest.DERIVED, "推算值检验", "derived value", "由可疑水位推得", "computed from a level that is doubted"),
)
NAMES: tuple[str, ...] = tuple(test.name for test in TESTS)
