"""Agents that are made up, and the rows in which a person sees them."""

from itertools import count

from playwright.async_api import Locator, Page

from tests.dashboard.towers import Tower

_ids = count(1)
OPUS = "claude-opus-4-6"


def tell(tower: Tower, session: str, kind: str, **fields: object) -> None:
    """An event of an agent that is made up."""
    told = {"id": f"e{next(_ids)}", "session": session, "agent": "mine", "kind": kind}
    tower.post("/v1/events", told | fields)


def begin(tower: Tower, session: str, **fields: object) -> None:
    """A session that works."""
    tell(tower, session, "prompt", text=f"Task of {session}", title=session, **fields)


def spend(tower: Tower, session: str, output: int, **fields: object) -> None:
    """One call of a model that has a price."""
    tell(tower, session, "usage", **{"model": OPUS, "input": 100, "output": output} | fields)


def rows(page: Page) -> Locator:
    """The sessions in the list."""
    return page.get_by_test_id("session-row")


def row(page: Page, session: str) -> Locator:
    """One of them."""
    return page.locator(f"[data-testid=session-row][data-session={session}]")


async def expect_order(page: Page, *sessions: str) -> None:
    """The sessions stand in this order, from top to bottom."""
    await page.wait_for_function(
        """sessions => {
          const top = (row) => row.getBoundingClientRect().top;
          const rows = [...document.querySelectorAll('[data-testid=session-row]')];
          const order = rows.sort((a, b) => top(a) - top(b)).map((row) => row.dataset.session);
          return JSON.stringify(order) === JSON.stringify(sessions);
        }""",
        arg=list(sessions),
    )


async def reloaded(page: Page) -> None:
    """The page as the browser finds it the next time."""
    await page.reload()
    await page.locator("[data-testid=connection][data-state=live]").wait_for()


async def press(page: Page, *keys: str) -> None:
    """Press keys one after the other."""
    for key in keys:
        await page.keyboard.press(key)
