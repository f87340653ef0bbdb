"""Whether a page that is watched for long keeps more and more: its heap, minute by minute.

Each sample is the least of several, each taken after a collection of garbage: what has just come
over the line is in some of them, and is not kept. Used by the benchmark of the dashboard.
"""

import asyncio
import sys
from typing import Any, Protocol

EVERY_S = 60.0
LOOKS, LOOK_S = 6, 0.3
FLAT = 1.05
COUNTED = {"JSHeapUsedSize": "heap_bytes", "Nodes": "nodes", "JSEventListeners": "listeners"}

Sample = dict[str, float]


class Page(Protocol):
    """What is watched."""

    async def collected(self) -> dict[str, float]:
        """The browser's own counters, after a collection."""
        ...


async def sampled(board: Page, minutes: int) -> list[Sample]:
    """Once at the start and then every minute, on the board, while nobody touches it."""
    samples: list[Sample] = []
    for minute in range(minutes + 1 if minutes else 0):
        if minute:
            await asyncio.sleep(EVERY_S - LOOKS * LOOK_S)
        told = await _kept(board)
        samples.append({"minute": minute, **{key: told[name] for name, key in COUNTED.items()}})
        print(samples[-1], file=sys.stderr, flush=True)
    return samples


async def _kept(board: Page) -> dict[str, float]:
    looks = []
    for _ in range(LOOKS):
        looks.append(await board.collected())
        await asyncio.sleep(LOOK_S)
    return min(looks, key=lambda each: each["JSHeapUsedSize"])


def slope(samples: list[Sample], key: str) -> float:
    """How much more there is each minute, by the line that fits best."""
    xs, ys = [each["minute"] for each in samples], [each[key] for each in samples]
    middle_x, middle_y = sum(xs) / len(xs), sum(ys) / len(ys)
    across = sum((x - middle_x) ** 2 for x in xs)
    up = sum((x - middle_x) * (y - middle_y) for x, y in zip(xs, ys, strict=True))
    return up / across if across else 0.0


def heap_rows(samples: list[Sample]) -> list[tuple[Any, ...]]:
    """What, value, target and whether it was reached; none where nothing was sampled."""
    if len(samples) < 3:
        return []
    third = len(samples) // 3
    first, last = _mean(samples[:third]), _mean(samples[-third:])
    minutes = int(samples[-1]["minute"])
    growth = slope(samples, "heap_bytes") / 1e3
    megabytes = f"{first['heap_bytes'] / 1e6:.2f} → {last['heap_bytes'] / 1e6:.2f} MB"
    counts = ", ".join(
        f"{key} {first[key]:.0f} → {last[key]:.0f}" for key in ("nodes", "listeners")
    )
    flat = last["heap_bytes"] <= first["heap_bytes"] * FLAT
    return [
        (f"heap over {minutes} minutes, first third → last", megabytes, "flat (5 %)", flat),
        ("its slope", f"{growth:+.1f} KB/min"),
        ("in the document, first third → last", counts),
    ]


def _mean(samples: list[Sample]) -> Sample:
    return {key: sum(each[key] for each in samples) / len(samples) for key in samples[0]}
