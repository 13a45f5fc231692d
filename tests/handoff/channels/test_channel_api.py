"""Supervisors see how channel accounts do, admins try them out, and both look after what was not delivered."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from connectors.channels import Channels
from connectors.door import Door
from connectors.overview import Overview
from connectors.rest import RestConnector
from connectors.slack import SlackConnector
from conversations.channel_health import ChannelHealth
from conversations.channel_signs import Health, Sign
from conversations.dead_letters import DeadLetters
from conversations.model import Address, InboundMessage, new_id, utc_now
from conversations.tables import messages, outbox
from conversations.turn_model import Reply
from handoff.channels.channel_desk import ChannelDesk
from handoff.channels.channel_status import status_of
from handoff.roles import Role
from tests.connectors.slack_desk import app
from tests.connectors.test_channels import Box, Shelf
from tests.doubles.slack import TOKEN, Slack
from tests.handoff.desk import Browser, Desk

CHANNEL = "channels/slack/default"
NOW = utc_now()


@dataclass
class Switchboard:
    """The channels of a desk: a Slack app on loopback, and the REST API."""

    desk: Desk
    slack: Slack
    account: SlackConnector
    health: ChannelHealth
    seconds: list[float] = field(default_factory=lambda: [0.0])

    def note(self, sign: Sign, detail: str = "", code: str = "rejected") -> None:
        self.health.note("slack", "default", sign, code, detail)

    async def give_up(self, *texts: str, contact: str = "ann", state: str = "dead") -> None:
        """Messages of the bot that could not be delivered."""
        for text in texts:
            to = Address("slack", "default", contact)
            await self.desk.conversations.receive(InboundMessage(to, new_id(), "?", contact_name=contact.title()))
            await self.desk.bot_answers(Reply(text))
        async with self.desk.database.write() as connection:
            values = {"state": state, "error": "chat.postMessage: is_archived", "attempts": 2}
            await connection.execute(outbox.update().where(outbox.c.state == "pending").values(values))
            await connection.execute(messages.update().values(delivery_failed=messages.c.author == "bot"))

    async def states(self) -> list[str]:
        async with self.desk.database.read() as connection:
            return list((await connection.execute(select(outbox.c.state).order_by(outbox.c.ordinal))).scalars())


@pytest.fixture
async def board(desk: Desk) -> AsyncIterator[Switchboard]:
    async with Slack().running() as slack:
        account = app(slack)
        health = ChannelHealth(desk.database, now=desk.clock)
        channels = Channels([RestConnector(["k"]), account], Door(Box(), Shelf()), report=health.note)
        overview = Overview(channels, "https://desk.shop.example", desk.clock)
        board = Switchboard(desk, slack, account, health)
        letters = DeadLetters(desk.conversations, lambda: None)
        desk.side.channels = ChannelDesk(overview, health, letters, desk.conversations, clock=lambda: board.seconds[0])
        yield board
        await channels.close()


@pytest.fixture
async def ada(desk: Desk) -> Browser:
    return await desk.browser("Ada", Role.ADMIN)


@pytest.fixture
async def grace(desk: Desk) -> Browser:
    return await desk.browser("Grace", Role.SUPERVISOR)


async def slack_of(browser: Browser) -> dict[str, object]:
    accounts = (await browser.get("channels")).json()["accounts"]
    return next(dict(one) for one in accounts if one["channel"] == "slack")


async def test_a_supervisor_sees_every_account_with_its_address_and_how_it_does(
    board: Switchboard, grace: Browser
) -> None:
    board.note("received")
    board.note("refused", "x-slack-signature does not match")
    page = (await grace.get("channels")).json()
    assert [one["channel"] for one in page["accounts"]] == ["rest", "slack"]
    account = page["accounts"][1]
    assert account["url"] == "https://desk.shop.example/webhooks/slack/default"
    assert account["status"] == "receiving"
    assert account["health"]["received_at"]
    assert account["health"]["refusals_in_hour"] == 1
    assert account["health"]["refusal"]["text"] == "x-slack-signature does not match"
    assert TOKEN not in str(page)


async def test_channels_that_could_be_added_come_with_an_entry_and_used_ones_last(
    board: Switchboard, grace: Browser
) -> None:
    listed = (await grace.get("channels/available")).json()["channels"]
    assert listed[-1]["channel"] == "slack"
    assert listed[-1]["used"]
    [telegram] = [one for one in listed if one["channel"] == "telegram"]
    assert "token: ${TELEGRAM_TOKEN}" in telegram["snippet"]
    assert telegram["variables"] == ["TELEGRAM_TOKEN"]


async def test_a_check_confirms_the_token_or_says_what_is_wrong(board: Switchboard, ada: Browser) -> None:
    assert (await ada.post(f"{CHANNEL}/check")).json()["detail"] == "U0BOT @ T0"
    assert (await slack_of(ada))["status"] == "ready"
    board.account._api._bearer = {"authorization": "Bearer xoxb-withdrawn"}
    told = (await ada.post(f"{CHANNEL}/check")).json()
    assert (told["ok"], told["code"]) == (False, "rejected")
    assert "bot_token is wrong" in told["detail"]
    assert (await slack_of(ada))["status"] == "failing"
    assert [one["data"]["ok"] for one in await board.desk.audited("channel_checked")] == [True, False]


async def test_a_test_message_goes_out_at_once_and_is_in_no_transcript(board: Switchboard, ada: Browser) -> None:
    sent = await ada.post(f"{CHANNEL}/test", {"to": " dm:D0ANN:U0ANN ", "text": "Testing"})
    assert sent.json()["ok"]
    assert [(one.channel, one.text) for one in board.slack.said] == [("D0ANN", "Testing")]
    assert (await slack_of(ada))["health"]["sent_at"]  # type: ignore[index]
    assert (await ada.get("conversations", view="all")).json()["conversations"] == []
    [entry] = await board.desk.audited("channel_tested")
    assert entry["actor"] == f"agent:{ada.member.id}"
    assert entry["data"] == {"channel": "slack", "account": "default", "ok": True, "code": "", "to": "…ANN"}


async def test_a_recipient_that_cannot_be_reached_is_told_in_one_word_and_the_vendors(
    board: Switchboard, ada: Browser
) -> None:
    board.slack.archived.add("D0ANN")
    told = (await ada.post(f"{CHANNEL}/test", {"to": "dm:D0ANN:U0ANN", "text": "Testing"})).json()
    assert (told["ok"], told["code"]) == (False, "unreachable")
    assert "is_archived" in told["detail"]
    assert (await slack_of(ada))["status"] == "waiting"  # that contact's trouble is not the account's


async def test_trials_are_limited_for_each_account(board: Switchboard, ada: Browser) -> None:
    for _ in range(6):
        assert (await ada.post(f"{CHANNEL}/check")).status_code == 200
    refused = await ada.post(f"{CHANNEL}/test", {"to": "dm:D0ANN:U0ANN", "text": "Testing"})
    assert (refused.status_code, refused.json()["error"]["code"]) == (429, "too_many_trials")
    assert refused.headers["retry-after"] == "60"
    assert board.slack.said == []
    board.seconds[0] += 60
    assert (await ada.post(f"{CHANNEL}/check")).status_code == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("channels/pigeon/default/check", {}, 404, "not_found"),
        ("channels/pigeon/default/test", {"to": "a", "text": "b"}, 404, "not_found"),
        ("channels/rest/default/check", {}, 409, "not_checkable"),
        ("channels/rest/default/test", {"to": "a", "text": "b"}, 409, "not_sendable"),
        (f"{CHANNEL}/test", {"to": "  ", "text": "b"}, 400, "bad_request"),
        (f"{CHANNEL}/test", {"to": "a"}, 400, "bad_request"),
        ("deliveries/replay", {}, 400, "bad_request"),
        ("deliveries/replay", {"ids": ["f" * 32], "all": {"up_to": 1}}, 400, "bad_request"),
        ("deliveries/discard", {"ids": ["f" * 32]}, 400, "bad_request"),
        ("deliveries/discard", {"ids": ["f" * 32], "reason": " "}, 400, "bad_request"),
    ],
)
async def test_what_makes_no_sense_is_refused(
    board: Switchboard, ada: Browser, path: str, body: object, status: int, code: str
) -> None:
    response = await ada.post(path, body)
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


async def test_supervisors_look_but_do_not_write_to_contacts_in_the_desks_name(
    board: Switchboard, grace: Browser
) -> None:
    assert (await grace.post(f"{CHANNEL}/check")).status_code == 403
    assert (await grace.post(f"{CHANNEL}/test", {"to": "dm:D0ANN:U0ANN", "text": "hi"})).status_code == 403
    assert (await grace.get(f"{CHANNEL}/contacts")).status_code == 403
    chen = await board.desk.browser("Chen Yu")
    for path in ("channels", "channels/available", "deliveries"):
        assert (await chen.get(path)).status_code == 403
    assert board.slack.said == []


async def test_recent_contacts_of_an_account_are_offered_as_recipients(board: Switchboard, ada: Browser) -> None:
    await board.give_up("a", contact="dm:D0ANN:U0ANN")
    [offered] = (await ada.get(f"{CHANNEL}/contacts")).json()["contacts"]
    assert (offered["contact"], offered["name"]) == ("dm:D0ANN:U0ANN", "Dm:D0Ann:U0Ann")


async def test_what_was_not_delivered_is_listed_with_the_reason_and_where_it_was_said(
    board: Switchboard, grace: Browser
) -> None:
    await board.give_up("x" * 500, "b")
    page = (await grace.get("deliveries")).json()
    assert page["counts"] == [{"channel": "slack", "account": "default", "state": "dead", "number": 2}]
    newest, older = page["deliveries"]
    assert (newest["text"], older["text"]) == ("b", "x" * 160)
    assert (newest["error"], newest["attempts"], newest["contact_name"]) == ("chat.postMessage: is_archived", 2, "Ann")
    assert newest["conversation_id"] == older["conversation_id"]
    assert (await grace.get("deliveries", state="unknown")).json()["deliveries"] == []
    assert (await grace.get("deliveries", before=newest["ordinal"])).json()["deliveries"] == [older]


@pytest.mark.parametrize("query", [{"state": "sent"}, {"before": "x"}, {"before": "9" * 30}])
async def test_a_list_that_cannot_be_meant_is_refused(
    board: Switchboard, grace: Browser, query: dict[str, str]
) -> None:
    assert (await grace.get("deliveries", **query)).status_code == 400


async def test_chosen_deliveries_are_tried_again_and_the_others_stay(board: Switchboard, grace: Browser) -> None:
    await board.give_up("a", "b", "c")
    listed = (await grace.get("deliveries")).json()["deliveries"]
    done = await grace.post("deliveries/replay", {"ids": [listed[0]["id"], listed[2]["id"]]})
    assert done.json() == {"done": 2, "after": None}
    assert await board.states() == ["pending", "dead", "pending"]
    assert [one["actor"] for one in await board.desk.audited("delivery_replayed")] == [f"agent:{grace.member.id}"] * 2


async def test_all_that_fit_are_tried_again_but_none_that_came_after_the_list(
    board: Switchboard, grace: Browser
) -> None:
    await board.give_up("a", "b")
    await board.give_up("c", contact="bob", state="unknown")
    newest = (await grace.get("deliveries")).json()["deliveries"][0]["ordinal"]
    await board.give_up("later", contact="eve")
    body = {"all": {"channel": "slack", "state": "dead", "up_to": newest}}
    assert (await grace.post("deliveries/replay", body)).json()["done"] == 2
    assert await board.states() == ["pending", "pending", "unknown", "dead"]


async def test_discarded_deliveries_need_a_reason_and_do_not_come_back(board: Switchboard, grace: Browser) -> None:
    await board.give_up("a")
    [listed] = (await grace.get("deliveries")).json()["deliveries"]
    done = await grace.post("deliveries/discard", {"ids": [listed["id"]], "reason": "phoned instead"})
    assert done.json()["done"] == 1
    assert (await grace.get("deliveries")).json()["deliveries"] == []
    assert (await grace.post("deliveries/replay", {"ids": [listed["id"]]})).json()["done"] == 0
    assert await board.states() == ["dropped"]
    [entry] = await board.desk.audited("delivery_discarded")
    assert "phoned" not in str(entry)  # sealed with the contact's key


PASTED = {"webhook": "pasted", "holds_connection": False}
HOLDS = {"webhook": "none", "holds_connection": True}
READ = {"webhook": "none", "holds_connection": False}


def ago(**by: float) -> datetime:
    return NOW - timedelta(**by)


@pytest.mark.parametrize(
    ("form", "known", "expected"),
    [
        (PASTED, Health(), "waiting"),
        (PASTED, Health(fine_at=ago(days=3)), "ready"),
        (READ, Health(), "ready"),
        (PASTED, Health(received_at=ago(days=3)), "receiving"),
        (HOLDS, Health(), "connecting"),
        (HOLDS, Health(connection="connected"), "connected"),
        (HOLDS, Health(connection="broken", received_at=ago(seconds=1)), "failing"),
        (PASTED, Health(error_at=ago(hours=1), error_code="rejected"), "failing"),
        (PASTED, Health(error_at=ago(hours=1), error_code="rejected", sent_at=ago(minutes=5)), "waiting"),
        (PASTED, Health(error_at=ago(hours=1), error_code="rejected", fine_at=ago(minutes=5)), "ready"),
        (PASTED, Health(error_at=ago(hours=25), error_code="rejected"), "waiting"),
        (PASTED, Health(error_at=ago(hours=1), error_code="unreachable"), "waiting"),
        (HOLDS, Health(connection="connected", fine_at=ago(hours=2), error_at=ago(hours=1)), "failing"),
    ],
)
def test_an_account_is_described_in_one_word(form: dict[str, object], known: Health, expected: str) -> None:
    assert status_of(form, known, NOW) == expected


def test_another_secret_shows_unless_genuine_messages_keep_coming() -> None:
    refused = Health().after("refused", ago(minutes=20))
    assert status_of(PASTED, refused, NOW) == "refusing"
    assert status_of(PASTED, refused.after("received", ago(minutes=1)), NOW) == "receiving"
    strangers = Health().after("received", ago(minutes=5)).after("refused", ago(minutes=1))
    assert status_of(PASTED, strangers, NOW) == "receiving"
    silent = Health().after("received", ago(hours=5)).after("refused", ago(minutes=1))
    assert status_of(PASTED, silent, NOW) == "refusing"
    assert status_of(PASTED, silent, NOW + timedelta(hours=2)) == "receiving"
