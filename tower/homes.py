"""The homes of agents that the settings name. Called by the service and by the doctor."""

from ingest.homes import CLAUDE_CODE, CODEX, Home
from tower.settings import Settings


def homes_in(settings: Settings) -> list[Home]:
    """Every home of every agent, absolute."""
    named = ((CLAUDE_CODE, "claude_dir"), (CODEX, "codex_dir"))
    return [Home(path, agent).absolute() for agent, name in named for path in settings[name]]
