"""Numbers as people write them: digits, Chinese numerals (also as they are spoken: 两千五) and English number words."""

from __future__ import annotations

import re

_ZH_DIGITS = {
    "零": 0,
    "〇": 0,
    "一": 1,
    "二": 2,
    "两": 2,
    "三": 3,
    "四": 4,
    "五": 5,
    "六": 6,
    "七": 7,
    "八": 8,
    "九": 9,
}
_ZH_UNITS = {"十": 10, "百": 100, "千": 1000}
_ZH_BIG = {"万": 10_000, "亿": 100_000_000}
_EN_SMALL = {
    word: value
    for value, word in enumerate(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ]
    )
}
_EN_TENS = {
    word: value
    for value, word in zip(
        range(20, 100, 10), ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
    )
}
_EN_BIG = {"hundred": 100, "thousand": 1000, "million": 1_000_000}

_EN_WORD = "|".join(sorted([*_EN_SMALL, *_EN_TENS, *_EN_BIG], key=len, reverse=True))
#: Digits, with thousands set off by commas or (before a unit) spaces.
DIGITS = r"\d{1,3}(?:,\d{3})+(?:\.\d+)?|\d{1,3}(?: \d{3})+(?!\d)|\d+(?:\.\d+)?"
CHINESE = r"(?:[零〇一二两三四五六七八九十百万亿]|千(?![克瓦米卡]))+(?:点[零〇一二三四五六七八九]+)?"
ENGLISH = (
    rf"(?:an? (?=hundred|thousand|million))?(?:{_EN_WORD})(?:(?:-| and | )(?:{_EN_WORD}))*(?: point (?:{_EN_WORD}))?"
)
#: One number in folded lower-case text.
NUMBER = rf"(?:(?:{DIGITS})(?:[万亿]|千(?![克瓦米卡])|k(?![a-z]))?|{CHINESE}|(?<![a-z])(?:{ENGLISH})(?![a-z]))"


def parse_number(text: str) -> float | int | None:
    """The value of one number written in any of the three ways, or None; ``"1.2万"`` is 12000, ``"两千五"`` is 2500."""
    plain = text.strip().lower()
    if not plain:
        return None
    if plain[0].isdigit() and plain[0].isascii():
        return _digits(plain)
    if plain[0] in _ZH_DIGITS or plain[0] in _ZH_UNITS:
        return _chinese(plain)
    return _english(plain)


def _whole(value: float) -> float | int:
    return int(value) if value == int(value) else round(value, 10)


def _digits(text: str) -> float | int | None:
    factor = {"万": 10_000, "千": 1000, "k": 1000, "亿": 100_000_000}.get(text[-1], 1)
    body = (text if factor == 1 else text[:-1]).replace(",", "").replace(" ", "")
    try:
        return _whole(round(float(body) * factor, 6))
    except ValueError:
        return None


def _chinese(text: str) -> float | int | None:
    whole, point, fraction = text.partition("点")
    value = _chinese_whole(whole)
    if value is None or (point and not fraction):
        return None
    if not point:
        return value
    if any(character not in _ZH_DIGITS for character in fraction):
        return None
    return _whole(float(f"{value}.{''.join(str(_ZH_DIGITS[character]) for character in fraction)}"))


def _chinese_whole(text: str) -> int | None:
    if all(character in _ZH_DIGITS for character in text):
        # A row of digits is read one by one (二零二六); a single one is itself.
        return int("".join(str(_ZH_DIGITS[character]) for character in text)) if text else None
    total = section = 0
    digit: int | None = None
    last_unit = 0
    zero_before = False
    for character in text:
        if character in _ZH_DIGITS:
            if digit:
                return None  # two digits without a unit between them
            zero_before = character in "零〇"
            digit = _ZH_DIGITS[character]
        elif character in _ZH_UNITS:
            last_unit = _ZH_UNITS[character]
            section += (1 if digit is None or (digit == 0 and zero_before) else digit) * last_unit
            digit, zero_before = None, False
        elif character in _ZH_BIG:
            section += digit or 0
            if not section and not total:
                return None
            last_unit = _ZH_BIG[character]
            total = (total + section) * last_unit if last_unit == 100_000_000 else total + section * last_unit
            section, digit, zero_before = 0, None, False
        else:
            return None
    if digit:
        # What follows the last unit counts in tenths of it when it is spoken without 零: 两千五, 三万二, 一百二.
        spoken = last_unit >= 100 and not _zero_stands_before_last(text)
        section += digit * last_unit // 10 if spoken else digit
    return total + section


def _zero_stands_before_last(text: str) -> bool:
    return len(text) >= 2 and text[-2] in "零〇"


def _english(text: str) -> float | int | None:
    body, _, fraction = text.partition(" point ")
    words = [word for word in re.split(r"[\s-]+", body) if word not in {"and", "a", "an"}]
    total = current = 0
    if not words:
        return None
    for word in words:
        if word in _EN_SMALL:
            current += _EN_SMALL[word]
        elif word in _EN_TENS:
            current += _EN_TENS[word]
        elif word == "hundred":
            current = (current or 1) * 100
        elif word in _EN_BIG:
            total += (current or 1) * _EN_BIG[word]
            current = 0
        else:
            return None
    if fraction:
        return _whole(float(f"{total + current}.{_EN_SMALL.get(fraction, 0)}"))
    return total + current


def write_chinese(value: int) -> str:
    """The formal Chinese numeral of a whole number from 0 to 99 999 999; what the round-trip test reads back."""
    if value < 10:
        return "零一二三四五六七八九"[value]
    if value >= 10_000:
        high, low = divmod(value, 10_000)
        joint = "零" if 0 < low < 1000 else ""
        return write_chinese(high) + "万" + (joint + write_chinese(low) if low else "")
    for unit, sign in ((1000, "千"), (100, "百"), (10, "十")):
        if value >= unit:
            high, low = divmod(value, unit)
            head = ("" if unit == 10 and high == 1 else write_chinese(high)) + sign
            joint = "零" if 0 < low < unit // 10 else ""
            return head + (joint + _after(low, joint) if low else "")
    raise AssertionError("unreachable")


def _after(low: int, joint: str) -> str:
    written = write_chinese(low)
    return "一" + written if written.startswith("十") else written
