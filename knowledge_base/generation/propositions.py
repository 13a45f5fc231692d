"""Takes sentences apart into what is said of what, and notices when a sentence joins parts that the passage keeps apart.

"Phones have 24 months, laptops 36" holds every word of "laptops have 24 months". What gives the exchange away is that
the strange part ("laptops") stands only in propositions that say something else: another number of the same kind, or
the opposite.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from knowledge_base.generation.claims import content_words, polarity
from knowledge_base.generation.quantities import Quantity, quantities

_END_EN = re.compile(r"(?<=[.!?])\s+|[;\n|]+|:\s")
_TURN_EN = re.compile(
    r",?\s+(?=(?:but|while|whereas|although|though|even if|even when|when|if|unless|as long as|because|so that)\b)|,\s+|\s[–—]\s|\s+(?=and\b)"
)
_END_ZH = re.compile(r"[。；！？;!?\n|]+|[:：](?=\D)")
_TURN_ZH = re.compile(r"[，,]+|(?=但是?)|(?<=\S)(?=而(?!且))")
_VERB_EN = re.compile(
    r"\b(?:is|are|was|were|be|been|being|am|can|cannot|may|might|must|will|would|should|could|has|have|had|do|does|did|gets?|"
    r"costs?|takes?|needs?|wants?|pays?|appl(?:y|ies)|comes?|arrives?|becomes?|keeps?|sends?|works?|connects?|charges?|uses?|"
    r"choose|hold|open|press|rinse|wait|belongs?|goes|go|gives?|shows?|means?|covers?|counts?|stays?|starts?|ends?|leaves?|"
    r"opens?|closes?|let|lets|asks?|returns?|tak(?:es|en)|contact|write|call|sign|select|tap|click|enter|read|see)\b|n['’]t\b"
)
_TOPIC_ZH = re.compile(r"(?:的|后|时|前|时候|期间|的话|之外|情况下)$|^(?:如果|若|如|要是|凡|对于|关于)")
_MONEY = frozenset({"CNY", "HKD", "SGD", "GBP", "EUR", "USD"})
_DURATION = frozenset({"hour", "workday", "month"})
_SMALL = 0.4  #: share of a clause's words; fewer in common and nothing is compared
_NEARLY = 0.8


@dataclass(frozen=True, slots=True)
class Proposition:
    """One clause: its words, its numbers, whether it denies and whether it only restricts."""

    text: str
    words: frozenset[str]
    numbers: tuple[Quantity, ...]
    denies: bool
    open: bool  #: may be said either way ("only …", "free of charge")
    sentence: int  #: which sentence of the text it belongs to


def propositions(text: str, language: str) -> list[Proposition]:
    """The propositions of a folded text in order."""
    found: list[Proposition] = []
    for number, sentence in enumerate(part for part in (_END_ZH if language == "zh" else _END_EN).split(text) if part):
        for clause in _clauses(sentence, language):
            denies, either_way = polarity(clause, language)
            words = frozenset(content_words(clause, language))
            found.append(Proposition(clause, words, tuple(quantities(clause)), denies, either_way, number))
    return found


def _clauses(sentence: str, language: str) -> list[str]:
    parts = [
        part.strip() for part in (_TURN_ZH if language == "zh" else _TURN_EN).split(sentence) if part and part.strip()
    ]
    joined: list[str] = []
    waiting = ""
    for place, part in enumerate(parts):
        part = f"{waiting} {part}".strip() if waiting else part
        waiting = ""
        last = place == len(parts) - 1
        if language == "zh":
            if _TOPIC_ZH.search(part) and not last:
                waiting = part + "，"
                continue
        elif not _VERB_EN.search(part.lower()) and not quantities(part):
            if joined and (last or (_VERB_EN.search(joined[-1].lower()) and not _starts_list(parts[place:]))):
                joined[-1] = f"{joined[-1]}, {part}"
            else:
                waiting = part + ","
            continue
        joined.append(part)
    if waiting:
        if joined:
            joined[-1] = f"{joined[-1]}, {waiting.rstrip(',，')}"
        else:
            joined.append(waiting.rstrip(",，"))
    return joined


def _starts_list(parts: Sequence[str]) -> bool:
    """Whether parts without a verb lead up to one that has it, as subjects before their predicate."""
    following = next((part for part in parts[1:] if _VERB_EN.search(part.lower())), None)
    return following is not None and not re.match(
        r"(?:and|or)?\s*(?:it|they|you|we|he|she|this|that)\b", following.lower()
    )


def same_dimension(first: Quantity, second: Quantity) -> bool:
    """Whether two numbers could be taken for each other."""
    return first.unit == second.unit or {first.unit, second.unit} <= _MONEY or {first.unit, second.unit} <= _DURATION


def contradicted(claim: Sequence[Proposition], passage: Sequence[Proposition], context: frozenset[str]) -> str:
    """What the passage says otherwise: the number it says of something else, or "not"; empty when nothing.

    ``context`` are words of title and headings, which belong to every proposition of the passage.
    """
    known = frozenset().union(*(one.words for one in passage)) | context
    for said in claim:
        words = said.words & known
        for number in said.numbers:
            if not any(number.fits(other) for one in passage for other in one.numbers):
                continue  # told apart elsewhere
            if not _holds_together(said, number, words, passage):
                return said.text[number.start : number.end].strip()
    if not _same_sense(claim, passage, known, context):
        return "not"
    return ""


def _holds_together(said: Proposition, number: Quantity, words: frozenset[str], passage: Sequence[Proposition]) -> bool:
    holders = [one for one in passage if any(number.fits(other) for other in one.numbers)]
    rivals = [one for one in passage if one not in holders and _rivals(one, number, said)]
    if not rivals:
        return True
    others = [other for other in said.numbers if other is not number]
    elsewhere = [one.words for one in passage if one not in rivals]
    for holder in holders:
        together = [any(other.fits(have) for have in holder.numbers) for other in others]
        if others and all(together) and holder.words <= said.words:
            return True  # "for twelve 5%": short for what was said before
        if not all(together) and any(
            other.fits(have) for other in others for rival in rivals for have in rival.numbers
        ):
            continue
        strange = [
            word
            for word in words - holder.words
            if any(word in rival.words for rival in rivals) and not any(word in other for other in elsewhere)
        ]
        nearest = max(len(words & rival.words) for rival in rivals)
        if not strange or nearest < len(words & holder.words):
            return True
    return False


def _rivals(one: Proposition, number: Quantity, said: Proposition) -> bool:
    """Whether a proposition has another number of the same kind, which the claim does not name as well."""
    alike = [other for other in one.numbers if same_dimension(number, other)]
    return bool(alike) and not any(other.fits(have) for other in alike for have in said.numbers)


def _same_sense(
    claim: Sequence[Proposition], passage: Sequence[Proposition], known: frozenset[str], context: frozenset[str]
) -> bool:
    for said in claim:
        words = said.words & known
        if not words or len(words) < _SMALL * len(said.words):
            continue
        shares = [(len(words & (one.words | context)) / len(words), one) for one in passage]
        best = max(share for share, _ in shares)
        if best < _SMALL:
            continue
        alike = [one for share, one in shares if share >= _NEARLY * best]
        agreeing = [one for one in alike if said.open or one.open or one.denies == said.denies]
        if not agreeing:
            if not _denied_as_often(claim, alike, passage):
                return False
            continue
        if said.open:
            continue
        opposed = [one for one in passage if one.denies != said.denies and not one.open]
        rest = [one for one in passage if one not in opposed]
        near = max(agreeing, key=lambda one: len(words & one.words)).sentence
        for word in words:
            # A word that stands only where the opposite is said: in the passage, or in the sentence that is meant.
            against = [one for one in opposed if word in one.words]
            beside = [one for one in against if one.sentence == near]
            exclusive = against and word not in context and not any(word in one.words for one in rest)
            turned = beside and not any(word in one.words for one in rest if one.sentence == near)
            if (exclusive or turned) and not _denied_as_often(claim, against, passage):
                return False
    return True


def _denied_as_often(
    claim: Sequence[Proposition], alike: Sequence[Proposition], passage: Sequence[Proposition]
) -> bool:
    """Whether claim and the passage's sentence deny equally often, only in clauses that were cut differently."""
    denials = sum(said.denies for said in claim)
    if not denials:
        return False
    return any(sum(other.denies for other in passage if other.sentence == one.sentence) == denials for one in alike)
