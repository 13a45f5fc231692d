"""The profile that brings Prometheus and Grafana: what it mounts exists, what it opens is open to this machine only."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parent.parent.parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
WATCHERS = ("prometheus", "grafana")


def config(name: str) -> Any:
    return yaml.safe_load((ROOT / "docker" / "monitoring" / name).read_text())


def test_only_who_asks_for_monitoring_gets_it() -> None:
    profiles = {name: service.get("profiles") for name, service in COMPOSE["services"].items()}
    assert [name for name, profile in profiles.items() if profile] == list(WATCHERS)
    assert all(profiles[name] == ["monitoring"] for name in WATCHERS)


@pytest.mark.parametrize("name", COMPOSE["services"])
def test_what_a_service_mounts_and_names_exists(name: str) -> None:
    service = COMPOSE["services"][name]
    for mount in service.get("volumes", []):
        source = mount.split(":")[0]
        assert (ROOT / source).is_file() if source.startswith("./") else source in COMPOSE["volumes"], mount
        assert not source.startswith("./") or mount.endswith(":ro"), mount
    assert set(service.get("networks", [])) <= set(COMPOSE["networks"])
    assert set(service.get("secrets", [])) <= set(COMPOSE["secrets"])
    assert set(service.get("depends_on", [])) <= set(COMPOSE["services"])


@pytest.mark.parametrize("name", WATCHERS)
def test_what_watches_is_open_to_this_machine_only_and_has_a_fixed_version(name: str) -> None:
    service = COMPOSE["services"][name]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    assert ":latest" not in service["image"]
    assert ":" in service["image"]


def test_both_kinds_of_processes_are_asked_with_the_token() -> None:
    jobs = {job["job_name"]: job for job in config("prometheus.yml")["scrape_configs"]}
    rules = (ROOT / "docs" / "monitoring" / "alerts.yml").read_text()
    assert set(jobs) == {"frontdesk", "frontdesk-bot"}
    for name, job in jobs.items():
        assert job["authorization"]["credentials_file"] == "/run/secrets/metrics_token"
        assert f'up{{job="{name}"}}' in rules
        [found] = job["dns_sd_configs"]
        assert set(found["names"]) <= set(COMPOSE["services"])
    for name in ("service", "bot"):
        assert "METRICS_TOKEN" in COMPOSE["services"][name]["environment"]
    assert COMPOSE["secrets"]["metrics_token"] == {"environment": "METRICS_TOKEN"}


def test_the_rules_and_the_dashboard_are_where_the_configuration_looks() -> None:
    mounted = {
        mount.split(":")[1]: ROOT / mount.split(":")[0]
        for name in WATCHERS
        for mount in COMPOSE["services"][name]["volumes"]
        if mount.startswith("./")
    }
    assert config("prometheus.yml")["rule_files"] == ["alerts.yml"]
    assert "/etc/prometheus/alerts.yml" in mounted
    [provider] = config("dashboards.yml")["providers"]
    boards = [path for place, path in mounted.items() if place.startswith(provider["options"]["path"] + "/")]
    assert len(boards) == 1
    assert json.loads(boards[0].read_text())["uid"]
    [source] = config("datasource.yml")["datasources"]
    assert source["url"] == "http://prometheus:9090"
