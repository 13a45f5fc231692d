"""Which versions of the model the bots have, and what they are told to serve."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from conversations.dialogue import RasaDialogue
from conversations.errors import DialogueUnavailable, ModelGone

_PATH = "/webhooks/turn/models"
_LOOK_SECONDS, _PATIENCE_SECONDS = 5.0, 25.0
_LOAD_SECONDS, _AGAIN_SECONDS = 90.0, 0.5


@dataclass(frozen=True, slots=True)
class BotModel:
    """A version as one bot has it."""

    name: str
    loaded: bool
    sealed_at: str | None
    sha256: str | None
    size: int | None
    made: dict[str, Any]
    problem: str | None  #: why it is not to be trusted


@dataclass(frozen=True, slots=True)
class BotState:
    """What one bot has and serves, or why it does not say."""

    url: str
    default: str | None = None
    by_training: bool = False  #: nobody chose the default since it was trained there
    most_loaded: int = 0
    models: tuple[BotModel, ...] = ()
    kept: frozenset[str] = frozenset()
    problem: str | None = None

    @property
    def usable(self) -> tuple[str, ...]:
        """The versions that it can serve."""
        return tuple(one.name for one in self.models if one.problem is None)

    @property
    def loaded(self) -> frozenset[str]:
        """Those it has in memory."""
        return frozenset(one.name for one in self.models if one.loaded)


class BotModels:
    """The models of all bots of a desk."""

    def __init__(self, dialogue: RasaDialogue) -> None:
        self._dialogue = dialogue

    @property
    def urls(self) -> tuple[str, ...]:
        """The bots."""
        return self._dialogue.urls

    async def look(self) -> list[BotState]:
        """What each bot has."""
        return list(await asyncio.gather(*(self._look(url) for url in self.urls)))

    async def _look(self, url: str) -> BotState:
        try:
            response = await self._dialogue.call("GET", url, _PATH, seconds=_LOOK_SECONDS)
            return _state(url, response)
        except DialogueUnavailable as error:
            return BotState(url, problem=str(error))

    async def arrange(self, url: str, default: str, loaded: Sequence[str], kept: Collection[str]) -> BotState:
        """Have one bot load these and serve ``default``; raises ``ModelGone`` or ``DialogueUnavailable``."""
        body = {"default": default, "loaded": list(loaded), "kept": sorted(kept)}
        until = time.monotonic() + _LOAD_SECONDS
        while True:
            response = await self._dialogue.call("PUT", url, _PATH, body, seconds=_PATIENCE_SECONDS)
            if response.status_code != 503 or time.monotonic() > until:
                break
            await asyncio.sleep(_AGAIN_SECONDS)  # it is loading
        if response.status_code == 409:
            raise ModelGone(said_by(response, "it is not there"))
        return _state(url, response)


def _state(url: str, response: httpx.Response) -> BotState:
    if response.status_code != 200:
        raise DialogueUnavailable(f"{url} answered {response.status_code}")
    try:
        body = response.json()
        models = tuple(
            BotModel(
                str(one["name"]),
                bool(one["loaded"]),
                one.get("sealed_at"),
                one.get("sha256"),
                one.get("bytes"),
                dict(one.get("made") or {}),
                one.get("problem"),
            )
            for one in body["models"]
        )
        default = str(body["default"]) or None
        by_training = body["default_by"] == "training"
        return BotState(url, default, by_training, int(body["most_loaded"]), models, frozenset(body["kept"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise DialogueUnavailable(f"what {url} answered is not as agreed: {type(error).__name__}") from error


def said_by(response: httpx.Response, otherwise: str) -> str:
    """Why a bot refused, in its own words if it said any."""
    try:
        return str(response.json()["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return otherwise
