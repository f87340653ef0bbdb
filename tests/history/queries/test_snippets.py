"""The place where something was found: parts of a text that say what is a hit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from history.queries.snippets import SNIPPET_CHARS, Hit, hit_of
from history.queries.terms import terms
from history.texts import spaced


def hits(hit: Hit) -> list[str]:
    """What is marked."""
    return [part for part, is_hit in hit if is_hit]


@pytest.mark.parametrize(
    ("text", "query", "marked"),
    [
        ("add a Cart page", "cart", ["Cart"]),
        ("carts and cartography", "cart", ["cart", "cart"]),
        ("carts and cartography", '"cart"', []),
        ("a cart, a cart", "cart a", ["a", "cart", "a", "cart"]),
        ("read src/app.py twice", "src/app.py", ["src/app.py"]),
        ("read src/app.py twice", "app", ["app"]),
        ("foo_bar and foobar", "bar", ["bar"]),
        ("un café crème", "cafe creme", ["café", "crème"]),
        ("un cafe", "CAFÉ", ["cafe"]),
        ("the   page\n\tnumber", '"page number"', ["page number"]),
        (spaced("写一个购物车页面"), "购物车", ["购物车"]),
        ("İstanbul cart", "cart", ["cart"]),
        ("nothing here", "cart", []),
        ("", "cart", []),
    ],
)
def test_what_was_looked_for_is_marked(text: str, query: str, marked: list[str]) -> None:
    """Without regard to case; to diacritics only where nothing has them as they were typed."""
    assert hits(hit_of(text, terms(query))) == marked


def test_a_long_text_is_cut_around_the_longest_term() -> None:
    """The piece says where it was cut, and stays short."""
    text = "a b " * 500 + "then the needle came " + "c d " * 500
    hit = hit_of(text, terms("a needle"))
    assert "needle" in hits(hit)
    assert hit[0] == ("…", False)
    assert hit[-1] == ("…", False)
    assert len("".join(part for part, _ in hit)) <= SNIPPET_CHARS + 2


def test_markup_stays_text() -> None:
    """Parts say what is a hit, so nobody has to parse marks."""
    hit = hit_of("<b>cart</b> \x01cart\x02", terms("cart"))
    assert hit[:3] == [("<b>", False), ("cart", True), ("</b> \x01", False)]


@given(st.text(), st.text(max_size=40))
def test_any_text_and_any_query_give_a_short_piece(text: str, query: str) -> None:
    """The parts joined are a piece of the text, white space left aside."""
    hit = hit_of(text, terms(query))
    told = "".join(part for part, _ in hit).replace("…", "")
    assert len(told) <= SNIPPET_CHARS
    squeezed = "".join(text.replace("…", "").split())
    assert "".join(told.split()) in squeezed


@given(st.text(max_size=60))
def test_terms_have_words_and_no_marks(query: str) -> None:
    """What reaches an index of words can be no operator of it."""
    for term in terms(query):
        assert term.text
        assert not set(term.text) & set("\"'*():^-+&|!<>~\\\x00\n")
    assert len(terms(query)) <= 16
    assert not any(term.is_open for term in terms(query)[:-1])


def test_only_the_last_word_may_go_on() -> None:
    """And only if it is no quoted one, and long enough to mean something."""
    assert [term.is_open for term in terms("cart page")] == [False, True]
    assert [term.is_open for term in terms('cart "page"')] == [False, False]
    assert [term.is_open for term in terms("cart pa")] == [False, False]
    assert terms("'); -- _") == []
