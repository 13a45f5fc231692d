"""Business hours are read from a line of text and answered in the desk's time zone."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from conversations.hours import BusinessHours
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
