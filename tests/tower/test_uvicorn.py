"""The names of uvicorn that the service relies on, and the minor they were read in."""

import inspect
from importlib.metadata import version

import uvicorn

from tower.service import Server


def test_the_minor_is_the_one_that_was_read() -> None:
    """Another minor may change what is private: read it again before raising the pin."""
    assert version("uvicorn").rpartition(".")[0] == "0.54"


def test_what_the_server_overrides_is_there() -> None:
    """The hooks at the start, while serving and at a signal keep their shape."""
    base = uvicorn.Server
    assert list(inspect.signature(base.startup).parameters) == ["self", "sockets"]
    assert list(inspect.signature(base.serve).parameters) == ["self", "sockets"]
    assert list(inspect.signature(base.handle_exit).parameters) == ["self", "sig", "frame"]
    assert {"startup", "serve", "handle_exit"} <= vars(Server).keys()


def test_the_flags_that_end_it_are_there() -> None:
    """Draining ends by setting the flag that uvicorn itself looks at."""
    server = uvicorn.Server(uvicorn.Config(lambda: None))
    assert (server.should_exit, server.force_exit) == (False, False)


def test_the_protocol_that_is_asked_for_exists() -> None:
    """The sans-I/O WebSocket protocol is known by its name."""
    config = uvicorn.Config(lambda: None, ws="websockets-sansio")
    config.load()
    assert config.ws_protocol_class is not None
    assert config.ws_protocol_class.__name__ == "WebSocketsSansIOProtocol"
