"""Alerts of a desk: what rose opens one that says why, goes out signed, is acknowledged, and closes when it is over."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from connectors.signed_posts import SignedPosts
from conversations.model import Agent
from conversations.store import Database
from reporting.alert_forms import FIGURES
from reporting.alert_rules import AlertRules, Rule
from reporting.alert_store import AlertStore
from reporting.alerts import AlertError
from reporting.anomalies import Kind
from reporting.catalogue import METRICS
from reporting.posting import NotTaken
from tests.doubles.vendor_server import Answer
from tests.doubles.webhook_program import FROM_DESK, Program
from tests.reporting.alert_builders import AlertDesk

AT = datetime(2026, 6, 3, 6, tzinfo=UTC)  # 14:00 in Shanghai
GRACE = Agent("grace", "Grace")
KEY = base64.b64decode(FROM_DESK.removeprefix("whsec_"))


def kinds(desk: AlertDesk) -> list[tuple[str, str]]:
    return [(one["change"], one["alert"]["kind"]) for one in desk.told]


async def test_what_rose_is_told_with_what_it_was_before_and_where(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    rising = await desk.turns(AT, 40, channel="wechat")
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "intent")]
    (alert,) = await desk.alerts.listed("open")
    assert (alert["key"], alert["span"], alert["part"], alert["windows"]) == ("refund", "hour", 40, 6)
    assert [(one["span"], one["part"]) for one in alert["stands_out"]] == [("hour", 40), ("day", 40)]
    assert alert["usual"] == pytest.approx(3, abs=0.2)
    assert alert["since"] == (AT - timedelta(hours=1)).isoformat()
    assert {"dimension": "channel", "value": "wechat", "now": 40, "usual": 0.0} in alert["contributions"]
    assert len(alert["examples"]) == 5
    assert set(alert["examples"]) <= set(rising)
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "intent")], "one alert, however often it is looked"


async def test_a_week_as_usual_tells_nothing(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 5)
    assert await desk.alerts.look() == []


async def test_it_closes_once_it_has_been_over_for_a_while(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.look()
    desk.at = AT + timedelta(hours=12)  # after midnight
    await desk.alerts.look()
    assert ("closed", "intent") not in kinds(desk)
    desk.at += timedelta(hours=1)
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "intent"), ("closed", "intent")]
    (alert,) = await desk.alerts.listed("closed")
    assert [one["span"] for one in alert["stands_out"]] == ["hour", "day"], "it tells where it stood out last"


async def test_over_within_the_hour_it_goes_on_for_the_day_as_the_same_alert(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.look()
    desk.at = AT + timedelta(hours=2)
    await desk.alerts.look()
    (alert,) = await desk.alerts.listed("open")
    assert (alert["span"], [one["span"] for one in alert["stands_out"]]) == ("day", ["day"])
    await desk.turns(desk.at, 40)
    await desk.alerts.look()
    (again,) = await desk.alerts.listed("open")
    assert again["id"] == alert["id"]
    assert [(one["span"], one["part"]) for one in again["stands_out"]] == [("hour", 40), ("day", 80)]
    assert kinds(desk) == [("opened", "intent")]


async def test_what_rises_over_the_day_only_is_an_alert_of_the_day(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.opened(6)
    for week in range(1, 7):
        for hour in range(6):
            await desk.turns(AT - timedelta(weeks=week, hours=hour), 2)
    for hour in range(6):
        await desk.turns(AT - timedelta(hours=hour), 7)
    await desk.alerts.look()
    (alert,) = await desk.alerts.listed("open")
    assert [(one["span"], one["part"]) for one in alert["stands_out"]] == [("day", 42)]


async def test_turns_in_which_something_failed_rise_by_themselves(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks(each=20)
    broken = await desk.turns(AT, 16, failed=True)
    await desk.turns(AT, 8)
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "failed_actions")]
    (alert,) = await desk.alerts.listed("open")
    assert (alert["part"], alert["whole"]) == (16, 0)
    assert {"dimension": "intent", "value": "refund", "now": 16, "usual": 0.0} in alert["contributions"]
    assert set(alert["examples"]) <= set(broken)


@pytest.mark.parametrize(
    ("turns", "address"),
    [
        ({"count": 40}, "period=own&since=2026-06-03&until=2026-06-03&intent=refund&see=turns"),
        ({"count": 20, "missed": True}, "period=own&since=2026-06-03&until=2026-06-03&see=miss_rate"),
        ({"count": 20, "failed": True}, "period=own&since=2026-06-03&until=2026-06-03&see=failed_actions"),
    ],
)
async def test_it_leads_to_the_figure_that_counts_what_rose(
    database: Database, turns: dict[str, Any], address: str
) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks(each=3 if turns["count"] == 40 else 20)
    await desk.turns(AT, **turns)
    await desk.alerts.look()
    (alert,) = await desk.alerts.listed("open")
    assert alert["report"] == address


async def test_what_no_report_counts_leads_to_none(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.opened(6)
    for _ in range(15):
        await desk.alerts.sign_in_failed()
    desk.at += timedelta(minutes=5)
    await desk.alerts.look()
    assert [one["report"] for one in await desk.alerts.listed("open")] == [None]


def test_every_kind_is_counted_by_a_figure_of_the_catalogue_or_by_none() -> None:
    assert set(FIGURES.values()) <= set(METRICS)
    assert set(Kind) - set(FIGURES) == {Kind.NEGATIVE, Kind.SIGN_INS}


async def test_more_misses_are_told_apart_from_more_questions(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks(each=20)
    await desk.turns(AT, 20, missed=True)
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "misses")]


async def test_refused_sign_ins_are_counted_and_tell_whose_to_nobody(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.opened(6)
    for _ in range(15):
        await desk.alerts.sign_in_failed()
    desk.at += timedelta(minutes=5)
    await desk.alerts.look()
    assert kinds(desk) == [("opened", "sign_ins")]
    assert desk.told[0]["alert"]["contributions"] == []


async def test_somebody_looks_after_it_and_what_was_expected_stays_quiet_for_a_day(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.look()
    for one in await desk.alerts.listed("open"):
        await desk.alerts.acknowledge(one["id"], GRACE, "a sale", expected=False)
        closed = await desk.alerts.acknowledge(one["id"], GRACE, "a sale", expected=True)
        assert (closed["state"], closed["by_name"], closed["note"]) == ("closed", "Grace", "a sale")
        with pytest.raises(AlertError):
            await desk.alerts.acknowledge(one["id"], GRACE, "", expected=False)
    desk.told.clear()
    await desk.alerts.look()
    assert desk.told == []


async def test_a_kind_that_is_off_tells_nothing(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.save_rules(AlertRules(0, {kind: Rule(kind is not Kind.INTENT) for kind in Kind}), GRACE)
    assert await desk.alerts.look() == []
    with pytest.raises(AlertError):  # over a revision that is not the last one any more
        await desk.alerts.save_rules(AlertRules(0), GRACE)


async def test_it_is_posted_signed_again_until_taken_and_given_up_after_a_day(database: Database) -> None:
    desk_key = SignedPosts(KEY, NotTaken, private=True, clock=lambda: datetime.now(UTC).timestamp())
    desk = AlertDesk(database, AT, desk_key)
    program = Program()
    async with program.running():
        await desk.alerts.save_rules(AlertRules(webhook=program.url), GRACE)
        await desk.usual_weeks()
        await desk.turns(AT, 40)
        await desk.alerts.look()
        program.answers = [Answer(status=500)]
        assert await desk.alerts.posting.go_on() == 0
        assert await desk.alerts.posting.go_on() == 0, "not before its pause is over"
        desk.at += timedelta(minutes=1)
        assert await desk.alerts.posting.go_on() == 1
        assert (program.forged, program.repeats) == (0, 0)
        assert {call.headers["user-agent"] for call in program.calls} == {"frontdesk-alerts"}
        got = program.got
        assert [(one["type"], one["alert"]["key"]) for one in got] == [("alert.opened", "refund")]
        assert got[0]["link"] == f"https://desk.example/staff/#/reports?{got[0]['alert']['report']}"
        desk.at += timedelta(hours=11)
        await desk.alerts.look()
        desk.at += timedelta(hours=1)
        await desk.alerts.look()
        program.answers = [Answer(status=500) for _ in range(200)]
        for _ in range(60):
            await desk.alerts.posting.go_on()
            desk.at += timedelta(minutes=61)
    states = {one["id"].rpartition("_")[2]: one["state"] for one in await desk.alerts.posts()}
    assert states["open"] == "sent"
    assert states["closed"] == "dead"
    await desk_key.close()


async def test_in_quiet_hours_it_is_listed_and_not_posted(database: Database) -> None:
    sender = SignedPosts(KEY, NotTaken, private=True)
    desk = AlertDesk(database, AT, sender)
    rules = AlertRules(quiet_from="13:00", quiet_until="15:00", webhook="http://127.0.0.1:9/x")
    await desk.alerts.save_rules(rules, GRACE)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.look()
    assert all(one["quiet"] for one in desk.told)
    assert await desk.alerts.posts() == []
    assert await desk.alerts.listed("open")
    await sender.close()


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "https://127.0.0.1/x", "https://user:word@example.com", "x", "https://example.com:22/"],
)
async def test_addresses_inside_and_without_tls_are_refused(database: Database, url: str) -> None:
    sender = SignedPosts(KEY, NotTaken)
    with pytest.raises(AlertError, match="webhook"):
        await AlertDesk(database, AT, sender).alerts.save_rules(AlertRules(webhook=url), GRACE)
    await sender.close()


async def test_an_alert_holds_no_words_of_anybody(database: Database) -> None:
    desk = AlertDesk(database, AT)
    await desk.usual_weeks()
    await desk.turns(AT, 40)
    await desk.alerts.look()
    async with database.read() as connection:
        rows = [dict(row) for row in await AlertStore(connection).listed(None)]
    text = json.dumps(rows, default=str)
    assert "refund" in text
    assert not {"text", "contact", "name", "email", "ip"} & set(rows[0])
