"""Servers that can be killed, hung and restarted."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

from bus.redis import RedisBus
from tests.faults.proxy import Proxy, line_to

DEADLINE_SECONDS = 30
CLUSTER_PORT_MAX = 65_535 - 10_000


def free_port() -> int:
    """One that nobody listens on, with room above it for a Cluster's second port."""
    while True:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        if port < CLUSTER_PORT_MAX:
            return port


class Server:
    """A real redis-server on a port of its own, with what it has written to its folder."""

    def __init__(
        self, folder: Path, *options: str, env: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self.port = free_port()
        self.folder = folder
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.config: list[str] = []
        self._env = env
        self._options = ["--enable-debug-command", "yes", "--save", "", *options]
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and return when it answers."""
        place = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder)]
        log = ["--logfile", str(self.folder / "redis.log")]
        command = ["redis-server", *self.config, *place, *log]
        if not self.config:
            command += self._options
        self._process = subprocess.Popen(command, env={**os.environ, **self._env})
        deadline = time.monotonic() + DEADLINE_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(OSError):
                if self.ask("PING").startswith("+PONG"):
                    return
            time.sleep(0.01)
        pytest.fail("redis-server did not start")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    @contextlib.contextmanager
    def hung(self) -> Iterator[None]:
        """It takes connections and commands, and answers nothing."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)
        try:
            yield
        finally:
            self._process.send_signal(signal.SIGCONT)

    def ask(self, *words: str) -> str:
        """One command, and the beginning of its raw reply."""
        parts = [f"${len(word.encode())}\r\n{word}\r\n" for word in words]
        with socket.create_connection(("127.0.0.1", self.port), timeout=2) as connection:
            connection.sendall(f"*{len(words)}\r\n{''.join(parts)}".encode())
            return connection.recv(4_096).decode()


MakeServer = Callable[..., Server]

SENTINEL_CONFIG = """
sentinel monitor main 127.0.0.1 {port} 1
sentinel down-after-milliseconds main 1000
sentinel failover-timeout main 3000
"""


@pytest.fixture
def make_server() -> Iterator[MakeServer]:
    """Starts servers, and kills them all at the end."""
    with contextlib.ExitStack() as stack:

        def make(folder: Path, *options: str, sentinel_of: Server | None = None) -> Server:
            folder.mkdir(exist_ok=True)
            server = Server(folder, *options)
            if sentinel_of is not None:
                (folder / "sentinel.conf").write_text(SENTINEL_CONFIG.format(port=sentinel_of.port))
                server.config = [str(folder / "sentinel.conf"), "--sentinel"]
            stack.callback(server.kill)
            server.start()
            return server

        yield make


@pytest.fixture
def servers(
    request: pytest.FixtureRequest, tmp_path: Path, make_server: MakeServer
) -> list[Server]:
    """Several servers, each with the options that the test names."""
    return [
        make_server(tmp_path / str(number), *options)
        for number, options in enumerate(request.param)
    ]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps nothing when it is killed."""
    yield from running(Server(tmp_path))


@pytest.fixture
def durable(tmp_path: Path) -> Iterator[Server]:
    """A server that keeps what it has answered."""
    yield from running(Server(tmp_path, "--appendonly", "yes", "--appendfsync", "always"))


@pytest.fixture
def wire(server: Server) -> Iterator[Proxy]:
    """A wire to the server, which may lose replies."""
    with line_to(server.port) as made:
        yield made


@pytest.fixture
async def bus(server: Server) -> AsyncIterator[RedisBus]:
    """The log on the server."""
    async for made in opened(server.url):
        yield made


@pytest.fixture
async def wired(wire: Proxy) -> AsyncIterator[RedisBus]:
    """The log behind the wire."""
    async for made in opened(f"redis://{wire.address}/0"):
        yield made


@pytest.fixture
async def kept(durable: Server) -> AsyncIterator[RedisBus]:
    """The log on the durable server."""
    async for made in opened(durable.url):
        yield made


def running(server: Server) -> Iterator[Server]:
    """A started server, killed at the end."""
    if shutil.which("redis-server") is None:
        pytest.fail("redis-server is not on PATH, and CI needs it")
    try:
        server.start()
        yield server
    finally:
        server.kill()


async def opened(url: str) -> AsyncIterator[RedisBus]:
    """An open log of one partition, closed at the end."""
    bus = RedisBus(url, partitions=1)
    await bus.open()
    try:
        yield bus
    finally:
        await bus.close()
