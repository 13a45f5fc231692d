"""Months, weekdays, days of a month, years, clock times in words and ordinals: the numbers of a calendar."""

from __future__ import annotations

import re
from collections.abc import Iterator

from knowledge_base.generation.units import MONTHS, ORDINALS, WEEKDAYS, value_of

_YEAR = re.compile(r"(?P<year>(?:19|20)\d{2})\s?年")
_DAY_OF_EACH_MONTH = re.compile(
    r"(?:每个?月|当月|本月)\s?(?P<day>\d{1,2})\s?[日号]|(?P<day2>\d{1,2})\s?号"
    r"|(?P<day3>\d{1,2})(?:st|nd|rd|th)? (?:day )?of (?:each|every|the) month"
)
_NAMED_EN = re.compile(
    rf"\b(?P<name>{'|'.join([*MONTHS, *WEEKDAYS])})s?\b(?:\s+(?P<day>\d{{1,2}})(?:st|nd|rd|th)?\b(?!:))?"
)
_DAY_OF_MONTH = re.compile(rf"\b(?P<day>\d{{1,2}})(?:st|nd|rd|th)?(?:\s+of)?\s+(?P<name>{'|'.join(MONTHS)})\b")
_MONTH_ZH = re.compile(
    r"(?P<month>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])\s?月(?!内)(?:\s?(?P<day>\d{1,2})\s?[日号]|(?P<days>[一二三四五六七八九十]{1,3})[日号])?"
)
_WEEKDAY_ZH = re.compile(r"(?:周|星期|礼拜)(?P<day>[一二三四五六日天])(?![期个天年月])")
_CLOCK_ZH = re.compile(
    r"(?P<part>凌晨|早上|早晨|上午|中午|下午|傍晚|晚上|晚间|晚|早)?\s?(?P<hour>\d{1,2}|[一二三四五六七八九两十]{1,3})\s?点(?:(?P<minute>\d{1,2})分?|(?P<half>半))?(?!击|选|开|赞|评|儿|[一二三四五六七八九])"
)
_ORDINAL_EN = re.compile(
    rf"\b(?:the|a|your|every|each|in|on)\s(?P<word>{'|'.join(word for word in ORDINALS if word != 'zeroth')})\b(?!\s(?:time|place))|\b(?P<digits>\d{{1,3}})(?:st|nd|rd|th)\b"
)
_ORDINAL_ZH = re.compile(r"第(?P<number>\d+|[一二三四五六七八九十百两]+)")


def calendar_parts(text: str) -> Iterator[tuple[int, int, float, str]]:
    """(start, end, value, unit) of every date part in a folded lower-case text; parts of one date share its place."""
    spans: list[tuple[int, int]] = []

    def free(start: int, end: int) -> bool:
        if any(start < last and first < end for first, last in spans):
            return False
        spans.append((start, end))
        return True

    for match in _DAY_OF_MONTH.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), float(match["day"]), "day-of-month"
            yield match.start(), match.end(), float(MONTHS.index(match["name"]) + 1), "month-of-year"
    for match in _NAMED_EN.finditer(text):
        name = match["name"]
        if name in {"may", "march"} and not match["day"]:
            continue  # a verb more often than a month
        if not free(match.start(), match.end()):
            continue
        if name in WEEKDAYS:
            yield match.start(), match.end("name"), float(WEEKDAYS.index(name) + 1), "weekday"
        else:
            yield match.start(), match.end(), float(MONTHS.index(name) + 1), "month-of-year"
            if match["day"]:
                yield match.start(), match.end(), float(match["day"]), "day-of-month"
    for match in _YEAR.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), float(match["year"]), ""
    for match in _DAY_OF_EACH_MONTH.finditer(text):
        if free(match.start("day") if match["day"] else match.start(), match.end()):
            yield match.start(), match.end(), float(match["day"] or match["day2"] or match["day3"]), "day-of-month"
    for match in _MONTH_ZH.finditer(text):
        before = text[match.start() - 1 : match.start()]
        if (before and (before.isdigit() or before in "个十一二三四五六七八九两")) or not free(
            match.start(), match.end()
        ):
            continue
        yield match.start(), match.end(), value_of(match["month"]), "month-of-year"
        day = match["day"] or match["days"]
        if day:
            yield match.start(), match.end(), value_of(day), "day-of-month"
    for match in _WEEKDAY_ZH.finditer(text):
        if free(match.start(), match.end()):
            number = "一二三四五六日".find(match["day"].replace("天", "日")) + 1
            yield match.start(), match.end(), float(number), "weekday"
    for match in _CLOCK_ZH.finditer(text):
        hour = value_of(match["hour"])
        if hour > 24 or not free(match.start(), match.end()):
            continue
        late = (match["part"] or "") in {"下午", "傍晚", "晚上", "晚间", "晚"} or (match["part"] == "中午" and hour < 6)
        hour = hour + 12 if late and hour < 12 else hour
        yield match.start(), match.end(), hour * 60 + (30 if match["half"] else float(match["minute"] or 0)), "clock"
    for match in _ORDINAL_EN.finditer(text):
        if free(match.start(), match.end()):
            number = ORDINALS[match["word"]] if match["word"] else int(match["digits"])
            yield match.start(), match.end(), float(number), "ordinal"
    for match in _ORDINAL_ZH.finditer(text):
        if free(match.start(), match.end()):
            yield match.start(), match.end(), value_of(match["number"]), "ordinal"
