"""Objectives: a list replaces what was known, an update touches one."""

import json
from typing import Any

import pytest

from ingest.adapters.claude_transcript import ClaudeTranscript
from ingest.adapters.objectives import TOOLS, Objectives, objective, told_by


def todos(*texts: str, status: str = "pending") -> dict[str, Any]:
    """The input of a TodoWrite."""
    return {"todos": [{"content": text, "status": status} for text in texts]}


def apply(known: Objectives, told: Objectives) -> Objectives:
    """What is known after that."""
    return {key: value for key, value in {**known, **told}.items() if value is not None}


def texts_of(known: Objectives) -> list[str]:
    """The objectives' texts."""
    return [each["text"] for each in known.values() if each]


def test_a_list_replaces_and_removes() -> None:
    """What the second TodoWrite does not name is gone."""
    first = told_by("TodoWrite", todos("plan", "build"), None, 1, {})
    assert texts_of(first) == ["plan", "build"]
    second = told_by("TodoWrite", todos("build", "test"), None, 2, first)
    assert texts_of(apply(first, second)) == ["build", "test"]
    assert texts_of(apply(first, told_by("TodoWrite", {"todos": []}, None, 3, first))) == []


def test_equal_texts_are_two_objectives() -> None:
    """A list may say the same twice."""
    assert texts_of(told_by("TodoWrite", todos("test", "test"), None, 1, {})) == ["test", "test"]


def test_the_time_is_that_of_the_last_change_of_status() -> None:
    """Being listed again is no news."""
    first = told_by("TodoWrite", todos("plan"), None, 1, {})
    again = told_by("TodoWrite", todos("plan"), None, 2, first)
    done = told_by("TodoWrite", todos("plan", status="completed"), None, 3, again)
    assert [each["at"] for told in (first, again, done) for each in told.values() if each] == [
        1, 1, 3,
    ]  # fmt: skip


def test_a_task_is_created_updated_and_deleted() -> None:
    """Its id stands in the result alone."""
    result = {"task": {"id": "1", "subject": "build"}}
    known = told_by("TaskCreate", {"subject": "build"}, result, 1, {})
    assert known == {"1": {"text": "build", "status": "pending", "at": 1}}
    told = told_by("TaskUpdate", {"taskId": "1", "status": "in_progress"}, {}, 2, known)
    assert told == {"1": {"text": "build", "status": "in_progress", "at": 2}}
    told = told_by("TaskUpdate", {"taskId": "1", "subject": "build it"}, {}, 3, told)
    assert told == {"1": {"text": "build it", "status": "in_progress", "at": 2}}
    assert told_by("TaskUpdate", {"taskId": "1", "status": "deleted"}, {}, 4, told) == {"1": None}


def test_a_task_list_is_the_whole_truth() -> None:
    """What it does not name is gone, what it names is as it says."""
    known: Objectives = {"1": objective("a", "pending", 1), "2": objective("b", "pending", 1)}
    tasks = [{"id": "2", "subject": "b", "status": "completed"}, {"id": "3", "subject": "c"}]
    told = told_by("TaskList", {}, {"tasks": tasks}, 5, known)
    assert told["1"] is None
    assert told["2"] == {"text": "b", "status": "completed", "at": 5}
    assert told["3"] == {"text": "c", "status": "pending", "at": 5}


@pytest.mark.parametrize("status", ["done", "", None, 3, [], {}, ["pending"], {"a": 1}])
def test_a_status_that_is_not_known_reads_as_pending(status: Any) -> None:
    """Whatever type it is of."""
    assert objective("x", status, 1)["status"] == "pending"


@pytest.mark.parametrize("tool", sorted(TOOLS))
@pytest.mark.parametrize(
    "told", [None, 3, "text", [], {}, {"todos": 3, "task": 3, "tasks": 3, "taskId": 3},
             {"plan": 3}, {"plan": [3, None, {}, {"step": 3}]},
             {"todos": [3, None, {}, {"content": 3}], "tasks": [3, {}, {"id": {}}], "task": []}]
)  # fmt: skip
def test_any_shape_is_read(tool: str, told: Any) -> None:
    """Agents change their formats."""
    assert isinstance(told_by(tool, told, told, 1, {}), dict)


def test_a_list_is_bounded() -> None:
    """200 objectives of 200 bytes each."""
    told = told_by("TodoWrite", todos(*(f"{n} " + "é" * 400 for n in range(500))), None, 1, {})
    assert len(told) == 200
    assert {len(text.encode()) <= 200 for text in texts_of(told)} == {True}


def test_a_plan_keeps_its_order_from_the_transcript_to_the_patch() -> None:
    """Objectives stand as the agent listed them, whatever their ids are."""
    plan = [f"step {n}" for n in (3, 1, 2, 5, 4)]
    blocks = [{"type": "tool_use", "id": "t1", "name": "TodoWrite", "input": todos(*plan)}]
    result = [{"type": "tool_result", "tool_use_id": "t1", "content": "ok"}]
    at = {"timestamp": "2026-09-21T10:00:00Z"}
    lines = [
        {"type": "assistant", "message": {"id": "m", "content": blocks}, **at},
        {"type": "user", "message": {"content": result}, **at},
    ]
    transcript = ClaudeTranscript("s")
    transcript.feed(b"".join(json.dumps(line).encode() + b"\n" for line in lines))
    told = transcript.take().values["objectives"]
    assert [each["text"] for each in told.values()] == plan
