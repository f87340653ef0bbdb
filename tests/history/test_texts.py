"""Which texts are searched, in pieces that an index takes, and how words are told apart."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history import texts
from session.timeline import TimelineEntry

WORDS = st.text(st.characters(codec="utf-8"), max_size=40)


def entry(kind: str, text: str = "words", ref: str | None = None) -> TimelineEntry:
    """An entry of that kind."""
    return TimelineEntry(seq=1, at=None, kind=kind, id="e", text=text, ref=ref)


@pytest.mark.parametrize("kind", ["prompt", "message", "error", "tool"])
def test_what_people_and_agents_say_and_what_tools_are_called_with_is_searched(kind: str) -> None:
    """What a tool gave is data."""
    assert texts.searched(entry(kind), None) == "words"
    assert texts.searched(entry("tool", ref="t1"), None) == ""


@pytest.mark.parametrize("kind", ["session", "tokens", "attention", "objective", "compaction"])
def test_what_the_program_notes_itself_is_not_searched(kind: str) -> None:
    """Nobody said it."""
    assert texts.searched(entry(kind), None) == ""


def test_the_whole_text_is_searched_as_far_as_it_is_words() -> None:
    """A timeline carries less of it, and beyond some length it is data."""
    assert texts.searched(entry("prompt", "cut"), "cut off") == "cut off"
    long = texts.searched(entry("prompt"), "\u00fc" * texts.SEARCHED_BYTES_MAX)
    assert len(long.encode()) == texts.SEARCHED_BYTES_MAX


@given(st.lists(WORDS.filter(bool)))
def test_no_text_is_lost_between_pieces(said: list[str]) -> None:
    """They are joined in their order, and every one is whole in its piece."""
    assert "\n".join(texts.documents_of(said)) == "\n".join(said)


def test_a_piece_is_no_larger_than_an_index_takes() -> None:
    """But for a single text that is."""
    said = ["x" * 1_000] * 200
    pieces = texts.documents_of(said)
    assert len(pieces) > 1
    assert max(map(len, pieces)) <= texts.DOCUMENT_BYTES_MAX + len(said)
    assert texts.documents_of(["x" * 99_999, "y"]) == ["x" * 99_999, "y"]


@given(WORDS)
def test_spaces_between_characters_that_are_words_are_taken_back(text: str) -> None:
    """For people a text reads as it was, but for spaces that nobody sees there."""
    squeezed = "".join(texts.unspaced(texts.spaced(text)).split())
    assert squeezed == "".join(text.split())


@pytest.mark.parametrize(
    ("query", "phrases"),
    [
        ("", []),
        ("  - / ", []),
        ("two words", [["two"], ["words"]]),
        ('"two words" more', [["two", "words"], ["more"]]),
        ("src/app.py", [["src", "app", "py"]]),
        ("\u4f60\u597d", [["\u4f60", "\u597d"]]),
        ('"open end', [["open"], ["end"]]),
        ("a" * 3 + "\x00b", [["aaa", "b"]]),
    ],
)
def test_a_query_is_phrases_that_must_all_be_found(query: str, phrases: list[list[str]]) -> None:
    """Quotes and whatever joins words hold them together."""
    assert texts.phrases(query) == phrases


@given(st.text())
def test_any_query_has_few_phrases_of_few_words(query: str) -> None:
    """Whatever is asked for."""
    phrases = texts.phrases(query)
    assert len(phrases) <= texts.WORDS_MAX
    assert all(0 < len(words) <= texts.WORDS_MAX for words in phrases)
