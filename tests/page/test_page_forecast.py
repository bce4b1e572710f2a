"""The forecast of a station on the page: chances, times, models, past issues, skill and the bulletin."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.page.conftest import Address
from tests.page.test_page_duty import FLOOD, SWIFTSHADER, run_to
from tests.setup_browser import browser as find_browser

pytestmark = pytest.mark.browser

STATION = "99000600"
PHONE = {"width": 390, "height": 844}
OVERFLOW = "document.documentElement.scrollWidth - window.innerWidth"


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWIFTSHADER))
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def desk(chromium: Browser, twin: Address) -> Iterator[Page]:
    """The station's panel in Chinese, signed in, with the twin run up to the flood."""
    context = chromium.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", color_scheme="light")
    page = context.new_page()
    page.goto(twin.act)
    expect(page.locator(".bar-user")).to_be_visible(timeout=30_000)
    run_to(context, twin, FLOOD)
    page.reload()
    expect(page.locator(".bar")).to_be_visible(timeout=30_000)
    page.keyboard.press("/")
    page.keyboard.type("清河城")
    expect(page.locator(".station-list li")).to_have_count(1)  # the values have come
    page.keyboard.press("Enter")
    expect(page.locator(".chances")).to_be_visible(timeout=30_000)
    yield page
    context.close()


def forecast(page: Page, twin: Address) -> dict[str, object]:
    answer = page.request.get(f"{twin.look}api/forecast/{STATION}/water_level")
    found: dict[str, object] = answer.json()
    return found


def test_the_heat_strip_shows_the_chances_of_the_ensemble(desk: Page, twin: Address) -> None:
    found = forecast(desk, twin)
    warning = next(each for each in found["chances"] if each["threshold"] == "warning")  # type: ignore[union-attr]
    row = desk.locator(".chances tbody tr").filter(has_text=re.compile("警戒"))
    leads = [each for each in ("12", "24", "48", "72", "96") if each in warning["leads"]]
    for place, lead in enumerate(leads):
        share = warning["leads"][lead]
        shown = "<1%" if 0 < share < 0.01 else ">99%" if 0.99 < share < 1 else f"{share * 100 + 1e-9:.0f}%"
        expect(row.locator("td").nth(place)).to_have_text(shown)
    expect(desk.locator(".chances-limits")).to_contain_text("警戒 >45%")


def test_peak_and_crossing_are_told_with_their_ranges(desk: Page, twin: Address) -> None:
    peak = forecast(desk, twin)["peak"]
    times = desk.locator(".times")
    expect(times).to_contain_text(f"{peak['median']:.2f}")  # type: ignore[index]
    expect(times).to_contain_text(f"{peak['low']:.2f}–{peak['high']:.2f}")  # type: ignore[index]
    expect(times).to_contain_text("峰现时间")
    expect(times).to_contain_text(re.compile(r"达到警戒.*成员|达到警戒.*色"))


def test_a_past_issue_is_shown_as_it_was(desk: Page, twin: Address) -> None:
    newest = desk.locator(".times b").inner_text()
    desk.locator(".switch", has_text="历次预报").click()
    slider = desk.locator(".issues input")
    expect(slider).to_be_visible()
    slider.focus()
    for _ in range(6):
        slider.press("ArrowLeft")
    expect(desk.locator(".issues output")).to_contain_text("最新")
    expect(desk.locator(".times b")).not_to_have_text(newest)
    expect(desk.locator(".models .came")).to_contain_text(re.compile(r"\d\d\.\d\d"))
    desk.locator(".issues output button").click()
    expect(desk.locator(".times b")).to_have_text(newest)
    desk.locator(".switch", has_text="历次预报").click()


def test_models_stand_beside_persistence(desk: Page, twin: Address) -> None:
    held = forecast(desk, twin)["at_issue"]["value"]  # type: ignore[index]
    row = desk.locator(".models:not(.recent) tbody tr").filter(has_text="持续性预报")
    expect(row.locator("td").first).to_contain_text(f"{held:.2f}")
    expect(desk.locator(".models:not(.recent)")).to_contain_text("孪生模型")


def test_the_drivers_are_told_in_words_with_numbers(desk: Page) -> None:
    expect(desk.locator(".in-words")).to_have_text(re.compile(r"三江口现流量 [\d,.]+ m³/s（约 \d+ h 后到达）；区间"))
    expect(desk.locator(".skill tbody tr")).to_have_count(3)


def test_the_bulletin_is_one_click_away(desk: Page) -> None:
    link = desk.locator(".bulletin a", has_text="网页").get_attribute("href")
    assert link is not None
    assert STATION in link
    assert "清河城水位" in desk.request.get(link).text()
    whole = desk.locator(".bulletin a", has_text="PDF").get_attribute("href")
    assert whole is not None
    assert desk.request.get(whole).body().startswith(b"%PDF")


def test_a_replay_shows_neither_intake_nor_orders(desk: Page) -> None:
    desk.click("#tab-situation")
    expect(desk.locator(".report-forecast")).to_be_visible()
    expect(desk.locator(".intake")).to_have_count(0)
    expect(desk.locator(".orders-offered")).to_have_count(0)


def test_a_phone_shows_the_forecast_without_scrolling_sideways(chromium: Browser, desk: Page, twin: Address) -> None:
    context = chromium.new_context(
        viewport=PHONE, locale="en-GB", color_scheme="dark", is_mobile=True, has_touch=True, device_scale_factor=2
    )
    page = context.new_page()
    page.goto(twin.look)
    expect(page.locator(".bar")).to_be_visible(timeout=30_000)
    page.tap("#tab-stations")
    page.locator(".station-row", has_text="Qinghecheng").first.tap()
    expect(page.locator(".chances")).to_be_visible(timeout=30_000)
    page.locator(".switch", has_text="Earlier forecasts").tap()
    expect(page.locator(".issues input")).to_be_visible()
    expect(page.locator(".times")).to_contain_text("Time of peak")
    assert page.evaluate(OVERFLOW) <= 0
    assert page.locator(".rail-body").evaluate("each => each.scrollWidth - each.clientWidth") <= 0
    context.close()
