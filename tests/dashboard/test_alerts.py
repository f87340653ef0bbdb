"""Alerts: asked for, one per item whatever the page goes through, and what the tab itself says."""

import json
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, BrowserContext, Page, WebSocketRoute, expect

from tests.dashboard.test_attention_inbox import answered, asks
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

# What would be seen and heard on the desktop is written down instead.
STUBS = """
window.notes = [];
window.tones = 0;
window.Notification = class {
  static get permission() { return localStorage.answer ?? 'default'; }
  static async requestPermission() { return (localStorage.answer = '%s'); }
  constructor(title, options) {
    Object.assign(this, {title, ...options, closed: false});
    window.notes.push(this);
  }
  close() { this.closed = true; this.onclose?.(); }
};
const node = () => ({
  connect: (to) => to, start: () => window.tones++, stop() {}, frequency: {},
  gain: {setValueAtTime() {}, linearRampToValueAtTime() {}, exponentialRampToValueAtTime() {}},
});
window.AudioContext = class {
  state = 'suspended';
  currentTime = 0;
  async resume() { this.state = 'running'; }
  createOscillator() { return node(); }
  createGain() { return node(); }
};
"""
SHOWN = "() => window.notes.filter((each) => !each.closed).map(({title, body}) => [title, body])"
TITLES = "() => window.notes.filter((each) => !each.closed).map(({title}) => title)"


async def stubbed(browser: Browser, answer: str = "granted") -> BrowserContext:
    """A browser of somebody's own, whose notifications and sounds are written down."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(STUBS % answer)
    return context


@pytest.fixture
async def context(browser: Browser) -> AsyncIterator[BrowserContext]:
    """One that has not been asked for notifications and would allow them."""
    made = await stubbed(browser)
    yield made
    await made.close()


async def opened(context: BrowserContext, url: str) -> Page:
    """A tab with the board, as it is live."""
    page = await context.new_page()
    await page.goto(url)
    await live(page)
    return page


async def live(page: Page) -> None:
    """The board hears the tower."""
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


async def switch(page: Page, *names: str) -> None:
    """Turn switches of the settings."""
    await page.get_by_test_id("menu").click()
    for name in names:
        await page.get_by_test_id(f"menu-{name}").click()
    await page.keyboard.press("Escape")
    await expect(page.get_by_test_id("menu-panel")).to_be_hidden()


async def told(page: Page, *titles: str) -> None:
    """Exactly these notifications are on the desktop by this tab."""
    await page.wait_for_function(
        f"(wanted) => JSON.stringify(({TITLES})()) === wanted",
        arg=json.dumps(titles, separators=(",", ":")),
    )


async def counted(page: Page, count: int) -> None:
    """So many items are open, and whatever follows from that has been done."""
    await expect(page.get_by_test_id("attention-count")).to_have_attribute("data-count", str(count))


async def test_an_item_is_told_once_and_taken_back_when_it_is_over(
    context: BrowserContext, tower: Tower
) -> None:
    """Not what was open before; what opens; and not again after a reload."""
    page = await opened(context, tower.login_url)
    asks(tower, "before", "Bash", command="make before")
    await counted(page, 1)
    await switch(page, "desktop")
    await told(page)
    asks(tower, "s1", "Bash", command="make s1")
    await told(page, "work on s1 needs you")
    [[_, body]] = await page.evaluate(SHOWN)
    assert "permission · Bash" in body
    assert body.endswith("\nmake s1")
    await page.reload()
    await live(page)
    await counted(page, 2)
    asks(tower, "s2", "Bash", command="make s2")
    await told(page, "work on s2 needs you")
    answered(tower, "s2", "Bash")
    await told(page)


async def test_what_opened_while_no_tab_was_there_is_told(
    context: BrowserContext, tower: Tower
) -> None:
    """A tab that comes back tells what came meanwhile, many at once in one."""
    page = await opened(context, tower.login_url)
    await switch(page, "desktop")
    asks(tower, "s0", "Bash", command="make s0")
    await told(page, "work on s0 needs you")
    await page.goto("about:blank")
    asks(tower, "s1", "Bash", command="make s1")
    page = await opened(context, tower.url)
    await told(page, "work on s1 needs you")
    await page.goto("about:blank")
    for number in range(2, 8):
        asks(tower, f"s{number}", "Bash", command="make")
    page = await opened(context, tower.url)
    await told(page, "6 need you")


async def test_a_notification_leads_to_its_session(context: BrowserContext, tower: Tower) -> None:
    """A click on it opens the session."""
    page = await opened(context, tower.login_url)
    await switch(page, "desktop")
    asks(tower, "s1", "Bash", command="make")
    await told(page, "work on s1 needs you")
    await page.evaluate("window.notes[0].onclick()")
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "s1")
    await told(page)


async def test_of_several_tabs_one_tells(context: BrowserContext, tower: Tower) -> None:
    """The tab that was used last does, and when it is closed another."""
    first = await opened(context, tower.login_url)
    second = await opened(context, tower.url)
    await switch(first, "desktop")
    asks(tower, "s1", "Bash", command="make")
    await told(first, "work on s1 needs you")
    await counted(second, 1)
    await told(second)
    await second.bring_to_front()
    await second.mouse.click(300, 600)
    asks(tower, "s2", "Bash", command="make")
    await told(second, "work on s2 needs you")
    await counted(first, 2)
    await told(first, "work on s1 needs you")
    await second.close()
    asks(tower, "s3", "Bash", command="make")
    await told(first, "work on s1 needs you", "work on s3 needs you")


async def test_a_sound_is_short_and_seldom(context: BrowserContext, tower: Tower) -> None:
    """Once as a sample, then for what opens, and never twice within two seconds."""
    page = await opened(context, tower.login_url)
    await page.clock.install()
    await switch(page, "sound")
    await page.wait_for_function("window.tones === 2")
    await page.clock.run_for(2100)
    asks(tower, "s1", "Bash", command="make")
    asks(tower, "s2", "Bash", command="make")
    for _ in range(20):
        await page.clock.run_for(20)
    await counted(page, 2)
    assert await page.evaluate("window.tones") == 4


async def test_a_pinned_session_that_has_finished_is_told(
    context: BrowserContext, tower: Tower
) -> None:
    """Of pinned sessions, and only where somebody wants it."""
    await context.add_init_script("localStorage['tower.pins'] = '[\"s1\", \"s2\"]'")
    page = await opened(context, tower.login_url)
    await switch(page, "desktop", "finished")
    for session in ("s1", "other"):
        common = {"session_id": session, "cwd": "/made/up/ledger"}
        tower.hook(**common, hook_event_name="UserPromptSubmit", prompt=f"work on {session}")
    await expect(page.locator("[data-testid=session-row][data-status=running]")).to_have_count(2)
    for session in ("other", "s1"):
        tower.hook(session_id=session, cwd="/made/up/ledger", hook_event_name="Stop")
    await told(page, "work on s1 has finished")


async def test_a_switch_that_the_browser_forbids_stays_off(browser: Browser, tower: Tower) -> None:
    """Nothing is asked before somebody wants it, and a no is said in words."""
    context = await stubbed(browser, answer="denied")
    page = await opened(context, tower.login_url)
    await page.get_by_test_id("menu").click()
    desktop = page.get_by_test_id("menu-desktop")
    await expect(page.get_by_test_id("menu-finished")).to_be_disabled()
    assert await page.evaluate("Notification.permission") == "default"
    await desktop.click()
    await expect(page.get_by_test_id("menu-desktop-note")).to_contain_text(
        "The browser forbids notifications of this page."
    )
    await expect(desktop).not_to_be_checked()
    await context.close()


async def test_the_tab_says_how_many_wait_and_whether_it_hears(
    context: BrowserContext, tower: Tower
) -> None:
    """In its title and by its icon, also where the tower cannot be reached."""
    sockets: list[WebSocketRoute] = []

    async def through(socket: WebSocketRoute) -> None:
        if sockets:
            await socket.close(code=1011)
            return
        sockets.append(socket)
        socket.connect_to_server()

    await context.route_web_socket("**/ws", through)
    page = await opened(context, tower.login_url)
    icon = page.locator("link[rel=icon]")
    await expect(page).to_have_title("Agent Tower")
    await expect(icon).to_have_attribute("href", "icon.svg")
    asks(tower, "s1", "Bash", command="make")
    asks(tower, "s2", "Bash", command="make")
    await expect(page).to_have_title("(2) Agent Tower")
    await expect(icon).to_have_attribute("href", "icon-attention.svg")
    for session in ("s1", "s2"):
        answered(tower, session, "Bash")
    await expect(icon).to_have_attribute("href", "icon.svg")
    await context.route("**/api/**", lambda route: route.abort())
    await sockets[0].close(code=1011)
    await expect(icon).to_have_attribute("href", "icon-offline.svg")
