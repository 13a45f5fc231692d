"""What a knowledge base returns."""

from __future__ import annotations

from dataclasses import dataclass

from knowledge_base.articles import Passage


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
