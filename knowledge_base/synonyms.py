"""Words that customers use for words that articles use, and other names of products; taught by trainers.

Synonyms change the question, never the articles: they work at once, and nothing has to be encoded again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

from knowledge_base.asking import is_small_word
from knowledge_base.errors import KnowledgeBaseError
from knowledge_base.wording import fold

Kind = Literal["synonym", "product"]
Scope = Literal["zh", "en", "both"]
LONGEST = 80
MOST = 5000


class SynonymRefused(KnowledgeBaseError):
    """A rule cannot be kept; ``code`` says why: empty, too_long, too_common, same, exists, loop, clash or too_many."""

    def __init__(self, code: str, message: str, other: Synonym | None = None) -> None:
        super().__init__(message)
        self.code = code
        self.other = other  #: the rule that is in the way


@dataclass(frozen=True, slots=True)
class Synonym:
    """One rule: who says ``term`` means ``means``; ``two_way`` also the other way round."""

    id: str
    kind: Kind
    language: Scope
    term: str
    means: str
    two_way: bool
    updated_at: datetime
    updated_by: str

    @property
    def pairs(self) -> tuple[tuple[str, str], ...]:
        """What is looked for in a question and what stands for it, folded and in lower case."""
        there = (bare(self.term), bare(self.means))
        return (there, (there[1], there[0])) if self.two_way else (there,)


@dataclass(frozen=True, slots=True)
class Understood:
    """A question after the synonyms: ``text`` with the articles' words in place of the customer's."""

    text: str
    replaced: tuple[tuple[str, str], ...] = ()  #: (what was said, what it means), in the order of the question


@dataclass(frozen=True, slots=True)
class ProductName:
    """A name of a product found in a message, by its place there."""

    product: str
    start: int
    end: int


def bare(text: str) -> str:
    """The form in which terms are compared."""
    return fold(text).lower()


def check(rule: Synonym, others: Sequence[Synonym]) -> Synonym:
    """The rule itself if it can be kept beside the others; raises ``SynonymRefused`` naming what is in the way."""
    term, means = bare(rule.term), bare(rule.means)
    if not term or not means:
        raise SynonymRefused("empty", "Both fields need a word: what customers say, and what it means.")
    if len(rule.term) > LONGEST or len(rule.means) > LONGEST:
        raise SynonymRefused("too_long", f"At most {LONGEST} characters in each field.")
    if is_small_word(term) or (rule.two_way and is_small_word(means)):
        small = rule.term if is_small_word(term) else rule.means
        raise SynonymRefused(
            "too_common", f"“{small}” stands in almost every question, so it cannot mean anything else."
        )
    if term == means:
        raise SynonymRefused("same", "Both fields say the same.")
    rest = [other for other in others if other.id != rule.id and _meet(other.language, rule.language)]
    if len(rest) >= MOST:
        raise SynonymRefused("too_many", f"There are {MOST} rules already. Delete some that nobody needs.")
    for other in rest:
        theirs = (bare(other.term), bare(other.means))
        if theirs == (term, means) or ((other.two_way or rule.two_way) and theirs == (means, term)):
            raise SynonymRefused("exists", f"There is such a rule already: {_told(other)}.", other)
        if theirs == (means, term):
            raise SynonymRefused(
                "loop", f"{_told(other)} says the opposite. Make that rule work both ways instead.", other
            )
        if other.kind == rule.kind == "product" and theirs[0] == term:
            raise SynonymRefused("clash", f"“{rule.term}” is a name of {other.means} already.", other)
        if rule.kind == "product" and other.kind == "product" and theirs[1] == term:
            raise SynonymRefused("clash", f"“{rule.term}” is the name of a product of its own.", other)
        if rule.kind == "product" and other.kind == "product" and theirs[0] == means:
            raise SynonymRefused("clash", f"“{rule.means}” is only another name of {other.means}. Use that.", other)
    round_trip = _way(means, term, rest)
    if not rule.two_way and round_trip:
        told = ", ".join(_told(other) for other in round_trip)
        raise SynonymRefused("loop", f"These rules lead back to “{rule.term}”: {told}.", round_trip[0])
    return rule


def _told(rule: Synonym) -> str:
    return f"“{rule.term}” {'↔' if rule.two_way else '→'} “{rule.means}”"


def _meet(first: Scope, second: Scope) -> bool:
    return first == second or "both" in (first, second)


def _way(start: str, goal: str, rules: Iterable[Synonym]) -> list[Synonym]:
    """The one-way rules that lead from one term to another, or none."""
    onward: dict[str, list[Synonym]] = {}
    for rule in rules:
        if not rule.two_way:
            onward.setdefault(bare(rule.term), []).append(rule)
    paths = [(start, list[Synonym]())]
    seen = {start}
    while paths:
        at, path = paths.pop()
        for rule in onward.get(at, ()):
            following = bare(rule.means)
            if following == goal:
                return [*path, rule]
            if following not in seen:
                seen.add(following)
                paths.append((following, [*path, rule]))
    return []


@dataclass(frozen=True)
class Synonyms:
    """All rules, ready to be used on questions."""

    rules: tuple[Synonym, ...] = ()

    def understand(self, text: str, language: str) -> Understood:
        """The question in the articles' words; of terms that overlap the longest counts, and each is replaced once."""
        meanings = self._meanings.get(language, {})
        finder = self._finders.get(language)
        if finder is None:
            return Understood(text)
        folded = fold(text)
        lower = folded.lower()
        if len(lower) != len(folded):  # a few letters change their length
            folded = lower
        said: list[tuple[str, str]] = []
        parts: list[str] = []
        at = 0
        for match in finder.finditer(lower):
            term = _one_space(match.group())
            means = meanings[term]
            if means.lower() in lower:  # the customer said both; nothing is gained
                continue
            parts += [folded[at : match.start()], _joined(folded, match.start(), match.end(), means)]
            said.append((folded[match.start() : match.end()], means))
            at = match.end()
        if not said:
            return Understood(text)
        return Understood("".join([*parts, folded[at:]]), tuple(said))

    def products_in(self, text: str) -> list[ProductName]:
        """The products that a message names by a taught name, with their places in the text as it was written."""
        finder = self._product_finder
        if finder is None:
            return []
        lower = text.lower()
        if len(lower) != len(text):
            return []
        names = self._products
        return [ProductName(names[_one_space(match.group())], *match.span()) for match in finder.finditer(lower)]

    @cached_property
    def _meanings(self) -> dict[str, dict[str, str]]:
        found: dict[str, dict[str, str]] = {"zh": {}, "en": {}}
        for rule in self.rules:
            forms = {bare(rule.term): rule.term.strip(), bare(rule.means): rule.means.strip()}
            for language, meanings in found.items():
                if _meet(rule.language, "zh" if language == "zh" else "en"):
                    for said, means in rule.pairs:
                        meanings.setdefault(said, forms[means])
        return found

    @cached_property
    def _finders(self) -> dict[str, re.Pattern[str]]:
        return {language: _finder(meanings) for language, meanings in self._meanings.items() if meanings}

    @cached_property
    def _products(self) -> dict[str, str]:
        return {bare(rule.term): rule.means.strip() for rule in self.rules if rule.kind == "product"}

    @cached_property
    def _product_finder(self) -> re.Pattern[str] | None:
        return _finder(self._products) if self._products else None


def _finder(terms: Iterable[str]) -> re.Pattern[str]:
    """Finds the terms as whole words where they are written in letters; the longest first."""
    patterns = []
    for term in sorted(terms, key=len, reverse=True):
        spaced = r"\s+".join(map(re.escape, term.split()))
        left = r"(?<![a-z0-9])" if term[0].isascii() and term[0].isalnum() else ""
        right = r"(?![a-z0-9])" if term[-1].isascii() and term[-1].isalnum() else ""
        patterns.append(f"{left}{spaced}{right}")
    return re.compile("|".join(patterns))


def _one_space(text: str) -> str:
    return " ".join(text.split())


def _joined(text: str, start: int, end: int, means: str) -> str:
    """The meaning with a space towards letters that would otherwise run into it."""
    before = " " if start and text[start - 1].isascii() and text[start - 1].isalnum() and means[0].isascii() else ""
    after = " " if end < len(text) and text[end].isascii() and text[end].isalnum() and means[-1].isascii() else ""
    return f"{before}{means}{after}"
