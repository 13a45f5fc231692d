"""Whenever somebody asks, the days they name are days of the calendar, and other words around them change nothing."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from reporting.asking import Understood, parse
from reporting.lexicon import Lexicon
from reporting.query import Query

DAY = timedelta(days=1)
Days = tuple[date, date]
_YEARS = st.integers(2002, 2090)
#: Any day, and more often those at which weeks, months, quarters and years change.
CLOCKS = st.one_of(
    st.dates(date(2002, 1, 1), date(2090, 12, 31)),
    _YEARS.flatmap(lambda year: st.sampled_from((date(year, 1, 1), date(year, 12, 31), date(year, 3, 1), date(year, 3, 31)))),
    _YEARS.map(lambda year: date(year, 2, calendar.monthrange(year, 2)[1])),
    st.sampled_from((date(2024, 2, 29), date(2027, 1, 1), date(2020, 12, 28), date(2026, 11, 30), date(2028, 12, 31))),
)  # fmt: skip


def asked(text: str, today: date) -> Query:
    found = parse(text, today, Lexicon())
    assert isinstance(found, Understood), (text, today, found)
    return found.query


def monday(day: date) -> date:
    return day - day.weekday() * DAY


def month(year: int, number: int) -> Days:
    return date(year, number, 1), date(year, number, calendar.monthrange(year, number)[1])


def before_this_month(today: date) -> Days:
    last = today.replace(day=1) - DAY
    return month(last.year, last.month)


def latest_month(today: date, number: int) -> Days:
    first, last = month(today.year if number <= today.month else today.year - 1, number)
    return first, min(last, today)


def quarter(today: date, back: int) -> Days:
    year, number = divmod(today.year * 4 + (today.month - 1) // 3 - back, 4)
    return date(year, number * 3 + 1, 1), min(month(year, number * 3 + 3)[1], today)


def weekday(today: date, number: int) -> Days:
    found = today - ((today.weekday() - number) % 7) * DAY
    return found, found


#: What is said in both languages, and the days it means.
SAID: dict[tuple[str, str], Callable[[date], Days]] = {
    ("今天", "today"): lambda t: (t, t),
    ("昨天", "yesterday"): lambda t: (t - DAY, t - DAY),
    ("前天", "the day before yesterday"): lambda t: (t - 2 * DAY, t - 2 * DAY),
    ("3天前", "3 days ago"): lambda t: (t - 3 * DAY, t - 3 * DAY),
    ("三天前", "three days ago"): lambda t: (t - 3 * DAY, t - 3 * DAY),
    ("最近7天", "in the last 7 days"): lambda t: (t - 6 * DAY, t),
    ("过去两周", "in the past two weeks"): lambda t: (t - 13 * DAY, t),
    ("本周", "this week"): lambda t: (monday(t), t),
    ("上周", "last week"): lambda t: (monday(t) - 7 * DAY, monday(t) - DAY),
    ("上上周", "the week before last"): lambda t: (monday(t) - 14 * DAY, monday(t) - 8 * DAY),
    ("两周前", "two weeks ago"): lambda t: (monday(t) - 14 * DAY, monday(t) - 8 * DAY),
    ("本月", "this month"): lambda t: (t.replace(day=1), t),
    ("上个月", "last month"): before_this_month,
    ("本季度", "this quarter"): lambda t: quarter(t, 0),
    ("上季度", "last quarter"): lambda t: quarter(t, 1),
    ("今年", "this year"): lambda t: (date(t.year, 1, 1), t),
    ("去年", "last year"): lambda t: (date(t.year - 1, 1, 1), date(t.year - 1, 12, 31)),
    ("一月", "in January"): lambda t: latest_month(t, 1),
    ("二月份", "in February"): lambda t: latest_month(t, 2),
    ("十月", "in October"): lambda t: latest_month(t, 10),
    ("十二月", "in December"): lambda t: latest_month(t, 12),
    ("周一", "on Monday"): lambda t: weekday(t, 0),
    ("周日", "on Sunday"): lambda t: weekday(t, 6),
    ("周一以来", "since Monday"): lambda t: (weekday(t, 0)[0], t),
    ("2001年10月", "in October 2001"): lambda t: month(2001, 10),
}
PHRASES = st.sampled_from([(language, pair[language], means) for pair, means in SAID.items() for language in (0, 1)])
_BEFORE = (("", "请问", "我想看", "麻烦查一下"), ("", "show me ", "please, ", "tell me "))
_BEHIND = (
    ("的会话量", "会话量", "一共有多少会话", "各渠道的会话量", "会话量是多少？"),
    (" conversations", ", conversations by channel", ": how many conversations", " conversations, please"),
)


@settings(max_examples=120, deadline=None)
@given(PHRASES, CLOCKS, st.data())
def test_a_period_means_the_same_days_whatever_stands_around_it(
    phrase: tuple[int, str, Callable[[date], Days]], today: date, data: st.DataObject
) -> None:
    language, said, means = phrase
    text = data.draw(st.sampled_from(_BEFORE[language])) + said + data.draw(st.sampled_from(_BEHIND[language]))
    query = asked(text, today)
    assert (query.since, query.until) == means(today), text
    assert query.since <= query.until <= today


@settings(max_examples=60, deadline=None)
@given(PHRASES, CLOCKS)
def test_english_questions_may_say_when_at_the_end(
    phrase: tuple[int, str, Callable[[date], Days]], today: date
) -> None:
    language, said, means = phrase
    query = asked(f"会话量，{said}" if language == 0 else f"how many conversations {said}", today)
    assert (query.since, query.until) == means(today)


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 400), st.sampled_from(("day", "week", "month")), CLOCKS)
def test_so_many_back_from_any_day_never_leaves_the_calendar(count: int, unit: str, today: date) -> None:
    zh = {"day": "天", "week": "周", "month": "个月"}[unit]
    plural = "" if count == 1 else "s"
    for one, other in (
        (f"最近{count}{zh}的会话量", f"conversations in the last {count} {unit}{plural}"),
        (f"{count}{zh}前的会话量", f"conversations {count} {unit}{plural} ago"),
    ):
        found = [parse(text, today, Lexicon()) for text in (one, other)]
        periods = {(it.query.since, it.query.until) if isinstance(it, Understood) else it.code for it in found}
        assert len(periods) == 1, (one, other, periods)
        for it in found:
            if isinstance(it, Understood):
                assert it.query.since <= it.query.until <= today


@pytest.mark.parametrize("today", [date(2024, 2, 29), date(2026, 12, 31), date(2027, 1, 1), date(2026, 3, 31)])
@pytest.mark.parametrize(
    "text", ["31 February", "2月30日", "31 April 2025", "2026-13-01", "0000-00-00", "9月31日", "29 February 2023"]
)
def test_days_that_no_calendar_has_are_refused_on_any_day(text: str, today: date) -> None:
    found = parse(f"conversations {text}", today, Lexicon())
    assert not isinstance(found, Understood), (text, found)


@pytest.mark.parametrize(
    "text",
    ["上周一共有多少会话", "上周三个渠道的会话量", "上周日均会话量", "上周五大渠道的会话量", "上周一直开着的会话量"],
)
def test_a_number_behind_last_week_is_no_day_of_the_week(text: str) -> None:
    found = parse(text, date(2026, 11, 19), Lexicon())
    told = {one.key for one in found.explained if one.kind == "period"}
    assert told == {"2026-11-09/2026-11-15"}, found


@pytest.mark.parametrize(
    ("text", "since"),
    [("上周一的会话量", date(2026, 11, 9)), ("上周日会话量", date(2026, 11, 15)), ("周三会话量", date(2026, 11, 18))],
)
def test_a_day_of_the_week_is_one(text: str, since: date) -> None:
    query = asked(text, date(2026, 11, 19))
    assert (query.since, query.until) == (since, since)
