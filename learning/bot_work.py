"""Asks the bots for long work, over the addresses of decision 0020; nothing here waits for the work itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import httpx

from conversations.bot_models import said_by
from conversations.dialogue import RasaDialogue
from conversations.errors import DialogueUnavailable

_PATH = "/webhooks/turn/jobs"
_SECONDS = 10.0


class BotAway(Exception):
    """A bot does not answer, or not as agreed; it may be asked again."""


class BotBusy(Exception):
    """A bot is at work on another job."""


class BotRefused(Exception):
    """A bot will never take this job; the message says why."""


class BotWork(Protocol):
    """The bots as the queue needs them."""

    @property
    def urls(self) -> Sequence[str]:
        """The address of every bot."""
        ...

    async def begin(self, url: str, job_id: str, kind: str, options: Mapping[str, Any]) -> None:
        """Have a bot begin; raises ``BotAway``, ``BotBusy`` or ``BotRefused``."""
        ...

    async def look(self, url: str, job_id: str) -> dict[str, Any] | None:
        """How a job stands, None if that bot does not know it; raises ``BotAway``."""
        ...

    async def cancel(self, url: str, job_id: str) -> None:
        """Have a bot end a job, which it may not know; raises ``BotAway``."""
        ...


class HttpBotWork:
    """The bots behind the addresses of the dialogue."""

    def __init__(self, dialogue: RasaDialogue) -> None:
        self.urls: Sequence[str] = dialogue.urls
        self._dialogue = dialogue

    async def begin(self, url: str, job_id: str, kind: str, options: Mapping[str, Any]) -> None:
        """Have a bot begin; raises ``BotAway``, ``BotBusy`` or ``BotRefused``."""
        body = {"job_id": job_id, "kind": kind, "options": dict(options)}
        response = await self._asked("POST", url, _PATH, body)
        if response.status_code == 409:
            raise BotBusy(url)
        if response.status_code == 400:
            raise BotRefused(said_by(response, "The bot does not take this job."))
        if response.status_code != 202:
            raise BotAway(f"{url} answered {response.status_code}")

    async def look(self, url: str, job_id: str) -> dict[str, Any] | None:
        """How a job stands, None if that bot does not know it; raises ``BotAway``."""
        response = await self._asked("GET", url, f"{_PATH}/{job_id}")
        if response.status_code == 404:
            return None
        return _object(url, response)

    async def cancel(self, url: str, job_id: str) -> None:
        """Have a bot end a job, which it may not know; raises ``BotAway``."""
        response = await self._asked("DELETE", url, f"{_PATH}/{job_id}")
        if response.status_code not in (200, 404):
            raise BotAway(f"{url} answered {response.status_code}")

    async def _asked(self, method: str, url: str, path: str, body: Any = None) -> httpx.Response:
        try:
            return await self._dialogue.call(method, url, path, body, seconds=_SECONDS)
        except DialogueUnavailable as error:
            raise BotAway(str(error)) from error


def _object(url: str, response: httpx.Response) -> dict[str, Any]:
    try:
        found = response.json()
    except ValueError:
        found = None
    if response.status_code != 200 or not isinstance(found, dict):
        raise BotAway(f"{url} answered {response.status_code}")
    return found
