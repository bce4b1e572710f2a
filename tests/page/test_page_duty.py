"""The page in the hands of a duty officer: the clock, the past, an alert, a what-if."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect, sync_playwright

from tests.page.conftest import Address
from tests.setup_browser import browser as find_browser

pytestmark = pytest.mark.browser

SWIFTSHADER = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
FLOOD = "2021-07-05T10:00:00Z"


@pytest.fixture(scope="module")
def desk(twin: Address) -> Iterator[Page]:
    """The page after signing in by the one-time address, with the twin run up to the flood."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(SWIFTSHADER))
        context = browser.new_context(viewport={"width": 1440, "height": 900}, locale="zh-CN", color_scheme="light")
        page = context.new_page()
        page.goto(twin.act)
        expect(page.locator(".bar-user")).to_be_visible(timeout=30_000)
        run_to(context, twin, FLOOD)
        page.reload()
        expect(page.locator(".alert").first).to_be_visible(timeout=30_000)
        yield page
        browser.close()


def run_to(context: BrowserContext, twin: Address, moment: str) -> None:
    """Run the twin as fast as it can up to a moment, and wait until it is there."""
    answer = context.request.post(twin.look + "api/clock", data={"run_to": moment}, headers=same_origin(twin))
    assert answer.ok, answer.text()
    for _ in range(240):
        clock = context.request.get(twin.look + "api/clock").json()
        if clock["now"] >= moment and clock["phase"] != "running":
            return
        time.sleep(0.25)
    raise AssertionError(f"the twin stands at {clock['now']} instead of {moment}")


def same_origin(twin: Address) -> dict[str, str]:
    """What a browser adds to a request from the twin's own page."""
    return {"Origin": twin.look.rstrip("/")}


def test_the_token_is_taken_out_of_the_address(desk: Page) -> None:
    assert "token" not in desk.url
    expect(desk.locator(".play")).to_be_enabled()


def test_an_alert_says_why_and_can_be_acknowledged(desk: Page) -> None:
    desk.click("#tab-situation")
    alert = desk.locator(".alert:not(.alert-is-acknowledged)").first
    name = alert.get_attribute("data-alert")
    alert.locator(".alert-head").click()
    row = desk.locator(f'[data-alert="{name}"]')
    expect(row.locator(".trace li").first).to_contain_text(re.compile(r"\d"))
    row.locator("input").fill("已电话通知")
    row.get_by_role("button", name="确认").click()
    expect(row.locator(".tag-done")).to_contain_text("已确认")
    expect(row.locator(".note")).to_have_text("已电话通知")


def test_looking_back_shows_the_past_and_returns(desk: Page) -> None:
    desk.click("#tab-situation")
    now = desk.locator(".time-hour").inner_text()
    open_now = desk.locator(".alert").count()
    box = desk.locator(".track").bounding_box()
    assert box is not None
    desk.mouse.click(box["x"] + 0.04 * box["width"], box["y"] + 30)
    expect(desk.locator(".view-banner")).to_contain_text("正在回看过去")
    expect(desk.locator(".time-hour")).not_to_have_text(now)
    expect(desk.locator(".alert")).not_to_have_count(open_now)
    desk.keyboard.press("ArrowRight")
    expect(desk.locator(".view-banner")).to_be_visible()
    desk.keyboard.press("Escape")
    expect(desk.locator(".view-banner")).to_have_count(0)
    expect(desk.locator(".time-hour")).to_have_text(now)


def test_looking_ahead_shows_the_forecast(desk: Page) -> None:
    track = desk.locator(".track")
    track.focus()
    for _ in range(2):
        track.press("Shift+ArrowRight")
    expect(desk.locator(".view-future")).to_contain_text("正在查看预报")
    desk.click(".view-banner button")
    expect(desk.locator(".view-banner")).to_have_count(0)


def test_a_task_can_be_taken(desk: Page) -> None:
    desk.click("#tab-response")
    task = desk.locator(".task").filter(has=desk.get_by_role("button", name="接收")).first
    name = task.get_attribute("data-task")
    task.get_by_role("button", name="接收").click()
    expect(desk.locator(f'[data-task="{name}"] .tag')).to_have_text("办理中")


def test_a_what_if_is_run_from_the_form(desk: Page) -> None:
    desk.click("#tab-rehearse")
    before = {each.get_attribute("data-rehearsal") for each in desk.locator(".rehearsal").all()}
    desk.locator(".fold summary", has_text="新建情景").click()
    desk.locator(".what-if input[type=number]").first.fill("150")
    desk.locator(".what-if").get_by_role("button", name="开始预演").click()
    expect(desk.locator(".toast-good")).to_have_text("预演完成", timeout=30_000)
    newest = desk.locator(".rehearsal").first
    assert newest.get_attribute("data-rehearsal") not in before
    expect(newest.locator(".peaks tbody tr").first).to_contain_text(re.compile(r"\d\.\d\d"))


def test_the_report_is_offered_in_the_language_of_the_page(desk: Page) -> None:
    desk.click("#tab-situation")
    address = desk.locator(".report-report a", has_text="PDF").get_attribute("href")
    assert address is not None
    assert "language=zh" in address
    assert desk.request.get(address).body().startswith(b"%PDF")


def test_the_clock_plays_and_pauses_from_the_keyboard(desk: Page) -> None:
    desk.evaluate("document.activeElement.blur()")
    before = desk.locator(".time-hour").inner_text()
    desk.keyboard.press("Space")
    expect(desk.locator(".play")).to_have_attribute("aria-pressed", "true")
    expect(desk.locator(".time-hour")).not_to_have_text(before, timeout=15_000)
    desk.keyboard.press("Space")
    expect(desk.locator(".play")).to_have_attribute("aria-pressed", "false")
