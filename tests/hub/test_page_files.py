"""The files beside the page: what a browser needs to install and to recognise it."""

import json
import re
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from hub import app as hub_app
from hub.page_files import PAGE_FILES
from tests.hub.servers import BEARER, make_app, make_door, make_hub
from tests.hub.test_rest import HOST, problem

SOURCES = Path(__file__).resolve().parents[2] / "dashboard_static"
PUBLIC = SOURCES / "public"


@pytest.fixture
def anybody(monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A client without a credential, of a dashboard of which only these files are built."""
    monkeypatch.setattr(hub_app, "ui_folder", lambda: PUBLIC)
    with TestClient(make_app(make_hub(make_door())), base_url=HOST) as client:
        yield client


def test_each_of_them_is_there() -> None:
    """What is served is in the sources, and what is in the sources is served."""
    assert {path.name for path in PUBLIC.iterdir()} == set(PAGE_FILES)


@pytest.mark.parametrize("name", PAGE_FILES)
def test_they_are_open_and_asked_for_anew(anybody: TestClient, name: str) -> None:
    """Without a credential, with the type that browsers want, and never taken for unchanged."""
    answer = anybody.get(f"/{name}")
    assert (answer.status_code, answer.content) == (200, (PUBLIC / name).read_bytes())
    assert answer.headers["content-type"].split(";")[0] == PAGE_FILES[name]
    assert answer.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "name",
    [
        "index.html", ".stamp", "icon.svgx", "iconxsvg", "x/icon.svg", "Icon.svg",
        "..%2Fpackage.json", "%2e%2e/package.json", "..\\package.json", "icon.svg%00",
        "favicon.ico",
    ],
)  # fmt: skip
def test_nothing_else_is(anybody: TestClient, name: str) -> None:
    """Whether it exists or not, and however it is written."""
    problem(anybody.get(f"/{name}", follow_redirects=False), 404)


def test_what_was_not_built_is_a_problem(
    anybody: TestClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """404, not an error."""
    monkeypatch.setattr(hub_app, "ui_folder", lambda: tmp_path)
    problem(anybody.get("/icon.svg"), 404)


def test_other_routes_are_what_they_were(anybody: TestClient) -> None:
    """A method that is not served is 405 there, and nothing shadows a route of one word."""
    assert problem(anybody.post("/icon.svg"), 405)
    assert anybody.get("/login").headers["allow"] == "POST"
    assert anybody.get("/openapi.json", headers=BEARER).json()["openapi"] == "3.1.0"


def size_of(png: bytes) -> str:
    """Width and height as a manifest has them."""
    width, height = struct.unpack(">II", png[16:24])
    return f"{width}x{height}"


def test_the_manifest_names_icons_that_exist(anybody: TestClient) -> None:
    """With their true sizes and types, relative to where the board is; one fits any mask."""
    manifest = json.loads(anybody.get("/manifest.webmanifest").text)
    assert (manifest["start_url"], manifest["scope"]) == ("./", "./")
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        name = icon["src"].removeprefix("./")
        assert icon["type"] == PAGE_FILES[name]
        if name.endswith(".png"):
            assert icon["sizes"] == size_of((PUBLIC / name).read_bytes())
    kinds = {(icon["sizes"], icon["purpose"]) for icon in manifest["icons"]}
    assert kinds >= {("192x192", "any"), ("512x512", "any"), ("512x512", "maskable")}


def test_the_page_links_to_them() -> None:
    """To its manifest, its icon and the one of phones; a theme colour for light and for dark."""
    page = (SOURCES / "index.html").read_text()
    links = dict(re.findall(r'<link rel="([a-z-]+)"[^>]* href="/([^"]+)"', page))
    assert links == {
        "icon": "icon.svg",
        "apple-touch-icon": "apple-touch-icon.png",
        "manifest": "manifest.webmanifest",
    }
    colours = re.findall(r'name="theme-color" media="\(prefers-color-scheme: (\w+)\)"', page)
    assert colours == ["light", "dark"]
