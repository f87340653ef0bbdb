"""``GET /api/clients``: who is connected to this worker, for operators alone."""

import asyncio
import json
import urllib.error
import urllib.request
from typing import Any

import pytest

from tests.hub.made import NOW, event, permission
from tests.hub.raw import HELLO, PING, Peer, peer, said
from tests.hub.servers import DEADLINE_S, Served, cookie_for, served, until

FIELDS = {
    "connection", "client", "workspace", "state", "connected_at", "last_write_at", "behind_since",
    "rate_hz", "subscriptions", "active", "in_flight_bytes", "queued_bytes", "frames_written",
    "frames_acked", "compressed",
}  # fmt: skip


async def clients(hub: Served) -> list[dict[str, Any]]:
    """What an operator is told."""
    told = await asyncio.to_thread(hub.get, "/api/clients")
    assert set(told) == {"worker", "clients"}
    assert told["worker"] == "w-test"
    return list(told["clients"])


async def only(hub: Served) -> dict[str, Any]:
    """The only client, with all of its fields."""
    [told] = await clients(hub)
    assert set(told) == FIELDS
    return told


def status_of(hub: Served, **headers: str) -> tuple[int, dict[str, Any]]:
    """The route's answer to somebody else; blocks."""
    request = urllib.request.Request(hub.url + "/api/clients", headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def cookie(hub: Served, **grant: str) -> str:
    """The cookie of a grant."""
    return cookie_for(hub.hub.door, **grant)


async def test_a_client_is_told_with_everything_that_an_operator_needs() -> None:
    """Who it is, what it asked for, and how it keeps up."""
    async with served() as hub:
        await hub.log(event("prompt", "a"), event("prompt", "b"))
        async with hub.client(client="dashboard/1.0", rate_hz=30) as live:
            for name in ("a", "b"):
                await live.send("subscribe", session=name, activate=name == "a")
                await live.until(lambda n=name: not live.reference.opened[n].stale)
            told = await only(hub)
            assert live.reference.welcome is not None
            assert told["connection"] == live.reference.welcome["connection"]
            assert (told["client"], told["workspace"]) == ("dashboard/1.0", "default")
            assert (told["state"], told["rate_hz"]) == ("live", 20)
            assert (told["subscriptions"], told["active"]) == (["a", "b"], "a")
            assert told["frames_written"] >= len(live.reference.frames)
            assert (told["behind_since"], told["compressed"]) == (None, False)
            assert told["connected_at"] <= told["last_write_at"]
        await until(lambda: not hub.board.clients)
        assert await clients(hub) == []


async def test_a_compressed_socket_is_told_as_such() -> None:
    """By what its handshake agreed."""
    async with served() as hub, peer(hub, offer="permessage-deflate") as opened:
        await opened.send(HELLO)
        await until(lambda: hub.board.clients)
        assert (await only(hub))["compressed"] is True


async def test_the_last_write_moves_with_what_is_written() -> None:
    """And with nothing else."""
    async with served() as hub, hub.client() as live:
        before = await only(hub)
        assert (await only(hub))["last_write_at"] == before["last_write_at"]
        clock = before["last_write_at"]
        while clock <= before["last_write_at"]:
            await hub.log(permission(f"s{len(live.reference.frames)}"))
            await live.read()
            after = await only(hub)
            clock = after["last_write_at"]
        assert after["frames_written"] > before["frames_written"]


async def test_what_is_in_flight_falls_with_acknowledgements() -> None:
    """Bytes of frames that are written and not acknowledged: some, fewer, none."""
    async with served() as hub, peer(hub) as opened:
        await opened.send(HELLO)
        await opened.until("overview.snapshot")
        sizes = [len(frame.raw) for frame in opened.frames if frame.opcode != PING]
        told = await only(hub)
        assert (told["frames_written"], told["frames_acked"]) == (3, 0)
        assert told["in_flight_bytes"] == sum(sizes)
        for acked in (1, 2, 3):
            await opened.send(said("ack", frames=acked))
            [client] = hub.board.clients.values()
            await until(lambda a=acked, c=client: c.outbox.frames_acked == a)
            assert (await only(hub))["in_flight_bytes"] == sum(sizes[acked:])
        await opened.send(said("ack", frames=10**9))
        assert (await only(hub))["in_flight_bytes"] == 0


async def test_a_client_over_its_budget_is_behind_until_it_acknowledges() -> None:
    """Since when is told, and it is live again afterwards."""
    async with served(in_flight_bytes_max=4_096) as hub, peer(hub) as opened:
        await opened.send(HELLO)
        await until(lambda: hub.board.clients)
        assert (await only(hub))["state"] == "live"
        turn = 0
        while (told := await only(hub))["state"] == "live":
            turn += 1
            await hub.log(*(event("prompt", f"s{n}", at=NOW + turn) for n in range(10)))
        [client] = hub.board.clients.values()
        await until(lambda: client.behind_since_ms is not None)
        told = await only(hub)
        assert told["state"] == "behind"
        assert told["behind_since"] >= told["connected_at"]
        reading = asyncio.create_task(read_on(opened))
        async with asyncio.timeout(DEADLINE_S):
            while (told := await only(hub))["state"] == "behind":
                assert not reading.done()
        reading.cancel()
        assert told["behind_since"] is None


async def read_on(opened: Peer) -> None:
    """Read and acknowledge until cancelled."""
    while True:
        await opened.read()
        await opened.send(said("ack", frames=len(opened.frames)))


async def test_a_client_that_was_given_up_is_closing() -> None:
    """From the decision on, as long as it is here."""
    async with served() as hub, hub.client():
        [client] = hub.board.clients.values()
        client.close_code = 4001
        assert (await only(hub))["state"] == "closing"


@pytest.mark.parametrize(("role", "said"), [("viewer", "operator"), ("agent", "agent")])
async def test_nobody_but_an_operator_is_told(role: str, said: str) -> None:
    """403 with a reason for another role, 401 for a stranger."""
    async with served() as hub, hub.client():
        headers = {"Cookie": cookie(hub, role=role, workspace="default")}
        status, told = await asyncio.to_thread(status_of, hub, **headers)
        assert (status, told["status"]) == (403, 403)
        assert said in told["detail"]
        assert (await asyncio.to_thread(status_of, hub))[0] == 401


async def test_an_operator_sees_the_clients_of_its_workspace() -> None:
    """And no others."""
    async with served() as hub, hub.client():
        headers = {"Cookie": cookie(hub, role="operator", workspace="other")}
        assert await asyncio.to_thread(status_of, hub, **headers) == (
            200, {"worker": "w-test", "clients": []},
        )  # fmt: skip
        async with peer(hub, **headers) as opened:
            await opened.send(HELLO)
            await until(lambda: len(hub.board.clients) == 2)
            _, told = await asyncio.to_thread(status_of, hub, **headers)
            assert [each["workspace"] for each in told["clients"]] == ["other"]
            assert [each["workspace"] for each in await clients(hub)] == ["default"]
