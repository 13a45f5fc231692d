"""A chat that is tried out on any version: nothing of it is stored, nothing is written, and every reason is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from conversations.dialogue import Dialogue
from conversations.errors import DialogueRefused, DialogueUnavailable
from conversations.model import new_id, utc_now
from conversations.turn_model import Reply, Said, Thresholds, TurnRequest, TurnResult

_SECONDS = 30.0  #: for a version that has to be loaded first


@dataclass(frozen=True, slots=True)
class Trial:
    """A chat up to the message that is to be answered, and how it is tried."""

    chat: tuple[Said, ...]
    language: str
    thresholds: Mapping[str, Thresholds] | None = None  #: instead of those in force


class Trials:
    """Asks the bot as the engine does, apart from what only a real contact has."""

    def __init__(
        self,
        dialogue: Dialogue,
        thresholds: Callable[[], Mapping[str, Thresholds]],
        products_in: Callable[[str], Sequence[dict[str, Any]]] = lambda _: (),
        *,
        misses: int = 2,
    ) -> None:
        self._dialogue = dialogue
        self._thresholds = thresholds
        self._products_in = products_in
        self._misses = misses

    async def answers(self, trial: Trial, models: Sequence[str | None]) -> list[dict[str, Any]]:
        """What each version answers to the last message; a version that cannot says why under ``problem``."""
        return list(await asyncio.gather(*(self._answer(trial, model) for model in models)))

    def turn_metadata(self) -> dict[str, Any]:
        """What a turn of a saved chat brings when a bot plays it, in the words of the turn channel."""
        limits = {language: one.given for language, one in self._thresholds().items()}
        return {"thresholds": limits, "misses": self._misses, "sample_shop": True}

    async def _answer(self, trial: Trial, model: str | None) -> dict[str, Any]:
        *earlier, last = trial.chat
        request = TurnRequest(
            turn_id=new_id(),
            conversation_id=new_id(),
            text=last.text,
            payload=last.payload,
            language_hint=trial.language,
            thresholds=dict(self._thresholds()),
            sent_at=utc_now(),
            products=tuple(self._products_in(last.text)),
            misses=self._misses,
            dry_run=True,
            earlier=tuple(earlier),
            sample_shop=True,
            model=model,
        )
        if trial.thresholds is not None:
            request = replace(request, thresholds=dict(trial.thresholds))
        try:
            async with asyncio.timeout(_SECONDS):
                result = await self._dialogue.respond(request)
        except DialogueRefused:
            return {"model": model, "problem": "refused"}
        except (DialogueUnavailable, TimeoutError):
            return {"model": model, "problem": "unavailable"}
        return {"model": model, **answer_json(result)}


def answer_json(result: TurnResult) -> dict[str, Any]:
    """An answer with its trace as the console shows it."""
    return {"replies": [_reply_json(one) for one in result.replies], "trace": dict(result.trace)}


def _reply_json(reply: Reply) -> dict[str, Any]:
    return {
        "text": reply.text,
        "buttons": [{"title": one.title, "payload": one.payload} for one in reply.buttons],
        "citations": [
            {
                "passage_id": one.passage_id,
                "article_id": one.article_id,
                "title": one.title,
                "quote": one.quote,
                "url": one.url,
            }
            for one in reply.citations
        ],
        "handoff": reply.handoff,
    }
