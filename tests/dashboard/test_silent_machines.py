"""The board tells which machine fell silent and which is behind: a real shipper, killed."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import uvicorn
from playwright.async_api import Browser, Page, expect
from starlette.applications import Starlette

from bus import sources as noted
from hub import sources
from hub.gate import Gate
from hub.worker import now_ms
from ingest import app as ingest_app
from ingest.limits import Limits
from ingest.publish import Publisher
from tests.dashboard.looking import shot
from tests.dashboard.test_presence import live
from tests.hub.servers import Served, make_door, served
from tests.tower.shipping import ship

pytestmark = pytest.mark.browser

SILENT_MS = 5_000
SLOWLY_MS = 60_000


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Served]:
    """A hub that misses a machine after seconds, and looks often."""
    monkeypatch.setattr(sources, "LOOK_S", 0.05)
    async with served(source_silent_ms=SILENT_MS) as running:
        looking = asyncio.create_task(running.hub.sources.run())
        yield running
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)


@contextlib.asynccontextmanager
async def ingest_of(hub: Served) -> AsyncIterator[str]:
    """An ingest on the same log; gives its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setblocking(False)
    port = listener.getsockname()[1]
    publisher = Publisher(hub.hub.worker.bus, Limits())
    app = Starlette(routes=ingest_app.routes)
    app.state.ingest = ingest_app.Ingest(publisher, Limits(), ("box", "ada"))
    gate = Gate(app, make_door(port, on_loopback=True))
    config = uvicorn.Config(gate, lifespan="off", log_config=None, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    server.capture_signals = contextlib.nullcontext  # type: ignore[method-assign, assignment]
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    await serving


async def test_a_machine_whose_shipper_is_killed_is_named_until_it_is_heard_again(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """Nothing is said of one that is there, nor of one that was stopped in order."""
    told, host = "sources", socket.gethostname()
    home = tmp_path / "home"
    (home / "projects").mkdir(parents=True)
    async with ingest_of(hub) as url:
        page = await live(browser, hub)
        with ship(tmp_path / "ship", url, home, alive_ms=200) as shipping:
            await asyncio.to_thread(shipping.says, "read")
            await heard(hub, "live")
            await expect(page.get_by_test_id(told)).to_have_count(0)
            await asyncio.to_thread(shipping.kill)
        words = page.get_by_test_id(told).locator(".clip")
        await expect(words).to_contain_text(f"nothing from {host} since ", timeout=SLOWLY_MS)
        await pictures(page, "silent", tmp_path)
        with ship(tmp_path / "ship", url, home, alive_ms=200) as shipping:
            await expect(page.get_by_test_id(told)).to_have_count(0, timeout=SLOWLY_MS)
            await asyncio.to_thread(shipping.says, "read")
            assert await asyncio.to_thread(shipping.end) == 0
        await heard(hub, "ended")
        await expect(page.get_by_test_id(told)).to_have_count(0)


async def heard(hub: Served, state: str) -> None:
    """Return when the only source there is has this state."""
    async with asyncio.timeout(SLOWLY_MS / 1_000):
        while [each["state"] for each in hub.hub.sources.view("default")] != [state]:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def pictures(page: Page, name: str, folder: Path) -> None:
    """Wide and narrow."""
    for width in (1440, 390):
        await page.set_viewport_size({"width": width, "height": 780})
        await shot(page, f"{name}-{width}", folder)
    await page.set_viewport_size({"width": 1440, "height": 900})


async def test_a_machine_that_is_behind_is_named_with_how_much(
    browser: Browser, hub: Served, tmp_path: Path
) -> None:
    """Several are one line, with all of them for whoever points at it; a dead board says none."""
    page = await live(browser, hub)
    shown = page.get_by_test_id("sources")
    for host, behind in (("laptop-3", 12 << 20), ("laptop-4", 2 << 20), ("laptop-5", 0)):
        source = noted.Source(
            workspace="default", host=host, user="ada", kind="ship", heard_at=now_ms(),
            bytes_behind=behind,
        )  # fmt: skip
        await noted.note(hub.hub.worker.bus, source)
    await hub.hub.sources.look()
    await expect(shown.locator(".clip")).to_contain_text(", and 1 more")
    title = await shown.get_attribute("title")
    assert sorted((title or "").split("\n")) == [
        "laptop-3 is 12.0 MiB behind", "laptop-4 is 2.0 MiB behind",
    ]  # fmt: skip
    await pictures(page, "behind", tmp_path)
    await shown.get_by_role("button", name="Dismiss").click()
    await expect(shown).to_have_count(0)
    late = noted.Source(
        workspace="default", host="laptop-5", user="ada", kind="ship", heard_at=now_ms(),
        bytes_behind=5 << 20,
    )  # fmt: skip
    await noted.note(hub.hub.worker.bus, late)
    await expect(shown.locator(".clip")).to_contain_text(", and 2 more")
    [connection] = hub.hub.connections
    connection.end(4500)
    await expect(page.get_by_test_id("connection")).to_have_attribute("data-state", "offline")
    await expect(shown).to_have_count(0)
