"""The screen of history: what is looked for is found, in the days and pages that are asked for."""

import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Locator, Page, Route, expect

from tests.dashboard.looking import go, shot
from tests.dashboard.towers import Tower, until
from tests.session.made import assistant, prompt, result, tool_use, usage

pytestmark = pytest.mark.browser

DAY_MS = 24 * 60 * 60_000
LIST = re.compile(r"/api/sessions\?")
MENDED = "Please mend <b>the turbine</b> of the mill before it storms"


def day_of(ago: int) -> str:
    """A day of UTC, so many before today."""
    return (datetime.now(UTC) - timedelta(days=ago)).strftime("%Y-%m-%d")


def written(tower: Tower, name: str, text: str, *lines: bytes, at: int, cwd: str) -> None:
    """A transcript whose lines stand below what was asked for in a folder."""
    path = tower.home / "projects" / "-made-up" / f"{name}.jsonl"
    path.write_bytes(prompt(text, at=at, cwd=cwd) + b"".join(lines))


async def past(tower: Tower) -> None:
    """Sessions of today, of three days ago with a tool that failed, and of long ago, unpriced."""
    now = int(time.time() * 1000)
    flour = assistant("m0", at=now, usage=usage(700))
    written(tower, "today", "Sell the flour", flour, at=now, cwd="/made/up/shop")
    then = now - 3 * DAY_MS
    much = usage(5_000, cache_read_input_tokens=90_000)
    turns = assistant("m1", tool_use("t1"), at=then, usage=much), result("t1", at=then, error=True)
    written(tower, "turbine", MENDED, *turns, at=then, cwd="/made/up/mill")
    then = now - 40 * DAY_MS
    built = assistant("m2", at=then, model="made-up-model")
    written(tower, "old", "Build a mill", built, at=then, cwd="/made/up/mill")
    await until(lambda: spent(tower, "day")["total"]["sessions"] == 3)


def spent(tower: Tower, by: str, more: str = "") -> Any:
    """What the API says of usage."""
    return tower.get(f"/api/usage?by={by}{more}")


def asked(page: Page) -> dict[str, str]:
    """What stands in the address."""
    told = parse_qs(urlsplit(page.url).fragment.partition("?")[2])
    return {name: values[0] for name, values in told.items()}


def rows(page: Page) -> Locator:
    """The sessions that are listed."""
    return page.get_by_test_id("history-row")


async def downloaded(page: Page, link: Locator) -> tuple[str, str]:
    """The name and the text of the file behind a link."""
    async with page.expect_download() as waiting:
        await link.click()
    download = await waiting.value
    return download.suggested_filename, text_of(await download.path())


def text_of(path: Path) -> str:
    """A file, without a byte order mark."""
    return path.read_text("utf-8-sig")


async def test_a_word_finds_a_session_and_is_marked_where_it_stands(
    page: Page, tower: Tower
) -> None:
    """A search lists the session alone, with the place as text and the word in a mark."""
    await past(tower)
    await page.get_by_role("link", name="History").click()
    await expect(rows(page)).to_have_count(3)
    await page.get_by_test_id("search").fill("turbine")
    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_test_id("total")).to_have_text("1 session")
    hit = page.get_by_test_id("hit")
    await expect(hit).to_contain_text(MENDED)
    await expect(hit.locator("mark").first).to_have_text("turbine")
    await expect(hit.locator("b")).to_have_count(0)
    assert asked(page) == {"q": "turbine"}
    await rows(page).locator("a.title").click()
    opened = page.get_by_test_id("session-page")
    await expect(opened).to_have_attribute("data-session", "turbine")
    await page.go_back()
    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_test_id("search")).to_have_value("turbine")


async def test_filters_and_days_live_in_the_address(page: Page, tower: Tower) -> None:
    """What is chosen is in the address, holds after a reload, and goes away by Back."""
    await past(tower)
    await go(page, "#/history")
    await expect(rows(page)).to_have_count(3)
    await page.get_by_test_id("span-7").click()
    await expect(rows(page)).to_have_count(2)
    assert asked(page) == {"since": day_of(6)}
    await page.get_by_test_id("choice-project").select_option("mill")
    await expect(rows(page)).to_have_count(1)
    await page.reload()
    await expect(rows(page)).to_have_count(1)
    await expect(page.get_by_test_id("choice-project")).to_have_value("mill")
    await expect(page.get_by_test_id("span-7")).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_test_id("since")).to_have_value(day_of(6))
    await page.go_back()
    await expect(rows(page)).to_have_count(2)
    assert asked(page) == {"since": day_of(6)}
    await page.get_by_test_id("until").fill(day_of(2))
    await page.get_by_test_id("until").blur()
    await expect(rows(page)).to_have_count(1)
    await expect(rows(page)).to_have_attribute("data-session", "turbine")
    assert asked(page) == {"since": day_of(6), "until": day_of(2)}


async def test_statuses_and_the_order_are_asked_for(page: Page, tower: Tower) -> None:
    """Pressed statuses are what is listed, and the costliest comes first where that is wanted."""
    await past(tower)
    await go(page, "#/history")
    await page.get_by_test_id("choice-order").select_option("cost")
    await expect(rows(page).first).to_have_attribute("data-session", "turbine")
    await page.get_by_test_id("chip-failed").click()
    await expect(page.get_by_test_id("nothing")).to_be_visible()
    await expect(page.get_by_test_id("total")).to_have_text("0 sessions")
    assert asked(page) == {"status": "failed", "sort": "cost"}


async def test_more_is_loaded_page_by_page(page: Page, tower: Tower) -> None:
    """The second page comes behind the first, each session once, and the focus goes on there."""
    for number in range(60):
        tower.hook(
            session_id=f"s{number}", cwd=f"/made/up/p{number}",
            hook_event_name="UserPromptSubmit", prompt=f"task {number}",
        )  # fmt: skip
    await until(lambda: tower.get("/api/sessions")["total"] == 60)
    await go(page, "#/history")
    await expect(rows(page)).to_have_count(50)
    await expect(page.get_by_test_id("total")).to_have_text("60 sessions, 50 shown")
    await page.get_by_test_id("more").click()
    await expect(rows(page)).to_have_count(60)
    await expect(page.get_by_test_id("total")).to_have_text("60 sessions")
    await expect(page.get_by_test_id("more")).to_have_count(0)
    ids = await rows(page).evaluate_all("rows => rows.map((row) => row.dataset.session)")
    assert len(set(ids)) == 60
    await expect(rows(page).nth(50).locator("a.title")).to_be_focused()
    await rows(page).nth(40).scroll_into_view_if_needed()
    body = page.locator(".history-body")
    top = await body.evaluate("body => body.scrollTop")
    await rows(page).nth(40).locator("a.title").click()
    await expect(page.get_by_test_id("session-page")).to_be_visible()
    await page.go_back()
    await expect(rows(page)).to_have_count(60)
    await expect(body).to_have_js_property("scrollTop", top)


async def test_the_usage_panel_says_what_the_api_says(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """Sums, models, projects, tools and days are those of /api/usage for the days of the list."""
    await past(tower)
    await go(page, "#/history")
    total = spent(tower, "day")["total"]
    tokens = page.get_by_test_id("usage-tokens").locator("span")
    await expect(tokens).to_have_attribute(
        "title",
        f"input {total['input']:,} · output {total['output']:,} · "
        f"cache read {total['cache_read']:,} · cache write {total['cache_write'] or 0:,}",
    )
    cost = page.get_by_test_id("usage-cost")
    await expect(cost.locator("span")).to_have_attribute("data-state", "partial")
    await expect(cost.locator("dd")).to_have_text(f"≥ ${total['cost_usd']:.2f}")
    await expect(page.get_by_test_id("unpriced")).to_have_text(
        "1 of 3 calls have no price: made-up-model."
    )
    for by in ("model", "project", "tool", "day"):
        keys = [row["key"] for row in spent(tower, by)["rows"]]
        keys = keys[::-1] if by == "day" else keys
        named = page.get_by_test_id(f"usage-by-{by}").locator("tbody tr")
        assert await named.evaluate_all("rows => rows.map((row) => row.dataset.key)") == keys
    await expect(page.get_by_test_id("usage-chart").get_by_role("img")).to_have_attribute(
        "aria-label", re.compile(rf"3 days with calls. The costliest was {day_of(3)}")
    )
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await shot(page, f"history-{scheme}", tmp_path)
    await page.get_by_test_id("span-1").click()
    today = spent(tower, "day", f"&since={day_of(0)}")["total"]
    await expect(page.get_by_test_id("usage-calls").locator("dd")).to_have_text(str(today["calls"]))
    await expect(page.get_by_test_id("unpriced")).to_have_count(0)


async def test_what_is_listed_is_exported(page: Page, tower: Tower) -> None:
    """The CSV has the sessions of the list, and the report of a row is a page of its own."""
    await past(tower)
    await go(page, "#/history?q=mill")
    await expect(rows(page)).to_have_count(2)
    name, text = await downloaded(page, page.get_by_test_id("export-csv"))
    assert name == "agenttower-sessions.csv"
    assert [line.split(",")[0] for line in text.splitlines()] == ["id", "turbine", "old"]
    report = rows(page).first.get_by_role("link", name="Report of")
    name, text = await downloaded(page, report)
    assert name == "agenttower-turbine.html"
    assert text.startswith("<!doctype html>")


async def test_a_refusal_is_told_in_the_words_of_the_api(unwatched: Page, tower: Tower) -> None:
    """A day that makes no sense is answered by what the API expects instead."""
    await go(unwatched, "#/history?since=yesterday")
    failure = unwatched.get_by_test_id("history-sessions").get_by_test_id("failure")
    await expect(failure).to_contain_text("since: expected milliseconds, a day (2026-11-20)")
    await expect(unwatched.get_by_test_id("nothing")).to_have_count(0)


async def test_old_rows_stay_and_can_be_asked_for_again(unwatched: Page, tower: Tower) -> None:
    """Where the answer does not come, the rows before are marked as such until a retry succeeds."""
    page = unwatched
    await past(tower)
    await go(page, "#/history")
    await expect(rows(page)).to_have_count(3)
    await page.route(LIST, lambda route: route.abort())
    await page.get_by_test_id("search").fill("turbine")
    failure = page.get_by_test_id("failure")
    await expect(failure).to_contain_text("The tower cannot be reached.")
    await expect(rows(page)).to_have_count(3)
    stale = page.locator(".history-rows")
    await expect(stale).to_have_attribute("data-stale", "true")
    await page.unroute(LIST)
    await failure.get_by_role("button", name="Try again").click()
    await expect(rows(page)).to_have_count(1)
    await expect(stale).to_have_attribute("data-stale", "false")
    await expect(failure).to_have_count(0)


async def test_the_last_question_is_the_one_that_is_answered(page: Page, tower: Tower) -> None:
    """Old rows are marked while one waits, and an answer that comes too late changes nothing."""
    await past(tower)
    await go(page, "#/history")
    await expect(rows(page)).to_have_count(3)
    held: list[Route] = []

    async def hold(route: Route) -> None:
        held.append(route)

    await page.route(re.compile(r"/api/sessions\?q=flour"), hold)
    await page.get_by_test_id("search").fill("flour")
    await until(lambda: bool(held))
    await expect(page.locator(".history-rows")).to_have_attribute("data-stale", "true")
    await expect(page.get_by_test_id("loading")).to_be_visible()
    await expect(rows(page)).to_have_count(3)
    await page.get_by_test_id("search").fill("turbine")
    await expect(rows(page)).to_have_count(1)
    await held[0].continue_()
    await expect(page.get_by_test_id("loading")).to_have_count(0)
    await expect(rows(page)).to_have_attribute("data-session", "turbine")
    await page.go_back()
    await expect(page.get_by_test_id("search")).to_have_value("")


async def test_keys_lead_to_history_through_its_list_and_back(page: Page, tower: Tower) -> None:
    """h opens it, / goes to its search, j moves through its rows, and Esc leads to the board."""
    await past(tower)
    await page.keyboard.press("h")
    await expect(rows(page)).to_have_count(3)
    link = page.get_by_role("link", name="History")
    await expect(link).to_have_attribute("aria-current", "page")
    await page.keyboard.press("/")
    await expect(page.get_by_test_id("search")).to_be_focused()
    await page.keyboard.press("Escape")
    await page.keyboard.press("j")
    await page.keyboard.press("j")
    await expect(rows(page).nth(1).locator("a.title")).to_be_focused()
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog")).to_contain_text("bhcBoard, history, compare")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await page.keyboard.press("Escape")
    await expect(page.locator(".board")).to_be_visible()
    await expect(link).not_to_have_attribute("aria-current", "page")


async def test_it_has_room_on_a_phone(page: Page, tower: Tower, tmp_path: Path) -> None:
    """Nothing is wider than a phone; usage and filters are folded up, and say what is chosen."""
    await past(tower)
    await page.set_viewport_size({"width": 390, "height": 844})
    await go(page, "#/history?q=mill")
    await expect(rows(page)).to_have_count(2)
    tokens = page.get_by_test_id("usage-tokens")
    await expect(tokens).to_be_hidden()
    await shot(page, "history-390", tmp_path)
    await page.get_by_role("heading", name="Usage").click()
    await expect(tokens).to_be_visible()
    fold = page.get_by_text("Days and filters")
    await expect(page.get_by_test_id("span-30")).to_be_hidden()
    await fold.click()
    await page.get_by_test_id("span-30").click()
    await expect(rows(page)).to_have_count(1)
    await fold.click()
    await expect(fold).to_have_text("Days and filters · 1 chosen")
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert await page.evaluate(size) == [390, 844]
    await shot(page, "history-390-usage", tmp_path)


async def test_a_row_is_picked_and_let_go(page: Page, tower: Tower) -> None:
    """The button says whether the session is chosen, and opens no session."""
    await past(tower)
    await go(page, "#/history")
    pick = rows(page).first.get_by_role("button", name="Compare Sell the flour")
    await pick.click()
    await expect(pick).to_have_attribute("aria-pressed", "true")
    await expect(page.get_by_test_id("tray")).to_contain_text("Sell the flour")
    await expect(rows(page)).to_have_count(3)
    await pick.click()
    await expect(pick).to_have_attribute("aria-pressed", "false")
    await expect(page.get_by_test_id("tray")).to_have_count(0)


@pytest.mark.parametrize("width", [1440, 390])
async def test_on_paper_it_is_light_and_says_what_was_asked(
    page: Page, tower: Tower, width: int
) -> None:
    """Filters are words, nothing can be pressed, what was folded up is there, and a sheet is A4."""
    await past(tower)
    await page.set_viewport_size({"width": width, "height": 844})
    await page.evaluate("localStorage.setItem('tower.theme', '\"dark\"')")
    await page.reload()
    await go(page, f"#/history?q=mill&project=mill&since={day_of(60)}")
    await expect(rows(page)).to_have_count(2)
    on_paper = page.get_by_test_id("on-paper")
    await expect(on_paper).to_be_hidden()
    await page.emulate_media(media="print")
    await expect(on_paper).to_contain_text(
        f"Found by: mill · Project: mill · Since {day_of(60)} · Latest first"
    )
    await expect(page.locator("button:visible, input:visible, select:visible")).to_have_count(0)
    await expect(page.get_by_test_id("usage-by-model").locator("tbody tr").first).to_be_visible()
    await expect(rows(page).nth(1)).to_be_visible()
    ground = "getComputedStyle(document.querySelector('.panel')).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"
    await page.emulate_media(media="screen")
    paper = await page.pdf(prefer_css_page_size=True)
    sizes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", paper)
    assert {(round(float(wide)), round(float(high))) for wide, high in sizes} == {(595, 842)}
