"""Turns what was found into an answer: chooses and quotes, and says where the quotation stands."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import UTC, datetime

from knowledge_base.answering import quote
from knowledge_base.articles import Article, Passage
from knowledge_base.asking import read_question
from knowledge_base.encoder import Encoder, Vectors
from knowledge_base.entries import Row
from knowledge_base.page_links import PageLinks
from knowledge_base.quotable import quotable, slices_to_encode
from knowledge_base.results import Answer, Citation, Hit
from knowledge_base.sentence_store import SentenceStore
from knowledge_base.structure import Span


class Quoter:
    """Quotes articles; the vectors of what can be quoted are kept, so that an answer waits for no encoder."""

    def __init__(self, use: Encoder, sentences: SentenceStore) -> None:
        self._use = use
        self._sentences = sentences
        self.links: PageLinks | None = None  #: signs addresses of articles that not everybody may read

    def prepare(self, article: Article) -> Vectors:
        """The vectors of the article's slices, encoded now if they are not stored."""
        stored = self._sentences.find(article.version)
        structure = quotable(article).structure
        # Rows made for another way of cutting an article would choose the wrong slices.
        if stored is None or len(stored) != len(structure.units) + 2 * len(structure.groups):
            stored = self._use.passages(slices_to_encode(article))
            self._sentences.add(article.version, stored)
        return stored

    def keep_only(self, versions: set[str]) -> None:
        """Forget the vectors of every other version."""
        self._sentences.keep_only(versions)

    def answer(
        self,
        article: Article,
        passages: Sequence[Passage],
        question: str,
        vector: Row,
        language: str,
        hits: tuple[Hit, ...],
    ) -> Answer:
        """What the article of the first hit, cut into ``passages``, says to the question, whose USE vector is given."""
        started = time.perf_counter()
        found = hits[0].passage
        quoted = quote(
            article,
            Span(found.start, found.start + len(found.text)),
            read_question(question),
            self.prepare(article),
            vector,
            language,
        )
        source = next((one for one in reversed(passages) if one.start <= quoted.at), found)
        said = quoted.text(article.body)
        words = said.removeprefix(quoted.lead).strip()
        return Answer(
            text=said,
            citation=Citation(source.id, article.id, article.title, words, self._url(article, source)),
            hits=hits,
            score=hits[0].score,
            language=article.language,
            translated=article.language == language,
            lead=quoted.lead,
            pieces=quoted.pieces,
            form=quoted.form,
            polarity=quoted.polarity,
            version=article.version,
            quoting_ms=round((time.perf_counter() - started) * 1000, 3),
        )

    def close(self) -> None:
        """Close the stored vectors."""
        self._sentences.close()

    def _url(self, article: Article, passage: Passage) -> str:
        return self.links.url(article, passage, datetime.now(UTC)) if self.links else passage.url
