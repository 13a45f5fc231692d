"""One built form of the knowledge base: an index, the ledger kept beside it, and the encoders its vectors came from.

Entries are prepared (cut, encoded, segmented), staged, and published; then the ledger names them, and from that moment
searches see them. ``knowledge_base.py`` decides which edition serves and which one is being built.
"""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge_base.articles import LANGUAGES, Article, Passage
from knowledge_base.candidates import Candidates, Found, compare, find_candidates, readable_heads
from knowledge_base.encoder import Encoder, Vectors
from knowledge_base.entries import Entry, EntryRef, Head, Index, QuestionVectors, Row, SharedIndex
from knowledge_base.index_words import asked_words
from knowledge_base.ledger import Ledger, Line
from knowledge_base.prepared import Prepared, passage_in, passage_json
from knowledge_base.ranking import Ranked, rank
from knowledge_base.readers import Reader
from knowledge_base.scale import Scale, scale_of
from knowledge_base.view import Floats, Mask, Rows, View

LAYOUT = 5  #: of what is stored in the index; another number builds a new one
_TEXTS = 4096  #: passages kept in memory once they were read
_QUESTIONS = 1024  #: questions whose vectors are kept
_SAMPLE = 300  #: articles whose titles and passages tell an encoder's scale
_READ_TOGETHER = 500  #: entries read at once to rebuild the ledger
_LOOK_AGAIN_SECONDS = 1.0  #: between looks at whether another process has changed the index
_STAGED_TOGETHER = 256  #: entries; more would hold up searches noticeably


def form_of(use: str, encoder: str) -> str:
    """Names what is stored with these two encoders; another form is another edition."""
    return hashlib.sha256(f"{LAYOUT} {use} {encoder}".encode()).hexdigest()[:12]


class Edition:
    """The knowledge base as one pair of encoders sees it. Reading is free to any thread, writing to one."""

    def __init__(
        self,
        index: Index,
        ledger_dir: Path,
        use: Encoder,
        e5: Encoder,
        *,
        shared: SharedIndex | None = None,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.index = index
        self.use = use
        self.e5 = e5
        self._release = release  #: called once the ledger's folder is free again
        self.shared = shared  #: the same index, if other processes change it, too
        self.ledger = Ledger(ledger_dir, None if shared else (use.dimensions, e5.dimensions))
        self._texts: OrderedDict[int, dict[str, Any]] = OrderedDict()
        self._questions: OrderedDict[tuple[str, ...], QuestionVectors] = OrderedDict()
        self._scale = (0, Scale())  #: with the number of entries at which it was measured
        self._reading = threading.Lock()  # of the two caches
        self._catching_up = threading.RLock()
        self._looked_at = time.monotonic()
        self.question_hits = self.question_misses = 0
        self.question_seconds = 0.0  #: spent on encoding questions
        self.catch_up()

    @property
    def view(self) -> View:
        """What is published now."""
        return self.ledger.view

    def close(self) -> None:
        """Write everything down and let others open the index."""
        self.commit()
        self.ledger.close()
        self.index.close()
        self._release()

    # Writing

    def prepare(self, article: Article) -> tuple[Head, list[Entry]]:
        """An article as ``put_in`` takes it."""
        prepared = Prepared(article)
        return prepared.head, self.encode(prepared)

    def encode(self, prepared: Prepared) -> list[Entry]:
        """The article's entries with their vectors."""
        texts = (*prepared.questions, *prepared.searched)
        use = self.use.passages(texts)
        # A stored question stands for what is asked, not for what answers: E5 wants to be told which.
        asked, told = self.e5.questions(prepared.questions), self.e5.passages(prepared.searched)
        e5 = np.concatenate([asked, told]) if len(told) else asked
        stored = [prepared.article.to_json(), *([None] * (len(prepared.questions) - 1))]
        stored += [passage_json(passage) for passage in prepared.passages]
        now = time.time_ns()
        return [
            Entry(
                ref=prepared.head.ref(place),
                use=use[place],
                e5=e5[place],
                words=prepared.words[place],
                text=stored[place],
                head=prepared.head if place == 0 else None,
                staged_in=now,
                terms=prepared.head.terms,
            )
            for place in range(prepared.head.entries)
        ]

    def put_in(self, articles: Sequence[tuple[Head, Sequence[Entry]]]) -> None:
        """Store articles and then show them, each in place of its former version."""
        entries = [entry for _, listed in articles for entry in listed]
        for first in range(0, len(entries), _STAGED_TOGETHER):
            self.index.stage(entries[first : first + _STAGED_TOGETHER])
        self.index.publish([head for head, _ in articles])
        with self._catching_up:
            self.ledger.add([(head, [self._line(entry) for entry in listed]) for head, listed in articles])

    def forget(self, keys: Collection[str]) -> None:
        """Delete articles."""
        if keys:
            self.index.remove(keys)
            with self._catching_up:
                self.ledger.discard(keys)

    def commit(self, *, more_to_come: bool = False) -> None:
        """Make what was written durable; the next start then reads the ledger instead of the index."""
        if self.shared is not None:  # others may have written, too: a generation says nothing about whose it is
            self.catch_up()
            return
        generation = self.index.generation()
        if generation != self.ledger.generation:
            self.index.flush()
            with self._catching_up:
                self.ledger.commit(generation, more_to_come=more_to_come)

    def catch_up(self) -> None:
        """Make the ledger agree with an index that has moved on without it: another process, a crash, a lost file."""
        with self._catching_up:
            generation = self.index.generation()
            if generation == self.ledger.generation:
                return
            found: dict[str, Head] = {}
            twice: list[str] = []
            for head in self.index.heads():
                if head.key in found:
                    twice.append(head.key)
                found[head.key] = head
            if twice and self.shared is None:  # a crash between showing the new version and deleting the old one
                self.index.publish([found[key] for key in twice])
                generation = self.index.generation()
            known = {key: self.view.heads[number] for key, number in self.view.numbers.items()}
            self.ledger.discard([key for key, head in known.items() if found.get(key) != head])
            self._read_back([head for key, head in found.items() if known.get(key) != head])
            self.ledger.commit(generation)
            self._looked_at = time.monotonic()

    # Reading

    def rank(
        self,
        text: str,
        language: str,
        advantage: Mapping[str, float],
        *,
        fitted: bool = True,
        without: Callable[[EntryRef], bool] | None = None,
        most: int | None = None,
        meant: str = "",
        reader: Reader | None = None,
    ) -> list[Ranked]:
        """The articles nearest to a question, best first, optionally as if some entries were not there.

        ``meant`` is the question in the articles' words, where those differ; without a ``reader`` any customer asks. ``fitted``
        says that ranking and gate were fitted with this edition's encoder.
        """
        self._look_again()
        reader = reader or Reader()
        question = self.vectors(text, meant)
        for _ in range(2):
            view = self.view
            hidden = self._hidden(view, without)
            found = find_candidates(view, self.index, question, LANGUAGES, reader, hidden)
            if not found.stale or self.shared is None:
                break
            self.catch_up()  # another process has loaded articles
        if not found.numbers:
            return []
        scale = Scale() if fitted or not question.e5.any() else self._scale_of(view)
        return rank(self._compared(view, found, question, scale, hidden), language, advantage, most)

    def best_passage(self, key: str, text: str, meant: str = "") -> int:
        """The ordinal of the passage that fits a question best within one article."""
        view = self.view
        number = view.numbers.get(key)
        if number is None:
            return 0
        compared = self._compared(view, Found([number]), self.vectors(text, meant), Scale())
        return rank(compared, view.heads[number].language, {})[0].passages[key]

    def readable(self, article_id: str, reader: Reader) -> list[Head]:
        """What is known of an article in every language in which the reader may read it."""
        view = self.view
        return readable_heads(view, article_id, view.open_to(reader))

    @property
    def questions(self) -> dict[str, int | float]:
        """How many were encoded, in how many seconds, and how many were remembered."""
        seconds = round(self.question_seconds, 4)
        return {"encoded": self.question_misses, "remembered": self.question_hits, "seconds": seconds}

    def vectors(self, text: str, meant: str = "") -> QuestionVectors:
        """A question in every space; asked again, it is not encoded again."""
        texts = key = tuple(dict.fromkeys((text, meant or text)))
        with self._reading:
            known = self._questions.get(key)
            if known is not None:
                self._questions.move_to_end(key)
                self.question_hits += 1
                return known
            self.question_misses += 1
        # Half-way between the customer's words and the articles' measured better than either (docs/answers.md).
        began = time.perf_counter()
        use, e5 = _middle(self.use.questions(texts)), _middle(self.e5.questions(texts))
        vectors = QuestionVectors(use, e5, asked_words(texts[-1]))
        with self._reading:
            self.question_seconds += time.perf_counter() - began
            self._questions[key] = vectors
            if len(self._questions) > _QUESTIONS:
                self._questions.popitem(last=False)
        return vectors

    def article(self, key: str) -> Article | None:
        """An article in one language, or None."""
        view = self.view
        if key not in view.numbers:
            return None
        (stored,) = self._read([view.point_of(key, 0)])
        return Article.from_json(stored) if stored else None

    def passages(self, key: str) -> tuple[Passage, ...]:
        """An article's passages in order; none if there is no such article."""
        view = self.view
        head = view.head(key)
        if head is None:
            return ()
        points = [view.point_of(key, head.questions + ordinal) for ordinal in range(head.passages)]
        return tuple(passage_in(head, stored) for stored in self._read(points) if stored)

    def passages_at(self, places: Sequence[tuple[str, int]]) -> list[Passage | None]:
        """Passages by article key and ordinal; None where there is none."""
        view = self.view
        heads = [view.head(key) for key, _ in places]
        points = [
            view.point_of(head.key, head.questions + ordinal)
            for head, (_, ordinal) in zip(heads, places, strict=True)
            if head is not None and ordinal < head.passages
        ]
        stored = iter(self._read(points))
        return [
            passage_in(head, found)
            if head is not None and ordinal < head.passages and (found := next(stored)) is not None
            else None
            for head, (_, ordinal) in zip(heads, places, strict=True)
        ]

    def _scale_of(self, view: View) -> Scale:
        """The encoder's scale on a sample of what is published; measured again once that has doubled."""
        measured_at, scale = self._scale
        if view.entries < 2 * measured_at:
            return scale
        heads = [view.heads[number] for number in view.numbers.values() if view.heads[number].passages]
        heads = sorted(heads, key=lambda head: zlib.crc32(head.key.encode()))[:_SAMPLE]
        firsts = [(head.ref(0).point_id, head.ref(head.questions).point_id) for head in heads]
        stored = self.index.stored([point for pair in firsts for point in pair], vectors=True)
        whole = [(pair, head.language) for pair, head in zip(firsts, heads, strict=True) if stored.keys() >= set(pair)]
        titles = np.array([stored[title].e5 for (title, _), _ in whole], dtype=np.float32)
        passages = np.array([stored[passage].e5 for (_, passage), _ in whole], dtype=np.float32)
        self._scale = (view.entries, scale_of(titles, passages, [language for _, language in whole]))
        return self._scale[1]

    def _look_again(self) -> None:
        if self.shared is not None and time.monotonic() - self._looked_at > _LOOK_AGAIN_SECONDS:
            self._looked_at = time.monotonic()
            if self.index.generation() != self.ledger.generation:
                self.catch_up()

    def _compared(
        self, view: View, found: Found, question: QuestionVectors, scale: Scale, hidden: Mask | None = None
    ) -> Candidates:
        def similarities(numbers: Sequence[int], rows: Rows) -> tuple[Floats, Floats]:
            return self._similarities(view, numbers, rows, question)

        return compare(view, found, question, similarities, scale, hidden)

    def _similarities(
        self, view: View, numbers: Sequence[int], rows: Rows, question: QuestionVectors
    ) -> tuple[Floats, Floats]:
        if self.shared is None:
            return view.near(rows, question.use, question.e5)
        use_of, e5_of = self.shared.similarities(question, [view.heads[number].key for number in numbers])
        points = view.points[rows].tolist()
        use = np.array([use_of.get(point, 0.0) for point in points], dtype=np.float32)
        return use, np.array([e5_of.get(point, 0.0) for point in points], dtype=np.float32)

    def _hidden(self, view: View, without: Callable[[EntryRef], bool] | None) -> Mask | None:
        if without is None:
            return None
        hidden = np.zeros(len(view.alive), dtype=np.bool_)
        for row, ref in view.refs:
            hidden[row] = without(ref)
        return hidden

    def _read(self, points: Sequence[int]) -> list[dict[str, Any] | None]:
        with self._reading:
            found: dict[int, dict[str, Any] | None] = {}
            for point in points:
                if point in self._texts:
                    self._texts.move_to_end(point)
                    found[point] = self._texts[point]
        missing = [point for point in dict.fromkeys(points) if point not in found]
        if missing:
            texts = self.index.texts(missing)
            found.update(zip(missing, texts, strict=True))
            with self._reading:
                # Whole articles can be long and are seldom read twice.
                short = ((point, text) for point, text in zip(missing, texts, strict=True) if text and "anchor" in text)
                self._texts.update(short)
                while len(self._texts) > _TEXTS:
                    self._texts.popitem(last=False)
        return [found[point] for point in points]

    def _line(self, entry: Entry) -> Line:
        if self.shared is not None:
            return Line(entry.ref.point_id, entry.words)
        return Line(entry.ref.point_id, entry.words, np.concatenate([entry.use, entry.e5]))

    def _read_back(self, heads: Sequence[Head]) -> None:
        for batch in _batches(heads):
            points = [ref.point_id for head in batch for ref in head.refs()]
            stored = self.index.stored(points, vectors=self.shared is None)
            whole: list[tuple[Head, list[Line]]] = []
            for head in batch:
                ids = [ref.point_id for ref in head.refs()]
                if all(point in stored for point in ids):
                    whole.append((head, [Line(i, stored[i].words, [*stored[i].use, *stored[i].e5]) for i in ids]))
            self.ledger.add(whole)


def _middle(rows: Vectors) -> Row:
    if len(rows) == 1:
        return np.asarray(rows[0])
    total = rows.sum(axis=0)
    return np.asarray(total / (np.linalg.norm(total) or 1.0), dtype=np.float32)


def _batches(heads: Sequence[Head]) -> Iterator[list[Head]]:
    batch: list[Head] = []
    size = 0
    for head in heads:
        batch.append(head)
        size += head.entries
        if size >= _READ_TOGETHER:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
