"""Check digits, numbers and times: what the words of an entity stand for."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.entities.checksums import CHECKSUMS
from bot.entities.day_words import nearest_year
from bot.entities.numbers import parse_number, write_chinese
from bot.entities.times import TIME_TYPES, Times

WEDNESDAY = datetime(2026, 11, 18, 10, 30, tzinfo=ZoneInfo("Asia/Shanghai"))
#: Numbers that pass, by scheme.
VALID = {
    "bank_card": "4532186091390993", "imei": "357529170342361", "retail_code": "6901676122208",
    "isbn": "9787865635516", "upu_s10": "EE920868280CN", "ups": "1Z5R89390357567127", "fedex": "986578788855",
    "usps": "9400119252000201019534", "chinese_id_card": "330106199003076889", "social_credit_code": "91330106MA5YM36C4J",
    "iban": "GB42NWBK37805856732681", "vat_number": "DE835865055",
}  # fmt: skip
#: Where the scheme guarantees that any one wrong digit is noticed: the places of its digits that are checked.
CATCHES_ONE_DIGIT = ("bank_card", "imei", "retail_code", "isbn", "upu_s10", "usps", "chinese_id_card", "iban")


@pytest.mark.parametrize(("scheme", "number"), VALID.items())
def test_a_known_number_passes_its_check(scheme: str, number: str) -> None:
    assert CHECKSUMS[scheme](number)


@given(scheme=st.sampled_from(CATCHES_ONE_DIGIT), data=st.data())
def test_any_single_wrong_digit_is_noticed(scheme: str, data: st.DataObject) -> None:
    number = VALID[scheme]
    places = [place for place, character in enumerate(number) if character.isdigit()]
    if scheme == "upu_s10":
        places = places[
            :8
        ]  # two remainders share the check digit 0 or 5, so the check digit itself is not fully guarded
    place = data.draw(st.sampled_from(places))
    other = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != number[place]]))
    changed = number[:place] + other + number[place + 1 :]
    if scheme == "upu_s10":
        assert changed != number
        weights = (8, 6, 4, 2, 3, 5, 9, 7)
        same = [
            sum(int(digit) * weight for digit, weight in zip(text[2:10], weights)) % 11 for text in (number, changed)
        ]
        assert CHECKSUMS[scheme](changed) == (_s10(same[0]) == _s10(same[1]))
    else:
        assert not CHECKSUMS[scheme](changed)


def _s10(remainder: int) -> int:
    return {10: 0, 11: 5}.get(11 - remainder, 11 - remainder)


@pytest.mark.parametrize(("scheme", "number"), [
    ("chinese_id_card", "330106199013076883"), ("chinese_id_card", "33010619900307688"), ("fedex", "12345"), ("ups", "1Z"),
    ("usps", "94001"), ("retail_code", "123"), ("bank_card", "0000000000000000"), ("iban", "GB42"), ("vat_number", "GB123"),
    ("upu_s10", "EE92086828CN"), ("imei", "35752917034236"),
])  # fmt: skip
def test_a_number_of_the_wrong_form_fails_without_an_error(scheme: str, number: str) -> None:
    assert not CHECKSUMS[scheme](number)


@given(st.integers(min_value=0, max_value=99_999_999))
def test_a_written_chinese_numeral_is_read_back(number: int) -> None:
    assert parse_number(write_chinese(number)) == number


@given(st.integers(min_value=0, max_value=999_999))
def test_digits_with_and_without_commas_are_the_same_number(number: int) -> None:
    assert parse_number(f"{number:,}") == parse_number(str(number)) == number


@pytest.mark.parametrize(("written", "number"), [
    ("两千五", 2500), ("一百二", 120), ("一百零二", 102), ("三万五", 35_000), ("一千零五十", 1050), ("一百二十", 120), ("1.2万", 12_000),
    ("二零二六", 2026), ("三点五", 3.5), ("a hundred and twenty", 120), ("twenty-five", 25), ("two thousand five hundred", 2500),
    ("3k", 3000), ("20 000", 20_000), ("十", 10), ("一亿两千万", 120_000_000), ("banana", None), ("", None), ("百分", None),
    ("一二十", None),
])  # fmt: skip
def test_a_number_is_read_as_it_is_spoken(written: str, number: float | None) -> None:
    assert parse_number(written) == number


def times(text: str, now: datetime = WEDNESDAY) -> dict[str, object]:
    """The longest candidate of each type."""
    found = Times({name: place for place, name in enumerate(TIME_TYPES)}).find(text.lower(), now)
    return {one.type: one.normalize() for one in sorted(found, key=lambda one: one.end - one.start)}


@pytest.mark.parametrize(("text", "kind", "value"), [
    ("明天", "date", "2026-11-19"), ("大后天", "date", "2026-11-21"), ("下周二", "date", "2026-11-24"), ("周三", "date", "2026-11-18"),
    ("上周五", "date", "2026-11-13"), ("5月3号", "date", "2026-05-03"), ("1月5日", "date", "2027-01-05"), ("明年5月1日", "date", "2027-05-01"),
    ("二十五号", "date", None), ("25号", "date", "2026-11-25"), ("月底", "date", "2026-11-30"), ("2月30日", "date", None),
    ("next Tuesday", "date", "2026-11-24"), ("last Friday", "date", "2026-11-13"), ("Friday", "date", "2026-11-20"),
    ("3 May", "date", "2026-05-03"), ("May 3rd, 2025", "date", "2025-05-03"), ("3/12/2026", "date", "2026-12-03"),
    ("12/25/2026", "date", "2026-12-25"), ("the day after tomorrow", "date", "2026-11-20"), ("I may do", "date", None),
    ("三天前", "relative_day", "2026-11-15"), ("半年前", "relative_day", "2026-05-18"), ("in two weeks", "relative_day", "2026-12-02"),
    ("a month ago", "relative_day", "2026-10-18"), ("下午三点", "time", "15:00"), ("八点半", "time", "08:30"), ("20:30", "time", "20:30"),
    ("half past nine", "time", "09:30"), ("3 p.m.", "time", "15:00"), ("12am", "time", "00:00"), ("快一点", "time", None),
    ("三点建议", "time", None), ("后天下午三点", "datetime", "2026-11-20T15:00+08:00"), ("两小时前", "datetime", "2026-11-18T08:30+08:00"),
    ("tomorrow at 3pm", "datetime", "2026-11-19T15:00+08:00"), ("8pm on Friday", "datetime", "2026-11-20T20:00+08:00"),
    ("上周", "date_range", {"from": "2026-11-09", "to": "2026-11-15"}), ("三月份", "date_range", {"from": "2026-03-01", "to": "2026-03-31"}),
    ("11月27日到30日", "date_range", {"from": "2026-11-27", "to": "2026-11-30"}), ("last month", "date_range", {"from": "2026-10-01", "to": "2026-10-31"}),
    ("27 to 30 November", "date_range", {"from": "2026-11-27", "to": "2026-11-30"}),
    ("下周二上午", "time_slot", {"from": "2026-11-24T08:00+08:00", "to": "2026-11-24T12:00+08:00"}),
    ("between 2 and 4 pm", "time_slot", {"from": "14:00", "to": "16:00"}), ("周六下午2点到4点", "time_slot", {"from": "2026-11-21T14:00+08:00", "to": "2026-11-21T16:00+08:00"}),
    ("周五之前", "deadline", "2026-11-20"), ("before Christmas", "deadline", "2026-12-25"), ("by 5pm tomorrow", "deadline", "2026-11-19T17:00+08:00"),
    ("最晚下周三", "deadline", "2026-11-25"), ("每周三", "weekday", [3]), ("weekends", "weekday", [6, 7]), ("周一到周五", "weekday", [1, 2, 3, 4, 5]),
    ("早上好", "day_part", None), ("good morning", "day_part", None), ("in the evening", "day_part", "evening"),
])  # fmt: skip
def test_an_expression_of_time_is_reckoned_from_the_moment_it_was_said(text: str, kind: str, value: object) -> None:
    assert times(text).get(kind) == value


def test_days_are_those_of_the_senders_zone() -> None:
    late = datetime(2026, 11, 18, 23, 30, tzinfo=ZoneInfo("UTC"))
    assert times("tomorrow", late)["date"] == "2026-11-19"
    assert times("tomorrow", late.astimezone(ZoneInfo("Asia/Shanghai")))["date"] == "2026-11-20"


@given(st.integers(min_value=-274, max_value=274))
def test_a_day_without_its_year_is_the_nearest_one(days: int) -> None:
    today = WEDNESDAY.date()
    wanted = today + timedelta(days=days)
    nearest = nearest_year(today, wanted.month, wanted.day)
    assert nearest is not None
    assert nearest == wanted or nearest.year == today.year


@given(st.text(alphabet="今明后天上下周月日号点半早晚三十12:/-前到之 apmtodaynextfri", max_size=25))
def test_no_text_breaks_the_grammar_of_times(text: str) -> None:
    for one in Times({name: place for place, name in enumerate(TIME_TYPES)}).find(text, WEDNESDAY):
        assert 0 <= one.start < one.end <= len(text)
        assert one.normalize() is not None
