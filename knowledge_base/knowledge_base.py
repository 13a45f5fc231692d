"""What the bot knows: articles in, the passages that answer a question out, always with a citation.

Searching and writing run in threads of their own, so the event loop stays free. When the setting names another encoder
than the stored vectors came from, the edition they belong to goes on serving while the new one is built.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Coroutine, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog
from threadpoolctl import ThreadpoolController

from knowledge_base.answering import best_sentences
from knowledge_base.articles import LANGUAGES, Article, Passage
from knowledge_base.calibration import load_calibration
from knowledge_base.edition import Edition
from knowledge_base.encoder import UseEncoder
from knowledge_base.entries import Entry, EntryRef, Head
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.homes import Editions, FolderHome, Home, ServerHome, open_editions, without_retired
from knowledge_base.index_words import asked_words
from knowledge_base.named_encoders import MissingEncoder, Reranker, passage_encoder, reranker_named
from knowledge_base.prepared import Prepared
from knowledge_base.ranking import Ranked
from knowledge_base.reindexing import Reindexing
from knowledge_base.results import Answer, Citation, Hit, LoadReport
from knowledge_base.wording import fold, language_of, plain

MAX_QUESTION = 2000  #: characters that are looked at
_RERANKED = 10  #: of the best articles
_COMMITTED_EVERY_SECONDS = 10.0  #: while much is loaded
_PUBLISHED_TOGETHER = 1024  #: entries
_PUBLISHED_EVERY_SECONDS = 2.0  #: while much is loaded
_P = ParamSpec("_P")
_T = TypeVar("_T")
__all__ = ["Answer", "Citation", "Hit", "KnowledgeBase", "LoadReport"]
log = structlog.get_logger()


class KnowledgeBase:
    """Articles, the edition that serves them and the models that read them."""

    def __init__(
        self,
        serving: Edition,
        home: Home | None = None,
        editions: Editions | None = None,
        reranker: Reranker | None = None,
    ) -> None:
        self._serving = serving
        self._home = home
        self._editions = editions
        self._reranker = reranker
        self.calibration = load_calibration()
        self._reader = ThreadPoolExecutor(1, "knowledge-base-read")
        self._writer = ThreadPoolExecutor(1, "knowledge-base-write")
        self._writing = asyncio.Lock()
        self._reindexing: Reindexing | None = None
        self._background: set[asyncio.Task[None]] = set()

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        qdrant_url: str | None = None,
        encoder: str = "e5",
        *,
        reranker: str = "",
        reindex: bool = True,
    ) -> KnowledgeBase:
        """The knowledge base in ``data_dir``, or on the Qdrant server when a URL is given; what it holds is ready.

        If it was built with another encoder than ``encoder``, what is there serves and, with ``reindex``, the new
        edition is built in the background. Raises ``EncoderUnavailable`` when ``encoder`` or ``reranker`` cannot be loaded.
        """
        opened, building = await asyncio.to_thread(cls._open, data_dir, qdrant_url, encoder, reranker, reindex)
        if building is not None:
            opened._start_reindexing(building, encoder)
        opened._keep_up(opened._serving)
        return opened

    @classmethod
    def _open(
        cls, data_dir: Path, qdrant_url: str | None, encoder: str, reranker: str, reindex: bool
    ) -> tuple[KnowledgeBase, Edition | None]:
        # Matrices are small here: a second thread of the linear algebra library costs more than it brings.
        ThreadpoolController().limit(limits=1, user_api="blas")
        use, target = UseEncoder(), passage_encoder(encoder)
        asked_words("warm the segmenter up")
        folder = data_dir / "knowledge"
        home: Home = ServerHome(qdrant_url, folder) if qdrant_url else FolderHome(folder)
        opened = open_editions(home, use, target, encoder, reindex=reindex)
        judge = reranker_named(reranker) if reranker else None
        return cls(opened.serving, home, opened.editions, judge), opened.building

    @property
    def gate(self) -> float:
        """The score from which the product answers, unless a caller names another."""
        return self.calibration.gate

    def status(self) -> dict[str, Any]:
        """What is held, what serves it, and how far a new edition is; plain values."""
        serving = self._serving
        view = serving.view
        return {
            "articles": len(view.numbers),
            "passages": view.passages,
            "entries": view.entries,
            "encoder": serving.e5.name,
            "encoder_missing": isinstance(serving.e5, MissingEncoder),
            "reranker": self._reranker.name if self._reranker else "",
            "questions": {"encoded": serving.question_misses, "remembered": serving.question_hits},
            "reindexing": self._reindexing.progress.to_json() if self._reindexing else None,
        }

    async def settled(self) -> None:
        """Return once nothing is being built in the background."""
        while self._background:
            await asyncio.gather(*self._background, return_exceptions=True)

    async def close(self) -> None:
        """Finish what is running, write everything down and let other processes open the index."""
        for task in list(self._background):
            task.cancel()
        await self.settled()
        async with self._writing:
            self._reader.shutdown(wait=True)
            if self._reindexing is not None:
                if self._reindexing.building is not self._serving:
                    await self._reindexing.on_worker(self._reindexing.building.close)
                self._reindexing.stop()
            await self._write(self._serving.close)
            self._writer.shutdown(wait=True)

    async def load(
        self,
        articles: Iterable[Article],
        progress: Callable[[int, int], None] | None = None,
        *,
        complete: bool = True,
    ) -> LoadReport:
        """Make the knowledge base hold these articles; unchanged ones are not encoded again.

        ``complete`` says that these are all: others disappear. ``progress`` is told (done, all) of what must be encoded.
        """
        wanted: dict[str, Article] = {}
        for article in articles:
            if article.key in wanted:
                raise KnowledgeBaseError(f"two articles are called {article.key}; give one of them another id")
            wanted[article.key] = article
        async with self._writing:
            await self._write(self._serving.catch_up)
            view = self._serving.view
            before = {key: view.heads[number].version for key, number in view.numbers.items()}
            changed = [article for key, article in wanted.items() if before.get(key) != article.version]
            removed = sorted(before.keys() - wanted.keys()) if complete else []
            try:
                await self._put_in(changed, progress)
                await self._write(self._serving.forget, removed)
            finally:
                await self._write(self._serving.commit)
            self._keep_up(self._serving)
        return LoadReport(
            added=tuple(article.key for article in changed if article.key not in before),
            updated=tuple(article.key for article in changed if article.key in before),
            removed=tuple(removed),
            unchanged=len(wanted) - len(changed),
            passages=self._serving.view.passages,
        )

    async def remove(self, article_id: str, language: str | None = None) -> int:
        """Delete an article, in one language or in all; returns how many versions were deleted."""
        async with self._writing:
            view = self._serving.view
            keys = [view.heads[number].key for number in view.translations.get(article_id, ())]
            keys = [key for key in keys if language is None or key == f"{article_id}/{language}"]
            await self._write(self._serving.forget, keys)
            await self._write(self._serving.commit)
        return len(keys)

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        """The best passage of each of the best articles, in ``language`` (or the question's own) where it is written."""
        if not text.strip():
            return []
        asked_in = language if language in LANGUAGES else language_of(text)
        return await self._read(self._search, text, asked_in, limit)

    async def answer(self, text: str, language: str, gate: float | None = None) -> Answer | None:
        """Sentences quoted from the best article if its score reaches the gate, otherwise None."""
        hits = await self.search(text, language)
        if not hits or hits[0].score < (self.gate if gate is None else gate):
            return None
        best = hits[0].passage
        quote = await self._read(best_sentences, best, fold(text[:MAX_QUESTION]), self._serving.use)
        return Answer(
            text=plain(quote),
            citation=Citation(best.id, best.article_id, best.title, plain(quote), best.url),
            hits=tuple(hits),
            score=hits[0].score,
            language=best.language,
            translated=best.language == language,
        )

    async def suggest(self, text: str, language: str, limit: int = 3) -> list[tuple[str, str]]:
        """Ids and titles of the articles nearest to a question, to ask "did you mean"."""
        return [(hit.passage.article_id, hit.passage.title) for hit in await self.search(text, language, limit)]

    def find_article(self, article_id: str, language: str) -> Article | None:
        """The article in this language, or None."""
        return self._serving.article(f"{article_id}/{language}")

    def find_passage(self, passage_id: str) -> Passage | None:
        """The passage with this id in the current version of its article, or None."""
        passages = self._serving.passages(passage_id.rpartition("/")[0])
        return next((passage for passage in passages if passage.id == passage_id), None)

    def passages_of(self, article_id: str, language: str) -> tuple[Passage, ...]:
        """The article's passages in order; none if there is no such article."""
        return self._serving.passages(f"{article_id}/{language}")

    def languages_of(self, article_id: str) -> tuple[str, ...]:
        """The languages the article is written in."""
        view = self._serving.view
        return tuple(view.heads[number].language for number in view.translations.get(article_id, ()))

    def articles(self) -> list[Article]:
        """Every article, by key; read from the index one by one."""
        found = (self._serving.article(key) for key in sorted(self._serving.view.numbers))
        return [article for article in found if article is not None]

    async def candidates(self, text: str, without: Callable[[EntryRef], bool] | None = None) -> list[Ranked]:
        """The ranking behind ``search`` with its features, optionally as if some entries were not there."""
        return await self._read(self._rank, self._serving, text, language_of(text), without)

    def _search(self, text: str, language: str, limit: int) -> list[Hit]:
        edition = self._serving
        chosen: list[tuple[str, int]] = []
        scores: list[float] = []
        ceiling = 1.0
        most = max(limit, _RERANKED if self._reranker else 0)
        for ranked in self._rank(edition, text, language, None, most):
            key = f"{ranked.article_id}/{language}"
            if key not in ranked.passages:
                key = ranked.article_key
            # A lower place never gets a higher score, whatever its features say.
            ceiling = min(ceiling, self.calibration.score(ranked.features, language))
            chosen.append((key, ranked.passages[key]))
            scores.append(round(ceiling, 4))
        found = zip(edition.passages_at(chosen), scores, strict=True)
        hits = [Hit(passage, score) for passage, score in found if passage is not None]
        if self._reranker is not None and hits:
            hits = _rearranged(hits, self._reranker, fold(text[:MAX_QUESTION]))
        return hits[:limit]

    def _rank(
        self,
        edition: Edition,
        text: str,
        language: str,
        without: Callable[[EntryRef], bool] | None,
        most: int | None = None,
    ) -> list[Ranked]:
        fitted = self.calibration.encoder == edition.e5.name
        advantage = self.calibration.advantage.get(language, {}) if fitted else {}
        return edition.rank(text[:MAX_QUESTION], language, advantage, fitted=fitted, without=without, most=most)

    async def _put_in(self, articles: list[Article], progress: Callable[[int, int], None] | None) -> None:
        """Encode, stage and publish articles, some hundred entries or some seconds at a time."""
        edition = self._serving
        waiting: list[tuple[Head, list[Entry]]] = []
        committed = published = time.monotonic()
        for done, article in enumerate(articles):
            if progress:
                progress(done, len(articles))
            waiting.append(await self._write(_prepare_and_encode, edition, article))
            now = time.monotonic()
            enough = sum(head.entries for head, _ in waiting) >= _PUBLISHED_TOGETHER
            if enough or now - published > _PUBLISHED_EVERY_SECONDS or done + 1 == len(articles):
                await self._write(edition.put_in, waiting)
                waiting, published = [], time.monotonic()
            if now - committed > _COMMITTED_EVERY_SECONDS:
                await self._write(edition.commit, more_to_come=True)
                committed = time.monotonic()
        if progress:
            progress(len(articles), len(articles))

    def _start_reindexing(self, building: Edition, encoder: str) -> None:
        self._reindexing = Reindexing(self._serving, building, self._writing, encoder)
        self._in_background(self._reindex(self._reindexing))

    async def _reindex(self, reindexing: Reindexing) -> None:
        former = self._serving

        def swap() -> None:
            assert self._home is not None
            assert self._editions is not None
            assert self._editions.building is not None
            retired = (*self._editions.retired, self._editions.serving.form)
            self._editions = Editions(self._editions.building, None, retired)
            self._home.record(self._editions)
            self._serving = reindexing.building

        try:
            await reindexing.run(swap)
        except asyncio.CancelledError:
            raise
        except Exception as error:
            reindexing.progress.phase = "failed"
            reindexing.progress.problem = str(error) or type(error).__name__
            log.exception("knowledge is not encoded anew; the former edition goes on serving")
            return
        # Searches run one after another in one thread, so none is left in the former edition once this gets its turn.
        await self._read(former.close)
        assert self._home is not None
        assert self._editions is not None
        await asyncio.sleep(self._home.linger_seconds)  # if that is cut short, the next start deletes it
        self._editions = await self._write(without_retired, self._home, self._editions)

    def _keep_up(self, edition: Edition) -> None:
        """Let the index do its long work, if any is due, while everything goes on."""

        async def work() -> None:
            async with self._writing:
                build = await self._write(edition.index.upkeep)
            adopt = await asyncio.to_thread(build) if build is not None else None
            if adopt is not None:
                async with self._writing:
                    await self._write(adopt)

        self._in_background(work())

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._background.add(task)
        task.add_done_callback(self._finished)

    def _finished(self, task: asyncio.Task[None]) -> None:
        self._background.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            log.error("background work on the knowledge base failed", exc_info=error)

    async def _read(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._reader, lambda: call(*args, **kwargs))

    async def _write(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._writer, lambda: call(*args, **kwargs))


def _prepare_and_encode(edition: Edition, article: Article) -> tuple[Head, list[Entry]]:
    prepared = Prepared(article)
    return prepared.head, edition.encode(prepared)


def _rearranged(hits: list[Hit], reranker: Reranker, question: str) -> list[Hit]:
    """The hits as the reranker orders them. Scores stay with the places: they say whether anything here answers, and
    the reranker says which of it."""
    first, rest = hits[:_RERANKED], hits[_RERANKED:]
    judged = reranker.scores(question, [f"{hit.passage.title}\n{hit.passage.text}" for hit in first])
    order = sorted(range(len(first)), key=lambda place: -judged[place])
    return [Hit(first[place].passage, hit.score) for place, hit in zip(order, first, strict=True)] + rest
