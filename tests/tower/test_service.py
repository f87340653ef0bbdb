"""What ``tower up`` puts together."""

from pathlib import Path
from typing import Any, cast

from hub.auth import Door
from tower.service import Service
from tower.setting import Value
from tower.settings import SETTINGS, Settings


async def test_routes_of_hooks_are_tried_before_all_others(tmp_path: Path) -> None:
    """They come most often, and each route that stands before them costs every one of them."""
    values = {each.name: Value(each.default, "default") for each in SETTINGS}
    values["data_dir"] = Value(str(tmp_path), "test")
    service = Service(Settings(values), Door(token="t", key=b"k" * 32, port=1))
    routes = cast("Any", service.app().app).routes
    assert [each.path for each in routes[:2]] == ["/v1/hooks/claude-code", "/v1/hooks/codex"]
