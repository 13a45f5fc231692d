"""Executors over a small shop and a few articles, and a CRM that is down."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from rasa_sdk.executor import ActionExecutor
from sqlalchemy.ext.asyncio import create_async_engine

from actions import build_executor
from crm.store import SqlCrm
from knowledge_base.articles import Passage
from knowledge_base.readers import Reader
from knowledge_base.results import Answer, Citation, Hit
from tests.crm.builders import CODE_KEY, KeptCodes


def passage(article_id: str, language: str, title: str, text: str) -> Passage:
    """A passage as the knowledge base would hold it."""
    return Passage(
        article_id=article_id,
        language=language,
        anchor=f"{article_id}-1",
        title=title,
        headings=(),
        text=text,
        version="v1",
        start=0,
    )


ARTICLES = {
    ("delivery-times", "en"): passage("delivery-times", "en", "How long does delivery take?", "Mainland **1–3 days**."),
    ("delivery-times", "zh"): passage("delivery-times", "zh", "多久能送到？", "大陆地区 1–3 天送达。"),
    ("customs-duties", "en"): passage("customs-duties", "en", "Do I pay customs duties?", "Not in the UK and the EU."),
}


class FewArticles:
    """Answers the titles it holds, with the score it was told; everything else is a miss."""

    def __init__(self, score: float = 0.9) -> None:
        self.score = score
        self.gates: list[float | None] = []
        self.questions: list[str] = []
        self.readers: list[Reader] = []

    async def search(
        self, text: str, language: str | None = None, limit: int = 10, reader: Reader | None = None
    ) -> list[Hit]:
        own = [p for (_, spoken), p in ARTICLES.items() if spoken == language]
        own.sort(key=lambda p: text not in p.title)
        return [Hit(p, self.score if text and text in p.title else 0.1) for p in own][:limit]

    async def answer(
        self, text: str, language: str, gate: float | None = None, reader: Reader | None = None
    ) -> Answer | None:
        self.readers.append(reader or Reader())
        self.gates.append(gate)
        self.questions.append(text)
        hits = await self.search(text, language)
        foreign = [Hit(p, self.score) for p in ARTICLES.values() if text and text in p.title]
        hits = foreign[:1] + hits if foreign and hits[0].score < self.score else hits
        if not hits or hits[0].score < (0.5 if gate is None else gate):
            return None
        return _answer(hits, language)

    async def answer_from(
        self, article_id: str, language: str, text: str = "", reader: Reader | None = None
    ) -> Answer | None:
        other = "en" if language == "zh" else "zh"
        found = ARTICLES.get((article_id, language)) or ARTICLES.get((article_id, other))
        return _answer([Hit(found, 1.0)], language) if found else None


def _answer(hits: list[Hit], language: str) -> Answer:
    best = hits[0].passage
    quote = best.text.replace("**", "")
    source = Citation(best.id, best.article_id, best.title, quote, best.url)
    return Answer(quote, source, tuple(hits), hits[0].score, best.language, best.language == language)


class BrokenCrm:
    """Every call fails, as when the database is gone."""

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        async def fail(*_: object, **__: object) -> Any:
            raise ConnectionError("the database is gone")

        return fail


class BrokenKnowledge(FewArticles):
    """The index is gone."""

    async def answer(
        self, text: str, language: str, gate: float | None = None, reader: Reader | None = None
    ) -> Answer | None:
        raise ConnectionError("the index is gone")


def build_test_executor(crm: Any = None, knowledge: Any = None, writer: Any = None) -> ActionExecutor:
    """Every action, over an empty database that is never opened unless another CRM is given."""
    lazy = crm or SqlCrm(create_async_engine("sqlite+aiosqlite://"), KeptCodes(), CODE_KEY)
    return build_executor(lazy, knowledge or FewArticles(), writer=writer)
