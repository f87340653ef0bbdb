"""What a person looks for, term by term: words that stand in a row. Pure.

Called by the search, the snippets and, for live sessions, the merge.
"""

import re
from typing import NamedTuple

from history.texts import WORDS_MAX, phrases, spaced

NAME_CHARS_MIN = 3
"""A shorter term is found in texts alone: nearly every name and id contains two letters."""

PREFIX_CHARS_MIN = 3
"""A shorter word at the end is a whole word: too many begin with two letters. In a row with
others one less is enough."""

_MARKS = re.compile(r"[\x00-/:-@\[-`{-\x7f]+")


class Term(NamedTuple):
    """One word, path or quoted phrase.

    ``text`` is its words alone, as an index reads them; ``is_open``: the last of them may be the
    begin of a longer one.
    """

    raw: str
    text: str
    is_open: bool = False

    @property
    def name(self) -> str | None:
        """What a session may be called by, in lower case; None where that is too short."""
        return self.raw.lower() if len(self.raw) >= NAME_CHARS_MIN else None


def terms(q: str | None) -> list[Term]:
    """The terms of a query, all of which must be found; none where nothing is looked for."""
    told = q or ""
    found: list[Term] = []
    for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', told):
        raw = quoted or plain
        text = " ".join(_MARKS.sub(" ", spaced(raw)).split())
        if text and phrases(raw):
            found.append(Term(raw, text))
    found = found[:WORDS_MAX]
    if found and not told.rstrip().endswith('"'):
        last = found[-1]
        before, _, word = last.text.rpartition(" ")
        is_open = len(word) >= PREFIX_CHARS_MIN - bool(before)
        found[-1] = last._replace(is_open=is_open)
    return found
