"""Suggests intents for a message: what the bot would take it for now, and what the nearest examples are of."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import numpy as np
import structlog

from learning.annotations import plain
from learning.changes import OUT_OF_SCOPE, MadeIntent
from learning.example_book import ExampleBook
from learning.following import Encode
from learning.grouping import Floats

SHOWN = 5
_NEIGHBOURS = 12
_SHARPNESS = 12.0  #: how much more a nearer example counts
log = structlog.get_logger()

#: A message and its language in, intents with the bot's confidence out, the surest first; raises what it likes.
Understand = Callable[[str, str], Awaitable[Sequence[tuple[str, float]]]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """An intent that a message may belong to."""

    intent: str
    confidence: float  #: of both together, from 0 to 1
    by_bot: float | None  #: what the live model gives it
    nearest: str | None  #: the most similar example of the intent
    similarity: float | None  #: its cosine


class Suggestions:
    """Keeps the vectors of the examples, and takes those of new ones as they come."""

    def __init__(self, book: ExampleBook | None, encode: Encode, understand: Understand | None = None) -> None:
        self._book = book
        self._encode = encode
        self._understand = understand
        self._vectors: dict[str, Floats] = {}
        self._reading = asyncio.Lock()

    async def of(self, text: str, language: str) -> list[Suggestion]:
        """Up to five intents, the likeliest first."""
        lines, bot = await asyncio.gather(self._lines(), self._by_bot(text, language))
        near = await self._near(text, lines) if lines else {}
        vote = _vote(near)
        asked = dict(bot)
        names = {*vote, *(name for name, _ in bot)}
        weight = 0.5 if bot and vote else 1.0
        scored = {
            name: weight * vote.get(name, 0.0) + (weight if bot else 0.0) * asked.get(name, 0.0) for name in names
        }
        best = sorted(names, key=lambda name: (-scored[name], name))[:SHOWN]
        return [
            Suggestion(
                name,
                round(min(1.0, scored[name]), 4),
                round(asked[name], 4) if name in asked else None,
                near[name][0][1] if name in near else None,
                round(near[name][0][0], 4) if name in near else None,
            )
            for name in best
            if scored[name] >= 0.01
        ]

    async def intents(self) -> list[str]:
        """Every intent of the book, out of scope last."""
        if self._book is None:
            return []
        names = [one.name for one in await self._book.intents()]
        return [
            *sorted(name for name in names if name != OUT_OF_SCOPE),
            *([OUT_OF_SCOPE] if OUT_OF_SCOPE in names else []),
        ]

    async def made(self) -> list[MadeIntent]:
        """The intents that trainers made, which have titles of their own."""
        return [] if self._book is None else await self._book.made()

    async def _by_bot(self, text: str, language: str) -> Sequence[tuple[str, float]]:
        if self._understand is None:
            return []
        try:
            return await self._understand(text, language)
        except Exception as error:  # the nearest examples are still something
            log.info("no_suggestion_of_the_bot", error=repr(error))
            return []

    async def _lines(self) -> list[tuple[str, str]]:
        """Every example: its intent and its words without annotations."""
        if self._book is None:
            return []
        async with self._reading:
            found = [(one.intent, plain(one.text)) for one in await self._book.every()]
            new = list(dict.fromkeys(text for _, text in found if text not in self._vectors))
            if new:
                rows = await asyncio.to_thread(self._encode, new)
                self._vectors |= dict(zip(new, rows.astype(np.float16), strict=True))
            return found

    async def _near(self, text: str, lines: Sequence[tuple[str, str]]) -> dict[str, list[tuple[float, str]]]:
        """Of the nearest examples, by intent, how near each is."""

        def work() -> dict[str, list[tuple[float, str]]]:
            wanted = self._encode([text])[0]
            rows = np.stack([self._vectors[one] for _, one in lines]).astype(np.float32)
            cosines = rows @ wanted
            found: dict[str, list[tuple[float, str]]] = defaultdict(list)
            for place in np.argsort(-cosines, kind="stable")[:_NEIGHBOURS]:
                intent, example = lines[int(place)]
                found[intent].append((float(cosines[place]), example))
            return dict(found)

        return await asyncio.to_thread(work)


def _vote(near: dict[str, list[tuple[float, str]]]) -> dict[str, float]:
    """The share of each intent among the nearest examples, nearer ones counting more."""
    weights = {name: sum(float(np.exp(_SHARPNESS * cosine)) for cosine, _ in listed) for name, listed in near.items()}
    total = sum(weights.values())
    return {name: weight / total for name, weight in weights.items()} if total else {}
