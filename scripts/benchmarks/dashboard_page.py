"""The board in a browser of its own, and what is done to it while it is watched.

The page is never changed: scripts of the measurement only count its animation frames and look for
the first row. Used by the benchmark of the dashboard.
"""

import asyncio
import gzip
import itertools
import json
import shutil
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, NamedTuple

from dashboard_others import at_rest, others_percent, times
from dashboard_trace import CATEGORIES, Busy, busy
from playwright.async_api import Browser, BrowserContext, CDPSession, Page, Playwright, Response
from towers import Tower

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
WIDE: Any = {"width": 1440, "height": 900}
ROW = "[data-testid=session-row]"
LIVE = "[data-testid=connection][data-state=live]"
WAIT_MS = 60_000
WINDOW_S = 2.0  # a new window loads pages of the browser's own, hundreds of files
LATE_MS = 25  # an animation frame and a half: one was left out
VIEW_MAX = 5_000
SCROLL_PX_PER_S = 4_000

FRAMES = """() => {
  const times = (window.benchFrames = []);
  const tick = (at) => { times.push(at); window.benchTick = requestAnimationFrame(tick); };
  cancelAnimationFrame(window.benchTick);
  window.benchTick = requestAnimationFrame(tick);
}"""
# They are let go, or a page that is watched for long would keep each of its frames.
FRAMES_END = """() => {
  const times = window.benchFrames;
  cancelAnimationFrame(window.benchTick);
  delete window.benchFrames;
  return times;
}"""
# The browser says when a marked text was presented, and its mark is put on before that; on all of
# them, for the first may go again before it is seen.
FIRST_ROW = f"""const marks = new MutationObserver(() => {{
  for (const title of document.querySelectorAll('{ROW} .title:not([elementtiming])'))
    title.setAttribute('elementtiming', 'row');
}});
marks.observe(document, {{ childList: true, subtree: true }});
new PerformanceObserver((list) => {{
  for (const each of list.getEntries()) window.benchFirstRow ??= each.renderTime;
  marks.disconnect();
}}).observe({{ type: 'element', buffered: true }});"""

Do = Callable[[float], Awaitable[None]]


class Watched(NamedTuple):
    """One window of time."""

    what: str
    busy: Busy
    thread_percent: float  # of the page's own counters, for comparison
    frames_per_s: float
    late_percent: float
    longest_frame_ms: float
    others_percent: float  # of a core, what the machine did besides

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {**self._asdict(), "busy": self.busy._asdict()}


async def launched(playwright: Playwright) -> Browser:
    """The machine's Chromium."""
    program = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    if program is None:
        raise SystemExit("Chromium is not on PATH; install chromium")
    return await playwright.chromium.launch(executable_path=program, args=FLAGS)


async def signed_in(browser: Browser, tower: Tower) -> Any:
    """A cookie: what a context is made with."""
    context = await browser.new_context(viewport=WIDE)
    page = await context.new_page()
    await page.goto(url_of(tower))
    form = page.get_by_test_id("login-form")
    await form.locator("input").fill(tower.token)
    await form.locator("button[type=submit]").click()
    await page.locator(LIVE).wait_for(timeout=WAIT_MS)
    state = await context.storage_state()
    await context.close()
    return state


def url_of(tower: Tower) -> str:
    """Of the board."""
    return f"http://127.0.0.1:{tower.port}/"


async def first_rows_ms(
    browser: Browser, tower: Tower, state: Any, count: int
) -> tuple[list[float], list[float]]:
    """From navigation to the first row drawn: in a profile that has cached nothing, and again.

    In a window that stands there, as a person has one who opens the board.
    """
    cold, warm = [], []
    for _ in range(count):
        context = await browser.new_context(viewport=WIDE, storage_state=state)
        await context.add_init_script(FIRST_ROW)
        page = await context.new_page()
        cold.append(await _first_row_ms(page, tower))
        await page.close()
        warm.append(await _first_row_ms(await context.new_page(), tower))
        await context.close()
    return cold, warm


async def _first_row_ms(page: Page, tower: Tower) -> float:
    await asyncio.sleep(WINDOW_S)
    await page.goto(url_of(tower))
    told = await page.wait_for_function("() => window.benchFirstRow", timeout=WAIT_MS)
    return float(await told.json_value())


async def script_bytes(context: BrowserContext, tower: Tower) -> dict[str, int]:
    """JavaScript that the board loads by itself: compressed by gzip -9, and as it was sent."""
    page = await context.new_page()
    bodies: list[Response] = []

    def answered(answer: Response) -> None:
        bodies.append(answer)

    page.on("response", answered)
    await page.goto(url_of(tower))
    await page.locator(ROW).first.wait_for(timeout=WAIT_MS)
    await at_rest()  # what is fetched ahead is here as well
    scripts = [each for each in bodies if each.request.resource_type == "script"]
    loaded = [await each.body() for each in scripts]
    sent = [(await each.request.sizes())["responseBodySize"] for each in scripts]
    await page.close()
    return {"loaded_gzip_bytes": compressed_bytes(loaded), "loaded_sent_bytes": sum(sent)}


def compressed_bytes(scripts: list[bytes]) -> int:
    """Each for itself, as they are sent."""
    return sum(len(gzip.compress(each, 9)) for each in scripts)


class Board:
    """A page that shows the board, and the counters of its main thread."""

    def __init__(self, page: Page, session: CDPSession) -> None:
        self.page = page
        self._session = session

    @classmethod
    async def opened(cls, context: BrowserContext, tower: Tower) -> "Board":
        """With the newest values on it."""
        page = await context.new_page()
        await page.goto(url_of(tower))
        await page.locator(LIVE).wait_for(timeout=WAIT_MS)
        session = await context.new_cdp_session(page)
        await session.send("Performance.enable", {"timeDomain": "threadTicks"})
        return cls(page, session)

    async def show_all(self, sessions: int) -> int:
        """Scrolls to the end again and again until every row is here; gives how many there are."""
        wanted, until = min(sessions, VIEW_MAX), time.monotonic() + WAIT_MS / 1000
        rows = self.page.locator("[role=grid]")
        while True:
            await self.page.evaluate(
                "() => { const all = document.querySelector('.scroller');"
                " all.scrollTop = 0; all.scrollTop = all.scrollHeight; }"
            )
            await asyncio.sleep(0.5)
            count = int(await rows.get_attribute("aria-rowcount") or 0) - 1
            # The button is there as long as the page believes that there is more.
            asks = await self.page.locator("[data-testid=shown] button").count()
            if (count >= wanted and not asks) or time.monotonic() > until:
                break
        await self.top()
        return count

    async def top(self) -> None:
        """Back to the first row."""
        await self.page.evaluate("() => { document.querySelector('.scroller').scrollTop = 0; }")

    async def counters(self) -> dict[str, float]:
        """What the browser counts of this page."""
        told = await self._session.send("Performance.getMetrics")
        return {each["name"]: each["value"] for each in told["metrics"]}

    async def collected(self) -> dict[str, float]:
        """The same after a collection of garbage."""
        await self._session.send("HeapProfiler.collectGarbage")
        return await self.counters()

    async def watched(self, what: str, seconds: float, do: Do, keep: Path | None) -> Watched:
        """What the main thread does meanwhile, and how many frames come of it."""
        browser = self.page.context.browser
        assert browser is not None
        await self.page.evaluate(FRAMES)
        await browser.start_tracing(page=self.page, categories=CATEGORIES)
        before, began, all_before = await self.counters(), time.monotonic(), times()
        await do(seconds)
        await asyncio.sleep(max(0.0, began + seconds - time.monotonic()))
        all_after = times()
        after, took_s = await self.counters(), time.monotonic() - began
        text = await browser.stop_tracing()
        if keep is not None:
            (keep / f"{what.replace(' ', '-')}.json").write_bytes(text)
        drawn = await self.page.evaluate(FRAMES_END)
        gaps = [after - before for before, after in itertools.pairwise(drawn)]
        spent_s = after["TaskDuration"] - before["TaskDuration"]
        return Watched(
            what=what, busy=busy(json.loads(text)["traceEvents"], took_s),
            thread_percent=100 * spent_s / took_s,
            frames_per_s=1000 * len(gaps) / sum(gaps),
            late_percent=100 * sum(gap > LATE_MS for gap in gaps) / len(gaps),
            longest_frame_ms=max(gaps),
            others_percent=others_percent(all_before, all_after, took_s),
        )  # fmt: skip

    async def arriving(self, seconds: float) -> dict[str, float]:
        """What comes over the socket in a second, and in which state the page believes to be."""
        told = {"frames": 0, "patches": 0, "rows": 0, "bytes": 0, "attention": 0}

        def received(event: dict[str, Any]) -> None:
            text = event["response"]["payloadData"]
            frame = json.loads(text)
            told["frames"] += 1
            told["bytes"] += len(text)
            told["attention"] += frame["type"] == "attention"
            told["patches"] += frame["type"] == "overview.patch"
            told["rows"] += len(frame.get("set", ())) if frame["type"] == "overview.patch" else 0

        self._session.on("Network.webSocketFrameReceived", received)
        await self._session.send("Network.enable")
        began = time.monotonic()
        await asyncio.sleep(seconds)
        await self._session.send("Network.disable")
        took_s = time.monotonic() - began
        self._session.remove_listener("Network.webSocketFrameReceived", received)
        return {name: count / took_s for name, count in told.items()}

    async def state(self) -> str:
        """What the page says of its connection."""
        mark = self.page.get_by_test_id("connection")
        return str(await mark.get_attribute("data-state"))

    async def stand_still(self, seconds: float) -> None:
        """Nobody touches anything."""
        await asyncio.sleep(seconds)

    async def scroll(self, seconds: float) -> None:
        """The wheel turns as for somebody who looks for something, five screens a second."""
        await self._wheel(int(seconds * SCROLL_PX_PER_S), SCROLL_PX_PER_S)

    async def fling(self, seconds: float) -> None:
        """From the first row to the last in that time, evenly, which nobody can read."""
        distance = int(await self.page.evaluate(
            "() => { const all = document.querySelector('.scroller');"
            " return all.scrollHeight - all.clientHeight; }"
        ))  # fmt: skip
        await self._wheel(distance, max(1, int(distance / seconds)))

    async def _wheel(self, distance: int, speed: int) -> None:
        await self.top()
        x, y = await self.page.evaluate(
            "() => { const at = document.querySelector('.scroller').getBoundingClientRect();"
            " return [at.x + at.width / 2, at.y + at.height / 2]; }"
        )
        wheel = {"x": x, "y": y, "yDistance": -distance, "gestureSourceType": "mouse"}
        await self._session.send("Input.synthesizeScrollGesture", {**wheel, "speed": speed})

    async def filter(self, seconds: float) -> None:
        """Words are typed letter by letter, stand for a moment and are deleted, again and again."""
        field = self.page.get_by_test_id("filter")
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for words in ("flaky login", "project-3", "4"):
                await field.press_sequentially(words, delay=120)
                await asyncio.sleep(1)
                await field.fill("")
                if time.monotonic() > until:
                    break
