"""Settings are checked at the start, and a bad one names itself."""

from __future__ import annotations

import pytest

import settings

NEEDED = {"BOT_SECRET": "b" * 16, "ACTION_SECRET": "a" * 16, "SECRET_KEY": "k" * 32}


def test_an_account_is_for_whom_it_says_and_else_for_whom_its_channel_says() -> None:
    chosen = settings.load(
        NEEDED | {"CHANNEL_AUDIENCES": "wecom=member, wecom/internal = staff + member,rest=business"}
    )
    assert chosen.audiences_of("wecom", "shop") == ("member",)
    assert chosen.audiences_of("wecom", "internal") == ("staff", "member")
    assert chosen.audiences_of("rest", "default") == ("business",)
    assert chosen.audiences_of("webchat", "default") == ()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CHANNEL_AUDIENCES", "wecom"),
        ("CHANNEL_AUDIENCES", "wecom=Staff Only"),
        ("CHANNEL_AUDIENCES", "=staff"),
        ("TIME_ZONE", "Shanghai"),
        ("TIME_ZONE", "../etc"),
    ],
)
def test_a_bad_value_stops_the_start_and_names_itself(name: str, value: str) -> None:
    with pytest.raises(settings.BadSetting, match=name):
        settings.load(NEEDED | {name: value})
