"""Whether a number can be an ID card or a bank card, by its check digit and its parts."""

from __future__ import annotations

import re
from datetime import date

_PROVINCES = (
    "11 12 13 14 15 21 22 23 31 32 33 34 35 36 37 41 42 43 44 45 46 50 51 52 53 54 61 62 63 64 65 71 81 82 83 91"
)
_REGIONS = frozenset(_PROVINCES.split())
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECKS = "10X98765432"
#: How the numbers of card issuers begin; what begins otherwise is no card whatever its check digit says.
_ISSUERS = re.compile(
    r"4|5[1-8]|6(?:0|2|3|4[4-9]|5|7)|2(?:22[1-9]|2[3-9]|[3-6]|7[01]|720)|3(?:[47]|5(?:2[89]|[3-8])|0[0-5]|6|[89])|9(?:558|0|4)|81"
)


def id_card(number: str) -> bool:
    """Eighteen characters with a right check digit, or the fifteen digits of before 1999; region and birthday must exist."""
    if number[:2] not in _REGIONS:
        return False
    if len(number) == 15:
        return _day(f"19{number[6:12]}")
    if len(number) != 18 or not number[:17].isdigit():
        return False
    total = sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, number, strict=False))
    return number[17].upper() == _CHECKS[total % 11] and _day(number[6:14])


def bank_card(number: str) -> bool:
    """Thirteen to nineteen digits of a known issuer with a right check digit (Luhn)."""
    if not 13 <= len(number) <= 19 or _ISSUERS.match(number) is None or len(set(number)) < 2:
        return False
    total = 0
    for place, digit in enumerate(reversed(number)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0


def _day(digits: str) -> bool:
    try:
        born = date(int(digits[:4]), int(digits[4:6]), int(digits[6:8]))
    except ValueError:
        return False
    return date(1900, 1, 1) <= born <= date.today()  # noqa: DTZ011  # a birthday has no zone
