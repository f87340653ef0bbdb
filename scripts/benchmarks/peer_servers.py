"""What a user would pick instead, each as its documentation sets it up for such a load.

Servers are on the servers' core and their Redis is not; folders and configuration are made for
one measurement. What is missing says how it is installed. Used by ``peers.py``.
"""

import contextlib
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import NamedTuple

from peer_publisher import API_KEY, CHANNEL
from processes import (
    CLIENT_CORE,
    HERE,
    ROOT,
    SERVER_CORE,
    START_TIMEOUT_S,
    Bench,
    Server,
    ToolFailed,
    on_core,
)  # fmt: skip

PACKAGES = HERE / "peers"
NCHAN_MODULES = ("/usr/lib/nginx/modules", "/usr/lib64/nginx/modules", "/usr/share/nginx/modules")
CENTRIFUGO = "github.com/centrifugal/centrifugo/v6@v6.9.1"
MESSAGE_BYTES_MAX = 8 << 20
QUEUE_BYTES_MAX = 64 << 20


class Listening(NamedTuple):
    """A server that is up: where clients come in and what they say first, and who feeds it."""

    server: Server
    path: str
    greeting: str | None
    publisher: list[str]


class Peer(NamedTuple):
    """A broadcaster: how it is started, its version, how it is installed where it is not."""

    name: str
    start: Callable[[Bench], AbstractContextManager[Listening]]
    version: Callable[[], str | None]
    install: str


def free_port() -> int:
    """A port of loopback that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
        return port


@contextlib.contextmanager
def listening(
    command: list[str], port: int, core: int = SERVER_CORE, settings: dict[str, str] | None = None
) -> Iterator[int]:
    """A program that is no tool of the benchmarks, once it listens; gives its pid."""
    with on_core(core):
        started = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            env={**os.environ, **(settings or {})},
        )  # fmt: skip
    with started as process:
        try:
            _wait_for(port, process)
            yield process.pid
        finally:
            process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(5)
            process.kill()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.02)
    process.kill()
    said = process.stderr.read().decode(errors="replace") if process.stderr else ""
    raise ToolFailed(f"{process.args!r} did not start:\n{said[-2000:]}")


@contextlib.contextmanager
def redis() -> Iterator[int]:
    """A redis-server that keeps nothing, on the clients' core; gives its port."""
    port = free_port()
    command = ["redis-server", "--port", str(port), "--bind", "127.0.0.1", "--save", ""]
    with listening(command, port, CLIENT_CORE):
        yield port


@contextlib.contextmanager
def tower_hub(bench: Bench) -> Iterator[Listening]:
    """One worker of Agent Tower, as it is run beside others: the log is in Redis."""
    port, folder = free_port(), bench.folder / "tower"
    folder.mkdir(exist_ok=True)
    command = [sys.executable, "-c", "from tower.cli import main; main()"]
    with redis() as redis_port:
        settings = {
            "PYTHONPATH": str(ROOT), "TOWER_REDIS_URL": f"redis://127.0.0.1:{redis_port}",
            "TOWER_DATABASE_URL": f"sqlite:///{folder}/history.db",
        }  # fmt: skip
        made = {**os.environ, **settings}
        subprocess.run([*command, "db", "upgrade"], env=made, check=True, capture_output=True)
        command += ["hub", "--port", str(port), "--no-auth", "--data-dir", str(folder)]
        with listening(command, port, settings=settings) as pid:
            yield Listening(Server(pid, port), "/ws", None, ["tower", str(redis_port)])


@contextlib.contextmanager
def socket_io(bench: Bench) -> Iterator[Listening]:
    """Socket.IO with its Redis adapter, and ws as the engine, which is its default."""
    with redis() as port, _node(bench, "socket_io.js", port) as server:
        path = "/socket.io/?EIO=4&transport=websocket"
        yield Listening(server, path, "40", ["socket.io", str(port)])


@contextlib.contextmanager
def ws(bench: Bench) -> Iterator[Listening]:
    """The library below it alone."""
    with redis() as port, _node(bench, "ws.js", port) as server:
        yield Listening(server, "/", None, ["redis", str(port)])


def _node(bench: Bench, name: str, redis_port: int) -> AbstractContextManager[Server]:
    return bench.server(["node", str(PACKAGES / name), f"redis://127.0.0.1:{redis_port}"])


@contextlib.contextmanager
def nchan(bench: Bench) -> Iterator[Listening]:
    """nginx with nchan: one worker, messages in its shared memory."""
    port, folder = free_port(), bench.folder / "nginx"
    folder.mkdir(exist_ok=True)
    (folder / "nginx.conf").write_text(nginx_configuration(port, folder, str(nchan_module())))
    command = ["nginx", "-p", str(folder), "-c", str(folder / "nginx.conf"), "-e", "stderr"]
    with listening(command, port) as master:
        worker = _child(master)
        yield Listening(Server(worker, port), "/subscribe", None, ["nchan", str(port)])


def _child(pid: int) -> int:
    """The first process that it starts, which may be a moment after it listens."""
    place, deadline = Path(f"/proc/{pid}/task/{pid}/children"), time.monotonic() + START_TIMEOUT_S
    while not (found := place.read_text().split()):
        if time.monotonic() > deadline:
            raise ToolFailed("nginx started no worker")
        time.sleep(0.02)
    return int(found[0])


def nginx_configuration(port: int, folder: Path, module: str) -> str:
    """One publisher, one subscriber, no log."""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    places = "\n".join(f"  {kind}_temp_path {folder}/{kind};" for kind in kinds)
    user = "user root;" if os.getuid() == 0 else ""
    return f"""load_module {module};
{user}
daemon off; worker_processes 1; worker_rlimit_nofile 65536;
pid {folder}/pid;
events {{ worker_connections 16384; }}
http {{
  access_log off;
{places}
  client_max_body_size {MESSAGE_BYTES_MAX};
  nchan_shared_memory_size 512M;
  server {{
    listen 127.0.0.1:{port} backlog=2048;
    location = /publish {{
      nchan_publisher websocket;
      nchan_channel_id {CHANNEL};
      nchan_message_buffer_length 100;
    }}
    location = /subscribe {{
      nchan_subscriber websocket;
      nchan_channel_id {CHANNEL};
      nchan_subscriber_first_message newest;
    }}
  }}
}}
"""


@contextlib.contextmanager
def nats(bench: Bench) -> Iterator[Listening]:
    """nats-server: browsers come by its WebSocket, the publisher by TCP."""
    port, web = free_port(), free_port()
    made = bench.folder / "nats.conf"
    made.write_text(
        f"listen: 127.0.0.1:{port}\nmax_payload: {MESSAGE_BYTES_MAX}\n"
        f'websocket {{ listen: "127.0.0.1:{web}", no_tls: true, compression: false }}\n'
    )
    greeting = f'CONNECT {{"verbose":false,"pedantic":false}}\r\nSUB {CHANNEL} 1\r\n'
    with listening(["nats-server", "-c", str(made)], web) as pid:
        yield Listening(Server(pid, web), "/", greeting, ["nats", str(port)])


@contextlib.contextmanager
def centrifugo(bench: Bench) -> Iterator[Listening]:
    """Centrifugo with its own memory as broker."""
    port, made = free_port(), bench.folder / "centrifugo.json"
    configuration = {
        "http_server": {"address": "127.0.0.1", "port": port},
        "http_api": {"key": API_KEY},
        "log": {"level": "error"},
        "client": {
            "allow_anonymous_connect_without_token": True, "allowed_origins": ["*"],
            "queue_max_size": QUEUE_BYTES_MAX,
        },
        "channel": {
            "without_namespace": {
                "allow_subscribe_for_anonymous": True, "allow_subscribe_for_client": True,
            },
        },
    }  # fmt: skip
    made.write_text(json.dumps(configuration))
    greeting = f'{{"id":1,"connect":{{}}}}\n{{"id":2,"subscribe":{{"channel":"{CHANNEL}"}}}}'
    with listening([str(_centrifugo()), "--config", str(made)], port) as pid:
        server = Server(pid, port)
        yield Listening(server, "/connection/websocket", greeting, ["centrifugo", str(port)])


# Whether it is installed.


def said(command: list[str], pattern: str) -> str | None:
    """What a program says of its version, or None where there is none."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(pattern, done.stdout + done.stderr)
    return found.group(1) if found else None


def node_version(package: str) -> str | None:
    """Of an installed package, where node and redis-server are as well."""
    made = PACKAGES / "node_modules" / package / "package.json"
    if not made.is_file() or shutil.which("redis-server") is None:
        return None
    node = said(["node", "--version"], r"v(\d[\d.]*)")
    version = str(json.loads(made.read_text())["version"])
    return f"{version} (Node {node})" if node else None


def nchan_module() -> Path | None:
    """Where nginx finds it."""
    places = (Path(folder) / "ngx_nchan_module.so" for folder in NCHAN_MODULES)
    return next((place for place in places if place.is_file()), None)


def nchan_version() -> str | None:
    """nginx's; nchan itself tells none, but Debian does."""
    nginx = said(["nginx", "-v"], r"nginx/([\d.]+)")
    if nginx is None or nchan_module() is None:
        return None
    package = said(["dpkg-query", "-W", "libnginx-mod-nchan"], r"\s(?:\d+:)?([\d.]+)")
    return f"{package or ''} (nginx {nginx})".strip()


def _centrifugo() -> Path:
    return Path(shutil.which("centrifugo") or Path.home() / "go" / "bin" / "centrifugo")


def centrifugo_version() -> str | None:
    """As Go's own tool tells it: a program built from a module does not know its version."""
    program = str(_centrifugo())
    if (version := said([program, "version"], r"v(\d[\d.]*)")) is None:
        return None
    return said(["go", "version", "-m", program], r"centrifugo/v\d+\s+v([\d.]+)") or version


BY_NPM = (
    "npm install --no-package-lock --prefix scripts/benchmarks/peers, "
    "with redis-server (sudo apt-get install redis-server)"
)
PEERS = (
    Peer("Socket.IO + redis", socket_io, lambda: node_version("socket.io"), BY_NPM),
    Peer("ws + redis", ws, lambda: node_version("ws"), BY_NPM),
    Peer("nchan", nchan, nchan_version, "sudo apt-get install nginx libnginx-mod-nchan"),
    Peer(
        "NATS", nats, lambda: said(["nats-server", "--version"], r"v([\d.]+)"),
        "sudo apt-get install nats-server",
    ),
    Peer("Centrifugo", centrifugo, centrifugo_version, f"go install {CENTRIFUGO}"),
)  # fmt: skip
