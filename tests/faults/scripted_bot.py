"""The bot's side of the turn channel, scripted, in a process of its own: ``python -m tests.faults.scripted_bot PORT``.

It remembers its answers, as the bot's tracker does: a turn that is asked for again gets the same answer. How it
misbehaves is set with ``POST /control {"mode": …}``.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from tests.faults.http import serve


class ScriptedBot:
    """Echoes; asks a person when told to; fails in the ways in which bots fail."""

    def __init__(self) -> None:
        self.mode: dict[str, Any] = {"mode": "ok"}
        self.answers: dict[str, dict[str, Any]] = {}
        self.asked: list[str] = []  #: turn ids, with repeats

    async def handle(self, method: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, Any] | None:
        """One request."""
        if path == "/control":
            self.mode = json.loads(body)
            return 200, {}
        if path == "/asked":
            return 200, {"asked": len(self.asked), "turns": len(set(self.asked))}
        if "authorization" not in headers:
            return 401, {"error": "who are you?"}
        if method == "GET":
            return 200, {"status": "ok", "model_id": "scripted"}
        return await self._turn(json.loads(body))

    async def _turn(self, turn: dict[str, Any]) -> tuple[int, Any] | None:
        self.asked.append(turn["turn_id"])
        mode = self.mode["mode"]
        if mode == "refuse":
            return None
        if mode == "500":
            return 500, {"error": "on purpose"}
        if mode == "empty":
            return 200, []
        await asyncio.sleep(float(self.mode.get("seconds", 0.0)))
        answer = self.answers.get(turn["turn_id"])
        if answer is None:
            answer = self.answers[turn["turn_id"]] = said(turn["text"])
            if len(self.answers) > 20_000:  # nobody asks again for what was answered so long ago
                self.answers.pop(next(iter(self.answers)))
        return 200, answer


def said(text: str) -> dict[str, Any]:
    """The answer to a message."""
    person = "asked_for_person" if "a person please" in text else None
    reply: dict[str, Any] = {
        "text": f"re: {text}",
        "buttons": [],
        "citations": [],
        "handoff": person,
        "customer_id": None,
    }
    # As an intent that people repeat: the desk hands off who seems to go round in circles.
    return {"replies": [reply], "trace": {"language": "en", "intent": "greet", "route": "task"}}


async def main(port: int) -> None:
    """Serve until killed."""
    server = await serve(ScriptedBot().handle, port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1])))
