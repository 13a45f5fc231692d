"""Listed names found in a text: as written, by the sound of Chinese characters, in pinyin, and with a typing error.

spaCy's phrase matcher finds all of them, and the context words of patterns, in one pass over the words of the text.
"""

from __future__ import annotations

import logging
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import jieba
from pypinyin import lazy_pinyin
from rapidfuzz import process
from rapidfuzz.distance import OSA

from bot.entities.candidates import LISTED, SOUND, TYPO, Candidate
from bot.entities.catalogue import Catalogue, EntityType
from bot.entities.phrase_matcher import Doc, PhraseMatcher, Vocab
from bot.text import fold, is_cjk

jieba.setLogLevel(logging.WARNING)

_WORD = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff]+|\d+|[\u3400-\u9fff\uf900-\ufaff]|[^\w\s'’\-]")
#: A word shorter than this is not taken for a misspelt one.
_MISSPELT = 5
_PINYIN_LETTERS = 5
_UNKNOWN = "\u25cb"  # stands for every word no list has, so that spaCy's store of strings does not grow with the talk


@dataclass(frozen=True)
class _Entry:
    kind: EntityType
    value: Any
    exact: str | None = None  # the capitals it must be written in
    evidence: int = LISTED
    excluded: bool = False  # the words are none of this type, although a part of them would be


@dataclass(frozen=True)
class Found:
    """What the lists say about a text; ``excluded`` are types and the places where they are not meant."""

    candidates: list[Candidate]
    contexts: dict[str, list[tuple[int, int]]]
    excluded: list[tuple[str, int, int]]


class Gazetteer:
    """All listed names of a catalogue, indexed."""

    def __init__(self, catalogue: Catalogue, frequent: frozenset[str] = frozenset()) -> None:
        """``frequent`` are words people write often, which are therefore no misspelling of a listed one."""
        self._vocabulary = Vocab()
        self._matcher = PhraseMatcher(self._vocabulary, attr="ORTH")
        self._entries: dict[tuple[str, ...], list[_Entry]] = defaultdict(list)
        self._contexts: set[tuple[str, ...]] = set()
        self._names: dict[tuple[str, ...], str] = {}
        self._context = self._vocabulary.strings.add("context")
        self._known: set[str] = set()
        self._spellings: dict[tuple[str, int], list[str]] = defaultdict(list)
        self._sounds: dict[tuple[str, ...], list[tuple[str, _Entry]]] = defaultdict(list)
        self._longest_sound = 0
        self._order = {kind.name: place for place, kind in enumerate(catalogue.types)}
        self._frequent = frequent
        self._fences = {
            kind.name: (_compiled(kind.not_after, "$"), _compiled(kind.not_before, ""))
            for kind in catalogue.types
            if kind.not_after or kind.not_before
        }
        if any(kind.pinyin for kind in catalogue.types):
            jieba.initialize()
        spelt: set[str] = set()
        for kind in catalogue.types:
            for value in kind.values:
                for word in value.words:
                    self._add(word, kind, value.value, spelt)
            for word in kind.excluded:
                words = tuple(one for one, _, _ in split(fold(word).lower()))
                self._enter(words, _Entry(kind, None, excluded=True))
            for pattern in kind.patterns:
                for word in (*pattern.near, *pattern.after):
                    self._add_context(word)
        for word in spelt:
            if word not in frequent or word in self._known:
                self._spellings[word[0], len(word)].append(word)
        self._matcher.add("entry", [Doc(self._vocabulary, words=list(words)) for words in self._entries])
        if self._contexts:
            self._matcher.add("context", [Doc(self._vocabulary, words=list(words)) for words in self._contexts])

    def _add(self, written: str, kind: EntityType, value: Any, spelt: set[str]) -> None:
        exact = fold(written[1:]) if written.startswith("=") else None
        words = tuple(word for word, _, _ in split(fold(written.lstrip("=")).lower()))
        if not words:
            return
        self._enter(words, _Entry(kind, value, exact))
        if len(words) > 1 and all(word.isascii() and word.isalpha() for word in words):
            self._enter(("".join(words),), _Entry(kind, value, exact))
        if exact is not None:
            return
        if kind.fuzzy:
            spelt.update(word for word in words if len(word) >= _MISSPELT and word.isalpha() and word.isascii())
        name = "".join(words)
        if kind.pinyin and len(name) >= 2 and all(map(is_cjk, name)):
            syllables = tuple(syllable(character) for character in name)
            self._sounds[syllables].append((name, _Entry(kind, value, None, SOUND)))
            self._longest_sound = max(self._longest_sound, len(name))
            joined = "".join(syllables)
            if len(joined) >= _PINYIN_LETTERS and joined not in self._frequent:
                self._enter((joined,), _Entry(kind, value, None, SOUND))
                if kind.fuzzy and len(joined) > _PINYIN_LETTERS + 1:
                    spelt.add(joined)
                if len(joined) > _PINYIN_LETTERS:
                    self._enter(syllables, _Entry(kind, value, None, SOUND))

    def _enter(self, words: tuple[str, ...], entry: _Entry) -> None:
        if entry not in self._entries[words]:
            self._entries[words].append(entry)
        self._known.update(words)

    def _add_context(self, written: str) -> None:
        words = tuple(word for word, _, _ in split(fold(written).lower()))
        self._contexts.add(words)
        self._names[words] = written
        self._known.update(words)

    def find(self, folded: str, lower: str) -> Found:
        """The listed names of a text, the places of the catalogue's context words in it, and where a type is ruled out."""
        words = split(lower)
        spelling = [word if word in self._known else self._corrected(word) or _UNKNOWN for word, _, _ in words]
        found: list[Candidate] = []
        excluded: list[tuple[str, int, int]] = []
        contexts: dict[str, list[tuple[int, int]]] = defaultdict(list)
        if any(word != _UNKNOWN for word in spelling):
            document = Doc(self._vocabulary, words=spelling)
            for match, first, last in self._matcher(document):
                key = tuple(spelling[first:last])
                start, end = words[first][1], words[last - 1][2]
                if match == self._context:
                    contexts[self._names[key]].append((start, end))
                    continue
                for entry in self._entries.get(key, ()):
                    if entry.excluded:
                        excluded.append((entry.kind.name, start, end))
                        continue
                    corrected = any(spelling[place] != words[place][0] for place in range(first, last))
                    found += self._accept(entry, folded, lower, start, end, corrected)
        found += self._by_sound(folded, lower, words)
        return Found(found, contexts, excluded)

    def _accept(
        self, entry: _Entry, folded: str, lower: str, start: int, end: int, corrected: bool
    ) -> Iterator[Candidate]:
        if entry.exact is not None and (corrected or folded[start:end] != entry.exact):
            return
        if corrected and not entry.kind.fuzzy:
            return
        if start > 1 and lower[start - 1] == "-" and lower[start - 2].isalpha() and not is_cjk(lower[start]):
            return  # the second half of “grown-ups”
        kind = entry.kind
        if kind.name in self._fences:
            behind, ahead = self._fences[kind.name]
            if (behind and behind.search(lower, 0, start)) or (ahead and ahead.match(lower, end)):
                return
        value = entry.value
        yield Candidate(
            kind.name,
            start,
            end,
            TYPO if corrected else entry.evidence,
            lambda: value,
            kind.priority,
            self._order[kind.name],
        )

    def _corrected(self, word: str) -> str | None:
        """The listed word a misspelt one stands for, if exactly one letter (two in long words) is wrong."""
        length = len(word)
        if length < _MISSPELT or not word.isascii() or not word.isalpha() or word in self._frequent:
            return None
        if word.endswith("s") and word[:-1] in self._frequent:
            return None
        allowed = 1 if length < 9 else 2
        near = [
            other
            for size in range(length - allowed, length + allowed + 1)
            for other in self._spellings.get((word[0], size), ())
        ]
        best = process.extractOne(word, near, scorer=OSA.distance, score_cutoff=allowed) if near else None
        return best[0] if best else None

    def _by_sound(self, folded: str, lower: str, words: list[tuple[str, int, int]]) -> Iterator[Candidate]:
        """Characters that sound like a listed name and share one with it, unless they are a word of their own."""
        if not self._sounds:
            return
        run: list[tuple[str, int, int]] = []
        for word in (*words, ("", 0, 0)):
            if word[0] and is_cjk(word[0]):
                run.append(word)
                continue
            sounds = [syllable(character) for character, _, _ in run]
            for size in range(2, min(self._longest_sound, len(run)) + 1):
                for place in range(len(run) - size + 1):
                    entries = self._sounds.get(tuple(sounds[place : place + size]))
                    if not entries:
                        continue
                    written = "".join(character for character, _, _ in run[place : place + size])
                    for name, entry in entries:
                        alike = sum(first == second for first, second in zip(written, name))
                        if 0 < alike < size and not self._is_usual(written, lower, run[place][1]):
                            yield from self._accept(
                                entry, folded, lower, run[place][1], run[place + size - 1][2], False
                            )
            run = []

    @staticmethod
    def _is_usual(written: str, lower: str, start: int) -> bool:
        """Whether characters are a word of their own, or belong to the words around them (人员通话 holds no 圆通)."""
        if jieba.dt.FREQ.get(written):
            return True
        end = start + len(written)
        # A longer name is unlikely to come about by chance.
        return len(written) == 2 and any(
            len(word) > 1 and (first < start < last or first < end < last)
            for word, first, last in jieba.tokenize(lower, HMM=False)
        )


def split(lower: str) -> list[tuple[str, int, int]]:
    """Words of letters, runs of digits, single characters and signs, each with its place; spaces and dashes are dropped."""
    return [(match.group(), match.start(), match.end()) for match in _WORD.finditer(lower)]


@lru_cache(maxsize=8192)
def syllable(character: str) -> str:
    """How a character is usually read, without its tone."""
    read: list[str] = lazy_pinyin(character)
    return read[0] if read else character


def _compiled(regex: str | None, end: str) -> re.Pattern[str] | None:
    return re.compile(f"(?:{regex}){end}") if regex else None
