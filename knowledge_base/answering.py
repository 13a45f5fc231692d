"""Picks the sentences of a passage that answer a question: up to three, next to each other, exactly as written."""

from __future__ import annotations

from knowledge_base.articles import Passage
from knowledge_base.encoder import Encoder
from knowledge_base.index_words import asked_words, words_in_common
from knowledge_base.splitting import sentences, weight

MOST_SENTENCES = 3
_ROOM = 420  #: weight of an answer; one sentence may exceed it
_WHOLE = 200  #: passages up to this weight are quoted as they are
_WORDS = 0.3
_FIRST = 0.08  #: writers begin with what matters
_COMPANY = 0.03  #: a neighbour must lower the mean by less than this to come along


def best_sentences(passage: Passage, question: str, encoder: Encoder) -> str:
    """The slice of the passage, in whole sentences, that is nearest to the question."""
    parts = sentences(passage.text, passage.language)
    if len(parts) == 1 or (len(parts) <= MOST_SENTENCES and weight(passage.text) <= _WHOLE):
        return passage.text
    asked = asked_words(question)
    nearness = encoder.passages([part.strip() for part in parts]) @ encoder.questions([question])[0]
    scores = [
        float(cosine) + _WORDS * words_in_common(asked, asked_words(part)) + (_FIRST if place == 0 else 0.0)
        for place, (part, cosine) in enumerate(zip(parts, nearness, strict=True))
    ]
    windows = [
        (first, last)
        for first in range(len(parts))
        for last in range(first + 1, min(first + MOST_SENTENCES, len(parts)) + 1)
        if last == first + 1 or weight("".join(parts[first:last]).strip()) <= _ROOM
    ]
    first, last = max(windows, key=lambda span: _worth(scores[span[0] : span[1]]))
    return "".join(parts[first:last]).strip()


def _worth(scores: list[float]) -> float:
    return max(scores) * 0.7 + sum(scores) / len(scores) * 0.3 + _COMPANY * (len(scores) - 1)
