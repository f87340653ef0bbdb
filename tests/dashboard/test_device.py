"""The page as a part of somebody's device: it can be installed, and moves as little as is asked."""

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard.looking import go
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

# Contexts of these tests are all private ones, in which no browser installs anything.
PRIVATE = "in-incognito"


async def test_the_browser_finds_nothing_against_installing_it(page: Page) -> None:
    """The manifest is read without an error, and its start is the board."""
    session = await page.context.new_cdp_session(page)
    manifest = await session.send("Page.getAppManifest")
    assert manifest["errors"] == []
    assert manifest["manifest"]["startUrl"] == page.url.split("#")[0]
    told = await session.send("Page.getInstallabilityErrors")
    assert [each["errorId"] for each in told["installabilityErrors"]] in ([], [PRIVATE])


async def test_nothing_moves_for_whoever_wants_no_motion(browser: Browser, tower: Tower) -> None:
    """What fades or slides for others is there at once; with motion something really would move."""
    moved, cookies = {}, []
    for wish in ("no-preference", "reduce"):
        context = await browser.new_context(reduced_motion=wish)  # type: ignore[arg-type]
        page = await context.new_page()
        if wish == "no-preference":
            tower.hook(session_id="s1", hook_event_name="UserPromptSubmit", prompt="dig")
            await page.goto(tower.login_url)
        else:
            await context.add_cookies(cookies)  # type: ignore[arg-type]
            await page.goto(tower.url)
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
        cookies = await context.cookies()  # only now is the one that the sign-in sets there
        await page.evaluate(
            "window.moved = 0; for (const kind of ['animationstart', 'transitionrun'])"
            " document.addEventListener(kind, () => window.moved++, true)"
        )
        await go(page, "#/session/s1")
        shown = page.get_by_test_id("session-page")
        await expect(shown).to_have_attribute("data-stale", "false")
        await page.get_by_test_id("opened-tab").hover()
        await page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        moved[wish] = await page.evaluate("window.moved > 0")
        await context.close()
    assert moved == {"no-preference": True, "reduce": False}
