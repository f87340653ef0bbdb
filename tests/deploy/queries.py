"""The PromQL of dashboards and alerts, and a real Prometheus to ask it of."""

import contextlib
import json
import re
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import free_port
from tests.tower.processes import until

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
DASHBOARDS = DEPLOY / "grafana" / "dashboards"
RULES = DEPLOY / "prometheus" / "rules"
SUFFIXES = ("_bucket", "_sum", "_count", "_created")
VARIABLES = {"$__rate_interval": "1m", "$__range": "1h"}  # as Grafana would fill them in


def of_dashboards() -> list[str]:
    """Every query of every dashboard, as it is committed."""
    boards = [json.loads(path.read_text()) for path in sorted(DASHBOARDS.glob("*.json"))]
    panels = [panel for board in boards for panel in board["panels"]]
    return [target["expr"] for panel in panels for target in panel.get("targets") or ()]


def of_rules() -> list[str]:
    """Every alert's."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    return [rule["expr"] for told in files for group in told["groups"] for rule in group["rules"]]


def alerts() -> set[str]:
    """The names of all alerts."""
    files = [yaml.safe_load(path.read_text()) for path in sorted(RULES.glob("*.yml"))]
    return {rule["alert"] for told in files for group in told["groups"] for rule in group["rules"]}


def filled(query: str) -> str:
    """With what Grafana puts in."""
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def metrics_in(query: str) -> set[str]:
    """The metrics that it names, without what a histogram's series are called."""
    named = re.findall(r"\btower_\w+", query)
    return {_family(name) for name in named}


def _family(name: str) -> str:
    for suffix in SUFFIXES:
        name = name.removesuffix(suffix)
    return name


def families_of(page: str) -> set[str]:
    """The metrics of a real page; a counter has its ``_total``."""
    told = re.findall(r"^# TYPE (\S+) (\S+)", page, re.MULTILINE)
    return {_family(name) for name, _ in told}


class Prometheus:
    """A running server."""

    def __init__(self, port: int) -> None:
        self._url = f"http://127.0.0.1:{port}/api/v1/"

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer; raises where the query is refused."""
        query = urllib.parse.urlencode(parameters)
        with urllib.request.urlopen(f"{self._url}{path}?{query}", timeout=10) as answer:
            return json.load(answer)["data"]

    def has_scraped(self, count: int) -> bool:
        """Whether so many processes have answered it."""
        targets = self.ask("targets")["activeTargets"]
        return len(targets) == count and all(each["health"] == "up" for each in targets)


@contextlib.contextmanager
def running(folder: Path, targets: dict[str, str]) -> Iterator[Prometheus]:
    """A server that scrapes these (job → address) every second, with the rules of ``deploy``."""
    program, port = shutil.which("prometheus"), free_port()
    assert program is not None
    scraped = [
        {"job_name": job, "static_configs": [{"targets": [address]}]}
        for job, address in targets.items()
    ]
    told = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(RULES / "*.yml")], "scrape_configs": scraped,
    }  # fmt: skip
    (folder / "prometheus.yml").write_text(yaml.safe_dump(told))
    command = [
        program, f"--config.file={folder / 'prometheus.yml'}", "--log.level=warn",
        f"--storage.tsdb.path={folder / 'data'}", f"--web.listen-address=127.0.0.1:{port}",
    ]  # fmt: skip
    with (
        (folder / "log").open("wb") as log,
        subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log) as process,
    ):
        try:
            server = Prometheus(port)
            until(lambda: _answers(server))
            until(lambda: server.has_scraped(len(targets)))
            yield server
        finally:
            process.kill()


def _answers(server: Prometheus) -> bool:
    with contextlib.suppress(OSError):
        return bool(server.ask("status/buildinfo"))
    return False
