"""The client against real sockets: what is sent, over TLS or not, and that nothing raises."""

import asyncio
import contextlib
import gzip
import json
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
from backports import zstd

from ingest.ship.client import Answer, Client
from ingest.ship.limits import Limits
from tests.certificates import made
from tests.ingest.reading import until

LIMITS = Limits(connect_timeout_ms=2_000, answer_timeout_ms=2_000)
ORIGIN = ("läptop\n3", "ada")


class Asked(NamedTuple):
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


class Server:
    """Gives its answers in their order, and the last one for ever; raw bytes as they are."""

    def __init__(self, *answers: bytes) -> None:
        self.asked: list[Asked] = []
        self.connections = self.closed = 0
        self._answers = list(answers)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection; closed behind an answer that is none."""
        self.connections += 1
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                self.asked.append(await request(reader))
                told = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                writer.write(told)
                await writer.drain()
                if told.endswith((b"no HTTP\r\n\r\n", b"short")):
                    break
        writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()
        self.closed += 1


async def request(reader: asyncio.StreamReader) -> Asked:
    """Read one."""
    head = (await reader.readuntil(b"\r\n\r\n")).decode("utf-8").split("\r\n")
    headers = {
        name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:])
    }
    body = await reader.readexactly(int(headers["content-length"]))
    return Asked(head[0].split(" ")[1], headers, body)


def answer(status: int, body: bytes = b"{}", *headers: str) -> bytes:
    """As a server writes it."""
    lines = [f"HTTP/1.1 {status} Made Up", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


@asynccontextmanager
async def served(server: Server, context: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """It listens on loopback; gives its address."""
    listening = await asyncio.start_server(server.serve, "127.0.0.1", 0, ssl=context)
    async with listening:
        yield f"127.0.0.1:{listening.sockets[0].getsockname()[1]}"
        await until(lambda: server.closed == server.connections)


async def asked(
    url: str, ca_file: Path | None = None,
    ask: Callable[[Client], Awaitable[Answer]] = lambda client: client.deltas(b"one\n"),
) -> Answer:  # fmt: skip
    """One request of a client of its own."""
    client = Client(url, lambda: "made-up", ORIGIN, LIMITS, ca_file)
    try:
        return await ask(client)
    finally:
        await client.close()


async def test_a_body_is_compressed_and_says_who_sent_it() -> None:
    """The token is in its header alone; a name is one line of UTF-8."""
    server = Server(answer(200, b'{"appended": 1, "duplicates": 2}'))
    async with served(server) as address:
        told = await asked(f"http://{address}/base/")
    [request_] = server.asked
    assert request_.path == "/base/v1/deltas"
    assert request_.headers["authorization"] == "Bearer made-up"
    assert request_.headers["x-tower-host"] == "läptop 3"
    assert request_.headers["x-tower-user"] == "ada"
    assert request_.headers["content-encoding"] == "zstd"
    assert zstd.decompress(request_.body) == b"one\n"
    assert (told.status, told.duplicates, told.sent_bytes) == (200, 2, len(request_.body))


async def test_one_connection_is_kept() -> None:
    """For deltas and for signs of life."""
    server = Server(answer(200))

    async def several(client: Client) -> Answer:
        await client.deltas(b"one\n")
        await client.alive({"kind": "ship"})
        return await client.deltas(b"two\n")

    async with served(server) as address:
        await asked(f"http://{address}", ask=several)
    assert server.connections == 1
    assert [each.path for each in server.asked] == ["/v1/deltas", "/v1/alive", "/v1/deltas"]
    assert json.loads(server.asked[1].body) == {"kind": "ship"}


async def test_a_tower_that_does_not_know_zstd_gets_gzip() -> None:
    """From then on."""
    server = Server(answer(415), answer(200))

    async def twice(client: Client) -> Answer:
        await client.deltas(b"one\n")
        return await client.deltas(b"two\n")

    async with served(server) as address:
        assert (await asked(f"http://{address}", ask=twice)).status == 200
    told = [each.headers["content-encoding"] for each in server.asked]
    assert told == ["zstd", "gzip", "gzip"]
    assert gzip.decompress(server.asked[2].body) == b"two\n"


@pytest.mark.parametrize(
    ("given", "status", "detail"),
    [
        (answer(503, b'{"detail": "away"}', "Retry-After: 7"), 503, "away"),
        (answer(502, b"<html>oh</html>"), 502, "Made Up"),
        (answer(400, b'{"detail": "line 1:\\n\\u001b[31mbad"}'), 400, "line 1:  [31mbad"),
        (answer(400, b"[" * 20_000), 400, "Made Up"),
        (answer(307, b"", "Location: https://elsewhere.example.org/"), 307, "https://elsewhere.example.org/"),
        (answer(500, b"x" * 200_000), 500, "Made Up"),
        (b"I am no HTTP\r\n\r\n", 0, ""),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", 0, ""),
    ],
)  # fmt: skip
async def test_whatever_a_tower_answers_is_an_answer(
    given: bytes, status: int, detail: str
) -> None:
    """In one line for people; a redirect is told and not followed."""
    server = Server(given)
    async with served(server) as address:
        told = await asked(f"http://{address}")
    assert told.status == status
    assert (told.detail == detail) if detail else told.detail
    assert told.retry_after_ms == (7_000 if status == 503 else 0)
    assert len(server.asked) == 1


async def test_nobody_there_is_an_answer_as_well() -> None:
    """Refused, or a name that is none."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    assert (await asked(f"http://127.0.0.1:{port}")).status == 0
    assert (await asked("http://tower.invalid:1")).detail


async def test_a_tower_that_never_answers_is_given_up() -> None:
    """After the time that an answer may take."""
    with socket.create_server(("127.0.0.1", 0)) as mute:
        address = f"127.0.0.1:{mute.getsockname()[1]}"
        limits = Limits(answer_timeout_ms=50)
        client = Client(f"http://{address}", lambda: None, ORIGIN, limits)
        assert await client.deltas(b"one\n") == Answer(0, "no answer in time")
        await client.close()


def trusting(server: Path) -> ssl.SSLContext:
    """What a server shows."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(server)
    return context


async def test_tls_is_verified(tmp_path: Path) -> None:
    """An authority that is given is trusted, for the name it vouches for; the system knows none."""
    ours = made(tmp_path / "ours", "IP:127.0.0.1")
    others = made(tmp_path / "others", "IP:127.0.0.1")
    elsewhere = made(tmp_path / "elsewhere", "DNS:tower.example.org")
    for certificates, ca_file, status in (
        (ours, ours.authority, 200),
        (ours, None, 0),
        (ours, others.authority, 0),
        (elsewhere, elsewhere.authority, 0),
    ):
        server = Server(answer(200))
        async with served(server, trusting(certificates.server)) as address:
            told = await asked(f"https://{address}", ca_file)
        assert told.status == status, told
        assert len(server.asked) == (1 if status else 0)
        assert status or "certificate" in told.detail.lower()


def test_a_file_of_certificates_that_is_none_is_an_error(tmp_path: Path) -> None:
    """At once, not when something is sent."""
    (tmp_path / "empty.pem").write_text("nothing")
    for name in ("empty.pem", "absent.pem"):
        with pytest.raises((OSError, ssl.SSLError)):
            Client("https://tower.example.org", lambda: None, ORIGIN, LIMITS, tmp_path / name)
