"""What is known of the models of the board."""

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient

from hub.rest import models
from hub.websocket import Hub
from session.pricing import price_table
from tests.hub.made import event, report
from tests.hub.servers import BEARER, cookie_for, make_app, make_door, make_hub
from tests.hub.test_rest import HOST, log, problem


@pytest.fixture
def hub() -> Hub:
    """Sessions of several models, one in another workspace, one of which only a hook told."""
    hub = make_hub(make_door())
    hub.worker.ready.set()
    calls = {"calls": 1, "unpriced": 0, "cost_usd": 0.1}
    counts = {"input": 1, "output": 1, "cache_read": 0, "cache_write": 0}
    used = {name: {**calls, **counts} for name in ("claude-opus-4-6", "my-own")}
    log(hub, report("a", calls=used))
    log(hub, event("model_switch", "b", model="claude-sonnet-4-5"))
    log(hub, event("model_switch", "c", workspace="other", model="claude-haiku-4-5[1m]"))
    return hub


@pytest.fixture
def client(hub: Hub) -> Iterator[TestClient]:
    """A client with the owner's token."""
    with TestClient(make_app(hub), base_url=HOST, headers=dict(BEARER)) as client:
        yield client


def test_every_model_of_the_board_is_told(client: TestClient) -> None:
    """With how much it takes in at once; null where nobody knows."""
    told = client.get("/api/models").json()
    assert told["models"] == {
        "claude-opus-4-6": {"context_tokens_max": 1_000_000},
        "claude-sonnet-4-5": {"context_tokens_max": 200_000},
        "my-own": {"context_tokens_max": None},
    }
    assert told["prices"] == price_table()._asdict()


def test_others_are_told_by_name(client: TestClient) -> None:
    """Up to 50, each as it was written; a name can say itself that it is a million."""
    names = ["gpt-5.5", "claude-sonnet-4-5[1m]", "us.anthropic.claude-sonnet-4-5-v1:0", "<x>"]
    told = client.get("/api/models", params={"names": ",".join([*names, ""])}).json()["models"]
    known = [told[name]["context_tokens_max"] for name in names]
    assert known == [1_000_000, 1_000_000, 200_000, None]
    assert "claude-opus-4-6" in told


@pytest.mark.parametrize(
    ("names", "is_taken"),
    [
        (",".join(f"m{number}" for number in range(50)), True),
        (",".join(f"m{number}" for number in range(51)), False),
        ("same," * 60, True),
        ("x" * 200, True),
        ("x" * 201, False),
    ],
)
def test_names_have_a_limit(client: TestClient, names: str, is_taken: bool) -> None:
    """Of how many, each counted once, and how long: 400 names the parameter."""
    answer = client.get("/api/models", params={"names": names})
    if is_taken:
        assert answer.status_code == 200
    else:
        assert "names" in problem(answer, 400)["detail"]


def test_of_very_many_models_the_usual_ones_are_told(
    client: TestClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those of most sessions; what was asked for by name is told in any case."""
    monkeypatch.setattr(models, "MODELS_MAX", 1)
    log(hub, event("model_switch", "d", model="claude-sonnet-4-5"))
    told: dict[str, Any] = client.get("/api/models?names=x").json()["models"]
    assert list(told) == ["x", "claude-sonnet-4-5"]


def test_each_workspace_sees_its_own_models(client: TestClient, hub: Hub) -> None:
    """A viewer of another one as well, and no other."""
    cookie = cookie_for(hub.door, "viewer", "other")
    del client.headers["Authorization"]
    answer = client.get("/api/models", headers={"Cookie": cookie})
    assert answer.json()["models"] == {"claude-haiku-4-5[1m]": {"context_tokens_max": 1_000_000}}


def test_the_same_models_are_not_sent_again(client: TestClient) -> None:
    """304 as long as there is no other."""
    tag = client.get("/api/models").headers["etag"]
    assert client.get("/api/models", headers={"If-None-Match": tag}).status_code == 304


def test_a_hub_starts_without_the_table_of_prices() -> None:
    """It is imported by the first who asks."""
    code = "import sys, hub.app; print('genai_prices' in sys.modules)"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "False\n"
