"""permessage-deflate on real sockets: what is agreed, what is shared, and what is too much."""

import asyncio
import json
import resource
import sys
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from hub.live.wire import DEFLATE_BYTES_MIN
from tests.hub.made import event, permission, report
from tests.hub.made import said as entries
from tests.hub.raw import (
    BOTH_WITHOUT_TAKEOVER,
    CLOSE,
    HELLO,
    PING,
    PONG,
    TEXT,
    Peer,
    deflated,
    framed,
    peer,
    said,
)
from tests.hub.servers import Live, Served, served, until

CHROMIUM = "permessage-deflate; client_max_window_bits"


@pytest.mark.parametrize(
    "offer",
    [
        "permessage-deflate", CHROMIUM, BOTH_WITHOUT_TAKEOVER,
        "permessage-deflate; server_max_window_bits=15",
        "permessage-deflate; client_max_window_bits=10",
        "x-unknown, permessage-deflate; client_max_window_bits",
        "permessage-deflate; server_max_window_bits=10, permessage-deflate",
    ],
)  # fmt: skip
async def test_deflate_is_agreed_without_context_takeover(offer: str) -> None:
    """Whatever else is offered, both sides begin every message anew."""
    async with served() as hub, peer(hub, offer=offer) as opened:
        assert opened.status == 101
        agreed = [each.strip() for each in opened.headers["sec-websocket-extensions"].split(";")]
        assert agreed[0] == "permessage-deflate"
        assert {"server_no_context_takeover", "client_no_context_takeover"} <= set(agreed[1:])
        more = set(agreed[1:]) - {"server_no_context_takeover", "client_no_context_takeover"}
        assert all(each.startswith("client_max_window_bits=") or each == "server_max_window_bits=15"
                   for each in more)  # fmt: skip


@pytest.mark.parametrize(
    "offer",
    ["", "permessage-deflate; server_max_window_bits=10", "permessage-deflate; unknown=1",
     "permessage-deflate; server_max_window_bits=8", "x-webkit-deflate-frame"],
)  # fmt: skip
async def test_what_cannot_be_agreed_is_declined_and_the_socket_works_plain(offer: str) -> None:
    """A smaller window would need frames of its own: none of them is deflated then."""
    async with served() as hub:
        await hub.log(*(permission(f"s{n}") for n in range(20)))
        async with peer(hub, offer=offer) as opened:
            assert opened.status == 101
            assert "sec-websocket-extensions" not in opened.headers
            await opened.send(HELLO)
            rows = (await opened.until("overview.snapshot")).told["sessions"]
            assert len(rows) == 20
            assert not any(frame.is_deflated for frame in opened.frames)


async def test_large_frames_come_deflated_and_small_ones_plain() -> None:
    """Each in the form that pays, mixed on one socket."""
    async with served() as hub:
        await hub.log(*(permission(f"s{n}") for n in range(20)))
        async with peer(hub, offer=CHROMIUM) as opened:
            await opened.send(HELLO + said("ping", id=1))
            await opened.until("pong")
            kinds = {frame.told["type"]: frame for frame in opened.frames}
            assert kinds["overview.snapshot"].is_deflated
            assert not kinds["pong"].is_deflated
            for frame in opened.frames:
                assert frame.is_deflated == (len(frame.text) >= DEFLATE_BYTES_MIN)


async def follow(hub: Served, live: Live, turns: int) -> None:
    """Changes large and small, each of which arrives."""
    for turn in range(1, turns + 1):
        size = 3_000 if turn % 2 else 1
        told = entries(1, first=turn, text=f"{turn}" + "x" * size)
        await hub.log(report("a", from_=turn - 1, to=turn, entries=told))
        await live.until(lambda t=turn: len(live.reference.opened["a"].timeline) == t)
        texts = [each["text"] for each in live.reference.opened["a"].timeline.values()]
        assert texts[-1].startswith(str(turn))


async def test_a_real_client_with_compression_gets_every_frame_right() -> None:
    """What it inflates is what a plain one reads, deflated and plain frames in turn."""
    async with served() as hub:
        await hub.log(report("a", to=0))
        async with hub.socket("deflate") as one, hub.socket() as other:
            lives = [Live(one), Live(other)]
            for live in lives:
                await live.send("hello", protocol=1, rate_hz=1000)
                await live.until(lambda live=live: live.reference.overview)
                await live.send("subscribe", session="a")
                await live.until(lambda live=live: not live.reference.opened["a"].stale)
            await follow(hub, lives[0], 20)
            await lives[1].until(lambda: len(lives[1].reference.opened["a"].timeline) == 20)
            await lives[1].until(lambda: lives[0].reference.rows == lives[1].reference.rows)
            opened = [live.reference.opened["a"] for live in lives]
            assert opened[0].detail == opened[1].detail
            assert opened[0].timeline == opened[1].timeline


async def joined(opened: Peer) -> None:
    """Say hello and read until the board is there."""
    await opened.send(HELLO)
    await opened.until("overview.snapshot")
    opened.frames.clear()


async def test_two_clients_of_one_group_get_the_same_deflated_bytes() -> None:
    """Byte for byte on the wire: deflated once for both."""
    async with (
        served() as hub,
        peer(hub, offer=CHROMIUM) as one,
        peer(hub, offer="permessage-deflate") as two,
    ):
        await joined(one)
        await joined(two)
        for turn in range(3):
            await hub.log(*(permission(f"s{turn}-{n}") for n in range(10)))
        for opened in (one, two):
            while not any(f.told.get("totals", {}).get("sessions") == 30 for f in opened.frames):
                await opened.read()
        mine, others = (
            [frame.raw for frame in opened.frames if frame.told["type"] == "overview.patch"]
            for opened in (one, two)
        )
        assert mine == others
        assert any(frame.is_deflated for frame in one.frames)


def frames_total(text: str) -> dict[tuple[str, str], float]:
    """``tower_hub_frames_total`` by kind and sharing."""
    return {
        (sample.labels["kind"], sample.labels["sharing"]): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "tower_hub_frames_total"
    }


async def counted(hub: Served) -> dict[tuple[str, str], float]:
    """The counters as Prometheus reads them."""
    return frames_total(await asyncio.to_thread(hub.get_text, "/metrics"))


async def test_deflated_shared_frames_are_counted() -> None:
    """By what was really written: two deflated ones, and plain ones beside them."""
    async with served() as hub, peer(hub, offer=CHROMIUM) as one, peer(hub, offer=CHROMIUM) as two:
        await joined(one)
        await joined(two)
        before = await counted(hub)
        await hub.log(*(permission(f"s{n}", summary="x" * 900) for n in range(10)))
        for opened in (one, two):
            while [f.told["type"] for f in opened.frames].count("attention") < 10:
                await opened.read()
        after = await counted(hub)
        at = ("attention", "shared_deflated")
        deflated_frames = [
            frame for opened in (one, two) for frame in opened.frames
            if frame.told["type"] == "attention" and frame.is_deflated
        ]  # fmt: skip
        assert after[at] - before.get(at, 0) == len(deflated_frames) == 20


def peak_kib() -> int:
    """The most memory that this process ever held."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak // 1024 if sys.platform == "darwin" else peak


@pytest.mark.parametrize("is_split", [False, True], ids=["whole", "in fragments"])
async def test_a_compression_bomb_is_ended_with_little_memory(is_split: bool) -> None:
    """Inflated by at most 64 KiB, then 1009; the others are not disturbed."""
    bomb = deflated(bytes(60_000_000))
    assert 32_768 < len(bomb) < 64 * 1024
    async with served() as hub, hub.client() as other, peer(hub, offer=CHROMIUM) as opened:
        await joined(opened)
        before = peak_kib()
        begin, end = bomb[:100], bomb[100:]
        parts = (
            framed(begin, fin=False, rsv1=True) + framed(end, opcode=0)
            if is_split else framed(bomb, rsv1=True)
        )  # fmt: skip
        await opened.send(parts)
        frame = await opened.read()
        while frame.opcode != CLOSE:
            frame = await opened.read()
        assert int.from_bytes(frame.payload[:2], "big") == 1009
        await until(lambda: len(hub.board.clients) == 1)
        assert peak_kib() - before < 2 * 1024
        await other.send("ping", id=1)
        await other.until(lambda: other.reference.frames[-1]["type"] == "pong")


async def test_a_frame_that_inflates_over_the_limit_is_ended() -> None:
    """A small frame on the wire, 64 KiB and one byte of text."""
    async with served() as hub, peer(hub, offer=CHROMIUM) as opened:
        await joined(opened)
        await opened.send(framed(deflated(b"x" * (64 * 1024 + 1)), rsv1=True))
        frame = await opened.read()
        while frame.opcode != CLOSE:
            frame = await opened.read()
        assert int.from_bytes(frame.payload[:2], "big") == 1009
        await until(lambda: not hub.board.clients)


@pytest.mark.parametrize("data", [b"\xff\xff\xff", b"", b"\x00"])
async def test_what_does_not_inflate_ends_its_own_connection(data: bytes) -> None:
    """Broken deflate data is a broken frame."""
    async with served() as hub, peer(hub, offer=CHROMIUM) as opened:
        await joined(opened)
        await opened.send(framed(data, rsv1=True))
        frame = await opened.read()
        while frame.opcode != CLOSE:
            frame = await opened.read()
        assert int.from_bytes(frame.payload[:2], "big") in (1002, 1007, 1009, 4500)
        await until(lambda: not hub.board.clients)


async def test_a_deflated_frame_where_none_was_agreed_ends_the_connection() -> None:
    """RSV1 without the extension is a broken frame."""
    async with served() as hub, peer(hub) as opened:
        await joined(opened)
        await opened.send(framed(deflated(b'{"type":"ping","id":1}'), rsv1=True))
        frame = await opened.read()
        assert (frame.opcode, int.from_bytes(frame.payload[:2], "big")) == (CLOSE, 1002)


async def test_pings_are_answered_between_deflated_frames() -> None:
    """RFC pings of the peer and of the hub, and the protocol's own, while the board moves."""
    async with served(ping_s=0.05, pong_s=20) as hub, peer(hub, offer=CHROMIUM) as opened:
        await joined(opened)
        pings: list[Any] = []
        for turn in range(20):
            await hub.log(*(permission(f"s{turn}-{n}", summary="x" * 300) for n in range(3)))
            wanted = b"mine%d" % turn
            asked = json.dumps({"type": "ping", "id": turn}).encode()
            await opened.send(framed(wanted, PING) + framed(deflated(asked), rsv1=True))
            pongs: list[Any] = []
            while len(pongs) < 2:
                frame = await opened.read()
                if frame.opcode == PING:
                    pings.append(frame.payload)
                    await opened.send(framed(frame.payload, PONG))
                elif frame.opcode == PONG:
                    pongs.append(frame.payload)
                elif frame.told["type"] == "pong":
                    pongs.append(frame.told["id"])
            assert sorted(pongs, key=str) == sorted([wanted, turn], key=str)
        while not pings:
            frame = await opened.read()
            pings += [frame.payload] if frame.opcode == PING else []
        assert any(frame.is_deflated for frame in opened.frames if frame.opcode == TEXT)
        assert len(hub.board.clients) == 1


async def test_a_client_may_deflate_its_own_frames() -> None:
    """Each on its own; a request is what it inflates to."""
    async with served() as hub, peer(hub, offer=BOTH_WITHOUT_TAKEOVER) as opened:
        await hub.log(event("prompt", "a"))
        hello = json.dumps({"type": "hello", "protocol": 1}).encode()
        await opened.send(framed(deflated(hello), rsv1=True))
        await opened.until("overview.snapshot")
        asked = json.dumps({"type": "subscribe", "session": "a"}).encode()
        await opened.send(framed(deflated(asked), rsv1=True))
        told = (await opened.until("session.snapshot")).told
        assert told["session"] == "a"
