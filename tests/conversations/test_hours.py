"""Business hours are read from a line of text and answered in the desk's time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conversations.hours import BusinessHours, Holiday
from conversations.notices import closed

SHOP = BusinessHours.parse("Mon-Sun 09:00-21:00 Asia/Shanghai")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def test_always_is_always() -> None:
    hours = BusinessHours.parse("always")
    assert hours.is_open(at("2026-03-01T03:00"))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [("2026-03-02T01:00", True), ("2026-03-02T00:59", False), ("2026-03-02T12:59", True), ("2026-03-02T13:00", False)],
)
def test_hours_are_local(moment: str, is_open: bool) -> None:
    assert SHOP.is_open(at(moment)) is is_open


def test_the_next_opening_is_today_tomorrow_or_after_the_weekend() -> None:
    assert SHOP.opens_at(at("2026-03-01T22:00")).isoformat() == "2026-03-02T09:00:00+08:00"
    assert SHOP.opens_at(at("2026-03-02T14:00")).isoformat() == "2026-03-03T09:00:00+08:00"
    office = BusinessHours.parse("Mon-Fri 09:00-18:00, Sat 10:00-14:00 Europe/London")
    assert office.opens_at(at("2026-03-07T15:00")).isoformat() == "2026-03-09T09:00:00+00:00"
    assert office.is_open(at("2026-03-07T10:30"))


def test_hours_past_midnight_belong_to_both_days() -> None:
    night = BusinessHours.parse("Fri 22:00-02:00 UTC")
    assert night.is_open(at("2026-03-06T23:00"))
    assert night.is_open(at("2026-03-07T01:59"))
    assert not night.is_open(at("2026-03-07T02:00"))
    assert not night.is_open(at("2026-03-06T01:00"))


@pytest.mark.parametrize(
    "text", ["", "Mon-Sun 09:00-21:00", "Mon-Sun 9-21 Asia/Shanghai", "Funday 09:00-10:00 UTC", "25:00-26:00 UTC"]
)
def test_nonsense_is_refused_with_a_reason(text: str) -> None:
    with pytest.raises(ValueError, match=r"\w+"):
        BusinessHours.parse(text)


def test_the_promise_names_the_hour_in_the_desks_time() -> None:
    now = at("2026-03-02T14:00")
    assert "TK100001" in closed("queued", "zh", SHOP.opens_at(now), now, "TK100001")
    assert "明天 09:00" in closed("queued", "zh", SHOP.opens_at(now), now, None)
    assert "after 09:00 tomorrow" in closed("queued", "en", SHOP.opens_at(now), now, None)


GOLDEN_WEEK = Holiday.parse("2026-10-01", "2026-10-07", name="国庆节")
NEW_YEAR = Holiday.parse("2026-12-31", "2027-01-02")
SHORT_EVE = Holiday.parse("2026-12-24", hours="10:00-14:00")


def office(*holidays: Holiday, spans: str = "Mon-Fri 09:00-18:00", zone: str = "Asia/Shanghai") -> BusinessHours:
    return BusinessHours.of(spans, zone, holidays)


def test_nobody_works_on_a_holiday_and_the_promise_skips_all_of_it() -> None:
    hours = office(GOLDEN_WEEK)
    assert not hours.is_open(at("2026-10-01T02:00"))  # Thursday, 10:00 there
    assert hours.is_open(at("2026-09-30T02:00"))
    opens = hours.opens_at(at("2026-09-30T11:00"))
    assert opens is not None
    assert opens.isoformat() == "2026-10-08T09:00:00+08:00"


def test_a_holiday_may_have_hours_of_its_own_even_on_a_closed_day() -> None:
    hours = office(SHORT_EVE, Holiday.parse("2026-12-26", hours="11:00-12:00"))
    assert hours.is_open(at("2026-12-24T02:00"))
    assert not hours.is_open(at("2026-12-24T06:00"))  # 14:00: the short day is over
    assert hours.is_open(at("2026-12-26T03:30"))  # a Saturday


def test_a_holiday_over_the_end_of_the_year_ends_in_the_next_one() -> None:
    hours = office(NEW_YEAR)
    for moment in ("2026-12-31T03:00", "2027-01-01T03:00", "2027-01-02T03:00"):
        opens = hours.opens_at(at(moment))
        assert opens is not None
        assert opens.isoformat() == "2027-01-04T09:00:00+08:00"  # the Monday after


def test_a_holiday_is_a_day_of_the_teams_own_time_zone() -> None:
    day = Holiday.parse("2026-07-04")
    spans = "Mon-Sun 00:00-24:00"
    west, east = office(day, spans=spans, zone="America/Los_Angeles"), office(day, spans=spans, zone="Asia/Tokyo")
    moment = at("2026-07-04T20:00")  # the 4th in Los Angeles, already the 5th in Tokyo
    assert (west.is_open(moment), east.is_open(moment)) == (False, True)


def test_clocks_that_are_put_forward_or_back_move_the_opening_with_them() -> None:
    london = office(zone="Europe/London", spans="Mon-Sun 09:00-17:00")
    before, after = london.opens_at(at("2026-03-28T20:00")), london.opens_at(at("2026-03-29T20:00"))
    assert before is not None
    assert after is not None
    assert before.astimezone(UTC) == at("2026-03-29T08:00")  # summer time began in the night: an hour earlier in UTC
    assert london.opens_at(at("2026-10-24T20:00")).astimezone(UTC) == at("2026-10-25T09:00")  # type: ignore[union-attr]


def test_an_opening_hour_that_the_clocks_skip_is_met_when_they_have_skipped_it() -> None:
    night = office(zone="Europe/London", spans="Sun 01:30-05:00")  # 01:00 to 02:00 does not exist on 29 March
    now = at("2026-03-28T20:00")
    opens = night.opens_at(now)
    assert opens is not None
    assert night.is_open(opens)
    assert opens > now


def test_an_hour_that_comes_twice_is_open_twice() -> None:
    night = office(zone="Europe/London", spans="Sun 01:15-01:45")
    assert night.is_open(at("2026-10-25T00:30"))
    assert night.is_open(at("2026-10-25T01:30"))
    opens = night.opens_at(at("2026-10-25T00:50"))  # between the two
    assert opens is not None
    assert opens.astimezone(UTC) > at("2026-10-25T00:50")


def test_holidays_that_cover_everything_promise_no_day() -> None:
    closed_for_good = office(*(Holiday.parse(f"{year}-01-01", f"{year}-12-31") for year in range(2026, 2030)))
    assert closed_for_good.opens_at(at("2026-06-01T03:00")) is None
    assert "someone will reply" in closed("queued", "en", None, at("2026-06-01T03:00"), None)


def test_who_starts_in_an_hour_that_the_clocks_skip_starts_when_they_are_put_forward() -> None:
    hours = office(spans="Sun 01:30-02:30", zone="Europe/London")
    assert hours.opens_at(at("2025-03-24T00:00")) == at("2025-03-30T01:00")
    swallowed = office(spans="Sun 01:10-01:50", zone="Europe/London")
    assert swallowed.opens_at(at("2025-03-24T00:00")) == at("2025-04-06T00:10")


@settings(deadline=None)
@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 12, 31)),  # noqa: DTZ001  (made aware below)
    st.sampled_from(["Asia/Shanghai", "Europe/London", "America/New_York", "Australia/Lord_Howe", "UTC"]),
    st.sampled_from(["Mon-Fri 09:00-18:00", "Sat 22:00-03:00", "Sun 01:30-02:30", "always", "Mon 00:00-24:00"]),
    st.lists(st.tuples(st.integers(0, 2000), st.integers(0, 20), st.sampled_from(["", "10:00-11:00"])), max_size=6),
)
def test_the_next_opening_is_open_and_nothing_before_it_is(
    moment: datetime, zone: str, spans: str, days: list[tuple[int, int, str]]
) -> None:
    first = date(2025, 1, 1)
    holidays = [
        Holiday(first + timedelta(days=a), first + timedelta(days=a + b), ((600, 660),) if hours else ())
        for a, b, hours in days
    ]
    hours, now = office(*holidays, spans=spans, zone=zone), moment.replace(tzinfo=UTC)
    opens = hours.opens_at(now)
    assert opens is not None
    assert hours.is_open(opens)
    assert opens >= now
    if hours.is_open(now):
        assert opens == now
    else:
        step = (opens - now) / 50
        assert not any(hours.is_open(now + step * n) for n in range(50))


@pytest.mark.parametrize(
    ("first", "last", "hours", "reason"),
    [
        ("2026-13-01", "", "", "not a date"),
        ("2026-05-02", "2026-05-01", "", "ends before"),
        ("2026-05-01", "2028-05-01", "", "longer than a year"),
        ("2026-05-01", "", "Mon 10:00-12:00", "hours of one day"),
        ("2026-05-01", "", "ten to four", "cannot read"),
    ],
)
def test_a_nonsense_holiday_is_refused_with_a_reason(first: str, last: str, hours: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Holiday.parse(first, last, hours)
