"""What an API call costs, by genai-prices: each call alone, unit prices cached by price table.

Never guesses: a model without a price is unpriced. Long-context tiers hold for a whole call.
Called by the readers, which alone see single calls; which table it is, by the queries; how much
a model takes in at once, by the hub.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from session.errors import UnknownModel

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice

_PACKAGE = "genai-prices"
_PROBE_TOKENS = 1_000
_REGIONS = ("us.", "eu.", "apac.", "jp.", "au.", "global.")
_NO_LIMIT = 2**62
_MILLION = "[1m]"
_TIME_MAX_MS = 4_102_444_800_000  # the year 2100


class UnitPrices(NamedTuple):
    """USD for one token of each kind, for calls whose whole input is ≤ ``input_max`` tokens."""

    input_max: int
    input: float
    output: float
    cache_read: float
    cache_write: float
    cache_write_1h: float


def cost_usd(model: str, at: int | None, tokens: Mapping[str, int]) -> float | None:
    """Price one call in USD, or None if the model has no price.

    ``tokens``: input (without cache), output, cache_read, cache_write and cache_write_1h, the
    part of cache_write that is kept for an hour. ``at`` is the call's time in ms: prices change.
    """
    try:
        info = _find(model)
    except UnknownModel:
        return None
    when = datetime.fromtimestamp(min(max(at or 0, 0), _TIME_MAX_MS) / 1000, UTC)
    written, hour = tokens["cache_write"], tokens["cache_write_1h"]
    whole_input = tokens["input"] + tokens["cache_read"] + written
    brackets = _brackets(_Same(info.get_prices(when)))
    prices = next((each for each in brackets if whole_input <= each.input_max), brackets[-1])
    return (
        tokens["input"] * prices.input
        + tokens["output"] * prices.output
        + tokens["cache_read"] * prices.cache_read
        + (written - hour) * prices.cache_write
        + hour * prices.cache_write_1h
    )


def context_tokens_max(model: str) -> int | None:
    """How many tokens the model takes in at once, or None if that is not known.

    The first call imports what it asks: not in a loop that others wait for.
    """
    if model.endswith(_MILLION):
        return 1_000_000
    try:
        return _find(model).context_window
    except UnknownModel:
        return None


class PriceTable(NamedTuple):
    """Which prices were taken. The table names no date, so its version is all there is."""

    package: str
    version: str


@lru_cache(maxsize=1)
def price_table() -> PriceTable:
    """The package that the prices are of; it is not imported for that."""
    from importlib.metadata import version

    return PriceTable(_PACKAGE, version(_PACKAGE))


def normalized(model: str) -> str:
    """The model's plain name: without context suffix, region, gateway or revision."""
    name = model.removesuffix(_MILLION).rpartition("/")[2]
    for region in _REGIONS:
        name = name.removeprefix(region)
    name = name.removeprefix("anthropic.").partition(":")[0].partition("@")[0]
    return name.removesuffix("-v1").removesuffix("-v2")


@lru_cache(maxsize=1024)
def _find(model: str) -> "ModelInfo":
    # Imported late: it costs 0.25 s and 13 MB, and a hub needs it only if it is asked for models.
    from genai_prices import Usage, calc_price

    name = normalized(model)
    provider = "anthropic" if name.startswith("claude") else None
    try:
        return calc_price(Usage(input_tokens=1), model_ref=name, provider_id=provider).model
    except LookupError as error:
        raise UnknownModel(model) from error


class _Same:
    """A price table as a cache key: tables are shared objects that cannot be hashed."""

    __slots__ = ("table",)

    def __init__(self, table: "ModelPrice") -> None:
        self.table = table

    def __hash__(self) -> int:
        return id(self.table)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.table is self.table


@lru_cache(maxsize=1024)
def _brackets(same: _Same) -> tuple[UnitPrices, ...]:
    """Unit prices by size of the whole input, found by pricing probes."""
    from genai_prices.types import TieredPrices

    values = vars(same.table).values()
    tiered = [value for value in values if isinstance(value, TieredPrices)]
    starts = sorted({tier.start for value in tiered for tier in value.tiers})
    bounds = zip([0, *starts], [*starts, _NO_LIMIT], strict=True)
    return tuple(_probe(same.table, start, end) for start, end in bounds)


def _probe(table: "ModelPrice", start: int, end: int) -> UnitPrices:
    """Unit prices of calls with an input over ``start`` and up to ``end`` tokens."""
    from genai_prices import Usage

    whole = start + _PROBE_TOKENS

    def price(**counts: int) -> float:
        return float(table.calc_price(Usage(input_tokens=whole, **counts))["total_price"])

    base = price()
    plain = base / whole

    def unit(**counts: int) -> float:
        return (price(**counts) - base) / _PROBE_TOKENS

    return UnitPrices(
        input_max=end,
        input=plain,
        output=unit(output_tokens=_PROBE_TOKENS),
        cache_read=plain + unit(cache_read_tokens=_PROBE_TOKENS),
        cache_write=plain + unit(cache_write_tokens=_PROBE_TOKENS),
        cache_write_1h=plain
        + unit(cache_write_tokens=_PROBE_TOKENS, cache_write_1h_tokens=_PROBE_TOKENS),
    )
