"""Finds sentences of different articles that speak of the same thing and say otherwise: another number, or the opposite.

Near in meaning (USE's vectors, which both languages share) comes first; then the sentences are compared as they are in
checking answers: numbers with their units and bounds, names, and whether something is denied. In one language the words
have to be the same, too. Across languages only the two versions of one article are compared, and only their numbers: each
sentence with the one that is nearest to it.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from knowledge_base.articles import Article
from knowledge_base.encoder import Vectors
from knowledge_base.generation.claims import content_words, denials
from knowledge_base.generation.propositions import Proposition, propositions, same_dimension
from knowledge_base.generation.quantities import Quantity, quantities
from knowledge_base.quotable import quotable
from knowledge_base.wording import fold, plain

MOST_UNITS = 20_000  #: sentences that are compared, of the newest articles
MOST_PAIRS = 200
#: Chosen on the lines of knowledge_base/dev; ``python -m knowledge_base.evaluate_contradictions`` measures on others.
NEAR, NEAR_ACROSS = 0.45, 0.45  #: cosines
SHARED = 0.4  #: of all words of both sentences
_MAIN = 0.7  #: of a sentence's words, that its main clause has
_CONDITION = re.compile(
    r"\s*(?:and |or |but )?(?:if|when|unless|as long as|while|because|so that)\b|如果|若|要是|只要|凡"
)
_ROUNDED = 0.01  #: what is rounded is the same number
_TOGETHER = 512
_LONGEST = 300  #: characters of a sentence
_LOOSE = {"times", "pieces", "people", "", "rate"}  #: units that count too many different things
#: Words that only lead up to a number, as stems: another of them does not make another subject.
_MEASURING = frozenset(
    [
        "take",
        "last",
        "cost",
        "charg",
        "pay",
        "cover",
        "need",
        "requir",
        "expir",
        "valid",
        "arriv",
        "usual",
        "general",
        "normal",
        "common",
        "current",
        "open",
        "close",
        "get",
        "keep",
        "provid",
        "avail",
        "offer",
        "possibl",
        "period",
        "price",
        "fee",
        "time",
        "hour",
        "day",
        "week",
        "month",
        "year",
        "most",
        "time",
        "start",
        "end",
        "有效期",
        "有效",
        "期限",
        "费用",
        "价格",
        "收取",
        "收费",
        "收",
        "付",
        "需要",
        "需",
        "一般",
        "通常",
        "左右",
        "大约",
        "约",
        "服务",
        "时间",
        "到账",
        "到",
        "为止",
        "止",
        "期",
        "长",
        "享受",
        "享",
        "支持",
        "接受",
        "提供",
        "现在",
        "目前",
        "晚上",
        "早上",
        "下午",
        "上午",
        "时候",
        "时长",
        "最长",
        "最多",
        "最快",
        "最晚",
    ]
)
_SIDES = {
    "before": re.compile(r"前(?!台)|之前|以前|未|尚|\b(?:before|until|prior|unopened|sealed|not yet)\b"),
    "after": re.compile(r"(?<!售)后|已经?|\b(?:after|once|opened|since)\b"),
    "begin": re.compile(r"开门|开始|\b(?:opens|starts|begins)\b"),
    "end": re.compile(r"关门|结束|打烊|为止|\b(?:closes|ends)\b"),
    "least": re.compile(r"最少|至少|最低|起步|\b(?:at least|minimum)\b"),
    "most": re.compile(r"最多|最高|上限|\b(?:at most|maximum)\b"),
}
_NAME = {
    "en": re.compile(
        r"(?<!^)(?<![.:!?] )\b[A-Z][\w'’-]*(?: (?:[A-Z][\w'’-]*|\d+\w*))*|^[A-Z][\w'’-]*(?: (?:[A-Z][\w'’-]*|\d+\w*))+"
    ),
    "zh": re.compile(r"[A-Za-z][\w-]*(?: ?[A-Z0-9][\w-]*)*"),
}
_UNNAMED = re.compile(r"^(?:The|A|An|Our|Your|We|You|Each|Every|In|On|At|For|If|When|From|To) ")


def _names(text: str, language: str) -> list[str]:
    """What is written like a name: capitalised words with the numbers of a model behind them."""
    found = (_UNNAMED.sub("", match.group()) for match in _NAME[language].finditer(text))
    return [one for one in found if one and not (one.split()[0].isupper() and len(one.split()[0]) <= 3)]  # CNY, USB


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence of an article, where it stands in the body."""

    article: Article
    text: str
    start: int
    end: int
    whole: bool = True  #: a sentence, not an item of a list or a row of a table


@dataclass(frozen=True, slots=True)
class Mark:
    """Where in a sentence the number or the denial stands, as far as that can be told."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Contradiction:
    """Two sentences, of which at most one can hold; ``kind`` is number or opposite."""

    kind: str
    first: Said
    second: Said
    marks: tuple[tuple[Mark, ...], tuple[Mark, ...]]
    nearness: float

    @property
    def pair(self) -> str:
        """Names the two sentences, whichever articles they come to stand in."""
        both = "\n".join(sorted((self.first.text, self.second.text)))
        return hashlib.sha256(both.encode()).hexdigest()[:32]


def said_in(article: Article) -> list[Said]:
    """The sentences, list items and table rows of an article."""
    units = quotable(article).structure.units
    return [
        Said(article, unit.span.of(article.body), unit.span.start, unit.span.end, unit.kind == "sentence")
        for unit in units
    ]


def contradictions(
    articles: Sequence[Article], vectors_of: Callable[[Article], Vectors], agreed: frozenset[str] = frozenset()
) -> list[Contradiction]:
    """The pairs of all articles, the surest first; ``vectors_of`` gives a row for each of ``said_in``."""
    newest = sorted(articles, key=lambda one: (one.updated.isoformat() if one.updated else "", one.key), reverse=True)
    said: list[Said] = []
    rows: list[Vectors] = []
    for article in newest:
        units = said_in(article)
        if len(said) + len(units) > MOST_UNITS:
            break
        said += units
        rows.append(vectors_of(article)[: len(units)])
    if not said:
        return []
    found: dict[str, Contradiction] = {}
    reads: dict[tuple[str, int], _Read] = {}

    def read(one: Said) -> _Read:
        name = (one.article.key, one.start)
        if name not in reads:
            reads[name] = _Read(one)
        return reads[name]

    for first, second, nearness in _near_pairs(said, np.concatenate(rows)):
        one = _compared(read(first), read(second), nearness)
        if one is not None and one.pair not in agreed:
            found.setdefault(one.pair, one)
    return sorted(found.values(), key=lambda one: -one.nearness)[:MOST_PAIRS]


def contradiction(first: Said, second: Said, nearness: float) -> Contradiction | None:
    """Whether, and how, one sentence says otherwise than the other."""
    return _compared(_Read(first), _Read(second), nearness)


def _compared(one: _Read, other: _Read, nearness: float) -> Contradiction | None:
    first, second = one.said, other.said
    across = first.article.language != second.article.language
    if nearness < (NEAR_ACROSS if across else NEAR):
        return None
    if _of_different_things(one, other):
        return None
    marks = _numbers_apart(one, other) if across or _say_the_same(one.words, other.words) else None
    if marks is not None:
        return Contradiction("number", first, second, marks, round(nearness, 4))
    if across:
        return None
    if not (first.whole and second.whole) or {one.denials, other.denials} != {0, 1}:
        return None
    if not any(_opposed(part, another) for part in one.main for another in other.main):
        return None
    return Contradiction("opposite", first, second, ((), ()), round(nearness, 4))


def _opposed(one: Proposition, other: Proposition) -> bool:
    if one.denies == other.denies or one.open or other.open:
        return False
    if any(same_dimension(ours, theirs) and not ours.fits(theirs) for ours in one.numbers for theirs in other.numbers):
        return False  # within 30 days you can, after 30 days you cannot
    return _say_the_same(one.words, other.words)


class _Read:
    """A sentence in the form in which it is compared."""

    def __init__(self, said: Said) -> None:
        self.said = said
        self.language = said.article.language
        self.text = fold(plain(said.text))
        self.words = frozenset(content_words(self.text, self.language))
        self.names = frozenset(found for found in map(str.lower, _names(self.text, self.language)) if found)
        self.sides = frozenset(name for name, pattern in _SIDES.items() if pattern.search(self.text.lower()))
        self.numbers = [one for one in quantities(self.text) if one.unit not in _LOOSE]
        self.denials = denials(self.text, self.language)

    @cached_property
    def main(self) -> list[Proposition]:
        """The clause that says most of it, if there is one."""
        words = len(self.words - _MEASURING)
        found = [one for one in propositions(self.text, self.language) if _CONDITION.match(one.text.lower()) is None]
        return [one for one in found if len(one.words - _MEASURING) >= _MAIN * words]

    def mark(self, number: Quantity) -> tuple[Mark, ...]:
        """Where the number stands in the article's own words."""
        written = self.text[number.start : number.end].strip()
        at = self.said.text.lower().find(written.lower())
        return (Mark(at, at + len(written)),) if at >= 0 and written else ()


def _say_the_same(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one sentence has only words that the other one has as well, and not many fewer of them: words on both sides
    that the other lacks are what they are about, and many more are a condition."""
    one, other = one - _MEASURING, other - _MEASURING
    shared = one & other
    return (one <= other or other <= one) and len(shared) >= SHARED * len(one | other) and bool(shared)


def _of_different_things(one: _Read, other: _Read) -> bool:
    """Whether the sentences name different things, or one speaks of before and the other one of after."""
    if one.language == other.language and one.names and other.names and not _names_fit(one.names, other.names):
        return True
    return bool(one.sides) and bool(other.sides) and one.sides.isdisjoint(other.sides)


def _names_fit(ours: frozenset[str], theirs: frozenset[str]) -> bool:
    return any(one == other or one in other.split() or other in one.split() for one in ours for other in theirs)


def _numbers_apart(one: _Read, other: _Read) -> tuple[tuple[Mark, ...], tuple[Mark, ...]] | None:
    pairs = _apart(one.numbers, other.numbers)
    if not pairs:
        return None
    first = tuple(dict.fromkeys(mark for number, _ in pairs for mark in one.mark(number)))
    second = tuple(dict.fromkeys(mark for _, number in pairs for mark in other.mark(number)))
    return first, second


def _apart(ours: Sequence[Quantity], theirs: Sequence[Quantity]) -> list[tuple[Quantity, Quantity]]:
    """Numbers of one kind that are on one side only, each with its counterpart; none where one side has more of them
    than the other, because then it may only say more."""
    only = [one for one in ours if not any(_agree(one, other) for other in theirs)]
    theirs_only = [one for one in theirs if not any(_agree(one, other) for other in ours)]
    return [(one, other) for one in only for other in theirs_only if same_dimension(one, other)][:4]


def _agree(one: Quantity, other: Quantity) -> bool:
    """Whether both can hold: the same number, or a bound that the other one lies within."""
    if not same_dimension(one, other):
        return False
    if abs(one.value - other.value) <= _ROUNDED * max(abs(one.value), abs(other.value)):
        return True
    low, high = (one, other) if one.value < other.value else (other, one)
    return low.bound == "min" and high.bound == "max"


def _near_pairs(said: Sequence[Said], vectors: Vectors) -> Iterator[tuple[Said, Said, float]]:
    usable = np.array([1 < len(one.text) <= _LONGEST for one in said])
    for language in ("zh", "en"):
        here = np.flatnonzero(usable & np.array([one.article.language == language for one in said]))
        rows = vectors[here]
        for start in range(0, len(here), _TOGETHER):
            near = rows[start : start + _TOGETHER] @ rows.T
            for row, column in zip(*np.nonzero(near >= NEAR), strict=True):
                first, second = said[here[start + row]], said[here[column]]
                if start + row < column and _could(first, second):
                    yield first, second, float(near[row, column])
    yield from _across(said, vectors, usable)


def _across(
    said: Sequence[Said], vectors: Vectors, usable: npt.NDArray[np.bool_]
) -> Iterator[tuple[Said, Said, float]]:
    """Sentences of the two versions of one article that are each the nearest to the other."""
    places: dict[str, dict[str, list[int]]] = {}
    for place, one in enumerate(said):
        if usable[place]:
            places.setdefault(one.article.id, {}).setdefault(one.article.language, []).append(place)
    for versions in places.values():
        if len(versions) < 2:
            continue
        zh, en = versions["zh"], versions["en"]
        near = vectors[zh] @ vectors[en].T
        for row, column in enumerate(near.argmax(axis=1)):
            if int(near[:, column].argmax()) == row:
                yield said[zh[row]], said[en[column]], float(near[row, column])


def _could(one: Said, other: Said) -> bool:
    """Whether somebody may be told both: other articles (or languages), a common audience, a common time."""
    first, second = one.article, other.article
    if first.key == second.key or one.text == other.text:
        return False
    if first.id == second.replaced_by or second.id == first.replaced_by:
        return False
    if set(first.audience).isdisjoint(second.audience):
        return False
    begins = max((moment for moment in (first.valid_from, second.valid_from) if moment), default=None)
    ends = min((moment for moment in (first.valid_until, second.valid_until) if moment), default=None)
    return begins is None or ends is None or begins < ends
