"""The catalogue's regular expressions, each tried only on texts that have the characters it cannot match without."""

from __future__ import annotations

import re
import sre_parse
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.entities.candidates import CHECK, CONTEXT, CONTEXT_AND_CHECK, PATTERN, Candidate
from bot.entities.catalogue import EntityType, Pattern
from bot.entities.checksums import CHECKSUMS
from bot.entities.normalisers import compact, normalise

#: Characters by how little they tell: a pattern that needs a rare one is skipped for most texts.
_COMMON = {
    character: weight for weight, group in ((8, " etaoin"), (5, "shrdlucm"), (3, "wfgypb")) for character in group
}
_LARGEST = 120
_SETS = 3
_DIGITS = frozenset("0123456789")
#: A message longer than this is no bare answer.
_LONGEST_ANSWER = 48


@dataclass(frozen=True)
class Text:
    """A message as the finders see it: ``folded`` keeps its capitals, ``lower`` does not; both have its length."""

    folded: str
    lower: str
    characters: frozenset[str]
    han: bool


Words = dict[str, list[tuple[int, int]]]


@dataclass(frozen=True)
class Compiled:
    """A pattern ready to run."""

    kind: EntityType
    pattern: Pattern
    regex: re.Pattern[str]
    required: tuple[frozenset[str], ...]
    order: int

    def candidates(self, text: Text, words: Words, said: tuple[int, int]) -> Iterator[Candidate]:
        """Where the pattern holds. ``words`` are the context words of the text by their places, ``said`` its bare extent."""
        pattern = self.pattern
        near = [place for word in pattern.near for place in words.get(word, ())]
        after = [place for word in pattern.after for place in words.get(word, ())]
        if (pattern.near and not near) or (pattern.after and not after):
            return
        if pattern.script is not None and (pattern.script == "han") != text.han:
            return
        source = text.folded if pattern.case else text.lower
        if pattern.whole:
            whole = self.regex.fullmatch(source, *said)
            matches: Iterator[re.Match[str]] = iter([whole] if whole and said[0] < said[1] else [])
        else:
            matches = self.regex.finditer(source)
        for match in matches:
            start, end = match.span("v") if "v" in self.regex.groupindex else match.span()
            if pattern.near and not any(place[1] <= start and start - place[1] <= pattern.within for place in near):
                continue
            if pattern.after and not any(end <= place[0] and place[0] - end <= pattern.within for place in after):
                continue
            written = text.folded[start:end]
            if pattern.checksum and not CHECKSUMS[pattern.checksum](compact(written)):
                continue
            context = bool(pattern.near or pattern.after) or start > match.start() or pattern.whole
            evidence = (
                CONTEXT_AND_CHECK
                if pattern.checksum and context
                else CONTEXT
                if context
                else CHECK
                if pattern.checksum
                else PATTERN
            )
            yield Candidate(
                self.kind.name,
                start,
                end,
                evidence,
                partial(self.value, match, written),
                self.kind.priority,
                self.order,
                pattern.core,
                pattern.only_core,
            )

    def value(self, match: re.Match[str], written: str) -> Any:
        """The typed value of a match."""
        if self.pattern.value is not None:
            return self.pattern.value
        return normalise(self.pattern.normaliser or self.kind.normaliser or "plain", written, match.groupdict())


class Patterns:
    """All patterns of a catalogue, in groups of which most texts need only a few."""

    def __init__(self, kinds: Iterable[EntityType]) -> None:
        """Compiles them."""
        self._by_word: dict[str, list[Compiled]] = defaultdict(list)
        self._whole: list[Compiled] = []
        self._with_digits: list[Compiled] = []
        self._others: list[Compiled] = []
        for order, kind in enumerate(kinds):
            for pattern in kind.patterns:
                required = required_characters(pattern.regex)
                compiled = Compiled(kind, pattern, re.compile(pattern.regex), required, order)
                if pattern.near or pattern.after:
                    for word in pattern.near or pattern.after:
                        self._by_word[word].append(compiled)
                elif pattern.whole:
                    self._whole.append(compiled)
                elif any(characters <= _DIGITS for characters in required):
                    self._with_digits.append(compiled)
                else:
                    self._others.append(compiled)

    def find(self, text: Text, words: Words, said: tuple[int, int]) -> list[Candidate]:
        """Every match of every pattern."""
        chosen = {id(compiled): compiled for word in words for compiled in self._by_word.get(word, ())}
        groups = [list(chosen.values()), self._others]
        if not _DIGITS.isdisjoint(text.characters):
            groups.append(self._with_digits)
        if said[1] - said[0] <= _LONGEST_ANSWER:
            groups.append(self._whole)
        found: list[Candidate] = []
        characters = text.characters
        for group in groups:
            for compiled in group:
                for required in compiled.required:
                    if required.isdisjoint(characters):
                        break
                else:
                    found += compiled.candidates(text, words, said)
        return found


def required_characters(regex: str) -> tuple[frozenset[str], ...]:
    """Sets of lower-case characters of each of which every match has at least one; the most telling few."""
    found = {characters for characters in _required(sre_parse.parse(regex)) if characters}
    return tuple(sorted(found, key=_commonness)[:_SETS])


def _commonness(characters: frozenset[str]) -> float:
    return sum(_COMMON.get(character, 1 if character.isascii() else 0.05) for character in characters)


def _required(parsed: Any) -> Iterator[frozenset[str]]:
    for operation, argument in parsed:
        name = str(operation)
        if name == "LITERAL":
            yield frozenset(chr(argument).lower())
        elif name == "IN":
            characters = _members(argument)
            if characters:
                yield characters
        elif name in {"MAX_REPEAT", "MIN_REPEAT"} and argument[0] >= 1:
            yield from _required(argument[2])
        elif name == "SUBPATTERN":
            yield from _required(argument[-1])
        elif name == "BRANCH":
            branches = [sorted(_required(branch), key=_commonness) for branch in argument[1]]
            if all(branches):
                union = frozenset().union(*(branch[0] for branch in branches))
                if len(union) <= _LARGEST:
                    yield union


def _members(items: Any) -> frozenset[str] | None:
    characters: set[str] = set()
    for operation, argument in items:
        name = str(operation)
        if name == "LITERAL":
            characters.add(chr(argument).lower())
        elif name == "RANGE" and argument[1] - argument[0] < _LARGEST:
            characters |= {chr(code).lower() for code in range(argument[0], argument[1] + 1)}
        elif name == "CATEGORY" and str(argument) == "CATEGORY_DIGIT":
            characters |= set("0123456789")
        else:
            return None
    return frozenset(characters) if len(characters) <= _LARGEST else None
