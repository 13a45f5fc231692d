"""What numbers count and how they are written in words, in Chinese and English."""

from __future__ import annotations

import re


def _words(text: str) -> list[str]:
    return text.split()


EN_UNITS: dict[str, tuple[str, float]] = {}
ZH_UNITS: dict[str, tuple[str, float]] = {}


def _units(base: str, factor: float, en: str, zh: str = "") -> None:
    for name in en.split("|"):
        if name:
            EN_UNITS[name] = (base, factor)
    for name in zh.split("|"):
        if name:
            ZH_UNITS[name] = (base, factor)


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
_units("inch", 1, 'inch|inches|″|"', "英寸|寸")
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

EN_WORDS = {
    word: value
    for value, word in enumerate(
        _words(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
            "eighteen nineteen"
        )
    )
}
TENS = {
    word: 10 * place for place, word in enumerate(_words("- - twenty thirty forty fifty sixty seventy eighty ninety"))
}
SCALES = {"hundred": 100, "thousand": 1000, "million": 1_000_000}
ORDINALS = {
    word: value
    for value, word in enumerate(
        _words(
            "zeroth first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
            "fifteenth"
        )
    )
}
_ZH_DIGITS = dict(zip("〇零一二三四五六七八九两", (0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 2), strict=True))
ZH_SCALES = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}
MONTHS = _words("january february march april may june july august september october november december")
WEEKDAYS = _words("monday tuesday wednesday thursday friday saturday sunday")


def value_of(number: str) -> float:
    """The value of a number as written: ``2,500``, ``two thousand five hundred`` or ``两千五``."""
    if number[0].isdigit():
        return float(number.replace(",", ""))
    return _english(number) if number[0].isascii() else _chinese(number)


def _english(words: str) -> float:
    total = group = 0
    for word in re.split(r"[\s-]+", words):
        if word in EN_WORDS:
            group += EN_WORDS[word]
        elif word in TENS:
            group += TENS[word]
        elif word == "hundred":
            group = (group or 1) * 100
        elif word in SCALES:
            total += (group or 1) * SCALES[word]
            group = 0
    return float(total + group)


def _chinese(number: str) -> float:
    if number == "半":
        return 0.5
    whole, _, fraction = number.partition("点")
    if not set(whole) & set(ZH_SCALES):
        value = float("".join(str(_ZH_DIGITS[digit]) for digit in whole))
    else:
        total = section = digit = 0
        last = 1
        for character in whole:
            if character in _ZH_DIGITS:
                digit = _ZH_DIGITS[character]
                last = 10 if character in "零〇" else last
            elif ZH_SCALES[character] >= 10_000:
                total = (total + section + digit) * ZH_SCALES[character]
                section, digit, last = 0, 0, ZH_SCALES[character]
            else:
                section += (digit or 1) * ZH_SCALES[character]
                digit, last = 0, ZH_SCALES[character]
        # 两千五 is 2500: a digit at the end counts the next smaller scale, unless a zero stands before it.
        value = float(total + section + digit * (last // 10 if last >= 100 else 1))
    return value + sum(_ZH_DIGITS[digit] * 10.0**-place for place, digit in enumerate(fraction, start=1))
