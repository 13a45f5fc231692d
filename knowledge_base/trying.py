"""Tries a question as a customer would ask it, and shows every step on the way to the answer."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from knowledge_base.articles import Article, Passage
from knowledge_base.knowledge_base import KnowledgeBase
from knowledge_base.readers import Reader
from knowledge_base.results import Answer

SHOWN = 8
ASKED_BACK = 3  #: titles that the bot offers when it is not sure
#: What is shown of a candidate's features: nearness of the question to the stored ways to ask (both encoders) and to the
#: passages, the share of its words, and its lead over the next one.
STEPS = ("use", "question", "passage", "passage_use", "covered", "lead", "above")


@dataclass(frozen=True, slots=True)
class Candidate:
    """An article among those found, at its best passage."""

    passage: Passage
    probability: float  #: that it answers, which the gate is compared with
    standing: float  #: among the candidates of this question
    steps: dict[str, float]
    drafted: bool


@dataclass(frozen=True, slots=True)
class Tried:
    """What became of a question."""

    language: str
    understood: str  #: with synonyms in the articles' words
    gate: float
    candidates: tuple[Candidate, ...]
    answer: Answer | None
    asked_back: tuple[str, ...]  #: titles, where nothing reached the gate
    audiences: tuple[str, ...]


async def tried(
    kb: KnowledgeBase,
    text: str,
    language: str,
    *,
    gate: float,
    audiences: Collection[str] = (),
    at: datetime | None = None,
    drafts: Sequence[Article] = (),
) -> Tried:
    """Ask as one of these audiences, at a moment; with ``drafts`` as if these were published as well."""
    reader = Reader.of(audiences, at)
    own = {one.key for one in drafts}
    asking: Any = kb.with_drafts(drafts) if drafts else contextlib.nullcontext(kb)
    async with asking as asked:
        hits = await asked.search(text, language, SHOWN, reader)
        ranked = {one.article_id: one for one in await asked.candidates(text, reader=reader, language=language)}
        answer = await asked.answer(text, language, gate, reader)
    found = []
    for hit in hits:
        one = ranked.get(hit.passage.article_id)
        steps = {name: round(one.features[name], 4) for name in STEPS if name in one.features} if one else {}
        key = f"{hit.passage.article_id}/{hit.passage.language}"
        found.append(Candidate(hit.passage, hit.score, round(one.score, 4) if one else 0.0, steps, key in own))
    titles = tuple(one.passage.title for one in found[:ASKED_BACK]) if answer is None else ()
    return Tried(language, kb.understood(text), gate, tuple(found), answer, titles, tuple(sorted(reader.audiences)))
