"""Slips of the fingers: English words no dictionary knows, and Chinese characters that only sound like the right one."""

from __future__ import annotations

import math
import re
from collections import defaultdict
from collections.abc import Iterator
from functools import lru_cache

import jieba
from rapidfuzz.distance import OSA

from bot.reading.edits import Edit
from bot.reading.wordlore import WordLore

_WORD = re.compile(r"(?<![\w@./'-])[A-Za-z]{3,}(?:'[a-z]{1,2})?(?![\w@/`]|\.\w|-\d)")
_REPEATED = re.compile(r"(.)\1{2,}")
_TARGET = 3  #: a repair must be at least this usual in the examples
_ROWS = ("qwertyuiop", "asdfghjkl", "zxcvbnm")
_SURE = -0.5  #: a repair less likely than this is left undone
_TWO_SLIPS = 7  #: letters a word must have to be allowed two slips


def _neighbours() -> dict[str, str]:
    near: dict[str, set[str]] = defaultdict(set)
    for row, keys in enumerate(_ROWS):
        for column, key in enumerate(keys):
            around = [
                (row, column - 1),
                (row, column + 1),
                (row - 1, column),
                (row - 1, column + 1),
                (row + 1, column - 1),
            ]
            around.append((row + 1, column))
            for other_row, other in around:
                if 0 <= other_row < len(_ROWS) and 0 <= other < len(_ROWS[other_row]):
                    near[key].add(_ROWS[other_row][other])
    return {key: "".join(sorted(keys)) for key, keys in near.items()}


_NEAR = _neighbours()


class EnglishSpelling:
    """Repairs words that neither the examples nor a dictionary know into words of the examples."""

    def __init__(self, lore: WordLore) -> None:
        """``lore`` as a model was trained with."""
        self._lore = lore
        self._known = set(lore.known_english).union(lore.english, lore.seen_latin)
        self._by_length: dict[int, list[str]] = defaultdict(list)
        for word, count in lore.english.items():
            if count >= _TARGET and "'" not in word:
                self._by_length[len(word)].append(word)
        self._candidates = lru_cache(maxsize=4096)(self._find)

    def edits(self, text: str) -> Iterator[Edit]:
        """Edits for the words that are surely slips; names, identifiers and addresses of the net are left alone."""
        words = [found.group().lower() for found in _WORD.finditer(text)]
        strange = sum(word not in self._known for word in words)
        if not strange or (len(words) > 1 and all(map(self._lore.syllables, words))):
            return  # nothing to repair, or pinyin that could not be read
        edits = list(self._repairs(text))
        # Where most words are unknown, they are another language's unless most of them can be repaired.
        if strange * 4 <= len(words) * 3 or len(edits) * 3 >= strange * 2:
            yield from edits

    def _repairs(self, text: str) -> Iterator[Edit]:
        previous = ""
        for found in _WORD.finditer(text):
            word = found.group().lower()
            repaired = word
            if word not in self._known and not self._is_name(text, found):
                repaired = self._repair(word, previous)
                if repaired != word:
                    yield Edit(found.start(), found.end(), repaired)
            previous = repaired

    @staticmethod
    def _is_name(text: str, found: re.Match[str]) -> bool:
        word = found.group()
        starts = not text[: found.start()].strip(" \"'(") or text[: found.start()].rstrip()[-1:] in ".!?,;:，。！？"
        return not word.islower() and not starts and not (word.isupper() and text.upper() == text)

    def _repair(self, word: str, previous: str) -> str:
        squeezed = _REPEATED.sub(r"\1", word)
        if squeezed != word:
            for form in (_REPEATED.sub(r"\1\1", word), squeezed):
                if form in self._known:
                    return form
        found = self._candidates(squeezed)
        if not found:
            return word
        pairs = self._lore.english_pairs
        best, likely = max(
            ((one, likely + 1.5 * math.log1p(pairs.get(f"{previous} {one}", 0))) for one, likely in found),
            key=lambda one: one[1],
        )
        return best if likely >= _SURE else word

    def _find(self, word: str) -> list[tuple[str, float]]:
        """Words within reach and how likely each is meant."""
        slips = 2 if len(word) >= _TWO_SLIPS else 1
        found = []
        for length in range(len(word) - slips, len(word) + slips + 1):
            for candidate in self._by_length.get(length, ()):
                distance = OSA.distance(word, candidate, score_cutoff=slips)
                if word == candidate + "s":
                    continue  # a plural, or "that's" without its apostrophe
                if distance > slips or (min(len(word), len(candidate)) == 3 and not self._swapped(word, candidate)):
                    continue
                short = max(0, 6 - len(candidate)) * 0.7
                likely = (
                    math.log(self._lore.english[candidate]) - 3.0 * distance - short - self._unlike(word, candidate)
                )
                found.append((candidate, likely))
        return found

    @staticmethod
    def _swapped(word: str, candidate: str) -> bool:
        return sorted(word) == sorted(candidate)

    @staticmethod
    def _unlike(word: str, candidate: str) -> float:
        """How little the slip looks like one of the fingers or of the ear."""
        price = 1.5 if word[0] != candidate[0] else 0.0
        if sorted(word) == sorted(candidate):
            return price - 2.0
        if len(word) != len(candidate) and len(candidate) >= _TWO_SLIPS:
            return price - 1.0
        if len(word) == len(candidate):
            wrong = [(typed, meant) for typed, meant in zip(word, candidate) if typed != meant]
            price += sum(-0.5 if meant in _NEAR.get(typed, "") or _ear(typed, meant) else 1.5 for typed, meant in wrong)
        return price


def _ear(typed: str, meant: str) -> bool:
    return any(typed in group and meant in group for group in ("aeiouy", "sczx", "ckq", "fv", "bp", "dt", "gj", "mn"))


#: Particles and numerals stand beside anything, and are what they are.
_NEVER_SLIPS = frozenset("呢吗吧啊了的呀哦么嘛啦一二两三四五六七八九十百千")
_FUZZY = (("zh", "z"), ("ch", "c"), ("sh", "s"))


def sounds_like(syllable: str) -> str:
    """What syllables have in common that people in many places say alike: zh and z, n and l, -ing and -in."""
    for long, short in _FUZZY:
        if syllable.startswith(long):
            syllable = short + syllable[len(long) :]
            break
    if syllable.startswith("n") and len(syllable) > 1:
        syllable = "l" + syllable[1:]
    return syllable[:-1] if syllable.endswith("ng") else syllable


class ChineseSpelling:
    """Repairs a character that never stands beside its neighbours, if one that sounds alike usually does."""

    _USUAL = 5  #: how often the repaired word must stand in the examples
    _STRING = 20  #: how often, if it is a run of characters and no word
    _GAIN_ONCE = 24.0  #: the same, where the examples have the slip once themselves
    _BELONGS = 0.15  #: in what share of its places the run stands with the character
    _GAIN = 6.4  #: how much more usual the repaired text must be

    def __init__(self, lore: WordLore) -> None:
        """``lore`` as a model was trained with."""
        jieba.initialize()
        self._strings = lore.strings
        self._words = lore.domain_words
        self._sounds = {character: {sounds_like(one) for one in sounds} for character, sounds in lore.sounds.items()}
        usual = {character for string, count in lore.strings.items() if count >= self._USUAL for character in string}
        self._alike: dict[str, list[str]] = defaultdict(list)
        for character in sorted(usual):
            for sound in self._sounds.get(character, ()):
                self._alike[sound].append(character)

    def edits(self, text: str) -> Iterator[Edit]:
        """Edits of single characters."""
        for run in re.finditer(r"[\u3400-\u9fff]{2,}", text):
            characters = run.group()
            strange = [i for i in range(len(characters) - 1) if self._strings.get(characters[i : i + 2], 0) <= 1]
            done = -2
            for index in strange:
                if index <= done:
                    continue
                best = max((self._best(characters, at) for at in (index, index + 1)), key=lambda one: one[0])
                if best[0] >= (self._GAIN_ONCE if characters[index : index + 2] in self._strings else self._GAIN):
                    at, character = best[1], best[2]
                    yield Edit(run.start() + at, run.start() + at + 1, character)
                    characters = characters[:at] + character + characters[at + 1 :]
                    done = at

    def _best(self, characters: str, at: int) -> tuple[float, int, str]:
        best = (0.0, at, characters[at])
        if characters[at] in _NEVER_SLIPS or self._is_word(characters, at):
            return best
        for sound in self._sounds.get(characters[at], ()):
            for other in self._alike[sound]:
                if other != characters[at] and other not in _NEVER_SLIPS:
                    gain = self._standing(characters, at, other) - self._standing(characters, at, characters[at])
                    if gain > best[0]:
                        best = (gain, at, other)
        return best

    def _standing(self, characters: str, at: int, character: str) -> float:
        """How usual the strings around a place are with a character in it; 0 if none is usual."""
        changed = characters[:at] + character + characters[at + 1 :]
        best = 0.0
        for size in (2, 3, 4):
            for start in range(max(0, at - size + 1), min(at, len(changed) - size) + 1):
                string = changed[start : start + size]
                count = self._words.get(string, 0)
                if count < self._USUAL:
                    count = self._binding(string, at - start) if size > 2 else 0
                if count:
                    best = max(best, size * size * math.log(count))
        return best

    def _binding(self, string: str, place: int) -> int:
        """How usual a string that is no word is, if the character at its edge belongs to the rest of it: 转 to 人工."""
        count = self._strings.get(string, 0)
        rest = string[1:] if place == 0 else string[:-1] if place == len(string) - 1 else ""
        belongs = bool(rest) and count >= self._BELONGS * self._strings.get(rest, count)
        return count if count >= self._STRING and belongs else 0

    def _is_word(self, characters: str, at: int) -> bool:
        """Whether the character is part of a word that dictionaries know, and so is most likely meant."""
        frequency = jieba.dt.FREQ
        return any(
            frequency.get(characters[start : start + size], 0) >= 40 or characters[start : start + size] in self._words
            for size in (2, 3)
            for start in range(max(0, at - size + 1), min(at, len(characters) - size) + 1)
        )
