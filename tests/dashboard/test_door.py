"""The shell without a credential."""

import pytest
from playwright.async_api import Browser, expect

from tests.dashboard.towers import Tower

pytestmark = pytest.mark.browser


async def test_the_token_form_lets_in_with_the_right_token_only(
    browser: Browser, tower: Tower
) -> None:
    """A wrong token is refused with a message, the right one opens the board."""
    page = await browser.new_page()
    await page.goto(tower.url)
    form = page.get_by_test_id("login-form")
    await form.locator("input").fill("wrong")
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("login-error")).to_be_visible()
    await form.locator("input").fill(tower.token)
    await form.locator("button[type=submit]").click()
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")


async def test_the_one_time_code_leaves_the_address_bar_and_works_once(
    browser: Browser, tower: Tower
) -> None:
    """The code is taken out of the address, and a second browser is not let in by it."""
    first = await browser.new_page()
    await first.goto(tower.login_url)
    await expect(first.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert "code=" not in first.url
    second = await (await browser.new_context()).new_page()
    await second.goto(tower.login_url)
    await expect(second.get_by_test_id("login-form")).to_be_visible()


async def test_the_link_opens_the_board_in_a_tab_that_shows_the_form(
    browser: Browser, tower: Tower
) -> None:
    """Only the part behind the # changes when the link is put into the address of an open tab."""
    page = await browser.new_page()
    await page.goto(tower.url)
    await expect(page.get_by_test_id("login-form")).to_be_visible()
    await page.goto(tower.login_url)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    assert "code=" not in page.url
