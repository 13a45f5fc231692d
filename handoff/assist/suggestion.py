"""The suggested reply, without a language model: what the best article says, or what agents said in similar conversations
when that is better supported; and why."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from handoff.assist.precedents import Precedent, usable
from knowledge_base.encoder import Vectors
from knowledge_base.results import Answer
from knowledge_base.splitting import sentences
from knowledge_base.wording import language_of

LEAST_SUPPORT = 0.5
_ALIKE = 0.55  #: cosine from which two replies say the same
_CERTAIN, _NONE = 0.85, 0.45  #: similarities at which a conversation supports fully and not at all
_MOST = 0.9  #: one conversation never supports more than this
_QUALITY = {None: 0.75, 1: 0.1, 2: 0.25, 3: 0.6, 4: 0.95, 5: 1.0}  #: by rating
_OTHER_TASK = 0.6  #: what a conversation about another matter counts
#: What holds for one order only; a policy is said in other words.
_PARTICULAR = re.compile(
    r"(?i)\b(?:your (?:order|parcel|refund|ticket|package)|i(?:'ve| have) (?:just )?(?:cancelled|changed|refunded|sent|opened|updated|checked|reset|issued)|"
    r"i(?:'ll| will) (?:call|e-?mail|send you)|\d{4}-\d{2}-\d{2}|\d{1,2}:\d{2})\b"
    r"|我(?:已经|刚|帮您|给您|这边)(?:.{0,6})(?:取消|修改|退款|退了|寄出|登记|提交|查到|补发|重置)|您的(?:订单|包裹|快递|退款)|\d{1,2}月\d{1,2}[日号]|\d{1,2}[:：]\d{2}"
)
#: The cosine of each text with each other one.
Similarities = Callable[[Sequence[str]], Awaitable[Vectors]]


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A reply with its support: ``origin`` is "article" or "conversations", ``because`` the ids it rests on."""

    text: str
    language: str
    origin: str
    because: tuple[str, ...]
    support: float  #: 0 to 1
    citations: tuple[dict[str, str], ...] = ()
    title: str = ""  #: of the article

    def to_json(self) -> dict[str, Any]:
        """As the console shows it."""
        return {
            "text": self.text,
            "language": self.language,
            "origin": self.origin,
            "because": list(self.because),
            "support": round(self.support, 4),
            "citations": list(self.citations),
            "title": self.title,
        }


async def suggest(
    answer: Answer | None,
    text: str,
    citation: Mapping[str, str] | None,
    precedents: Sequence[Precedent],
    language: str,
    intent: str | None,
    similarities: Similarities,
) -> Suggestion | None:
    """The better supported of the two, in ``language``; None when neither is good enough.

    ``answer`` is what the best article says that the contact may read, ``text`` the part of it that may be quoted.
    """
    quoted = None
    if answer is not None and text and citation is not None and answer.language == language:
        quoted = Suggestion(
            text, language, "article", (citation["passage_id"],), answer.score, (dict(citation),), citation["title"]
        )
    told = await said_before(precedents, language, intent, similarities)
    if told is not None and (quoted is None or told.support > quoted.support):
        return told
    return quoted


async def said_before(
    precedents: Sequence[Precedent], language: str, intent: str | None, similarities: Similarities
) -> Suggestion | None:
    """What agents said in the similar conversations, if several say it or one says it well."""
    replies = [
        (place, fit)
        for place, one in enumerate(precedents)
        for reply in one.replies
        if (fit := general(reply, language))
    ]
    if not replies:
        return None
    near = await similarities([reply for _, reply in replies])
    best: tuple[float, int, set[int]] | None = None
    for row, (place, _) in enumerate(replies):
        agreeing = {other for column, (other, _) in enumerate(replies) if float(near[row, column]) >= _ALIKE} | {place}
        support = supported([precedents[other] for other in agreeing], intent)
        if best is None or support > best[0] + 1e-6:
            best = (support, row, agreeing)
    assert best is not None
    support, row, agreeing = best
    if support < LEAST_SUPPORT:
        return None
    because = tuple(precedents[place].conversation.id for place in sorted(agreeing))
    return Suggestion(replies[row][1], language, "conversations", because, support)


def general(reply: str, language: str) -> str:
    """The sentences of a masked reply that hold for anybody: without placeholders and without one order's particulars."""
    if language_of(reply) != language:
        return ""
    kept = [part for part in sentences(reply, language) if usable(part) and not _PARTICULAR.search(part)]
    said = "".join(kept).strip()
    # What is left of a reply must still say something.
    return said if len(said) >= (8 if language == "zh" else 20) else ""


def supported(precedents: Sequence[Precedent], intent: str | None) -> float:
    """How sure these conversations make that a reply fits: each adds what the others leave open."""
    doubt = 1.0
    for one in precedents:
        likeness = min(max((one.similarity - _NONE) / (_CERTAIN - _NONE), 0.0), 1.0)
        fits = 1.0 if intent is None or one.intent in (None, intent) else _OTHER_TASK
        doubt *= 1.0 - _MOST * likeness * _QUALITY.get(one.rating, 0.75) * fits
    return 1.0 - doubt
