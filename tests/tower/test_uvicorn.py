"""The names of uvicorn that the service relies on, and the minor they were read in."""

import inspect
from importlib.metadata import version

import uvicorn

from hub.wsprotocol import HubProtocol
from tower.server import Server


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


def test_our_protocol_is_what_uvicorn_loads() -> None:
    """It is given by class, and stands on the sans-I/O one."""
    config = uvicorn.Config(lambda: None, ws=HubProtocol)
    config.load()
    assert config.ws_protocol_class is HubProtocol
    assert [each.__name__ for each in HubProtocol.__mro__[:2]] == [
        "HubProtocol", "WebSocketsSansIOProtocol",
    ]  # fmt: skip
