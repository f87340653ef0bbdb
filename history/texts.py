"""Which texts of a session are searched, and how words are told apart. Pure.

Titles, prompts, messages, and what a tool was called with (paths, commands, patterns). Called by
the ledger when it records, and by the queries with what a person looks for.
"""

import re
from collections.abc import Iterable

from session.delta import cut_text
from session.timeline import TimelineEntry

DOCUMENT_BYTES_MAX = 64 * 1024
SEARCHED_BYTES_MAX = 8 * 1024  # of one entry: what is behind is data more often than words
WORDS_MAX = 16

# Scripts that put no space between words: each character is a word, and a word is a phrase.
_UNSPACED = re.compile(r"([\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])")
_SPACED = re.compile(
    r"(?<=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff]) +"
    r"(?=[\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uac00-\ud7af\uf900-\ufaff])"
)
_WORD = re.compile(r"\w+")


def searched(entry: TimelineEntry, full: str | None) -> str:
    """What of an entry is searched; ``full`` is its text where that is longer."""
    is_start = entry.kind == "tool" and entry.ref is None
    if entry.kind not in ("prompt", "message", "error") and not is_start:
        return ""
    return spaced(cut_text(full or entry.text, SEARCHED_BYTES_MAX)[0])


def spaced(text: str) -> str:
    """The text with a space at each character that is a word of its own."""
    return _UNSPACED.sub(r" \1 ", text)


def unspaced(text: str) -> str:
    """The text for people again."""
    return text if text.isascii() else _SPACED.sub("", text)


def documents_of(texts: Iterable[str]) -> list[str]:
    """The texts joined, in pieces that an index takes."""
    pieces: list[str] = []
    held: list[str] = []
    size = 0
    for text in texts:
        if size + len(text) > DOCUMENT_BYTES_MAX and held:
            pieces.append("\n".join(held))
            held, size = [], 0
        held.append(text)
        size += len(text)
    if held:
        pieces.append("\n".join(held))
    return pieces


def phrases(query: str) -> list[list[str]]:
    """What is looked for: each phrase is words that stand in a row, and all must be found.

    ``src/app.py`` is the phrase ``src app py``; quotes hold several words together.
    """
    found: list[list[str]] = []
    for quoted, plain in re.findall(r'"([^"]*)"|(\S+)', query):
        words = _WORD.findall(spaced(quoted or plain))
        if words and len(found) < WORDS_MAX:
            found.append(words[:WORDS_MAX])
    return found
