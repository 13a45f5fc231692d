"""Decides for every sentence of an answer whether a passage it cites says so; what is in doubt is not supported.

Some claims are compared exactly: numbers with their units, names, links, and whether something is denied. The rest of
the meaning is weighed: how many of the sentence's words the nearest sentences of the passage have, and how near their
vectors are. Across languages the words say nothing and the vectors alone decide.
"""

from __future__ import annotations

import math
import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from knowledge_base.articles import Passage
from knowledge_base.encoder import Vectors
from knowledge_base.generation.claims import (
    clauses,
    content_words,
    han_share,
    has_markup,
    links,
    polarity,
    split_lead,
    strange_names,
)
from knowledge_base.generation.quantities import Quantity, quantities
from knowledge_base.splitting import sentences
from knowledge_base.wording import fold, language_of, plain

MAX_SENTENCES = 8
MAX_SENTENCE = 400  #: characters
MAX_ANSWER = 1200
_REMEMBERED = 4096  #: sentence vectors of passages
_LEAK_LETTERS = 28  #: a run of the prompt this long, and not in the passages, was copied
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、])\s+")


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a sentence counts as supported; fitted by ``benchmarks/fit_faithfulness.py``."""

    same_language: float = 0.5
    across: float = 0.5


@dataclass(frozen=True, slots=True)
class Cited:
    """A sentence as the model wrote it, with the short ids of the passages it names."""

    text: str
    passages: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether a sentence may be said; ``reason`` is a code, empty when it may."""

    sentence: Cited
    supported: bool
    reason: str
    detail: str = ""  #: the number, name or link that no cited passage has
    passage: str = ""  #: the short id of the passage that says it
    quote: str = ""  #: the words of that passage, exactly as written
    support: float = 0.0  #: 0..1, how sure; comparable with the limits


@dataclass(frozen=True, slots=True)
class _Window:
    """One or two neighbouring sentences of a passage."""

    text: str
    words: frozenset[str]


@dataclass(frozen=True, slots=True)
class _Evidence:
    """A passage prepared for comparing."""

    text: str  #: folded, with title and headings
    language: str
    windows: tuple[_Window, ...]
    context: frozenset[str]  #: words of title and headings
    words: frozenset[str]
    numbers: tuple[Quantity, ...]
    clauses: tuple[str, ...]
    links: frozenset[str]
    _vectors: list[Vectors] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Features:
    """What the weighed part of the decision looks at, each 0..1."""

    across: bool
    nearness: float
    covered: float
    strange: float  #: share of words that the whole passage does not have


Encode = Callable[[Sequence[str]], Vectors]


class FaithfulnessChecker:
    """Checks sentences with the vectors that ``encode`` gives (one row of length one per text, any language)."""

    def __init__(self, encode: Encode, limits: Limits | None = None) -> None:
        self._encode = encode
        self._limits = limits or Limits()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def check(
        self,
        cited: Sequence[Cited],
        passages: Mapping[str, tuple[Passage, str]],
        language: str,
        never_said: Sequence[str] = (),
    ) -> list[Verdict]:
        """A verdict per sentence; ``passages`` are by short id with the text that counts, ``never_said`` is the prompt."""
        prepared: dict[str, _Evidence] = {}
        leaks = _runs(never_said, [text for _, text in passages.values()])
        return [self._verdict(sentence, passages, prepared, language, leaks) for sentence in cited]

    def features(self, sentence: str, passage: Passage, text: str, language: str) -> Features:
        """What the decision weighs for one sentence, for fitting the limits."""
        return self._weigh(fold(sentence), language, _prepare(passage, text))[0]

    def _verdict(
        self,
        cited: Cited,
        passages: Mapping[str, tuple[Passage, str]],
        prepared: dict[str, _Evidence],
        language: str,
        leaks: frozenset[str],
    ) -> Verdict:
        problem = _form_problem(cited, passages, language, leaks)
        if problem:
            return Verdict(cited, False, problem)
        text = fold(_LIST_MARK.sub("", cited.text))
        verdicts: list[Verdict] = []
        for short in dict.fromkeys(cited.passages):
            passage, usable = passages[short]
            if short not in prepared:
                prepared[short] = _prepare(passage, usable)
            verdict = self._against(cited, text, language, short, prepared[short], usable)
            if verdict.supported:
                return verdict
            verdicts.append(verdict)
        return max(verdicts, key=lambda verdict: verdict.support)

    def _against(
        self, cited: Cited, text: str, language: str, short: str, evidence: _Evidence, usable: str
    ) -> Verdict:
        features, window = self._weigh(text, language, evidence)
        support = support_of(features)
        quote = _as_written(window, usable, evidence.language)

        def refuse(reason: str, detail: str = "") -> Verdict:
            return Verdict(cited, False, reason, detail, short, quote, support)

        strange_links = links(text) - evidence.links
        if strange_links:
            return refuse("link", sorted(strange_links)[0])
        number = _strange_number(text, language, evidence)
        if number:
            return refuse("number", number)
        names = strange_names(text, language, evidence.text)
        if names:
            return refuse("name", names[0])
        if not self._same_polarity(text, language, evidence):
            return refuse("negation")
        moved = None if features.across else _moved_number(text, language, evidence)
        if moved:
            return refuse("number_elsewhere", moved)
        if support < (self._limits.across if features.across else self._limits.same_language):
            return refuse("meaning")
        return Verdict(cited, True, "", "", short, quote, support)

    def _weigh(self, text: str, language: str, evidence: _Evidence) -> tuple[Features, str]:
        across = evidence.language != language
        body = split_lead(text)[1]
        words = set(content_words(body, language))
        near = self._of([window.text for window in evidence.windows]) @ self._of([body])[0]
        if across or not words:
            best = int(np.argmax(near))
            strange = 0.0 if words else 1.0
            return Features(across, float(near[best]), 0.0, strange), evidence.windows[best].text
        shares = np.array([len(words & (window.words | evidence.context)) / len(words) for window in evidence.windows])
        best = int(np.argmax(shares + 0.5 * near))
        strange = len(words - evidence.words) / len(words)
        return Features(False, float(near.max()), float(shares[best]), strange), evidence.windows[best].text

    def _same_polarity(self, text: str, language: str, evidence: _Evidence) -> bool:
        lead, body = split_lead(text)
        denies, restricts = polarity(body, language)
        if lead is not None and body.strip() and not restricts and lead == denies:
            return False
        if evidence.language != language:
            return self._polarity_across(body, language, evidence)
        for clause in clauses(body, language):
            words = set(content_words(clause, language))
            if not words:
                continue
            shares = [
                (len(words & set(content_words(other, language))) / len(words), other) for other in evidence.clauses
            ]
            best = max((share for share, _ in shares), default=0.0)
            if best < 0.4:
                continue
            denied, restricted = polarity(clause, language)
            alike = [polarity(other, language) for share, other in shares if share >= 0.85 * best]
            if not any(denied == no or restricted or only for no, only in alike):
                return False
        return True

    def _polarity_across(self, text: str, language: str, evidence: _Evidence) -> bool:
        denied, restricted = polarity(text, language)
        near = self._of(list(evidence.clauses)) @ self._of([text])[0]
        best = float(near.max())
        alike = [
            polarity(clause, evidence.language)
            for clause, nearness in zip(evidence.clauses, near, strict=True)
            if nearness >= best - 0.05
        ]
        return any(denied == no or restricted or only for no, only in alike)

    def _of(self, texts: Sequence[str]) -> Vectors:
        with self._lock:
            missing = [text for text in dict.fromkeys(texts) if text not in self._vectors]
            if missing:
                for text, row in zip(missing, self._encode(missing), strict=True):
                    self._vectors[text] = row
            rows = np.stack([self._vectors[text] for text in texts])
            for text in texts:
                self._vectors.move_to_end(text)
            while len(self._vectors) > _REMEMBERED:
                self._vectors.popitem(last=False)
        return rows


def support_of(features: Features) -> float:
    """How sure it is that the meaning is supported, 0..1."""
    if features.across:
        weight = 14.0 * (features.nearness - 0.5) - 4.0 * features.strange
    else:
        weight = 5.0 * (features.covered - 0.6) + 6.0 * (features.nearness - 0.5) - 4.0 * features.strange
    return 1.0 / (1.0 + math.exp(-weight))


def _form_problem(
    cited: Cited, passages: Mapping[str, tuple[Passage, str]], language: str, leaks: frozenset[str]
) -> str:
    """What is wrong with a sentence whatever the passages say; empty when nothing is."""
    if not cited.passages:
        return "no_passage"
    if any(short not in passages for short in cited.passages):
        return "unknown_passage"
    text = cited.text
    if len(text) > MAX_SENTENCE:
        return "too_long"
    if has_markup(text):
        return "markup"
    share = han_share(text)
    evidence = " ".join(passage for _, passage in passages.values())
    if language == "zh" and (share < 0.3 or language_of(text) != "zh") and not _names_only(text, evidence):
        return "language"
    if language == "en" and share > 0.1:
        return "language"
    if leaks and any(run in leaks for run in _shingles(text)):
        return "prompt"
    return ""


def _names_only(text: str, evidence: str) -> bool:
    """Whether a text without Chinese characters is nothing but a value from the passages, such as an address."""
    return language_of(text) != "zh" and text.strip(" .。") in evidence


def _prepare(passage: Passage, text: str) -> _Evidence:
    language = passage.language
    parts = [part for raw in sentences(text, language) if (part := fold(plain(_LIST_MARK.sub("", raw)))).strip()]
    parts = parts or [fold(plain(text)) or " "]
    heading = fold(" ".join((passage.title, *passage.headings)))
    joined = parts + [f"{first} {second}" for first, second in zip(parts, parts[1:], strict=False)]
    windows = tuple(_Window(part, frozenset(content_words(part, language))) for part in joined)
    everything = f"{heading}\n{' '.join(parts)}"
    context = frozenset(content_words(heading, language))
    return _Evidence(
        text=everything,
        language=language,
        windows=windows,
        context=context,
        words=frozenset().union(*(window.words for window in windows)) | context,
        numbers=tuple(quantities(everything)),
        clauses=tuple(clause for part in parts for clause in (clauses(part, language) or [part])),
        links=frozenset(links(everything)),
    )


def _strange_number(text: str, language: str, evidence: _Evidence) -> str:
    """A number of the sentence that the passage does not have, as written; empty when it has all."""
    for number in quantities(text):
        if not any(number.fits(other) for other in evidence.numbers):
            return text[number.start : number.end].strip()
    return ""


def _moved_number(text: str, language: str, evidence: _Evidence) -> str:
    """A number that the passage says of something else: words beside it stand beside another number there."""
    parts = [(clause, quantities(clause), set(content_words(clause, language))) for clause in evidence.clauses]
    known = set().union(*(words for _, _, words in parts)) if parts else set()
    for clause in clauses(text, language):
        words = set(content_words(clause, language)) & known
        for number in quantities(clause):
            holders = [one for one in parts if any(number.fits(other) for other in one[1])]
            rivals = [
                one
                for one in parts
                if any(other.unit == number.unit and not number.fits(other) for other in one[1]) and one not in holders
            ]
            if not holders or not rivals or not words:
                continue
            best = max(len(words & one[2]) for one in holders)
            if max(len(words & one[2]) for one in rivals) > best:
                return clause[number.start : number.end].strip()
    return ""


def _as_written(window: str, text: str, language: str) -> str:
    """The slice of the passage that a window was made of."""
    raw = [part for part in sentences(text, language) if part.strip()]
    folded = [fold(plain(_LIST_MARK.sub("", part))) for part in raw]
    for first in range(len(raw)):
        for last in (first + 1, first + 2):
            if " ".join(folded[first:last]) == window:
                return plain("".join(raw[first:last]))
    return plain(text)


def _squeezed(text: str) -> str:
    return re.sub(r"\W+", "", fold(text).lower())


def _shingles(text: str) -> list[str]:
    squeezed = _squeezed(text)
    # A Chinese character says as much as two letters.
    size = _LEAK_LETTERS // 2 if han_share(text) > 0.5 else _LEAK_LETTERS
    return [squeezed[start : start + size] for start in range(max(0, len(squeezed) - size + 1))]


def _runs(prompt: Sequence[str], allowed: Sequence[str]) -> frozenset[str]:
    """Every run of letters of the prompt that is long enough to give it away and that no passage has."""
    passages = "\n".join(_squeezed(text) for text in allowed)
    runs: set[str] = set()
    for text in prompt:
        for size in (_LEAK_LETTERS, _LEAK_LETTERS // 2):
            squeezed = _squeezed(text)
            for start in range(max(0, len(squeezed) - size + 1)):
                run = squeezed[start : start + size]
                if (size == _LEAK_LETTERS or han_share(run) > 0.5) and run not in passages:
                    runs.add(run)
    return frozenset(runs)
