"""What a person sees while an agent works."""

import json
import re
import statistics
import time
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.towers import Tower, run

pytestmark = pytest.mark.browser

WITHIN_MS = 100
APART_MS = 120
SETTLED_MS = 60

WATCH = """
() => {
  window.changes = [];
  const row = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest(
    '[data-testid=session-row]');
  new MutationObserver((records) => {
    const at = performance.timeOrigin + performance.now();
    const seen = new Set(records.map((each) => row(each.target)?.dataset.session));
    for (const session of seen) if (session?.startsWith('replay-')) window.changes.push(at);
  }).observe(document.body, {subtree: true, childList: true, characterData: true,
    attributes: true});
}
"""


def lags_ms(lines: list[int], changes: list[float]) -> list[float]:
    """For lines that stand alone in time: how long until the row changed, if it did."""
    alone = [
        at
        for before, at, after in zip(
            [0, *lines[:-1]], lines, [*lines[1:], lines[-1] + 10_000], strict=True
        )
        if at - before > SETTLED_MS and after - at > APART_MS
    ]
    found = []
    for at in alone:
        later = [change - at for change in changes if 0 <= change - at < APART_MS]
        if later:
            found.append(min(later))
    return found


@pytest.mark.fixtures
async def test_a_replayed_line_changes_its_row_within_100_ms(
    page: Page, tower: Tower, shared_fixtures: Path
) -> None:
    """A row changes within 100 ms of the line being written."""
    await page.evaluate(WATCH)
    growth = str(shared_fixtures / "growth")
    replay = run("replay", growth, "--speed", "50", "--to", tower.url, "--json")
    lines: list[int] = []
    assert replay.stdout is not None
    deadline = time.monotonic() + 25
    for line in replay.stdout:
        lines.append(json.loads(line)["at"])
        if time.monotonic() > deadline:
            break
    replay.terminate()
    replay.wait(5)
    replay.stdout.close()
    await expect(page.get_by_test_id("session-row")).to_have_count(1)
    changes = await page.evaluate("window.changes")
    lags = lags_ms(lines, changes)
    await page.get_by_test_id("session-row").click()
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-stale", "false")
    assert len(lags) >= 5, (len(lines), len(changes))
    assert statistics.median(lags) <= WITHIN_MS, sorted(lags)


async def test_a_permission_request_appears_and_goes(page: Page, tower: Tower) -> None:
    """An open permission stands in the inbox and the title until it is answered."""
    common = {"session_id": "s1", "cwd": "/made/up/app"}
    call = {"tool_name": "Bash", "tool_input": {"command": "make <b>all</b>"}}
    tower.hook(**common, hook_event_name="UserPromptSubmit", prompt="build it")
    tower.hook(**common, hook_event_name="PreToolUse", tool_use_id="t1", **call)
    tower.hook(**common, hook_event_name="PermissionRequest", **call)
    item = page.get_by_test_id("attention-item")
    await expect(item).to_have_attribute("data-session", "s1")
    await expect(item).to_contain_text("make <b>all</b>")
    row = page.get_by_test_id("session-row")
    await expect(row).to_have_attribute("data-status", "waiting")
    await expect(page).to_have_title(re.compile("1"))
    tower.hook(**common, hook_event_name="PostToolUse", tool_use_id="t1", **call)
    await expect(item).to_have_count(0)
    await expect(row).to_have_attribute("data-status", "running")


async def test_a_hook_only_session_has_unknown_tokens(page: Page, tower: Tower) -> None:
    """Tokens of a session without a transcript read unknown, never 0."""
    tower.hook(session_id="s2", cwd="/made/up", hook_event_name="SessionStart", source="startup")
    await expect(page.get_by_test_id("cell-tokens")).to_have_text("unknown")


async def test_a_fifth_opened_session_quiets_the_least_recently_opened(
    page: Page, tower: Tower
) -> None:
    """Its tab and a line say which one went quiet, and reopening it catches up."""
    for number in range(5):
        tower.hook(
            session_id=f"s{number}", cwd=f"/made/up/p{number}",
            hook_event_name="UserPromptSubmit", prompt=f"task {number}",
        )  # fmt: skip
    await expect(page.get_by_test_id("session-row")).to_have_count(5)
    for number in range(5):
        await page.evaluate(f"location.hash = '#/session/s{number}'")
        opened = page.get_by_test_id("session-page")
        await expect(opened).to_have_attribute("data-session", f"s{number}")
        await expect(opened).to_have_attribute("data-stale", "false")
    quiet = page.locator("[data-testid=opened-tab][data-session=s0]")
    await expect(quiet).to_have_attribute("data-quiet", "true")
    told = page.get_by_text("“task 0” went quiet: at most 4 sessions are followed at once.")
    await expect(told).to_be_visible()
    await page.evaluate("location.hash = '#/session/s0'")
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "s0")
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-stale", "false")
