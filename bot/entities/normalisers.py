"""Turns the words of a found entity into its value: the functions a catalogue file may name under ``normaliser``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import phonenumbers

from bot.entities.numbers import NUMBER, parse_number

Groups = Mapping[str, "str | None"]
Normaliser = Callable[[str, Any, Groups], Any]

_NUMBERS = re.compile(NUMBER)
_SEPARATORS = re.compile(r"[\s_.:：#·\-–—/]")
_RESOLUTIONS = {
    "4k": (3840, 2160), "8k": (7680, 4320), "2k": (2560, 1440), "1080p": (1920, 1080), "720p": (1280, 720),
    "1440p": (2560, 1440), "2160p": (3840, 2160), "full hd": (1920, 1080), "fhd": (1920, 1080),
    "qhd": (2560, 1440), "uhd": (3840, 2160), "全高清": (1920, 1080),
}  # fmt: skip
_LENGTH_UNITS = {
    "mm": "mm", "毫米": "mm", "cm": "cm", "厘米": "cm", "公分": "cm", "m": "m", "米": "m", "in": "in", "inch": "in",
    "inches": "in", "英寸": "in", "寸": "in", "": "",
}  # fmt: skip
_SIZES = {"small": "S", "medium": "M", "large": "L", "extra large": "XL", "均码": "one_size", "one size": "one_size"}


def plain(text: str, argument: Any = None, groups: Groups = {}) -> str:  # noqa: B006 - never changed
    """The words themselves, with single spaces."""
    return " ".join(text.split())


def compact(text: str, argument: Any = None, groups: Groups = {}) -> str:  # noqa: B006
    """A number or code in capitals without spaces and dashes."""
    return _SEPARATORS.sub("", text).upper()


def digits(text: str, argument: Any = None, groups: Groups = {}) -> str:  # noqa: B006
    """Only the digits, after the prefix that the argument gives."""
    return str(argument or "") + re.sub(r"\D", "", text)


def _phone(text: str, argument: Any, groups: Groups) -> str:
    found = re.sub(r"\D", "", text)
    if re.fullmatch(r"861[3-9]\d{9}", found):
        return found[2:]
    return ("+" if text.lstrip().startswith("+") else "") + found


def _e164(text: str, argument: Any, groups: Groups) -> str | None:
    """The international form; the argument names the country of a number written without one."""
    written = (
        re.sub(r"^86(?=1[3-9]\d{9}$)", "+86", re.sub(r"\D", "", text)) if argument == "CN" and "+" not in text else text
    )
    try:
        number = phonenumbers.parse(written, argument)
    except phonenumbers.NumberParseException:
        return None
    if not phonenumbers.is_possible_number(number):
        return None
    return str(phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164))


def _url(text: str, argument: Any, groups: Groups) -> str:
    scheme, _, rest = text.partition("://") if "://" in text else ("http", "", text)
    host, slash, path = rest.partition("/")
    return f"{scheme.lower()}://{host.lower()}{slash}{path}"


def _mac(text: str, argument: Any, groups: Groups) -> str:
    return text.upper().replace("-", ":")


def _number(text: str, argument: Any, groups: Groups) -> Any:
    half = 0.5 if text.endswith("半") and len(text) > 1 else 0
    value = parse_number(text[:-1] if half else text)
    return None if value is None else value + half


def _named_number(text: str, argument: Any, groups: Groups) -> Any:
    """The number in the group that the argument names."""
    return parse_number(groups.get(argument) or "")


def _minus_celsius(text: str, argument: Any, groups: Groups) -> dict[str, Any] | None:
    value = parse_number(groups.get(argument) or "")
    return None if value is None else {"value": -value, "unit": "C"}


def _celsius(text: str, argument: Any, groups: Groups) -> dict[str, Any]:
    return {"value": parse_number(groups.get(argument) or ""), "unit": "C"}


def _one_of(text: str, argument: Any, groups: Groups) -> str | None:
    """The value whose words, separated by ``|``, hold the text."""
    wanted = " ".join(text.lower().split())
    return next((str(value) for value, words in (argument or {}).items() if wanted in words.split("|")), None)


def _gigabytes(text: str, argument: Any, groups: Groups) -> dict[str, Any]:
    return {"value": parse_number(re.sub(r"\D+$", "", text)), "unit": "GB"}


def _ordinal(text: str, argument: Any, groups: Groups) -> Any:
    words = {
        "first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8,
        "ninth": 9, "tenth": 10,
    }  # fmt: skip
    lower = text.lower()
    return words.get(lower) or parse_number(re.sub(r"(?<=\d)(?:st|nd|rd|th)$", "", lower))


def _version(text: str, argument: Any, groups: Groups) -> str:
    return re.sub(r"^v(?:er)?\.?\s*", "", text.lower())


def _clothing_size(text: str, argument: Any, groups: Groups) -> str:
    return _SIZES.get(text.lower()) or re.sub(r"[\s码号]", "", text).upper()


def _shoe_size(text: str, argument: Any, groups: Groups) -> dict[str, Any] | None:
    size = parse_number(groups.get("size") or text)
    system = (groups.get("system") or "").upper() or argument
    return None if size is None else {"size": size, "system": system}


def _discount(text: str, argument: Any, groups: Groups) -> Any:
    """What remains to pay as a factor: 八折 and 20 % off are 0.8."""
    if groups.get("off"):
        off = parse_number(groups["off"] or "")
        return None if off is None or not 0 < off < 100 else round(1 - off / 100, 4)
    if groups.get("rest"):
        written = groups["rest"] or ""
        value = parse_number(written)
        if value is None or value <= 0:
            return None
        factor = value / 10 if value < 10 else value / 100
        return round(factor, 4) if factor < 1 else None
    return 0.5  # half price


def _dimensions(text: str, argument: Any, groups: Groups) -> dict[str, Any] | None:
    values = [parse_number(match) for match in _NUMBERS.findall(text.lower())]
    unit = _LENGTH_UNITS.get((groups.get("unit") or "").lower().strip(), "")
    names = ("length", "width", "height")
    return {**dict(zip(names, values)), "unit": unit} if all(values) and 2 <= len(values) <= 3 else None


def _resolution(text: str, argument: Any, groups: Groups) -> dict[str, int] | None:
    known = _RESOLUTIONS.get(" ".join(text.lower().split()))
    if known is None:
        numbers = re.findall(r"\d{3,4}", text)
        if len(numbers) != 2:
            return None
        known = (int(numbers[0]), int(numbers[1]))
    return {"width": known[0], "height": known[1]}


def _rating(text: str, argument: Any, groups: Groups) -> dict[str, Any] | None:
    """The score and the best score there is: the pattern's ``of`` group, else the argument."""
    score = parse_number((groups.get("score") or text).lower())
    best = parse_number((groups.get("of") or "").lower()) or argument
    if score is None or best is None:
        return None
    best = 10 if best == 5 and score > 5 else best
    return {"score": score, "out_of": best} if 0 <= score <= best else None


def _named_version(text: str, argument: Any, groups: Groups) -> dict[str, str] | None:
    """A name and its version, under the keys ``name`` and ``version``; the argument maps written names."""
    name = " ".join((groups.get("name") or text).lower().split())
    known = {str(alias).lower(): value for value, aliases in (argument or {}).items() for alias in aliases.split("|")}
    result = {"name": str(known.get(name, name))}
    if groups.get("version"):
        result["version"] = " ".join(str(groups["version"]).lower().split())
    return result


def _device(text: str, argument: Any, groups: Groups) -> str:
    """A maker's device in lower case, the words of its name apart: “华为Mate60” is ``huawei mate 60``."""
    makers = {"华为": "huawei ", "小米": "xiaomi ", "红米": "redmi ", "三星": "samsung "}
    plain_text = text.lower()
    for written, name in makers.items():
        plain_text = plain_text.replace(written, name)
    return " ".join(re.sub(r"(?<=[a-z]{3})(?=\d)|(?<=\d)(?=(?:pro|plus|ultra|max|mini))", " ", plain_text).split())


def _age(text: str, argument: Any, groups: Groups) -> Any:
    found = _NUMBERS.search(text.lower())
    value = parse_number(found.group()) if found else None
    return None if value is None or value > 130 else value + (0.5 if text.endswith("半") else 0)


def _constant(text: str, argument: Any, groups: Groups) -> Any:
    return argument


def _address(text: str, argument: Any, groups: Groups) -> dict[str, str]:
    """The whole address, and of its parts those the pattern names."""
    parts = {key: " ".join(value.split()) for key, value in groups.items() if value and key != "v"}
    return {"text": plain(text).rstrip(",.，。 "), **parts}


NORMALISERS: dict[str, Normaliser] = {
    "address": _address,
    "celsius": _celsius,
    "clothing_size": _clothing_size,
    "age": _age,
    "compact": compact,
    "constant": _constant,
    "device": _device,
    "digits": digits,
    "dimensions": _dimensions,
    "discount": _discount,
    "e164": _e164,
    "gigabytes": _gigabytes,
    "lower": lambda text, argument, groups: text.lower(),
    "mac": _mac,
    "minus_celsius": _minus_celsius,
    "named_number": _named_number,
    "named_version": _named_version,
    "number": _number,
    "ordinal": _ordinal,
    "one_of": _one_of,
    "phone": _phone,
    "plain": plain,
    "rating": _rating,
    "resolution": _resolution,
    "shoe_size": _shoe_size,
    "upper": lambda text, argument, groups: text.upper(),
    "url": _url,
    "version": _version,
}


def normalise(how: Any, text: str, groups: Groups) -> Any:
    """The value of a text by a normaliser's name, or by a mapping of its name to an argument."""
    name, argument = next(iter(how.items())) if isinstance(how, dict) else (how, None)
    return NORMALISERS[name](text, argument, groups)
