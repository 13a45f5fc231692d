"""The page, the dashboard and the alert rules name metrics that are really shown, and the page names them all."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from bot.metrics import Metrics
from tests.monitoring.watched import Watched

DOCS = Path(__file__).resolve().parent.parent.parent / "docs" / "monitoring"
#: Functions, keywords and labels of PromQL that may stand in an expression beside metrics.
_METRIC = re.compile(r"\bfrontdesk_[a-z0-9_]+")
FAMILIES = ("System", "Business", "AI", "Security", "Bot")


@pytest.fixture
async def shown(watched: Watched) -> dict[str, str]:
    """Each metric of ``/metrics`` with its type, by the names Prometheus stores."""
    await watched.state.look()
    found = {}
    of_the_bot = Metrics().text("model-1", "3.6.21")
    for family in (*text_string_to_metric_families(watched.text), *text_string_to_metric_families(of_the_bot)):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found[name] = family.type
    return found


def stored(shown: dict[str, str]) -> set[str]:
    """Names that expressions may use."""
    parts = {
        f"{name}_{part}" for name, kind in shown.items() if kind == "histogram" for part in ("bucket", "sum", "count")
    }
    return {name for name, kind in shown.items() if kind != "histogram"} | parts


def balanced(expression: str) -> bool:
    closing, open_ones = {")": "(", "]": "[", "}": "{"}, []
    for letter in re.sub(r'"[^"]*"', "", expression):
        if letter in "([{":
            open_ones.append(letter)
        elif letter in closing and (not open_ones or open_ones.pop() != closing[letter]):
            return False
    return not open_ones


def check_expression(expression: str, shown: dict[str, str]) -> None:
    """Names exist, brackets close, counters are read as rates and histograms by their parts."""
    assert balanced(expression), expression
    names = _METRIC.findall(expression)
    assert names or expression.startswith("up{"), expression
    for name in names:
        assert name in stored(shown), f"{name} in {expression} is not shown by /metrics"
        if name.endswith(("_total", "_bucket", "_sum", "_count")):
            assert re.search(rf"(rate|increase)\({name}(\{{[^}}]*\}})?\[", expression), (
                f"{name} is not a rate in {expression}"
            )
    if "histogram_quantile" in expression:
        assert re.search(r"by \(le\b", expression), expression


async def test_the_page_lists_every_metric_with_its_type_and_no_other(shown: dict[str, str]) -> None:
    rows = re.findall(r"^\| `(frontdesk_\w+)` \| (\w+) \|", (DOCS / "README.md").read_text(), re.MULTILINE)
    assert len(rows) == len(dict(rows)), "a metric is listed twice"
    assert dict(rows) == shown


async def test_the_page_names_the_alerts_of_each_metric(shown: dict[str, str]) -> None:
    listed = {}
    for name, alerts in re.findall(
        r"^\| `(frontdesk_\w+)` .*\| ([^|]+) \|$", (DOCS / "README.md").read_text(), re.MULTILINE
    ):
        listed[name] = set() if alerts == "–" else set(alerts.split(", "))
    for rule in rules():
        for name in _METRIC.findall(rule["expr"]):
            base = next(one for one in (name, re.sub(r"_(bucket|sum|count)$", "", name)) if one in shown)
            assert rule["alert"].removeprefix("Frontdesk") in listed[base], f"{base} does not name {rule['alert']}"
    assert set().union(*listed.values()) <= {rule["alert"].removeprefix("Frontdesk") for rule in rules()}


async def test_each_labels_column_is_what_the_metric_has(watched: Watched) -> None:
    for family, of in vars(watched.meter.collectors).items():
        if not hasattr(of, "_labelnames"):
            continue
        name = f"frontdesk_{of._name.removeprefix('frontdesk_')}" + ("_total" if of._type == "counter" else "")
        row = re.search(rf"^\| `{name}` \| \w+ \| ([^|]+) \|", (DOCS / "README.md").read_text(), re.MULTILINE)
        assert row is not None, family
        assert re.findall(r"`(\w+)`", row[1]) == list(of._labelnames), name


def test_the_labels_of_the_bots_metrics_are_what_they_have() -> None:
    for one in vars(Metrics()).values():
        if hasattr(one, "labels"):
            row = re.search(
                rf"^\| `{one.name}` \| {one.kind} \| ([^|]+) \|", (DOCS / "README.md").read_text(), re.MULTILINE
            )
            assert row is not None, one.name
            assert tuple(re.findall(r"`(\w+)`", row[1])) == one.labels, one.name


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load((DOCS / "alerts.yml").read_text())["groups"] for rule in group["rules"]]


async def test_every_alert_can_fire_and_says_in_both_languages_what_is_wrong(shown: dict[str, str]) -> None:
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names)) > 20
    for rule in rules():
        assert set(rule) <= {"alert", "expr", "for", "labels", "annotations"}, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "warn"}
        assert re.fullmatch(r"\d+[smhd]", rule.get("for", "0s"))
        assert {"summary", "description", "summary_zh"} == set(rule["annotations"])
        assert re.search("[一-鿿]", rule["annotations"]["summary_zh"])
        assert re.search(r"[<>=]", rule["expr"]), f"{rule['alert']} compares with nothing"
        check_expression(rule["expr"], shown)


async def test_the_rules_cover_what_must_wake_somebody() -> None:
    used = " ".join(rule["expr"] for rule in rules())
    for name in (
        "event_loop_lag", "inbox_oldest", "backlog_refusals", "deliveries_total", "bot_up", 'status="5xx"', "sign_ins",
        "audit_checkpoint_age", "disk_free", "intent_confidence",
    ):  # fmt: skip
        assert name in used, name


async def test_the_dashboard_can_be_imported_and_draws_only_what_is_shown(shown: dict[str, str]) -> None:
    board = json.loads((DOCS / "grafana.json").read_text())
    assert board["id"] is None
    assert board["uid"]
    assert board["schemaVersion"] >= 36
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert [title.split(" ")[0] for title in rows] == list(FAMILIES)
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    variables = {one["name"] for one in board["templating"]["list"]}
    drawn: set[str] = set()
    for panel in board["panels"]:
        assert {"h", "w", "x", "y"} == set(panel["gridPos"])
        assert panel["gridPos"]["x"] + panel["gridPos"]["w"] <= 24
        for target in panel.get("targets", []):
            plain = target["expr"].replace("$__rate_interval", "5m")
            assert set(re.findall(r"\$(\w+)", plain)) <= variables
            check_expression(plain, shown)
            drawn |= {re.sub(r"_(bucket|sum|count)$", "", name) for name in _METRIC.findall(plain)}
    # Nothing is measured only to be forgotten.
    assert set(shown) - drawn <= {
        "frontdesk_open_files", "frontdesk_start_time_seconds", "frontdesk_last_sweep_timestamp_seconds",
        "frontdesk_disk_bytes", "frontdesk_dialogue_start_time_seconds",
    }  # fmt: skip


def test_no_two_panels_lie_on_each_other() -> None:
    taken: set[tuple[int, int]] = set()
    for panel in json.loads((DOCS / "grafana.json").read_text())["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
