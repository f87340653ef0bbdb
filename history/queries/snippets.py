"""The place of a text where something was found, short enough for a line. Pure.

Parts instead of marks, so that nobody has to take a text for markup. Called by the listing.
"""

import re
import unicodedata
from collections.abc import Callable, Sequence

from history.queries.terms import Term
from history.texts import spaced, unspaced

BEFORE_CHARS = 60
SNIPPET_CHARS = 240
CUT = "…"
BEGIN_CHARS = 4_096
"""What is looked for stands here most often, and a whole text is long to fold."""

Hit = list[tuple[str, bool]]
"""A piece of a text: its parts, and whether each is what was looked for."""


def hit_of(text: str, looked_for: Sequence[Term]) -> Hit:
    """The piece around the first place of the longest term that is there, as one line."""
    found = _Search(text[:BEGIN_CHARS], looked_for, str.lower)
    if not found.is_settled:
        found = _Search(text, looked_for, str.lower)
    if found.first is None:  # case alone is not it, and diacritics take longer
        found = _Search(text, looked_for, _without_diacritics)
    start, end = _window(text, found.first or 0)
    parts: Hit = [(CUT, False)] if start else []
    at = start
    for begin, stop in found.spans(start, end):
        if begin >= at:
            parts += [(text[at:begin], False), (text[begin:stop], True)]
            at = stop
    parts += [(text[at:end], False), (CUT if end < len(text) else "", False)]
    lines = [(line, is_hit) for part, is_hit in parts if (line := _line(part))]
    return [(line, is_hit) for line, is_hit in _unspaced(lines) if line]


def finder(term: Term) -> Callable[[str], bool]:
    """Whether a term stands in a text, as the index of words would find it."""
    pattern = _pattern(_without_diacritics(term.text), term.is_open)
    return lambda text: pattern.search(_without_diacritics(spaced(text))) is not None


class _Search:
    """Where terms stand in a text, both folded so that every place stays the same."""

    def __init__(self, text: str, looked_for: Sequence[Term], fold: Callable[[str], str]) -> None:
        folded = fold(text)
        self._text = folded if len(folded) == len(text) else ""
        terms = sorted(looked_for, key=lambda term: len(term.text), reverse=True)
        self._patterns = [_pattern(fold(term.text), term.is_open) for term in terms]
        found = (pattern.search(self._text) for pattern in self._patterns)
        first = next((match for match in found if match), None)
        self.first = first.start() if first else None
        is_longest = first is not None and first.re is self._patterns[0]
        shown = first.end() + SNIPPET_CHARS if first else 0
        self.is_settled = is_longest and shown < len(text)

    def spans(self, start: int, end: int) -> list[tuple[int, int]]:
        """Of every term between two places."""
        found = (
            match for each in self._patterns for match in each.finditer(self._text, start, end)
        )
        return sorted(match.span() for match in found)


def _window(text: str, first: int) -> tuple[int, int]:
    """Where a piece with the place ``first`` begins and ends, at words if they are near."""
    start = max(0, first - BEFORE_CHARS)
    if start:
        start = text.find(" ", start, first) + 1 or start
    return start, min(len(text), start + SNIPPET_CHARS)


def _pattern(words: str, is_open: bool) -> re.Pattern[str]:
    """Begins with a plain word, which is sought fast, and then looks at what stands before it."""
    first, *others = map(re.escape, words.split())
    row = r"[\W_]+".join([rf"{first}(?<!{_LETTER}{first})", *others])
    return re.compile(row + ("" if is_open else rf"(?!{_LETTER})"))


_LETTER = r"[^\W_]"


class _Folded(dict[int, str]):
    """Characters without case and diacritics, one for one, so that every place stays the same."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        plain = unicodedata.normalize("NFD", character)[0].lower()[0]
        if len(self) < _FOLDED_MAX:
            self[code] = plain
        return plain


_FOLDED_MAX = 5_000
_FOLDED = _Folded()


def _without_diacritics(text: str) -> str:
    return text.translate(_FOLDED)


_SPACES = re.compile(r"\s+")


def _line(part: str) -> str:
    return unspaced(_SPACES.sub(" ", part))


def _unspaced(parts: Hit) -> Hit:
    """Without the spaces between parts that were put between characters."""
    told = [""]
    for part, _ in parts:
        before = told[-1].rstrip()
        joint = before[-1:] + " " + part.lstrip()[:1]
        if unspaced(joint) != joint or not before:
            told[-1] = before
            told.append(part.lstrip())
        else:
            told.append(part)
    return [(line, is_hit) for line, (_, is_hit) in zip(told[1:], parts, strict=True)]
