"""From the first notice to a signed order and the report, by clicks on the page alone, in both languages."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, expect, sync_playwright

from tests.page.conftest import start
from tests.page.test_page_duty import FLOOD, SWIFTSHADER, run_to
from tests.setup_browser import browser as find_browser

pytestmark = pytest.mark.browser

WORDS = {
    "zh-CN": {"approve": "批准", "accept": "采纳", "sign": "签发", "force": "现行", "signed": "已签发", "page": "网页"},
    "en-US": {
        "approve": "Approve",
        "accept": "Accept",
        "sign": "Sign",
        "force": "in force",
        "signed": "Signed",
        "page": "HTML",
    },
}
MOST = 10


class Hand:
    """A hand that counts its clicks."""

    clicks = 0

    def click(self, what: Locator) -> None:
        self.clicks += 1
        what.click()


@pytest.fixture(params=sorted(WORDS))
def desk(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, str]]:
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    process, twin = start(tmp_path_factory.mktemp("order"), "--paused")
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=list(SWIFTSHADER))
            context = browser.new_context(viewport={"width": 1440, "height": 900}, locale=request.param)
            page = context.new_page()
            page.goto(twin.act)
            expect(page.locator(".bar-user")).to_be_visible(timeout=30_000)
            run_to(context, twin, FLOOD)
            page.reload()
            expect(page.locator(".alert").first).to_be_visible(timeout=30_000)
            yield page, request.param
            browser.close()
    finally:
        process.terminate()
        process.wait(timeout=30)


def test_from_the_notice_to_a_signed_order_and_the_report(desk: tuple[Page, str]) -> None:
    page, language = desk
    words, hand = WORDS[language], Hand()

    hand.click(page.locator("#tab-response"))
    response = page.locator('[data-response][data-state="proposed"]').first
    name = response.get_attribute("data-response")
    expect(response.locator(".sentences li").first).to_contain_text(re.compile(r"\d"))
    hand.click(response.get_by_role("button", name=words["approve"], exact=True))
    expect(page.locator(f'[data-response="{name}"]')).to_contain_text(words["force"])

    hand.click(page.locator("#tab-rehearse"))
    proposal = page.locator('[data-proposal][data-state="proposed"]').first
    place = proposal.get_attribute("data-proposal")
    hand.click(proposal.get_by_role("button", name=words["accept"], exact=True))
    order = page.locator(f'[data-proposal="{place}"] [data-dispatch]')
    expect(order.locator(".wording")).to_contain_text("m³/s")
    hand.click(order.get_by_role("button", name=words["sign"], exact=True))
    expect(order.locator(".tag").first).to_have_text(words["signed"])

    hand.click(page.locator("#tab-response"))
    link = page.locator(".report-report a", has_text=words["page"])
    address = link.get_attribute("href")
    hand.click(link)
    assert address is not None
    told = page.request.get(address).text()
    assert {"zh-CN": "决策与调度指令", "en-US": "Decisions and orders"}[language] in told
    assert hand.clicks < MOST
