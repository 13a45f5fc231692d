"""When somebody means: days, weeks, months and quarters as they are said in Chinese and English, counted from today.

Weeks begin on Monday. What goes on at the moment ends today; a month or a day without a year is the last one that began.
"""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from reporting.reading import NUMBER, number_of

DEFAULT_DAYS = 28  #: whole weeks, so that every day of the week counts alike
_DAY = timedelta(days=1)
_ZH_WEEKDAYS = {"一": 0, "二": 1, "三": 2, "四": 3, "五": 4, "六": 5, "日": 6, "天": 6}
_EN_WEEKDAYS = {name[:3].lower(): at for at, name in enumerate(calendar.day_name)}
EN_MONTHS = {name[:3].lower(): at for at, name in enumerate(calendar.month_name) if name}
MONTH = (
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december"
    r"|jan|feb|mar|apr|jun|jul|aug|sept|sep|oct|nov|dec)\b\.?"
)
_WEEKDAY = r"(?:monday|tuesday|wednesday|thursday|friday|saturday|sunday|mon|tues|tue|wed|thurs|thu|fri|sat|sun)\b"
_ZH_WEEKDAY = r"(?:周|星期|礼拜)(?P<wd>[一二三四五六日天])"
#: What stands behind a number that counts something ("上周三个渠道", "上周一共", "上周日均") and makes it no day of the week.
_NO_WEEKDAY = "[大个名位种条均共直]"
_N = f"(?P<n>{NUMBER})"
ORDINAL = r"(?:st|nd|rd|th)?"


@dataclass(frozen=True, slots=True)
class Period:
    """Days from the first to the last, and where in the text they were said."""

    since: date
    until: date
    start: int = 0
    end: int = 0
    unit: str = ""  #: what was named, for a comparison without another period: day, week, month, quarter, year


class NoSuchDay(ValueError):
    """A day that no calendar has, or one out of reach."""


def default(today: date) -> Period:
    """The period of a question that names none."""
    return Period(today - (DEFAULT_DAYS - 1) * _DAY, today)


def this(unit: str, today: date) -> Period:
    """The day, week, month, quarter or year that is going on."""
    return Period(_first(unit, today), today, unit=unit)


def _first(unit: str, day: date) -> date:
    return {
        "day": day,
        "week": day - day.weekday() * _DAY,
        "month": day.replace(day=1),
        "quarter": day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1),
        "year": day.replace(month=1, day=1),
    }[unit]


def _back(unit: str, today: date, times: int) -> Period:
    """The whole week (month …) so many before the one that is going on."""
    first = _first(unit, today)
    for _ in range(times - 1):
        first = _first(unit, first - _DAY)
    return Period(_first(unit, first - _DAY), first - _DAY, unit=unit)


def _months_before(day: date, months: int) -> date:
    index = day.year * 12 + day.month - 1 - months
    year, month = divmod(index, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def _past(unit: str, today: date, count: int) -> Period:
    if not 1 <= count <= 1100:
        raise NoSuchDay
    if unit in ("day", "week"):
        return Period(today - (count * (1 if unit == "day" else 7) - 1) * _DAY, today)
    months = count * {"month": 1, "quarter": 3, "year": 12}[unit]
    return Period(_months_before(today, months) + _DAY, today)


def _month(year: int, month: int) -> Period:
    return Period(date(year, month, 1), date(year, month, calendar.monthrange(year, month)[1]), unit="month")


def _quarter(year: int, quarter: int) -> Period:
    first = date(year, quarter * 3 - 2, 1)
    return Period(first, _month(year, quarter * 3).until, unit="quarter")


def last_begun(make: Callable[[int], Period], today: date) -> Period:
    """The one of this year, or of a year before while it has not begun (or has no such day)."""
    for year in range(today.year, max(today.year - 9, 1), -1):
        try:
            found = make(year)
        except ValueError:
            continue
        if found.since <= today:
            return found
    raise NoSuchDay


def _day(year: int, month: int, day: int) -> Period:
    found = date(year, month, day)
    return Period(found, found, unit="day")


def _weekday(today: date, weekday: int, *, before: bool = False) -> Period:
    back = (today.weekday() - weekday) % 7
    found = today - (back or (7 if before else 0)) * _DAY
    return Period(found, found, unit="day")


_UNITS = {
    "天": "day", "日": "day", "周": "week", "星期": "week", "礼拜": "week", "月": "month", "季度": "quarter", "季": "quarter",
    "年": "year", "day": "day", "week": "week", "month": "month", "quarter": "quarter", "year": "year",
}  # fmt: skip
_ZH_UNIT = r"(?P<u>天|日|周|星期|礼拜|月|季度|季|年)"
_EN_UNIT = r"(?P<u>day|week|month|quarter|year)"
_QUARTERS = {"fi": 1, "1s": 1, "se": 2, "2n": 2, "th": 3, "3r": 3, "fo": 4, "4t": 4}
Make = Callable[[re.Match[str], date], Period]


def _n(match: re.Match[str], name: str = "n") -> int:
    number = number_of(match[name])
    if number is None:
        raise NoSuchDay
    return number


def _year_said(match: re.Match[str], today: date) -> int | None:
    said = match["y"]
    if not said:
        return None
    relative = {"今年": 0, "本年": 0, "this year": 0, "去年": 1, "last year": 1, "前年": 2}.get(said.strip("的 "))
    if relative is not None:
        return today.year - relative
    year = int(re.sub(r"\D", "", said))
    return year


def _in_year(match: re.Match[str], today: date, make: Callable[[int], Period]) -> Period:
    year = _year_said(match, today)
    return make(year) if year is not None else last_begun(make, today)


def _rows() -> Iterator[tuple[str, Make]]:
    year_zh = r"(?P<y>今年|本年|去年|前年|(?:19|20)\d\d年)?的?"
    year_en = r"(?:,? (?:of )?(?P<y>(?:19|20)\d\d|this year|last year))?"
    month_zh = r"(?P<m>1[0-2]|0?[1-9]|十[一二]?|[一二三四五六七八九])月份?"
    # single days
    yield (
        r"(?P<a>(?:19|20)\d\d)[-/.年](?P<m>\d\d?)[-/.月](?P<d>\d\d?)[日号]?",
        lambda m, t: _day(_n(m, "a"), _n(m, "m"), _n(m, "d")),
    )
    yield (
        rf"{year_zh}{month_zh}(?P<d>3[01]|[12]?\d|[一二三四五六七八九十]{{1,3}})[日号]",
        lambda m, t: _in_year(m, t, lambda y: _day(y, _n(m, "m"), _n(m, "d"))),
    )
    yield (
        r"(?P<m>1[0-2]|0?[1-9])/(?P<d>3[01]|[12]\d|0?[1-9])(?!\d|/)",
        lambda m, t: last_begun(lambda y: _day(y, _n(m, "m"), _n(m, "d")), t),
    )
    yield (
        rf"(?:the )?(?P<d>3[01]|[12]?\d){ORDINAL} (?:of )?(?P<m>{MONTH}){year_en}",
        lambda m, t: _in_year(m, t, lambda y: _day(y, EN_MONTHS[m["m"][:3]], _n(m, "d"))),
    )
    yield (
        rf"(?P<m>{MONTH}) (?:the )?(?P<d>3[01]|[12]?\d){ORDINAL}(?!\d){year_en}",
        lambda m, t: _in_year(m, t, lambda y: _day(y, EN_MONTHS[m["m"][:3]], _n(m, "d"))),
    )
    yield r"大前天", lambda m, t: Period(t - 3 * _DAY, t - 3 * _DAY, unit="day")
    yield (
        r"前天|前日|the day before yesterday|day before yesterday",
        lambda m, t: Period(t - 2 * _DAY, t - 2 * _DAY, unit="day"),
    )
    yield r"昨天|昨日|昨儿|\byesterday\b", lambda m, t: Period(t - _DAY, t - _DAY, unit="day")
    yield r"今天|今日|\btoday\b", lambda m, t: this("day", t)
    yield r"明天|明日|后天|\btomorrow\b", lambda m, t: Period(t + _DAY, t + _DAY, unit="day")
    yield (  # "查一下周一的" looks up Monday
        r"(?<!一)下(?:个)?(?:周|星期|礼拜|月|季度)|明年|\bnext (?:week|month|quarter|year)\b",
        lambda m, t: Period(t + _DAY, t + 7 * _DAY),
    )
    # months, quarters, halves
    yield (
        r"(?P<a>(?:19|20)\d\d)[-/年](?P<m>1[0-2]|0?[1-9])(?![-/\d])月?份?",
        lambda m, t: _month(_n(m, "a"), _n(m, "m")),
    )
    yield rf"{year_zh}{month_zh}", lambda m, t: _in_year(m, t, lambda y: _month(y, _n(m, "m")))
    yield (
        rf"\b(?P<m>(?:(?<=in )|(?<=of )|(?<=since )|(?<=for )|(?!may\b(?! (?:19|20)\d\d)(?= ?[a-z]))){MONTH}){year_en}(?!\w)",
        lambda m, t: _in_year(m, t, lambda y: _month(y, EN_MONTHS[m["m"][:3]])),
    )
    yield rf"{year_zh}第?(?P<q>[一二三四1-4])季度?", lambda m, t: _in_year(m, t, lambda y: _quarter(y, _n(m, "q")))
    yield rf"\bq(?P<q>[1-4])\b{year_en}", lambda m, t: _in_year(m, t, lambda y: _quarter(y, _n(m, "q")))
    yield r"(?P<a>(?:19|20)\d\d)年?(?:的| )?q(?P<q>[1-4])\b", lambda m, t: _quarter(_n(m, "a"), _n(m, "q"))
    yield (
        rf"(?:the )?(?P<q>first|second|third|fourth|1st|2nd|3rd|4th) quarter{year_en}",
        lambda m, t: _in_year(m, t, lambda y: _quarter(y, _QUARTERS[m["q"][:2]])),
    )
    yield rf"{year_zh}(?P<h>上|下)半年", lambda m, t: _in_year(m, t, lambda y: _half(y, m["h"] == "下"))
    yield (
        rf"(?:the )?(?P<h>first|second) half(?: of (?:the|this) year)?{year_en}|\bh(?P<hh>[12])\b(?: (?P<yy>(?:19|20)\d\d))?",
        _half_en,
    )
    # what goes on, and what went before it
    yield (
        rf"(?:本|这|这个|这一|当)(?P<u>周|星期|礼拜|月|季度|季)(?!末|[一二三四五六日天](?!{_NO_WEEKDAY}))(?:以来|至今)?|今年(?:以来|至今)?|本年度?",
        lambda m, t: this(_UNITS[m["u"]] if m["u"] else "year", t),
    )
    yield (
        r"\b(?:this|the current) (?P<u>week|month|quarter|year)(?:,? so far| to date)?|\b(?P<d>week|month|quarter|year)[ -]to[ -]date\b|\b(?P<s>[wmqy])td\b",
        lambda m, t: this(m["u"] or m["d"] or {"w": "week", "m": "month", "q": "quarter", "y": "year"}[m["s"]], t),
    )
    yield (
        rf"上上个?(?P<u>周|星期|礼拜|月|季度)(?!末|[一二三四五六日天](?!{_NO_WEEKDAY}))|(?:the )?(?P<e>week|month|quarter|year) before last|(?P<f>前年)",
        lambda m, t: _back(_UNITS[m["u"]] if m["u"] else m["e"] or "year", t, 2),
    )
    yield (
        rf"上(?:一|个|一个)?(?P<u>周|星期|礼拜|月|季度|季)(?!末|[一二三四五六日天](?!{_NO_WEEKDAY}))|(?P<l>去年)全?年?|\b(?:the )?(?:last|previous) (?P<e>week|month|quarter|year)(?!end)\b|(?P<p>前一)(?P<v>天|周|个?月)",
        lambda m, t: _back("year" if m["l"] else _UNITS[(m["u"] or m["e"] or m["v"]).lstrip("个")], t, 1),
    )
    yield (
        rf"{_N} ?个?(?:周|星期|礼拜)(?:之)?前|{_N.replace('<n>', '<k>')} weeks? ago",
        lambda m, t: _back("week", t, number_of(m["n"] or m["k"]) or 1),
    )
    yield (
        rf"{_N} ?个月(?:之)?前|{_N.replace('<n>', '<k>')} months? ago",
        lambda m, t: _back("month", t, number_of(m["n"] or m["k"]) or 1),
    )
    yield (
        rf"{_N} ?天(?:之)?前|{_N.replace('<n>', '<k>')} days? ago",
        lambda m, t: Period(
            t - (number_of(m["n"] or m["k"]) or 0) * _DAY, t - (number_of(m["n"] or m["k"]) or 0) * _DAY, unit="day"
        ),
    )
    yield (
        r"上(?:个|一个)?(?:周末|星期末)|\b(?:last|the past|past) weekend\b",
        lambda m, t: Period(_first("week", t) - 2 * _DAY, _first("week", t) - _DAY, unit="day"),
    )
    yield r"(?:本|这|这个)?周末|\b(?:this|the|on the) weekend\b|\bweekend\b", lambda m, t: _last_weekend(t)
    # so many back
    yield (
        rf"(?:最近|过去|近|过去的|最近的|前)(?:这)?{_N} ?(?:个)?{_ZH_UNIT}(?:里|内|以来)?",
        lambda m, t: _past(_UNITS[m["u"]], t, _n(m)),
    )
    yield rf"{_N} ?(?:个)?{_ZH_UNIT}(?:以来|之内|内)", lambda m, t: _past(_UNITS[m["u"]], t, _n(m))
    yield (
        r"(?:最近|近)(?P<h>半)(?P<x>年|个月)|(?:过去|最近)(?P<y2>一整年)",
        lambda m, t: _past("month", t, 6) if m["x"] == "年" else _past("day", t, 15) if m["h"] else _past("year", t, 1),
    )
    yield (
        rf"\b(?:the )?(?:last|past|previous|recent|latest|trailing) {_N}[ -]{_EN_UNIT}s?\b",
        lambda m, t: _past(m["u"], t, _n(m)),
    )
    yield r"\b(?:the )?past (?P<u>week|month|quarter|year)\b", lambda m, t: _past(m["u"], t, 1)
    yield (
        rf"(?:今年|这一年)的?前{_N}个月|\b(?:the )?first {_N.replace('<n>', '<k>')} months of (?:the|this) year",
        lambda m, t: Period(date(t.year, 1, 1), _month(t.year, min(number_of(m["n"] or m["k"]) or 1, 12)).until),
    )
    yield r"\b(?:the )?(?:last|past) (?:couple of|few) weeks\b", lambda m, t: _past("week", t, 2)
    # days of the week
    yield rf"上(?:个|一)?{_ZH_WEEKDAY}(?!{_NO_WEEKDAY})", lambda m, t: _of_week(t, -1, _ZH_WEEKDAYS[m["wd"]])
    yield rf"(?:本|这|这个){_ZH_WEEKDAY}(?!{_NO_WEEKDAY})", lambda m, t: _of_week(t, 0, _ZH_WEEKDAYS[m["wd"]])
    yield (
        rf"(?<![每按各个]){_ZH_WEEKDAY}(?!(?!一共)[一二三四五六日天]|{_NO_WEEKDAY})",  # "周一一共" is of Monday
        lambda m, t: _weekday(t, _ZH_WEEKDAYS[m["wd"]]),
    )
    yield rf"\blast (?P<wd>{_WEEKDAY})", lambda m, t: _weekday(t, _EN_WEEKDAYS[m["wd"][:3]], before=True)
    yield rf"\b(?:this |on )?(?P<wd>{_WEEKDAY})", lambda m, t: _weekday(t, _EN_WEEKDAYS[m["wd"][:3]])
    yield (
        r"月初|the (?:start|beginning) of (?:the|this) month",
        lambda m, t: Period(_first("month", t), _first("month", t)),
    )
    yield (
        r"年初|the (?:start|beginning) of (?:the|this) year",
        lambda m, t: Period(_first("year", t), _first("year", t)),
    )
    yield (
        r"(?P<a>(?:19|20)\d\d)(?:年(?:全年)?|\b(?![-/.\d]))",
        lambda m, t: Period(date(_n(m, "a"), 1, 1), date(_n(m, "a"), 12, 31), unit="year"),
    )


def _half(year: int, second: bool) -> Period:
    return Period(date(year, 7, 1), date(year, 12, 31)) if second else Period(date(year, 1, 1), date(year, 6, 30))


def _half_en(match: re.Match[str], today: date) -> Period:
    second = (match["h"] or match["hh"]) in ("second", "2")
    if match["yy"]:
        return _half(int(match["yy"]), second)
    return _in_year(match, today, lambda year: _half(year, second))


def _last_weekend(today: date) -> Period:
    saturday = today - ((today.weekday() - 5) % 7) * _DAY
    return Period(saturday, saturday + _DAY, unit="day")


def _of_week(today: date, weeks: int, weekday: int) -> Period:
    found = _first("week", today) + (weeks * 7 + weekday) * _DAY
    return Period(found, found, unit="day")


PATTERNS = [(re.compile(pattern), make) for pattern, make in _rows()]
