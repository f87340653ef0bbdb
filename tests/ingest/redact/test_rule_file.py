"""Rules of a user's own: what a file may say, and what is said of a file that cannot be used."""

import sys

import pytest

from ingest.errors import InvalidRules
from ingest.redact.redactor import Redactor
from ingest.redact.rule_file import EXTRA, RULES_MAX, RuleFile, parse, rules_of
from ingest.redact.rules import RULES

OWN = """
off = ["jwt"]

[[rule]]
kind = "customer"
pattern = 'customer (C-[0-9]+)'
keywords = ["Customer"]

[[rule]]
kind = "animal"
pattern = '(?i)zebra'
"""
RULE = "[[rule]]\nkind = 'a'\npattern = 'x'\n"
WRONG = {
    "no TOML": ("x = [", "rules.toml: "),
    "no such kind": ("off = ['nope']", "off: 'nope' is no kind; known are anthropic, "),
    "a name": ("[[rule]]\nkind = 'A b'\npattern = 'x'", "rule 1 ('A b'): kind: expected 1 to 40"),
    "no pattern": (RULE + "[[rule]]\nkind = 'b'\npattern = ''", "rule 2 ('b'): pattern: expected"),
    "no RE2": ("[[rule]]\nkind = 'a'\npattern = '(?=x)'", "pattern: invalid perl operator"),
    "matches nothing": (
        "[[rule]]\nkind = 'a'\npattern = 'x*'",
        "pattern: it matches an empty text",
    ),
    "a keyword": (RULE + "keywords = ['']", "rule 1 ('a'): keywords: one of them is empty"),
    "a field": (RULE + "keyword = 'x'", "unknown field `keyword`"),
    "too many": (RULE * (RULES_MAX + 1), f"at most {RULES_MAX} rules"),
}


def test_rules_are_added_and_switched_off() -> None:
    """With a group only that goes; keywords count in either case; others are as before."""
    redactor = Redactor(rules_of(parse(OWN, "rules.toml")))
    jwt = f"ey{'J'}{'a1' * 20}.ey{'J'}{'b2' * 20}.c3"
    told = redactor.text(f"for CUSTOMER and customer C-77: Zebras, {jwt}")
    assert told == f"for CUSTOMER and customer [redacted:customer]: [redacted:animal]s, {jwt}"


def test_rules_of_a_user_count_as_custom() -> None:
    """So that no name of a user's becomes a label."""
    counted: list[str] = []
    Redactor(rules_of(parse(OWN, "rules.toml")), counted.append).text("a zebra, two zebras")
    assert counted == ["custom", "custom"]


def test_a_rule_leaves_alone_what_was_redacted() -> None:
    """Also one that would match the mark itself."""
    rules = parse("[[rule]]\nkind = 'word'\npattern = '[a-z]+'\n", "rules.toml")
    redactor = Redactor(rules_of(rules))
    told = redactor.text("some words 12345")
    assert told == "[redacted:word] [redacted:word] 12345"
    assert redactor.text(told) == told


def test_a_pattern_that_would_take_for_ever_takes_no_time() -> None:
    """The same pattern keeps Python's own engine busy beyond all bounds."""
    rules = parse("[[rule]]\nkind = 'slow'\npattern = '(a+)+(b+)+c'\n", "rules.toml")
    text = "ab" * 20_000
    assert Redactor(rules_of(rules)).text(text) is text


def test_no_file_means_the_built_in_rules() -> None:
    """All of them."""
    assert rules_of(RuleFile()) == RULES


@pytest.mark.parametrize("name", WRONG)
def test_a_file_that_cannot_be_used_says_why(name: str) -> None:
    """Which file, which rule, and what is expected."""
    text, reason = WRONG[name]
    with pytest.raises(InvalidRules) as refused:
        parse(text, "rules.toml")
    assert str(refused.value).startswith("rules.toml")
    assert reason in str(refused.value)


def test_without_its_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has a rule file is told what to install."""
    monkeypatch.setitem(sys.modules, "re2", None)
    with pytest.raises(InvalidRules, match=EXTRA.replace("[", r"\[")):
        parse(RULE, "rules.toml")
