"""What the knowledge base gives back: hits, answers with their source, and what a load changed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from knowledge_base.answering import Form, Piece
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
    """What an article says to a question: a ``lead`` from a fixed table or none, then slices of the article's body."""

    text: str
    citation: Citation
    hits: tuple[Hit, ...]
    score: float
    language: str  #: of the article; differs from the asker's when no translation exists
    translated: bool  #: whether the article is written in the language that was asked for
    lead: str = ""
    pieces: tuple[Piece, ...] = ()
    form: Form = "text"
    polarity: Literal["yes", "no"] | None = None  #: to a yes-or-no question, if the article says it explicitly
    version: str = ""  #: of the article that ``pieces`` are slices of
    quoting_ms: float = 0.0  #: how long it took to choose and write the pieces


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load changed, as article keys."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    passages: int = 0  #: in the whole knowledge base afterwards
    kept: tuple[str, ...] = ()  #: which files say otherwise than the desk, where they are edited by hand
