"""Clients of one Redis, a Sentinel group or a Cluster, none of which repeats a command by itself.

Only here is redis-py configured. A silent repetition writes an entry twice, or skips what a
group was given; whoever repeats must know what it repeats. Called by the Redis engine.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol
from urllib.parse import unquote, urlsplit

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.asyncio.cluster import ClusterNode, RedisCluster
from redis.asyncio.retry import Retry
from redis.asyncio.sentinel import Sentinel
from redis.backoff import NoBackoff
from redis.exceptions import RedisClusterException, RedisError

from bus.limits import READ_TIMEOUT_MS, WRITE_TIMEOUT_MS

SCHEMES = ("redis", "rediss", "redis+sentinel", "redis+cluster")
PORTS = {"redis+sentinel": 26379}
SENTINEL_MASTER = "mymaster"

CLOSED_MEANWHILE = (RuntimeError, AttributeError)
"""Of a connection that another task has let go of: uvloop's where something is written to it,
redis-py's own where it was still connecting."""

FAILURES = (RedisError, RedisClusterException, OSError, *CLOSED_MEANWHILE)
"""Whatever redis-py raises when it does not go well; its Cluster has a root of its own."""


class Client(Protocol):
    """What the engine needs of redis-py."""

    async def execute_command(self, *args: Any) -> Any:
        """Send one command, give its answer."""
        ...

    def pubsub(self) -> PubSub:
        """Something that takes a connection for itself and hears signals on it."""
        ...

    async def aclose(self) -> None:
        """Let go of the connections."""
        ...


class Clients(NamedTuple):
    """``writer`` answers soon or not at all, ``reader`` may block for BLOCK_MS_MAX."""

    writer: Client
    reader: Client
    closers: list[Callable[[], Awaitable[None]]]


class Address(NamedTuple):
    """A Redis URL, taken apart."""

    scheme: str
    hosts: list[tuple[str, int]]
    username: str | None
    password: str | None
    path: list[str]


def parse_url(url: str) -> Address:
    """Take a URL apart; ValueError, which never tells the password, if it is none of ours."""
    parts = urlsplit(url)
    if parts.scheme not in SCHEMES:
        raise ValueError(f"{parts.scheme or 'no scheme'}: expected {', '.join(SCHEMES)}")
    user, _, places = parts.netloc.rpartition("@")
    username, _, password = user.partition(":")
    port = PORTS.get(parts.scheme, 6379)
    hosts = [_host(place, port) for place in places.split(",") if place]
    path = [unquote(part) for part in parts.path.split("/") if part]
    if not hosts:
        raise ValueError(f"{parts.scheme}: no host in the URL")
    return Address(parts.scheme, hosts, unquote(username) or None, unquote(password) or None, path)


def make_clients(url: str) -> Clients:
    """Both clients for a URL; connects to nothing yet."""
    address = parse_url(url)
    closers: list[Callable[[], Awaitable[None]]] = []
    writer = _make_client(url, address, WRITE_TIMEOUT_MS, closers)
    reader = _make_client(url, address, READ_TIMEOUT_MS, closers)
    return Clients(writer, reader, closers)


async def renew(client: Client) -> None:
    """Forget idle connections: after a failover they lead to the former master."""
    pool = getattr(client, "connection_pool", None)
    if pool is not None:  # a Cluster client does so by itself
        await pool.disconnect(inuse_connections=False)


async def pubsub_of(client: Client) -> PubSub:
    """A way to hear signals: in a Cluster at any node, for each of them hears all."""
    if not isinstance(client, RedisCluster):
        return client.pubsub()
    _ = await client.initialize()
    await client.nodes_manager.initialize()  # the node heard before may be gone for good
    return client.pubsub(node=client.get_random_node())


def _make_client(
    url: str, address: Address, timeout_ms: int, closers: list[Callable[[], Awaitable[None]]]
) -> Client:
    options: dict[str, Any] = {
        "retry": Retry(NoBackoff(), 0),
        "socket_timeout": timeout_ms / 1_000,
        "socket_connect_timeout": WRITE_TIMEOUT_MS / 1_000,
        "protocol": 2,  # the shape of answers differs between protocols
    }
    named: dict[str, Any] = {"username": address.username, "password": address.password}
    client: Any
    if address.scheme == "redis+cluster":
        nodes = [ClusterNode(host, port) for host, port in address.hosts]
        client = RedisCluster(startup_nodes=nodes, **named, **options)
    elif address.scheme == "redis+sentinel":
        master, number, *_ = [*address.path, *[SENTINEL_MASTER, "0"][len(address.path) :]]
        sentinel = Sentinel(address.hosts, **options)  # type: ignore[no-untyped-call]
        client = sentinel.master_for(master, db=int(number), **named)
        closers.append(sentinel.aclose)
    else:
        client = Redis.from_url(url, **options)
    closers.append(client.aclose)
    return client  # type: ignore[no-any-return]


def _host(place: str, port: int) -> tuple[str, int]:
    """``host``, ``host:port`` or ``[v6]:port``."""
    host, colon, digits = place.rpartition(":")
    if not colon or place.endswith("]"):
        host, digits = place, str(port)
    if not digits.isdecimal():
        raise ValueError(f"not a port: {digits}")
    return host.strip("[]"), int(digits)
