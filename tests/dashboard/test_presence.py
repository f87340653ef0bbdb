"""What a person is told about the fan-out itself: who else watches, what pauses, what is anew."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from playwright.async_api import Browser, Page, Route, ViewportSize, expect

from hub.live import handover
from hub.live.cache import Held
from hub.worker import now_ms
from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower
from tests.hub.made import event
from tests.hub.servers import TOKEN, Served, served, until

pytestmark = pytest.mark.browser

WIDE: ViewportSize = {"width": 1440, "height": 900}
KEY = ("default", "s1")


@pytest.fixture
async def hub() -> AsyncIterator[Served]:
    """A hub in this process, so that a test can make it say things."""
    async with served() as running:
        yield running


async def opened(browser: Browser, url: str, token: str) -> Page:
    """The board in a browser of its own, signed in by the token form."""
    page = await (await browser.new_context(viewport=WIDE)).new_page()
    await page.goto(url)
    form = page.get_by_test_id("login-form")
    await form.locator("input").fill(token)
    await form.locator("button[type=submit]").click()
    return page


async def live(browser: Browser, hub: Served, hash_: str = "") -> Page:
    """A board of ``hub`` that shows the present."""
    page = await opened(browser, f"{hub.url}/{hash_}", TOKEN)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    return page


async def test_two_browsers_are_told_of_each_other_and_nothing_moves(
    browser: Browser, page: Page, tower: Tower, tmp_path: Path
) -> None:
    """One alone reads nothing, two read "2 watching", and the one that is left nothing again."""
    watching = page.get_by_test_id("watching")
    attention = page.get_by_test_id("attention-count")
    await expect(watching).to_have_count(0)
    before = await attention.bounding_box()
    other = await opened(browser, tower.url, tower.token)
    for each in (page, other):
        told = each.get_by_test_id("watching")
        await expect(told.locator("[aria-hidden]")).to_have_text("2 watching")
        await expect(told.locator(".hidden")).to_have_text("2 browsers are watching this board")
    assert await attention.bounding_box() == before
    await shot(page, "watching", tmp_path)
    await page.set_viewport_size({"width": 390, "height": 780})
    await shot(page, "watching-390", tmp_path)
    await page.set_viewport_size(WIDE)
    await other.context.close()
    await expect(watching).to_have_count(0)


async def test_a_warning_stays_until_its_end_and_news_can_be_dismissed(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """log_away stands there until log_back comes; a person takes the rest away."""
    page = await live(browser, hub)
    notices = page.get_by_test_id("notice")
    await expect(page.get_by_test_id("notices")).to_have_attribute("aria-live", "polite")
    before = await page.get_by_test_id("attention-count").bounding_box()
    hub.board.notify("warning", "log_lost", "The log lost entries: the board is read anew.")
    hub.board.notify("warning", "log_away", "Live updates pause: the log is away.")
    await expect(notices).to_have_count(2)
    assert await page.get_by_test_id("attention-count").bounding_box() == before
    await shot(page, "notices", tmp_path)
    for width in (1000, 390):
        await page.set_viewport_size({"width": width, "height": 780})
        await shot(page, f"notices-{width}", tmp_path)
    await page.set_viewport_size(WIDE)
    hub.board.notify("info", "log_back", "Live updates go on.")
    await expect(page.locator("[data-code=log_away]")).to_have_count(0)
    await expect(page.locator("[data-code=log_back]")).to_have_text("Live updates go on.")
    await shot(page, "notice-info", tmp_path)
    await page.locator("[data-code=log_lost]").get_by_role("button", name="Dismiss").click()
    await expect(page.locator("[data-code=log_lost]")).to_have_count(0)


async def test_a_session_whose_log_was_lost_is_not_live_until_it_was_read_anew(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """Page and tab say so in words; the snapshot alone makes it live again."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    shown, tab = page.get_by_test_id("session-page"), page.get_by_test_id("opened-tab")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")
    handover.lose(hub.board, lambda key: key == KEY, "trimmed")
    await expect(page.get_by_test_id("freshness")).to_have_text("Being read anew…")
    await expect(shown).to_have_attribute("data-stale", "true")
    await expect(tab).to_contain_text("read anew")
    await shot(page, "stale", tmp_path)
    read_anew(hub)
    await expect(shown).to_have_attribute("data-stale", "false")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")
    await expect(tab).not_to_contain_text("read anew")


def read_anew(hub: Served) -> None:
    """The session as the log tells it, taken over as a worker does."""
    held = hub.board.cache.held[KEY]
    anew = Held(held.session, held.epoch)
    handover.replace(hub.board, lambda key: key == KEY, [anew], "trimmed", now_ms())
    hub.hub.worker.pump()


@pytest.mark.parametrize(
    ("reason", "short", "words"),
    [
        ("slow", "too slow", "this browser was too slow"),
        ("deleted", "deleted", "This session was deleted"),
    ],
)
async def test_an_evicted_session_says_why(
    browser: Browser, hub: Served, tmp_path: Path, reason: str, short: str, words: str
) -> None:
    """Nothing more comes, and the page and its tab say what happened."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")
    [client] = hub.board.clients.values()
    client.close(KEY)
    hub.board.evict(client, KEY, reason)
    hub.board.deliver()
    await expect(page.get_by_test_id("freshness")).to_contain_text(words)
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-stale", "true")
    await expect(page.get_by_test_id("opened-tab")).to_contain_text(short)
    await shot(page, f"evicted-{reason}", tmp_path)


async def test_a_snapshot_that_fails_is_asked_for_once_more(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """After the second refusal a person may ask, and is answered."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    fresh = page.get_by_test_id("freshness")
    await expect(fresh).to_have_text("Live")
    [client] = hub.board.clients.values()
    handover.lose(hub.board, lambda key: key == KEY, "trimmed")
    subscribe = hub.board.subscribe
    asked: list[str] = []

    def fail(_client: object, session: str, *_more: object) -> None:
        asked.append(session)
        hub.board.say_error(client, "snapshot_failed", "cannot be read now", session, 100)

    hub.board.subscribe = fail  # type: ignore[method-assign, assignment]
    hub.board.say_error(client, "snapshot_failed", "cannot be read now", "s1", 100)
    hub.board.deliver()
    await expect(fresh).to_contain_text("It could not be read")
    await expect(fresh.get_by_role("button", name="Try again")).to_be_visible()
    await shot(page, "not-read", tmp_path)
    assert asked == ["s1"]
    hub.board.subscribe = subscribe  # type: ignore[method-assign]
    await fresh.get_by_role("button", name="Try again").click()
    read_anew(hub)
    await expect(fresh).to_have_text("Live")


async def test_what_was_refused_for_coming_too_often_is_asked_again_once(
    browser: Browser, hub: Served
) -> None:
    """The refusal names no request, so the latest ones are asked anew; a line says so."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    fresh = page.get_by_test_id("freshness")
    await expect(fresh).to_have_text("Live")
    [client] = hub.board.clients.values()
    for hash_, active in (("#/", None), ("#/session/s1", KEY)):
        await page.evaluate(f"location.hash = '{hash_}'")
        await until(lambda wanted=active: client.subscriptions.active == wanted)
    client.subscriptions.activate(None)
    for _ in range(2):
        hub.board.say_error(client, "rate", "too many messages; slow down", retry_ms=50)
    hub.board.deliver()
    told = page.locator("[data-testid=notice][data-code=rate]")
    await expect(told).to_have_text("Too many messages; slow down. Trying again.")
    await until(lambda: client.subscriptions.active == KEY)
    assert client.attached


async def test_a_full_board_says_so(browser: Browser, tmp_path: Path) -> None:
    """4006: the page tells why it is empty, and when it comes again."""
    async with served(connections_max=0) as full:
        page = await opened(browser, full.url, TOKEN)
        connection = page.get_by_test_id("connection")
        await expect(connection).to_contain_text("the board is full, again in")
        await expect(page.locator(".empty").first).to_be_visible()
        await expect(page.get_by_text("The board is full: no more browsers")).to_be_visible()
        await shot(page, "full", tmp_path)


async def test_an_expired_credential_leads_to_the_form_and_back(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """4005: a person signs in again and goes on where they were."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    [connection] = hub.hub.connections
    connection.end(4005)
    form = page.get_by_test_id("login-form")
    await expect(form).to_contain_text("Your sign-in has expired")
    await form.locator("input").fill(TOKEN)
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "s1")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")


async def test_an_answer_that_comes_late_does_not_hide_the_form(
    browser: Browser, hub: Served
) -> None:
    """Who we are was asked before the credential expired; its answer changes nothing any more."""
    held = asyncio.Event()

    async def late(route: Route) -> None:
        await held.wait()
        await route.continue_()

    page = await (await browser.new_context(viewport=WIDE)).new_page()
    await page.goto(hub.url)
    await page.route("**/api/me", late)
    form = page.get_by_test_id("login-form")
    await form.locator("input").fill(TOKEN)
    async with page.expect_response("**/api/me") as answered:
        await form.locator("button[type=submit]").click()
        await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
        [connection] = hub.hub.connections
        connection.end(4005)
        await expect(form).to_contain_text("Your sign-in has expired")
        held.set()
    await (await answered.value).finished()
    await page.evaluate("new Promise(requestAnimationFrame)")
    await expect(form).to_contain_text("Your sign-in has expired")


async def test_state_that_the_hub_calls_invalid_comes_back_by_snapshots(
    browser: Browser, hub: Served
) -> None:
    """4003: no cursor is offered for resumption, and the session is subscribed anew."""
    await hub.log(event("prompt", "s1", text="build it"))
    page = await live(browser, hub, "#/session/s1")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")
    [connection] = hub.hub.connections
    hub.board.tally.snapshots.clear()
    connection.end(4003, retry_ms=1_000)
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-stale", "true")
    await expect(page.get_by_test_id("freshness")).to_have_text("Live")
    assert dict(hub.board.tally.snapshots) == {"subscribe": 1}


async def test_a_board_is_whole_through_permessage_deflate(browser: Browser, hub: Served) -> None:
    """The browser agrees on it, and snapshots in several parts come out of it unharmed."""
    count = 300
    title = "a title that is long enough for several parts " * 5
    await hub.log(*(event("prompt", f"s{at}", text=title) for at in range(count)))
    page = await live(browser, hub)
    watch = await page.context.new_cdp_session(page)
    agreed: list[str] = []
    watch.on(
        "Network.webSocketHandshakeResponseReceived",
        lambda told: agreed.append(
            {name.lower(): value for name, value in told["response"]["headers"].items()}[
                "sec-websocket-extensions"
            ]
        ),
    )
    await watch.send("Network.enable")
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    await expect(page.get_by_test_id("total-sessions")).to_contain_text(str(count))
    [extension] = agreed
    assert extension.startswith("permessage-deflate")
    assert "server_no_context_takeover" in extension
    await hub.log(event("permission", "s7", tool="Bash", summary="make", call="c1"))
    await expect(page.get_by_test_id("attention-item")).to_have_attribute("data-session", "s7")
