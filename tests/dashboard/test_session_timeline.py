"""The timeline on the page of a session: what is found, shown, opened and copied there."""

import json
from urllib.parse import quote

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.dashboard.test_session_page import SESSION, append, now_ms, opened
from tests.dashboard.towers import Tower, until
from tests.session.made import assistant, prompt, result, tool_use

pytestmark = pytest.mark.browser

LONG = "word " * 1000


def conversation(count: int) -> list[bytes]:
    """So many prompts, each with a number."""
    at = now_ms() - count * 1000
    return [prompt(f"prompt {number}", at=at + number * 1000) for number in range(1, count + 1)]


async def timeline_of(page: Page) -> Locator:
    """The timeline, which has its rows."""
    timeline = (await opened(page)).get_by_test_id("timeline")
    await expect(timeline.get_by_test_id("timeline-row").first).to_be_visible()
    return timeline


async def recorded(tower: Tower) -> None:
    """Wait for all that is no longer held in memory to be in history."""

    def is_there() -> bool:
        told = tower.get(f"/api/sessions/{SESSION}/timeline?before=402&limit=1")["timeline"]
        return isinstance(told, list) and bool(told) and told[0]["seq"] == 401

    await until(is_there)


async def entry_of(tower: Tower, kind: str) -> str:
    """The id of the only entry of a kind, once the tower has it."""
    found: list[str] = []

    def is_there() -> bool:
        told = tower.get(f"/api/sessions/{SESSION}/timeline")["timeline"]
        assert isinstance(told, list)
        found[:] = [each["id"] for each in told if each["kind"] == kind]
        return bool(found)

    await until(is_there)
    return quote(found[0], safe="")


async def test_a_timeline_is_narrowed_by_kind(page: Page, tower: Tower) -> None:
    """Chips count each kind; a tool that failed is among the tools and among the errors."""
    at = now_ms() - 60_000
    append(
        tower, prompt("go", at=at),
        assistant("m1", tool_use("t1"), at=at + 1000), result("t1", at=at + 2000),
        assistant("m2", tool_use("t2"), at=at + 3000), result("t2", at=at + 4000, error=True),
    )  # fmt: skip
    timeline = await timeline_of(page)
    tools, errors = timeline.get_by_test_id("kind-tools"), timeline.get_by_test_id("kind-errors")
    await expect(tools).to_have_text("Tools2")
    rows = timeline.get_by_test_id("timeline-row")
    whole = await rows.count()
    await errors.click()
    assert await rows.count() < whole
    await expect(rows.locator("[data-outcome=failed]")).to_have_count(await rows.count())
    await tools.click()
    await expect(rows.locator("[data-outcome=done]")).to_have_count(1)
    await errors.click()
    await tools.click()
    await expect(rows).to_have_count(whole)


async def test_older_entries_are_loaded_and_what_is_read_stays_in_place(
    page: Page, tower: Tower
) -> None:
    """What the hub let go of comes on demand, above what is read, down to the first."""
    append(tower, *conversation(900))
    timeline = await timeline_of(page)
    await expect(timeline.get_by_text("prompt 900", exact=True)).to_be_visible()
    await recorded(tower)
    scroller = timeline.get_by_role("region", name="Timeline entries")
    await scroller.evaluate("(e) => e.scrollTop = 0")
    first = timeline.get_by_text("prompt 401", exact=True)
    await expect(first).to_be_visible()
    top = "(e) => e.getBoundingClientRect().top"
    before = await first.evaluate(top)
    await timeline.get_by_test_id("load-older").click()
    await expect(timeline.get_by_text("prompt 400", exact=True)).to_be_attached()
    assert await first.evaluate(top) == before
    await scroller.evaluate("(e) => e.scrollTop = 0")
    await timeline.get_by_test_id("load-older").click()
    await scroller.evaluate("(e) => e.scrollTop = 0")
    await timeline.get_by_test_id("load-older").click()
    await expect(timeline.get_by_test_id("load-older")).to_have_count(0)
    await scroller.evaluate("(e) => e.scrollTop = 0")
    await expect(timeline.get_by_text("prompt 1", exact=True)).to_be_visible()


async def test_a_link_leads_to_an_entry_however_far_back(page: Page, tower: Tower) -> None:
    """The entry is loaded, opened, marked and in view; one that never was is not here."""
    append(tower, *conversation(900))
    timeline = await timeline_of(page)
    await expect(timeline.get_by_text("prompt 900", exact=True)).to_be_visible()
    await recorded(tower)
    seq = 3
    await page.evaluate(f"location.hash = '#/session/s1?entry={seq}'")
    row = timeline.locator(f"[data-seq='{seq}']")
    await expect(row).to_be_in_viewport()
    await expect(row).to_have_attribute("data-marked", "true")
    await expect(row).to_have_attribute("data-open", "true")
    await expect(timeline).to_have_attribute("data-following", "false")
    await page.evaluate("location.hash = '#/session/s1?entry=99999'")
    await expect(timeline.get_by_test_id("seek-words")).to_contain_text("This entry is not here")
    await expect(row).to_have_attribute("data-marked", "false")


async def test_an_error_leads_to_where_it_happened(page: Page, tower: Tower) -> None:
    """A click on an error opens its entry, whatever the timeline was narrowed to, each time."""
    at = now_ms() - 60_000
    append(
        tower, prompt("go", at=at),
        assistant("m1", tool_use("t1"), at=at), result("t1", at=at, error=True), *conversation(100),
    )  # fmt: skip
    timeline = await timeline_of(page)
    await timeline.get_by_test_id("kind-prompts").click()
    error = page.get_by_test_id("errors").get_by_role("link").first
    marked = timeline.locator("[data-marked=true]")
    for _ in range(2):
        await error.click()
        await expect(marked).to_be_in_viewport()
        await expect(marked.locator("[data-outcome=failed]")).to_have_count(1)
        await timeline.get_by_role("button", name="Paused").click()
        await expect(timeline).to_have_attribute("data-following", "true")


async def test_a_timeline_is_walked_by_keyboard(page: Page, tower: Tower) -> None:
    """Arrows move the focus from row to row, Enter opens one, f lets it stand and follows again."""
    append(tower, *conversation(100))
    timeline = await timeline_of(page)
    await expect(timeline.get_by_text("prompt 100", exact=True)).to_be_visible()
    await page.keyboard.press("f")
    await expect(timeline).to_have_attribute("data-following", "false")
    await page.keyboard.press("f")
    await expect(timeline).to_have_attribute("data-following", "true")
    await timeline.get_by_role("region", name="Timeline entries").focus()
    await page.keyboard.press("Home")
    focused = page.locator(":focus")
    await expect(focused).to_contain_text("session start")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("j")
    await expect(focused).to_contain_text("prompt 3")
    await expect(focused).to_be_in_viewport()
    await page.keyboard.press("Enter")
    await expect(focused).to_have_attribute("aria-expanded", "true")
    await page.keyboard.press("End")
    await expect(focused).to_contain_text("prompt 100")


async def test_a_text_is_loaded_whole_and_copied(page: Page, tower: Tower) -> None:
    """A cut text comes whole on demand, and what is copied is what is shown."""
    await page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    append(tower, prompt(LONG, at=now_ms()))
    timeline = await timeline_of(page)
    row = timeline.locator("[data-kind=prompt]")
    entry = f"/api/sessions/{SESSION}/entries/{await entry_of(tower, 'prompt')}"
    await until(lambda: tower.get(entry)["whole"] is True)
    await row.get_by_role("button").first.click()
    load = row.get_by_role("button", name="Load all")
    await load.click()
    await expect(load).to_have_count(0)
    assert (await row.locator("pre").inner_text()).strip() == LONG.strip()
    await row.get_by_test_id("copy").click()
    await expect(row.get_by_test_id("copy")).to_have_text("Copied")
    assert (await page.evaluate("navigator.clipboard.readText()")).strip() == LONG.strip()


async def test_a_text_that_is_not_recorded_yet_can_be_asked_for_again(
    page: Page, tower: Tower
) -> None:
    """The page says that the rest is missing, and keeps the button."""
    append(tower, prompt(LONG, at=now_ms()))
    timeline = await timeline_of(page)
    row = timeline.locator("[data-kind=prompt]")

    async def cut(route: Route) -> None:
        told = {"text": "word ", "whole": False}
        await route.fulfill(content_type="application/json", body=json.dumps(told))

    await page.route("**/api/sessions/s1/entries/*", cut)
    await row.get_by_role("button").first.click()
    load = row.get_by_role("button", name="Load all")
    await load.click()
    await expect(row.get_by_role("alert")).to_contain_text("not recorded yet")
    await page.unroute("**/api/sessions/s1/entries/*", cut)
    await expect(load).to_be_visible()


async def test_a_text_is_copied_where_there_is_no_clipboard(page: Page, tower: Tower) -> None:
    """A page that came by plain HTTP copies by a selection."""
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    append(tower, prompt("all of it", at=now_ms()))
    timeline = await timeline_of(page)
    row = timeline.locator("[data-kind=prompt]")
    await row.get_by_role("button").first.click()
    await page.evaluate(
        """document.addEventListener('copy', () => {
          const {value, selectionStart, selectionEnd} = document.activeElement;
          window.copied = value.slice(selectionStart, selectionEnd);
        })"""
    )
    await row.get_by_test_id("copy").click()
    await expect(row.get_by_test_id("copy")).to_have_text("Copied")
    assert await page.evaluate("window.copied") == "all of it"


async def test_a_row_that_says_the_same_is_not_touched_by_what_is_added(
    page: Page, tower: Tower
) -> None:
    """Ten entries more change nothing in the row that a person looks at."""
    append(tower, *conversation(60))
    timeline = await timeline_of(page)
    await expect(timeline.get_by_text("prompt 60", exact=True)).to_be_visible()
    scroller = timeline.get_by_role("region", name="Timeline entries")
    await scroller.evaluate("(e) => e.scrollTop = 0")
    row = timeline.locator("[data-seq='2']")
    await expect(row).to_contain_text("prompt 1")
    await row.evaluate(
        """(row) => {
          window.touched = 0;
          new MutationObserver((all) => (window.touched += all.length)).observe(row, {
            subtree: true, childList: true, characterData: true, attributes: true});
        }"""
    )
    append(tower, *conversation(10))
    await expect(timeline.get_by_role("button", name="10 new")).to_be_visible()
    assert await page.evaluate("window.touched") == 0
