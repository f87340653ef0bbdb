"""The screen: deltas without secrets, cuts that leave no half of one, and how much text leaves."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.adapters import claude_hooks
from ingest.adapters.texts import cut, cut_twice, request, summarize
from ingest.redact.redactor import DEPTH_MAX, Redactor
from ingest.redact.screen import Policy, Screen
from session.delta import Entry, Event, Report
from tests.ingest.redact.planted import Maker, Planted

SECRET = f"gh{'p'}_{'a1B2' * 10}"
MARK = "[redacted:github]"
PLANTED = Maker(3).all()


def report(**fields: Any) -> Report:
    """A report that tells these fields."""
    return Report(id="r", session="s", received_at=1, to=9, **fields)


def event(kind: str = "prompt", **fields: Any) -> Event:
    """An event with these fields."""
    return Event(id="e", session="s", received_at=1, kind=kind, fields=fields)


def test_every_text_of_a_report_is_cleaned() -> None:
    """Entries, whole texts, and whatever stands in values, however deep."""
    told = report(
        values={
            "titles": {"prompt": f"t {SECRET}"},
            "cwd": f"/a/{SECRET}/b",
            "open_calls": {"c": {"summary": SECRET, "request": {"a": [{"b": SECRET}], SECRET: 1}}},
        },
        entries=[Entry(id="1", kind="message", text=f"x {SECRET}"), Entry(id="2", kind="tool")],
        texts={"1": f"whole {SECRET}"},
    )
    cleaned = Screen().clean(told)
    assert SECRET not in str(msgspec.to_builtins(cleaned))
    assert cleaned.values["open_calls"]["c"]["request"] == {"a": [{"b": MARK}], MARK: 1}
    assert cleaned.entries[0].text == f"x {MARK}"


def test_what_has_no_secret_is_the_same_object() -> None:
    """Nothing is copied for nothing."""
    told = report(values={"titles": {"ai": "fine"}}, entries=[Entry(id="1", kind="tool")])
    said = event(text="fine", request={"a": [1, {"b": "c"}]})
    assert Screen().clean(told) is told
    assert Screen().clean(said) is said


def test_what_names_something_is_left() -> None:
    """Ids and hashes bring together what several sources tell."""
    told = event("tool_start", call=SECRET, input_hash=SECRET, agent_id=SECRET)
    assert Screen().clean(told) is told


@pytest.mark.parametrize("name", ["password", "apiKey", "Authorization", "client_secret", "token"])
def test_what_stands_under_a_telling_name_goes(name: str) -> None:
    """Whatever it looks like; in a request the names are the agent's."""
    cleaned = Screen().clean(event(request={name: "simple", "other": "simple"}))
    assert cleaned.fields["request"] == {name: "[redacted:password]", "other": "simple"}


def test_what_is_nested_without_end_goes_whole() -> None:
    """Beyond what anybody reads nothing is taken apart, and nothing slips by."""
    for said, kept in ((SECRET, "[redacted:nested]"), ("fine", ["fine"])):
        value: Any = [said]
        for _ in range(DEPTH_MAX):
            value = [value]
        told: Any = Redactor().value(value)
        for _ in range(DEPTH_MAX):
            told = told[0]
        assert told == kept


@pytest.mark.parametrize("planted", PLANTED, ids=[each.name for each in PLANTED])
def test_a_cut_leaves_no_half_of_a_secret(planted: Planted) -> None:
    """Wherever it goes through one; of no secret eight characters are left."""
    start = planted.text.index(planted.secret)
    with Screen().reading():
        for offset in range(0, len(planted.secret) + 1, 3):
            pad = "x " * 60 + " " * (offset % 2)
            text = pad + planted.text + " y" * 4_000
            shown, full_bytes = cut(text, len(pad) + start + offset)
            cleaned = Redactor().text(shown)
            assert full_bytes == len(text)
            assert planted.secret[:8] not in cleaned


def test_both_cuts_of_a_text_are_clean() -> None:
    """That which a timeline shows and that which history keeps."""
    for size in (2_040, 64 * 1024 - 9):
        text = "x" * (size - 1) + " " + SECRET + " y" * 4_000
        with Screen().reading():
            shown, full_bytes, whole = cut_twice(text)
        assert full_bytes == len(text)
        assert whole is not None
        assert SECRET[:12] not in shown + whole


def test_a_cut_request_and_a_summary_are_clean() -> None:
    """Where the input becomes text, names still tell what stands under them."""
    asked = {"aa": "x" * 40, "password": "simple words", "z": "y" * 70_000}
    with Screen().reading():
        told, full_bytes = request(asked)
        assert full_bytes
        assert "simple words" not in str(told)
        assert "simple words" not in summarize("mcp__x", asked)


def test_hashes_are_those_of_the_text_itself() -> None:
    """A reader with other rules gives the same prompt the same id."""
    body = msgspec.json.encode(
        {"session_id": "s", "hook_event_name": "UserPromptSubmit", "prompt": f"use {SECRET}"}
    )
    told = {"delta_id": "d", "received_at": 1, "workspace": "w"}
    plain = claude_hooks.normalize(body, **told)  # type: ignore[arg-type]
    with Screen().reading():
        screened = Screen().clean(claude_hooks.normalize(body, **told))  # type: ignore[arg-type]
    assert screened.fields["hash"] == plain.fields["hash"]
    assert screened.fields["text"] == f"use {MARK}"


WORDS = st.text(alphabet="abc \n", min_size=1, max_size=400)


@given(WORDS, WORDS)
def test_without_content_no_text_leaves(said: str, title: str) -> None:
    """Names, kinds, counts and times do."""
    screen = Screen(Policy("none"))
    told = screen.clean(
        report(
            values={
                "titles": {"prompt": title}, "cwd": "/code", "tools": {"Bash": {"calls": 3}},
                "signal": {"status": "failed", "at": 1, "text": said},
                "open_calls": {"c": {"tool": "Bash", "at": 1, "summary": said, "request": {}}},
                "objectives": {"o": {"text": said, "status": "pending", "at": 1}},
            },
            entries=[
                Entry(id="1", kind="prompt", text=said, full_bytes=9, at=5),
                Entry(id="2", kind="tokens", text="12 output tokens", tokens=12),
            ],
            texts={"1": said},
        )
    )  # fmt: skip
    assert told.texts == {}
    assert told.entries[0] == Entry(id="1", kind="prompt", at=5)
    assert told.entries[1].text == "12 output tokens"
    assert told.values == {
        "titles": {"prompt": ""}, "cwd": "/code", "tools": {"Bash": {"calls": 3}},
        "signal": {"status": "failed", "at": 1, "text": ""},
        "open_calls": {"c": {"tool": "Bash", "at": 1, "summary": ""}},
        "objectives": {"o": {"text": "", "status": "pending", "at": 1}},
    }  # fmt: skip
    spoken = screen.clean(event(text=said, full_bytes=7, full_text=said, hash="h", title=title))
    assert spoken.fields == {"text": "", "hash": "h", "title": ""}


def test_a_summary_is_the_first_line() -> None:
    """It says how long the whole was; whole texts and requests stay behind."""
    screen = Screen(Policy("summary"))
    told = screen.clean(
        report(entries=[Entry(id="1", kind="message", text="one\ntwo")], texts={"1": "one\ntwo"})
    )
    assert told.entries == [Entry(id="1", kind="message", text="one", full_bytes=7)]
    assert told.texts == {}
    spoken = screen.clean(event("permission", summary="x" * 500, request={"a": 1}, full_bytes=8))
    assert spoken.fields == {"summary": "x" * 120}
    assert screen.clean(event(text="one\ntwo")).fields == {"text": "one", "full_bytes": 7}


def test_all_content_leaves_as_it_is() -> None:
    """By default nothing but secrets is missing."""
    told = report(entries=[Entry(id="1", kind="message", text="one\ntwo")])
    assert Screen().clean(told) is told
