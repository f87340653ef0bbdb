"""Another language: the page speaks it on every screen, and what agents say stays as it is."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard import story
from tests.dashboard.test_screens import VISITS
from tests.dashboard.towers import ROOT, Tower

pytestmark = pytest.mark.browser

CATALOGUE = ROOT / "dashboard_static" / "src" / "languages" / "zh.json"
SAID = """
() => {
  const said = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode())
    if (!walk.currentNode.parentElement.closest('kbd')) said.push(walk.currentNode.data.trim());
  for (const name of ['title', 'aria-label', 'placeholder', 'alt'])
    for (const each of document.querySelectorAll(`[${name}]`)) said.push(each.getAttribute(name));
  return said;
}
"""
# Names of things of agents that the story uses, and that are words of the page as well.
NAMES = {"main", "plan", "model", "tool", "transcript"}


@pytest.fixture
async def reader(browser: Browser, tower: Tower) -> AsyncIterator[Page]:
    """A browser of somebody who reads Chinese, before the made-up team's board."""
    await story.told(tower)
    context = await browser.new_context(
        viewport={"width": 1440, "height": 900}, locale="zh-CN", timezone_id="Asia/Shanghai"
    )
    page = await context.new_page()
    await page.goto(tower.login_url)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    yield page
    await context.close()


async def test_no_screen_says_a_word_that_was_not_translated(reader: Page) -> None:
    """What the browser's own language is, the page is in, down to labels and titles."""
    words: dict[str, Any] = json.loads(CATALOGUE.read_text())
    english = set(words) - set(words.values()) - NAMES
    await expect(reader.locator("html")).to_have_attribute("lang", "zh")
    left: dict[str, list[str]] = {}
    for name, visit in VISITS.items():
        await visit(reader)
        said = set(await reader.evaluate(SAID))
        if found := sorted(said & english):
            left[name] = found
    assert left == {}
    await expect(reader.get_by_text("Rounding in the ledger's monthly sums").first).to_be_visible()


async def test_a_language_is_chosen_at_once_and_stays_chosen(reader: Page) -> None:
    """The switch draws the page anew, keeps what was open, and outlives the page."""
    await VISITS["session"](reader)
    await reader.get_by_test_id("menu").click()
    await reader.get_by_test_id("menu-language").select_option("en")
    board = reader.get_by_role("navigation").get_by_text("Board", exact=True)
    await expect(board).to_be_visible()
    await expect(reader.get_by_test_id("opened-tab")).to_have_count(1)
    await expect(reader.locator("html")).to_have_attribute("lang", "en")
    await reader.reload()
    await expect(board).to_be_visible()
    await reader.get_by_test_id("menu").click()
    await reader.get_by_test_id("menu-language").select_option("")
    await expect(reader.get_by_role("navigation").get_by_text("看板", exact=True)).to_be_visible()


async def test_a_theme_is_chosen_at_once_and_stays_chosen(reader: Page) -> None:
    """Dark by choice is dark on a light system, its frame too, also after a reload."""
    ground = "getComputedStyle(document.body).backgroundColor"
    frame = "[...document.querySelectorAll('meta[name=theme-color]')].map((each) => each.media)"
    light = await reader.evaluate(ground)
    await reader.get_by_test_id("menu").click()
    await reader.get_by_test_id("menu-theme").select_option("dark")
    dark = await reader.evaluate(ground)
    assert dark != light
    assert await reader.evaluate(frame) == ["not all", "all"]
    await reader.reload()
    await expect(reader.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert await reader.evaluate(ground) == dark
