"""Every screen, in light, in dark and on a phone: no barrier for anybody, and a picture of each.

The pictures are kept under ``docs/screens`` where ``TOWER_SCREENSHOTS`` is set.
"""

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard import story
from tests.dashboard.looking import go, shot
from tests.dashboard.towers import ROOT, Tower

pytestmark = pytest.mark.browser

AXE = ROOT / "dashboard_static" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = ROOT / "docs" / "screens"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
NARROW_PX = 720
# Whose pictures are published in every look; of the others the light one.
SHOWN_ALWAYS = {"board", "session", "inbox"}
CHECK = """
async (tags) => {
  const told = await axe.run(document, {runOnly: {type: 'tag', values: tags}});
  return told.violations.flatMap(({id, nodes}) => nodes.map((node) =>
    `${id}: ${node.html.slice(0, 160)} ${node.any.map((each) => each.message).join(' ')}`));
}
"""


class Look(NamedTuple):
    """How a person looks at it."""

    name: str
    width: int
    height: int
    dark: bool = False


LOOKS = (
    Look("light", 1440, 900),
    Look("dark", 1440, 900, dark=True),
    Look("phone", 390, 844),
)
Visit = Callable[[Page], Awaitable[Any]]


def at(hash_: str, *seen: str) -> Visit:
    """Go there, and wait for what must be seen."""

    async def visit(page: Page) -> None:
        await go(page, hash_)
        for selector in seen:
            await expect(page.locator(selector).first).to_be_visible()

    return visit


async def board(page: Page) -> None:
    """The list, with what is asked for behind the first rows, where there is room for it."""
    await at("#/", "[data-testid=session-row]", "[data-testid=attention-item]")(page)
    size = page.viewport_size
    if size is not None and size["width"] > NARROW_PX:
        await expect(page.get_by_test_id("context").first).to_be_visible()
        await expect(page.get_by_test_id("sparkline").first).to_be_visible()


async def inbox(page: Page) -> None:
    """All that waits, read whole."""
    await at("#/", "[data-testid=attention-item]")(page)
    for item in await page.get_by_test_id("attention-item").all():
        await item.get_by_role("button").first.click()
        await expect(item.get_by_test_id("asked")).to_have_attribute("aria-busy", "false")


async def menu(page: Page) -> None:
    """The settings, over the board."""
    await at("#/", "[data-testid=session-row]")(page)
    await page.get_by_test_id("menu").click()
    await expect(page.get_by_test_id("menu-alerts")).to_be_visible()


async def keys(page: Page) -> None:
    """The sheet of keys, over the board."""
    await at("#/", "[data-testid=session-row]")(page)
    await page.keyboard.press("Escape")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_be_visible()


SESSION = "#/session/ledger-rounding"
LIVE = "[data-testid=freshness][data-state=live]"
VISITS: dict[str, Visit] = {
    "board": board,
    "inbox": inbox,
    "session": at(SESSION, LIVE, "[data-testid=timeline-row]", "[data-testid=token-chart] canvas"),
    "history": at("#/history?q=rounding", "[data-testid=hit]"),
    "compare": at(
        "#/compare?id=ledger-rounding&id=tide-import&id=kiln-curve",
        "[data-testid=compare-curves] canvas",
        "[data-testid=compare-tools]",
    ),
    "choose": at("#/compare?id=ledger-rounding", "[data-testid=pick]"),
    "about": at("#/about", "[data-testid=worker]", "[data-testid=clients]"),
    "settings": menu,
    "keys": keys,
}


@pytest.fixture(params=LOOKS, ids=[look.name for look in LOOKS])
async def looked_at(
    request: pytest.FixtureRequest, browser: Browser, tower: Tower
) -> AsyncIterator[tuple[Page, Look]]:
    """The made-up team's tower, before anybody has signed in."""
    look: Look = request.param
    await story.told(tower)
    context = await browser.new_context(
        viewport={"width": look.width, "height": look.height},
        color_scheme="dark" if look.dark else "light",
        has_touch=look.width < 500,
    )
    yield await context.new_page(), look
    await context.close()


async def test_no_screen_has_a_barrier(
    looked_at: tuple[Page, Look], tower: Tower, tmp_path: Path
) -> None:
    """axe finds nothing against WCAG 2.1 AA on any screen, and nothing is wider than the window."""
    page, look = looked_at
    found: dict[str, Any] = {}
    await page.goto(tower.url)
    await expect(page.get_by_test_id("login-form")).to_be_visible()
    found["login"] = await seen(page, "login", look, tmp_path)
    await page.goto(tower.login_url)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    await expect(page.get_by_test_id("attention-item")).to_have_count(5)
    for name, visit in VISITS.items():
        await visit(page)
        found[name] = await seen(page, name, look, tmp_path)
    assert {name: told for name, told in found.items() if told} == {}


async def seen(page: Page, name: str, look: Look, folder: Path) -> list[str]:
    """What is wrong with what is seen now."""
    is_shown = look.name == "light" or name in SHOWN_ALWAYS
    is_published = is_shown and bool(os.environ.get("TOWER_SCREENSHOTS"))
    await shot(page, f"{name}-{look.name}", SCREENS if is_published else folder)
    await page.evaluate(AXE.read_text())
    wrong: list[str] = await page.evaluate(CHECK, RULES)
    width = await page.evaluate("document.documentElement.scrollWidth")
    return wrong + ([f"{width} px wide"] if width > look.width else [])
