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
    content_words,
    han_share,
    has_markup,
    links,
    names_in,
    polarity,
    split_lead,
    strange_names,
)
from knowledge_base.generation.propositions import Proposition, contradicted, propositions, same_dimension
from knowledge_base.generation.quantities import Quantity, quantities
from knowledge_base.splitting import sentences
from knowledge_base.wording import fold, language_of, plain

MAX_SENTENCES = 8
MAX_SENTENCE = 400  #: characters
MAX_ANSWER = 1200
_REMEMBERED = 4096  #: sentence vectors of passages
_LEAK_LETTERS = 28  #: a run of the prompt this long, and not in the passages, was copied
_CLEARLY_NEARER = 0.1
_WORTH_A_LOOK = 2  #: words that carry meaning; a clause with fewer is not weighed on its own
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、])\s+")


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a sentence counts as supported; ``benchmarks/fit_faithfulness.py`` fits the weights behind it."""

    same_language: float = 0.5
    across: float = 0.5
    clause: float = 0.35  #: of each clause on its own, which has fewer words to be compared


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
    """One sentence of a passage."""

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
    propositions: tuple[Proposition, ...]
    links: frozenset[str]
    _vectors: list[Vectors] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Features:
    """What the weighed part of the decision looks at, each 0..1."""

    across: bool
    nearness: float
    covered: float
    anchored: float  #: 1 when the sentence holds a number, which the passage then has as well


Encode = Callable[[Sequence[str]], Vectors]


class FaithfulnessChecker:
    """Checks sentences with the vectors that ``encode`` gives (one row of length one per text, any language)."""

    def __init__(self, encode: Encode, limits: Limits | None = None) -> None:
        self._encode = encode
        self._limits = limits or Limits()
        self._vectors: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()

    def warm_up(self) -> None:
        """Load dictionaries and models now, which takes seconds that a turn does not have."""
        for language, text in (("en", "Parcels arrive within 3 days."), ("zh", "包裹三天内送达。")):
            passage = Passage("", language, "", text, (), text, "", 0)
            self.check([Cited(text, ("p1",))], {"p1": (passage, text)}, language, [text])

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

    def _against(self, cited: Cited, text: str, language: str, short: str, evidence: _Evidence, usable: str) -> Verdict:
        features, window, weakest = self._weigh(text, language, evidence)
        support = support_of(features)
        quote = _as_written(window.text, usable, evidence.language)

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
        lead, body = split_lead(text)
        denies, either_way = polarity(body, language)
        if lead is not None and body.strip() and not either_way and lead == denies:
            return refuse("negation")
        if features.across:
            otherwise = self._otherwise_across(body, language, evidence)
        else:
            otherwise = contradicted(propositions(body, language), evidence.propositions, evidence.context)
        if otherwise:
            return refuse("negation" if otherwise == "not" else "number_elsewhere", otherwise)
        if not features.across and _mixed(propositions(body, language), evidence):
            return refuse("mixed")
        if support < (self._limits.across if features.across else self._limits.same_language):
            return refuse("meaning")
        if weakest < self._limits.clause:
            return refuse("clause")
        return Verdict(cited, True, "", "", short, quote, support)

    def _weigh(self, text: str, language: str, evidence: _Evidence) -> tuple[Features, _Window, float]:
        """The features of a sentence, the passage's sentence it is nearest to, and the support of its weakest clause."""
        body = split_lead(text)[1]
        features, window = self._features(body, frozenset(content_words(body, language)), language, evidence)
        claim = propositions(body, language)
        if evidence.language == language and any(
            len(one.words) == 1 and not one.words & evidence.words for one in claim
        ):
            return features, window, 0.0
        parts = [one for one in claim if len(one.words) >= _WORTH_A_LOOK]
        if len(parts) < 2:
            return features, window, 1.0
        weakest = min(support_of(self._features(one.text, one.words, language, evidence)[0]) for one in parts)
        return features, window, weakest

    def _features(
        self, text: str, words: frozenset[str], language: str, evidence: _Evidence
    ) -> tuple[Features, _Window]:
        across = evidence.language != language
        anchored = 1.0 if quantities(text) else 0.0
        row = self._of([text])[0]
        near = self._of([window.text for window in evidence.windows]) @ row
        parts = self._of([one.text for one in evidence.propositions]) @ row
        nearest = max(float(near.max()), float(parts.max()))
        if across or not words:
            best = int(np.argmax(near))
            return Features(across, nearest, 0.0, anchored if words else 0.0), evidence.windows[best]
        shares = np.array([len(words & (window.words | evidence.context)) / len(words) for window in evidence.windows])
        best = int(np.argmax(shares + 0.5 * near))
        return Features(False, nearest, float(shares[best]), anchored), evidence.windows[best]

    def _otherwise_across(self, text: str, language: str, evidence: _Evidence) -> str:
        """As ``contradicted``, where the words of both sides cannot be compared: by names and by nearness."""
        claim = propositions(text, language)
        near = self._of([one.text for one in evidence.propositions]) @ self._of([text])[0]
        order = list(zip(evidence.propositions, map(float, near), strict=True))
        spelled = [frozenset().union(*both) for both in names_in(text)]
        for number in quantities(text):
            holders = [(one, nearness) for one, nearness in order if any(number.fits(other) for other in one.numbers)]
            if not holders:
                continue
            rivals = [
                (one, nearness)
                for one, nearness in order
                if all(one is not holder for holder, _ in holders)
                and any(same_dimension(number, other) for other in one.numbers)
                and not any(other.fits(have) for other in one.numbers for said in claim for have in said.numbers)
            ]
            sentences_of = {one.sentence for one, _ in holders}
            beside = " ".join(one.text for one in evidence.propositions if one.sentence in sentences_of).lower()
            apart = " ".join(one.text for one in evidence.propositions if one.sentence not in sentences_of).lower()
            for spellings in spelled:
                if not any(name.lower() in beside for name in spellings) and any(
                    name.lower() in apart for name in spellings
                ):
                    return text[number.start : number.end].strip()
            nearest = max((nearness for _, nearness in rivals), default=-1.0)
            if nearest > max(nearness for _, nearness in holders) + _CLEARLY_NEARER:
                return text[number.start : number.end].strip()
        for said in claim:
            if not said.words or said.open:
                continue
            nearness = self._of([one.text for one in evidence.propositions]) @ self._of([said.text])[0]
            best = float(nearness.max())
            alike = [one for one, value in zip(evidence.propositions, nearness, strict=True) if value >= best - 0.02]
            if any(one.denies == said.denies or one.open for one in alike):
                continue
            sentence = evidence.propositions[int(np.argmax(near))].sentence
            denials = sum(one.denies for one in evidence.propositions if one.sentence == sentence)
            if denials != sum(one.denies for one in claim):
                return "not"
        return ""

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
    """How sure it is that the meaning is supported, 0..1; the weights are those of an early fit, which pass a little more and refuse nearly as much."""
    if features.across:
        weight = 7.9 * features.nearness + 2.1 * features.anchored - 4.4
    else:
        weight = 5.6 * features.nearness + 2.9 * features.covered + 0.8 * features.anchored - 5.4
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
    windows = tuple(_Window(part, frozenset(content_words(part, language))) for part in parts)
    everything = f"{heading}\n{' '.join(parts)}"
    context = frozenset(content_words(heading, language))
    return _Evidence(
        text=everything,
        language=language,
        windows=windows,
        context=context,
        words=frozenset().union(*(window.words for window in windows)) | context,
        numbers=tuple(quantities(everything)),
        propositions=tuple(propositions(chr(10).join(parts), language)),
        links=frozenset(links(everything)),
    )


def _strange_number(text: str, language: str, evidence: _Evidence) -> str:
    """A number of the sentence that the passage does not have, as written; empty when it has all."""
    for number in quantities(text):
        if not any(number.fits(other) for other in evidence.numbers):
            return text[number.start : number.end].strip()
    return ""


def _mixed(claim: Sequence[Proposition], evidence: _Evidence) -> bool:
    """Whether a clause joins words of one sentence of the passage with a word that stands only in others."""
    for said in claim:
        known = said.words & evidence.words - evidence.context
        best = max(len(known & window.words) for window in evidence.windows)
        near = [window.words for window in evidence.windows if len(known & window.words) == best]
        if not any(known <= words for words in near):
            return True
    return False


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
