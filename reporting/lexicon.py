"""The words a question may be made of: those of the catalogue, and the names that the one who asks may see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property

from reporting import part_words as parts
from reporting.metric_words import METRIC_WORDS, SEVERAL
from reporting.reading import is_han, mistyped, read, stem

NAMED = ("intent", "team", "agent", "model", "article")  #: the dimensions whose values are names of this desk
#: How surnames are said and written, for "小陈" of somebody whose name is kept as "Chen Yu".
_SURNAMES = dict(
    pair.split(":")
    for pair in ["chen:陈", "lin:林", "wang:王", "li:李", "zhang:张", "liu:刘", "zhao:赵", "zhou:周", "wu:吴", "xu:徐", "sun:孙", "ma:马", "zhu:朱", "hu:胡", "guo:郭", "he:何", "gao:高", "luo:罗", "huang:黄", "yang:杨"]
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a phrase may stand for."""

    kind: str  #: metric, weak, several, dimension, broken_down, mark, mark_behind, end, filter, changed, average, except, condition, filler
    key: str = ""
    dimension: str = ""  #: of a filter
    rank: int = 0  #: of two meanings of the same words the lower one is meant


Phrases = dict[str, list[tuple[tuple[str, ...], Meaning]]]


def phrase_of(words: str) -> tuple[str, ...]:
    """The tokens of some words, without plurals."""
    return tuple(stem(token.text) for token in read(words).tokens)


def _add(table: Phrases, words: Iterable[str], meaning: Meaning) -> None:
    for one in words:
        if (phrase := phrase_of(one)) and (phrase, meaning) not in table.setdefault(phrase[0], []):
            table[phrase[0]].append((phrase, meaning))


@cache
def _own() -> Phrases:
    table: Phrases = {}
    for key, (strong, weak) in METRIC_WORDS.items():
        _add(table, strong.split("|"), Meaning("metric", key, rank=1))
        _add(table, filter(None, weak.split("|")), Meaning("weak", key, rank=2))
    for words, keys in SEVERAL.items():
        _add(table, words.split("|"), Meaning("several", ",".join(keys), rank=1))
    for key, words in parts.DIMENSION_WORDS.items():
        _add(table, words.split("|"), Meaning("dimension", key, rank=2))
    for key, words in parts.BROKEN_DOWN.items():
        _add(table, words.split("|"), Meaning("broken_down", key, rank=1))
    for dimension, values in parts.VALUES.items():
        for key, words in values.items():
            _add(table, words.split("|"), Meaning("filter", key, dimension, rank=1))
    for kind, words in (
        ("mark", parts.MARKS), ("mark_behind", parts.MARKS_BEHIND), ("changed", parts.CHANGED), ("average", parts.AVERAGE),
        ("except", parts.EXCEPT), ("condition", parts.CONDITION), ("filler", parts.FILLERS),
    ):  # fmt: skip
        _add(table, words.split("|"), Meaning(kind, rank=9 if kind == "filler" else 3))
    for key, words in (
        ("highest", parts.HIGHEST),
        ("lowest", parts.LOWEST),
        ("best", parts.BEST),
        ("worst", parts.WORST),
    ):
        _add(table, words.split("|"), Meaning("end", key, rank=1))
    for key, words in (("highest", parts.MORE), ("lowest", parts.LESS), ("best", parts.BETTER), ("worst", parts.WORSE)):
        _add(table, words.split("|"), Meaning("comparative", key, rank=2))
    for key, words in (
        ("highest", parts.PLAIN_MORE), ("lowest", parts.PLAIN_LESS), ("best", parts.PLAIN_BETTER), ("worst", parts.PLAIN_WORSE),
    ):  # fmt: skip
        _add(table, words.split("|"), Meaning("adjective", key, rank=8))
    return table


def names_of_person(name: str) -> Iterator[str]:
    """How colleagues call somebody: by the whole name, by the first one, 小陈 or 陈姐 by the surname."""
    chinese = "".join(character for character in name if is_han(character))
    latin = [
        word
        for word in "".join(" " if is_han(character) else character for character in name).split()
        if word.isascii()
    ]
    if chinese:
        yield chinese
        surname, given = chinese[0], chinese[1:]
        if len(given) == 2:
            yield given
    else:
        surname = _SURNAMES.get(latin[0].lower(), "") if latin else ""
    if surname:
        yield from (f"{before}{surname}" for before in ("小", "老", "阿"))
        yield from (f"{surname}{behind}" for behind in ("姐", "哥", "工", "经理", "老师"))
    if latin:
        yield " ".join(latin)
        yield latin[0]


def _taken(name: str) -> bool:
    phrase = phrase_of(name)
    return bool(phrase) and any(known == phrase for known, _ in _own().get(phrase[0], ()))


@dataclass(frozen=True)
class Lexicon:
    """The names of a desk, by dimension and key; what is not in it cannot be asked for by name."""

    names: Mapping[str, Mapping[str, Sequence[str]]] = field(default_factory=dict)

    @cached_property
    def phrases(self) -> Phrases:
        """Every phrase, by its first token."""
        table: Phrases = {first: list(found) for first, found in _own().items()}
        for dimension in NAMED:
            for key, named in self.names.get(dimension, {}).items():
                if (
                    dimension == "intent"
                ):  # an intent called "Question" is no reason to misread every question, nor is 转人工
                    named = [name for name in named if not _taken(name)]
                _add(table, named, Meaning("filter", key, dimension, rank=0))
                if dimension == "agent":
                    for name in named:
                        _add(table, names_of_person(name), Meaning("filter", key, dimension, rank=1))
                elif dimension == "intent":
                    everyday = parts.INTENT_WORDS.get(key, "")
                    _add(
                        table,
                        [one for one in (key.replace("_", " "), *everyday.split("|")) if one and not _taken(one)],
                        Meaning("filter", key, dimension, rank=1),
                    )
        return table

    @cached_property
    def words(self) -> tuple[frozenset[str], tuple[str, ...]]:
        """Every word there is, and those that a mistyped one may have meant."""
        every: set[str] = set()
        meant: set[str] = set()
        for found in self.phrases.values():
            for phrase, meaning in found:
                every.update(phrase)
                if meaning.kind != "filler":
                    meant.update(word for word in phrase if word.isascii() and word.isalpha())
        return frozenset(every), tuple(sorted(meant))

    def meant(self, word: str) -> str:
        """The stem itself, or the one known word from which it differs by a slip of the fingers."""
        every, candidates = self.words
        if word in every or not word.isascii() or not word.isalpha():
            return word
        near = [one for one in candidates if mistyped(word, one)]
        return near[0] if len(near) == 1 else word

    def label(self, dimension: str, key: str, language: str) -> str:
        """What a value is called in a sentence of a language."""
        named = self.names.get(dimension, {}).get(key, ())
        fitting = [name for name in named if any(map(is_han, name)) == (language == "zh")]
        return (fitting or list(named) or [key])[0]
