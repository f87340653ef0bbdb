"""The board as it is left open all day: its order, groups, pins, filters and keys."""

import json
import re
import time

import pytest
from playwright.async_api import Locator, Page, expect

from tests.dashboard.agents import (
    begin,
    expect_order,
    press,
    reloaded,
    row,
    rows,
    spend,
    tell,
)
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000


def heads(page: Page) -> Locator:
    """The heads of groups."""
    return page.get_by_test_id("group-head")


def views_of(page: Page) -> list[dict[str, object]]:
    """What is asked of the hub from the next connection on."""
    asked: list[dict[str, object]] = []

    def note(payload: str | bytes) -> None:
        frame = json.loads(payload)
        if frame["type"] == "hello":
            asked.append(frame["view"])
        elif frame["type"] == "view":
            asked.append(frame)

    page.on("websocket", lambda socket: socket.on("framesent", note))
    return asked


async def test_rows_are_as_dense_as_a_person_wants_and_stay_so(page: Page, tower: Tower) -> None:
    """`d` makes rows of one line, which the browser keeps; a phone's have their own height."""
    begin(tower, "a")
    begin(tower, "b")
    await expect(rows(page)).to_have_count(2)
    await expect(row(page, "a")).to_have_css("height", "52px")
    await press(page, "d")
    await expect(row(page, "a")).to_have_css("height", "32px")
    await reloaded(page)
    await expect(row(page, "a")).to_have_css("height", "32px")
    await page.set_viewport_size({"width": 390, "height": 844})
    await expect(row(page, "a")).to_have_css("height", "88px")


async def test_groups_have_heads_that_say_what_they_come_to(page: Page, tower: Tower) -> None:
    """A head counts its sessions and those that wait, and sums up what is known."""
    begin(tower, "a", cwd="/made/up/mill")
    begin(tower, "b", cwd="/made/up/barn")
    begin(tower, "c", cwd="/made/up/mill")
    tell(tower, "c", "question", text="Which stone?")
    spend(tower, "a", 900)
    await expect(rows(page)).to_have_count(3)
    await press(page, "g")
    await expect(heads(page)).to_have_count(2)
    await expect_order(page, "c", "a", "b")
    mill = page.locator("[data-group='project:mill']")
    await expect(mill).to_contain_text("2 sessions")
    await expect(mill).to_contain_text("1 waiting")
    await expect(mill.locator("[data-column=tokens]")).to_have_text("1.0k")
    await expect(mill.locator("[data-column=cost]")).to_have_text(re.compile(r"≥ \$0\.0"))
    barn = page.locator("[data-group='project:barn']")
    await expect(barn.locator("[data-column=tokens]")).to_have_text("unknown")
    await expect(barn).to_have_attribute("aria-rowindex", "5")
    await expect(page.get_by_role("grid")).to_have_attribute("aria-rowcount", "6")


async def test_the_keyboard_goes_across_heads_and_folds_them(page: Page, tower: Tower) -> None:
    """Arrows stand on heads as on rows, Enter folds and unfolds, and what is folded stays so."""
    begin(tower, "a", cwd="/made/up/mill")
    begin(tower, "b", cwd="/made/up/barn")
    await expect(rows(page)).to_have_count(2)
    await press(page, "g", "Home")
    first, second = heads(page).nth(0), heads(page).nth(1)
    await expect(first).to_have_attribute("aria-selected", "true")
    await press(page, "j", "j")
    await expect(second).to_have_attribute("aria-selected", "true")
    await press(page, "Enter")
    await expect(rows(page)).to_have_count(1)
    await expect(second.get_by_role("button")).to_have_attribute("aria-expanded", "false")
    await expect(page.get_by_test_id("shown")).to_have_text("2 of 2")
    await reloaded(page)
    await expect(heads(page)).to_have_count(2)
    await expect(rows(page)).to_have_count(1)
    await heads(page).nth(1).click()
    await expect(rows(page)).to_have_count(2)
    await press(page, "Home", "j", "Enter")
    await expect(page.get_by_test_id("session-page")).to_be_visible()


async def test_back_from_a_session_the_list_stands_where_it_stood(page: Page, tower: Tower) -> None:
    """Whoever opens a session far down finds its row again, chosen and in view."""
    for number in range(40):
        begin(tower, f"s{number:02}")
    await expect(page.get_by_test_id("shown")).to_have_text("40 of 40")
    await row(page, "s39").wait_for()
    await page.locator(".scroller").evaluate("element => { element.scrollTop = 1e6 }")
    await row(page, "s00").click()
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "s00")
    await press(page, "Escape")
    await expect(row(page, "s00")).to_be_in_viewport()
    await expect(row(page, "s00")).to_have_attribute("aria-selected", "true")


async def test_rows_stand_still_unless_asked_to_follow_activity(page: Page, tower: Tower) -> None:
    """By default work moves no row; by the latest update it does, and the heading says so."""
    for name, started in (("a", 3), ("b", 2), ("c", 1)):
        begin(tower, name, at=int(time.time() * 1000) - MINUTE_MS * (4 - started))
    await expect_order(page, "a", "b", "c")
    tell(tower, "c", "tool_start", call="t", tool="Saw")
    await expect(row(page, "c")).to_contain_text("Saw")
    await expect_order(page, "a", "b", "c")
    await page.get_by_test_id("sort-updated").click()
    heading = page.get_by_role("columnheader", name="Updated")
    await expect(heading).to_have_attribute("aria-sort", "descending")
    await expect_order(page, "c", "a", "b")
    tell(tower, "b", "tool_start", call="t", tool="Saw")
    await expect_order(page, "b", "c", "a")
    await reloaded(page)
    await expect_order(page, "b", "c", "a")
    await page.get_by_test_id("sort-default").click()
    await expect_order(page, "a", "b", "c")


async def test_the_hub_is_asked_for_the_rows_that_the_order_puts_first(
    page: Page, tower: Tower
) -> None:
    """Of more sessions than the page holds the costliest come, though they began first."""
    begin(tower, "old")
    spend(tower, "old", 9_000)
    for number in range(200):
        begin(tower, f"s{number:03}")
    await expect(page.get_by_test_id("shown")).to_have_text("200 of 201 · more")
    await expect(row(page, "old")).to_have_count(0)
    await page.get_by_test_id("sort-cost").click()
    await expect(rows(page).first).to_have_attribute("data-session", "old")


async def test_a_pinned_session_stands_on_top_whatever_else_is_shown(
    page: Page, tower: Tower
) -> None:
    """It stays in a group of its own, past a filter and the hub's limit, until it is let go."""
    begin(tower, "old")
    await row(page, "old").hover()
    await row(page, "old").get_by_test_id("row-pin").click()
    await expect(page.locator("[data-group=pinned]")).to_contain_text("1 session")
    asked = views_of(page)
    for number in range(205):
        begin(tower, f"s{number:03}")
    await reloaded(page)
    await expect(page.get_by_test_id("shown")).to_have_text("201 of 206 · more")
    assert asked[0]["pinned"] == ["old"]
    await expect(rows(page).first).to_have_attribute("data-session", "old")
    await page.get_by_test_id("filter").fill("s2")
    await expect(page.get_by_test_id("shown")).to_have_text("6 of 206")
    await expect(rows(page).first).to_have_attribute("data-session", "old")
    await page.get_by_test_id("filter").fill("")
    await expect(page.get_by_test_id("shown")).to_have_text("201 of 206 · more")
    await press(page, "Escape", "Home", "j", "p")
    await expect(heads(page)).to_have_count(0)
    await expect(row(page, "old")).to_have_count(0)


async def test_what_came_to_rest_is_unread_until_it_is_looked_at(page: Page, tower: Tower) -> None:
    """A dot says so and a chip finds it; opening the session, or pressing the dot, ends it."""
    for name in ("a", "b", "c"):
        begin(tower, name)
    await expect(rows(page)).to_have_count(3)
    await expect(page.get_by_test_id("unread")).to_have_count(0)
    tell(tower, "a", "stop")
    tell(tower, "b", "failure", text="No more flour")
    await expect(page.get_by_test_id("unread")).to_have_count(2)
    await expect(row(page, "a").get_by_test_id("unread")).to_have_text("Unread")
    await press(page, "u")
    await expect(rows(page)).to_have_count(2)
    await expect(page.get_by_test_id("chip-unread")).to_have_attribute("aria-pressed", "true")
    await row(page, "b").get_by_test_id("unread").click()
    await expect(rows(page)).to_have_count(1)
    await row(page, "a").click()
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "a")
    await press(page, "Escape")
    await expect(page.get_by_test_id("chip-unread")).to_have_attribute("aria-pressed", "true")
    await expect(rows(page)).to_have_count(0)
    await press(page, "u")
    await expect(rows(page)).to_have_count(3)
    await reloaded(page)
    await expect(rows(page)).to_have_count(3)
    await expect(page.get_by_test_id("unread")).to_have_count(0)


async def test_an_old_board_is_not_all_unread(page: Page, tower: Tower) -> None:
    """What rested before this browser saw the board for the first time is no news."""
    begin(tower, "a")
    tell(tower, "a", "stop")
    await expect(row(page, "a").get_by_test_id("unread")).to_have_count(1)
    await page.evaluate("localStorage.clear()")
    await reloaded(page)
    await expect(row(page, "a")).to_have_attribute("data-status", "idle")
    await expect(page.get_by_test_id("unread")).to_have_count(0)


async def test_words_that_the_list_does_not_know_lead_on_to_history(
    page: Page, tower: Tower
) -> None:
    """A filter's words are offered as a search of all text, as they were typed."""
    begin(tower, "a")
    await page.get_by_test_id("filter").fill("mill & stone")
    await expect(rows(page)).to_have_count(0)
    link = page.get_by_test_id("search-all")
    await expect(link).to_have_text("Search all text for “mill & stone”")
    await link.click()
    await expect(page.get_by_test_id("search")).to_have_value("mill & stone")


async def test_a_list_is_narrowed_by_what_its_sessions_differ_in(page: Page, tower: Tower) -> None:
    """Project, agent, user and host are offered where there are several, and can be taken away."""
    begin(tower, "a", cwd="/made/up/mill", host="north", user="ann")
    begin(tower, "b", cwd="/made/up/barn", host="south", user="ann")
    await expect(rows(page)).to_have_count(2)
    await page.get_by_test_id("view").click()
    await expect(page.get_by_test_id("menu-user")).to_have_count(0)
    await page.get_by_test_id("menu-project").select_option("mill")
    await expect_order(page, "a")
    await page.get_by_test_id("menu-host").select_option("south")
    await expect(rows(page)).to_have_count(0)
    await press(page, "Escape")
    await page.get_by_test_id("narrowed-project").click()
    await expect_order(page, "b")
    await expect(page.get_by_test_id("narrowed-host")).to_have_text("host south")
    await page.get_by_test_id("narrowed-host").click()
    await expect(rows(page)).to_have_count(2)
    await expect(page.get_by_test_id("narrowed")).to_have_count(0)


async def test_archived_sessions_come_when_they_are_asked_for(page: Page, tower: Tower) -> None:
    """They are left out, unless they are wanted too."""
    begin(tower, "a")
    begin(tower, "b")
    tell(tower, "a", "stop")
    tower.change("POST", "/api/sessions/a/archive", {})
    await expect_order(page, "b")
    await page.get_by_test_id("view").click()
    await page.get_by_test_id("menu-archived").check()
    await expect_order(page, "b", "a")
    await page.get_by_test_id("menu-archived").uncheck()
    await expect_order(page, "b")


async def test_a_row_is_picked_for_comparison_by_key_and_by_button(
    page: Page, tower: Tower
) -> None:
    """Both do the same, and the way to the comparison names what is picked."""
    begin(tower, "a")
    begin(tower, "b")
    await expect(rows(page)).to_have_count(2)
    await press(page, "Home", "x")
    picked = page.locator("[data-testid=row-compare][aria-pressed=true]")
    await expect(picked).to_have_count(1)
    other = page.locator("[data-testid=session-row][aria-selected=false]")
    await other.hover()
    await other.get_by_test_id("row-compare").click()
    await expect(picked).to_have_count(2)
    await expect(page.get_by_role("link", name="Compare", exact=True).first).to_have_attribute(
        "href", re.compile(r"id=[ab]&id=[ab]$")
    )


async def test_the_sheet_names_the_keys_of_the_board(page: Page) -> None:
    """Whatever the list takes can be found out by `?`."""
    await press(page, "?")
    keys = await page.get_by_role("dialog").locator("kbd").all_inner_texts()
    assert {"p", "x", "u", "g", "d"} <= set(keys)
