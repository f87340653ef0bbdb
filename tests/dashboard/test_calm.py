"""The board is calm: what did not change is not touched, and nothing is drawn more often than seen.

Ages are left out of all of this: they are texts of their own, which the clock changes.
"""

import json

import pytest
from playwright.async_api import Page, expect

from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

SESSIONS = 30
CHANGES = 20
# Tokens of today are asked of history now and then.
SUMMED_MS = 30_000

# Every mutation of the list, by the session whose row it is in; null is the list itself.
WATCH = """
() => {
  const list = document.querySelector('[role=grid] .scroller');
  const element = (node) => (node.nodeType === 1 ? node : node.parentElement);
  window.touched = [];
  new MutationObserver((records) => {
    for (const { type, target, attributeName } of records) {
      if (element(target)?.closest('time')) continue;
      const row = element(target)?.closest('[data-testid=session-row]');
      window.touched.push([row?.dataset.session ?? null, attributeName ?? type]);
    }
  }).observe(list, {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}
"""

# While `held` is a list the frames of the hub wait in it, until `release` hands them out at once.
HOLD = """
const { set } = Object.getOwnPropertyDescriptor(WebSocket.prototype, 'onmessage');
Object.defineProperty(WebSocket.prototype, 'onmessage', {
  set(handler) {
    set.call(this, (event) => {
      if (window.held) window.held.push(() => handler(event));
      else handler(event);
    });
  },
});
window.release = () => {
  const frames = window.held;
  window.held = [];
  frames.forEach((frame) => frame());
  return frames.length;
};
"""

# In which animation frame the board was changed; null is outside of any. This callback is the
# first of every frame, for the page asks for its own later; a task of its own ends the frame.
COUNT = """
() => {
  window.batches = [];
  window.frame = 0;
  let current = null;
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = () => (current = null);
  const tick = () => {
    current = ++window.frame;
    port2.postMessage(0);
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  new MutationObserver((records) => {
    const element = ({ target }) => (target.nodeType === 1 ? target : target.parentElement);
    if (records.some((each) => !element(each)?.closest('time'))) window.batches.push(current);
  }).observe(document.querySelector('main.board'), {
    subtree: true, childList: true, characterData: true, attributes: true,
  });
}
"""


def tell(tower: Tower, session: str, *events: dict[str, object]) -> None:
    """What an agent of one's own says about its session."""
    for event in events:
        tower.post("/v1/events", {"session": session, "agent": "made-up", **event})


def work(call: int) -> tuple[dict[str, object], ...]:
    """A tool that starts and ends, and what it cost: activity, and no other status."""
    tool = {"call": f"c{call}", "tool": ("Bash", "Read", "Edit")[call % 3]}
    tokens = {"model": "claude-opus-4-6", "input": 100, "output": 1000}
    return (
        {"id": f"s{call}", "kind": "tool_start", **tool},
        {"id": f"u{call}", "kind": "usage", **tokens},
        {"id": f"e{call}", "kind": "tool_end", "status": "ok", **tool},
    )


async def board(page: Page, tower: Tower) -> None:
    """So many sessions that run, all of them on the page."""
    for number in range(SESSIONS):
        prompt = {"id": "p", "kind": "prompt", "text": "Do it", "title": f"Task {number}"}
        tell(tower, f"s{number:02}", prompt)
    await expect(page.get_by_test_id("shown")).to_have_text(f"{SESSIONS} of {SESSIONS}")
    totals = page.locator("[data-testid=totals] [data-status=running]")
    await expect(totals).to_contain_text(str(SESSIONS))


async def rows(page: Page) -> list[tuple[str, str]]:
    """Which session's row is where."""
    told = await page.get_by_test_id("session-row").evaluate_all(
        "(all) => all.map((each) => [each.dataset.session, each.style.transform])"
    )
    return sorted(map(tuple, told))


async def test_a_row_whose_data_did_not_change_is_not_touched(page: Page, tower: Tower) -> None:
    """Many changes of one session touch its own row and nothing else in the list, totals or not."""
    await board(page, tower)
    await page.evaluate(WATCH)
    for call in range(CHANGES):
        tell(tower, "s20", *work(call))
    await expect(page.get_by_test_id("totals")).to_contain_text("22.0k", timeout=SUMMED_MS)
    touched = await page.evaluate("window.touched")
    assert {session for session, _ in touched} == {"s20"}


async def test_frames_between_two_animation_frames_are_drawn_as_one(
    page: Page, tower: Tower
) -> None:
    """However many frames arrive meanwhile, the board is changed in one animation frame alone."""
    await page.add_init_script(HOLD)
    await page.reload()
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    await board(page, tower)
    # What the page asks by itself is answered before: how much the model takes in, what today cost.
    tell(tower, f"s{SESSIONS - 1}", *work(CHANGES))
    await expect(page.get_by_test_id("context")).to_be_visible()
    await expect(page.get_by_test_id("total-tokens")).to_contain_text("1.1k", timeout=SUMMED_MS)
    await page.evaluate(COUNT)
    await page.evaluate("() => { window.held = []; }")
    for call in range(CHANGES):
        tell(tower, f"s{call + 5:02}", *work(call))
        ask = {"id": f"a{call}", "kind": "permission", "text": "May I?", "call": f"a{call}"}
        tell(tower, f"s{call + 5:02}", ask)
    await page.wait_for_function(f"() => window.held.length > {CHANGES}")
    assert await page.evaluate("window.release()") > CHANGES
    asked = await page.evaluate("window.frame")
    await page.wait_for_function(f"() => window.frame > {asked + 2}")
    batches = await page.evaluate("window.batches")
    assert len(batches) >= 1
    assert None not in batches, "changed outside of an animation frame"
    assert len(set(batches)) == 1


async def test_activity_alone_moves_no_row(page: Page, tower: Tower) -> None:
    """Sessions that work stay where they are, however recent their last sign of life is."""
    await board(page, tower)
    before = await rows(page)
    await page.evaluate(WATCH)
    for call in range(CHANGES):
        tell(tower, f"s{call + 10:02}", *work(call))
    await expect(page.get_by_test_id("totals")).to_contain_text("22.0k", timeout=SUMMED_MS)
    touched = await page.evaluate("window.touched")
    assert len({session for session, _ in touched}) > 5
    assert [each for each in touched if each[1] in {"style", "aria-rowindex"}] == []
    assert await rows(page) == before, json.dumps(touched[:20])
