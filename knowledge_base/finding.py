"""From a question to the best passage of each of the best articles, and to what the first of them says."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from knowledge_base.articles import Article
from knowledge_base.calibration import Calibration
from knowledge_base.edition import Edition
from knowledge_base.entries import EntryRef
from knowledge_base.named_encoders import Reranker
from knowledge_base.quoting import Quoter
from knowledge_base.ranking import Ranked
from knowledge_base.readers import Reader
from knowledge_base.results import Answer, Hit
from knowledge_base.standing import Standing, current_id, settle
from knowledge_base.wording import fold

_RERANKED = 10  #: of the best articles
_SPARE = 3  #: results beyond the limit, for those that turn out to say the same as others


class Question(NamedTuple):
    """What was asked, and what it means to the articles: the same words unless there are synonyms in it."""

    said: str
    meant: str


def ranked(
    edition: Edition,
    calibration: Calibration,
    question: Question,
    language: str,
    reader: Reader,
    without: Callable[[EntryRef], bool] | None = None,
    most: int | None = None,
) -> list[Ranked]:
    """The articles that the reader may read, nearest to the question first."""
    fitted = calibration.encoder == edition.e5.name
    advantage = calibration.advantage.get(language, {}) if fitted else {}
    return edition.rank(
        question.said,
        language,
        advantage,
        fitted=fitted,
        without=without,
        most=most,
        meant=question.meant,
        reader=reader,
    )


def find_hits(
    edition: Edition,
    calibration: Calibration,
    reranker: Reranker | None,
    question: Question,
    language: str,
    limit: int,
    reader: Reader,
) -> list[Hit]:
    """The best passage of each of the best articles, in ``language`` where it is written."""
    wanted = max(limit, _RERANKED if reranker else 0)
    standings: list[Standing] = []
    scores: list[float] = []
    ceiling = 1.0
    for one in ranked(edition, calibration, question, language, reader, None, wanted + _SPARE):
        key = f"{one.article_id}/{language}"
        if key not in one.passages:
            key = one.article_key
        head = edition.view.head(key)
        if head is None or not head.passages:
            continue
        # A score belongs to a place: a lower one never gets a higher score, whatever its features say.
        ceiling = min(ceiling, calibration.score(one.features, language))
        standings.append(Standing(head, one.score, one.passages[key]))
        scores.append(round(ceiling, 4))
    shown = settle(standings, edition.article)[:wanted]
    passages = edition.passages_at([(one.head.key, one.passage) for one in shown])
    found = [passage for passage in passages if passage is not None]
    hits = [Hit(passage, score) for passage, score in zip(found, scores, strict=False)]
    if reranker is not None and hits:
        hits = _rearranged(hits, reranker, fold(question.said))
    return hits[:limit]


def article_in_force(edition: Edition, article_id: str, language: str, reader: Reader) -> Article | None:
    """The article, or the one that replaces it, in ``language`` if the reader may read that; None if in no language."""
    name = current_id(article_id, lambda one: edition.readable(one, reader))
    readable = {head.language: head for head in edition.readable(name, reader)}
    head = readable.get(language) or next(iter(readable.values()), None)
    return edition.article(head.key) if head else None


def hit_within(edition: Edition, article: Article, question: Question) -> Hit | None:
    """The passage of the article that fits the question best; None if the article has just been taken out."""
    ordinal = edition.best_passage(article.key, question.said, question.meant)
    (passage,) = edition.passages_at([(article.key, ordinal)])
    return Hit(passage, 1.0) if passage else None


def quote_first(
    edition: Edition, quoter: Quoter, question: Question, language: str, hits: tuple[Hit, ...]
) -> Answer | None:
    """What the article of the first hit says; None if it has been taken out since it was found."""
    key = f"{hits[0].passage.article_id}/{hits[0].passage.language}"
    article = edition.article(key)
    if article is None:
        return None
    vector = edition.vectors(question.said, question.meant).use
    return quoter.answer(article, edition.passages(key), question.meant, vector, language, hits)


def _rearranged(hits: list[Hit], reranker: Reranker, question: str) -> list[Hit]:
    """The hits as the reranker orders them. Scores stay with the places: they say whether anything here answers, and
    the reranker says which of it."""
    first, rest = hits[:_RERANKED], hits[_RERANKED:]
    judged = reranker.scores(question, [f"{hit.passage.title}\n{hit.passage.text}" for hit in first])
    order = sorted(range(len(first)), key=lambda place: -judged[place])
    return [Hit(first[place].passage, hit.score) for place, hit in zip(order, first, strict=True)] + rest
