"""Expressions for days: what they are called in Chinese and English, and which day or days that is.

A ``Span`` is a run of whole days; ``single`` ones are days, the others weeks, months or years.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from dateutil.relativedelta import relativedelta

from bot.entities.numbers import CHINESE, ENGLISH, parse_number

_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "jan january",
            "feb february",
            "mar march",
            "apr april",
            "may",
            "jun june",
            "jul july",
            "aug august",
            "sep sept september",
            "oct october",
            "nov november",
            "dec december",
        ],
        1,
    )
    for name in names.split()
}
_DAYS = {
    name: number
    for number, names in enumerate(
        [
            "mon monday",
            "tue tues tuesday",
            "wed weds wednesday",
            "thu thurs thursday",
            "fri friday",
            "sat saturday",
            "sun sunday",
        ],
        1,
    )
    for name in names.split()
}
_DAY_ZH = {"一": 1, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6, "日": 7, "天": 7}
_RELATIVE_ZH = {
    "大前天": -3, "前天": -2, "前日": -2, "昨天": -1, "昨日": -1, "昨": -1, "今天": 0, "今日": 0, "今": 0, "明天": 1, "明日": 1,
    "明": 1, "后天": 2, "后日": 2, "大后天": 3, "今儿": 0, "明儿": 1, "昨儿": -1, "后儿": 2,
}  # fmt: skip
_RELATIVE_EN = {
    "day before yesterday": -2, "yesterday": -1, "today": 0, "tonight": 0, "tomorrow": 1, "tmrw": 1, "tmr": 1,
    "last": -1, "this": 0, "tomorow": 1, "tommorow": 1, "tommorrow": 1, "day after tomorrow": 2,
}  # fmt: skip
_STEP = {
    "上上": -2,
    "上": -1,
    "这": 0,
    "本": 0,
    "下": 1,
    "下下": 2,
    "last": -1,
    "this": 0,
    "next": 1,
    "previous": -1,
    "coming": 0,
}
_YEARS_ZH = {"前年": -2, "去年": -1, "今年": 0, "明年": 1, "后年": 2}
_HOLIDAYS = {
    (1, 1): "元旦|new year's day|new years day", (2, 14): "情人节|valentine's day", (5, 1): "五一|劳动节|labour day|labor day",
    (6, 18): "618", (10, 1): "国庆节|国庆|十一假期", (11, 11): "双十一|双11|双十一节|singles' day|singles day",
    (12, 12): "双十二|双12", (12, 24): "平安夜|christmas eve", (12, 25): "圣诞节|圣诞|christmas day|christmas|xmas",
    (12, 26): "boxing day", (12, 31): "除夕夜|new year's eve",
}  # fmt: skip
#: Fixed holidays by name, as month and day: what “before Christmas” is reckoned from.
FIXED_HOLIDAYS = {name: day for day, names in _HOLIDAYS.items() for name in names.split("|")}

_MONTH = "|".join(sorted(_MONTHS, key=len, reverse=True))
_DAY = "|".join(sorted(_DAYS, key=len, reverse=True))
_NUM = rf"(?:\d{{1,3}}|{CHINESE})"
_NUM_EN = rf"(?:\d{{1,3}}|{ENGLISH}|an?|a couple of)"
_UNIT_EN = r"(?P<{0}>days?|weeks?|months?|years?|hours?|hrs?|minutes?|mins?)"
_WEEK = "周|星期|礼拜"

_CHINESE = re.compile(
    "|".join(
        [
            r"(?<!\d)(?P<ymd>(?P<y>\d{4})\s?[-/.年]\s?(?P<m>\d{1,2})\s?[-/.月]\s?(?P<d>\d{1,2})(?!\d)[日号]?)",
            r"(?<!\d)(?P<md>(?:(?P<mdy>[今去明]年)的?)?(?P<mm>\d{1,2}|[一二三四五六七八九十]{1,2})\s?月\s?(?P<dd>\d{1,2}|[一二三四五六七八九十]{1,3})\s?[日号])",
            rf"(?P<ago>(?P<agon>{_NUM}|半|几)(?:个半)?(?P<agou>天|个?(?:{_WEEK})|个月|年|个?小时|分钟)(?P<agod>之?前|以前|之?后|以后))",
            rf"(?P<every>每个?(?:{_WEEK})(?P<everyd>[一二三四五六日天末])|每天|(?:{_WEEK})(?P<from>[一二三四五])(?:到|至|-)(?:{_WEEK})?(?P<to>[二三四五六日天])|工作日|双休日?|休息日|(?:{_WEEK})六(?:和|、|、)?(?:{_WEEK})?[日天])",
            rf"(?P<wd>(?P<wds>上上|下下|上|下|这|本)?个?(?:{_WEEK})(?P<wdd>[一二三四五六日天末]))(?!\d)",
            rf"(?P<wk>(?P<wks>上上|下下|上|下|这|本)(?:一)?个?(?:{_WEEK}))",
            r"(?P<mon>(?P<mons>上上|下下|上|下|这|本)(?:一)?个?月(?P<mone>底|初|中旬)?)",
            r"(?P<edge>(?:这个?)?(?:月底|年底|月初|年初))",
            rf"(?P<rel>{'|'.join(sorted((word for word in _RELATIVE_ZH if len(word) > 1), key=len, reverse=True))}|[今明昨](?=[晚早]))",
            r"(?P<yr>[去今明前后]年|(?P<yrn>(?:19|20)\d{2})年)(?:(?P<yrm>\d{1,2}|[一二三四五六七八九十]{1,2})月份?)?",
            r"(?P<mo>(?<![\d个])(?P<mon2>1[0-2]|[1-9]|十[一二]?|[一二三四五六七八九])月份?(?!\s?\d)(?P<moe>底|初|中旬)?)",
            r"(?<!\d)(?P<dom>(?P<domn>\d{1,2})号(?![\d楼线店机院门]))",
        ]
    )
)
_ENGLISH = re.compile(
    "|".join(
        [
            r"(?P<iso>(?P<y>(?:19|20)\d{2})[-/.](?P<m>\d{1,2})[-/.](?P<d>\d{1,2}))(?!\d)",
            r"(?P<sl>(?P<s1>\d{1,2})/(?P<s2>\d{1,2})/(?P<s3>(?:20)?\d{2}))(?!\d)",
            rf"(?P<dm>(?P<dmw>(?:{_DAY}),? (?:the )?)?(?P<dmd>\d{{1,2}})(?:st|nd|rd|th)?(?: of)? (?P<dmm>{_MONTH})\b\.?(?:,? (?P<dmy>20\d{{2}}))?)",
            rf"(?P<mdx>(?:(?:{_DAY}),? )?(?P<mdm>{_MONTH})\.? (?:the )?(?P<mdd>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:|\s?[ap]\.?m)(?:,? (?P<mdy>20\d{{2}}))?)",
            rf"(?P<ago>(?P<agon>{_NUM_EN}) {_UNIT_EN.format('agou')} (?P<agod>ago|back|from now|later))",
            rf"(?P<inn>in (?:about )?(?P<innn>{_NUM_EN}) {_UNIT_EN.format('innu')}(?:'s?)?(?: time)?)(?! (?:or|a row))",
            rf"(?P<every>(?:every|each) (?P<everyd>{_DAY}|day|weekend|weekday)|(?P<from>{_DAY}) (?:to|through|till|until|-) (?P<to>{_DAY})|(?P<plural>mondays|tuesdays|wednesdays|thursdays|fridays|saturdays|sundays)|weekdays?|weekends?)",
            r"(?P<wk>(?P<wks>last|next|this|previous) (?P<wku>week(?:end)?|month|year))",
            rf"(?P<rel>(?:the )?day (?:after tomorrow|before yesterday)|last(?= night)|this(?= (?:morning|afternoon|evening))|{'|'.join(word for word in _RELATIVE_EN if ' ' not in word and word not in {'last', 'this'})})",
            rf"(?P<wd>(?:(?P<wds>last|next|this|coming) )?(?P<wdd>monday|tuesday|wednesday|thursday|friday|saturday|sunday|(?<=on )(?:{_DAY})|(?<=by )(?:{_DAY})))",
            r"(?P<edge>(?:the )?end of (?:the|this) (?P<edgeu>month|year|week))",
            r"(?P<mo>(?:(?<=in )|(?<=from )|(?<=until )|(?<=early )|(?<=late )|(?<=since )|(?<=of )|(?<=this )|(?<=last )|(?<=next ))(?P<mon2>january|february|march|april|may|june|july|august|september|october|november|december)(?: (?P<moy>20\d{2}))?)",
        ]
    )
)
_BOUNDED = re.compile(r"[a-z]")


@dataclass(frozen=True)
class Span:
    """Whole days, both ends included. ``kind``: ``day``, ``days``, ``offset``, ``moment`` or ``weekdays``."""

    kind: str
    start: int
    end: int
    first: date
    last: date
    minutes: int = 0  # of a moment: the distance from now
    weekdays: tuple[int, ...] = ()


def find_days(lower: str, today: date) -> Iterator[Span]:
    """Every expression for days in a text."""
    if any("\u3400" <= character <= "\u9fff" for character in lower):
        for match in _CHINESE.finditer(lower):
            found = _chinese(match, today)
            if found:
                yield found
        rest = re.search(r"[a-z]{3}|\d[-/]\d", lower)
    else:
        rest = re.search(r"[a-z]{2}|\d[-/.]\d", lower)
    if rest:
        for match in _ENGLISH.finditer(lower):
            if _inside_word(lower, match.start(), match.end()):
                continue
            found = _english(match, today)
            if found:
                yield found


def _inside_word(lower: str, start: int, end: int) -> bool:
    return bool(
        (start and _BOUNDED.match(lower[start - 1]) and _BOUNDED.match(lower[start]))
        or (end < len(lower) and _BOUNDED.match(lower[end]) and _BOUNDED.match(lower[end - 1]))
    )


def nearest_year(today: date, month: int, day: int) -> date | None:
    """A day named without its year: of this year, unless it is more than nine months past or more than nine to come."""
    for year in (today.year, today.year + 1, today.year - 1):
        chosen = _day(year, month, day)
        if chosen and -275 <= (chosen - today).days <= 275:
            return chosen
    return None


def _day(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _single(match: re.Match[str], day: date | None, kind: str = "day", minutes: int = 0) -> Span | None:
    return None if day is None else Span(kind, match.start(), match.end(), day, day, minutes)


def _run(match: re.Match[str], first: date, last: date) -> Span:
    return Span("days", match.start(), match.end(), first, last)


def _month_of(match: re.Match[str], year: int, month: int) -> Span:
    return _run(match, date(year, month, 1), date(year, month, monthrange(year, month)[1]))


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _number(text: str) -> int:
    return int(parse_number(text) or 0)


def _offset(match: re.Match[str], today: date, amount: float, unit: str, sign: int) -> Span | None:
    if unit in {"小时", "hour", "分钟", "minute"}:
        minutes = amount * (60 if unit in {"小时", "hour"} else 1)
        return _single(match, today, "moment", round(sign * minutes))
    if amount == 0.5:
        steps = {"年": relativedelta(months=6), "个月": relativedelta(days=15), "year": relativedelta(months=6)}
        step = steps.get(unit, relativedelta(days=0))
    else:
        whole = int(amount)
        step = {
            "天": relativedelta(days=whole), "day": relativedelta(days=whole),
            "周": relativedelta(weeks=whole), "week": relativedelta(weeks=whole),
            "个月": relativedelta(months=whole), "month": relativedelta(months=whole),
            "年": relativedelta(years=whole), "year": relativedelta(years=whole),
        }[unit]  # fmt: skip
    try:
        return _single(match, today + step if sign > 0 else today - step, "offset")
    except (ValueError, OverflowError):
        return None


def _chinese(match: re.Match[str], today: date) -> Span | None:
    group, kind = match.groupdict(), match.lastgroup
    if group["ymd"]:
        return _single(match, _day(int(group["y"]), int(group["m"]), int(group["d"])))
    if group["md"]:
        month, day = _number(group["mm"]), _number(group["dd"])
        year = group["mdy"]
        return _single(
            match, _day(today.year + _YEARS_ZH[year], month, day) if year else nearest_year(today, month, day)
        )
    if group["ago"]:
        if group["agon"] == "几":
            return None
        amount = 0.5 if group["agon"] == "半" else float(parse_number(group["agon"]) or 0)
        unit = re.sub(r"^个?(?=[周星礼小])", "", group["agou"])
        unit = "周" if unit in {"星期", "礼拜"} else unit
        return _offset(match, today, amount, unit, 1 if "后" in group["agod"] else -1)
    if group["every"]:
        return _recurring_zh(match, today)
    if group["wd"]:
        if group["wdd"] == "末":
            saturday = _monday(today) + timedelta(days=5 + 7 * _STEP.get(group["wds"] or "", 0))
            if not group["wds"]:
                return Span("weekdays", match.start(), match.end(), today, today, weekdays=(6, 7))
            return _run(match, saturday, saturday + timedelta(days=1))
        wanted = _DAY_ZH[group["wdd"]]
        if group["wds"]:
            return _single(match, _monday(today) + timedelta(days=wanted - 1 + 7 * _STEP[group["wds"]]))
        return _single(match, today + timedelta(days=(wanted - today.isoweekday()) % 7))
    if group["wk"]:
        monday = _monday(today) + timedelta(days=7 * _STEP[group["wks"]])
        return _run(match, monday, monday + timedelta(days=6))
    if group["mon"]:
        month = today.replace(day=1) + relativedelta(months=_STEP[group["mons"]])
        whole = _month_of(match, month.year, month.month)
        return _part_of_month(match, whole, group["mone"]) if group["mone"] else whole
    if group["edge"]:
        end = "底" in group["edge"]
        month = today.replace(month=12 if end else 1) if "年" in group["edge"] else today
        return _single(match, month.replace(day=monthrange(month.year, month.month)[1] if end else 1))
    if group["rel"]:
        return _single(match, today + timedelta(days=_RELATIVE_ZH[group["rel"]]))
    if group["yr"]:
        year = int(group["yrn"]) if group["yrn"] else today.year + _YEARS_ZH[group["yr"]]
        if group["yrm"]:
            month_number = _number(group["yrm"])
            return _month_of(match, year, month_number) if 1 <= month_number <= 12 else None
        return _run(match, date(year, 1, 1), date(year, 12, 31))
    if group["mo"]:
        day_one = nearest_year(today, _number(group["mon2"]), 1)
        whole = _month_of(match, day_one.year, day_one.month) if day_one else None
        return _part_of_month(match, whole, group["moe"]) if whole and group["moe"] else whole
    if kind and group["dom"]:
        number = int(group["domn"])
        return _single(match, _day(today.year, today.month, number)) if 1 <= number <= 31 else None
    return None


def _part_of_month(match: re.Match[str], whole: Span, part: str) -> Span | None:
    if part == "底":
        return _single(match, whole.last)
    if part == "初":
        return _single(match, whole.first)
    return _run(match, whole.first + timedelta(days=10), whole.first + timedelta(days=19))


def _recurring_zh(match: re.Match[str], today: date) -> Span:
    group, text = match.groupdict(), match.group()
    if group["from"]:
        days = tuple(range(_DAY_ZH[group["from"]], _DAY_ZH[group["to"]] + 1))
    elif text == "每天":
        days = tuple(range(1, 8))
    elif text == "工作日":
        days = (1, 2, 3, 4, 5)
    elif group["everyd"] and group["everyd"] != "末":
        days = (_DAY_ZH[group["everyd"]],)
    else:
        days = (6, 7)
    return Span("weekdays", match.start(), match.end(), today, today, weekdays=days)


def _english(match: re.Match[str], today: date) -> Span | None:
    group = match.groupdict()
    if group["iso"]:
        return _single(match, _day(int(group["y"]), int(group["m"]), int(group["d"])))
    if group["sl"]:
        first, second, year = int(group["s1"]), int(group["s2"]), int(group["s3"])
        year += 2000 if year < 100 else 0
        # Day first, as in Britain, Singapore and the EU; only where that is no date the other way round.
        return _single(match, _day(year, second, first) or _day(year, first, second))
    if group["dm"] or group["mdx"]:
        month = _MONTHS[group["dmm"] or group["mdm"]]
        day, year_text = int(group["dmd"] or group["mdd"]), group["dmy"] or group["mdy"]
        return _single(match, _day(int(year_text), month, day) if year_text else nearest_year(today, month, day))
    if group["ago"] or group["inn"]:
        written, unit = group["agon"] or group["innn"], (group["agou"] or group["innu"]).rstrip("s")
        unit = {"hr": "hour", "min": "minute"}.get(unit, unit)
        amount = 1 if written in {"a", "an"} else 2 if written == "a couple of" else float(parse_number(written) or 0)
        return _offset(match, today, amount, unit, -1 if group["agod"] in {"ago", "back"} else 1)
    if group["every"]:
        return _recurring_en(match, today)
    if group["wk"]:
        return _whole_period(match, today, group["wku"], _STEP[group["wks"]])
    if group["rel"]:
        return _single(match, today + timedelta(days=_RELATIVE_EN[group["rel"].removeprefix("the ")]))
    if group["wd"]:
        wanted = _DAYS[group["wdd"]]
        if group["wds"] == "last":
            return _single(match, today - timedelta(days=(today.isoweekday() - wanted - 1) % 7 + 1))
        if group["wds"] == "next":
            return _single(match, _monday(today) + timedelta(days=7 + wanted - 1))
        return _single(match, today + timedelta(days=(wanted - today.isoweekday()) % 7))
    if group["edge"]:
        return _single(match, (_whole_period(match, today, group["edgeu"], 0)).last)
    day_one = nearest_year(today, _MONTHS[group["mon2"]], 1)
    year = int(group["moy"]) if group["moy"] else day_one.year if day_one else today.year
    return _month_of(match, year, _MONTHS[group["mon2"]])


def _whole_period(match: re.Match[str], today: date, unit: str, step: int) -> Span:
    if unit == "month":
        month = today.replace(day=1) + relativedelta(months=step)
        return _month_of(match, month.year, month.month)
    if unit == "year":
        return _run(match, date(today.year + step, 1, 1), date(today.year + step, 12, 31))
    monday = _monday(today) + timedelta(days=7 * step)
    return _run(match, monday + timedelta(days=5 if unit == "weekend" else 0), monday + timedelta(days=6))


def _recurring_en(match: re.Match[str], today: date) -> Span | None:
    group, text = match.groupdict(), match.group()
    if group["from"]:
        days = tuple(range(_DAYS[group["from"]], _DAYS[group["to"]] + 1))
    elif group["plural"]:
        days = (_DAYS[group["plural"][:-1]],)
    elif group["everyd"] in _DAYS:
        days = (_DAYS[group["everyd"]],)
    elif group["everyd"] == "day":
        days = tuple(range(1, 8))
    elif "weekend" in text:
        days = (6, 7)
    else:
        days = (1, 2, 3, 4, 5)
    return Span("weekdays", match.start(), match.end(), today, today, weekdays=days) if days else None
