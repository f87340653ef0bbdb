"""The ways in which frames leave an outbox: a module asks for all of them by ``usefixtures``."""

import pytest

from tests.hub.made import Desk


@pytest.fixture(params=["popped", "pushed", "deflated"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """How clients get their frames in this test."""
    told: str = request.param
    monkeypatch.setattr(Desk, "way", told)
    return told
