"""Prices: exactly those of genai-prices for each call, from cached unit prices."""

from datetime import UTC, datetime

import pytest
from genai_prices import Usage, calc_price
from hypothesis import given
from hypothesis import strategies as st

from session.pricing import context_tokens_max, cost_usd, normalized, price_table
from tests.session.made import NOW

KNOWN = (
    "claude-opus-4-6", "claude-opus-4-5", "claude-sonnet-4-5", "claude-sonnet-4-6",
    "claude-haiku-4-5", "claude-opus-4-1", "claude-3-5-haiku-20241022", "gpt-5.5",
    "gemini-2.5-pro",
)  # fmt: skip
amounts = st.one_of(st.integers(0, 50), st.integers(0, 400_000), st.integers(199_990, 200_010))


def tokens(**counts: int) -> dict[str, int]:
    """Counts of one call, the rest 0."""
    names = ("input", "output", "cache_read", "cache_write", "cache_write_1h")
    return dict.fromkeys(names, 0) | counts


@given(st.sampled_from(KNOWN), amounts, amounts, amounts, amounts, st.integers(0, 50_000))
def test_a_call_costs_what_genai_prices_says(
    model: str, fresh: int, output: int, read: int, written: int, hour: int
) -> None:
    """For every mixture of tokens, on both sides of a long-context tier."""
    hour = min(hour, written)
    counts = tokens(
        input=fresh, output=output, cache_read=read, cache_write=written, cache_write_1h=hour
    )
    usage = Usage(
        input_tokens=fresh + read + written, output_tokens=output, cache_read_tokens=read,
        cache_write_tokens=written, cache_write_1h_tokens=hour,
    )  # fmt: skip
    provider = "anthropic" if model.startswith("claude") else None
    when = datetime.fromtimestamp(NOW / 1000, UTC)
    priced = calc_price(usage, model, provider_id=provider, genai_request_timestamp=when)
    assert cost_usd(model, NOW, counts) == pytest.approx(float(priced.total_price), rel=1e-9)


def test_cache_writes_cost_by_how_long_they_are_kept() -> None:
    """100,000 tokens of opus 4.6: 0.625 USD for 5 minutes, 1 USD for an hour, 0.775 mixed."""
    for hour, cost in ((0, 0.625), (100_000, 1.0), (40_000, 0.775)):
        counts = tokens(cache_write=100_000, cache_write_1h=hour)
        assert cost_usd("claude-opus-4-6", NOW, counts) == pytest.approx(cost)


def test_the_long_context_tier_holds_for_the_whole_call() -> None:
    """250,000 tokens into sonnet 4.5 cost 6 USD per million, all of them."""
    counts = tokens(input=250_000)
    assert cost_usd("claude-sonnet-4-5", NOW, counts) == pytest.approx(1.5)
    assert cost_usd("claude-sonnet-4-5", NOW, tokens(input=200_000)) == pytest.approx(0.6)


@pytest.mark.parametrize(
    "name",
    ["claude-opus-4-6[1m]", "us.anthropic.claude-opus-4-6-v1:0", "anthropic.claude-opus-4-6-v1",
     "anthropic/claude-opus-4-6", "claude-opus-4-6@20260101",
     "global.anthropic.claude-opus-4-6-v1:0"],
)  # fmt: skip
def test_names_of_gateways_mean_the_same_model(name: str) -> None:
    """Context suffix, region, provider and revision are no part of the model."""
    assert normalized(name) == "claude-opus-4-6"
    plain = cost_usd("claude-opus-4-6", NOW, tokens(input=1_000))
    assert cost_usd(name, NOW, tokens(input=1_000)) == plain == pytest.approx(0.005)


@pytest.mark.parametrize("model", ["<synthetic>", "made-up", "", "[1m]", "claude-", "a/", "🚀"])
def test_a_model_without_a_price_is_never_guessed(model: str) -> None:
    """It costs None, not 0."""
    assert cost_usd(model, NOW, tokens(input=1_000)) is None


@pytest.mark.parametrize("at", [None, 0, NOW, -1, -62_135_596_800_000])
def test_a_call_has_a_price_at_any_time(at: int | None) -> None:
    """Also one without a time."""
    assert cost_usd("claude-opus-4-6", at, tokens(input=1_000)) == pytest.approx(0.005)


@pytest.mark.parametrize("at", [-62_135_596_860_000, 253_402_387_140_000, 10**18])
def test_a_time_outside_the_calendar_is_no_error(at: int) -> None:
    """Transcripts are hostile text: 9999-12-31T23:59:59-23:59 is a time, too."""
    assert cost_usd("claude-opus-4-6", at, tokens(input=1_000)) is not None


def test_no_number_of_tokens_is_an_error() -> None:
    """However large what a transcript claims."""
    assert cost_usd("claude-opus-4-6", NOW, tokens(input=2**63)) is not None


@pytest.mark.parametrize(
    ("model", "most"),
    [
        ("claude-sonnet-4-5-20250929", 200_000),
        ("us.anthropic.claude-sonnet-4-5-v1:0", 200_000),
        ("claude-sonnet-4-5[1m]", 1_000_000),
        ("my-own[1m]", 1_000_000),
        ("my-own", None),
        ("", None),
    ],
)
def test_a_model_takes_in_so_much_at_once(model: str, most: int | None) -> None:
    """By the table, unless the name says it; what nobody knows is not guessed."""
    assert context_tokens_max(model) == most


def test_the_price_table_has_a_name() -> None:
    """Who asks what a sum is made of is told the package and the version that is pinned."""
    assert price_table() == ("genai-prices", "0.2.3")
