"""Objectives out of an agent's own task tools: TodoWrite, TaskCreate and its kin, update_plan.

A list replaces, the others touch one. Called by the adapters of hooks and of transcripts.
"""

from typing import Any

from ingest.adapters.texts import cut, digest, named

TEXT_BYTES_MAX = 200
OBJECTIVES_MAX = 200
TOOLS = frozenset({"TodoWrite", "TaskCreate", "TaskUpdate", "TaskList", "update_plan"})
_WHOLE = frozenset({"TodoWrite", "TaskList", "update_plan"})
STATUSES = frozenset({"pending", "in_progress", "completed"})

Objectives = dict[str, dict[str, Any] | None]


def objective(text: Any, status: Any, at: int | None) -> dict[str, Any]:
    """One objective; a status that is not known reads as pending."""
    short = cut(text if isinstance(text, str) else "", TEXT_BYTES_MAX)[0]
    return {"text": short, "status": known_status(status) or "pending", "at": at}


def known_status(status: Any) -> str | None:
    """A status of the three that there are, or None."""
    return status if isinstance(status, str) and status in STATUSES else None


def told_by(
    tool: str, tool_input: Any, result: Any, at: int | None, known: Objectives
) -> Objectives:
    """What a call of a task tool changes: id → objective, or null where one is gone."""
    tool_input = tool_input if isinstance(tool_input, dict) else {}
    result = result if isinstance(result, dict) else {}
    if tool == "TodoWrite":
        return _whole_list(tool_input.get("todos"), "content", at, known)
    if tool == "update_plan":
        return _whole_list(tool_input.get("plan"), "step", at, known)
    if tool == "TaskCreate":
        return _created(tool_input, result.get("task"), at)
    if tool == "TaskUpdate":
        return _updated(tool_input, at, known)
    if tool == "TaskList":
        return _task_list(result.get("tasks"), at, known)
    return {}


def _whole_list(todos: Any, name: str, at: int | None, known: Objectives) -> Objectives:
    if not isinstance(todos, list):
        return {}
    listed: Objectives = {}
    for todo in todos[:OBJECTIVES_MAX]:
        if not isinstance(todo, dict):
            continue
        key = f"todo:{digest(str(todo.get(name)))}"
        while key in listed:
            key += "+"
        fresh = objective(todo.get(name), todo.get("status"), at)
        listed[key] = _kept(known.get(key), fresh)
    gone = {key: None for key in known if key not in listed}
    return {**gone, **listed}


def _kept(known: dict[str, Any] | None, fresh: dict[str, Any]) -> dict[str, Any]:
    """The time of an objective is that of its last change of status."""
    return known if known and known.get("status") == fresh["status"] else fresh


def _created(tool_input: dict[str, Any], task: Any, at: int | None) -> Objectives:
    if not isinstance(task, dict) or not task.get("id"):
        return {}
    return {named(str(task["id"])): objective(tool_input.get("subject"), "pending", at)}


def _updated(tool_input: dict[str, Any], at: int | None, known: Objectives) -> Objectives:
    key = named(str(tool_input.get("taskId") or ""))
    if not key:
        return {}
    if tool_input.get("status") == "deleted":
        return {key: None}
    before = known.get(key) or {}
    text = tool_input.get("subject") or before.get("text")
    status = tool_input.get("status") or before.get("status")
    return {key: _kept_text(before, objective(text, status, at))}


def _kept_text(before: dict[str, Any], fresh: dict[str, Any]) -> dict[str, Any]:
    same = before.get("status") == fresh["status"]
    return {**fresh, "at": before.get("at")} if same else fresh


def _task_list(tasks: Any, at: int | None, known: Objectives) -> Objectives:
    if not isinstance(tasks, list):
        return {}
    listed: Objectives = {
        (key := named(str(task["id"]))): _kept(
            known.get(key), objective(task.get("subject"), task.get("status"), at)
        )
        for task in tasks[:OBJECTIVES_MAX]
        if isinstance(task, dict) and task.get("id")
    }
    gone = {key: None for key in known if key not in listed}
    return {**gone, **listed}


def told_by_hook(tool: str, tool_input: Any, result: Any) -> tuple[Objectives, bool]:
    """What one hook alone tells: parts of objectives, and whether they are the whole list.

    A hook knows nothing of what was before: names that it does not tell are left out.
    """
    if tool != "TaskUpdate":
        told = told_by(tool, tool_input, result, None, {})
        return told, bool(told) and tool in _WHOLE
    tool_input = tool_input if isinstance(tool_input, dict) else {}
    key = named(str(tool_input.get("taskId") or ""))
    if not key:
        return {}, False
    if tool_input.get("status") == "deleted":
        return {key: None}, False
    subject = tool_input.get("subject")
    text = cut(subject, TEXT_BYTES_MAX)[0] if isinstance(subject, str) else None
    return {key: {"text": text, "status": known_status(tool_input.get("status"))}}, False
