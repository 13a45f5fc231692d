"""The check digits of the numbers people type; schemes that python-stdnum keeps are taken from it."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

from stdnum import bic, ean, iban, imei, isbn, luhn
from stdnum.cn import uscc
from stdnum.eu import vat as eu_vat
from stdnum.gb import vat as gb_vat
from stdnum.iso7064 import mod_11_2


def chinese_id_card(number: str) -> bool:
    """18 characters: a real date of birth and the check character of ISO 7064 (mod 11-2)."""
    if not re.fullmatch(r"[1-9]\d{16}[\dX]", number):
        return False
    try:
        born = datetime.strptime(number[6:14], "%Y%m%d")  # noqa: DTZ007 - a date of birth has no zone
    except ValueError:
        return False
    return 1900 <= born.year <= 2100 and bool(mod_11_2.is_valid(number))


def upu_s10(number: str) -> bool:
    """Two letters, eight digits, a check digit by weights, a country: parcels of all national posts."""
    match = re.fullmatch(r"[A-Z]{2}(\d{8})(\d)[A-Z]{2}", number)
    if match is None:
        return False
    rest = 11 - sum(int(digit) * weight for digit, weight in zip(match[1], (8, 6, 4, 2, 3, 5, 9, 7))) % 11
    return int(match[2]) == {10: 0, 11: 5}.get(rest, rest)


def ups(number: str) -> bool:
    """``1Z`` and 16 characters, the last of which is a digit that checks the 15 before it."""
    if not re.fullmatch(r"1Z[0-9A-Z]{15}\d", number):
        return False
    total = 0
    for position, character in enumerate(number[2:17]):
        value = int(character) if character.isdigit() else (ord(character) - 63) % 10
        total += value * 2 if position % 2 else value
    return int(number[-1]) == (10 - total % 10) % 10


def fedex(number: str) -> bool:
    """12 digits (weights 3 1 7, modulo 11) or 15 digits (weights 3 1, modulo 10)."""
    if re.fullmatch(r"\d{12}", number):
        total = sum(int(digit) * weight for digit, weight in zip(number[:11], (3, 1, 7) * 4))
        return int(number[11]) == total % 11 % 10
    return bool(re.fullmatch(r"\d{15}", number)) and _mod10_3_1(number)


def usps(number: str) -> bool:
    """20 to 22 digits checked like a bar code."""
    return bool(re.fullmatch(r"\d{20}|\d{22}", number)) and _mod10_3_1(number)


def _mod10_3_1(number: str) -> bool:
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(number[:-1])))
    return int(number[-1]) == (10 - total % 10) % 10


def bank_card(number: str) -> bool:
    """13 to 19 digits of a card network, checked by Luhn's scheme."""
    return bool(re.fullmatch(r"[2-6]\d{12,18}", number)) and bool(luhn.is_valid(number))


def vat_number(number: str) -> bool:
    """A number of Britain or of a state of the EU, with its letters."""
    return bool(gb_vat.is_valid(number) if number.startswith("GB") else eu_vat.is_valid(number))


def retail_code(number: str) -> bool:
    """EAN-8, UPC-A or EAN-13; book numbers are not among them."""
    return bool(re.fullmatch(r"\d{8}|\d{12}|\d{13}", number)) and bool(
        ean.is_valid(number.zfill(13) if len(number) == 12 else number)
    )


#: What a catalogue file may name under ``checksum``; each takes the number without spaces and dashes, in capitals.
CHECKSUMS: dict[str, Callable[[str], bool]] = {
    "bank_card": bank_card,
    "bic": lambda number: bool(bic.is_valid(number)),
    "chinese_id_card": chinese_id_card,
    "fedex": fedex,
    "iban": lambda number: bool(iban.is_valid(number)),
    "imei": lambda number: len(number) == 15 and bool(imei.is_valid(number)),
    "isbn": lambda number: bool(isbn.is_valid(number)),
    "retail_code": retail_code,
    "social_credit_code": lambda number: bool(uscc.is_valid(number)),
    "ups": ups,
    "upu_s10": upu_s10,
    "usps": usps,
    "vat_number": vat_number,
}
