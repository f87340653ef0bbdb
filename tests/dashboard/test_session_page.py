"""The page of one session: its figures, its chart, its panels, and what may be done to it."""

import json
import re
import time
from pathlib import Path

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.dashboard.looking import kept_in, shot
from tests.dashboard.towers import Tower
from tests.session.made import assistant, prompt, result, tool_use

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000
READ_MS = 20_000  # a new transcript is found by looking for it
SESSION = "s1"


def now_ms() -> int:
    """The present."""
    return int(time.time() * 1000)


def append(tower: Tower, *lines: bytes, session: str = SESSION) -> None:
    """Write on as the agent does."""
    path = tower.home / "projects" / "-made-up" / f"{session}.jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("ab") as transcript:
        transcript.write(b"".join(lines))


async def opened(page: Page, session: str = SESSION) -> Locator:
    """The page of a session, caught up."""
    row = page.locator(f"[data-testid=session-row][data-session='{session}']")
    await expect(row).to_be_visible(timeout=READ_MS)
    await page.evaluate(f"location.hash = '#/session/{session}'")
    found = page.locator(f"[data-testid=session-page][data-session='{session}']")
    await expect(found).to_have_attribute("data-stale", "false")
    return found


def begun(tower: Tower, session: str = SESSION) -> None:
    """A session of which only hooks tell."""
    tower.hook(
        session_id=session, cwd="/made/up/app", hook_event_name="UserPromptSubmit", prompt="go"
    )  # fmt: skip


def minutes(count: int) -> list[bytes]:
    """A call a minute up to the present, each one token longer than the one before."""
    began = now_ms() - count * MINUTE_MS
    return [
        assistant(
            f"m{n}", at=began + n * MINUTE_MS, usage={"input_tokens": 100, "output_tokens": n}
        )
        for n in range(count)
    ]


async def test_a_figure_that_grew_says_by_how_much_and_nothing_moves(
    page: Page, tower: Tower
) -> None:
    """What is added while the page is open stands beside the figure, which stays where it is."""
    append(tower, prompt("go", at=now_ms()), assistant("m1", at=now_ms()))
    session = await opened(page)
    metric = session.get_by_test_id("metric-input")
    await expect(metric).to_contain_text("100")
    grown = metric.locator(".metric-grown")
    await expect(grown).to_have_text("")
    before = await session.locator(".metrics").bounding_box()
    append(tower, assistant("m2", at=now_ms()), assistant("m3", at=now_ms()))
    await expect(grown).to_have_text("+200")
    assert await session.locator(".metrics").bounding_box() == before


async def test_the_chart_is_zoomed_by_dragging_and_stays_there(page: Page, tower: Tower) -> None:
    """A marked span stays in view whatever is added, until a double click or the button."""
    append(tower, *minutes(90))
    session = await opened(page)
    chart = session.get_by_test_id("token-chart")
    over = chart.locator(".u-over")
    box = await over.bounding_box()
    assert box is not None
    middle = box["y"] + 60
    labels = (
        "() => [...document.querySelectorAll('.chart-canvas canvas')].map((c) => c.toDataURL())"
    )
    whole = await page.evaluate(labels)

    async def drag() -> None:
        await page.mouse.move(box["x"] + 200, middle)
        await page.mouse.down()
        await page.mouse.move(box["x"] + 400, middle, steps=4)
        await page.mouse.up()

    await drag()
    reset = chart.get_by_test_id("zoom-reset")
    await expect(reset).to_be_visible()
    await page.mouse.move(box["x"] + box["width"] - 2, middle)
    last = await chart.get_by_role("slider").get_attribute("aria-valuenow")
    append(tower, assistant("late", at=now_ms()))
    await expect(session.get_by_test_id("metric-input")).to_contain_text("9.1k")
    await page.mouse.move(box["x"] + box["width"] - 3, middle)
    assert await chart.get_by_role("slider").get_attribute("aria-valuenow") == last
    assert await page.evaluate(labels) != whole
    await reset.click()
    await expect(reset).to_have_count(0)
    await drag()
    await expect(reset).to_be_visible()
    await over.dblclick()
    await expect(reset).to_have_count(0)
    await chart.get_by_role("button", name="15 min").click()
    await expect(chart.get_by_role("button", name="15 min")).to_have_attribute(
        "aria-pressed", "true"
    )


async def test_the_chart_is_read_by_keyboard_and_as_a_table(page: Page, tower: Tower) -> None:
    """Left and right move from minute to minute, and the same numbers stand in a table."""
    append(tower, *minutes(5))
    session = await opened(page)
    chart = session.get_by_test_id("token-chart")
    slider = chart.get_by_role("slider")
    await slider.focus()
    await page.keyboard.press("ArrowLeft")
    await expect(slider).to_have_attribute("aria-valuenow", "4")
    await page.keyboard.press("ArrowLeft")
    await page.keyboard.press("ArrowLeft")
    await expect(slider).to_have_attribute("aria-valuetext", re.compile("output 2, input 100"))
    legend = chart.get_by_test_id("legend")
    await expect(legend.locator("[data-sum=total]")).to_have_text("Total102")
    await expect(legend.locator("[data-sum=cost]")).to_contain_text("$")
    await page.keyboard.press("Home")
    await expect(slider).to_have_attribute("aria-valuenow", "0")
    await chart.get_by_text("As a table").click()
    rows = chart.locator("tbody tr")
    await expect(rows).to_have_count(5)
    await expect(rows.first).to_contain_text("104")


async def test_the_cost_says_what_it_rests_on_to_the_keyboard_too(page: Page, tower: Tower) -> None:
    """The words on the cost are shown where it has the focus."""
    append(tower, assistant("m1", at=now_ms()))
    session = await opened(page)
    words = session.get_by_role("tooltip", include_hidden=True)
    await expect(words).to_be_hidden()
    await session.locator(".why").focus()
    await expect(words).to_be_visible()
    await expect(words).to_contain_text("Every call has a price.")


async def test_a_budget_is_set_filled_and_cleared(page: Page, tower: Tower) -> None:
    """An operator sets a limit; the bar says how much of it is spent, and goes with it."""
    append(tower, assistant("m1", at=now_ms()))
    session = await opened(page)
    spent = tower.get(f"/api/sessions/{SESSION}")["cost_usd"]
    assert isinstance(spent, float)
    dialog = page.get_by_test_id("budget-dialog")
    meter = session.get_by_test_id("budget")
    for part, state in ((0.5, "within"), (0.85, "near"), (1.2, "over")):
        await page.get_by_test_id("session-actions").click()
        await page.get_by_test_id("act-budget").click()
        await dialog.locator("input").fill(f"{spent / part:.9f}")
        await dialog.get_by_role("button", name="Set", exact=True).click()
        await expect(meter).to_have_attribute("data-state", state)
    await expect(meter).to_have_attribute("aria-valuenow", "100")
    await page.get_by_test_id("session-actions").click()
    await page.get_by_test_id("act-budget").click()
    await page.get_by_test_id("clear-budget").click()
    await expect(meter).to_have_count(0)


def todos(*states: str) -> list[dict[str, str]]:
    """A list as the agent writes it."""
    return [
        {"content": f"step {n}", "status": state, "activeForm": f"doing {n}"}
        for n, state in enumerate(states)
    ]


async def test_objectives_say_when_each_changed_and_when_all_are_done(
    page: Page, tower: Tower
) -> None:
    """Each has its time; when the last is done the panel says so, with the time."""
    at = now_ms() - 5 * MINUTE_MS
    first = tool_use("t1", "TodoWrite", todos=todos("completed", "in_progress"))
    append(tower, prompt("go", at=at), assistant("m1", first, at=at), result("t1", at=at))
    session = await opened(page)
    panel = session.get_by_test_id("objectives")
    await expect(panel.locator("li time")).not_to_have_count(0)
    await expect(panel.locator("li[data-status=in_progress]")).to_contain_text("5m")
    await expect(panel.get_by_test_id("all-done")).to_have_count(0)
    last = tool_use("t2", "TodoWrite", todos=todos("completed", "completed"))
    append(tower, assistant("m2", last, at=now_ms()), result("t2", at=now_ms()))
    await expect(panel.get_by_test_id("all-done")).to_contain_text("All done at ")


async def test_tools_say_how_long_they_took_in_all_and_on_average(page: Page, tower: Tower) -> None:
    """Two calls of a second and of three take four in all and two on average."""
    at = now_ms() - MINUTE_MS
    append(
        tower,
        assistant("m1", tool_use("t1"), at=at), result("t1", at=at + 1000),
        assistant("m2", tool_use("t2"), at=at + 2000), result("t2", at=at + 5000, error=True),
    )  # fmt: skip
    session = await opened(page)
    row = session.get_by_test_id("tools").locator("[data-tool=Bash]")
    await expect(row.locator("td")).to_have_text(["2", "1", "4.0 s", "2.0 s"])
    await expect(row.locator(".icon")).to_have_count(1)


async def test_many_subagents_are_folded(page: Page, tower: Tower) -> None:
    """Of fifteen twelve are shown, with those at work among them, and all on demand."""
    common = {"session_id": SESSION, "cwd": "/made/up/app"}
    tower.hook(**common, hook_event_name="UserPromptSubmit", prompt="spread out")
    for number in range(15):
        about = {"agent_id": f"a{number}", "agent_type": "Explore"}
        tower.hook(**common, hook_event_name="SubagentStart", **about)
        if number > 0:
            tower.hook(**common, hook_event_name="SubagentStop", **about)
    session = await opened(page)
    panel = session.get_by_test_id("subagents")
    await expect(panel.get_by_text("1 of 15 active")).to_be_visible()
    await expect(panel.locator("tbody tr")).to_have_count(12)
    await expect(panel.locator("[data-agent=a0]")).to_contain_text("running")
    await panel.get_by_role("button", name="Show all 15").click()
    await expect(panel.locator("tbody tr")).to_have_count(15)


async def test_a_subagent_has_tokens_and_a_cost_of_its_own(page: Page, tower: Tower) -> None:
    """What its own transcript tells stands in its row, and what is not known says so."""
    append(tower, prompt("go", at=now_ms()), assistant("m1", at=now_ms()))
    append(tower, assistant("s1", at=now_ms()), session=f"{SESSION}/subagents/agent-a1")
    tower.hook(
        session_id=SESSION, cwd="/made/up/app", hook_event_name="SubagentStart",
        agent_id="a2", agent_type="Explore",
    )  # fmt: skip
    session = await opened(page)
    panel = session.get_by_test_id("subagents")
    own = panel.locator("[data-agent=a1] td.number")
    await expect(own).to_have_text([re.compile("110"), re.compile(r"\$0\.")])
    await expect(panel.locator("[data-agent=a2] td.number").last).to_contain_text("unknown")


async def test_it_has_room_on_a_phone(page: Page, tower: Tower, tmp_path: Path) -> None:
    """Nothing is wider than the window, and what is pressed is large enough for a finger."""
    await page.set_viewport_size({"width": 390, "height": 844})
    append(tower, prompt("go", at=now_ms()), *minutes(30))
    session = await opened(page)
    await expect(session.locator(".u-over")).to_be_visible()
    assert await page.evaluate("document.documentElement.scrollWidth") <= 390
    heights = "(all) => all.filter((e) => e.checkVisibility()).map((e) => e.offsetHeight)"
    pressed = session.locator(".head-button, .timeline-panel .chip, .follow, .spans .ghost")
    assert min(await pressed.evaluate_all(heights)) >= 32
    await shot(page, "session-390", tmp_path, full_page=True)


async def test_a_session_is_renamed_archived_ended_and_deleted(page: Page, tower: Tower) -> None:
    """Each act shows when the hub has folded it; deleting asks first and leads to the board."""
    begun(tower)
    session = await opened(page)
    menu = page.get_by_test_id("session-actions")
    await menu.click()
    await page.get_by_test_id("act-rename").click()
    await page.get_by_test_id("title-field").fill("Quay wall")
    await page.keyboard.press("Enter")
    await expect(session.locator("h1")).to_have_text("Quay wall")
    await menu.click()
    await expect(page.get_by_test_id("act-delete")).to_have_count(0)
    await page.get_by_test_id("act-archive").click()
    await menu.click()
    await page.get_by_test_id("act-unarchive").click()
    await menu.click()
    await expect(page.get_by_test_id("act-archive")).to_be_visible()
    await page.get_by_test_id("act-end").click()
    await expect(session.locator(".session-status")).to_contain_text("ended")
    await menu.click()
    await page.get_by_test_id("act-delete").click()
    dialog = page.get_by_test_id("delete-dialog")
    await expect(dialog).to_contain_text("“Quay wall” and all that is recorded of it will be gone")
    await page.get_by_test_id("confirm-delete").click()
    await page.wait_for_url("**/#/")
    await expect(page.get_by_test_id("session-row")).to_have_count(0)


async def test_what_was_refused_is_said_and_nothing_changes(browser: Browser, tower: Tower) -> None:
    """The hub's reason stands in the page, and the session is still running."""
    page = await browser.new_page()
    await page.goto(tower.login_url)
    begun(tower)
    session = await opened(page)

    async def refuse(route: Route) -> None:
        told = {"title": "Service Unavailable", "detail": "the log is unavailable"}
        await route.fulfill(status=503, content_type="application/json", body=json.dumps(told))

    await page.route("**/api/sessions/s1/end", refuse)
    await page.get_by_test_id("session-actions").click()
    await page.get_by_test_id("act-end").click()
    await expect(page.get_by_text("That was not done: the log is unavailable")).to_be_visible()
    await expect(session.locator(".session-status")).to_contain_text("running")


async def test_who_only_looks_on_is_offered_no_acts(page: Page, tower: Tower) -> None:
    """A viewer has the buttons of the browser's own choices, and none that changes the session."""

    async def viewer(route: Route) -> None:
        told = {"role": "viewer", "workspace": "default", "auth": True}
        await route.fulfill(content_type="application/json", body=json.dumps(told))

    await page.route("**/api/me", viewer)
    begun(tower)
    await page.reload()
    session = await opened(page)
    await expect(session.get_by_test_id("pin")).to_be_visible()
    await expect(session.get_by_role("slider")).to_have_count(0)
    await expect(page.get_by_test_id("session-actions")).to_have_count(0)


async def test_a_session_is_pinned_and_picked_for_comparison(page: Page, tower: Tower) -> None:
    """Both are the browser's own: the pin outlives the page, the pick leads to the comparison."""
    begun(tower)
    session = await opened(page)
    await session.get_by_test_id("compare-with").click()
    await expect(session.get_by_test_id("to-compare")).to_have_attribute("href", "#/compare?id=s1")
    await session.get_by_test_id("pin").click()
    await page.reload()
    await expect(page.get_by_test_id("pin")).to_have_attribute("aria-pressed", "true")


async def test_the_page_on_paper_has_every_row_and_nothing_to_press(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """All rows are there, nothing scrolls, no button is left, and it fits the width."""
    append(tower, prompt("go", at=now_ms()), *minutes(120))
    session = await opened(page)
    await expect(session.get_by_test_id("metric-messages")).to_contain_text("121")
    # The session's start is a row too.
    await page.emulate_media(media="print", color_scheme="dark")
    await page.set_viewport_size({"width": 700, "height": 900})
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(session.get_by_test_id("printed-rows").locator(".printed-row")).to_have_count(122)
    await expect(session.locator("button:visible")).to_have_count(0)
    ground = await session.locator(".panel").first.evaluate(
        "(e) => getComputedStyle(e).backgroundColor"
    )
    assert ground == "rgb(255, 255, 254)"
    wide, scrolled = await page.evaluate(
        """() => [document.documentElement.scrollWidth, [...document.querySelectorAll('main *')]
        .filter((e) => e.checkVisibility() && /auto|scroll/.test(getComputedStyle(e).overflowY)
          && e.scrollHeight > e.clientHeight + 1).map((e) => e.className)]"""
    )
    assert wide <= 700
    assert scrolled == []
    await page.evaluate("dispatchEvent(new Event('afterprint'))")
    await expect(session.get_by_test_id("printed-rows")).to_have_count(0)
    await page.emulate_media(media="screen")
    await page.pdf(path=kept_in(tmp_path) / "session.pdf", format="A4")
