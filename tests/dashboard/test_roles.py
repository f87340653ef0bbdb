"""What a person may do decides what the page offers: nobody is shown a button that is refused."""

import json
import urllib.request
from collections.abc import AsyncIterator

import pytest
from playwright.async_api import Browser, Page, expect

from tests.dashboard.towers import DEADLINE_S, Tower

pytestmark = pytest.mark.browser


def make_token(tower: Tower, role: str) -> tuple[str, str]:
    """Id and secret of a token."""
    headers = {"Content-Type": "application/json", "Authorization": f"Bearer {tower.token}"}
    body = json.dumps({"role": role, "name": f"a {role}"}).encode()
    request = urllib.request.Request(f"{tower.url}/api/tokens", body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
        told = json.load(answer)
        return told["id"], told["token"]


async def sign_in(page: Page, tower: Tower, secret: str) -> None:
    """By the form, as a colleague does."""
    await page.goto(tower.url)
    await page.get_by_test_id("login-form").locator("input").fill(secret)
    await page.get_by_test_id("login-form").locator("button[type=submit]").click()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


@pytest.fixture
async def page(browser: Browser, tower: Tower) -> AsyncIterator[Page]:
    """A browser of its own; a session is on the board."""
    tower.hook(session_id="seen", hook_event_name="UserPromptSubmit", prompt="Add", cwd="/w/shop")
    context = await browser.new_context()
    yield await context.new_page()
    await context.close()


@pytest.mark.parametrize(("role", "count"), [("viewer", 0), ("operator", 1)])
async def test_only_an_operator_is_offered_to_change_a_session(
    page: Page, tower: Tower, role: str, count: int
) -> None:
    """A viewer's page of a session has no menu of acts, and asks for nothing that is refused."""
    refused: list[str] = []
    page.on("response", lambda told: refused.append(told.url) if told.status == 403 else None)
    await sign_in(page, tower, make_token(tower, role)[1])
    await page.goto(f"{tower.url}/#/session/seen")
    await expect(page.get_by_role("heading", level=1)).to_be_visible()
    await expect(page.get_by_test_id("session-actions")).to_have_count(count)
    await page.goto(f"{tower.url}/#/about")
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert refused == []


async def test_whoever_is_revoked_is_shown_the_form(page: Page, tower: Tower) -> None:
    """At once, in the middle of looking."""
    id_, secret = make_token(tower, "viewer")
    await sign_in(page, tower, secret)
    tower.change("DELETE", f"/api/tokens/{id_}", {})
    await expect(page.get_by_test_id("login-form")).to_be_visible(timeout=DEADLINE_S * 1000)


async def test_whoever_signs_out_is_out_in_every_tab(page: Page, tower: Tower) -> None:
    """The cookie is nothing any more, for this tab and for the one beside it."""
    await sign_in(page, tower, tower.token)
    other = await page.context.new_page()
    await other.goto(tower.url)
    await expect(other.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    [cookie] = await page.context.cookies()
    await page.get_by_test_id("menu").click()
    async with page.expect_response("**/logout") as answered:
        await page.get_by_test_id("sign-out").click()
    await (await answered.value).finished()
    for each in (page, other):
        await expect(each.get_by_test_id("login-form")).to_be_visible()
    assert await page.context.cookies() == []
    await page.context.add_cookies([cookie])  # type: ignore[list-item]
    await page.reload()
    await expect(page.get_by_test_id("login-form")).to_be_visible()
