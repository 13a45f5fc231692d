"""What the bot knows: articles in, the passages that answer a question out, always with a citation.

Searching and writing run in threads of their own, so the event loop stays free. When the setting names another encoder
than the stored vectors came from, the edition they belong to goes on serving while the new one is built.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

import structlog

from knowledge_base.absence import Absence
from knowledge_base.articles import LANGUAGES, Article
from knowledge_base.background import Background
from knowledge_base.calibration import load_calibration
from knowledge_base.catalogue import Catalogue
from knowledge_base.drafted import drafted
from knowledge_base.edition import Edition
from knowledge_base.encoder import Vectors
from knowledge_base.entries import Entry, EntryRef, Head
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.finding import Question, article_in_force, find_hits, hit_within, quote_first, ranked
from knowledge_base.homes import Editions, Home, Opened, without_retired
from knowledge_base.named_encoders import MissingEncoder, Reranker
from knowledge_base.opening import open_parts
from knowledge_base.quoting import Quoter
from knowledge_base.ranking import Ranked
from knowledge_base.readers import Reader
from knowledge_base.reindexing import Reindexing
from knowledge_base.results import Answer, Citation, Hit, LoadReport
from knowledge_base.sentence_store import SentenceStore
from knowledge_base.synonyms import Synonyms
from knowledge_base.wording import language_of

MAX_QUESTION = 2000  #: characters that are looked at
MADE_READY = 1000  #: articles up to which each is made ready to be quoted before anybody asks
_COMMITTED_EVERY_SECONDS = 10.0  #: while much is loaded
_PUBLISHED_TOGETHER, _PUBLISHED_EVERY_SECONDS = 1024, 2.0  #: entries or time, while much is loaded
_P = ParamSpec("_P")
_T = TypeVar("_T")
__all__ = ["Answer", "Citation", "Hit", "KnowledgeBase", "LoadReport"]
log = structlog.get_logger()


class KnowledgeBase(Catalogue):
    """Articles, the edition that serves them and the models that read them."""

    def __init__(
        self,
        serving: Edition,
        home: Home | None = None,
        editions: Editions | None = None,
        reranker: Reranker | None = None,
        sentences: SentenceStore | None = None,
    ) -> None:
        self._serving = serving
        self._home = home
        self._editions = editions
        self._reranker = reranker
        self.calibration = load_calibration()
        self.quoter = Quoter(serving.use, sentences or SentenceStore(None, serving.use.name))
        self._synonyms = Synonyms()
        self._reader = ThreadPoolExecutor(1, "knowledge-base-read")
        self._writer = ThreadPoolExecutor(1, "knowledge-base-write")
        self._writing = asyncio.Lock()
        self._reindexing: Reindexing | None = None
        self._background = Background()
        self._absence = Absence(home is not None and home.can_be_away, self._look_for_server, self._background.start)
        self._reopen: Callable[[], Opened | None] | None = None  #: until the server answered for the first time

    @classmethod
    async def open(
        cls,
        data_dir: Path,
        qdrant_url: str | None = None,
        encoder: str = "e5",
        *,
        reranker: str = "",
        reindex: bool = True,
        patient: bool = False,
    ) -> KnowledgeBase:
        """The knowledge base in ``data_dir``, or on the Qdrant server when a URL is given; what it holds is ready.

        If it was built with another encoder than ``encoder``, what is there serves and, with ``reindex``, the new
        edition is built in the background. Raises ``EncoderUnavailable`` when ``encoder`` or ``reranker`` cannot be loaded.
        A ``patient`` one opens also while the server is away, and until it is there everything raises ``IndexUnavailable``.
        """
        parts = await asyncio.to_thread(open_parts, data_dir, qdrant_url, encoder, reranker, reindex, patient)
        made = cls(parts.opened.serving, parts.home, parts.opened.editions, parts.judge, parts.sentences)
        if parts.away is not None:
            made._reopen = parts.reopen
            made._absence.begin(parts.away)
        made._go_on(parts.opened, encoder)
        return made

    @property
    def gate(self) -> float:
        """The score from which the product answers, unless a caller names another."""
        return self.calibration.gate

    def status(self) -> dict[str, Any]:
        """What is held, what serves it, and how far a new edition is; plain values."""
        serving, view = self._serving, self._serving.view
        return {
            "articles": len(view.numbers),
            "passages": view.passages,
            "entries": view.entries,
            "audiences": sorted(view.audiences),
            "encoder": serving.e5.name,
            "encoder_missing": isinstance(serving.e5, MissingEncoder),
            "reranker": self._reranker.name if self._reranker else "",
            "questions": serving.questions,
            "away": self.away is not None,
            "reindexing": self._reindexing.progress.to_json() if self._reindexing else None,
        }

    @property
    def away(self) -> str | None:
        """Why nothing can be looked up now, or None."""
        return self._absence.problem

    async def settled(self) -> None:
        """Return once nothing is being built in the background."""
        await self._background.settled()

    async def close(self) -> None:
        """Finish what is running, write everything down and let other processes open the index."""
        await self._background.stop()
        async with self._writing:
            self._reader.shutdown(wait=True)
            if self._reindexing is not None:
                if self._reindexing.building is not self._serving:
                    await self._reindexing.on_worker(self._reindexing.building.close)
                self._reindexing.stop()
            await self._absence.if_there(self._writer, self._serving.close)
            await self._absence.asked(self._writer, self.quoter.close)
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
            before = self._serving.view.versions
            changed = [article for key, article in wanted.items() if before.get(key) != article.version]
            removed = sorted(before.keys() - wanted.keys()) if complete else []
            try:
                await self._put_in(changed, progress, ready=len(before | wanted) <= MADE_READY)
                await self._write(self._serving.forget, removed)
            finally:
                await self._write(self._serving.commit)
            if changed or removed:
                await self._write(self.quoter.keep_only, {*self._serving.view.versions.values()})
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

    def use_synonyms(self, rules: Synonyms) -> None:
        """Read questions with these synonyms from now on; nothing is encoded again."""
        self._synonyms = rules

    async def search(
        self,
        text: str,
        language: str | None = None,
        limit: int = 10,
        reader: Reader | None = None,
        *,
        synonyms: Synonyms | None = None,
    ) -> list[Hit]:
        """The best passage of each of the best articles, in ``language`` (or the question's own) where it is written.

        Without a ``reader`` it is any customer, now; without ``synonyms`` those in use.
        """
        if not text.strip():
            return []
        asked_in = language if language in LANGUAGES else language_of(text)
        question = self._understood(text, synonyms)
        return await self._read(self._search, question, asked_in, limit, reader or Reader())

    async def answer(
        self, text: str, language: str, gate: float | None = None, reader: Reader | None = None
    ) -> Answer | None:
        """What the best article says, if its score reaches the gate; otherwise None."""
        reader = reader or Reader()
        hits = await self.search(text, language, reader=reader)
        if not hits or hits[0].score < (self.gate if gate is None else gate):
            return None
        question = self._understood(text)
        return await self._read(quote_first, self._serving, self.quoter, question, language, tuple(hits))

    async def answer_from(
        self, article_id: str, language: str, text: str = "", reader: Reader | None = None
    ) -> Answer | None:
        """What this article (or the one that replaces it) says to the question, or to its own title; None if there
        is nothing the reader may read."""
        return await self._read(self._answer_from, article_id, language, text.strip(), reader or Reader())

    async def suggest(
        self, text: str, language: str, limit: int = 3, reader: Reader | None = None
    ) -> list[tuple[str, str]]:
        """Ids and titles of the articles nearest to a question, to ask "did you mean"."""
        hits = await self.search(text, language, limit, reader)
        return [(hit.passage.article_id, hit.passage.title) for hit in hits]

    async def prepare_answers(self, most: int = MADE_READY) -> int:
        """Make the first articles ready to be quoted, one at a time beside the searches; returns how many.

        An article that is not ready is made so by its first answer, which then takes a few milliseconds longer.
        """
        keys = sorted(self._serving.view.numbers)[:most]
        for key in keys:
            await self._write(self._make_ready, key)
        return len(keys)

    def sentence_vectors(self, texts: Sequence[str]) -> Vectors:
        """One row of length one per text of either language; may be called from any thread, and takes milliseconds each."""
        return self._serving.use.passages(texts)

    async def candidates(
        self,
        text: str,
        without: Callable[[EntryRef], bool] | None = None,
        reader: Reader | None = None,
        language: str | None = None,
    ) -> list[Ranked]:
        """The ranking behind ``search`` with its features, optionally as if some entries were not there."""
        question, asked_in = self._understood(text), language or language_of(text)
        return await self._read(
            lambda: ranked(self._serving, self.calibration, question, asked_in, reader or Reader(), without)
        )

    @asynccontextmanager
    async def with_drafts(self, drafts: Sequence[Article]) -> AsyncIterator[KnowledgeBase]:
        """This knowledge base as it would be with these articles published as well; for questions only."""
        edition, sentences = await self._write(drafted, self._serving, drafts)
        tried = KnowledgeBase(edition, reranker=self._reranker, sentences=sentences)
        tried.use_synonyms(self._synonyms)
        try:
            yield tried
        finally:
            await tried.close()

    def understood(self, text: str) -> str:
        """A question in the articles' words, as far as synonyms were taught."""
        return self._understood(text).meant

    def _understood(self, text: str, synonyms: Synonyms | None = None) -> Question:
        said = text[:MAX_QUESTION]
        rules = self._synonyms if synonyms is None else synonyms
        return Question(said, rules.understand(said, language_of(said)).text)

    def _search(self, question: Question, language: str, limit: int, reader: Reader) -> list[Hit]:
        return find_hits(self._serving, self.calibration, self._reranker, question, language, limit, reader)

    def _answer_from(self, article_id: str, language: str, text: str, reader: Reader) -> Answer | None:
        article = article_in_force(self._serving, article_id, language, reader)
        if article is None:
            return None
        question = self._understood(text or article.title)
        hit = hit_within(self._serving, article, question)
        return quote_first(self._serving, self.quoter, question, language, (hit,)) if hit else None

    def _make_ready(self, key: str) -> None:
        article = self._serving.article(key)
        if article is not None:
            self.quoter.prepare(article)

    async def _put_in(
        self, articles: list[Article], progress: Callable[[int, int], None] | None, *, ready: bool
    ) -> None:
        """Encode, stage and publish articles, some hundred entries or some seconds at a time; ``ready`` says whether
        to make them ready to be quoted, too."""
        edition = self._serving
        waiting: list[tuple[Head, list[Entry]]] = []
        committed = published = time.monotonic()
        for done, article in enumerate(articles):
            if progress:
                progress(done, len(articles))
            waiting.append(await self._write(edition.prepare, article))
            if ready:
                await self._write(self.quoter.prepare, article)
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

    def _go_on(self, opened: Opened, encoder: str) -> None:
        if opened.building is not None:
            self._reindexing = Reindexing(opened.serving, opened.building, self._writing, encoder)
            self._background.start(self._reindex(self._reindexing))
        self._keep_up(opened.serving)

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

        self._background.start(work())

    async def _look_for_server(self) -> None:
        """Open what could not be opened, or see what changed while the server was away; raises ``IndexUnavailable``."""
        opened = await self._absence.asked(self._reader, self._reopen or self._serving.catch_up)
        if opened is not None:
            former, self._serving, self._editions, self._reopen = self._serving, opened.serving, opened.editions, None
            await self._absence.asked(self._writer, former.close)
            self._go_on(opened, opened.editions.building.encoder if opened.editions.building else "")

    async def _read(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self._absence.ask(self._reader, lambda: call(*args, **kwargs))

    async def _write(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await self._absence.ask(self._writer, lambda: call(*args, **kwargs))
