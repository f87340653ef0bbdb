"""The packaging: a dashboard is rebuilt when its sources change, and no lock names a registry."""

import json
from pathlib import Path

import pytest

import hatch_build

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture
def dashboard(tmp_path: Path) -> Path:
    """The sources of a very small dashboard."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "main.ts").write_text("let a = 1;\n")
    (tmp_path / "public").mkdir()
    (tmp_path / "public" / "icon.svg").write_text("<svg/>\n")
    (tmp_path / "index.html").write_text("<!doctype html>\n")
    (tmp_path / "package.json").write_text('{"name": "small"}\n')
    (tmp_path / "package-lock.json").write_text("{}\n")
    return tmp_path


@pytest.fixture
def npm(dashboard: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An npm that only writes down what it is told, and builds by hand."""
    told: list[str] = []

    def run_npm(folder: Path, *arguments: str) -> None:
        told.append(" ".join(arguments))
        if arguments[0] == "ci":
            (folder / "node_modules").mkdir(exist_ok=True)
        else:
            make_dist(folder)

    monkeypatch.setattr(hatch_build, "run_npm", run_npm)
    return told


def make_dist(dashboard: Path) -> None:
    """What Vite leaves: the page and its script."""
    (dashboard / "dist" / "assets").mkdir(parents=True, exist_ok=True)
    (dashboard / "dist" / "index.html").write_text("<!doctype html>\n")
    (dashboard / "dist" / "assets" / "main.js").write_text("let a=1\n")
    (dashboard / "dist" / "icon.svg").write_text("<svg/>\n")


def test_a_fresh_dashboard_is_not_built_again(dashboard: Path, npm: list[str]) -> None:
    """The second build of the same sources calls npm for nothing."""
    hatch_build.build(dashboard)
    hatch_build.build(dashboard)
    assert npm == ["ci --include=dev", "run build"]


@pytest.mark.parametrize(
    "name", ["src/main.ts", "index.html", "package-lock.json", "src/new.css", "public/icon.svg"]
)
def test_a_changed_source_makes_it_stale(dashboard: Path, npm: list[str], name: str) -> None:
    """A change of any source, or a new one, is noticed; packages come anew only with the lock."""
    hatch_build.build(dashboard)
    (dashboard / name).write_text("changed\n")
    assert not hatch_build.is_fresh(dashboard)
    hatch_build.build(dashboard)
    assert hatch_build.is_fresh(dashboard)
    assert npm.count("ci --include=dev") == (2 if name == "package-lock.json" else 1)


def test_a_renamed_source_makes_it_stale(dashboard: Path, npm: list[str]) -> None:
    """The hash covers names as well as contents."""
    hatch_build.build(dashboard)
    (dashboard / "src" / "main.ts").rename(dashboard / "src" / "other.ts")
    assert not hatch_build.is_fresh(dashboard)


def test_a_torn_dist_is_not_fresh(dashboard: Path, npm: list[str]) -> None:
    """A dist that lost a file is built again although its stamp is right."""
    dist = hatch_build.build(dashboard)
    (dist / "index.html").unlink()
    assert not hatch_build.is_fresh(dashboard)


@pytest.mark.parametrize("lost", ["index.html", "assets/main.js"])
def test_a_build_without_a_page_or_a_script_fails(
    dashboard: Path, npm: list[str], monkeypatch: pytest.MonkeyPatch, lost: str
) -> None:
    """A build that leaves no user interface is an error that says what is missing."""

    def lose(folder: Path, *arguments: str) -> None:
        (folder / "node_modules").mkdir(exist_ok=True)
        make_dist(folder)
        (folder / "dist" / lost).unlink()

    monkeypatch.setattr(hatch_build, "run_npm", lose)
    with pytest.raises(hatch_build.BuildError, match="built without"):
        hatch_build.build(dashboard)
    assert not hatch_build.is_fresh(dashboard)


def test_missing_sources_are_named(tmp_path: Path) -> None:
    """A tree without a dashboard says so."""
    with pytest.raises(hatch_build.BuildError, match=r"no package\.json"):
        hatch_build.build(tmp_path)


def test_a_machine_without_node_is_told(dashboard: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where neither PATH nor the wheel has Node, the message names the versions that do."""
    monkeypatch.setattr(hatch_build, "node_on_path", lambda: None)
    monkeypatch.setattr(hatch_build, "node_from_pypi", lambda: None)
    with pytest.raises(hatch_build.BuildError, match=r"20\.19"):
        hatch_build.build(dashboard)


@pytest.mark.parametrize(
    ("version", "enough"),
    [
        ("v18.20.4", False),
        ("v20.18.3", False),
        ("v20.19.0\n", True),
        ("v21.7.3", False),
        ("v22.11.0", False),
        ("v22.12.0", True),
        ("v24.1.0", True),
        ("", False),
    ],
)
def test_the_versions_of_node_that_vite_runs_on(version: str, enough: bool) -> None:
    """The answer follows Vite's own engines field."""
    assert hatch_build.is_new_enough(version) is enough


def test_the_wheel_gets_the_page_and_not_the_stamp(dashboard: Path, npm: list[str]) -> None:
    """Everything built goes below hub/_ui, except what only the build reads."""
    inside = hatch_build.wheel_files(hatch_build.build(dashboard)).values()
    assert sorted(inside) == ["hub/_ui/assets/main.js", "hub/_ui/icon.svg", "hub/_ui/index.html"]


def test_the_locks_name_no_host_and_pin_by_hash() -> None:
    """A mirror serves as well: no address stands in a lock, and every package has hashes."""
    for lock in sorted((ROOT / "requirements").glob("*.txt")):
        text = lock.read_text()
        pinned = [line for line in text.splitlines() if "==" in line and not line.startswith(" ")]
        assert "://" not in text
        assert pinned
        assert all(line.endswith("\\") for line in pinned)


def test_the_npm_lock_names_no_registry() -> None:
    """No package of the dashboard is resolved to an address."""
    lock = json.loads((ROOT / "dashboard_static" / "package-lock.json").read_text())
    assert [name for name, package in lock["packages"].items() if "resolved" in package] == []
