"""What a message shows on its surface: feeling words with what turns them round, punctuation, emoji, shouting."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import yaml

Floats = npt.NDArray[np.float32]
KINDS = ("positive", "negative", "strong", "negators", "intensifiers", "contrasts", "asks", "waits")

_HAPPY = "😊😄😁😃🙂😍🥰😘😋🤩👍👏🎉❤💕💖🌹🥳✨⭐🌟💯🙏😻💪🤗😆😂🤣"
_UNHAPPY = "😡😠🤬😤😞😔😟🙁☹😢😭😩😫😣😖👎💔🙄😒😑😮🤮🤢😰😱😓😥"
_KAOMOJI_UP, _KAOMOJI_DOWN = re.compile(r"[:;]-?[)D]|<3|\^_?\^"), re.compile(r":-?[(/]|T_T|>_<")
_CLAUSES = re.compile(r"[，。！？；,.!?;…~～\n]+")
_CLAUSE_LIMIT = 40
_CJK = re.compile(r"[\u4e00-\u9fff]")
# Words that hold a feeling word and do not feel.
_HOLDERS = (
    "你好", "您好", "好的", "好吧", "好像", "好几", "只好", "最好是", "好不容易", "爱人", "性价比", "稳压", "坏点", "中规中矩", "新鲜度", "差不多", "差价", "时差", "温差", "哪个", "吃苦耐劳",
    "好久", "好多", "方便吗", "香菜", "香港", "贵司", "贵公司", "贵店", "硬盘", "牛奶", "牛肉", "牛油", "断开", "冷链", "凉快", "大方向", "满减", "满多少",
)  # fmt: skip


@dataclass(frozen=True)
class Lexicon:
    """The feeling words of one language, by kind."""

    words: dict[str, frozenset[str]]
    pattern: re.Pattern[str]

    @classmethod
    def read(cls, path: Path, chinese: bool) -> Lexicon:
        """Raises ``ValueError`` naming a kind of word that the file lacks."""
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        missing = [kind for kind in KINDS if not isinstance(content.get(kind), str)]
        if missing:
            raise ValueError(f"{path.name}: the words called {', '.join(missing)} are missing")
        return cls.of({kind: content[kind].lower().split() for kind in KINDS}, chinese)

    @classmethod
    def of(cls, words: dict[str, Iterable[str]], chinese: bool) -> Lexicon:
        """A lexicon of words; an underscore in one is a space."""
        sets = {kind: frozenset(word.replace("_", " ") for word in words[kind]) for kind in KINDS}
        everything = set().union(*sets.values()) | (set(_HOLDERS) if chinese else set())
        longest = sorted(everything, key=lambda word: (-len(word), word))
        joined = "|".join(map(re.escape, longest))
        # In English "n't" also ends a word; everything else stands alone.
        return cls(sets, re.compile(joined if chinese else rf"(?<![a-z'])(?:{joined})(?![a-z'*])|n't\b"))


class Signs:
    """Turns a message into a short row of numbers, each between about -3 and 3."""

    def __init__(self, chinese: Lexicon, english: Lexicon) -> None:
        self._lexicons = (chinese, english)

    @classmethod
    def read(cls, folder: Path) -> Signs:
        """Reads ``words.zh.yml`` and ``words.en.yml``."""
        return cls(Lexicon.read(folder / "words.zh.yml", True), Lexicon.read(folder / "words.en.yml", False))

    def state(self) -> dict[str, Any]:
        """The words, to be stored with a trained model."""
        return {
            name: {kind: sorted(words) for kind, words in lexicon.words.items()}
            for name, lexicon in zip(("zh", "en"), self._lexicons, strict=True)
        }

    @classmethod
    def of_state(cls, state: dict[str, Any]) -> Signs:
        """The signs whose ``state`` was stored."""
        return cls(Lexicon.of(state["zh"], True), Lexicon.of(state["en"], False))

    def row(self, text: str) -> Floats:
        """The numbers of one message."""
        plain = text.replace("’", "'")
        lowered = plain.lower()
        clauses = [part for part in _CLAUSES.split(lowered) if part.strip()][-_CLAUSE_LIMIT:] or [lowered]
        counted = [self._count(clause) for clause in clauses]
        total = np.sum(counted, axis=0)
        positive, negative, turned_good, turned_bad = total[:4]
        last, first = counted[-1], counted[0]
        up, down = positive + turned_bad, negative + turned_good
        letters = [letter for letter in plain if letter.isascii() and letter.isalpha()]
        capital = sum(letter.isupper() for letter in letters) / len(letters) if len(letters) > 3 else 0.0
        shouted = len(re.findall(r"\b[A-Z]{3,}\b", plain))
        marks = plain.count("!") + plain.count("！")
        questions = plain.count("?") + plain.count("？")
        happy = sum(plain.count(emoji) for emoji in _HAPPY) + len(_KAOMOJI_UP.findall(plain))
        unhappy = sum(plain.count(emoji) for emoji in _UNHAPPY) + len(_KAOMOJI_DOWN.findall(plain))
        chinese = bool(_CJK.search(plain))
        length = len(plain) * (2.0 if chinese else 0.5)
        values = [
            *(np.log1p(total)),
            *(np.log1p(last[:5])),
            *(np.log1p(first[:5])),
            np.tanh(up - down),
            np.tanh(last[0] + last[3] - last[1] - last[2]),
            float(up > 0 and down == 0),
            float(down > 0 and up == 0),
            float(up > 0 and down > 0),
            float(up == 0 and down == 0),
            float(chinese),
            capital,
            np.log1p(shouted),
            np.log1p(marks),
            float(marks > 1),
            np.log1p(questions),
            float(questions > 1),
            float(bool(re.search(r"[?？]\s*$|[吗呢么]\s*$", plain))),
            float(bool(re.search(r"[?？][!！]|[!！][?？]", plain))),
            float(bool(re.search(r"…|\.\.\.|。。", plain))),
            float(bool(re.search(r"[“”\"「]", plain))),
            float(bool(re.search(r"[~～]", plain))),
            float(bool(re.search(r"([a-z])\1\1", lowered))),
            float(bool(re.search(r"哈哈|haha|lol", lowered))),
            float(bool(re.search(r"\d", plain))),
            float(bool(re.search(r"[a-z]\*+|\*{2,}", lowered))),
            np.log1p(happy),
            np.log1p(unhappy),
            np.log1p(length) - 3.0,
            float(length < 8),
            float(len(clauses) > 2),
        ]
        return np.asarray(values, dtype=np.float32)

    def _count(self, clause: str) -> npt.NDArray[np.float64]:
        """How many words feel good, feel bad, feel good but are negated, feel bad but are negated; then the other kinds."""
        counts = np.zeros(10)
        for lexicon in self._lexicons:
            chinese = lexicon is self._lexicons[0]
            negated_until, intensified_until = -1, -1
            for match in lexicon.pattern.finditer(clause):
                word, place = match.group(), match.start()
                if chinese and word in _HOLDERS:
                    continue
                kinds = [kind for kind in KINDS if word in lexicon.words[kind]] or ["negators"]  # a bare n't
                negated = place <= negated_until
                if "positive" in kinds:
                    counts[2 if negated else 0] += 1
                    counts[8] += place <= intensified_until
                elif "negative" in kinds:
                    counts[3 if negated else 1] += 1
                    counts[9] += place <= intensified_until
                if "strong" in kinds:
                    counts[4] += not negated
                if "negators" in kinds:
                    # What is negated stands close behind: within a word or two.
                    negated_until = match.end() + (2 if chinese else 18)
                elif negated and not {"intensifiers"} & set(kinds):
                    negated_until = -1
                if "intensifiers" in kinds:
                    intensified_until = match.end() + 1
                for number, kind in enumerate(("contrasts", "asks", "waits"), start=5):
                    counts[number] += kind in kinds
        return counts
