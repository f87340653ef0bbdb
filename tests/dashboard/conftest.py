"""A running tower and a page in Debian's Chromium for every browser test."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, async_playwright

from tests.dashboard.towers import Tower, started

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def tower(tmp_path: Path) -> Iterator[Tower]:
    """A tower of this test's own."""
    with started(tmp_path) as running:
        yield running


@pytest.fixture
async def browser(chromium: str) -> AsyncIterator[Browser]:
    """Headless Chromium."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=chromium, args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
async def page(browser: Browser, tower: Tower) -> AsyncIterator[Page]:
    """The board, logged in through the one-time URL; any error in the console fails the test."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900}, bypass_csp=False)
    page = await context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda told: errors.append(told.text) if told.type == "error" else None)
    await page.goto(tower.login_url)
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    yield page
    await context.close()
    assert errors == []


@pytest.fixture
async def unwatched(browser: Browser, tower: Tower) -> AsyncIterator[Page]:
    """The board where the console may say that a request was refused."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    page = await context.new_page()
    await page.goto(tower.login_url)
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    yield page
    await context.close()
