"""Whatever an agent sends is text and nothing else, on every screen, and the layout holds.

The texts are in ``hostile``; they come by hooks, native events and transcripts, in every field.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard import hostile
from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

SIZES = ((1440, 900, 52), (390, 844, 88))
READ_S, POLL_S = 20, 0.1
ENTRIES_MAX = 12
WATCH = """
window.violations = [];
addEventListener('securitypolicyviolation', (event) =>
  window.violations.push(`${event.violatedDirective} ${event.blockedURI}`));
"""
# All that text must never become, and how the screen stands.
AUDIT = """
() => {
  const all = [...document.querySelectorAll('*')];
  const { clientWidth, clientHeight, scrollWidth, scrollHeight } = document.documentElement;
  const header = document.querySelector('header.top')?.getBoundingClientRect();
  const strange = 'script:not([src^="./assets/"], [src^="/assets/"]), img, iframe, frame, object,'
    + 'embed, base, style, audio, video, animate, foreignObject, meta[http-equiv],'
    + 'body *:is(link, meta)';
  return {
    harmed: window.harmed ?? null,
    violations: window.violations ?? [],
    handlers: all.filter((each) => [...each.attributes].some(({ name }) => name.startsWith('on')))
      .map((each) => each.outerHTML.slice(0, 200)),
    strange: [...document.querySelectorAll(strange)].map((each) => each.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll('a[href]')].map((each) => each.href)
      .filter((href) => !href.startsWith(location.origin + '/')),
    beyond: [scrollWidth - clientWidth, scrollHeight - clientHeight],
    header: header && [header.top, header.left, header.width - clientWidth, header.height],
    outside: [...document.querySelectorAll('header.top *')]
      .map((each) => each.getBoundingClientRect())
      .filter(({ left, right, width }) => width > 1 && (left < 0 || right > clientWidth)).length,
  };
}
"""
# Places where a word reads from right to left.
REVERSED = """
word => {
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const node = texts.currentNode;
    for (const { index } of node.data.matchAll(new RegExp(word, 'g'))) {
      const at = (offset) => {
        const range = document.createRange();
        range.setStart(node, index + offset);
        range.setEnd(node, index + offset + 1);
        return range.getBoundingClientRect();
      };
      const first = at(0), last = at(word.length - 1);
      if (first.top === last.top && first.left > last.left)
        found.push(`${node.parentElement.className}: ${node.data}`);
    }
  }
  return found;
}
"""
# The rows that are drawn at a height of the list: who, how high, and the words of the title.
SCROLLED = """
async top => {
  document.querySelector('.scroller').scrollTop = top;
  for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
  return [...document.querySelectorAll('[data-testid=session-row]')].map((row) =>
    [row.dataset.session, row.offsetHeight, row.querySelector('a').textContent]);
}
"""
HEADER_PX = 46
# Whatever can be opened; what it opens may push others out of what is drawn.
PRESS = """
async selector => {
  const found = [...document.querySelectorAll(selector)];
  found.forEach((each) => each.click());
  await new Promise(requestAnimationFrame);
  return found.length;
}
"""


@pytest.fixture
async def told(browser: Browser, tower: Tower) -> AsyncIterator[Page]:
    """A signed-in page: no dialog, no error, no request to anybody else."""
    context = await browser.new_context(viewport={"width": 1440, "height": 900})
    await context.add_init_script(WATCH)
    page = await context.new_page()
    heard: list[str] = []

    def is_other(url: str) -> bool:
        return not url.startswith((f"{tower.url}/", "file:"))

    page.on("dialog", lambda dialog: heard.append(f"dialog {dialog.message}"))
    page.on("pageerror", lambda error: heard.append(f"error {error}"))
    page.on("console", lambda said: heard.append(said.text) if said.type == "error" else None)
    page.on("response", lambda each: heard.append(each.url) if each.status >= 400 else None)
    context.on("page", lambda other: heard.append(f"window {other.url}"))
    context.on("request", lambda asked: heard.append(asked.url) if is_other(asked.url) else None)
    await page.goto(tower.login_url)
    await page.locator("[data-testid=connection][data-state=live]").wait_for()
    yield page
    await context.close()
    assert heard == []


async def audit(page: Page, links: tuple[str, ...] = ()) -> None:
    """Nothing ran, nothing was made of text, nothing stands out of its place."""
    found: dict[str, Any] = await page.evaluate(AUDIT)
    found["links"] = sorted(set(found["links"]) - set(links))
    assert found == {
        "harmed": None, "violations": [], "handlers": [], "strange": [], "links": [],
        "beyond": [0, 0], "header": [0, 0, 0, HEADER_PX], "outside": 0,
    }, page.url  # fmt: skip


def rows(tower: Tower) -> list[dict[str, Any]]:
    """Every session there is."""
    listed: Any = tower.get("/api/sessions?limit=200")["sessions"]
    return list(listed)


async def all_told(tower: Tower, count: int) -> list[dict[str, Any]]:
    """Every session, once there are so many."""
    async with asyncio.timeout(READ_S):
        while True:
            with contextlib.suppress(TimeoutError):
                if len(found := await asyncio.to_thread(rows, tower)) == count:
                    return found
            await asyncio.sleep(POLL_S)


async def at_each_size(page: Page) -> AsyncIterator[int]:
    """The page as on a desk and on a phone, with the height of a row."""
    for width, height, row in SIZES:
        await page.set_viewport_size({"width": width, "height": height})
        yield row


async def test_the_board_shows_hostile_text_as_text(
    told: Page, tower: Tower, tmp_path: Path
) -> None:
    """Rows and inbox items hold exactly the text, each row in its height and its place."""
    for name, text in hostile.TEXTS.items():
        hostile.native(tower, f"native-{name}", text)
        hostile.hooks(tower, hostile.name(text), text)
        hostile.transcript(tower, f"transcript-{name}", text)
    listed = await all_told(tower, 3 * len(hostile.TEXTS))
    titles = {each["id"]: each["title"] for each in listed}
    for name, text in hostile.TEXTS.items():
        assert titles[f"native-{name}"].startswith(text[:5].split("\ud800")[0])
    await expect(told.get_by_test_id("shown")).to_contain_text(str(len(listed)))
    async for height in at_each_size(told):
        seen: dict[str, str] = {}
        while len(seen) < len(titles):
            drawn = await told.evaluate(SCROLLED, len(seen) * height)
            assert {each[1] for each in drawn} == {height}
            assert not {each[0] for each in drawn} <= set(seen)
            seen.update({each[0]: each[2] for each in drawn})
        assert seen == titles
        await audit(told)
    await shot(told, "hostile-390", tmp_path)
    await told.set_viewport_size({"width": 1440, "height": 900})
    await shot(told, "hostile", tmp_path)


async def visit(page: Page, session: str) -> None:
    """Open a session, and all on its page that can be opened."""
    await page.evaluate("id => { location.hash = `#/session/${encodeURIComponent(id)}` }", session)
    shown = page.get_by_test_id("session-page")
    await expect(shown).to_have_attribute("data-session", session)
    await expect(shown).to_have_attribute("data-stale", "false")
    for _ in range(ENTRIES_MAX):
        if not await page.evaluate(PRESS, ".entry-line[aria-expanded=false]"):
            break
    # Not what is done to the session, nor what leaves out a part of the timeline.
    await page.evaluate(
        PRESS, ".card button:not([aria-expanded]), .entry-body button:not([data-testid])"
    )
    more = page.get_by_role("button", name=re.compile("Show the full request|Load all"))
    await expect(more).to_have_count(0)


@pytest.mark.parametrize("way", ["native", "hooks", "transcript"])
async def test_a_session_page_shows_hostile_text_as_text(
    told: Page, tower: Tower, way: str, tmp_path: Path
) -> None:
    """Every panel, opened entries, full requests: nothing runs, nothing is out of its place."""
    for name, text in hostile.TEXTS.items():
        session = f"{name}-1" if way != "hooks" else hostile.name(text)
        getattr(hostile, way)(tower, session, text)
    listed = await all_told(tower, len(hostile.TEXTS))
    for each in listed:
        await visit(told, each["id"])
        async for _ in at_each_size(told):
            await audit(told)
        await told.get_by_role("button", name=re.compile("^Close")).first.click()
    await shot(told, f"hostile-{way}", tmp_path)


async def test_only_a_web_address_becomes_a_link(told: Page, tower: Tower) -> None:
    """A reference of any other scheme is text; a web address leads there and nowhere else."""
    web = [name for name, text in hostile.LINKS.items() if text.startswith("https:")]
    for name, text in hostile.LINKS.items():
        hostile.tell(tower, name, "mine", "prompt", text="go", event_id=text, title=text)
    await all_told(tower, len(hostile.LINKS))
    for name, text in hostile.LINKS.items():
        await visit(told, name)
        links = await told.evaluate(f"({AUDIT})().links")
        assert len(links) == (1 if name in web else 0), (text, links)
        assert all(link.startswith("https://elsewhere.invalid/") for link in links)
        await audit(told, tuple(links))


async def test_history_and_reports_show_hostile_text_as_text(
    told: Page, tower: Tower, tmp_path: Path
) -> None:
    """The list, what a search found, usage by every name, and the report that is handed on."""
    for name, text in hostile.TEXTS.items():
        hostile.transcript(tower, f"transcript-{name}", f"findable {text}")
    listed = await all_told(tower, len(hostile.TEXTS))
    await told.evaluate("() => { location.hash = '#/history' }")
    await expect(told.get_by_test_id("history-row")).to_have_count(len(listed))
    async for _ in at_each_size(told):
        await audit(told)
    await told.set_viewport_size({"width": 1440, "height": 900})
    await told.get_by_test_id("search").fill("findable")
    await expect(told.get_by_test_id("hit").first).to_be_visible()
    async for height in at_each_size(told):
        await audit(told)
        await shot(told, f"hostile-history-{height}", tmp_path)
    for each in listed:
        path = f"/api/export?format=html&ids={quote(each['id'])}"
        answer = await told.request.get(tower.url + path)
        assert answer.ok
        report = tmp_path / "report.html"
        report.write_bytes(await answer.body())
        await told.goto(report.as_uri())
        await reported(told)


async def reported(page: Page) -> None:
    """A report is text without a script, wherever it is opened."""
    found = await page.evaluate(AUDIT)
    assert found["harmed"] is None
    assert (found["handlers"], found["links"], found["beyond"][0]) == ([], [], 0)
    assert [each for each in found["strange"] if not each.startswith(("<style", "<meta"))] == []


@pytest.mark.parametrize("bend", ["override", "isolates"])
async def test_text_that_turns_its_direction_turns_no_neighbour(
    told: Page, tower: Tower, bend: str
) -> None:
    """Around one hostile field every other text reads from left to right, on every screen."""
    for field in hostile.BENT_FIELDS:
        hostile.bent(tower, f"s-{field}", field, hostile.TEXTS[bend])
    await all_told(tower, len(hostile.BENT_FIELDS))
    await expect(told.get_by_test_id("session-row")).to_have_count(len(hostile.BENT_FIELDS))
    assert await told.evaluate(REVERSED, hostile.NEIGHBOUR) == []
    for field in hostile.BENT_FIELDS:
        await visit(told, f"s-{field}")
        assert await told.evaluate(REVERSED, hostile.NEIGHBOUR) == [], field
    # What a person is asked to allow reads as it will be run.
    await visit(told, "s-text")
    await expect(told.get_by_test_id("attention-card")).to_contain_text("\\u202e")
    await expect(told.locator(".entry-body pre").first).to_contain_text("\\u202e")
    await told.evaluate("() => { location.hash = '#/history' }")
    await expect(told.get_by_test_id("history-row")).to_have_count(len(hostile.BENT_FIELDS))
    assert await told.evaluate(REVERSED, hostile.NEIGHBOUR) == []
