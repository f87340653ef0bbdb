"""What stands before the log: secrets are taken out, then as much text is left as may leave.

Whatever is read is read in its context, so that no cut leaves half a secret; whatever is read is
then cleaned as a whole. Used by the routes and by the readers of transcripts.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TypeVar

import msgspec

from ingest.adapters.texts import cleaned_by
from ingest.adapters.transcript import Part
from ingest.redact.content import Content, trim
from ingest.redact.redactor import Redactor, unnoticed
from ingest.redact.rule_file import RuleFile, rules_of
from session.delta import Delta, Report

D = TypeVar("D", bound=Delta)


class Policy(msgspec.Struct, frozen=True):
    """What a user chose; it is handed on to processes that read for this one."""

    content: Content = "full"
    rules: RuleFile = RuleFile()


class Screen:
    """A policy at work. ``on_found`` hears of each secret by what it is counted as."""

    def __init__(
        self, policy: Policy | None = None, on_found: Callable[[str], None] = unnoticed
    ) -> None:
        self.policy = policy or Policy()
        self.on_found = on_found
        self._redactor = Redactor(rules_of(self.policy.rules), on_found)

    def reading(self) -> AbstractContextManager[None]:
        """The context in which adapters read."""
        return cleaned_by(self._redactor)

    def clean(self, delta: D) -> D:
        """A delta as it may leave."""
        return trim(self._redactor.clean(delta), self.policy.content)

    def clean_part(self, part: Part) -> Part:
        """The same of what will be the body of a report."""
        told = self.clean(
            Report(
                id="", session="", received_at=0, values=part.values, entries=part.entries,
                texts=part.texts,
            )
        )  # fmt: skip
        return part._replace(values=told.values, entries=told.entries, texts=told.texts)
