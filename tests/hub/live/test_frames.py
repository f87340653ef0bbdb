"""Frames as bytes: none is larger than 64 KiB, and in several only the last moves the cursor."""

import json

import pytest

from hub.live.frames import CLOSE_CODES, Section, frame, patch_frames, rows_frames, split
from locustfiles.reference_client import FRAME_BYTES_MAX
from tests.hub.made import NOW, Desk, Viewer, event, of_type, report, said, tokens


def opened(*entries_and_values: object) -> tuple[Desk, Viewer]:
    """A desk with one session, open at a client."""
    desk = Desk()
    desk.log(event("prompt", "a"))
    viewer = desk.connect()
    viewer.open("a")
    return desk, viewer


def test_a_large_overview_comes_in_parts_that_fit() -> None:
    """Every part is within the limit; the last carries the totals; all have one cursor."""
    desk = Desk()
    desk.log(
        *(event("prompt", f"s{n:04}", cwd="/" + "x" * 300, text="t" * 150) for n in range(500))
    )
    viewer = desk.connect(view={"limit": 500})
    parts = of_type(viewer.read(), "overview.snapshot")
    assert len(parts) > 3
    assert {part["cursor"] for part in parts} == {viewer.reference.overview}
    assert [("totals" in part) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert max(map(len, viewer.raw)) <= FRAME_BYTES_MAX
    viewer.check()


def test_a_large_overview_patch_comes_in_frames_of_which_the_last_moves_the_cursor() -> None:
    """One that is lost leaves the client where it was."""
    desk = Desk()
    viewer = desk.connect(view={"limit": 500})
    viewer.read()
    before = viewer.reference.overview
    desk.log(*(event("prompt", f"s{n:04}", cwd="/" + "x" * 300) for n in range(400)))
    desk.board.flush(desk.now)
    patches = of_type(viewer.read(), "overview.patch")
    assert len(patches) > 3
    assert {patch["from"] for patch in patches} == {before}
    assert {patch["cursor"] for patch in patches[:-1]} == {before}
    assert patches[-1]["cursor"] == viewer.reference.overview != before
    viewer.check()


def test_a_large_session_comes_in_parts_that_fit() -> None:
    """Detail and timeline are spread over parts; live is true on the last alone."""
    desk = Desk()
    desk.log(report("a", to=500, entries=said(240, text="x" * 900), calls=tokens(5)))
    viewer = desk.connect().open("a")
    parts = of_type(viewer.reference.frames, "session.snapshot")
    assert len(parts) > 3
    assert [part["live"] for part in parts] == [False] * (len(parts) - 1) + [True]
    viewer.check()


def test_a_small_session_comes_in_one_part() -> None:
    """Detail and timeline share a frame where they fit into it."""
    _, viewer = opened()
    assert len(of_type(viewer.reference.frames, "session.snapshot")) == 1


def test_many_entries_at_once_come_in_frames_that_fit() -> None:
    """A patch with hundreds of timeline entries is split, and moves the cursor once."""
    desk, viewer = opened()
    before = viewer.reference.opened["a"].cursor
    desk.say(report("a", to=500, entries=said(200, text="x" * 1_000)))
    patches = of_type(viewer.read(), "session.patch")
    assert len(patches) > 2
    assert {patch["cursor"] for patch in patches[:-1]} == {before}
    viewer.check()


def test_a_resume_over_many_entries_comes_in_frames_that_fit() -> None:
    """The gap is large, its frames are not."""
    desk, viewer = opened()
    held = viewer.leave()
    desk.log(report("a", to=500, entries=said(200, text="x" * 1_000)))
    second = desk.connect(held=held)
    second.check()


@pytest.mark.parametrize("late", [True, False])
def test_a_large_map_comes_in_frames_that_fit(late: bool) -> None:
    """A thousand objectives are told in several frames, in a snapshot as in a patch."""
    desk, viewer = opened()
    tasks = {str(n): {"text": "t" * 150, "status": "open", "at": 1} for n in range(1_000)}
    if late:
        desk.log(event("task", "a", objectives=tasks))
        viewer = desk.connect().open("a")
    else:
        desk.say(event("task", "a", objectives=tasks))
        viewer.read()
    viewer.check()


def test_fifty_errors_in_another_script_come_in_frames_that_fit() -> None:
    """Their texts are cut by characters, the frames by bytes."""
    desk, _ = opened()
    for n in range(50):
        told = {"call": str(n), "tool": "Bash", "status": "error", "text": "錯" * 600}
        desk.log(event("tool_end", "a", **told))
    desk.connect().open("a").check()


def test_a_huge_cwd_does_not_make_a_huge_frame() -> None:
    """An agent's text is hostile: one of its rows must not break the limit for everybody."""
    desk = Desk()
    desk.log(event("prompt", "a", cwd="/" + "x" * 100_000))
    desk.connect().check()


def test_a_split_keeps_the_order_and_loses_nothing() -> None:
    """Chunks are filled up to the room; an item that is larger stands alone."""
    items = [b"x" * n for n in (1, 5, 9, 40, 2, 2, 10)]
    chunks = split(items, 12)
    assert [item for chunk in chunks for item in chunk] == items
    assert [len(chunk) for chunk in chunks] == [2, 1, 1, 2, 1]
    assert split([], 12) == [[]]


def test_a_patch_of_nothing_is_one_empty_frame() -> None:
    """It says where it is from and to, for an empty gap must be answered."""
    [data] = patch_frames(
        b'"type":"session.patch"', "e:1", "e:1", [Section("set", b"{}", [])], 1_000
    )
    assert json.loads(data) == {
        "type": "session.patch", "from": "e:1", "cursor": "e:1", "set": {},
    }  # fmt: skip


def test_an_empty_snapshot_is_one_part() -> None:
    """No rows are told in one frame."""
    [data] = rows_frames("overview.snapshot", b'"cursor":"c"', [], b',"totals":{}', 1_000)
    assert json.loads(data)["sessions"] == []


def test_text_from_agents_is_only_ever_a_value() -> None:
    """Quotes, line breaks, control characters and markup come through as they are."""
    nasty = 'a"b\\c\n\u0000\u2028</script><b>'
    desk = Desk()
    desk.log(event("prompt", nasty, text=nasty, cwd="/" + nasty))
    viewer = desk.connect().open(nasty)
    desk.say(event("stop", nasty, at=NOW + 1))
    desk.advance(100)
    viewer.check()


def test_the_close_codes_say_who_may_come_back() -> None:
    """4000 to 4499 reconnect, 4500 to 4999 do not."""
    assert all((code < 4500) is back for code, (_, back) in CLOSE_CODES.items())
    assert set(CLOSE_CODES) >= {4000, 4001, 4002, 4007, 4500, 4501, 4502, 4503}


def test_a_frame_is_an_object_with_its_type() -> None:
    """Field names are whole words, in the order in which they are told."""
    assert frame("pong", id=1, now=2) == b'{"type":"pong","id":1,"now":2}'
