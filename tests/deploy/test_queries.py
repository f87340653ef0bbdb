"""What Grafana and Prometheus are given asks for metrics that there are, and is understood."""

import contextlib
import importlib.util
import json
import re
from pathlib import Path
from types import ModuleType

import pytest
import yaml

from session import codec
from session.delta import Event
from tests.bus.conftest import Server
from tests.deploy import queries
from tests.tower.processes import BEARER, RoleProcess, role, until

ROLES = ("ingest", "recorder", "hub")


def generator() -> ModuleType:
    """The program that writes the dashboards, which is no part of the package."""
    path = queries.DEPLOY / "grafana" / "generate.py"
    spec = importlib.util.spec_from_file_location("generate_dashboards", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_dashboards_are_what_their_generator_writes() -> None:
    """Nobody edits the JSON; `python deploy/grafana/generate.py` writes it."""
    made = generator()
    written = {f"{board.name}.json": made.make_board(board) for board in made.BOARDS}
    assert written == {path.name: path.read_text() for path in queries.DASHBOARDS.iterdir()}


def test_every_panel_has_a_place_of_its_own() -> None:
    """None lies over another one, and every row is filled from the left."""
    for path in queries.DASHBOARDS.iterdir():
        panels = json.loads(path.read_text())["panels"]
        places = [each["gridPos"] for each in panels]
        cells = [
            (x, y)
            for place in places
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(cells) == len(set(cells))
        assert max(x for x, _ in cells) < 24
        assert len({each["id"] for each in panels}) == len(panels)


def test_the_queries_are_found() -> None:
    """There are some, so that no complaint means something."""
    assert len(queries.of_dashboards()) > 30
    assert len(queries.of_rules()) > 10


def test_a_name_is_read_out_of_a_query() -> None:
    """Of a histogram its own, of a counter the one with its total."""
    query = "rate(tower_a_seconds_bucket[1m]) / tower_b_total{x='tower'}"
    assert queries.metrics_in(query) == {"tower_a_seconds", "tower_b_total"}


def test_every_alert_is_tested_to_fire_and_to_be_silent() -> None:
    """`promtool test rules` runs these files; here stands that they leave none out."""
    fires, silent = set(), set()
    for path in (queries.DEPLOY / "prometheus" / "tests").glob("*.yml"):
        for told in yaml.safe_load(path.read_text())["tests"]:
            for each in told["alert_rule_test"]:
                (fires if each["exp_alerts"] else silent).add(each["alertname"])
    assert fires == silent == queries.alerts()


@pytest.mark.redis_server
@pytest.mark.prometheus
def test_a_real_prometheus_understands_every_query(
    tmp_path: Path, server: Server, prometheus: str
) -> None:
    """Each names metrics that real processes have, and is evaluated over what they told."""
    with contextlib.ExitStack() as stack:
        made = {n: stack.enter_context(role(tmp_path / n, n, server.url)) for n in ROLES}
        for each in made.values():
            each.become_ready()
        made["ingest"].post(
            codec.to_ndjson([Event(id="1", session="s", kind="prompt", received_at=0)])
        )
        until(lambda: made["hub"].get("/api/live")["totals"]["sessions"] == 1)
        have = set().union(*(queries.families_of(page_of(each)) for each in made.values()))
        targets = {name: each.address for name, each in made.items()}
        asked = [*queries.of_dashboards(), *queries.of_rules()]
        for query in asked:
            assert queries.metrics_in(query) <= have, query
        folder = tmp_path / "prometheus"
        folder.mkdir()
        watching = stack.enter_context(queries.running(folder, targets))
        for query in asked:
            watching.ask("query", query=queries.filled(query))
        sessions = watching.ask("query", query='sum(tower_hub_sessions{status="running"})')
        assert sessions["result"][0]["value"][1] == "1"
        until(lambda: rules_of(watching) == {(name, "ok") for name in queries.alerts()})


def page_of(process: RoleProcess) -> str:
    """Its metrics."""
    return process.ask("/metrics", **BEARER)[2].decode()


def rules_of(watching: queries.Prometheus) -> set[tuple[str, str]]:
    """Every alert with how its evaluation went."""
    groups = watching.ask("rules")["groups"]
    return {(rule["name"], rule["health"]) for group in groups for rule in group["rules"]}


def test_prometheus_asks_the_port_that_the_roles_have_for_it() -> None:
    """Every role of the composition is a job, at the port of its metrics."""
    composed = yaml.safe_load((queries.ROOT / "docker-compose.yml").read_text())
    told = yaml.safe_load((queries.DEPLOY / "prometheus" / "prometheus.yml").read_text())
    for job in told["scrape_configs"]:
        [found] = job["dns_sd_configs"]
        service = composed["services"][job["job_name"]]
        assert found["names"] == [job["job_name"]]
        assert str(found["port"]) == service["environment"]["TOWER_METRICS_PORT"]
    assert {job["job_name"] for job in told["scrape_configs"]} == set(ROLES)


def test_every_variable_of_a_deployment_is_a_setting() -> None:
    """A misspelt one would be passed over in silence."""
    from tower.settings import SETTINGS

    known = {name for each in SETTINGS for name in (each.env, each.env_no, each.env_file) if name}
    known |= {"TOWER_PUBLISH"}  # where the composition itself listens
    known |= {"TOWER_LOAD_METRICS"}  # whom the load asks
    files = [queries.ROOT / "docker-compose.yml", queries.DEPLOY / "Dockerfile"]
    files += sorted((queries.DEPLOY / "kubernetes").rglob("*.yaml"))
    used = {name for path in files for name in re.findall(r"\bTOWER_[A-Z_]+", path.read_text())}
    assert used <= known
