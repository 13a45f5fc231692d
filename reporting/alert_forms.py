"""What is told of an alert: its JSON form, the address of the report behind it, and what is posted to other programs."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from reporting.anomalies import Kind

#: The figure that counts what rose; how contacts feel and who signs in are in no report.
FIGURES = {
    Kind.INTENT: "turns",
    Kind.MISSES: "miss_rate",
    Kind.HANDOFFS: "handoffs",
    Kind.FAILED_ACTIONS: "failed_actions",
}
_TIMES = ("since", "opened_at", "updated_at", "closed_at", "acknowledged_at")
_PLAIN = (
    "id", "kind", "key", "span", "state", "part", "whole", "usual", "windows", "stands_out", "contributions", "examples",
    "expected", "by_name", "note",
)  # fmt: skip


def form_of(row: Mapping[Any, Any], zone: ZoneInfo) -> dict[str, Any]:
    """An alert's JSON form."""
    times = {name: at.isoformat() if (at := row.get(name)) is not None else None for name in _TIMES}
    return {name: row.get(name) for name in _PLAIN} | times | {"report": report_of(row, zone)}


def report_of(row: Mapping[Any, Any], zone: ZoneInfo) -> str | None:
    """What stands behind the question mark of the reports' address so that it opens what rose, thing by thing; None where
    no report counts it. Reports know whole days, so an hour's rise is at the head of its day's list."""
    figure = FIGURES.get(Kind(row["kind"]))
    if figure is None:
        return None
    window = row["stands_out"][0]
    days = {name: datetime.fromisoformat(window[name]).astimezone(zone).date() for name in ("since", "until")}
    limit = {"intent": row["key"]} if row["kind"] == Kind.INTENT else {}
    return urlencode({"period": "own", **days, **limit, "see": figure})


def told(form: Mapping[str, Any]) -> dict[str, Any]:
    """Without conversations, which not every console may know of."""
    return {name: value for name, value in form.items() if name != "examples"}


def posted_body(event: str, form: Mapping[str, Any], public_url: str) -> str:
    """What another program gets; its link opens what rose, or the alerts where no report counts it."""
    place = f"reports?{form['report']}" if form["report"] else "alerts"
    whole = {"type": event, "alert": form, "link": f"{public_url}/staff/#/{place}"}
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def post_form(row: Mapping[Any, Any]) -> dict[str, Any]:
    """What became of a post, without its body."""
    times = {name: row[name].isoformat() if row[name] else None for name in ("created_at", "due_at", "sent_at")}
    return {name: row[name] for name in ("id", "about_id", "state", "attempts", "error")} | times
