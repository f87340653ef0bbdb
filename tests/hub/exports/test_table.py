"""Sessions as CSV: read back they are the same, and no text is a formula."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hub.exports import table
from session.state import SUMMARY_NAMES, Session, summary
from tests.hub.made import NOW


def read(data: bytes) -> list[dict[str, str]]:
    """As a spreadsheet reads it."""
    text = data.decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_every_name_of_a_summary_has_its_column() -> None:
    """Small objects are taken apart, times are ISO 8601, and what is not known is empty."""
    session = Session(
        id="a", workspace="default", title='say "hi", twice\nor more', started_at=NOW,
        tokens={"input": 1, "output": 2, "cache_read": 3, "cache_write": 4}, cost_usd=0.5,
        objectives={"done": 1, "total": 2},
    )  # fmt: skip
    data = table.head() + table.body([summary(session)])
    assert data.startswith(b"\xef\xbb\xbfid,agent,")
    assert data.endswith(b"\r\n")
    [row] = read(data)
    assert list(row) == table.columns()
    assert row["title"] == 'say "hi", twice\nor more'
    assert row["started_at"] == "2026-09-21T14:13:20.000Z"
    assert (row["tokens_cache_write"], row["cost_usd"], row["objectives_done"]) == ("4", "0.5", "1")
    assert (row["ended_at"], row["subagents_total"], row["archived"]) == ("", "", "false")
    plain = {"tokens", "objectives", "subagents", "sources"}
    assert set(SUMMARY_NAMES) - plain <= set(row)


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＠"])
def test_a_formula_is_a_text(start: str) -> None:
    """An apostrophe stands in front, and nothing else is changed."""
    told = f"{start}cmd|' /C calc'!A0"
    [row] = read(table.head() + table.body([summary(Session(id=told, workspace="w", title=told))]))
    assert row["id"] == row["title"] == f"'{told}"


def test_a_number_is_no_formula() -> None:
    """Also one below nothing, and one that is huge."""
    session = Session(id="a", workspace="w", cost_usd=-1.5, context_tokens=10**30)
    [row] = read(table.head() + table.body([summary(session)]))
    assert (row["cost_usd"], row["context_tokens"]) == ("-1.5", str(10**30))


@given(st.text() | st.text(alphabet=st.characters(categories=["Cs", "Cc", "Po"])))
def test_any_text_comes_back(told: str) -> None:
    """With what no file can hold replaced."""
    [row] = read(table.head() + table.body([summary(Session(id="a", workspace="w", title=told))]))
    kept = told.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")
    assert row["title"].removeprefix("'") == kept.removeprefix("'")


@given(st.integers())
def test_any_time_is_told_or_left_out(at: int) -> None:
    """Before 1970 and after 9999 there is none."""
    told = table.iso(at)
    assert (told is not None) == (0 <= at <= 253_402_300_799_000)
