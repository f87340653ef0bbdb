"""What may leave this machine, as the settings say. Called by whoever reads what agents tell."""

from pathlib import Path

from ingest import metrics
from ingest.errors import InvalidRules
from ingest.redact.rule_file import RuleFile, parse
from ingest.redact.screen import Policy, Screen
from tower.setting import SettingsError
from tower.settings import Settings


def screen_of(settings: Settings) -> Screen:
    """The screen of every door; raises SettingsError for a file of rules that cannot be used."""
    policy = Policy(settings["content"], _rules(settings["redact_rules"]))
    return Screen(policy, metrics.count_redacted)


def _rules(path: str | None) -> RuleFile:
    if path is None:
        return RuleFile()
    try:
        return parse(Path(path).expanduser().read_text("utf-8"), path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"redact_rules: {path}: {error}") from error
    except InvalidRules as error:
        raise SettingsError(f"redact_rules: {error}") from error
