"""The worker's own figures: those that it really has, of a minute and since its start, in words."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

LEAVES_MS = 60_000


def prompted(tower: Tower, text: str) -> None:
    """Something that changes a row."""
    tower.hook(
        session_id="river", cwd="/made/up/river", hook_event_name="UserPromptSubmit", prompt=text
    )


def at(page: Page, table: str, row: str, column: int = 0) -> Any:
    """A figure: of the last minute is 0, since the start 1."""
    return page.locator(f'[data-testid="about-{table}"] [data-row="{row}"] td').nth(column)


async def opened(page: Page) -> None:
    """The way there is in the settings."""
    await page.get_by_test_id("menu").click()
    await page.get_by_role("link", name="About the hub").click()
    await expect(page.get_by_test_id("worker")).to_be_visible()


async def test_the_figures_are_those_of_the_worker(page: Page, tower: Tower) -> None:
    """Its name, its sessions, what it sent and how long that took, growing while one looks."""
    prompted(tower, "dig")
    await opened(page)
    about: Any = tower.get("/api/about")
    await expect(page.get_by_test_id("fact-worker")).to_contain_text(about["worker"])
    await expect(page.get_by_test_id("fact-tab-worker")).to_contain_text(about["worker"])
    await expect(page.get_by_test_id("fact-sessions")).to_contain_text("1 running")
    await expect(page.get_by_test_id("fact-clients")).to_contain_text("1 live")
    await expect(page.get_by_test_id("fact-watching")).to_contain_text("1")
    await expect(page.get_by_test_id("fact-lag")).to_contain_text("0")
    await expect(page.get_by_test_id("health")).to_contain_text("Healthy")
    await expect(at(page, "delays", "overview", 1)).to_contain_text("ms · ")
    await expect(at(page, "delays", "attention")).to_have_text("none")
    frames = at(page, "traffic", "frames", 1)
    before = int((await frames.inner_text()).replace(",", ""))
    for number in range(3):
        prompted(tower, f"dig {number}")
    await expect(at(page, "delays", "overview")).to_contain_text("ms · ")
    await expect(frames).not_to_have_text(str(before))
    await expect(at(page, "traffic", "frames")).to_contain_text("a second")
    await page.get_by_test_id("limits").locator("summary").click()
    await expect(page.get_by_test_id("limits")).to_contain_text("heartbeat_ms")
    await expect(page.get_by_test_id("limits")).to_contain_text("10,000")


async def test_a_tab_knows_its_own_connection(page: Page, tower: Tower) -> None:
    """It names the connection that the hub has, and counts as many frames as were written to it."""
    await opened(page)
    told: Any = tower.get("/api/clients")["clients"]
    (client,) = told
    await expect(page.get_by_test_id("fact-connection")).to_contain_text(client["connection"])
    row = page.locator(f'[data-testid="clients"] [data-connection="{client["connection"]}"]')
    await expect(row).to_contain_text("this tab")
    await expect(row).to_contain_text("dashboard/1.0")
    await expect(row).to_contain_text("at most 60")
    received = page.get_by_test_id("fact-frames").locator("dd")
    assert int(await received.inner_text()) >= 2
    before = int(await received.inner_text())
    prompted(tower, "dig")
    await expect(received).not_to_have_text(str(before))
    # More may come at any time, and is acknowledged a moment later.
    await page.wait_for_function(
        "() => { const of = (name) => document.querySelector(`[data-testid=fact-${name}] dd`)"
        ".textContent; return of('frames') === of('acked'); }"
    )


async def test_a_viewer_is_told_how_many_are_connected_and_why_no_more(
    page: Page, tower: Tower
) -> None:
    """Whoever is no operator does not ask for the others, and reads the reason."""

    async def viewer(route: Route) -> None:
        answer = await route.fetch()
        await route.fulfill(json={**await answer.json(), "role": "viewer"})

    asks: list[str] = []
    await page.route("**/api/me", viewer)
    await page.reload()
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    page.on("request", lambda told: asks.append(told.url) if "/api/clients" in told.url else None)
    await opened(page)
    hidden = page.get_by_test_id("clients-hidden")
    await expect(hidden).to_contain_text("only an operator is told")
    await expect(hidden).to_contain_text("connected.")
    await expect(page.get_by_test_id("clients")).to_have_count(0)
    assert asks == []


async def test_what_is_wrong_is_said_in_words(page: Page, tower: Tower) -> None:
    """A log that is away and browsers that are too slow are named, and so is what came of late."""
    real: Any = tower.get("/api/about")
    counts = iter(range(1, 1000))

    async def ill(route: Route) -> None:
        now = real["now"] + 2000 * (number := next(counts))
        bus = {**real["bus"], "lag_entries": None, "gaps": number}
        closes = {"4001": number}
        changed = {"now": now, "bus": bus, "clients": {"behind": 2}, "closes": closes}
        await route.fulfill(body=json.dumps({**real, **changed}), content_type="application/json")

    await page.route("**/api/about", ill)
    await opened(page)
    health = page.get_by_test_id("health")
    await expect(health).to_contain_text("Needs a look")
    await expect(health).to_contain_text("The log is away")
    await expect(health).to_contain_text("2 browsers are too slow")
    await expect(health).to_contain_text("Entries were lost")
    await expect(at(page, "events", "closes")).to_have_text("4001 1")


async def test_old_figures_stay_and_are_marked_as_such(unwatched: Page, tower: Tower) -> None:
    """Where no answer comes, what was there before is said to be from before, until one comes."""
    page = unwatched
    await opened(page)
    await page.route("**/api/about", lambda route: route.abort())
    await expect(page.get_by_test_id("failure")).to_contain_text("What is shown is from before.")
    await expect(page.get_by_test_id("worker")).to_be_visible()
    await page.unroute("**/api/about")
    await expect(page.get_by_test_id("failure")).to_have_count(0)


async def test_nobody_asks_once_the_page_is_left(page: Page, tower: Tower) -> None:
    """Another screen ends the asking."""
    await opened(page)
    await page.get_by_role("link", name="Board", exact=True).click()
    asks: list[str] = []
    page.on("request", lambda told: asks.append(told.url) if "/api/about" in told.url else None)
    await page.clock.install()
    await page.clock.run_for(LEAVES_MS)
    assert asks == []


async def test_it_has_room_on_a_phone(page: Page, tower: Tower, tmp_path: Path) -> None:
    """Nothing is wider than a phone, in light and in dark."""
    await opened(page)
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await shot(page, f"about-{scheme}", tmp_path)
    await page.set_viewport_size({"width": 390, "height": 844})
    await shot(page, "about-390", tmp_path)
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert await page.evaluate(size) == [390, 844]
