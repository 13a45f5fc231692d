"""Drafts an answer to what the knowledge base does not know out of what agents answered, sentence by sentence.

Nothing is written anew: a draft is made of sentences that agents said, chosen because they speak of what was asked and
because other agents said much the same to others. What is polite, asks back, or speaks of one customer's own case is
left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from knowledge_base.splitting import sentences
from knowledge_base.wording import language_of
from learning.grouping import Floats

MOST = 4  #: sentences of a draft
ALIKE = 0.6  #: cosine from which two sentences say the same
FITS = 0.3  #: cosine with the question, from which a sentence that only one agent said may answer it
_FITS_TOLD_TWICE = 0.12
#: What an agent did, does or will do for this one customer is no answer for the others.
_OWN_CASE = re.compile(
    r"(?i)"
    r"\b(?:I(?:'ve| have|'ll| will|'m|'d| am| can see| see| just)|we(?:'ve| have) (?:just|now)|let me|your (?:order|parcel|account|ticket) (?:is|was|has)"
    r"|as (?:we )?discussed|hold on|one moment)\b"
    r"|我(?:已经|已|现在|马上|这边|来|先|刚)|(?:已经|已|这就|马上|刚刚)(?:帮|为|给)您|帮您(?:查|看|处理|登记|申请|转)|您的(?:订单|包裹|账号|工单)(?:已|是|现在|还)|稍等|请稍候"
)
_ASKS_BACK = re.compile(r"[?？]\s*$|(?:吗|呢)[。!！]?\s*$")


@dataclass(frozen=True, slots=True)
class Line:
    """What an agent said to one contact, without personal data."""

    conversation_id: str
    seq: int
    text: str
    liked: bool = False  #: whether that contact rated the conversation well


@dataclass(frozen=True, slots=True)
class Source:
    """A sentence of a draft, with the conversations in which agents said it, or much the same."""

    text: str
    conversation_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DraftedAnswer:
    """An answer in one language; empty where agents said nothing that answers."""

    text: str = ""
    sources: tuple[Source, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    language: str
    line: int
    place: int  #: within its line


def drafted_answers(
    question: Floats,
    lines: Sequence[Line],
    encode: Callable[[Sequence[str]], Floats],
    usable: Callable[[str], bool],
) -> dict[str, DraftedAnswer]:
    """A draft for each language in which agents said something; ``question`` is the vector of what was asked, and
    ``usable`` says whether a sentence says something to the matter and nothing personal."""
    said = [
        one for number, line in enumerate(lines) for one in _sentences_of(line, number) if _general(one.text, usable)
    ]
    if not said:
        return {}
    vectors = encode([one.text for one in said])
    near = vectors @ question
    alike = vectors @ vectors.T >= ALIKE
    conversations = np.array([lines[one.line].conversation_id for one in said])
    drafts = {}
    for language in ("zh", "en"):
        here = [place for place, one in enumerate(said) if one.language == language]
        chosen = _chosen(here, said, near, alike, conversations)
        if chosen:
            chosen = sorted(chosen, key=lambda place: (said[place].place, said[place].line))
            sources = tuple(
                Source(said[place].text, tuple(sorted(set(conversations[alike[place]].tolist())))) for place in chosen
            )
            joint = "" if language == "zh" else " "
            drafts[language] = DraftedAnswer(joint.join(one.text for one in sources), sources)
    return drafts


def _chosen(
    here: Sequence[int],
    said: Sequence[_Sentence],
    near: Floats,
    alike: npt.NDArray[np.bool_],
    conversations: npt.NDArray[np.str_],
) -> list[int]:
    """The best sentences, none of which says what another one says."""

    def told_by(place: int) -> int:
        return len(set(conversations[alike[place]].tolist()))

    def worth(place: int) -> tuple[float, int]:
        # What several said counts, and among those who said the same the fullest wording.
        return float(near[place]) + 0.15 * min(told_by(place) - 1, 3) + min(len(said[place].text), 120) / 1200, -place

    fits = [place for place in here if near[place] >= (FITS if told_by(place) < 2 else _FITS_TOLD_TWICE)]
    if not fits:
        return []
    best = max(fits, key=worth)
    # A sentence without the others of its reply often hangs in the air, so those beside a chosen one are welcome.
    beside = [place for place in here if said[place].line == said[best].line]
    chosen: list[int] = [best]
    for place in sorted(dict.fromkeys((*fits, *beside)), key=worth, reverse=True):
        if len(chosen) < MOST and not any(alike[place, other] for other in chosen):
            chosen.append(place)
    return chosen


def _sentences_of(line: Line, number: int) -> list[_Sentence]:
    language = language_of(line.text)
    parts = (" ".join(one.split()) for one in sentences(line.text, language))
    return [_Sentence(text, language, number, place) for place, text in enumerate(parts) if text]


def _general(text: str, usable: Callable[[str], bool]) -> bool:
    return usable(text) and _ASKS_BACK.search(text) is None and _OWN_CASE.search(text) is None


def typical(vectors: Floats) -> list[int]:
    """The places of vectors, the one that stands for all of them first."""
    centre = vectors.mean(axis=0)
    return [int(place) for place in np.argsort(-np.round(vectors @ centre, 5), kind="stable")]
