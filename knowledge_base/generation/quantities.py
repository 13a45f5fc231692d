"""Finds the numbers of a text in a form that compares across languages: "两千五百元" and "CNY 2,500" are the same.

A quantity is a value in a base unit (days become hours, years become months), with the bound that the words beside it
set ("at most", "以上"). Months and weekdays are quantities too, so that a changed date is a changed number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from knowledge_base.generation.calendar_parts import calendar_parts
from knowledge_base.generation.units import EN_UNITS, EN_WORDS, SCALES, TENS, ZH_SCALES, ZH_UNITS, value_of

_EN_NUMBER = "|".join(sorted({*EN_WORDS, *SCALES, *(word for word in TENS if word != "-")}, key=len, reverse=True))


@cache
def _token() -> re.Pattern[str]:
    en = "|".join(re.escape(unit) for unit in sorted(EN_UNITS, key=len, reverse=True) if re.match(r"[a-z]", unit))
    signs = "|".join(
        re.escape(unit) for unit in sorted(EN_UNITS, key=len, reverse=True) if not re.match(r"[a-z]", unit)
    )
    zh = "|".join(re.escape(unit) for unit in sorted(ZH_UNITS, key=len, reverse=True))
    unit = rf"(?:\s?-?\s?(?P<en>{en})(?![a-z])|\s?(?P<sign>{signs})|\s?(?P<zh>{zh}))"
    money = r"(?P<before>hk\$|s\$|us\$|[¥￥$£€]|(?:cny|rmb|gbp|eur|usd|hkd|sgd)\s?)?"
    digits = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d+(?:\.\d+)?"
    words = rf"\b(?:{_EN_NUMBER})(?:[\s-]+(?:and\s+)?(?:{_EN_NUMBER}))*\b"
    chinese = r"[〇零一二三四五六七八九两十百千万亿]+(?:点[〇零一二三四五六七八九]+)?|半(?=个?(?:年|月|小时|天|价))"
    return re.compile(
        rf"百分之(?P<share>{digits}|{chinese})"
        rf"|(?P<clock>\b\d{{1,2}}[:：]\d{{2}}\b(?:\s?(?P<half>[ap]\.?m\b))?|\b\d{{1,2}}\s?(?P<half2>[ap]\.?m\b))"
        r"|(?P<iso>\b\d{4}-\d{2}-\d{2}\b)"
        rf"|{money}(?P<number>{digits}|{words}|{chinese})(?P<scale>\s?(?:万|亿|千)(?=[^a-z0-9]|$))?(?P<half3>(?=个半))?{unit}?",
    )


_LINK = re.compile(r"\s?(?:-|–|—|~|～|to|and|or|至|到|、|或)\s?")
_APPROX = r"(?:about|around|roughly|approximately|only|just|the|a|an|next|first|last|约|大约|大概|左右|仅|只|满)?\s?"
_AT_LEAST_BEFORE = re.compile(
    rf"(?:at least|no less than|not less than|minimum(?: of)?|over|more than|older than|above|upwards of|from|after|since|至少|不少于|不低于|超过|高于|起码|(?<!不)满)\s?{_APPROX}$"
)
_AT_MOST_BEFORE = re.compile(
    rf"(?:at most|up to|no more than|not more than|maximum(?: of)?|within|under|less than|below|no later than|before|until|till|最多|至多|最长|最高|不超过|不高于|少于|低于|小于|不满|不足|不到)\s?{_APPROX}$"
)
_AT_LEAST_AFTER = re.compile(
    r"^\s?(?:or more|or above|and above|and over|or longer|minimum|以上|及以上|起|往上|[之以]?后)"
)
_AT_MOST_AFTER = re.compile(r"^\s?(?:or less|or fewer|at most|maximum|之?内|以内|以下|及以下|为限|[之以]?前)")
#: "最多抵实付金额的 10%": the bound stands before the verb.
_FAR = re.compile(
    r"(?:(?P<least>至少|不少于|不低于|最少)|最多|至多|不超过)[^\d，。；,;！？零一二三四五六七八九十两]{1,10}$"
)
_ARTICLE = re.compile(r"\b(?:within|in|after|for|about|takes?|up to|at least|lasts?|than)\s+an?\s+(?P<unit>[a-z]+)\b")
_TIMES = re.compile(
    r"(?<!at )(?<!all )\b(?:(?P<word>once)(?!\s(?:you|the|it|they|your|opened|we|a|an|this|that|paid|used|in use)\b)|(?P<more>twice|thrice))\b"
)
_HALF = re.compile(r"\bhalf (?:an? |the )?(?P<unit>[a-z]+)\b")
#: "twice a year", "每年两次": how often, which is another kind of number than how long.
_RATE_EN = re.compile(
    r"(?:\b(?:per|each|every)\s|\b(?:once|twice|times?|yuan|pounds?|euros?|cents|\d+)\s(?P<rate>)an?\s)(?P<unit>second|minute|hour|day|night|week|month|year)\b|\b(?P<adverb>daily)\b"
)
_RATE_ZH = re.compile(
    r"每个?(?P<unit>小时|分钟|天|日|晚|周|星期|月|年)(?!\d)|一(?P<unit2>天|周|年|个月|晚)(?=\s?[能可最限只有一两三四]{1,3}|\d?\s?次)"
)
_RATES = {
    "second": 1 / 3600, "minute": 1 / 60, "分钟": 1 / 60, "hour": 1, "小时": 1, "day": 24, "night": 24, "daily": 24, "天": 24,
    "日": 24, "晚": 24, "week": 168, "周": 168, "星期": 168, "month": 720, "月": 720, "个月": 720, "year": 8640, "年": 8640,
}  # fmt: skip
#: "the day before", "前一天": a place on the calendar, not an amount.
_NO_AMOUNT = re.compile(
    r"(?<!提)[前后当同次]一?天|第二天|one day before|the (?:next|same|previous|following) day|一天比一天"
)
_DISCOUNT_ZH = re.compile(r"(?P<number>\d(?:\.\d)?|\d{2}|[一二三四五六七八九]{1,2})\s?折")


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number with what it counts; ``start`` and ``end`` are where it stands in the text."""

    value: float
    unit: str  #: "" when the text names none that is known
    bound: str  #: "min", "max" or ""
    start: int
    end: int

    def fits(self, other: Quantity) -> bool:
        """Whether ``other`` says the same number of the same thing, and does not bound it the other way."""
        if abs(self.value - other.value) > 1e-6 * max(1.0, abs(self.value)):
            return False
        if {self.bound, other.bound} == {"min", "max"}:
            return False
        if self.unit == other.unit:
            return True
        return "" in (self.unit, other.unit) or {self.unit, other.unit} <= {"pieces", "people", "times", ""}


def quantities(text: str) -> list[Quantity]:
    """Every number of a folded text (half-width, simplified characters), in order."""
    lowered = text.lower()
    found: list[Quantity] = []
    taken: list[tuple[int, int]] = []

    def add(start: int, end: int, value: float, unit: str, bound: str = "") -> None:
        if not any(start < last and first < end for first, last in taken):
            taken.append((start, end))
            found.append(Quantity(value, unit, bound, start, end))

    for start, end, value, unit in calendar_parts(lowered):
        # A date and its month are two claims about one place, so they do not exclude each other.
        found.append(Quantity(value, unit, "", start, end))
        taken.append((start, end))
    for match in _NO_AMOUNT.finditer(lowered):
        taken.append((match.start(), match.end()))
    for pattern in (_RATE_EN, _RATE_ZH):
        for match in pattern.finditer(lowered):
            name = next(value for value in match.groupdict().values() if value)
            start = match.start("rate") if match.groupdict().get("rate") is not None else match.start()
            add(start, match.end(), _RATES[name], "rate")
    for match in _DISCOUNT_ZH.finditer(lowered):
        number = value_of(match["number"])
        number = number * 10 if number < 10 else number
        add(match.start(), match.end(), round(100 - number, 4), "percent")
    for match in _ARTICLE.finditer(lowered):
        if match["unit"] in EN_UNITS:
            base, factor = EN_UNITS[match["unit"]]
            add(
                match.start("unit") - 2,
                match.end(),
                factor,
                base,
                _bound(lowered, match.start("unit") - 2, match.end()),
            )
    for match in _TIMES.finditer(lowered):
        add(match.start(), match.end(), {"once": 1.0, "twice": 2.0, "thrice": 3.0}[match.group()], "times")
    for match in _HALF.finditer(lowered):
        if match["unit"] in EN_UNITS:
            base, factor = EN_UNITS[match["unit"]]
            add(match.start(), match.end(), factor / 2, base)
    factors: dict[int, float] = {}
    pieces = [one for one in _numbers(lowered) if not any(one[0] < last and first < one[1] for first, last in taken)]
    for start, end, _, _ in pieces:
        factors[start] = _factor_of(lowered[start:end])
    for place in reversed(range(len(pieces) - 1)):  # "1–3 days", "3、6 或 12 期": the last unit counts for all
        start, end, value, unit = pieces[place]
        following = pieces[place + 1]
        if not unit and following[3] and _LINK.fullmatch(lowered[end : following[0]]):
            factor = factors[following[0]]
            factors[start] = factor
            pieces[place] = (start, end, value * factor, following[3])
    for place, (start, end, value, unit) in enumerate(pieces):
        chained = place > 0 and _LINK.fullmatch(lowered[pieces[place - 1][1] : start]) is not None
        add(start, end, value, unit, "" if chained else _bound(lowered, start, end))
    return sorted(found, key=lambda quantity: (quantity.start, quantity.unit))


def without_quantities(text: str) -> str:
    """The text with a space for each number and its unit."""
    kept, at = [], 0
    for quantity in sorted(quantities(text), key=lambda one: one.start):
        if quantity.start >= at:
            kept.append(text[at : quantity.start])
        at = max(at, quantity.end)
    return " ".join([*kept, text[at:]])


def _factor_of(text: str) -> float:
    match = _token().search(text)
    if match is None:
        return 1.0
    return _unit_of(match)[1]


def _numbers(text: str) -> Iterator[tuple[int, int, float, str]]:
    for match in _token().finditer(text):
        if match["share"]:
            yield match.start(), match.end(), value_of(match["share"]), "percent"
        elif match["clock"]:
            yield match.start(), match.end(), _clock(match), "clock"
        elif match["iso"]:
            year, month, day = (int(part) for part in match["iso"].split("-"))
            yield match.start(), match.start() + 4, float(year), ""
            yield match.start() + 5, match.start() + 7, float(month), "month-of-year"
            yield match.start() + 8, match.end(), float(day), "day-of-month"
        elif match["number"]:
            found = _plain_number(text, match)
            if found is not None:
                yield found


def _plain_number(text: str, match: re.Match[str]) -> tuple[int, int, float, str] | None:
    number = match["number"]
    unit, factor = _unit_of(match)
    if not number[0].isdigit():
        chinese = "一" <= number[0] <= "龥" or number[0] == "〇"
        if chinese and not unit and (len(number) == 1 or not set(number) & set(ZH_SCALES)):
            return None  # 一下, 三三两两: words, not numbers
        if chinese and unit in {"pieces", "times"} and number == "一":
            return None  # 一个, 一次
        if number == "one" and unit in {"", "pieces", "people", "times"}:
            return None
        if number == "second":
            return None
    elif match.start("number") > 0 and (
        text[match.start("number") - 1].isascii() and text[match.start("number") - 1].isalpha()
    ):
        return None  # KT20260001, p1, usb3: part of a name
    value = value_of(number)
    scale = (match["scale"] or "").strip()
    if scale:
        value *= ZH_SCALES[scale]
    value *= factor
    if unit and match["zh"] and text[match.end() : match.end() + 1] == "半" and unit in {"month", "hour"}:
        value += factor / 2
    return match.start(), match.end(), value, unit


def _unit_of(match: re.Match[str]) -> tuple[str, float]:
    before = (match["before"] or "").strip()
    if before:
        base, factor = EN_UNITS.get("cny" if before in {"¥", "￥"} else before, ("CNY", 1.0))
        return base, factor
    if match["en"]:
        return EN_UNITS[match["en"]]
    if match["sign"]:
        return EN_UNITS[match["sign"]]
    if match["zh"]:
        return ZH_UNITS[match["zh"]]
    return "", 1.0


def _clock(match: re.Match[str]) -> float:
    hour, _, minute = re.sub(r"[^\d:：]", "", match["clock"]).replace("：", ":").partition(":")
    half = (match["half"] or match["half2"] or "").replace(".", "")
    number = int(hour) % 12 + 12 if half == "pm" else int(hour) % 12 if half == "am" else int(hour)
    return float(number * 60 + int(minute or 0))


def _bound(text: str, start: int, end: int) -> str:
    before, after = text[max(0, start - 32) : start], text[end : end + 12]
    far = _FAR.search(before)
    if far is not None:
        return "min" if far["least"] else "max"
    if _AT_MOST_BEFORE.search(before) or _AT_MOST_AFTER.search(after) or text[start:end].endswith("内"):
        return "max"
    if _AT_LEAST_BEFORE.search(before) or _AT_LEAST_AFTER.search(after):
        return "min"
    return ""
