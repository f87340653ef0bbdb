"""Rules of a user's own: a TOML file that adds kinds of secrets and switches built-in ones off.

Patterns are RE2's, which takes time in proportion to the text whatever it is asked: none can stop
an ingest. Raises InvalidRules with the file, the rule and what to do. Called by the settings.
"""

import importlib
import re
import tomllib
from typing import Any

import msgspec

from ingest.errors import InvalidRules
from ingest.redact.rules import CUSTOM, RULES, Rule

RULES_MAX = 200
PATTERN_CHARS_MAX = 1000
EXTRA = "agenttower[rules]"
_KIND = re.compile(r"[a-z][a-z0-9_-]{0,39}")


class OwnRule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One ``[[rule]]``. Without keywords its pattern is searched in every text."""

    kind: str
    pattern: str
    keywords: tuple[str, ...] = ()


class RuleFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a rule file says: ``off`` are built-in kinds that are not searched for."""

    off: tuple[str, ...] = ()
    rule: tuple[OwnRule, ...] = ()


def parse(text: str, name: str) -> RuleFile:
    """Read the text of the file ``name`` and see that each of its rules can be used."""
    try:
        told = msgspec.convert(tomllib.loads(text), RuleFile)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise InvalidRules(f"{name}: {error}") from error
    if len(told.rule) > RULES_MAX:
        raise InvalidRules(f"{name}: a file has at most {RULES_MAX} rules; join some by |")
    known = {rule.kind for rule in RULES}
    for kind in told.off:
        if kind not in known:
            raise InvalidRules(f"{name}: off: {kind!r} is no kind; known are {_listed(known)}")
    for place, rule in enumerate(told.rule, 1):
        _check(rule, f"{name}: rule {place} ({rule.kind!r})")
    return told


def _listed(kinds: set[str]) -> str:
    return ", ".join(sorted(kinds))


def _check(rule: OwnRule, where: str) -> None:
    if not _KIND.fullmatch(rule.kind):
        raise InvalidRules(
            f"{where}: kind: expected 1 to 40 of a-z, 0-9, _ and -, beginning with a letter"
        )
    if not 0 < len(rule.pattern) <= PATTERN_CHARS_MAX:
        raise InvalidRules(f"{where}: pattern: expected 1 to {PATTERN_CHARS_MAX} characters")
    if not all(rule.keywords):
        raise InvalidRules(f"{where}: keywords: one of them is empty; leave it out")
    try:
        matches_nothing = _compiled(rule).search("") is not None
    except ImportError as error:
        raise InvalidRules(f"{where}: rules of your own need {EXTRA}: install that") from error
    except Exception as error:
        # RE2 has an error of its own, and tells of it in words.
        reason = f"{error}".strip("b'\"")
        raise InvalidRules(
            f"{where}: pattern: {reason} (RE2 has no look-around and no back-references)"
        ) from error
    if matches_nothing:
        raise InvalidRules(f"{where}: pattern: it matches an empty text; let it ask for something")


def _compiled(rule: OwnRule) -> Any:
    re2 = importlib.import_module("re2")
    options = re2.Options()
    options.log_errors = False
    return re2.compile(rule.pattern, options)


def rules_of(told: RuleFile) -> tuple[Rule, ...]:
    """The built-in rules that are not off, and those of the file behind them."""
    kept = [rule for rule in RULES if rule.kind not in told.off]
    own = [
        Rule(each.kind, _compiled(each), tuple(word.lower() for word in each.keywords), CUSTOM)
        for each in told.rule
    ]
    return (*kept, *own)
