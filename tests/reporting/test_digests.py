"""Digests of reports: due once on each of their days by the desk's clock, written in either language, with nothing left raw."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reporting.answers import Answer, Change, Figure
from reporting.catalogue import METRICS
from reporting.digest_words import METRIC_NAMES, WORDS
from reporting.digest_writing import Findings, body_of, letter_of
from reporting.digests import Digest, Rhythm, Schedule, Way
from reporting.query import Query

#: Clocks that are put forward and back at night, at midnight, by half an hour, or never.
ZONES = [
    ZoneInfo(one)
    for one in ("Asia/Shanghai", "Europe/Berlin", "America/New_York", "Africa/Cairo", "Australia/Lord_Howe", "America/Santiago")
]  # fmt: skip
DAYS = st.dates(date(2024, 1, 1), date(2028, 12, 31))
CLOCKS = st.times().map(lambda one: one.replace(second=0, microsecond=0))
SCHEDULES = st.one_of(
    CLOCKS.map(lambda clock: Schedule(Rhythm.DAILY, clock)),
    st.builds(Schedule, st.just(Rhythm.WEEKLY), CLOCKS, st.integers(1, 7)),
    st.builds(Schedule, st.just(Rhythm.MONTHLY), CLOCKS, st.integers(1, 28)),
)
DIGEST = Digest(
    "d" * 32, 1, "周一例会 <b>", Schedule(Rhythm.WEEKLY, time(8), 1), "zh", ("conversations", "csat"), Way.EMAIL, ("a@b.example",)
)  # fmt: skip
MONDAY = date(2026, 3, 9)


@given(st.sampled_from(ZONES), CLOCKS, DAYS)
def test_every_day_of_the_desk_has_exactly_one_daily_digest(zone: ZoneInfo, clock: time, first: date) -> None:
    schedule = Schedule(Rhythm.DAILY, clock)
    days = [first + timedelta(days=number) for number in range(40)]
    now = schedule.moment(days[0], zone)
    until, sent = schedule.moment(days[-1], zone), []
    while now <= until:  # as the desk does: it looks now and then, and sends what it has not sent
        if (day := schedule.last(now, zone)) not in sent:
            sent.append(day)
        now += timedelta(minutes=30)
    if schedule.last(until, zone) not in sent:
        sent.append(days[-1])
    assert sent == days


@given(st.sampled_from(ZONES), SCHEDULES, st.integers(0, 4 * 365 * 24 * 60))
def test_what_is_due_last_is_past_and_what_is_next_is_not(zone: ZoneInfo, schedule: Schedule, minute: int) -> None:
    now = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=minute)
    last, following = schedule.last(now, zone), schedule.next(now, zone)
    assert schedule.moment(last, zone) <= now < schedule.moment(following, zone)
    assert schedule.falls_on(last)
    assert schedule.falls_on(following)
    between = [last + timedelta(days=number) for number in range(1, (following - last).days)]
    assert not any(map(schedule.falls_on, between))


@given(SCHEDULES, DAYS)
def test_periods_follow_one_another_without_a_gap_and_are_over(schedule: Schedule, day: date) -> None:
    due = [one for number in range(70) if schedule.falls_on(one := day + timedelta(days=number))]
    periods = [schedule.period(one) for one in due]
    assert all(until < one for one, (_, until) in zip(due, periods, strict=True))
    assert all(one[1] + timedelta(days=1) == other[0] for one, other in pairwise(periods))


def test_a_clock_that_is_put_back_sends_the_first_time_and_one_put_forward_right_after() -> None:
    berlin, schedule = ZoneInfo("Europe/Berlin"), Schedule(Rhythm.DAILY, time(2, 30))
    assert schedule.moment(date(2026, 10, 25), berlin) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)
    assert schedule.moment(date(2026, 3, 29), berlin) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)


def answered(query: Query) -> Answer:
    if query.filters.get("served") == ("human",):
        return Answer(query, Figure(None, whole=3), hidden="few", change=Change(Figure(None), None, None, None))
    if query.metric == "csat":
        return Answer(query, Figure(0.9, 90, 100), change=Change(Figure(0.8, 80, 100), 0.1, True, 0.01))
    return Answer(query, Figure(1234.0, 1234), behind=2, change=Change(Figure(1200.0), 34.0, False, 0.4))


def findings(digest: Digest) -> Findings:
    answers = [answered(query) for query in digest.queries(MONDAY)]
    return Findings(digest, answers, "Asia/Shanghai", "CNY", "https://desk.example/staff/#/reports")


def test_ratings_of_the_bot_and_of_people_are_asked_for_apart() -> None:
    assert [(one.metric, dict(one.filters)) for one in DIGEST.queries(MONDAY)] == [
        ("conversations", {}), ("csat", {"served": ("bot",)}), ("csat", {"served": ("human",)}),
    ]  # fmt: skip


def test_a_letter_says_value_and_change_in_either_language() -> None:
    text = letter_of(findings(DIGEST))["text"]
    assert "周报 2026-03-02 至 2026-03-08" in text
    assert "与此前同样天数的 2026-02-23 至 2026-03-01 相比" in text
    assert "会话数：1,234 [+34，无明显变化]" in text
    assert "满意率（机器人）：90.0%（100 中有 90） [+10.0 个百分点，明显变好]" in text
    assert "满意率（人工）：不足 5 份回答，不显示 [无法比较]" in text
    text = letter_of(findings(replace(DIGEST, language="en")))["text"]
    assert "Satisfied (bot): 90.0 % (90 of 100) [+10.0 points, clearly better]" in text
    assert "Conversations: 1,234 [+34, no clear change]" in text
    assert "2 entries are still to be counted" in text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=60))
def test_nothing_typed_becomes_markup(name: str) -> None:
    html = letter_of(findings(replace(DIGEST, name=f"<img src=x onerror=alert(1)>{name}")))["html"]
    plain = letter_of(findings(replace(DIGEST, name="x")))["html"]
    assert re.findall(r"<[a-z/!]+", html) == re.findall(r"<[a-z/!]+", plain)


def test_programs_get_numbers() -> None:
    form = json.loads(body_of(findings(DIGEST)))
    assert (form["type"], form["since"], form["until"], form["time_zone"]) == (
        "report.digest", "2026-03-02", "2026-03-08", "Asia/Shanghai",
    )  # fmt: skip
    assert [(one["metric"], one["served"], one["value"]) for one in form["figures"]] == [
        ("conversations", None, 1234.0), ("csat", "bot", 0.9), ("csat", "human", None),
    ]  # fmt: skip
    assert form["figures"][1]["change"]["significant"] is True


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_figure_is_called_as_in_the_console(language: str) -> None:
    source = Path(f"handoff/web/src/i18n/reports.{language}.ts").read_text("utf-8")
    block = source[source.index("  metrics: {") : source.index("  definitions: {")]
    assert dict(re.findall(r"(\w+): '([^']*)'", block)) == METRIC_NAMES[language]
    assert set(METRIC_NAMES[language]) == set(METRICS)
    assert set(WORDS[language]) == set(WORDS["en"])
