"""What in an agent's own settings would keep our hooks from running. Reads, and changes nothing."""

import fnmatch
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tower.hooks import files, json_hooks, toml_hooks
from tower.hooks.agents import CODEX
from tower.hooks.entries import Wanted
from tower.hooks.errors import HooksError
from tower.hooks.plan import CONFIG, Place

Values = dict[str, Any]

CLAUDE_MANAGED = Path(
    "/Library/Application Support/ClaudeCode/managed-settings.json"
    if sys.platform == "darwin"
    else "/etc/claude-code/managed-settings.json"
)
CODEX_MANAGED = Path("/etc/codex/requirements.toml")


def hindrances(place: Place, wanted: Wanted) -> list[str]:
    """A sentence for each."""
    return list(_codex(place) if place.agent == CODEX else _claude(place, wanted))


def _claude(place: Place, wanted: Wanted) -> Iterator[str]:
    posted = [h for group in wanted.values() for h in group["hooks"] if h["type"] == "http"]
    for path in (CLAUDE_MANAGED, *_claude_files(place)):
        values = _values(path)
        if values.get("disableAllHooks") is True:
            yield f"{path} has disableAllHooks: no hook runs until it is taken out"
        if values.get("allowManagedHooksOnly") is True:
            yield f"{path} has allowManagedHooksOnly: only hooks of the administrator run"
        urls = values.get("allowedHttpHookUrls")
        if isinstance(urls, list):
            yield from _urls(path, urls, posted)
        names = values.get("httpHookAllowedEnvVars")
        token = any("allowedEnvVars" in handler for handler in posted)
        if isinstance(names, list) and token and "TOWER_TOKEN" not in names:
            yield f"{path} has httpHookAllowedEnvVars without TOWER_TOKEN: add it"


def _claude_files(place: Place) -> Iterator[Path]:
    yield place.agent.home / "settings.json"
    folder = Path.cwd() / place.agent.folder
    yield from (folder / name for name in ("settings.json", "settings.local.json"))


def _urls(path: Path, urls: list[Any], posted: list[Values]) -> Iterator[str]:
    refused = {
        handler["url"]
        for handler in posted
        if not any(isinstance(u, str) and fnmatch.fnmatchcase(handler["url"], u) for u in urls)
    }
    for url in sorted(refused):
        yield f"{path} has allowedHttpHookUrls without {url}: add it"


def _codex(place: Place) -> Iterator[str]:
    for path in dict.fromkeys((place.agent.home / CONFIG, place.path.with_name(CONFIG))):
        features = _values(path).get("features", {})
        for name in ("hooks", "codex_hooks"):
            if isinstance(features, dict) and features.get(name) is False:
                yield f"{path} has {name} = false under [features]: no hook runs"
    if _values(CODEX_MANAGED).get("allow_managed_hooks_only") is True:
        yield f"{CODEX_MANAGED} allows hooks of the administrator only"


def _values(path: Path) -> Values:
    """What a file says; one that cannot be read is its agent's to complain of."""
    try:
        text = files.read(path) or ""
        form = toml_hooks if path.suffix == ".toml" else json_hooks
        values: Values = form.values_in(text.removeprefix(files.BOM), str(path))
    except HooksError:
        return {}
    return values
