"""docker-compose.yml and what it stands on: what scales can scale, and secrets are made once."""

import shutil
import stat
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.queries import DEPLOY, ROOT

SCALED = ("hub", "ingest", "recorder")


@pytest.fixture(scope="module")
def composed() -> dict[str, Any]:
    """The composition."""
    told: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
    return told


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder of its own with the program that makes secrets, which has run once."""
    shutil.copy(DEPLOY / "make-secrets", tmp_path)
    subprocess.run([tmp_path / "make-secrets"], check=True, capture_output=True)
    return tmp_path


def test_what_is_scaled_has_neither_a_name_nor_a_port_of_its_own(composed: dict[str, Any]) -> None:
    """Two containers cannot share either."""
    for name in SCALED:
        assert not {"container_name", "ports", "volumes"} & composed["services"][name].keys()


def test_every_service_keeps_to_itself(composed: dict[str, Any]) -> None:
    """None may gain rights, each is looked at, and a role writes nothing but temporary files."""
    for name, service in composed["services"].items():
        assert "healthcheck" in service or name in SCALED, name  # theirs is the image's
        assert name == "postgres" or service["cap_drop"] == ["ALL"], name
        assert "privileged" not in service
    for name in (*SCALED, "migrate"):
        assert composed["services"][name]["read_only"] is True
        assert composed["services"][name]["tmpfs"] == ["/tmp"]


def test_the_load_comes_only_when_it_is_asked_for(composed: dict[str, Any]) -> None:
    """Its page, which has no login, is on loopback, and the token reaches it as a secret."""
    load = composed["services"]["locust"]
    assert load["profiles"] == ["loadtest"]
    assert load["ports"] == ["${LOCUST_PUBLISH:-127.0.0.1:8089}:8089"]
    assert load["secrets"] == ["token"]
    assert load["read_only"] is True


def test_every_secret_is_a_file_that_is_made(composed: dict[str, Any], folder: Path) -> None:
    """No secret stands in the composition, and none that it names is missing."""
    wanted = {Path(each["file"]).name for each in composed["secrets"].values()}
    assert wanted == {path.name for path in (folder / "secrets").iterdir()}


def test_only_the_owner_reaches_the_secrets(folder: Path) -> None:
    """The folder is closed; the files are open to the users inside the containers."""
    assert stat.S_IMODE((folder / "secrets").stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder / "secrets").iterdir()} == {0o644}


def test_secrets_are_made_once(folder: Path) -> None:
    """Another run changes none, and makes the one that is missing."""
    before = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    (folder / "secrets" / "grafana_password").unlink()
    subprocess.run([folder / "make-secrets"], check=True, capture_output=True)
    after = {path.name: path.read_text() for path in (folder / "secrets").iterdir()}
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"grafana_password"}
    assert before["redis_password"].strip() in before["redis_url"]
    assert before["postgres_password"].strip() in before["database_url"]
    assert len({text for name, text in before.items() if "url" not in name}) == 4


def test_no_secret_goes_into_an_image() -> None:
    """The folder is in no context of a build, in no commit, and in no archive of the sources."""
    assert "deploy" in (ROOT / ".dockerignore").read_text().splitlines()
    assert "/deploy/secrets/" in (ROOT / ".gitignore").read_text().splitlines()
    packaging = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    assert "deploy/secrets" in packaging["targets"]["sdist"]["exclude"]
