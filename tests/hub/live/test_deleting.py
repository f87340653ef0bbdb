"""A session that a person deleted: gone from every board, and another one under its key later."""

import msgspec
import pytest

from session.delta import Event
from session.persons import PERSON
from tests.hub.made import NOW, Desk, event, of_type, permission, report, said


def person(kind: str, session: str = "a", at: int = NOW, **fields: object) -> Event:
    """What the hub appends for a person."""
    return msgspec.structs.replace(event(kind, session, at, **fields), source=PERSON)


@pytest.fixture
def board() -> Desk:
    """Two sessions; one has ended."""
    desk = Desk()
    desk.log(report("a", to=3, entries=said(3)), event("session_end", "a"), event("prompt", "b"))
    return desk


def test_whoever_has_it_open_is_told(board: Desk) -> None:
    """Row, opened session and totals are gone; nothing of it comes afterwards."""
    viewer = board.connect().open("a", "b")
    board.log(person("delete"))
    board.advance(2_000)
    frames = viewer.read()
    told = [(each["session"], each["reason"]) for each in of_type(frames, "session.evicted")]
    assert told == [("a", "deleted")]
    assert set(viewer.reference.rows) == {"b"}
    assert [key[1] for key in viewer.client.subscriptions.order] == ["b"]
    assert board.board.cache.totals_of("default").sessions == 1
    viewer.check()


def test_a_row_that_is_pinned_as_well_is_gone_once(board: Desk) -> None:
    """The view's frame says it to all; the client's own does not say it again."""
    viewer = board.connect(view={"pinned": ["a"]})
    viewer.read()
    board.log(person("delete"))
    board.advance(2_000)
    assert [each["gone"] for each in of_type(viewer.read(), "overview.patch") if each["gone"]] == [
        ["a"]
    ]
    viewer.check()


def test_its_items_are_taken_back(board: Desk) -> None:
    """One that is open although the session has ended is closed by the deletion."""
    viewer = board.connect()
    board.log(permission("b"), person("end", "b"), person("delete", "b"))
    viewer.read()
    assert viewer.reference.items == {}
    assert board.board.cache.get(("default", "b")) is None


def test_it_cannot_be_opened_any_more(board: Desk) -> None:
    """It is unknown, not merely let go."""
    board.log(person("delete"))
    viewer = board.connect().open("a")
    assert not board.board.cache.knows(("default", "a"))
    assert [each["code"] for each in of_type(viewer.reference.frames, "error")] == [
        "unknown_session"
    ]


def test_the_agents_next_word_makes_another_session(board: Desk) -> None:
    """Without anything of the first; whoever held a cursor of that one gets a snapshot."""
    first = board.connect().open("a")
    held = first.leave()
    board.log(person("delete"), event("prompt", "a", text="anew"))
    again = board.connect(held=held)
    again.read()
    assert [each["text"] for each in again.reference.opened["a"].timeline.values()] == ["anew"]
    assert not of_type(again.reference.frames, "session.patch")
    again.check()


@pytest.mark.parametrize("kind", ["end", "archive", "patch", "delete"])
def test_a_person_makes_no_row(board: Desk, kind: str) -> None:
    """What is not there stays so."""
    board.log(person(kind, "never", title="x"))
    assert board.board.cache.get(("default", "never")) is None
