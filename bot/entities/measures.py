"""Numbers with a unit: money, weights, durations, quantities …; one scan for numbers, then a look at what follows each."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.entities.candidates import BARE, GRAMMAR, Candidate
from bot.entities.catalogue import Catalogue
from bot.entities.numbers import CHINESE, DIGITS, ENGLISH, parse_number
from bot.text import is_cjk

_SECONDS = {
    "second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000, "quarter": 7_776_000,
    "year": 31_536_000,
}  # fmt: skip
#: Types whose value is the number alone, because their unit is always the same.
_PLAIN = {"percentage", "points", "screen_size", "age", "instalment_plan"}
_NUMBER = re.compile(
    rf"(?<![a-z\d.#*@_/第])(?<!\d,)(?<![a-z]-)(?:(?<!\w)-)?(?:{DIGITS})(?:[万亿]|千(?![克瓦米卡])|k(?![a-z]))?(?![\d])|(?<![a-z\d])(?:{ENGLISH})(?![a-z])|(?<![a-z])(?:half an|half a|an|a)(?= )|半|(?<!第){CHINESE}"
)
_CURRENCY_SIGNS = {
    "hk$": "HKD", "s$": "SGD", "us$": "USD", "rmb": "CNY", "cny": "CNY", "usd": "USD", "hkd": "HKD", "gbp": "GBP",
    "eur": "EUR", "sgd": "SGD", "¥": "CNY", "￥": "CNY", "$": "USD", "£": "GBP", "€": "EUR",
}  # fmt: skip
_SIGN = re.compile("(?:" + "|".join(map(re.escape, sorted(_CURRENCY_SIGNS, key=len, reverse=True))) + r")\s?$")
_TENTHS = re.compile(r"(?P<d>[一二三四五六七八九]|\d(?!\d))(?P<unit>毛钱?|角)?(?![\d个天年月周小台件])")
_UP_TO = re.compile(
    r"(?:under|below|less than|no more than|not more than|up to|at most|max(?:imum)?|within|不超过|低于|不到|最多|少于|小于)\s?$"
)
_FROM = re.compile(r"(?:over|above|more than|at least|from|starting at|超过|高于|至少|大于|不低于)\s?$")
_WITHIN_AFTER = re.compile(r"\s?(?:以内|之内|以下|之下|or less|or under|max\b)")
_OVER_AFTER = re.compile(r"\s?(?:以上|起步?|or more|and up|and above)")
_BETWEEN = re.compile(r"\s?(?:到|至|-|~|–|—|to|and)\s?")
_BEFORE_RANGE = re.compile(r"(?:between|from)\s?$")
#: Units that begin with the classifier 个, which otherwise makes 一个 an article.
_MEASURED_BY_GE = {
    "个月",
    "小时",
    "个小时",
    "个钟头",
    "个星期",
    "个礼拜",
    "个工作日",
    "个季度",
    "个百分点",
    "个钟",
    "个积分",
}
#: Classifiers that 一 makes an article rather than a count: 一次, 一条, 一位.
_ARTICLE_LIKE = set("次遍回单条只把本名人笔支位张款片颗种")
_HYPHEN_UNIT = re.compile(r"[\s-]{0,2}")


#: A number after one of these is a name, not a count; nor is it one before a unit no type of the catalogue has.
_NUMBERED = re.compile(
    r"(?:flat|unit|apt|apartment|room|floor|block|blk|step|level|no\.?|number|suite|gate|option|window|series|gen|chapter|part) $|第\s?$"
)
_UNKNOWN_UNIT = re.compile(r" ?(?:g?hz|fps|[mg]?bps|px|dpi|ppi|nits?|atm|db|rpm|bar|am|pm)\b|帧|赫兹|号楼|楼|层")


@dataclass(frozen=True)
class Quantity:
    """A number with a unit: the type it makes, the value, the unit, and where it stands."""

    type: str
    value: float | int
    unit: str
    start: int
    end: int


class Measures:
    """All units of a catalogue, by the words for them."""

    def __init__(self, catalogue: Catalogue) -> None:
        """Reads the ``units`` of the types."""
        self._units: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._exact: dict[str, list[tuple[str, str]]] = defaultdict(list)
        self._order = {kind.name: place for place, kind in enumerate(catalogue.types)}
        for kind in catalogue.types:
            for unit, words in kind.units.items():
                for word in words:
                    if word.startswith("="):
                        self._exact[word[1:]].append((kind.name, unit))
                    else:
                        self._units[word.lower()].append((kind.name, unit))
        self._fences = {
            kind.name: re.compile(kind.not_before) for kind in catalogue.types if kind.units and kind.not_before
        }
        self._longest = max((len(word) for word in (*self._units, *self._exact)), default=0)
        self._has_numbers = "number" in self._order

    def find(self, folded: str, lower: str) -> tuple[list[Candidate], list[Quantity]]:
        """Candidates of all types with units, and the durations among them for the grammar of times."""
        candidates: list[Candidate] = []
        quantities: list[Quantity] = []
        amounts: list[Quantity] = []
        bare: list[tuple[int, int, float | int]] = []
        for start, end, value in self._numbers(lower):
            money = self._money(lower, start, end, value)
            if money:
                amounts.append(money)
                continue
            found = [
                Quantity(kind, value, unit, start, stop)
                for stop, kind, unit in self._unit(folded, lower, start, end)
                if kind != "amount"
            ]
            quantities += found
            if not found and not lower[start:end].endswith(("a", "an")) and lower[start:end] != "半":
                bare.append((start, end, value))
                if self._is_plain_number(lower, start, end):
                    candidates.append(self._candidate("number", start, end, partial(_same, value), BARE))
        candidates += [self._candidate(one.type, one.start, one.end, partial(_measured, one)) for one in quantities]
        candidates += self._priced(lower, amounts, bare)
        return candidates, quantities

    def _numbers(self, lower: str) -> Iterator[tuple[int, int, float | int]]:
        for match in _NUMBER.finditer(lower):
            start, end = match.span()
            text = match.group()
            if text == "半":
                yield start, end, 0.5
            elif text in {"a", "an"}:
                yield start, end, 1
            elif text.startswith("half"):
                yield start, end, 0.5
            else:
                sign = -1 if text[0] == "-" else 1
                value = parse_number(text.lstrip("-"))
                if value is None and " " in text:  # “20 000” is one number, “8 800 0” is none
                    continue
                if value is not None:
                    yield start, end, sign * value

    def _unit(self, folded: str, lower: str, start: int, end: int) -> list[tuple[int, str, str]]:
        """The units that the words after a number may be: the longest first found, with where they end."""
        written = lower[start:end]
        article = written in {"a", "an"} or written.startswith("half")
        for gap in dict.fromkeys((0, _HYPHEN_UNIT.match(lower, end).end() - end)):  # type: ignore[union-attr]
            begin = end + gap
            for size in range(min(self._longest, len(lower) - begin), 0, -1):
                stop = begin + size
                last = lower[stop - 1]
                if (
                    not is_cjk(last)
                    and last.isalpha()
                    and stop < len(lower)
                    and lower[stop].isalpha()
                    and not is_cjk(lower[stop])
                ):
                    continue
                known = self._exact.get(folded[begin:stop]) or self._units.get(lower[begin:stop])
                if not known:
                    continue
                if article and not all(kind == "duration" for kind, _ in known):
                    return []
                if written == "一" and lower[begin] == "个" and lower[begin:stop] not in _MEASURED_BY_GE:
                    return []
                if written == "一" and lower[begin:stop] in _ARTICLE_LIKE:
                    return []
                return [
                    (stop, kind, unit)
                    for kind, unit in known
                    if kind not in self._fences or not self._fences[kind].match(lower, stop)
                ]
        return []

    def _money(self, lower: str, start: int, end: int, value: float | int) -> Quantity | None:
        sign = _SIGN.search(lower, max(0, start - 5), start)
        if sign and not (sign.start() and lower[sign.start() - 1].isalpha() and lower[sign.start()].isalpha()):
            currency = _CURRENCY_SIGNS[sign.group().strip()]
            return Quantity("amount", abs(value), currency, sign.start(), end)
        for stop, kind, unit in self._unit(lower, lower, start, end):
            if kind != "amount":
                continue
            if unit == "CNY" and lower[end:stop].strip() == "块":
                tenths = _TENTHS.match(lower, stop)
                if tenths:
                    part = parse_number(tenths["d"]) or 0
                    return Quantity("amount", round(value + part / 10, 2), unit, start, tenths.end())
            if lower[start:stop] == "一块":
                continue  # “together”, as often as one yuan
            if unit == "CNY/10":
                return Quantity("amount", round(value / 10, 2), "CNY", start, stop)
            return Quantity("amount", value, unit, start, stop)
        return None

    def _priced(
        self, lower: str, amounts: list[Quantity], bare: list[tuple[int, int, float | int]]
    ) -> Iterator[Candidate]:
        """Amounts, and the ranges they make with a second number or with words like “under” and 以内."""
        for place, one in enumerate(amounts):
            yield self._candidate("amount", one.start, one.end, partial(_amount, one))
            first = next(
                (
                    (start, value)
                    for start, end, value in [*((a.start, a.end, a.value) for a in amounts[:place]), *bare]
                    if end <= one.start and (gap := _BETWEEN.match(lower, end)) and gap.end() == one.start
                ),
                None,
            )
            if first:
                before = _BEFORE_RANGE.search(lower, 0, first[0])
                yield self._range(before.start() if before else first[0], one.end, first[1], one.value, one.unit)
            following = next(
                (
                    (end, value)
                    for start, end, value in bare
                    if start >= one.end and (gap := _BETWEEN.match(lower, one.end)) and gap.end() == start
                ),
                None,
            )
            if following:
                yield self._range(one.start, following[0], one.value, following[1], one.unit)
            top, bottom = _UP_TO.search(lower, 0, one.start), _FROM.search(lower, 0, one.start)
            if top:
                yield self._range(top.start(), one.end, None, one.value, one.unit)
            if bottom:
                yield self._range(bottom.start(), one.end, one.value, None, one.unit)
            after = _WITHIN_AFTER.match(lower, one.end)
            if after:
                yield self._range(one.start, after.end(), None, one.value, one.unit)
            after = _OVER_AFTER.match(lower, one.end)
            if after:
                yield self._range(one.start, after.end(), one.value, None, one.unit)

    def _range(self, start: int, end: int, low: Any, high: Any, currency: str) -> Candidate:
        if low is not None and high is not None and low > high:
            low, high = high, low
        value = {"min": low, "max": high, "currency": currency}
        return self._candidate("price_range", start, end, lambda: value)

    def _candidate(self, kind: str, start: int, end: int, value: Any, evidence: int = GRAMMAR) -> Candidate:
        return Candidate(kind, start, end, evidence, value, order=self._order.get(kind, 0))

    def _is_plain_number(self, lower: str, start: int, end: int) -> bool:
        """Whether a number without a unit is meant as a number, and is no part of a word, a code or a phrase."""
        written = lower[start:end]
        if not self._has_numbers or len(written) > 12:
            return False
        following = lower[end : end + 2].strip()
        if written[0].isdigit():
            if len(re.sub(r"\D", "", written)) > 5 or re.match(r"[a-z%°/:@_-]|[.,]\d|\s?\d", lower[end:]):
                return False
            if start and (lower[start - 1] in "+-" or (lower[start - 1].isalpha() and not is_cjk(lower[start - 1]))):
                return False
            if _NUMBERED.search(lower, 0, start) or _UNKNOWN_UNIT.match(lower, end):
                return False
        elif is_cjk(written[0]):
            if (
                len(written) < 2
                or not re.search("[十百千万]", written)
                or written in {"千万", "百万", "万一", "十分", "万千"}
            ):
                return False
        elif written in {"one", "zero"} or written.startswith(("a ", "an ")):
            return False
        return not following or not is_cjk(following[0]) or following[0] in "行吗够可了吧呢的对好就是，。！？啊哦和跟"


def _same(value: Any) -> Any:
    return value


def _amount(one: Quantity) -> dict[str, Any]:
    return {"amount": one.value, "currency": one.unit}


def _measured(one: Quantity) -> Any:
    if one.type in _PLAIN:
        return None if one.type == "points" and abs(one.value) < 10 else one.value
    if one.type == "duration":
        return {"value": one.value, "unit": one.unit, "seconds": int(one.value * _SECONDS[one.unit])}
    if one.value < 0 and one.type != "temperature":
        return None
    return {"value": one.value, "unit": one.unit}
