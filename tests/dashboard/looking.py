"""Pictures for whoever wants to look, kept where ``TOWER_LOOK`` says, and the way to a screen.

Called by the browser tests. No picture decides a test.
"""

import os
from pathlib import Path

from playwright.async_api import Page


def kept_in(folder: Path) -> Path:
    """Where pictures go."""
    return Path(os.environ.get("TOWER_LOOK", folder))


async def shot(page: Page, name: str, folder: Path, *, full_page: bool = False) -> None:
    """A screenshot after all that moves has come to rest."""
    await page.evaluate("Promise.allSettled(document.getAnimations().map((each) => each.finished))")
    await page.screenshot(path=kept_in(folder) / f"{name}.png", full_page=full_page)


async def go(page: Page, hash_: str) -> None:
    """Follow a link."""
    await page.evaluate("hash => { location.hash = hash }", hash_)
