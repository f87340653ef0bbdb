"""What a browser has to load before anybody sees anything."""

import gzip

import pytest
from playwright.async_api import Browser, Response, expect

from tests.dashboard.towers import ROOT, Tower

pytestmark = pytest.mark.browser

SCRIPT_BYTES_MAX = 60_000
BUILT = ROOT / "dashboard_static" / "dist" / "assets"


async def test_the_board_loads_little_script_and_all_of_it_compressed(
    browser: Browser, tower: Tower
) -> None:
    """With the session page, which is fetched ahead: at most 60 KB, each as it was built."""
    page = await browser.new_page()
    answers: list[Response] = []
    page.on("response", lambda answer: answers.append(answer))  # noqa: PLW0108 - no built-in one
    async with page.expect_response("**/page-*.js"):
        await page.goto(tower.login_url)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "live")
    scripts = {each.url.rsplit("/", 1)[1]: each for each in answers if each.url.endswith(".js")}
    sent = {name: (BUILT / f"{name}.gz").read_bytes() for name in scripts}
    assert {each.headers["content-encoding"] for each in scripts.values()} == {"gzip"}
    for name, small in sent.items():
        assert gzip.decompress(small) == (BUILT / name).read_bytes()
    assert sum(map(len, sent.values())) <= SCRIPT_BYTES_MAX
    assert not [name for name in scripts if name.startswith(("charts", "screen"))]
