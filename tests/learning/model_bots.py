"""Bots as the contract of models describes them: versions in a folder, some loaded, turns that say on which they ran."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

SECRET = "a secret of sixteen"


@dataclass
class ModelBot:
    """One bot; ``folder`` may be shared with others."""

    folder: set[str]
    default: str
    by_training: bool = True
    most_loaded: int = 3
    away: bool = False
    unsealed: set[str] = field(default_factory=set)
    loaded: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    arranged: int = 0
    turns: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.loaded = [self.default]

    def restart(self, trained: str | None = None) -> None:
        """Begin anew, with what was chosen or, if something was trained by hand since, with that."""
        if trained is not None:
            self.folder.add(trained)
            self.default, self.by_training = trained, True
        self.loaded = [self.default]

    def usable(self, name: str) -> bool:
        return name in self.folder and name not in self.unsealed

    def listing(self) -> dict[str, Any]:
        models = [
            {
                "name": name,
                "sha256": "0" * 64,
                "bytes": 1,
                "sealed_at": f"2026-11-01T00:00:{place:02}+00:00",
                "made": {},
                "loaded": name in self.loaded,
                "problem": None if self.usable(name) else f"{name} has no seal.",
            }
            for place, name in enumerate(sorted(self.folder))
        ]
        by = "training" if self.by_training else "choice"
        return {
            "default": self.default,
            "default_by": by,
            "most_loaded": self.most_loaded,
            "kept": self.kept,
            "models": models,
        }

    def arrange(self, body: dict[str, Any]) -> httpx.Response:
        self.arranged += 1
        wanted = list(dict.fromkeys([body["default"], *body["loaded"]]))[: self.most_loaded]
        for name in wanted:
            if not self.usable(name):
                return gone(name)
        self.default, self.by_training = body["default"], False
        self.loaded, self.kept = wanted, list(body["kept"])
        return httpx.Response(200, json=self.listing())

    def turn(self, body: dict[str, Any]) -> httpx.Response:
        name = body.get("model") or self.default
        if not self.usable(name) and name not in self.loaded:
            return gone(name)
        if name not in self.loaded:
            self.loaded.append(name)
        if not body.get("dry_run"):
            self.turns.append(body | {"ran_on": name})
        reply = {"text": f"on {name}", "buttons": [], "citations": [], "handoff": None}
        if body["text"] == "person":
            reply["handoff"] = "asked_for_person"
        trace = {"language": "en", "intent": "greet", "confidence": 1.0, "route": "smalltalk", "model": name}
        return httpx.Response(200, json={"replies": [reply], "trace": trace | {"model_id": f"id of {name}"}})


def gone(name: str) -> httpx.Response:
    return httpx.Response(409, json={"error": {"code": "model_gone", "message": f"There is no version {name} here."}})


class ModelBots(httpx.AsyncBaseTransport):
    """The bots of a desk by their addresses; what ``RasaDialogue`` speaks to."""

    def __init__(self, bots: Iterable[ModelBot]) -> None:
        self.bots = {f"http://bot{place}": bot for place, bot in enumerate(bots, 1)}

    @property
    def turns(self) -> list[dict[str, Any]]:
        return [turn for bot in self.bots.values() for turn in bot.turns]

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        bot = self.bots[f"{request.url.scheme}://{request.url.host}"]
        if bot.away:
            raise httpx.ConnectError("nobody is there")
        if request.headers.get("authorization") != f"Bearer {SECRET}":
            return httpx.Response(401)
        path, body = request.url.path, json.loads(request.content or b"null")
        if path == "/webhooks/turn/models":
            return bot.arrange(body) if request.method == "PUT" else httpx.Response(200, json=bot.listing())
        if path in ("/webhooks/turn", "/webhooks/turn/dry-run"):
            return bot.turn(body)
        return httpx.Response(404)
