"""Starts the real bot process on free ports for the tests and talks to it through the turn channel."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

from bot import settings
from bot.tests.fake_actions import FakeActions

SECRET = "a-secret-for-tests"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Bot:
    """A running bot process."""

    def __init__(self, database: Path, actions: FakeActions, model_dir: Path) -> None:
        self.actions = actions
        self.database = database
        self.port = free_port()
        environment = {
            **os.environ,
            "BOT_SECRET": SECRET,
            "BOT_PORT": str(self.port),
            "ACTION_URL": actions.url,
            "BOT_DATABASE_URL": f"sqlite:///{database}",
            "MODEL_DIR": str(model_dir),
        }
        self.process = subprocess.Popen(
            [sys.executable, "serve.py"],
            cwd=settings.BOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        self._wait()

    def _wait(self) -> None:
        deadline = time.monotonic() + 300
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise AssertionError(f"the bot stopped: {self.process.stdout.read().decode()}")
            try:
                if self.request("GET", "/webhooks/turn/health")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.3)
        raise AssertionError("the bot did not get ready")

    def request(
        self, method: str, path: str, body: Any = None, secret: str | None = SECRET
    ) -> tuple[int, dict[str, Any]]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        headers = {"Content-Type": "application/json"}
        if secret is not None:
            headers["Authorization"] = f"Bearer {secret}"
        data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
        try:
            connection.request(method, path, data, headers)
            response = connection.getresponse()
            text = response.read()
            return response.status, json.loads(text) if text[:1] == b"{" else {}
        finally:
            connection.close()

    def stop(self) -> float:
        started = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=30)
        return time.monotonic() - started


class Chat:
    """One conversation with the bot."""

    def __init__(self, bot: Bot, hint: str = "en", **metadata: Any) -> None:
        self.bot, self.id = bot, uuid.uuid4().hex
        self.metadata: dict[str, Any] = {"language_hint": hint, "customer_id": None, **metadata}
        self.status = 200
        self.answer: dict[str, Any] = {}

    def send(self, body: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        return self.bot.request("POST", "/webhooks/turn", body)

    def body(self, text: str, payload: str | None = None) -> dict[str, Any]:
        return {
            "turn_id": uuid.uuid4().hex,
            "conversation_id": self.id,
            "text": text,
            "payload": payload,
            "metadata": self.metadata,
        }

    def say(self, text: str, payload: str | None = None) -> dict[str, Any]:
        """Send a message; the trace comes back, with the replies joined under ``said``."""
        self.status, self.answer = self.send(self.body(text, payload))
        assert self.status == 200, self.answer
        return {**self.answer["trace"], "said": " | ".join(reply["text"] for reply in self.answer["replies"])}
