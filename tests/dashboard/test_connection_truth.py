"""The board never shows old values as present ones, and is right soon after the network is there.

Browser and tower are joined by a line that is cut, forgotten and refused; hooks go to the tower
past it. What has to be so within a time is waited for with that time as the deadline.
"""

import asyncio
import contextlib
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, expect

from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower, ended, ready, up
from tests.dashboard.wire import Wire, wire_to

pytestmark = pytest.mark.browser

SAYS_SO_MS = 25_000
RIGHT_MS = 5_000
CUT_S = 20
LIVE_AGAIN_MS = 35_000  # the longest wait between two attempts, and the attempt
SLEPT_MS = 120_000
HEARTBEAT = re.compile(r"heartbeat \d+ s ago")

# What the connection's mark said, in order; and the clock of a machine that has slept.
TOLD = """
window.told = []; window.slept_ms = 0;
let last;
const now = Date.now.bind(Date);
Date.now = () => now() + window.slept_ms;
new MutationObserver(() => {
  const state = document.querySelector('[data-testid=connection]')?.dataset.state;
  if (state && state !== last) window.told.push(last = state);
}).observe(document, {subtree: true, childList: true, attributes: true,
  attributeFilter: ['data-state']});
"""
# The row's status in the very moment in which the board says again that it is live.
LIVE_STATUS = """
() => document.querySelector('[data-testid=connection]').dataset.state === 'live'
  && document.querySelector('[data-testid=session-row]').dataset.status
"""

# A headless Chromium shows every tab, so the page is told that it is hidden.
HIDDEN = """
hidden => {
  Object.defineProperty(document, 'hidden', {value: hidden, configurable: true});
  document.dispatchEvent(new Event('visibilitychange'));
}
"""


def prompted(tower: Tower, session: str = "s1") -> None:
    """An agent begins to work."""
    common = {"session_id": session, "cwd": "/made/up/mill"}
    tower.hook(**common, hook_event_name="UserPromptSubmit", prompt="build it")


def asked(tower: Tower, session: str = "s1", command: str = "make all") -> None:
    """The agent needs a person."""
    call = {"tool_name": "Bash", "tool_input": {"command": command}}
    common = {"session_id": session, "cwd": "/made/up/mill", **call}
    tower.hook(**common, hook_event_name="PreToolUse", tool_use_id=command)
    tower.hook(**common, hook_event_name="PermissionRequest")


@pytest.fixture
async def wire(tower: Tower) -> AsyncIterator[Wire]:
    """A line to this test's tower."""
    async with wire_to(tower) as wire:
        yield wire


async def let_in(browser: Browser, url: str, token: str) -> BrowserContext:
    """A browser that holds the cookie; its pages tell what they said."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(TOLD)
    answer = await context.request.post(f"{url}/login", data={"token": token})
    assert answer.ok
    return context


async def opened(context: BrowserContext, url: str, at: str = "", state: str = "live") -> Page:
    """A page, once it says ``state``."""
    page = await context.new_page()
    await page.goto(f"{url}/{at}")
    await says(page, state, SAYS_SO_MS)
    return page


async def says(page: Page, state: str | re.Pattern[str], within_ms: float = RIGHT_MS) -> None:
    """The connection's mark says so in time."""
    mark = page.get_by_test_id("connection")
    await expect(mark).to_have_attribute("data-state", state, timeout=within_ms)


async def is_right(board: Page, session: Page, command: str) -> None:
    """Row, inbox and session's page show, as present, that s1 waits for ``command``."""
    row = board.locator("[data-testid=session-row][data-session=s1]")
    item = board.get_by_test_id("attention-item").filter(has_text=command)
    page = session.get_by_test_id("session-page")
    card = session.get_by_test_id("attention-card").filter(has_text=command)
    line = session.locator(".entry-line").filter(has_text=command)
    await asyncio.gather(
        expect(row).to_have_attribute("data-status", "waiting", timeout=RIGHT_MS),
        expect(item).to_be_visible(timeout=RIGHT_MS),
        expect(board.locator("main")).to_have_attribute("data-stale", "false", timeout=RIGHT_MS),
        expect(page).to_have_attribute("data-stale", "false", timeout=RIGHT_MS),
        expect(card).to_be_visible(timeout=RIGHT_MS),
        expect(line.first).to_be_visible(timeout=RIGHT_MS),
    )


async def looks_old(board: Page, session: Page) -> None:
    """Both say that what they show is not the present."""
    page = session.get_by_test_id("session-page")
    await expect(board.locator("main")).to_have_attribute("data-stale", "true", timeout=SAYS_SO_MS)
    await expect(page).to_have_attribute("data-stale", "true", timeout=SAYS_SO_MS)
    await expect(session.get_by_test_id("freshness")).to_contain_text("Not connected")


async def told(page: Page) -> list[str]:
    """The words of the mark since the last asking."""
    words: list[str] = await page.evaluate("window.told.splice(0)")
    return words


async def test_a_line_that_is_cut_for_20_s_is_told_of_and_made_good(
    browser: Browser, wire: Wire, tower: Tower, tmp_path: Path
) -> None:
    """Half open, nobody is told: behind, then offline, with old looks and ages that go on; right
    5 s after the line is there again, and never live with the values of before.
    """
    prompted(tower)
    context = await let_in(browser, wire.url, tower.token)
    board, session = (
        await opened(context, wire.url),
        await opened(context, wire.url, "#/session/s1"),
    )
    await told(board)
    wire.cut()
    over = asyncio.get_running_loop().time() + CUT_S
    await asyncio.to_thread(asked, tower)
    detail = board.locator(".connection-detail")
    age = board.locator("[data-testid=session-row] [data-column=updated]")
    before = await age.text_content()
    not_live = re.compile("behind|offline")
    await asyncio.gather(*(says(page, not_live, SAYS_SO_MS) for page in (board, session)))
    await expect(detail).to_have_text(HEARTBEAT)
    await asyncio.gather(*(says(page, "offline", SAYS_SO_MS) for page in (board, session)))
    await looks_old(board, session)
    await expect(age).not_to_have_text(before or "")
    await expect(detail).to_have_text(HEARTBEAT)
    await expect(board.get_by_test_id("session-row")).to_have_attribute("data-status", "running")
    await shot(board, "offline", tmp_path)
    await asyncio.sleep(over - asyncio.get_running_loop().time())
    assert await told(board) == ["behind", "offline"]
    wire.restore()
    shown = board.wait_for_function(LIVE_STATUS, timeout=LIVE_AGAIN_MS)
    await is_right(board, session, "make all")
    assert await (await shown).json_value() == "waiting"
    await says(session, "live")
    await context.close()


async def test_a_tower_that_was_killed_is_told_of_and_found_again(
    browser: Browser, tmp_path: Path
) -> None:
    """SIGKILL, then the same port and data: offline, right 5 s after it is ready, cookie valid."""
    port = free_port()
    with contextlib.ExitStack() as stack:
        process = stack.enter_context(ended(up(tmp_path, port)))
        tower = await asyncio.to_thread(ready, process, tmp_path)
        prompted(tower)
        context = await let_in(browser, tower.url, tower.token)
        board = await opened(context, tower.url)
        session = await opened(context, tower.url, "#/session/s1")
        process.kill()
        await says(board, "offline", SAYS_SO_MS)
        await looks_old(board, session)
        again = stack.enter_context(ended(up(tmp_path, port)))
        tower = await asyncio.to_thread(ready, again, tmp_path)
        await asyncio.to_thread(asked, tower)
        await is_right(board, session, "make all")
        await asyncio.gather(*(says(page, "live", LIVE_AGAIN_MS) for page in (board, session)))
        await expect(board.get_by_test_id("login-form")).to_have_count(0)
        await context.close()


def free_port() -> int:
    """A port that nobody has at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.asynccontextmanager
async def asleep(browser: Browser, *pages: Page) -> AsyncIterator[None]:
    """The renderers stand still; when they go on, the clock has moved by two minutes.

    Real: the page's process stands still. Simulated: the two minutes, by which ``Date.now`` jumps;
    timers, as in a real sleep, have not counted them.
    """
    devtools = await browser.new_browser_cdp_session()
    processes = (await devtools.send("SystemInfo.getProcessInfo"))["processInfo"]
    renderers = [each["id"] for each in processes if each["type"] == "renderer"]
    clocks = []
    for renderer in renderers:
        os.kill(renderer, signal.SIGSTOP)
    try:
        # They read this when they go on.
        jump = f"window.slept_ms = {SLEPT_MS}"
        clocks = [asyncio.create_task(page.evaluate(jump)) for page in pages]
        yield
    finally:
        for renderer in renderers:
            os.kill(renderer, signal.SIGCONT)
    await asyncio.gather(*clocks)
    await devtools.detach()


async def test_a_laptop_that_slept_is_right_soon_after_it_wakes(
    browser: Browser, wire: Wire, tower: Tower
) -> None:
    """The lid closed over a visible tab, so that no event tells the page: its clock does."""
    prompted(tower)
    context = await let_in(browser, wire.url, tower.token)
    board, session = (
        await opened(context, wire.url),
        await opened(context, wire.url, "#/session/s1"),
    )
    await told(board)
    async with asleep(browser, board, session):
        wire.forget()
        await asyncio.to_thread(asked, tower)
    await is_right(board, session, "make all")
    await asyncio.gather(*(says(page, "live") for page in (board, session)))
    assert (await told(board))[0] in ("behind", "offline")
    await context.close()


async def blocked(browser: Browser, tower: Tower, upgrades: str) -> None:
    """Polling is said and does its work; where sockets work again, the page is live by itself."""
    name = f"s-{upgrades}"
    prompted(tower, name)
    async with wire_to(tower) as wire:
        wire.upgrades = upgrades
        context = await let_in(browser, wire.url, tower.token)
        board = await opened(context, wire.url, state="polling")
        session = await opened(context, wire.url, f"#/session/{name}", state="polling")
        await expect(board.get_by_test_id("connection")).to_contain_text("Polling")
        await expect(board.get_by_test_id("connection")).to_contain_text("every 2 s")
        page = session.get_by_test_id("session-page")
        await expect(page).to_have_attribute("data-stale", "false")
        await asyncio.to_thread(asked, tower, name)
        row = board.locator(f"[data-testid=session-row][data-session={name}]")
        line = session.locator(".entry-line").filter(has_text="make all")
        item = board.locator(f"[data-testid=attention-item][data-session={name}]")
        await asyncio.gather(
            expect(row).to_have_attribute("data-status", "waiting", timeout=RIGHT_MS),
            expect(item).to_be_visible(timeout=RIGHT_MS),
            expect(line.first).to_be_visible(timeout=RIGHT_MS),
        )
        await expect(page).to_have_attribute("data-stale", "false")
        wire.upgrades = "pass"
        await asyncio.gather(*(says(each, "live", LIVE_AGAIN_MS) for each in (board, session)))
        await expect(page).to_have_attribute("data-stale", "false")
        await context.close()


async def test_where_websockets_are_blocked_the_page_polls_and_says_so(
    browser: Browser, tower: Tower
) -> None:
    """Refused by 403 or 502, or closed behind the handshake: changes show within 5 s."""
    await asyncio.gather(*(blocked(browser, tower, each) for each in ("403", "502", "end")))


async def test_a_page_that_polls_says_when_nobody_answers(
    browser: Browser, wire: Wire, tower: Tower
) -> None:
    """Cut while it polls: offline and old; right 5 s after the line is there, by polling alone."""
    prompted(tower)
    wire.upgrades = "403"
    context = await let_in(browser, wire.url, tower.token)
    board = await opened(context, wire.url, state="polling")
    session = await opened(context, wire.url, "#/session/s1", state="polling")
    wire.cut()
    await asyncio.to_thread(asked, tower)
    await asyncio.gather(*(says(page, "offline", SAYS_SO_MS) for page in (board, session)))
    await looks_old(board, session)
    wire.restore()
    await is_right(board, session, "make all")
    await says(board, "polling")
    await context.close()


def rates(devtools: CDPSession) -> list[int]:
    """The rates that a page asks for, as they go over its socket."""
    asked_for: list[int] = []

    def sent(event: dict[str, Any]) -> None:
        found = re.search(r'"type":"rate","hz":(\d+)', event["response"]["payloadData"])
        if found:
            asked_for.append(int(found[1]))

    devtools.on("Network.webSocketFrameSent", sent)
    return asked_for


async def test_a_hidden_tab_asks_for_one_frame_a_second(
    browser: Browser, wire: Wire, tower: Tower
) -> None:
    """1 Hz as soon as the tab is hidden, 60 when it is seen again; its title counts on."""
    prompted(tower)
    context = await let_in(browser, wire.url, tower.token)
    page = await context.new_page()
    devtools = await context.new_cdp_session(page)
    await devtools.send("Network.enable")
    asked_for = rates(devtools)
    await page.goto(wire.url)
    await says(page, "live")
    await page.evaluate(HIDDEN, arg=True)
    await asyncio.to_thread(asked, tower)
    await expect(page).to_have_title(re.compile(r"\(1\)"))
    assert asked_for == [1]
    await page.evaluate(HIDDEN, arg=False)
    await expect(page.get_by_test_id("attention-item")).to_be_visible()
    assert asked_for == [1, 60]
    await context.close()
