"""Sessions side by side: how they are chosen, what is said of them, and how it stays up to date."""

import re
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.async_api import Locator, Page, expect

from tests.dashboard.looking import go, shot
from tests.dashboard.towers import Tower, until
from tests.session.made import assistant, prompt, result, tool_use, usage

pytestmark = pytest.mark.browser

MINUTE_MS = 60_000
LONG_MS = 20_000
TODOS = [("Grind", "completed"), ("Sieve <b>twice</b>", "completed"), ("Bake", "in_progress")]


def written(tower: Tower, name: str, text: str, ago: int, *turns: dict[str, Any]) -> None:
    """A transcript that began so many minutes ago, with a turn in each minute."""
    at = (int(time.time() * 1000) // MINUTE_MS - ago) * MINUTE_MS
    lines = [prompt(text, at=at, cwd=f"/made/up/{name}")]
    for number, turn in enumerate(turns):
        call, when = f"{name}-{number}", at + number * MINUTE_MS
        block = tool_use(call, turn.get("tool", "Bash"), **turn.get("given", {}))
        told = {"usage": usage(turn["tokens"]), "model": turn.get("model", "claude-opus-4-6")}
        lines.append(assistant(f"m-{call}", block, at=when, **told))
        lines.append(result(call, at=when + 1000, error=turn.get("error", False)))
    path = tower.home / "projects" / "-made-up" / f"{name}.jsonl"
    path.write_bytes(b"".join(lines))


async def three(tower: Tower) -> None:
    """A mill with objectives, a bakery that did twice as much, and a shop that nobody can price."""
    todos = [{"content": text, "status": state, "activeForm": text} for text, state in TODOS]
    list_ = {"tokens": 1_000, "tool": "TodoWrite", "given": {"todos": todos}}
    written(tower, "mill", "Mend the mill", 60, list_, {"tokens": 1_000, "error": True})
    read = {"tokens": 1_000, "tool": "Read"}
    written(tower, "bakery", "Bake the bread", 40, read, read, read, {"tokens": 1_000})
    written(tower, "shop", "Sell it", 20, {"tokens": 500, "model": "made-up-model"})
    await until(lambda: spent(tower)["calls"] == 7)
    await until(lambda: compared(tower, "mill,bakery")[1]["tool_calls"] == 4)


def spent(tower: Tower) -> Any:
    """The sum of what was used."""
    return tower.get("/api/usage?by=day")["total"]


def compared(tower: Tower, ids: str) -> Any:
    """What the API says of several sessions."""
    return tower.get(f"/api/compare?ids={ids}")["sessions"]


def asked(page: Page) -> list[str]:
    """The sessions that stand in the address."""
    return parse_qs(urlsplit(page.url).fragment.partition("?")[2]).get("id", [])


def cell(page: Page, row: str, column: int) -> Locator:
    """A figure in the table; the first session is 0."""
    return page.locator(f'[data-testid="compare-figures"] [data-row="{row}"] td').nth(column)


def picked(page: Page, session: str) -> Locator:
    """A session's line in the picker."""
    return page.locator(f'[data-testid="picker"] [data-session="{session}"]')


def cards(page: Page) -> Locator:
    """Who is compared."""
    return page.get_by_test_id("card")


async def ids_of(page: Page) -> list[str]:
    """The sessions of the cards, in their order."""
    ids: list[str] = await cards(page).evaluate_all(
        "all => all.map((each) => each.dataset.session)"
    )
    return ids


async def test_sessions_are_found_and_added_and_the_address_names_them(
    page: Page, tower: Tower
) -> None:
    """Recent ones and those that a word finds are added, and the header's link keeps them."""
    await three(tower)
    await page.get_by_role("link", name="Compare").click()
    await expect(page.get_by_test_id("picker")).to_contain_text("Choose two to four sessions.")
    await expect(page.get_by_test_id("pick")).to_have_count(3)
    await picked(page, "mill").get_by_role("button", name="Add").click()
    await expect(page.get_by_test_id("picker")).to_contain_text("Choose one more at least.")
    assert asked(page) == ["mill"]
    await page.get_by_test_id("pick-search").fill("bread")
    await expect(page.get_by_test_id("pick")).to_have_count(1)
    await picked(page, "bakery").get_by_role("button", name="Add").click()
    await expect(cell(page, "calls", 1)).to_contain_text("4")
    await expect(page.get_by_test_id("picker")).to_have_count(0)
    assert asked(page) == ["mill", "bakery"]
    await page.get_by_role("link", name="Board", exact=True).click()
    await expect(page.locator(".board")).to_be_visible()
    await page.keyboard.press("c")
    await expect(cards(page)).to_have_count(2)
    assert await ids_of(page) == ["mill", "bakery"]
    await page.get_by_test_id("add").click()
    await picked(page, "shop").get_by_role("button", name="Add").click()
    await expect(cell(page, "calls", 2)).to_contain_text("1")
    await page.reload()
    await expect(cards(page)).to_have_count(3)
    await picked_away(page, "bakery")
    assert asked(page) == ["mill", "shop"]


async def test_opened_and_pinned_sessions_are_offered_first(page: Page, tower: Tower) -> None:
    """Each once: what one has at hand stands before what was heard last."""
    await three(tower)
    await expect(page.get_by_test_id("session-row")).to_have_count(3)
    for name in ("bakery", "shop"):
        line = page.locator(f'[data-testid="session-row"][data-session="{name}"]')
        await line.hover()
        await line.get_by_test_id("row-pin").click()
    await go(page, "#/session/shop")
    await expect(page.get_by_test_id("session-page")).to_have_attribute("data-stale", "false")
    await go(page, "#/compare")
    picker = page.get_by_test_id("picker")
    await expect(picker.get_by_role("heading")).to_have_text(["Opened", "Pinned", "Recent"])
    lists = picker.get_by_test_id("found")
    told = [await each.get_by_test_id("pick").all() for each in await lists.all()]
    names = [[await pick.get_attribute("data-session") for pick in picks] for picks in told]
    assert names == [["shop"], ["bakery"], ["mill"]]


async def picked_away(page: Page, session: str) -> None:
    """Take a session out of the comparison."""
    card = page.locator(f'[data-testid="card"][data-session="{session}"]')
    await card.get_by_test_id("remove").click()
    await expect(card).to_have_count(0)


async def test_figures_are_those_of_the_api_with_their_distance_from_the_first(
    page: Page, tower: Tower
) -> None:
    """Values, marks and percents hold, and another first session turns them about."""
    await three(tower)
    await go(page, "#/compare?id=mill&id=bakery&id=shop")
    mill, bakery, _ = compared(tower, "mill,bakery,shop")
    await expect(cell(page, "output", 0)).to_have_text("2.0k")
    await expect(cell(page, "output", 1)).to_have_text("4.0k100 % more")
    await expect(cell(page, "output", 2)).to_have_text("50075 % less")
    assert (mill["tokens"]["output"], bakery["tokens"]["output"]) == (2_000, 4_000)
    await expect(cell(page, "cost", 0)).to_have_text(f"${mill['cost_usd']:.2f}")
    await expect(cell(page, "cost", 2)).to_have_text("unpriced")
    # The cost of the third is not known, so nobody is the cheapest.
    await expect(page.locator('[data-row="cost"] [data-best="true"]')).to_have_count(0)
    await expect(cell(page, "elapsed", 2)).to_contain_text("lowest")
    await expect(cell(page, "failed", 0)).to_have_text("1")
    await expect(cell(page, "failed", 1)).to_have_text("0lowest100 % less")
    await expect(cell(page, "done", 0)).to_have_text("2")
    await expect(cell(page, "done", 1)).to_have_text("none set")
    by_objective = f"${mill['cost_usd'] / 2:.2f}"
    await expect(cell(page, "cost_by_objective", 0)).to_have_text(by_objective)
    await cards(page).nth(1).get_by_test_id("first").click()
    assert asked(page) == ["bakery", "mill", "shop"]
    await expect(cell(page, "output", 1)).to_have_text("2.0k50 % less")
    await picked_away(page, "shop")
    await expect(cell(page, "cost", 1)).to_contain_text("lowest")


async def test_tools_models_and_objectives_stand_side_by_side(page: Page, tower: Tower) -> None:
    """What only one session has is a dash at the others, and an agent's words are no markup."""
    await three(tower)
    await go(page, "#/compare?id=mill&id=bakery&id=shop")
    tools = page.get_by_test_id("compare-tools")
    await expect(tools.locator("[data-row]")).to_have_count(3)
    names = await tools.locator("[data-row]").evaluate_all("rows => rows.map((r) => r.dataset.row)")
    assert names == ["Bash", "Read", "TodoWrite"]
    bash = tools.locator('[data-row="Bash"] td')
    await expect(bash.nth(0)).to_contain_text("11 failed")
    await expect(bash.nth(1)).to_have_text("1")
    await expect(tools.locator('[data-row="Read"] td').nth(0)).to_contain_text("none")
    models = page.get_by_test_id("compare-models")
    await expect(models.locator('[data-row="made-up-model"] td').nth(2)).to_contain_text("unpriced")
    await expect(models.locator('[data-row="made-up-model"] td').nth(0)).to_contain_text("none")
    objectives = page.get_by_test_id("compare-objectives")
    await expect(objectives.locator("li")).to_have_count(3)
    await expect(objectives).to_contain_text("Sieve <b>twice</b>")
    await expect(objectives.locator("b")).to_have_count(0)
    await expect(objectives).to_contain_text("2/3")


async def test_curves_share_an_axis_and_say_their_values(page: Page, tower: Tower) -> None:
    """Added up or by minute, since the start or by the clock; the legend follows the pointer."""
    await three(tower)
    await go(page, "#/compare?id=mill&id=bakery")
    legend, items = page.get_by_test_id("legend"), page.get_by_test_id("legend-item")
    totals = [each["tokens"] for each in compared(tower, "mill,bakery")]
    words = [f"{sum(filter(None, each.values())) / 1000:.1f}k" for each in totals]
    await expect(legend).to_contain_text("after 4m 00s")
    await expect(items.nth(0)).to_contain_text(words[0])
    await expect(items.nth(1)).to_contain_text(words[1])
    chart = page.get_by_test_id("compare-curves").get_by_role("img")
    await expect(chart).to_have_attribute("aria-label", re.compile("added up.*Mend the mill"))
    await chart.scroll_into_view_if_needed()
    box = await chart.bounding_box()
    assert box is not None
    await page.mouse.move(box["x"] + 60, box["y"] + 90)
    await expect(legend).to_contain_text("at the start")
    await expect(items.nth(1)).to_have_text(re.compile("Bake the bread0$"))
    await page.mouse.move(0, 0)
    await page.get_by_test_id("measure-minute").click()
    await expect(chart).to_have_attribute("aria-label", re.compile("Tokens per minute"))
    await expect(items.nth(0)).to_have_text(re.compile("–$"))
    await page.get_by_test_id("axis-clock").click()
    await expect(legend).not_to_contain_text("after")
    await expect(page.get_by_test_id("axis-clock")).to_have_attribute("aria-pressed", "true")
    dashes = await page.locator(".curve-mark path").evaluate_all(
        "all => all.map((each) => each.getAttribute('stroke-dasharray'))"
    )
    assert len(set(dashes)) == 2


async def test_what_happens_is_seen_at_once_and_asked_for_again(page: Page, tower: Tower) -> None:
    """The board's own row changes the figures by itself; tools come with the next answer."""
    await three(tower)
    await go(page, "#/compare?id=mill&id=bakery")
    await expect(cell(page, "calls", 0)).to_contain_text("2")
    asks: list[str] = []
    page.on("request", lambda told: asks.append(told.url) if "/api/compare" in told.url else None)
    now = int(time.time() * 1000)
    turn = assistant("m-new", tool_use("new", "Brush"), at=now) + result("new", at=now)
    with (tower.home / "projects" / "-made-up" / "mill.jsonl").open("ab") as transcript:
        transcript.write(turn)
    await expect(cell(page, "calls", 0)).to_contain_text("3", timeout=LONG_MS)
    tools = page.get_by_test_id("compare-tools")
    await expect(tools.locator('[data-row="Brush"]')).to_be_visible(timeout=LONG_MS)
    assert asks


async def test_what_cannot_be_compared_is_said(unwatched: Page, tower: Tower) -> None:
    """An unknown session, one with a comma in its name, and one too many."""
    page = unwatched
    await three(tower)
    await go(page, "#/compare?id=mill&id=nobody")
    await expect(page.get_by_test_id("failure")).to_contain_text("is not known here")
    await expect(cards(page).nth(1)).to_contain_text("not known here")
    await expect(cards(page).nth(0)).not_to_contain_text("not known here")
    await picked_away(page, "nobody")
    await expect(page.get_by_test_id("failure")).to_have_count(0)
    await expect(page.get_by_test_id("picker")).to_be_visible()
    await go(page, "#/compare?id=mill&id=a%2Cb&id=bakery")
    await expect(page.get_by_test_id("odd")).to_have_text(
        "a,b has a comma in its name and cannot be compared."
    )
    await expect(cell(page, "calls", 1)).to_contain_text("4")
    await go(page, "#/compare?id=mill&id=bakery&id=shop&id=d&id=e")
    await expect(page.get_by_test_id("over")).to_contain_text("four is the most")


async def test_an_answer_that_does_not_come_can_be_asked_for_again(
    unwatched: Page, tower: Tower
) -> None:
    """The failure is told in words until a retry succeeds."""
    page = unwatched
    await three(tower)
    await page.route("**/api/compare*", lambda route: route.abort())
    await go(page, "#/compare?id=mill&id=bakery")
    failure = page.get_by_test_id("failure")
    await expect(failure).to_contain_text("The tower cannot be reached.")
    await page.unroute("**/api/compare*")
    await failure.get_by_role("button", name="Try again").click()
    await expect(cell(page, "calls", 1)).to_contain_text("4")
    await expect(failure).to_have_count(0)


async def test_exactly_these_are_exported(page: Page, tower: Tower) -> None:
    """The CSV and the report have the compared sessions and no other."""
    await three(tower)
    await go(page, "#/compare?id=bakery&id=mill")
    async with page.expect_download() as waiting:
        await page.get_by_test_id("export-csv").click()
    text = (await (await waiting.value).path()).read_text("utf-8-sig")
    assert {line.split(",")[0] for line in text.splitlines()[1:]} == {"bakery", "mill"}
    async with page.expect_download() as waiting:
        await page.get_by_test_id("export-html").click()
    report = (await (await waiting.value).path()).read_text("utf-8")
    assert "Bake the bread" in report
    assert "Sell it" not in report


async def test_what_was_picked_waits_at_the_foot(page: Page, tower: Tower) -> None:
    """Picks of history are named in the tray, which covers no row, leads to them and lets go."""
    await three(tower)
    await go(page, "#/history")
    rows = page.get_by_test_id("history-row")
    await expect(rows).to_have_count(3)
    pick = rows.nth(0).get_by_test_id("pick")
    await pick.click()
    await expect(pick).to_have_attribute("aria-pressed", "true")
    tray = page.get_by_test_id("tray")
    await expect(tray).to_contain_text("1 session chosen")
    for key in "jjx":
        await page.keyboard.press(key)
    await expect(tray).to_contain_text("2 sessions chosen")
    await expect(tray).to_contain_text("Sell it, Bake the bread")
    for width, height in ((1440, 400), (390, 500)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.locator(".history-body").evaluate("body => body.scrollTo(0, body.scrollHeight)")
        last, box = await page.locator(".history-body").bounding_box(), await tray.bounding_box()
        assert last is not None
        assert box is not None
        assert last["y"] + last["height"] <= box["y"]
        screens = await page.locator(".screens").bounding_box()
        assert screens is not None
        assert width > 719 or box["y"] + box["height"] <= screens["y"]
    await tray.get_by_role("link", name="Compare").click()
    await expect(cards(page)).to_have_count(2)
    assert await ids_of(page) == ["shop", "bakery"]
    await expect(tray).to_have_count(0)
    await page.get_by_role("link", name="Board", exact=True).click()
    await tray.get_by_role("button", name="Clear").click()
    await expect(tray).to_have_count(0)


async def test_it_has_room_on_a_phone_and_on_paper(
    page: Page, tower: Tower, tmp_path: Path
) -> None:
    """Nothing is wider than a phone; on paper there is no button, and the table is whole."""
    await three(tower)
    await go(page, "#/compare?id=mill&id=bakery&id=shop")
    await expect(page.get_by_test_id("legend")).to_be_visible()
    for scheme in ("light", "dark"):
        await page.emulate_media(color_scheme=scheme)
        await shot(page, f"compare-{scheme}", tmp_path)
    await page.set_viewport_size({"width": 390, "height": 844})
    size = "[document.documentElement.scrollWidth, document.documentElement.scrollHeight]"
    assert await page.evaluate(size) == [390, 844]
    await shot(page, "compare-390", tmp_path)
    await page.emulate_media(media="print")
    await expect(page.locator("main button:visible")).to_have_count(0)
    await expect(cell(page, "calls", 2)).to_be_visible()
    assert await page.locator(".compare-body").evaluate("e => getComputedStyle(e).overflowY") == (
        "visible"
    )
