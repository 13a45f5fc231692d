"""What the training examples teach about words: which are English, which Chinese strings are usual, how pinyin is read.

Gathered once when a model is trained and stored with it as JSON, so that serving loads tables and computes none.
"""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any

from bot.text import fold, is_cjk

#: A word of jieba's dictionary must be at least this usual to be a reading of pinyin.
_USUAL = 60
_READINGS = 6
_READINGS_OF_ONE = 12  #: of a single syllable, where context decides
#: How much the examples weigh against the dictionary.
_OWN_SHARE = 0.97
#: English words of the dictionary that are rarer than this say nothing against pinyin or a typo.
_KNOWN = 40
_LONGEST = 4
_LATIN = re.compile(r"[a-z]+(?:'[a-z]+)?")


@dataclass
class WordLore:
    """Tables by which messages are read; ``pinyin`` maps letters to readings of (word, log probability, syllable lengths)."""

    english: dict[str, int] = field(default_factory=dict)  #: words of the examples, with how often they stand there
    seen_latin: list[str] = field(default_factory=list)  #: words beside English ones that may be pinyin or a dialect's
    english_pairs: dict[str, int] = field(default_factory=dict)
    known_english: list[str] = field(default_factory=list)  #: words of a general dictionary
    strings: dict[str, int] = field(default_factory=dict)  #: runs of 2 to 4 Chinese characters of the examples
    sounds: dict[str, list[str]] = field(default_factory=dict)  #: a character's syllables
    pinyin: dict[str, list[tuple[str, float, tuple[int, ...]]]] = field(default_factory=dict)
    follows: dict[str, float] = field(default_factory=dict)  #: log probability of two characters in a row
    domain_words: dict[str, int] = field(default_factory=dict)

    @classmethod
    def gathered(cls, texts: Iterable[str], names: Iterable[str]) -> WordLore:
        """The lore of these examples and product names; takes some seconds."""
        lore = cls()
        english: Counter[str] = Counter()
        pairs: Counter[str] = Counter()
        chinese: list[str] = []
        for text in texts:
            folded = fold(text).lower().replace("’", "'")
            han = sum(map(is_cjk, folded))
            words = _LATIN.findall(folded)
            if han >= len(words):
                chinese.append(folded)
            elif not all(map(_PINYIN.fullmatch, words)):  # else the line may be pinyin as a whole
                english.update(words)
                pairs.update(f"{first} {second}" for first, second in itertools.pairwise(words))
        for name in names:
            named = _LATIN.findall(fold(name).lower())
            english.update(dict.fromkeys(named, 5))
            pairs.update({f"{first} {second}": 5 for first, second in itertools.pairwise(named)})
        lore.known_english = _dictionary()
        lore._read_chinese(chinese)
        known = set(lore.known_english)
        # A rare word that sounds like pinyin and that no dictionary knows is pinyin, not English.
        lore.english = {word: count for word, count in english.items() if word in known or not lore.syllables(word)}
        lore.seen_latin = sorted(english.keys() - lore.english.keys())
        lore.english_pairs = {pair: count for pair, count in pairs.items() if count >= 2}
        return lore

    def _read_chinese(self, texts: list[str]) -> None:
        import jieba
        from pypinyin import Style, lazy_pinyin, pinyin

        own: Counter[str] = Counter()
        strings: Counter[str] = Counter()
        couples: Counter[str] = Counter()
        singles: Counter[str] = Counter()
        for text in texts:
            for run in re.findall(r"[\u3400-\u9fff]+", text):
                own.update(jieba.cut(run, HMM=False))
                framed = f"^{run}$"
                singles.update(framed[:-1])
                couples.update(framed[i : i + 2] for i in range(len(framed) - 1))
                for size in range(2, _LONGEST + 1):
                    strings.update(run[i : i + size] for i in range(len(run) - size + 1))
        self.strings = {string: count for string, count in strings.items() if len(string) == 2 or count >= 2}
        self.follows = {couple: math.log(count / singles[couple[0]]) for couple, count in couples.items()}
        self.domain_words = {word: count for word, count in own.items() if count >= 2}
        usual = {
            word: count
            for word, count in jieba.dt.FREQ.items()
            if count >= _USUAL and len(word) <= _LONGEST and all(map(is_cjk, word))
        }
        total, all_own = sum(usual.values()), sum(own.values())
        weights = {word: (1 - _OWN_SHARE) * usual.get(word, 0) / total for word in usual}
        for word, count in own.items():
            weights[word] = weights.get(word, 0.0) + _OWN_SHARE * count / all_own
        heard: dict[str, set[str]] = {}
        by_letters: dict[str, list[tuple[str, float, tuple[int, ...]]]] = {}
        for word, weight in weights.items():
            usual_spelling = tuple(lazy_pinyin(word, style=Style.NORMAL, errors="ignore"))
            for character, sound in zip(word, usual_spelling):
                heard.setdefault(character, set()).add(sound)
            spellings = {usual_spelling}
            if len(word) == 1:
                spellings |= {(one,) for one in pinyin(word, style=Style.NORMAL, heteronym=True)[0]}
            for spelt in spellings | {tuple(one.replace("v", "u") for one in spelt) for spelt in spellings}:
                if len(spelt) != len(word):
                    continue
                entry = (word, round(math.log(weight), 3), tuple(map(len, spelt)))
                by_letters.setdefault("".join(spelt), []).append(entry)
        self.pinyin = {
            letters: sorted(entries, key=lambda entry: -entry[1])[
                : _READINGS_OF_ONE if letters in SYLLABLES else _READINGS
            ]
            for letters, entries in by_letters.items()
        }
        self.sounds = {character: sorted(sounds) for character, sounds in heard.items()}

    def syllables(self, letters: str) -> bool:
        """Whether the letters can be cut into syllables of pinyin."""
        return bool(_PINYIN.fullmatch(letters))

    def stored(self) -> dict[str, Any]:
        """For ``json``; ``restored`` reads it back."""
        return asdict(self)

    @classmethod
    def restored(cls, data: dict[str, Any]) -> WordLore:
        """The lore of a trained model."""
        lore = cls(**data)
        lore.pinyin = {
            letters: [(word, weight, tuple(lengths)) for word, weight, lengths in entries]
            for letters, entries in data["pinyin"].items()
        }
        return lore


def _dictionary() -> list[str]:
    from spellchecker import SpellChecker

    frequency = SpellChecker(language="en").word_frequency.dictionary
    return sorted(word for word, count in frequency.items() if count >= _KNOWN and word.isascii())


_INITIALS = {
    "": "a ai an ang ao e ei en er o ou",
    "b": "a ai an ang ao ei en eng i ian iao ie in ing o u",
    "p": "a ai an ang ao ei en eng i ian iao ie in ing o ou u",
    "m": "a ai an ang ao e ei en eng i ian iao ie in ing iu o ou u",
    "f": "a an ang ei en eng o ou u",
    "d": "a ai an ang ao e ei en eng i ia ian iao ie ing iu ong ou u uan ui un uo",
    "t": "a ai an ang ao e eng i ian iao ie ing ong ou u uan ui un uo",
    "n": "a ai an ang ao e ei en eng i ian iang iao ie in ing iu ong ou u uan uo v ve ue",
    "l": "a ai an ang ao e ei eng i ia ian iang iao ie in ing iu o ong ou u uan un uo v ve ue",
    "g": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "k": "a ai an ang ao e en eng ong ou u ua uai uan uang ui un uo",
    "h": "a ai an ang ao e ei en eng ong ou u ua uai uan uang ui un uo",
    "j": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "q": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "x": "i ia ian iang iao ie in ing iong iu u uan ue un",
    "zh": "a ai an ang ao e ei en eng i ong ou u ua uai uan uang ui un uo",
    "ch": "a ai an ang ao e en eng i ong ou u ua uai uan uang ui un uo",
    "sh": "a ai an ang ao e ei en eng i ou u ua uai uan uang ui un uo",
    "r": "an ang ao e en eng i ong ou u ua uan ui un uo",
    "z": "a ai an ang ao e ei en eng i ong ou u uan ui un uo",
    "c": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "s": "a ai an ang ao e en eng i ong ou u uan ui un uo",
    "y": "a an ang ao e i in ing o ong ou u uan ue un",
    "w": "a ai an ang ei en eng o u",
}
SYLLABLES = frozenset(initial + final for initial, finals in _INITIALS.items() for final in finals.split())
_PINYIN = re.compile(f"(?:{'|'.join(sorted(SYLLABLES, key=len, reverse=True))})+")
