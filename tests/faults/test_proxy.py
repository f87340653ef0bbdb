"""The line that can be hurt: each injury does what it says, and is undone."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tests.faults.proxy import Proxy, line_to

WAIT_S = 5.0
SILENT_S = 0.3


@pytest.fixture
def echo() -> Iterator[int]:
    """A server that says everything again."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=_serve, args=(server,), daemon=True)
        thread.start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)
        thread.join(WAIT_S)


def _serve(server: socket.socket) -> None:
    while True:
        try:
            made, _ = server.accept()
        except OSError:
            return
        threading.Thread(target=_echo, args=(made,), daemon=True).start()


def _echo(made: socket.socket) -> None:
    with made:
        try:
            while data := made.recv(65_536):
                made.sendall(data)
        except OSError:
            return


@pytest.fixture
def line(echo: int) -> Iterator[Proxy]:
    """A line to it."""
    with line_to(echo) as made:
        yield made


def connected(line: Proxy) -> socket.socket:
    """A client that has been answered once."""
    made = socket.create_connection(("127.0.0.1", line.port), timeout=WAIT_S)
    assert said(made, b"hello") == b"hello"
    return made


def said(made: socket.socket, data: bytes) -> bytes:
    """What comes back; empty at the end, or where nothing comes."""
    try:
        made.sendall(data)
        answer = b""
        while len(answer) < len(data) and (more := made.recv(65_536)):
            answer += more
    except OSError:
        return b""
    return answer


def heard(made: socket.socket) -> bytes:
    """The next byte, within a moment."""
    made.settimeout(SILENT_S)
    made.sendall(b"x")
    return made.recv(1)


def test_a_line_that_is_cut_resets_old_and_new(line: Proxy) -> None:
    """Old connections end, new ones are ended, and afterwards new ones work."""
    with connected(line) as old:
        with line.cut():
            assert said(old, b"x") == b""
            with socket.create_connection(("127.0.0.1", line.port), timeout=WAIT_S) as new:
                assert said(new, b"x") == b""
        connected(line).close()


def test_a_half_open_line_is_silent_and_stays_so_for_what_was_open(line: Proxy) -> None:
    """Nothing comes and nothing ends; after the healing only new connections work."""
    with connected(line) as old, line.half_open(), pytest.raises(TimeoutError):
        heard(old)
    with connected(line) as one:
        with line.half_open(also_new=False):
            connected(line).close()
        with pytest.raises(TimeoutError):
            heard(one)


def test_a_slow_line_takes_its_time(line: Proxy) -> None:
    """Each piece waits in both directions; a narrow one is not faster than it may be."""
    with connected(line) as made:
        with line.slow(delay_s=0.05):
            began = time.monotonic()
            assert said(made, b"x") == b"x"
            assert time.monotonic() - began >= 0.1
        with line.slow(bytes_per_s=10_000, slice_bytes=100):
            began = time.monotonic()
            assert said(made, b"x" * 1_000) == b"x" * 1_000
            assert time.monotonic() - began >= 0.1
        assert said(made, b"y") == b"y"


def test_lost_replies_are_counted(line: Proxy) -> None:
    """Only replies to marked requests are lost, so often as was asked for."""
    with line.losing(b"mark", 2):
        for _ in range(2):
            with connected(line) as made:
                assert said(made, b"a mark") == b""
        with connected(line) as made:
            assert said(made, b"a mark") == b"a mark"
    assert line.lost == 2


def test_another_target_is_used_by_whoever_comes_next(line: Proxy) -> None:
    """What is open ends, and the next one meets the other server."""
    with socket.create_server(("127.0.0.1", 0)) as other, connected(line) as old:
        line.go_to(other.getsockname()[1])
        assert said(old, b"x") == b""
        with socket.create_connection(("127.0.0.1", line.port), timeout=WAIT_S) as made:
            made.sendall(b"to the other")
            met, _ = other.accept()
            with met:
                met.settimeout(WAIT_S)
                assert met.recv(100) == b"to the other"
