"""The page in a browser, against the running twin of the synthetic basin: what it draws and what it never fetches."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, BrowserContext, Error, Page, expect, sync_playwright

from tests.setup_browser import browser as find_browser

pytestmark = pytest.mark.browser

SWIFTSHADER = ("--no-sandbox", "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader")
DESKTOP = {"width": 1440, "height": 900}
PHONE = {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """A headless Chromium that can draw WebGL without a graphics card."""
    path = find_browser()
    if path is None:
        pytest.skip("no Chromium on this machine")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(executable_path=path, args=list(SWIFTSHADER))
        yield found
        found.close()


@pytest.fixture(scope="module")
def reader(chromium: Browser, twin_url: str) -> Iterator[BrowserContext]:
    """A Chinese reader at a desk, not signed in, once the twin answers."""
    context = chromium.new_context(viewport=DESKTOP, locale="zh-CN", color_scheme="light")
    for _ in range(100):
        try:
            if context.request.get(twin_url + "api/health").ok:
                break
        except Error:
            time.sleep(0.2)
    yield context
    context.close()


def opened(context: BrowserContext, address: str) -> Page:
    """The page, once everything on its map is drawn. The page forbids `eval`, so we ask again rather than wait for."""
    page = context.new_page()
    page.goto(address)
    expect(page.locator(".bar")).to_be_visible(timeout=30_000)
    for _ in range(300):
        if page.evaluate("Boolean(window.__liuyu)"):
            break
        page.wait_for_timeout(100)
    page.evaluate("window.__liuyu.idle()")
    return page


def drawn(page: Page, layer: str) -> set[str]:
    """Codes of the stations that a layer of the map shows."""
    script = "layer => window.__liuyu.map.queryRenderedFeatures({layers: [layer]}).map(each => each.properties.code)"
    return set(page.evaluate(script, layer))


def click_station(page: Page, code: str) -> None:
    """Click the map where a station stands."""
    script = """code => {
        const { map } = window.__liuyu;
        const found = map.querySourceFeatures("stations").find(each => each.properties.code === code);
        return map.project(found.geometry.coordinates);
    }"""
    at = page.evaluate(script, code)
    box = page.locator(".map").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + at["x"], box["y"] + at["y"])


def test_nothing_is_fetched_from_elsewhere_and_nothing_fails(reader: BrowserContext, twin_url: str) -> None:
    page = reader.new_page()
    asked: list[str] = []
    faults: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(twin_url)
    expect(page.locator(".map canvas")).to_be_visible(timeout=30_000)
    page.wait_for_timeout(1500)
    elsewhere = [url for url in asked if not url.startswith((twin_url, "blob:", "data:"))]
    assert asked
    assert elsewhere == []
    assert faults == []
    page.close()


def test_every_station_with_a_position_is_drawn_and_control_stations_are_labelled(
    reader: BrowserContext, twin_url: str
) -> None:
    page = opened(reader, twin_url)
    scene = page.request.get(twin_url + "api/basin").json()
    placed = {each["code"] for each in scene["stations"] if each["position"]}
    assert drawn(page, "stations") | drawn(page, "stations-minor") == placed
    control = {each["code"] for each in scene["stations"] if each["rank"] == 1}
    assert len(drawn(page, "station-labels") & control) >= len(control) // 2
    page.close()


def test_what_is_made_up_says_so_on_every_panel(reader: BrowserContext, twin_url: str) -> None:
    page = opened(reader, twin_url)
    expect(page.locator(".bar .synthetic")).to_have_text("合成数据 SYNTHETIC")
    click_station(page, "99000600")
    for panel in (".rail", ".station"):
        expect(page.locator(f"{panel} .synthetic")).to_be_visible()
    page.close()


def test_a_click_on_a_station_opens_its_hydrograph(reader: BrowserContext, twin_url: str) -> None:
    page = opened(reader, twin_url)
    click_station(page, "99000600")
    panel = page.locator(".station")
    expect(panel).to_have_attribute("data-station", "99000600")
    expect(panel.locator("h2")).to_have_text("清河城")
    expect(panel.locator(".reading-figure")).to_have_text(re.compile(r"^\d+\.\d\d$"))
    expect(panel.locator(".hydrograph canvas")).to_be_visible()
    expect(panel.locator(".lines")).to_contain_text("警戒水位")
    painted = """canvas => {
        const data = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
        return data.filter((value, place) => place % 4 === 3 && value > 200).length;
    }"""
    page.wait_for_timeout(800)
    assert page.locator(".hydrograph canvas").evaluate(painted) > 1000
    page.keyboard.press("Escape")
    expect(panel).to_have_count(0)
    page.close()


def test_language_and_light_change_and_are_remembered(reader: BrowserContext, twin_url: str) -> None:
    page = opened(reader, twin_url)
    expect(page.locator("#tab-situation")).to_contain_text("态势")
    page.click("[data-action=language]")
    expect(page.locator("#tab-situation")).to_contain_text("Situation")
    assert page.locator("html").get_attribute("lang") == "en"
    page.click("[data-action=theme]")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.reload()
    expect(page.locator("#tab-situation")).to_contain_text("Situation")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    page.evaluate("localStorage.clear()")
    page.close()


def test_search_by_keyboard_finds_a_station(reader: BrowserContext, twin_url: str) -> None:
    page = opened(reader, twin_url)
    page.keyboard.press("/")
    page.keyboard.type("xiadu")
    page.keyboard.press("Enter")
    expect(page.locator(".station h2")).to_have_text("下渡")
    page.close()


def test_a_phone_shows_all_without_scrolling_sideways(chromium: Browser, twin_url: str) -> None:
    context = chromium.new_context(
        viewport=PHONE, locale="en-GB", color_scheme="dark", is_mobile=True, has_touch=True, device_scale_factor=2
    )
    page = opened(context, twin_url)
    wider = "document.documentElement.scrollWidth - window.innerWidth"
    for name in ("situation", "response", "rehearse", "stations"):
        page.tap(f"#tab-{name}")
        assert page.evaluate(wider) <= 0
        cut = page.locator(".rail-body").evaluate("each => each.scrollWidth - each.clientWidth")
        assert cut <= 0, name
    page.locator(".station-row").first.tap()
    expect(page.locator(".sheet .station")).to_be_visible()
    assert page.evaluate(wider) <= 0
    for place in (".map", ".time", ".sheet"):
        box = page.locator(place).first.bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= PHONE["width"]
    context.close()
