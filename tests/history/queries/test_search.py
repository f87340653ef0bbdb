"""Full text: every term must be found, in the texts of a session or in what it is called."""

from typing import Any

import pytest

from history.queries.snippets import Hit
from session.delta import Entry
from session.state import Session
from tests.history.queries.conftest import Lister, live_of
from tests.history.recording import Recording
from tests.hub.made import NOW, report


def entry(at: int, text: str, kind: Any = "prompt", **more: Any) -> Entry:
    """One entry with a text."""
    return Entry(id=f"e{at}", kind=kind, at=NOW, offset=at, text=text, **more)


async def made(recording: Recording) -> None:
    """Sessions with texts of several kinds; ``a`` is written in two steps."""
    await recording.log(
        report("a", at=NOW - 1, to=2, cwd="/code/webshop", branch="feature/cart", entries=[
            entry(1, "Add a cart page to the shop"),
            entry(2, "src/pages/cart.tsx", "tool", tool="Read"),
        ]),
        report("b", at=NOW - 2, to=2, titles={"ai": "Café menus"}, entries=[
            entry(1, "the page number is wrong"),
            entry(2, "a result that only a tool told", "tool", ref="x", status="ok"),
        ]),
        report("ccc-1", at=NOW - 3, to=1, entries=[entry(1, "写一个购物车页面")]),
    )  # fmt: skip
    await recording.log(report("a", at=NOW, from_=2, to=3, entries=[
        entry(3, "ValueError: no such cheque", "error"),
    ]))  # fmt: skip


def marked(hit: Hit) -> list[str]:
    """What a hit says was looked for."""
    return [part for part, is_hit in hit if is_hit]


@pytest.mark.parametrize(
    ("query", "ids"),
    [
        ("cart", ["a"]), ("CART", ["a"]), ("page", ["a", "b"]), ("page cart", ["a"]),
        ("cart cheque", ["a"]), ("cart wrong", []), ('"cart page"', ["a"]), ('"page cart"', []),
        ("src/pages/cart.tsx", ["a"]), ("pages/cart", ["a"]), ("tsx", ["a"]), ("cart.ts", ["a"]),
        ("cafe", ["b"]), ("menu", ["b"]), ('"menu"', []), ("told", []), ("ValueError", ["a"]),
        ("webshop", ["a"]), ("feature/cart", ["a"]), ("webshop cheque", ["a"]), ("web", ["a"]),
        ("ccc-", ["ccc-1"]), ("ccc-1", ["ccc-1"]), ("cc-1", []), ("购物车", ["ccc-1"]),
        ("物购", []), ("pa", []), ("the", ["a", "b"]), ("nowhere", []),
    ],
)  # fmt: skip
async def test_what_is_found(
    recording: Recording, lister: Lister, query: str, ids: list[str]
) -> None:
    """Words, phrases, paths, begins of words, names; on both systems the same."""
    if query == "cafe" and not lister.history.database.is_sqlite:
        query = "café"  # PostgreSQL's plain lexemes keep diacritics
    await made(recording)
    assert await lister.ids(q=query) == ids
    lister.live = live_of(recording.sessions.values())
    assert await lister.ids(q=query) == ids


async def test_a_hit_shows_where(recording: Recording, lister: Lister) -> None:
    """One piece for each session of the page, and none where only a name was found."""
    await made(recording)
    found = await lister.page(q='"page"')
    assert {each: marked(hit) for each, hit in found.hits.items()} == {"a": ["page"], "b": ["page"]}
    assert "".join(part for part, _ in found.hits["b"]).startswith("Café menus the page number")
    assert set((await lister.page(q="page", limit=1)).hits) == {"a"}
    assert (await lister.page(q="webshop")).hits == {}
    [hit] = (await lister.page(q="购物车")).hits.values()
    assert [(part.strip(), is_hit) for part, is_hit in hit] == [
        ("写一个", False), ("购物车", True), ("页面", False)
    ]  # fmt: skip


async def test_a_live_session_is_found_by_what_it_is_called_at_this_moment(
    recording: Recording, lister: Lister
) -> None:
    """Its title need not be recorded yet, and its texts are found all the same."""
    await made(recording)
    renamed = recording.sessions["default", "b"]
    renamed.title = "Prices of menus"
    fresh = Session(id="new", workspace="default", title="A list of prices", updated_at=NOW + 1)
    lister.live = live_of([renamed, fresh])
    assert await lister.ids(q="prices") == ["new", "b"]
    assert await lister.ids(q="wrong number") == ["b"]
    assert await lister.ids(q="pages") == ["a"]


async def test_a_query_goes_with_the_other_filters_and_pages(
    recording: Recording, lister: Lister
) -> None:
    """It is one condition more."""
    await made(recording)
    assert await lister.ids(q="page", project="webshop") == ["a"]
    assert await lister.all_ids(q="page", limit=1) == ["a", "b"]
    assert await lister.all_ids(q="page", limit=1, sort="started", until=NOW - 2) == ["b"]
