"""Names of keys, texts of positions, and URLs."""

import subprocess
import sys

import pytest

from bus import keys, position
from bus.connect import connect
from bus.memory import MemoryBus
from bus.position import Position
from bus.redis import RedisBus
from bus.redis_clients import parse_url


def test_every_key_of_a_partition_has_its_hash_tag() -> None:
    """One script touches one slot, whatever the names in the key are."""
    names = [
        keys.deltas(3),
        keys.meta(3),
        keys.checkpoint(3),
        keys.seen(3, "{4}", "}{", "{5}"),
    ]
    assert names[0] == "tower:{3}:deltas"
    for name in names:
        assert name.startswith("tower:{3}:")


def test_what_is_shared_lies_in_one_slot() -> None:
    """Leases and secrets are in the slot of the first partition, whatever their names are."""
    for key in (keys.lease("trim:{4}"), keys.secret("}{"), keys.meta(0)):
        assert key[key.index("{") : key.index("}") + 1] == "{0}"
    assert keys.lease("trim") == "tower:{0}:lease:trim"
    assert keys.secret("cookies") == "tower:{0}:secret:cookies"
    assert keys.table("tokens") == "tower:{0}:table:tokens"
    assert keys.signal("presence") == "tower:signal:presence"


def test_different_names_make_different_keys() -> None:
    """A colon in a name cannot make it another's key."""
    names = [("a", "b:c", "d"), ("a:b", "c", "d"), ("a", "b", "c:d"), ("a%3Ab", "c", "d")]
    assert len({keys.seen(0, *name) for name in names}) == len(names)
    assert len({keys.number_field(*name[:2]) for name in names}) == len(names)


def test_a_position_is_read_as_it_was_written() -> None:
    """Epoch, ordinal and id survive the way through a text."""
    place = Position("r17", 42, "1700000000000-3")
    assert position.parse(str(place)) == place
    assert position.ordinal_of(str(place)) == 42


@pytest.mark.parametrize(
    "text", ["", "a", "a:1", "a:1:2", ":1:0-0", "a:-1:0-0", "a:١:0-0", "a:1:0-0:"]
)
def test_no_position_belongs_to_no_epoch(text: str) -> None:
    """What is no position is held by no log."""
    assert position.parse(text) == Position("", 0)


def test_urls_are_taken_apart() -> None:
    """One host, several, names and passwords in every scheme."""
    plain = parse_url("redis://:p%40ss@localhost/2")
    assert (plain.hosts, plain.password, plain.path) == ([("localhost", 6379)], "p@ss", ["2"])
    sentinel = parse_url("redis+sentinel://u:p@a:1,[::1]:2,c/main/3")
    assert sentinel.hosts == [("a", 1), ("::1", 2), ("c", 26379)]
    assert (sentinel.username, sentinel.password, sentinel.path) == ("u", "p", ["main", "3"])
    assert parse_url("redis+cluster://[::1],b:7").hosts == [("::1", 6379), ("b", 7)]
    assert parse_url("rediss://h").scheme == "rediss"


@pytest.mark.parametrize(
    "url", ["", "localhost:6379", "http://:secret@h", "redis://", "redis://:secret@h:x"]
)
def test_a_wrong_url_is_refused_without_its_password(url: str) -> None:
    """The error names what is wrong and never the secret."""
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - its text is looked at below
        parse_url(url)
    assert "secret" not in str(caught.value)


async def test_the_url_decides_the_engine() -> None:
    """No URL means memory, a Redis URL Redis; nothing is connected yet."""
    assert isinstance(connect(None), MemoryBus)
    assert isinstance(connect("memory://"), MemoryBus)
    for url in ("redis://h", "rediss://h:1/2", "redis+sentinel://h/m/0", "redis+cluster://h"):
        bus = connect(url)
        assert isinstance(bus, RedisBus)
        await bus.close()


def test_the_memory_log_does_not_import_redis() -> None:
    """Redis costs time and memory that a single service must not pay."""
    program = "import sys, bus.connect; bus.connect.connect(None); sys.exit('redis' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
