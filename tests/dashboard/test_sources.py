"""What the page of a session says of where its numbers come from."""

import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower
from tests.session.made import OPUS, assistant, attributes, prompt

pytestmark = pytest.mark.browser

AGO_MS = 10 * 60_000
TIMER_MS = 25_000  # the timer looks every 15 s


def written(tower: Tower, at: int) -> None:
    """A transcript of three calls: one of another session, one without a price, one plain."""
    lines = [
        assistant("m0", at=at, forkedFrom={"sessionId": "parent"}),
        prompt("go", at=at),
        assistant("m1", at=at),
        assistant("m2", at=at, model="made-up-model"),
    ]
    path = tower.home / "projects" / "-made-up" / "s1.jsonl"
    path.write_bytes(b"".join(lines))


def exported(tower: Tower, at: int) -> None:
    """Telemetry that knows of a little more."""
    told = attributes({
        "session.id": "s1", "event.sequence": 1, "request_id": "r1", "model": OPUS,
        "input_tokens": 230, "output_tokens": 20, "cost_usd": 0.5,
    })  # fmt: skip
    record = {
        "timeUnixNano": str(at * 1_000_000),
        "body": {"stringValue": "claude_code.api_request"},
        "attributes": told,
    }
    tower.post("/v1/logs", {"resourceLogs": [{"scopeLogs": [{"logRecords": [record]}]}]})


async def test_a_session_says_where_its_numbers_come_from(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """Which counts, how far others are off, what is not counted, and what is behind or spent."""
    at = int(time.time() * 1000) - AGO_MS
    written(tower, at)
    exported(tower, at)
    tower.hook(session_id="s1", cwd="/made/up", hook_event_name="UserPromptSubmit", prompt="on")
    await expect(page.get_by_test_id("cell-tokens")).to_have_text("220")
    tower.patch("/api/sessions/s1", {"budget_usd": 0.0005})
    await page.evaluate("location.hash = '#/session/s1'")
    sources = page.get_by_test_id("sources")
    counted = sources.locator("[data-source=transcript]")
    await expect(counted).to_contain_text("counts")
    await expect(sources.locator("[data-source=otlp]")).to_contain_text("says 13.6 % more")
    await expect(sources).to_contain_text(
        "110 tokens (<$0.01) inherited from another session, not counted."
    )
    cost = page.get_by_test_id("metric-cost")
    await expect(cost).to_contain_text(
        "Some calls have no price: this is a lower bound. "
        "Without a price: made-up-model. Prices: genai-prices"
    )
    await expect(page.get_by_test_id("silent")).to_contain_text(
        "tokens may be behind", timeout=TIMER_MS
    )
    card = page.get_by_test_id("attention-card")
    await expect(card).to_contain_text("100 % of the session's budget is spent", timeout=TIMER_MS)
    await expect(card.get_by_role("button")).to_have_count(0)
    await shot(page, "sources", tmp_path)
    await page.evaluate("location.hash = '#/'")
    item = page.get_by_test_id("attention-item")
    await expect(item).to_have_attribute("data-kind", "budget")
    await shot(page, "budget", tmp_path)
