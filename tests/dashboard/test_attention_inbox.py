"""What waits for a person: seen whole, reached by keys, and never missed."""

from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Locator, Page, expect

from tests.dashboard.looking import shot
from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser

COMMON = {"cwd": "/made/up/ledger"}
QUESTIONS = [
    {
        "question": "Which store?", "header": "Store", "multiSelect": True,
        "options": [
            {"label": "SQLite", "description": "One file, no service."},
            {"label": "PostgreSQL", "description": "Several hubs."},
        ],
    },
    {"question": "And the port?", "header": "Port", "options": [{"label": "8787"}]},
]  # fmt: skip
PLAN = "# The plan\n\n1. Write the *test*\n2. See it fail"
EDIT = {
    "file_path": "/made/up/ledger/sums.py",
    "old_string": "def total(rows):\n    return sum(rows)\n",
    "new_string": "def total(rows):\n    # Cents.\n    return round(sum(rows))\n",
}


def asks(tower: Tower, session: str, tool: str, **tool_input: object) -> None:
    """An agent waits for a person."""
    told: dict[str, Any] = {"session_id": session, **COMMON}
    call = {"tool_name": tool, "tool_input": tool_input}
    tower.hook(**told, hook_event_name="UserPromptSubmit", prompt=f"work on {session}")
    tower.hook(**told, hook_event_name="PreToolUse", tool_use_id=f"{session}-call", **call)
    tower.hook(**told, hook_event_name="PermissionRequest", **call)


def answered(tower: Tower, session: str, tool: str) -> None:
    """The person answered: the call was made."""
    tower.hook(
        session_id=session, **COMMON, hook_event_name="PostToolUse", tool_name=tool,
        tool_use_id=f"{session}-call", tool_input={},
    )  # fmt: skip


def item_of(page: Page, session: str) -> Locator:
    """The inbox's item of a session."""
    return page.locator(f"[data-testid=attention-item][data-session={session}]")


async def expanded(page: Page, session: str) -> Locator:
    """What the item asks, as somebody reads it who opened it."""
    item = item_of(page, session)
    await item.get_by_role("button").first.click()
    asked = item.get_by_test_id("asked")
    await expect(asked).to_have_attribute("aria-busy", "false")
    return asked


async def test_a_permission_shows_its_whole_command(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """The command stands there to its last line, with what the agent says of it and all else."""
    command = "\n".join(f"echo {number}" for number in range(60))
    asks(tower, "s1", "Bash", command=command, description="Count <i>up</i>", timeout=60000)
    item = item_of(page, "s1")
    await expect(item).to_contain_text("permission")
    await expect(item.locator(".inbox-summary")).to_have_text("echo 0")
    told = tower.get("/api/sessions/s1")
    await expect(item).to_contain_text(f"{told['user']}@{told['host']}")
    asked = await expanded(page, "s1")
    await expect(asked.get_by_role("group", name="Command")).to_have_text(command)
    await expect(asked).to_contain_text("Count <i>up</i>")
    await expect(asked).to_contain_text("timeout")
    await expect(asked).to_contain_text("60000")
    await expect(asked).to_contain_text(f"Answer in the terminal of {told['user']}@{told['host']}.")
    await expect(asked.get_by_role("button")).to_have_count(0)


async def test_an_edit_shows_what_goes_and_what_comes(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """Each line of an edit says by a sign whether it goes, comes or stays."""
    asks(tower, "s1", "Edit", **EDIT)
    asked = await expanded(page, "s1")
    await expect(asked).to_contain_text(EDIT["file_path"])
    lines = asked.get_by_test_id("diff").locator(".diff-line")
    assert await lines.all_inner_texts() == [
        " \ndef total(rows):",
        "−\n    return sum(rows)",
        "+\n    # Cents.",
        "+\n    return round(sum(rows))",
    ]
    await shot(page, "edit", tmp_path)


async def test_a_long_file_is_cut_until_somebody_wants_all_of_it(page: Page, tower: Tower) -> None:
    """Of what is written the first lines are shown, and the rest at a click."""
    content = "\n".join(f"line {number}" for number in range(1234))
    asks(tower, "s1", "Write", file_path="/made/up/long.txt", content=content)
    asked = await expanded(page, "s1")
    lines = asked.locator(".diff-line")
    await expect(lines).to_have_count(200)
    await asked.get_by_role("button", name="Show all 1,234 lines").click()
    await expect(lines).to_have_count(1234)
    await expect(lines.last).to_contain_text("line 1233")


async def test_a_request_over_64_kib_is_shown_as_far_as_it_is_kept(
    page: Page, tower: Tower
) -> None:
    """What was cut is still a file being written, and the cut is said."""
    asks(tower, "s1", "Write", file_path="/made/up/long.txt", content="0123456789\n" * 9000)
    asked = await expanded(page, "s1")
    await expect(asked.locator(".diff-line").first).to_contain_text("0123456789")
    await expect(asked).to_contain_text("Only the beginning is kept: the whole has")
    await expect(asked).to_contain_text("long.txt")


async def test_a_question_shows_every_option(page: Page, tower: Tower, tmp_path: Path) -> None:
    """All questions, their options, what these mean, and whether several may be chosen."""
    asks(tower, "s1", "AskUserQuestion", questions=QUESTIONS)
    await expect(item_of(page, "s1")).to_have_attribute("data-kind", "question")
    asked = await expanded(page, "s1")
    for words in ("Store", "Which store?", "SQLite", "One file, no service.", "PostgreSQL",
                  "Several hubs.", "Port", "And the port?", "8787"):  # fmt: skip
        await expect(asked).to_contain_text(words)
    first, second = await asked.locator(".asked-question").all()
    await expect(first).to_contain_text("Several may be chosen.")
    await expect(second).not_to_contain_text("Several may be chosen.")
    await shot(page, "question", tmp_path)


async def test_a_plan_and_other_tools_are_read_as_they_are(page: Page, tower: Tower) -> None:
    """A plan is its text; of any other tool each parameter is told."""
    asks(tower, "s1", "ExitPlanMode", plan=PLAN)
    await expect(item_of(page, "s1")).to_have_attribute("data-kind", "plan")
    asked = await expanded(page, "s1")
    await expect(asked.get_by_role("group", name="Plan")).to_have_text(PLAN)
    asks(tower, "s2", "mcp__tickets__close", ticket=7, reason="done", labels=["a", "b"])
    other = await expanded(page, "s2")
    assert await other.locator("dt").all_inner_texts() == ["ticket", "reason", "labels"]
    await expect(other).to_contain_text("done")


async def test_a_failure_says_what_went_wrong(page: Page, tower: Tower) -> None:
    """The error's text, and that somebody has to prompt."""
    told = {"session_id": "s1", **COMMON}
    tower.hook(**told, hook_event_name="UserPromptSubmit", prompt="go")
    tower.hook(**told, hook_event_name="StopFailure", error="rate_limit", error_details="429: slow")
    item = item_of(page, "s1")
    await expect(item).to_have_attribute("data-kind", "failure")
    asked = await expanded(page, "s1")
    await expect(asked).to_contain_text("rate_limit: 429: slow")
    await expect(asked).to_contain_text("Prompt it anew in the terminal of")


async def test_the_page_of_a_session_begins_with_what_it_asks(page: Page, tower: Tower) -> None:
    """There nobody has to open anything."""
    asks(tower, "s1", "Edit", **EDIT)
    await item_of(page, "s1").get_by_role("link").click()
    card = page.get_by_test_id("attention-card")
    await expect(card.get_by_test_id("diff")).to_contain_text("return round(sum(rows))")


async def test_the_inbox_needs_no_row_and_no_open_session(page: Page, tower: Tower) -> None:
    """A session that was evicted, or that the view leaves out, asks like any other, by its name."""
    for number in range(201):
        told = {"session_id": f"f{number}", "cwd": f"/made/up/p{number}"}
        tower.hook(**told, hook_event_name="UserPromptSubmit", prompt=f"task {number}")
    await page.get_by_test_id("session-row").first.wait_for()
    for number in range(5):
        await page.evaluate(f"location.hash = '#/session/f{number}'")
        opened = page.get_by_test_id("session-page")
        await expect(opened).to_have_attribute("data-session", f"f{number}")
        await expect(opened).to_have_attribute("data-stale", "false")
    await page.evaluate("location.hash = '#/'")
    await page.get_by_role("searchbox").fill("nothing is called so")
    await expect(page.get_by_test_id("session-row")).to_have_count(0)
    asks(tower, "f0", "Bash", command="make evicted")
    asks(tower, "new", "Bash", command="make unseen")
    for session, title in (("f0", "task 0"), ("new", "work on new")):
        item = item_of(page, session)
        await expect(item.locator(".inbox-title")).to_have_text(title)
    asked = await expanded(page, "new")
    await expect(asked).to_contain_text("make unseen")


async def test_it_is_reached_by_keys_alone(page: Page, tower: Tower) -> None:
    """`a` goes to the oldest, the arrows move, the space bar shows, Enter opens, Esc leaves."""
    for session in ("s1", "s2"):
        asks(tower, session, "Bash", command=f"make {session}")
    await expect(page.get_by_test_id("attention-item")).to_have_count(2)
    links = page.locator(".inbox-link")
    await page.keyboard.press("a")
    await expect(links.nth(0)).to_be_focused()
    await page.keyboard.press("j")
    await expect(links.nth(1)).to_be_focused()
    await page.keyboard.press("ArrowUp")
    await expect(links.nth(0)).to_be_focused()
    await page.keyboard.press("Space")
    await expect(item_of(page, "s1").get_by_test_id("asked")).to_contain_text("make s1")
    await page.keyboard.press("ArrowLeft")
    await expect(page.get_by_test_id("asked")).to_have_count(0)
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("grid")).to_be_focused()
    await page.keyboard.press("h")
    await expect(page.locator(".history")).to_be_visible()
    await page.keyboard.press("a")
    await expect(links.nth(0)).to_be_focused()
    await page.keyboard.press("Enter")
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-session", "s1")


async def test_the_headers_mark_leads_to_it(page: Page, tower: Tower) -> None:
    """From wherever one is, the mark puts the focus on the oldest item."""
    asks(tower, "s1", "Bash", command="make")
    mark = page.locator(".attention-mark")
    await expect(mark).to_have_text("1 needs you")
    await mark.click()
    await expect(page.locator(".inbox-link")).to_be_focused()
    await page.evaluate("location.hash = '#/session/s1'")
    await page.get_by_test_id("session-page").wait_for()
    await mark.click()
    await expect(page.locator(".inbox-link")).to_be_focused()


async def test_what_closes_under_the_pointer_stays_until_it_is_gone(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """Nothing takes the place of an item that is about to be clicked."""
    for session in ("s1", "s2"):
        asks(tower, session, "Bash", command=f"make {session}")
    await expect(page.get_by_test_id("attention-item")).to_have_count(2)
    await item_of(page, "s2").hover()
    before = await item_of(page, "s2").bounding_box()
    answered(tower, "s1", "Bash")
    outcome = page.get_by_test_id("attention-outcome")
    await expect(outcome).to_have_text("answered · allowed")
    await expect(page.get_by_test_id("attention-count")).to_have_attribute("data-count", "1")
    assert await item_of(page, "s2").bounding_box() == before
    await shot(page, "answered", tmp_path)
    await page.mouse.move(300, 500)
    await expect(page.get_by_test_id("attention-item")).to_have_count(1)
    await expect(item_of(page, "s2")).to_be_visible()


async def test_hostile_text_stays_text(page: Page, tower: Tower) -> None:
    """Marks of HTML are signs, and signs that nobody sees or that turn the text are shown."""
    command = "rm -rf \u202e/tmp/a\u202c <img src=x onerror=window.bad=1>\u200b"
    asks(tower, "s1", "Bash", command=command, **{"<b>name</b>": "javascript:window.bad=1"})
    asked = await expanded(page, "s1")
    await expect(asked).to_contain_text(
        r"rm -rf \u202e/tmp/a\u202c <img src=x onerror=window.bad=1>\u200b"
    )
    await expect(asked).to_contain_text("<b>name</b>")
    assert await asked.locator("img, b:text('name'), a").count() == 0
    assert await page.evaluate("window.bad") is None
