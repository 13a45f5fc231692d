"""Chinese typed in Latin letters, with or without spaces and tones, read as characters by the likeliest path."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from bot.reading.edits import Edit
from bot.reading.wordlore import SYLLABLES, WordLore

#: A run of words that may be pinyin; words that hold digits, an @ or a dot inside are names of something.
_RUN = re.compile(r"(?<![\w@./'-])[a-z]+[1-5]?(?:[ '-]+[a-z]+[1-5]?)*(?![\w@/]|\.\w|'\w)", re.IGNORECASE)
_WORD = re.compile(r"([a-z]+)([1-5]?)", re.IGNORECASE)
_LONGEST_LETTERS = 24
_BEAM = 6
_NEW_WORD = -1.2  #: the price of one more word, so that longer words are preferred
_UNSEEN = -7.0
#: English this usual in the examples outweighs a reading as pinyin at the edge of a run.
_USUAL_ENGLISH = 4
_SHORTEST = 2
_LONGEST_RUN = 160  #: letters; nobody writes more pinyin than this without a comma
_LONG = 5  #: so many syllables in a row are hardly chance
_LIKELY = -9.6  #: what a syllable of a believable reading scores at least
#: Laughter and lullabies: haha, hehe, lalala.
_SAME_AGAIN = re.compile(r"(h[aeiou]|hei|xi|l[ao]|[nmwy]a|[bdwn]o|y[eo])\1+")


@dataclass(frozen=True)
class _Token:
    start: int
    end: int
    letters: str
    pinyin: bool
    english: bool


@dataclass(frozen=True)
class _Path:
    score: float
    words: tuple[str, ...]
    ends: tuple[int, ...]


class PinyinReader:
    """Finds what is pinyin in a text and what it says."""

    def __init__(self, lore: WordLore) -> None:
        """``lore`` as a model was trained with."""
        self._lore = lore
        self._known = set(lore.known_english)

    def edits(self, text: str) -> Iterator[Edit]:
        """Edits that put characters for pinyin."""
        runs = [self._tokens(text, run) for run in _RUN.finditer(text)]
        if not any(token.pinyin for tokens in runs for token in tokens):
            return
        words = [token for tokens in runs for token in tokens]
        has_english = any(not token.pinyin for token in words)
        if not has_english and len(words) > 1:
            # Every word can be pinyin: only what this shop's customers say in English counts as English.
            runs = [
                [replace(token, english=token.english and self._outside(token)) for token in tokens] for tokens in runs
            ]
        for tokens in runs:
            for stretch in self._stretches(tokens):
                # Among English words a capital begins a name: Xujiahui, Shenzhen.
                if has_english and any(text[token.start].isupper() for token in stretch):
                    continue
                read = self._read(stretch)
                if read and self._believable(stretch, read, alone=not has_english):
                    yield from self._written(stretch, read)

    def _tokens(self, text: str, run: re.Match[str]) -> list[_Token]:
        tokens = []
        for word in _WORD.finditer(text, run.start(), run.end()):
            letters, tone = word.group(1).lower(), word.group(2)
            pinyin = (
                letters in SYLLABLES if tone else self._lore.syllables(letters) and not _SAME_AGAIN.fullmatch(letters)
            )
            tokens.append(_Token(word.start(), word.end(), letters, pinyin, not tone and self._is_english(letters)))
        return tokens

    def _is_english(self, letters: str) -> bool:
        if letters in self._lore.english:
            return self._lore.english[letters] >= _USUAL_ENGLISH or letters in self._known
        return letters in self._known

    def _stretches(self, tokens: list[_Token]) -> Iterator[list[_Token]]:
        """Runs of words that can be pinyin, without the English words at their edges."""
        stretch: list[_Token] = []
        for token in [*tokens, None]:
            if token is not None and token.pinyin:
                stretch.append(token)
                continue
            whole = len(stretch) == len(tokens)
            if not whole:
                while stretch and stretch[0].english and self._outside(stretch[0]):
                    stretch.pop(0)
                while stretch and stretch[-1].english and self._outside(stretch[-1]):
                    stretch.pop()
            sure = sum(len(one.letters) for one in stretch if not one.english)
            if stretch and sure * 2 >= sum(len(one.letters) for one in stretch):
                yield stretch
            stretch = []

    def _outside(self, token: _Token) -> bool:
        return self._lore.english.get(token.letters, 0) >= _USUAL_ENGLISH

    def _read(self, stretch: list[_Token]) -> _Path | None:
        letters = "".join(token.letters for token in stretch)
        if len(letters) > _LONGEST_RUN:
            return None
        walls, position = set(), 0
        for token in stretch:
            position += len(token.letters)
            walls.add(position)
        best: dict[int, list[_Path]] = {0: [_Path(0.0, (), ())]}
        for start in range(len(letters)):
            if start not in best:
                continue
            for end in range(start + 1, min(len(letters), start + _LONGEST_LETTERS) + 1):
                for word, weight, lengths in self._lore.pinyin.get(letters[start:end], ()):
                    if not self._fits(start, lengths, walls):
                        continue
                    for path in best[start]:
                        before = path.words[-1][-1] if path.words else "^"
                        seen = self._lore.follows.get(before + word[0], _UNSEEN)
                        score = path.score + weight + _NEW_WORD + 0.8 * seen + self._usual_beside(path.words, word)
                        longer = _Path(score, (*path.words, word), (*path.ends, end))
                        best.setdefault(end, []).append(longer)
            for end in list(best):
                if end > start and len(best[end]) > _BEAM:
                    best[end] = sorted(best[end], key=lambda path: -path.score)[:_BEAM]
        ends = best.get(len(letters))
        return max(ends, key=lambda path: path.score) if ends else None

    def _usual_beside(self, words: tuple[str, ...], word: str) -> float:
        """A bonus where a word makes a usual string with the one before: 保修多久 rather than 报修多久."""
        if not words:
            return 0.0
        before = words[-1]
        spans = (before[-size:] + word[: length - size] for length in (3, 4) for size in range(1, length))
        return max(math.log1p(self._lore.strings.get(span, 0)) * (len(span) - 2) * 1.5 for span in spans)

    @staticmethod
    def _fits(start: int, lengths: tuple[int, ...], walls: set[int]) -> bool:
        """Whether no syllable of the word stands across the end of a typed word."""
        for length in lengths:
            if any(start < wall < start + length for wall in walls):
                return False
            start += length
        return True

    def _believable(self, stretch: list[_Token], read: _Path, *, alone: bool) -> bool:
        own = self._lore.domain_words
        syllables = sum(map(len, read.words))
        if syllables < _SHORTEST:
            return alone and len(stretch) == 1 and own.get(read.words[0], 0) >= _USUAL_ENGLISH * 5
        if not alone:
            # Among English words only what the shop's customers talk about is read, so that names stay names.
            return any(len(word) > 1 for word in read.words) and all(word in own for word in read.words)
        likely = _LIKELY - (1.5 if syllables >= _LONG else 0.0)
        return read.score >= likely * syllables and any(word in own for word in read.words)

    @staticmethod
    def _written(stretch: list[_Token], read: _Path) -> Iterator[Edit]:
        """One edit for the whole stretch: its words hang together and no place inside is worth keeping."""
        yield Edit(stretch[0].start, stretch[-1].end, "".join(read.words))
