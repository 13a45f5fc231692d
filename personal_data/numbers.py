"""Phones, cards, papers, plates and addresses of machines: what is mostly digits."""

from __future__ import annotations

import re
from collections.abc import Iterator

from personal_data.check_digits import bank_card, id_card
from personal_data.kinds import Kind, Span

#: Digits that belong together however they are grouped; a letter before or behind makes it a code of something.
_RUN = re.compile(
    r"(?<![A-Za-z0-9_])(?:\+|\(\+?)?\d(?:[ .()/·-]{0,3}\d){5,}(?:[ -]?[Xx](?![A-Za-z0-9]))?(?![A-Za-z0-9_])"
)
_GROUP = re.compile(r"\d+[Xx]?|[Xx]$")
#: The last of these words before a number says whose it is: a thing's, or a person's.
_OWNER = re.compile(
    r"(?P<thing>订单|单号|运单|快递(?!员)|物流|工单|票号|编号|流水|序列|型号|货号|条码|验证码|金额|发票|税号|批次|商品|版本|固件|会员|积分|编码|统一|"
    r"\b(?:order|tracking|parcel|shipment|waybill|ticket|invoice|reference|ref|serial|sku|imei|isbn|item|product|model|part|version|case|batch|"
    r"transaction|barcode|ean|upc|po|rma|firmware|build)(?:s|ed|ing)?\b)"
    r"|(?P<phone>电话|手机|联系|座机|致电|拨打|打给|加我|微信|短信|传真|新号|旧号|回电|"
    r"\b(?:phone|tel|telephone|mobile|cell|call|text|reach|whatsapp|fax|dial|ring|contact|sms|my number)(?:s|ed|ing|'s)?\b)"
    r"|(?P<other>身份证|证件|卡号|银行卡|信用卡|\b(?:card|id|amex|visa|mastercard|passport)s?\b)"
    r"|(?P<stop>[，。,;；!！?？\n])",
    re.IGNORECASE,
)
_MONEY = re.compile(r"(?:[¥￥$€£]|(?:RMB|USD|EUR|GBP|CNY)\s?)$", re.IGNORECASE)
_MEASURED = re.compile(
    r"\s?(?:元|块|万|亿|mAh|毫安|天|小时|分钟|秒|days?\b|hours?\b|yuan\b|dollars?\b|euros?\b|pounds?\b|[kMGT]B\b|ml\b|克|kg\b|g\b|km\b|公里|米|[%％])",
    re.IGNORECASE,
)
_DATE = re.compile(
    r"(?:19|20)\d\d(?:(?P<s>[-/.])(?:0?[1-9]|1[0-2])(?P=s)(?:0?[1-9]|[12]\d|3[01])(?!\d)|(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:(?:[01]\d|2[0-3])[0-5]\d\d*)?$)"
    r"|(?:0?[1-9]|[12]\d|3[01])(?P<t>[-/.])(?:0?[1-9]|[12]\d|3[01])(?P=t)(?:19|20)\d\d(?!\d)"
)
_MOBILE = re.compile(r"(?:(?:00)?86)?1[3-9]\d{9}")
_LANDLINE = re.compile(r"(?:0086|86)?(?:0?10|0?2[0-57-9]|0?[3-9]\d\d)[2-8]\d{6,7}")
#: Numbers of companies that everybody may call. Without its dashes a toll-free number is a mobile number of China.
_HOTLINE = re.compile(
    r"(?:400|800)[ -]?\d{3}[ -]?\d{4}|(?:1[ .-])?(?:800|888|877|866|855|844|833)[ .-]\d{3}[ .-]?\d{4}"
)
#: Where the two parts of a city's number stand apart.
_AREA_CODE = re.compile(r"\(?0(?:10|2\d|[3-9]\d\d)\)?[ -]{1,2}[2-8]\d{2,3}[ -]?\d{4}")
_AMERICAN = re.compile(r"(?:\+?1[ .-]?)?(?:\([2-9]\d\d\) ?|[2-9]\d\d[ .-])[2-9]\d\d[ .-]?\d{4}")
_BRITISH = re.compile(
    r"07\d{3}[ -]?\d{3}[ -]?\d{3}|0(?:20|1\d{2,3}|2[3489])[ -]\d{3,4}[ -]?\d{3,4}|0800[ -]?\d{3}[ -]?\d{3,4}"
)
_TAIWANESE = re.compile(r"09\d\d-?\d{3}-?\d{3}")
_EXTENSION = re.compile(r"\s?(?:转|ext\.?|x|分机)\s?\d{1,5}(?!\d)", re.IGNORECASE)

_PAPER = re.compile(
    r"(?:护照|通行证|台胞证|回乡证|passport|travel permit)[^A-Za-z0-9\n]{0,12}(?:(?:no|number|num|id|is|号码?|是|as)\b[^A-Za-z0-9\n]{0,4}){0,3}"
    r"(?P<number>[A-Za-z]{0,2}\d{7,9})(?![A-Za-z0-9])",
    re.IGNORECASE,
)
_PLATE = re.compile(
    r"[京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼][A-HJ-NP-Z][·• -]?(?=[A-HJ-NP-Z0-9]{0,5}\d)[A-HJ-NP-Z0-9]{4,5}[A-HJ-NP-Z0-9挂学警港澳](?![A-Za-z0-9])"
)
_FOREIGN_PLATE = re.compile(
    r"\b(?:(?:number|license|licence|registration)[ -]plate|plate number|plate|reg(?:istration)?(?: number)?)\b[^A-Za-z0-9\n]{0,4}(?:(?:is|no|number)\b[^A-Za-z0-9\n]{0,3})?"
    r"(?P<number>(?=[A-Z0-9 -]*\d)[A-Z0-9]{1,4}[ -]?[A-Z0-9]{2,4})(?![A-Za-z0-9])"
)
_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_IP = re.compile(rf"(?<![\d.A-Za-z])(?:{_OCTET}\.){{3}}{_OCTET}(?![\d]|\.\d|[A-Za-z])")
_IP6 = re.compile(
    r"(?<![0-9A-Za-z:.])(?=[0-9a-fA-F:]*[0-9a-fA-F]{3})(?:(?:[0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}|(?:[0-9a-fA-F]{1,4}:){1,6}(?::[0-9a-fA-F]{1,4}){1,6}|(?:[0-9a-fA-F]{1,4}:){2,7}:)(?![0-9A-Za-z:])"
)
_CLOCK = re.compile(r"(?<!\d)\d{1,2}:\d\d:$")
_SECONDS = re.compile(r"\d\d[.,]\d{1,9}(?!\d)")
_OF_A_VERSION = re.compile(
    r"(?:\bv(?:er(?:sion)?)?\.?|版本号?|固件|系统|firmware|build|release|app|android|ios|driver|驱动)[^\d\n]{0,8}$",
    re.IGNORECASE,
)


def _seconds_at(text: str, run: re.Match[str]) -> int:
    """How much of the beginning are the seconds of a time with fractions, which look like a telephone number."""
    seconds = _SECONDS.match(run.group()) if _CLOCK.search(text, max(0, run.start() - 6), run.start()) else None
    return seconds.end() if seconds else 0


def numbers_in(text: str) -> Iterator[Span]:
    """Every number of a person in a folded text."""
    for run in _RUN.finditer(text):
        yield from _of_run(text, run.start() + _seconds_at(text, run), run.end())
    if "护照" in text or "证" in text or "ass" in text or "ASS" in text or "ermit" in text:
        for found in _PAPER.finditer(text):
            yield Span(*found.span("number"), Kind.PASSPORT)
    for found in _PLATE.finditer(text):
        yield Span(*found.span(), Kind.PLATE)
    if "plate" in text or "reg" in text:
        for found in _FOREIGN_PLATE.finditer(text):
            yield Span(*found.span("number"), Kind.PLATE)
    if text.count(".") >= 3:
        for found in _IP.finditer(text):
            if _OF_A_VERSION.search(text[: found.start()]) is None:
                yield Span(*found.span(), Kind.IP)
    if text.count(":") >= 2:
        for found in _IP6.finditer(text):
            yield Span(*found.span(), Kind.IP)


def spoken_phones_in(text: str) -> Iterator[Span]:
    """Phone numbers and ID cards in a text whose spoken digits were turned into figures."""
    for run in _RUN.finditer(text):
        for span in _of_run(text, run.start(), run.end()):
            if span.kind in (Kind.PHONE, Kind.ID_CARD):
                yield span


def _of_run(text: str, start: int, end: int) -> Iterator[Span]:
    """The numbers in a run of digits: the longest groups that make one, from the left."""
    before = text[max(0, start - 30) : start]
    if _MONEY.search(before) is not None or _MEASURED.match(text, end) is not None:
        return
    owner = _owner(before)
    groups = [(start + one.start(), start + one.end()) for one in _GROUP.finditer(text[start:end])]
    place = 0
    while place < len(groups):
        for last in range(min(len(groups), place + 20), place, -1):
            first, behind = groups[place][0], groups[last - 1][1]
            kind = _kind_of(text, first, behind, owner)
            if kind is not None:
                yield _whole(text, first, behind, kind)
            if kind is not None or _HOTLINE.fullmatch(text[first:behind]):
                place = last
                break
        else:
            place += 1


def _owner(before: str) -> str | None:
    """Whose number follows: the last word that says so within the sentence."""
    said = None
    for found in _OWNER.finditer(before):
        said = found.lastgroup
    return None if said == "stop" else said


def _kind_of(text: str, start: int, end: int, owner: str | None) -> Kind | None:
    of_a_thing = owner == "thing"
    written = text[start:end]
    digits = re.sub(r"[^\dXx]", "", written)
    if len(digits) < 7 or len(digits) > 19:
        return None
    if id_card(digits):
        return Kind.ID_CARD
    if not digits.isdigit():
        return None
    if not of_a_thing and bank_card(digits):
        return Kind.BANK_CARD
    if len(digits) > 15 or _DATE.match(written) is not None:
        return None
    plus = text[max(0, start - 2) : start].endswith(("+", "(+"))
    if plus or digits.startswith("00"):
        return Kind.PHONE if 8 <= len(digits) <= 15 and not (of_a_thing and not plus) else None
    if of_a_thing or _HOTLINE.fullmatch(written):
        return None
    if _MOBILE.fullmatch(digits) is not None:
        return Kind.PHONE
    shape = text[start - 1 : end] if start and text[start - 1] == "(" else written
    if any(one.fullmatch(shape) for one in (_AREA_CODE, _AMERICAN, _BRITISH, _TAIWANESE)):
        return Kind.PHONE
    if len(digits) >= 10 and digits[0] == "0" and _LANDLINE.fullmatch(digits):
        return Kind.PHONE
    if owner == "phone" and len(digits) <= 13 and re.search(r"\d[.]\d", written) is None:
        return Kind.PHONE
    return None


def _whole(text: str, start: int, end: int, kind: Kind) -> Span:
    """With the sign before and the extension behind it."""
    if kind is Kind.PHONE:
        closed = ")" in text[start:end]  # else the bracket was opened around the number, not in it
        if text[max(0, start - 2) : start] == "(+" and closed:
            start -= 2
        elif start and (text[start - 1] == "+" or (text[start - 1] == "(" and closed)):
            start -= 1
        extension = _EXTENSION.match(text, end)
        end = extension.end() if extension else end
    return Span(start, end, kind)
