"""Asks the live index the questions that were set aside for it: what it finds, what it keeps to itself, and where it errs."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import structlog

from knowledge_base.articles import Article
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.evaluate import ROOM, Outcome, Query, read_queries, run_queries, summary
from knowledge_base.knowledge_base import Hit, KnowledgeBase
from learning.changes import LANGUAGES
from learning.one_run import OneRun
from learning.saved_tests import Question

_AT_ONCE = 10  #: questions between two words about how far it is
_MOST_MISTAKES = 400
_SHOWN = 3  #: articles that came instead
log = structlog.get_logger()


class Asked(Protocol):
    """What is asked of the knowledge base."""

    def articles(self) -> list[Article]:
        """Every article."""

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        """The best passages."""


def own_questions(room: Path = ROOM) -> list[Query]:
    """The product's questions about the demo shop's articles."""
    found: list[Query] = []
    for part in ("questions", "cross", "unanswerable"):
        for language in LANGUAGES:
            path = room / "test" / f"{part}.{language}.jsonl"
            try:
                found += read_queries(path) if path.exists() else []
            except KnowledgeBaseError as error:
                log.warning("knowledge_questions_unreadable", file=path.name, error=str(error))
    return found


def questions_of(saved: Sequence[Question], own: Sequence[Query], known: frozenset[str]) -> tuple[list[Query], int]:
    """The questions to ask, and how many were left out because the articles that they are about are not there.

    The product's questions without an answer are about its own shop, so they are asked only where its articles are.
    """
    answerable = [one for one in own if one.relevant & known]
    kept = [*answerable, *(one for one in own if not one.relevant and answerable)]
    mine = [Query(one.text, frozenset(one.articles), one.language) for one in saved]
    wanted = [one for one in mine if not one.relevant or one.relevant & known]
    return [*wanted, *kept], len(own) + len(mine) - len(kept) - len(wanted)


async def measured(
    knowledge: KnowledgeBase | Asked, queries: Sequence[Query], saved: int, gate: float, tell: Callable[[int], None]
) -> dict[str, Any]:
    """The figures of all and of each language, and what went wrong; the first ``saved`` questions are the trainers'."""
    outcomes: list[Outcome] = []
    for first in range(0, len(queries), _AT_ONCE):
        outcomes += await run_queries(knowledge, queries[first : first + _AT_ONCE], {})  # type: ignore[arg-type]
        tell(len(outcomes))
        await asyncio.sleep(0)
    articles = knowledge.articles()
    titles = {one.id: one.title for one in articles}
    own = {(one.id, one.language): one.title for one in articles}

    def named(name: str, language: str) -> dict[str, str]:
        return {"article_id": name, "title": own.get((name, language)) or titles.get(name, name)}

    sections = {
        name: summary([one for one in outcomes if name in ("all", one.query.language)], gate)
        for name in ("all", *LANGUAGES)
    }
    mistakes = [
        {
            "text": one.query.text,
            "language": one.query.language,
            "saved": number < saved,
            "kind": kind,
            "score": round(one.score, 4),
            "expected": [named(name, one.query.language) for name in sorted(one.query.relevant)],
            "came": [named(name, one.query.language) for name in one.found[:_SHOWN]],
        }
        for number, one in enumerate(outcomes)
        if (kind := mistake(one, gate)) is not None
    ]
    mistakes.sort(key=lambda one: (not one["saved"], one["kind"], one["text"]))
    return {
        "sections": sections,
        "saved": saved,
        "mistakes": mistakes[:_MOST_MISTAKES],
        "mistakes_in_all": len(mistakes),
    }


def mistake(outcome: Outcome, gate: float) -> str | None:
    """What is wrong: ``answered`` without need, the ``wrong_article``, ``missed`` among the first three, or ``withheld``."""
    rank, passes = outcome.rank(), outcome.score >= gate
    if not outcome.query.relevant:
        return "answered" if passes else None
    if rank == 1:
        return None if passes else "withheld"
    if passes:
        return "wrong_article"
    return "missed" if rank is None or rank > _SHOWN else "withheld"


class KnowledgeTesting(OneRun):
    """Runs in the background of one process, one run at a time; ``done`` is told of the result."""

    def __init__(
        self,
        knowledge: KnowledgeBase | Asked,
        gate: Callable[[], float],
        own: Callable[[], list[Query]] = own_questions,
    ) -> None:
        super().__init__()
        self._knowledge = knowledge
        self._gate = gate
        self._own = own

    def begin(self, saved: Sequence[Question], done: Callable[[dict[str, Any]], Awaitable[None]]) -> bool:
        """Ask everything in the background; False while it still asks."""
        return self._begin(self._run(tuple(saved), done), "test the knowledge base")

    async def _run(self, saved: Sequence[Question], done: Callable[[dict[str, Any]], Awaitable[None]]) -> None:
        try:
            known = frozenset(one.id for one in self._knowledge.articles())
            queries, left_out = questions_of(saved, await asyncio.to_thread(self._own), known)
            mine = sum(1 for one in saved if not one.articles or set(one.articles) & known)
            self.progress = (0, len(queries))

            def tell(asked: int) -> None:
                self.progress = (asked, len(queries))

            result = await measured(self._knowledge, queries, mine, self._gate(), tell)
            await done(result | {"left_out": left_out})
        except Exception as error:
            log.error("knowledge_not_tested", exc_info=error)
            self.failed = str(error) or type(error).__name__
