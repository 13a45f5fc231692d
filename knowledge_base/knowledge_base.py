"""What the bot knows: articles in, the passages that answer a question out, always with a citation.

Encoding and searching run in one worker thread, so the event loop stays free and a search waits at most for the one
article that is being encoded.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import ParamSpec, TypeVar

from knowledge_base.answering import best_sentences
from knowledge_base.articles import LANGUAGES, Article, Passage
from knowledge_base.calibration import load_calibration
from knowledge_base.catalog import Catalog, Shelf, questions_of, searched_text, shelve
from knowledge_base.encoder import Encoder, UseEncoder, passage_encoder
from knowledge_base.entries import Entry, EntryRef, Index, QuestionVectors
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.index_words import asked_words, best_possible, stored_words
from knowledge_base.ranking import AskedWords, Ranked, rank
from knowledge_base.vocabulary import Vocabulary
from knowledge_base.wording import fold, language_of, plain

LAYOUT = 3  #: of what is stored in the index; another number builds a new one
MAX_QUESTION = 2000  #: characters that are looked at
_CANDIDATES = 20  #: articles of each language that are scored exactly
_PER_SPACE = 40  #: entries that each vector contributes to the candidates
_PUBLISHED_TOGETHER = 16
_REMEMBERED = 256  #: questions whose vectors are kept
_P = ParamSpec("_P")
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer was quoted from."""

    passage_id: str
    article_id: str
    title: str
    quote: str
    url: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that may answer; ``score`` is the probability that its article does, comparable across questions."""

    passage: Passage
    score: float


@dataclass(frozen=True, slots=True)
class Answer:
    """Whole sentences of one passage; ``language`` differs from the asker's when no translation exists."""

    text: str
    citation: Citation
    hits: tuple[Hit, ...]
    score: float
    language: str
    translated: bool  #: whether the article is written in the language that was asked for


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load changed, as article keys."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    passages: int = 0  #: in the whole knowledge base afterwards


class KnowledgeBase:
    """Articles, their index and the models that read them."""

    def __init__(self, index: Index, use: Encoder, e5: Encoder) -> None:
        self._index = index
        self._use = use
        self._e5 = e5
        self.calibration = load_calibration()
        self._catalog = Catalog()
        self._questions: OrderedDict[str, QuestionVectors] = OrderedDict()
        self._worker = ThreadPoolExecutor(max_workers=1, thread_name_prefix="knowledge-base")
        self._loading = asyncio.Lock()

    @classmethod
    async def open(cls, data_dir: Path, qdrant_url: str | None = None, encoder: str = "e5") -> KnowledgeBase:
        """The knowledge base in ``data_dir``, or on the Qdrant server when a URL is given; what it holds is ready."""
        return await asyncio.to_thread(cls._open, data_dir, qdrant_url, encoder)

    @classmethod
    def _open(cls, data_dir: Path, qdrant_url: str | None, encoder: str) -> KnowledgeBase:
        use, e5 = UseEncoder(), passage_encoder(encoder)
        dimensions = {"use": use.dimensions, "e5": e5.dimensions}
        form = hashlib.sha256(f"{LAYOUT} {use.name} {e5.name}".encode()).hexdigest()[:12]
        index: Index
        if qdrant_url:
            from knowledge_base.index_server import ServerIndex

            index = ServerIndex(qdrant_url, f"articles-{form}", dimensions)
        else:
            from knowledge_base.index import EdgeIndex

            index = EdgeIndex(data_dir / "knowledge" / f"index-{form}", dimensions)
        opened = cls(index, use, e5)
        opened._read_catalog()
        asked_words("warm the segmenter up")
        return opened

    @property
    def gate(self) -> float:
        """The score from which the product answers, unless a caller names another."""
        return self.calibration.gate

    async def close(self) -> None:
        """Finish what is running, write everything down and let other processes open the index."""
        async with self._loading:
            await self._run(self._index.close)
            self._worker.shutdown(wait=True)

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
        async with self._loading:
            await self._run(self._read_catalog)
            before = {key: shelf.article.version for key, shelf in self._catalog.shelves.items()}
            changed = [article for key, article in wanted.items() if before.get(key) != article.version]
            removed = sorted(before.keys() - wanted.keys()) if complete else []
            for first in range(0, len(changed), _PUBLISHED_TOGETHER):
                shelves: list[Shelf] = []
                for done, article in enumerate(changed[first : first + _PUBLISHED_TOGETHER], start=first):
                    if progress:
                        progress(done, len(changed))
                    shelves.append(await self._run(self._stage, article))
                await self._run(self._publish, shelves)
            if progress:
                progress(len(changed), len(changed))
            await self._run(self._forget, removed)
        return LoadReport(
            added=tuple(article.key for article in changed if article.key not in before),
            updated=tuple(article.key for article in changed if article.key in before),
            removed=tuple(removed),
            unchanged=len(wanted) - len(changed),
            passages=sum(len(shelf.passages) for shelf in self._catalog.shelves.values()),
        )

    async def remove(self, article_id: str, language: str | None = None) -> int:
        """Delete an article, in one language or in all; returns how many versions were deleted."""
        async with self._loading:
            keys = [
                key
                for key in self._catalog.keys_of(article_id)
                if language is None or key == f"{article_id}/{language}"
            ]
            await self._run(self._forget, keys)
        return len(keys)

    async def search(self, text: str, language: str | None = None, limit: int = 10) -> list[Hit]:
        """The best passage of each of the best articles, in ``language`` (or the question's own) where it is written."""
        if not text.strip():
            return []
        asked_in = language if language in LANGUAGES else language_of(text)
        return await self._run(self._search, text, asked_in, limit)

    async def answer(self, text: str, language: str, gate: float | None = None) -> Answer | None:
        """Sentences quoted from the best article if its score reaches the gate, otherwise None."""
        hits = await self.search(text, language)
        if not hits or hits[0].score < (self.gate if gate is None else gate):
            return None
        best = hits[0].passage
        quote = await self._run(best_sentences, best, fold(text[:MAX_QUESTION]), self._use)
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
        return self._catalog.find_article(article_id, language)

    def find_passage(self, passage_id: str) -> Passage | None:
        """The passage with this id in the current version of its article, or None."""
        return self._catalog.find_passage(passage_id)

    def passages_of(self, article_id: str, language: str) -> tuple[Passage, ...]:
        """The article's passages in order; none if there is no such article."""
        shelf = self._catalog.shelves.get(f"{article_id}/{language}")
        return shelf.passages if shelf else ()

    def languages_of(self, article_id: str) -> tuple[str, ...]:
        """The languages the article is written in."""
        return self._catalog.languages.get(article_id, ())

    def articles(self) -> list[Article]:
        """Every article, by key."""
        return [shelf.article for _, shelf in sorted(self._catalog.shelves.items())]

    async def candidates(self, text: str, without: Callable[[EntryRef], bool] | None = None) -> list[Ranked]:
        """The ranking behind ``search`` with its features, optionally as if some entries were not there."""
        return await self._run(self._rank, text, language_of(text), without)

    async def _run(self, call: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        return await asyncio.get_running_loop().run_in_executor(self._worker, lambda: call(*args, **kwargs))

    def _search(self, text: str, language: str, limit: int) -> list[Hit]:
        hits: list[Hit] = []
        ceiling = 1.0
        for ranked in self._rank(text, language, None):
            key = f"{ranked.article_id}/{language}"
            shelf = self._catalog.shelves.get(key if key in ranked.passages else ranked.article_key)
            if shelf is None or not shelf.passages:
                continue
            # A lower place never gets a higher score, whatever its features say.
            ceiling = min(ceiling, self.calibration.score(ranked.features, language))
            hits.append(Hit(shelf.passages[ranked.passages[shelf.article.key]], round(ceiling, 4)))
            if len(hits) == limit:
                break
        return hits

    def _rank(self, text: str, language: str, without: Callable[[EntryRef], bool] | None) -> list[Ranked]:
        question = self._vectors(text[:MAX_QUESTION])
        ids: dict[str, None] = {}
        for written in LANGUAGES:
            ids.update(dict.fromkeys(self._candidates(question, written, without)))
        keys = [key for article_id in ids for key in self._catalog.keys_of(article_id)]
        if not keys:
            return []
        refs = self._catalog.refs
        signals = self._index.signals(question, keys)
        hidden = {point for point, ref in refs.items() if without(ref)} if without else set()
        vocabulary = self._catalog.vocabulary.without(hidden)
        words = AskedWords(question.words.indices, best_possible(question.words, vocabulary), vocabulary)
        advantage = self.calibration.advantage if self.calibration.encoder == self._e5.name else {}
        return rank(signals, refs, words, language, advantage.get(language, {}), hidden)

    def _candidates(
        self, question: QuestionVectors, language: str, without: Callable[[EntryRef], bool] | None
    ) -> list[str]:
        points = self._index.find_near(question, language, _PER_SPACE)
        if any(point not in self._catalog.refs for point in points):
            self._read_catalog()  # another process has loaded articles
        found = (self._catalog.refs[point] for point in points if point in self._catalog.refs)
        ids = dict.fromkeys(ref.article_id for ref in found if not (without and without(ref)))
        return list(ids)[:_CANDIDATES]

    def _vectors(self, text: str) -> QuestionVectors:
        known = self._questions.get(text)
        if known is not None:
            self._questions.move_to_end(text)
            return known
        use, e5 = self._use.questions([text])[0].tolist(), self._e5.questions([text])[0].tolist()
        vectors = self._questions[text] = QuestionVectors(use, e5, asked_words(text))
        if len(self._questions) > _REMEMBERED:
            self._questions.popitem(last=False)
        return vectors

    def _read_catalog(self) -> None:
        stored = {article.key: article for article in map(Article.from_json, self._index.articles())}
        for key in [key for key in self._catalog.shelves if key not in stored]:
            self._catalog.discard(key)
        for key, article in stored.items():
            known = self._catalog.shelves.get(key)
            if known is None or known.article != article:
                self._catalog.add(shelve(article))
        self._read_words()

    def _read_words(self) -> None:
        self._catalog.vocabulary = Vocabulary.of(self._index.words())

    def _stage(self, article: Article) -> Shelf:
        shelf = shelve(article)
        questions = questions_of(article)
        passages = [searched_text(passage) for passage in shelf.passages]
        use = self._use.passages(questions + passages).tolist()
        # A stored question stands for what is asked, not for what answers: E5 wants to be told which.
        e5 = self._e5.questions(questions).tolist() + self._e5.passages(passages).tolist()
        self._index.stage(
            [
                Entry(
                    ref=ref,
                    use=use[place],
                    e5=e5[place],
                    words=stored_words(text),
                    article=article.to_json() if place == 0 else None,
                )
                for place, (ref, text) in enumerate(zip(shelf.refs, questions + passages, strict=True))
            ]
        )
        return shelf

    def _publish(self, shelves: Sequence[Shelf]) -> None:
        self._index.publish([(shelf.article.key, shelf.article.version) for shelf in shelves])
        for shelf in shelves:
            self._catalog.add(shelf)
        self._read_words()

    def _forget(self, keys: Sequence[str]) -> None:
        self._index.remove(keys)
        for key in keys:
            self._catalog.discard(key)
        if keys:
            self._read_words()
