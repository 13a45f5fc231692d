"""Finds the numbers of a text in a form that compares across languages: "两千五百元" and "CNY 2,500" are the same.

A quantity is a value in a base unit (days become hours, years become months), with the bound that the words beside it
set ("at most", "以上"). Months and weekdays are quantities too, so that a changed date is a changed number.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

_EN_UNITS: dict[str, tuple[str, float]] = {}
_ZH_UNITS: dict[str, tuple[str, float]] = {}


def _units(base: str, factor: float, en: str, zh: str = "") -> None:
    for name in en.split("|"):
        if name:
            _EN_UNITS[name] = (base, factor)
    for name in zh.split("|"):
        if name:
            _ZH_UNITS[name] = (base, factor)


_units("hour", 1 / 3600, "second|seconds|sec|secs", "秒|秒钟")
_units("hour", 1 / 60, "minute|minutes|min|mins", "分钟")
_units("hour", 1, "hour|hours|hr|hrs|h", "小时|个小时|个钟头|钟头")
_units("hour", 24, "day|days|calendar day|calendar days|natural days", "天|日|个自然日|自然日|天内|日内")
_units("hour", 168, "week|weeks", "周|个星期|星期|个礼拜|礼拜")
_units("workday", 1, "working day|working days|business day|business days|workday|workdays", "个工作日|工作日")
_units("month", 1, "month|months", "个月|月")
_units("month", 12, "year|years|yr|yrs", "年|周年")
_units("CNY", 1, "cny|rmb|yuan|renminbi", "元|块|块钱|圆|人民币")
_units("HKD", 1, "hkd|hk$|hk dollars", "港币|港元")
_units("SGD", 1, "sgd|s$|singapore dollars", "新币|新加坡元")
_units("GBP", 1, "gbp|£|pound|pounds|quid", "英镑")
_units("EUR", 1, "eur|€|euro|euros", "欧元|欧")
_units("USD", 1, "usd|$|us$|dollar|dollars", "美元|美金")
_units("cent", 1, "cent|cents|pence", "分钱")
_units("percent", 1, "%|percent|per cent|pct", "%|个百分点")
_units("gram", 1, "g|gram|grams|gramme|grammes", "克")
_units("gram", 1000, "kg|kilo|kilos|kilogram|kilograms", "公斤|千克")
_units("gram", 500, "jin", "斤")
_units("metre", 0.001, "mm|millimetre|millimetres|millimeter|millimeters", "毫米")
_units("metre", 0.01, "cm|centimetre|centimetres|centimeter|centimeters", "厘米|公分")
_units("metre", 1, "m|metre|metres|meter|meters", "米")
_units("metre", 1000, "km|kilometre|kilometres|kilometer|kilometers", "公里|千米")
_units("inch", 1, "inch|inches|″|\"", "英寸|寸")
_units("watt", 1, "w|watt|watts", "瓦|瓦特")
_units("watthour", 1, "wh|watt-hours|watt hours", "瓦时")
_units("mah", 1, "mah", "毫安|毫安时")
_units("volt", 1, "v|volt|volts", "伏")
_units("byte", 1e-3, "mb|megabytes", "兆")
_units("byte", 1, "gb|gigabytes", "")
_units("byte", 1000, "tb|terabytes", "")
_units("degree", 1, "°c|degrees celsius|degrees|°", "度|摄氏度|℃")
_units("percentpoints", 1, "points|point", "积分|分")
_units("times", 1, "time|times", "次|遍|回")
_units("instalment", 1, "instalment|instalments|installment|installments|monthly instalments", "期")
_units("people", 1, "person|people|persons", "人|位")
_units("pieces", 1, "piece|pieces|item|items|unit|units|pcs", "件|个|台|部|只|张|份|盒|包|本|双|条|把")

_EN_WORDS = {
    word: value
    for value, words in enumerate(
        "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
        "eighteen nineteen".split()
    )
    for word in words.split("|")
}
_TENS = {word: 10 * place for place, word in enumerate("- - twenty thirty forty fifty sixty seventy eighty ninety".split())}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {
    word: value
    for value, word in enumerate(
        "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
        "fifteenth".split()
    )
}
_ZH_DIGITS = dict(zip("〇零一二三四五六七八九两", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
_ZH_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
_MONTHS = "january february march april may june july august september october november december".split()
_WEEKDAYS = "monday tuesday wednesday thursday friday saturday sunday".split()

_EN_NUMBER = "|".join(
    sorted({*_EN_WORDS, *_SCALES, *(word for word in _TENS if word != "-")}, key=len, reverse=True)
)


@cache
def _token() -> re.Pattern[str]:
    en = "|".join(re.escape(unit) for unit in sorted(_EN_UNITS, key=len, reverse=True) if re.match(r"[a-z]", unit))
    signs = "|".join(re.escape(unit) for unit in sorted(_EN_UNITS, key=len, reverse=True) if not re.match(r"[a-z]", unit))
    zh = "|".join(re.escape(unit) for unit in sorted(_ZH_UNITS, key=len, reverse=True))
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
    rf"(?:at most|up to|no more than|not more than|maximum(?: of)?|within|under|less than|below|no later than|before|until|till|by|最多|至多|最长|最高|不超过|不高于|少于|低于|小于|不满|不足|不到)\s?{_APPROX}$"
)
_AT_LEAST_AFTER = re.compile(r"^\s?(?:or more|or above|and above|and over|or longer|minimum|以上|及以上|起|往上|[之以]?后)")
_AT_MOST_AFTER = re.compile(r"^\s?(?:or less|or fewer|at most|maximum|之?内|以内|以下|及以下|为限|[之以]?前)")
#: "最多抵实付金额的 10%": the bound stands before the verb.
_FAR = re.compile(r"(?:(?P<least>至少|不少于|不低于|最少)|最多|至多|不超过)[^\d，。；,;！？零一二三四五六七八九十两]{1,10}$")
_ARTICLE = re.compile(r"\b(?:within|in|after|for|about|takes?|up to|at least|lasts?|than)\s+an?\s+(?P<unit>[a-z]+)\b")
_TIMES = re.compile(r"\b(?<!at )(?<!all )(?P<word>once|twice|thrice)\b(?!\s(?:you|the|it|they|your|opened|we|a|an|this|that|paid|used|in use))")
_HALF = re.compile(r"\bhalf (?:an? |the )?(?P<unit>[a-z]+)\b")
#: "twice a year", "每年两次": how often, which is another kind of number than how long.
_RATE_EN = re.compile(r"(?:\b(?:per|each|every)\s|\b(?:once|twice|times?|yuan|pounds?|euros?|cents|\d+)\s(?P<rate>)an?\s)(?P<unit>second|minute|hour|day|night|week|month|year)\b|\b(?P<adverb>daily)\b")
_RATE_ZH = re.compile(r"每个?(?P<unit>小时|分钟|天|日|晚|周|星期|月|年)(?!\d)|一(?P<unit2>天|周|年|个月|晚)(?=\s?[能可最限只有一两三四]{1,3}|\d?\s?次)")
_RATES = {
    "second": 1 / 3600, "minute": 1 / 60, "分钟": 1 / 60, "hour": 1, "小时": 1, "day": 24, "night": 24, "daily": 24, "天": 24,
    "日": 24, "晚": 24, "week": 168, "周": 168, "星期": 168, "month": 720, "月": 720, "个月": 720, "year": 8640, "年": 8640,
}  # fmt: skip
#: "the day before", "前一天": a place on the calendar, not an amount.
_NO_AMOUNT = re.compile(r"[前后当同次]一?天|第二天|one day before|the (?:next|same|previous|following) day|一天比一天")
_DAY_OF_EACH_MONTH = re.compile(r"(?:每个?月|当月|本月)\s?(?P<day>\d{1,2})\s?[日号]|(?P<day2>\d{1,2})\s?号")
_YEAR = re.compile(r"(?P<year>(?:19|20)\d{2})\s?年")
_NAMED_EN = re.compile(rf"\b(?P<name>{'|'.join([*_MONTHS, *_WEEKDAYS])})s?\b(?:\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?")
_DAY_OF_MONTH = re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<name>{'|'.join(_MONTHS)})\b")
_MONTH_ZH = re.compile(r"(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月(?!内)(?:(?P<day>\d{1,2})[日号]|(?P<days>[一二三四五六七八九十]{1,3})[日号])?")
_WEEKDAY_ZH = re.compile(r"(?:周|星期|礼拜)(?P<day>[一二三四五六日天])(?![期个天年月])")
_CLOCK_ZH = re.compile(
    r"(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|晚间|晚|早)?\s?(?P<hour>\d{1,2}|[一二三四五六七八九两十]{1,3})\s?点(?:(?P<minute>\d{1,2})分?|(?P<half>半))?(?!击|选|开|赞|评|儿|[一二三四五六七八九])"
)
_ORDINAL_EN = re.compile(rf"\b(?:the|a|your|every|each|in|on)\s(?P<word>{'|'.join(word for word in _ORDINALS if word != 'zeroth')})\b(?!\s(?:time|place))|\b(?P<digits>\d{{1,3}})(?:st|nd|rd|th)\b")
_ORDINAL_ZH = re.compile(r"第(?P<number>\d+|[一二三四五六七八九十百两]+)")
_DISCOUNT_ZH = re.compile(r"(?P<number>\d(?:\.\d)?|\d{2}|[一二三四五六七八九]{1,2})折")


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

    for start, end, value, unit in _calendar(lowered):
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
        number = _chinese(match["number"]) if not match["number"][0].isdigit() else float(match["number"])
        number = number * 10 if number < 10 else number
        add(match.start(), match.end(), round(100 - number, 4), "percent")
    for match in _ARTICLE.finditer(lowered):
        if match["unit"] in _EN_UNITS:
            base, factor = _EN_UNITS[match["unit"]]
            add(match.start("unit") - 2, match.end(), factor, base, _bound(lowered, match.start("unit") - 2, match.end()))
    for match in _TIMES.finditer(lowered):
        add(match.start(), match.end(), {"once": 1.0, "twice": 2.0, "thrice": 3.0}[match["word"]], "times")
    for match in _HALF.finditer(lowered):
        if match["unit"] in _EN_UNITS:
            base, factor = _EN_UNITS[match["unit"]]
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
            yield match.start(), match.end(), _value(match["share"]), "percent"
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
        if chinese and not unit and (len(number) == 1 or not set(number) & set(_ZH_SCALES)):
            return None  # 一下, 三三两两: words, not numbers
        if chinese and unit in {"pieces", "times"} and number == "一":
            return None  # 一个, 一次
        if number == "one" and unit in {"", "pieces", "people", "times"}:
            return None
        if number == "second":
            return None
    elif match.start("number") > 0 and (text[match.start("number") - 1].isascii() and text[match.start("number") - 1].isalpha()):
        return None  # KT20260001, p1, usb3: part of a name
    value = _value(number)
    scale = (match["scale"] or "").strip()
    if scale:
        value *= _ZH_SCALES[scale]
    value *= factor
    if unit and match["zh"] and text[match.end() : match.end() + 1] == "半" and unit in {"month", "hour"}:
        value += factor / 2
    return match.start(), match.end(), value, unit


def _unit_of(match: re.Match[str]) -> tuple[str, float]:
    before = (match["before"] or "").strip()
    if before:
        base, factor = _EN_UNITS.get("cny" if before in {"¥", "￥"} else before, ("CNY", 1.0))
        return base, factor
    if match["en"]:
        return _EN_UNITS[match["en"]]
    if match["sign"]:
        return _EN_UNITS[match["sign"]]
    if match["zh"]:
        return _ZH_UNITS[match["zh"]]
    return "", 1.0


def _calendar(text: str) -> Iterator[tuple[int, int, float, str]]:
    """Months, weekdays, days of a month, clock times in words and ordinals."""
    spans: list[tuple[int, int]] = []

    def free(start: int, end: int) -> bool:
        if any(start < last and first < end for first, last in spans):
            return False
        spans.append((start, end))
        return True

    for match in _DAY_OF_MONTH.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), float(match["day"]), "day-of-month"
            yield match.start(), match.end(), float(_MONTHS.index(match["name"]) + 1), "month-of-year"
    for match in _NAMED_EN.finditer(text):
        name = match["name"]
        if name in {"may", "march"} and not match["day"]:
            continue  # a verb more often than a month
        if not free(match.start(), match.end()):
            continue
        if name in _WEEKDAYS:
            yield match.start(), match.end("name"), float(_WEEKDAYS.index(name) + 1), "weekday"
        else:
            yield match.start(), match.end(), float(_MONTHS.index(name) + 1), "month-of-year"
            if match["day"]:
                yield match.start(), match.end(), float(match["day"]), "day-of-month"
    for match in _YEAR.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), float(match["year"]), ""
    for match in _DAY_OF_EACH_MONTH.finditer(text):
        if free(match.start("day") if match["day"] else match.start(), match.end()):
            yield match.start(), match.end(), float(match["day"] or match["day2"]), "day-of-month"
    for match in _MONTH_ZH.finditer(text):
        before = text[match.start() - 1 : match.start()]
        if before and (before.isdigit() or before in "个十一二三四五六七八九两") or not free(match.start(), match.end()):
            continue
        yield match.start(), match.end(), _value(match["month"]), "month-of-year"
        day = match["day"] or match["days"]
        if day:
            yield match.start(), match.end(), _value(day), "day-of-month"
    for match in _WEEKDAY_ZH.finditer(text):
        if free(match.start(), match.end()):
            number = "一二三四五六日".find(match["day"].replace("天", "日")) + 1
            yield match.start(), match.end(), float(number), "weekday"
    for match in _CLOCK_ZH.finditer(text):
        hour = _value(match["hour"])
        if hour > 24 or not free(match.start(), match.end()):
            continue
        late = (match["part"] or "") in {"下午", "傍晚", "晚上", "晚间", "晚"} or match["part"] == "中午" and hour < 6
        hour = hour + 12 if late and hour < 12 else hour
        yield match.start(), match.end(), hour * 60 + (30 if match["half"] else float(match["minute"] or 0)), "clock"
    for match in _ORDINAL_EN.finditer(text):
        if free(match.start(), match.end()):
            number = _ORDINALS[match["word"]] if match["word"] else int(match["digits"])
            yield match.start(), match.end(), float(number), "ordinal"
    for match in _ORDINAL_ZH.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), _value(match["number"]), "ordinal"


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


def _value(number: str) -> float:
    if number[0].isdigit():
        return float(number.replace(",", ""))
    return _english(number) if number[0].isascii() else _chinese(number)


def _english(words: str) -> float:
    total = group = 0
    for word in re.split(r"[\s-]+", words):
        if word in _EN_WORDS:
            group += _EN_WORDS[word]
        elif word in _TENS:
            group += _TENS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in _SCALES:
            total += (group or 1) * _SCALES[word]
            group = 0
    return float(total + group)


def _chinese(number: str) -> float:
    if number == "半":
        return 0.5
    whole, _, fraction = number.partition("点")
    if not set(whole) & set(_ZH_SCALES):
        value = float("".join(str(_ZH_DIGITS[digit]) for digit in whole))
    else:
        total = section = digit = 0
        last = 1
        for character in whole:
            if character in _ZH_DIGITS:
                digit = _ZH_DIGITS[character]
                last = 10 if character in "零〇" else last
            elif _ZH_SCALES[character] >= 10_000:
                total = (total + section + digit) * _ZH_SCALES[character]
                section, digit, last = 0, 0, _ZH_SCALES[character]
            else:
                section += (digit or 1) * _ZH_SCALES[character]
                digit, last = 0, _ZH_SCALES[character]
        # 两千五 is 2500: a digit at the end counts the next smaller scale, unless a zero stands before it.
        value = float(total + section + digit * (last // 10 if last >= 100 else 1))
    return value + sum(_ZH_DIGITS[digit] / 10**place for place, digit in enumerate(fraction, start=1))
