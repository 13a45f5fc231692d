"""A double of the bot's side of long work, as decision 0020 describes it: its jobs do what a test tells them to."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

SECRET = "a-secret-for-tests"
MADE = {
    "data_hash": "d" * 64,
    "pipeline_hash": "p" * 64,
    "profile": "fast",
    "examples": {"en": 700, "zh": 720},
    "intents": 30,
    "begun_at": "2026-03-01T08:00:00.000+00:00",
    "seconds": 61,
    "author": "Eva",
    "note": "gift cards",
}
RESULT = {
    "model": "frontdesk-20260301-080003",
    "model_id": "m" * 32,
    "sha256": "a" * 64,
    "bytes": 1_000_000,
    "made": MADE,
    "metrics": {"en": {"test": 90, "accuracy": 0.9, "macro_f1": 0.88}, "zh": {"test": 80, "accuracy": 0.95, "macro_f1": 0.93}},
    "notes": [],
}  # fmt: skip


@dataclass
class BotDouble:
    """One bot; ``jobs`` by the name they have there, in the form that it answers with."""

    url: str = "http://bot-1:5005"
    jobs: dict[str, dict[str, Any]] = field(default_factory=dict)
    asked: dict[str, dict[str, Any]] = field(default_factory=dict)
    models: list[dict[str, Any]] | None = None
    away: bool = False
    busy: bool = False
    loses_answers: bool = False  #: it begins, but nobody hears of it

    def answer(self, request: httpx.Request) -> httpx.Response:
        if self.away:
            raise httpx.ConnectError("nobody there")
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return httpx.Response(401)
        if request.url.path == "/webhooks/turn/models":
            if self.models is None:
                return httpx.Response(404)
            models = [{"loaded": False, "sealed_at": None, "made": {}, "problem": None} | one for one in self.models]
            said = {"default": "x", "default_by": "choice", "most_loaded": 3, "kept": [], "models": models}
            return httpx.Response(200, json=said)
        if request.method == "POST":
            return self._begin(json.loads(request.content))
        name = request.url.path.rpartition("/")[2]
        if name not in self.jobs:
            return httpx.Response(404, json={"error": {"code": "unknown_job", "message": "?"}})
        if request.method == "DELETE" and self.jobs[name]["state"] == "running":
            self.jobs[name]["state"] = "cancelled"
        return httpx.Response(200, json=self.jobs[name])

    def _begin(self, body: dict[str, Any]) -> httpx.Response:
        if not re.fullmatch(r"[A-Za-z0-9_-]{1,64}", body["job_id"]) or body["kind"] == "nonsense":
            return httpx.Response(400, json={"error": {"code": "bad_job", "message": "kind must be another one."}})
        if body["job_id"] not in self.jobs:
            if self.busy or any(one["state"] == "running" for one in self.jobs.values()):
                return httpx.Response(409, json={"error": {"code": "busy", "message": "busy"}})
            self.asked[body["job_id"]] = body
            self.jobs[body["job_id"]] = {
                "job_id": body["job_id"], "kind": body["kind"], "state": "running",
                "progress": {"share": 0.0, "step": "start", "note": ""}, "result": None, "problem": None,
            }  # fmt: skip
        if self.loses_answers:
            raise httpx.ReadTimeout("too late")
        return httpx.Response(202, json=self.jobs[body["job_id"]])

    def runs(self) -> list[str]:
        """The jobs it is at work on."""
        return [name for name, form in self.jobs.items() if form["state"] == "running"]

    def goes(self, share: float, step: str = "train") -> None:
        """What runs has come so far."""
        for name in self.runs():
            self.jobs[name]["progress"] = {"share": share, "step": step, "note": ""}

    def ends(self, **how: Any) -> None:
        """What runs is over."""
        for name in self.runs():
            self.jobs[name] |= {"state": "done"} | how

    def dies(self) -> None:
        """The child died with what ran."""
        self.ends(state="failed", result={"code": "died"}, problem="Killed")


def transport_to(*bots: BotDouble) -> httpx.MockTransport:
    """Carries requests to the bot of their address."""
    by_host = {httpx.URL(bot.url).host: bot for bot in bots}
    return httpx.MockTransport(lambda request: by_host[request.url.host].answer(request))
