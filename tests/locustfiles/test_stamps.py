"""Which events a frame is the first to show: only those make a delay."""

from locustfiles.stamps import first_shown

NS = 1_790_000_000_000_000_000
TITLE = f"ts={NS} Fix it"


def test_a_changed_row_shows_its_event() -> None:
    """A patch of the board, a patch of a session and news of what waits, each in its lane."""
    row = {"type": "overview.patch", "set": [{"id": "a", "title": TITLE}, {"id": "b"}]}
    patch = {"type": "session.patch", "set": {"title": TITLE}}
    news = {"type": "attention", "full": False, "open": [{"summary": TITLE}]}
    assert first_shown(row) == [("overview", NS)]
    assert first_shown(patch) == [("session", NS)]
    assert first_shown(news) == [("attention", NS)]


def test_what_may_be_old_shows_none() -> None:
    """A row that comes into view, a snapshot, and a full set tell of long ago as well."""
    full_row = {"id": "a", "workspace": "w", "title": TITLE}
    assert first_shown({"type": "overview.patch", "set": [full_row]}) == []
    assert first_shown({"type": "overview.snapshot", "sessions": [full_row]}) == []
    assert first_shown({"type": "attention", "full": True, "open": [{"summary": TITLE}]}) == []
    assert first_shown({"type": "session.patch", "set": {"title": "no stamp"}}) == []
