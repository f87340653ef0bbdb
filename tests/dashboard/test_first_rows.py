"""What a person sees first, and what the page leaves for afterwards."""

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.agents import begin, reloaded, rows, spend, tell
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

ITEMS = 20

# When the frame came, when the rows did, and what had been asked for until then.
WATCH = """
const first = (what, selector) => {
  if (window.seen[what] || !document.querySelector(selector)) return;
  const asked = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  window.seen[what] = { asked, items: document.querySelectorAll('.inbox-item').length };
};
window.seen = {};
new MutationObserver(() => {
  window.seen.frame ??= document.querySelector('.frame')
    && { rows: document.querySelectorAll('[data-testid=session-row]').length };
  first('row', '[data-testid=session-row]');
}).observe(document, { childList: true, subtree: true });
"""
# A machine with other work may need longer than the page waits for its rows: SOON_MS of startup.ts.
PATIENT = """
const set = window.setTimeout;
window.setTimeout = (call, ms, ...more) => set(call, ms === 300 ? 30_000 : ms, ...more);
"""
SILENT = "window.WebSocket = class extends EventTarget { close() {} send() {} };"


async def test_the_frame_comes_with_the_rows(page: Page, tower: Tower) -> None:
    """Once, so that the browser paints once."""
    for name in ("a", "b", "c"):
        begin(tower, name)
    await expect(rows(page)).to_have_count(3)
    await page.add_init_script(PATIENT + WATCH)
    await reloaded(page)
    await expect(rows(page)).to_have_count(3)
    assert (await page.evaluate("window.seen.frame")) == {"rows": 3}


async def test_what_can_wait_is_asked_for_behind_the_rows(page: Page, tower: Tower) -> None:
    """Sums, activity, pieces of script and names; they come all the same, and so do all items."""
    begin(tower, "a")
    spend(tower, "a", 1000)
    for number in range(ITEMS):
        tell(tower, "a", "permission", text="May I?", call=f"c{number}")
    await expect(page.get_by_test_id("attention-item")).to_have_count(ITEMS)
    await page.add_init_script(WATCH)
    await reloaded(page)
    await expect(page.get_by_test_id("attention-item")).to_have_count(ITEMS)
    await page.wait_for_function(
        "() => ['/api/activity', '/api/usage', '/api/budgets'].every((path) =>"
        " performance.getEntriesByType('resource').some(({ name }) => name.includes(path)))"
    )
    before = await page.evaluate("window.seen.row")
    assert [path for path in before["asked"] if path.startswith("/api/")] == ["/api/me"]
    assert not [path for path in before["asked"] if "/page-" in path]
    assert 0 < before["items"] < ITEMS


async def test_rows_that_do_not_come_are_not_waited_for(page: Page, tower: Tower) -> None:
    """The page says then that it is not connected, and has everything but rows."""
    begin(tower, "a")
    await expect(rows(page)).to_have_count(1)
    await page.add_init_script(SILENT)
    await page.reload()
    await expect(page.get_by_test_id("connection")).to_be_visible()
    await expect(page.get_by_test_id("filter")).to_be_visible()
    assert await rows(page).count() == 0
