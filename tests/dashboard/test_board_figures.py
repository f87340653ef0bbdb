"""The figures of the board: of each row, of today, and of what may be spent."""

import re

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.agents import begin, expect_order, press, reloaded, row, rows, spend, tell
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

SLOW_MS = 30_000

WATCH = """
() => {
  window.touched = [];
  new MutationObserver((records) => {
    for (const {target, attributeName} of records) {
      const node = target.nodeType === 1 ? target : target.parentElement;
      const row = node?.closest('[data-testid=session-row]');
      // Time that passes changes ages and the picture of the last minutes, and that is all.
      if (!row || node.closest('time, .sparkline')) continue;
      const what = `${node.className} ${attributeName ?? ''}`;
      window.touched.push([row.dataset.session, what]);
    }
  }).observe(document.body, {subtree: true, childList: true, characterData: true,
    attributes: true});
}
"""


async def test_a_row_shows_what_its_model_has_taken_in_and_done(page: Page, tower: Tower) -> None:
    """The context is a share where the model is known, and the last half hour is drawn."""
    begin(tower, "a")
    begin(tower, "b")
    begin(tower, "c")
    spend(tower, "a", 500, cache_read=849_400)
    spend(tower, "b", 500, cache_read=3_000, model="made-up-model")
    gauge = row(page, "a").get_by_test_id("context")
    await expect(gauge).to_have_attribute("data-level", "high")
    await expect(gauge).to_have_text("85%")
    await expect(gauge).to_have_attribute("title", re.compile(r"850,000 of 1,000,000 .* 85 %"))
    await expect(row(page, "b").locator("[data-column=context]")).to_have_text("3.6k")
    await expect(row(page, "c").locator("[data-column=context]")).to_have_text("unknown")
    await expect(row(page, "c").get_by_test_id("sparkline")).to_have_count(0)
    spend(tower, "a", 700, cache_read=849_400)
    bars = row(page, "a").get_by_test_id("sparkline")
    await expect(bars).to_have_attribute("aria-label", re.compile(r"\d tokens in the last 30"))
    await reloaded(page)
    await expect(bars).to_have_attribute("aria-label", re.compile(r"^1\.4k tokens"))
    spend(tower, "a", 4_000, cache_read=849_400)
    await expect(bars).to_have_attribute("aria-label", re.compile(r"^5\.5k tokens"))


async def test_a_row_that_did_not_change_is_not_touched(page: Page, tower: Tower) -> None:
    """While one session works, in groups, with a filter and by cost, nothing is done to another."""
    begin(tower, "a", cwd="/made/up/mill")
    begin(tower, "b", cwd="/made/up/mill")
    spend(tower, "b", 90_000)
    await expect(rows(page)).to_have_count(2)
    await press(page, "g")
    await page.get_by_test_id("sort-cost").click()
    await page.get_by_test_id("chip-running").click()
    await expect_order(page, "b", "a")
    await expect(row(page, "b").get_by_test_id("context")).to_be_visible()
    await page.evaluate(WATCH)
    for number in range(5):
        spend(tower, "a", 100)
        tell(tower, "a", "tool_start", call=f"t{number}", tool=f"Saw{number}")
        await expect(row(page, "a")).to_contain_text(f"Saw{number}")
    touched = await page.evaluate("window.touched")
    assert {session for session, _ in touched} == {"a"}, touched


async def test_the_figures_of_today_are_those_of_history(page: Page, tower: Tower) -> None:
    """Tokens and cost above the list are what history has of today, now and a while later."""
    begin(tower, "a")
    spend(tower, "a", 10_000)
    cost, tokens = page.get_by_test_id("total-cost"), page.get_by_test_id("total-tokens")
    await expect(tokens.locator(".total-value")).to_have_text("10.1k", timeout=SLOW_MS)
    spend(tower, "a", 20_000)
    await expect(tokens.locator(".total-value")).to_have_text("30.2k", timeout=SLOW_MS)
    told = tower.get("/api/usage?by=day")["total"]
    assert isinstance(told, dict)
    await expect(cost.locator(".total-value")).to_have_text(f"${told['cost_usd']:.2f}")
    await expect(cost).to_have_attribute("title", re.compile(r"All sessions on the board: \$0\."))


async def test_a_budget_is_shown_only_where_there_is_one(page: Page, tower: Tower) -> None:
    """It says what is spent of what, and that it is crossed."""
    begin(tower, "a")
    spend(tower, "a", 40_000)
    await expect(page.get_by_test_id("total-cost")).to_contain_text("$1.00", timeout=SLOW_MS)
    await expect(page.get_by_test_id("budget-day")).to_have_count(0)
    tower.change("PUT", "/api/budgets", {"day": 1.2})
    await reloaded(page)
    budget = page.get_by_test_id("budget-day")
    await expect(budget).to_contain_text("$1.00 of $1.20")
    await expect(budget).to_have_attribute("data-level", "high")
    await expect(page.get_by_test_id("budget-month")).to_have_count(0)
    tower.change("PUT", "/api/budgets", {"day": None, "month": 0.5})
    await reloaded(page)
    await expect(page.get_by_test_id("budget-month")).to_contain_text("over the month's budget")
    await expect(budget).to_have_count(0)


async def test_a_total_shows_its_sessions_alone(page: Page, tower: Tower) -> None:
    """Pressing the count of a status filters by it, and pressing it again lets all come back."""
    begin(tower, "a")
    begin(tower, "b")
    tell(tower, "b", "stop")
    await expect(rows(page)).to_have_count(2)
    idle = page.get_by_test_id("total-idle")
    await idle.click()
    await expect_order(page, "b")
    await expect(idle).to_have_attribute("aria-pressed", "true")
    await idle.click()
    await expect(rows(page)).to_have_count(2)
