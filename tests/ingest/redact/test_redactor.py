"""Redaction of texts: what goes, what stays, and that it is final."""

import string
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.redact.redactor import Redactor
from ingest.redact.rules import MARK, RULES
from tests.ingest.redact.planted import Maker, Planted

PLANTED = Maker(1).all()
LONGER_MAX = 10  # times, at most

# Texts in which anything may stand, with what rules look for strewn in.
BITS = st.sampled_from(
    ["password", "=", ": ", '"', "'", "\\", "://", "@", "Bearer ", "token", "eyJ", "sk-", "ghp_",
     "[redacted:", "]", "Cookie: ", "--secret ", "\n", "-----BEGIN PRIVATE" + " KEY-----", "İ"]
)  # fmt: skip
TEXTS = st.lists(st.one_of(BITS, st.text(max_size=30)), max_size=30).map("".join)

HARMLESS = (
    "PWD=/home/joe OLDPWD=/tmp",
    "password: str, token: string; max_tokens: 4096, 12,400 output tokens",
    'password = os.environ["X"]; secret = get_secret("x"); token = ${{ secrets.T }}',
    "http://localhost:8787/ and https://a.example:80/c?d=e@f, git@github.com:a/b.git",
    "basic understanding of bearer tokens; the password is required",
    "scikit-learn task-force disk-usage-information-for-everybody",
    "https://x.example/list?page=2&key=1&code=404",
    "docker run -u 1000:1000 image",
    "DATABASE_URL=postgres://shop:$PASSWORD@db/shop",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b of src/session/tokens.py",
)


@pytest.mark.parametrize("planted", PLANTED, ids=[each.name for each in PLANTED])
def test_every_kind_is_taken_out(planted: Planted) -> None:
    """The secret is gone, its kind is told, and it is counted."""
    found: Counter[str] = Counter()
    cleaned = Redactor(on_found=lambda kind: found.update((kind,))).text(planted.text)
    assert planted.secret not in cleaned
    assert f"{MARK}{planted.kind}]" in cleaned
    assert found[planted.kind] == 1


def test_every_rule_has_a_secret_that_is_planted() -> None:
    """No kind goes untested."""
    assert {each.kind for each in PLANTED} == {rule.kind for rule in RULES}


@pytest.mark.parametrize("text", HARMLESS)
def test_what_only_looks_like_one_is_left(text: str) -> None:
    """The same object comes back."""
    assert Redactor().text(text) is text


def test_scheme_and_host_of_a_connection_stay() -> None:
    """So people see which database it was."""
    told = Redactor().text("postgres://joe:hun@ter2@db.example.org:5432/shop?a=1")
    assert told == "postgres://[redacted:connection_string]@db.example.org:5432/shop?a=1"


def test_what_stands_around_a_key_stays() -> None:
    """Only the block goes."""
    planted = Maker(2).keys()[0]
    assert Redactor().text(planted.text) == "here:\n[redacted:private_key]\nbye"


def test_a_character_that_grows_in_lower_case_moves_nothing() -> None:
    """Places are those of the text itself."""
    assert Redactor().text("İİİ PASSWORD=hunter22 İ") == "İİİ PASSWORD=[redacted:password] İ"


@given(TEXTS)
def test_redaction_is_final(text: str) -> None:
    """Asked again, nothing more is found."""
    once = Redactor().text(text)
    assert Redactor().text(once) == once


@given(TEXTS)
def test_a_text_grows_within_bounds(text: str) -> None:
    """However many secrets stand in it."""
    assert len(Redactor().text(text)) <= LONGER_MAX * len(text)


@given(st.text(alphabet=string.ascii_lowercase + " ,.\n", max_size=2_000))
def test_prose_stays(text: str) -> None:
    """Words without a separator between a name and a value hold no secret."""
    assert Redactor().text(text) is text


@given(
    st.sampled_from(PLANTED), st.text(max_size=200), st.text(max_size=200),
    st.sampled_from([" ", "\n", "\t"]),
)  # fmt: skip
def test_nothing_around_a_secret_saves_it(
    planted: Planted, before: str, after: str, space: str
) -> None:
    """Whatever stands before it and behind it."""
    text = f"{before}{space}{planted.text}{space}{after}"
    assert planted.secret not in Redactor().text(text)
