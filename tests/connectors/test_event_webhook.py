"""Events that are posted to a program are signed, and count as taken only when it says so."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest
from standardwebhooks.webhooks import Webhook

from connectors.event_webhook import EventWebhook
from conversations.errors import ChannelUnavailable
from tests.doubles.vendor_server import Answer, Call, serving
from tests.doubles.webhook_program import FROM_DESK

EVENTS = [{"version": 1, "id": number, "type": "turn", "data": {"intent": "退货"}} for number in (7, 9)]


@pytest.fixture
async def program() -> AsyncIterator[tuple[EventWebhook, list[Call], list[Answer]]]:
    """A program of a data team beside the desk, what it got, and what it will answer."""
    calls: list[Call] = []
    answers: list[Answer] = []

    async def handle(call: Call) -> Answer:
        calls.append(call)
        return answers.pop(0) if answers else Answer(status=204)

    async with serving(handle) as base:
        webhook = EventWebhook(f"{base}/events?key=hidden", FROM_DESK)
        yield webhook, calls, answers
        await webhook.close()


async def test_a_batch_is_signed_as_standard_webhooks_and_named_by_its_events(
    program: tuple[EventWebhook, list[Call], list[Answer]],
) -> None:
    webhook, calls, _ = program
    await webhook.send(EVENTS)
    [call] = calls
    assert Webhook(FROM_DESK).verify(call.body, {name.lower(): value for name, value in call.headers.items()})
    assert json.loads(call.body) == {"events": EVENTS}
    assert call.headers["webhook-id"] == "events_7_9", "the same batch again has the same id"
    assert "hidden" not in webhook.target


@pytest.mark.parametrize("status", [301, 400, 404, 429, 500, 503])
async def test_anything_but_success_means_that_the_events_are_sent_again(
    program: tuple[EventWebhook, list[Call], list[Answer]], status: int
) -> None:
    webhook, calls, answers = program
    answers.append(Answer(status=status))
    with pytest.raises(ChannelUnavailable, match=f"HTTP {status}"):
        await webhook.send(EVENTS)
    await webhook.send(EVENTS)
    assert len(calls) == 2


async def test_a_program_that_is_away_is_told_apart_from_a_wrong_address() -> None:
    webhook = EventWebhook("http://127.0.0.1:9/events", FROM_DESK)
    with pytest.raises(ChannelUnavailable, match="no answer"):
        await webhook.send(EVENTS)
    await webhook.close()


@pytest.mark.parametrize(
    ("url", "secret", "says"),
    [
        ("http://data.example/events", FROM_DESK, "EXPORT_URL: it must begin with https://"),
        ("https://ann:word@data.example/", FROM_DESK, "EXPORT_URL: it must not hold a user name"),
        ("https://data.example/events", "", "EXPORT_SECRET"),
        ("https://data.example/events", "whsec_c2hvcnQ=", "EXPORT_SECRET"),
    ],
)
def test_what_cannot_work_is_refused_at_the_start(url: str, secret: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        EventWebhook(url, secret)
