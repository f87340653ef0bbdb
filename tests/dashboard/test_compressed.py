"""The board over a compressed WebSocket, as a real browser agrees on it."""

import urllib.request

import pytest
from playwright.async_api import Browser, expect
from prometheus_client.parser import text_string_to_metric_families

from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

AGREED = {"permessage-deflate", "server_no_context_takeover", "client_no_context_takeover"}


def shared_deflated(tower: Tower) -> float:
    """How many deflated frames the hub has shared so far."""
    with urllib.request.urlopen(tower.url + "/metrics", timeout=5) as answer:
        families = text_string_to_metric_families(str(answer.read(), "utf-8"))
    return sum(
        sample.value
        for family in families
        for sample in family.samples
        if sample.name == "tower_hub_frames_total" and sample.labels["sharing"] == "shared_deflated"
    )


async def test_the_browser_gets_frames_that_were_deflated_for_all(
    browser: Browser, tower: Tower
) -> None:
    """Its handshake agrees on the extension, the board works, and the hub's counter grows."""
    page = await (await browser.new_context()).new_page()
    handshakes: list[dict[str, str]] = []
    watched = await page.context.new_cdp_session(page)
    await watched.send("Network.enable")
    watched.on(
        "Network.webSocketHandshakeResponseReceived",
        lambda told: handshakes.append(
            {name.lower(): value for name, value in told["response"]["headers"].items()}
        ),
    )
    await page.goto(tower.login_url)
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    [headers] = handshakes
    extension = {each.strip() for each in headers["sec-websocket-extensions"].split(";")}
    assert extension >= AGREED
    assert not any(each.startswith("server_max_window_bits") for each in extension - AGREED)
    before = shared_deflated(tower)
    for number in range(8):
        tower.hook(
            session_id=f"s{number}", cwd=f"/made/up/p{number}",
            hook_event_name="UserPromptSubmit", prompt=f"task {number} " + "x" * 1_500,
        )  # fmt: skip
    row = page.get_by_test_id("session-row")
    await expect(row).to_have_count(8)
    await row.first.click()
    opened = page.get_by_test_id("session-page")
    await expect(opened).to_have_attribute("data-stale", "false")
    assert shared_deflated(tower) > before
    [told] = tower.get("/api/clients")["clients"]  # type: ignore[misc]
    assert told["compressed"] is True
    await page.context.close()
