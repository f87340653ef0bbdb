"""Short texts out of tool inputs and results, and digests that tell inputs apart."""

from typing import Any

import pytest

from ingest.adapters import texts


@pytest.mark.parametrize(
    ("tool", "tool_input", "summary"),
    [
        ("Bash", {"command": "make", "description": "build"}, "make"),
        ("Read", {"file_path": "/a/b.py", "limit": 3}, "/a/b.py"),
        ("Grep", {"path": "/a", "pattern": "x"}, "x"),
        ("Agent", {"prompt": "long", "description": "look"}, "look"),
        ("TodoWrite", {"todos": [1, 2]}, "2 objectives"),
        ("AskUserQuestion", {"questions": [{"question": "A?"}, 3, {}, {"question": "B?"}]},
         "A?\nB?"),
        ("ExitPlanMode", {"plan": "1. do"}, "1. do"),
        ("mcp__x__y", {"b": 1, "a": None}, '{"a":null,"b":1}'),
        ("Bash", {"command": 3}, '{"command":3}'),
        ("Bash", {}, ""),
        ("Bash", None, ""),
        ("Bash", "text", "text"),
    ],
)  # fmt: skip
def test_a_call_is_summarized_by_its_telling_field(
    tool: str, tool_input: Any, summary: str
) -> None:
    """The command, the file, the question."""
    assert texts.summarize(tool, tool_input) == summary


@pytest.mark.parametrize("tool_input", [{"command": "é" * 5_000}, "x" * 9_999, {"z": "x" * 9_999}])
def test_a_summary_is_at_most_1_kib(tool_input: Any) -> None:
    """Of UTF-8."""
    assert 1_000 < len(texts.summarize("Bash", tool_input).encode()) <= 1_024


def test_equal_inputs_have_equal_digests() -> None:
    """Whatever the order of their keys."""
    assert texts.digest({"a": 1, "b": [2]}) == texts.digest({"b": [2], "a": 1})
    assert texts.digest({"a": 1}) != texts.digest({"a": 2})
    assert texts.digest("go") == texts.digest("go") != texts.digest("on")


def test_a_request_is_whole_up_to_64_kib() -> None:
    """Beyond, its beginning and its full size; what is no object is no request."""
    assert texts.request({"a": 1}) == ({"a": 1}, None)
    cut, size = texts.request({"a": "é" * 60_000})
    assert cut is not None
    assert size == 120_008
    assert len(cut["cut"].encode()) <= 64 * 1024
    assert texts.request([1]) == (None, None)


@pytest.mark.parametrize(
    ("value", "text"),
    [("ok", "ok"), ([{"type": "text", "text": "a"}, {"type": "image"}, 3, {"text": "b"}], "a\nb"),
     ({"stdout": "out", "stderr": ""}, "out"), ({"stdout": "out", "stderr": "bad"}, "bad"),
     ({"error": ["x"]}, ""), (None, ""), (3, ""), ("x" * 600, "x" * 512)],
)  # fmt: skip
def test_a_result_is_told_by_its_beginning(value: Any, text: str) -> None:
    """512 bytes of whatever text it holds."""
    assert texts.result_text(value) == text


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (0, 0), (2.9, 2), (-1, None), (True, None), ("3", None), (None, None),
     (float("nan"), None), (float("inf"), None), (2**60, None), ([], None)],
)  # fmt: skip
def test_a_count_is_a_whole_number_or_nothing(value: Any, number: int | None) -> None:
    """Agents send strings, floats and nulls."""
    assert texts.count(value) == number


def test_a_text_is_a_text_that_is_not_empty() -> None:
    """Anything else is nothing."""
    assert [texts.text_of(value) for value in ("a", "", None, 3, ["a"])] == ["a", *[None] * 4]
