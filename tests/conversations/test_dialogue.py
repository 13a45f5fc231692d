"""The bot is asked over HTTP exactly as agreed, and anything but a proper answer is a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from conversations.dialogue import RasaDialogue
from conversations.errors import DialogueRefused, DialogueUnavailable
from conversations.model import Citation
from conversations.turn_model import ReplyButton, Thresholds, TurnRequest

ANSWER: dict[str, Any] = {
    "replies": [
        {
            "text": "It left today.",
            "buttons": [{"title": "Thanks", "payload": "/thanks"}],
            "citations": [
                {"passage_id": "p1", "article_id": "a1", "title": "Delivery", "quote": "…", "url": "/kb/en/a1"}
            ],
            "handoff": None,
            "customer_id": "C-1",
            "proved_by": "code",
        }
    ],
    "trace": {"language": "en", "intent": "order_status", "timings_ms": {"total": 3.5}},
}
REQUEST = TurnRequest(
    "t" * 32,
    "c" * 32,
    "where is it",
    "en",
    {"en": Thresholds(0.6, 0.35, 0.5)},
    "/order_status",
    "C-1",
    ("one moment",),
    datetime(2026, 11, 18, 2, 30, tzinfo=UTC),
    ({"product": "Sprout V1", "start": 0, "end": 6},),
    ("business",),
)


def dialogue(handler: Callable[[httpx.Request], httpx.Response], *urls: str) -> RasaDialogue:
    return RasaDialogue(urls or ("http://bot",), "s3cret", transport=httpx.MockTransport(handler))


async def test_a_turn_is_asked_and_read_as_agreed() -> None:
    asked: list[httpx.Request] = []

    def bot(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json=ANSWER)

    result = await dialogue(bot).respond(REQUEST)
    assert asked[0].headers["authorization"] == "Bearer s3cret"
    assert (asked[0].method, asked[0].url.path) == ("POST", "/webhooks/turn")
    assert json.loads(asked[0].content) == {
        "turn_id": "t" * 32,
        "conversation_id": "c" * 32,
        "text": "where is it",
        "payload": "/order_status",
        "metadata": {
            "language_hint": "en",
            "customer_id": "C-1",
            "agent_said": ["one moment"],
            "sent_at": "2026-11-18T02:30:00+00:00",
            "audiences": ["business"],
            "products": [{"product": "Sprout V1", "start": 0, "end": 6}],
            "misses": 2,
            "thresholds": {"en": {"answer": 0.6, "clarify": 0.35, "retrieval": 0.5}},
        },
    }
    [reply] = result.replies
    assert (reply.text, reply.customer_id, reply.handoff) == ("It left today.", "C-1", None)
    assert reply.buttons == (ReplyButton("Thanks", "/thanks"),)
    assert reply.citations == (Citation("p1", "a1", "Delivery", "…", "/kb/en/a1"),)
    assert result.trace["intent"] == "order_status"
    timings = result.trace["timings_ms"]
    assert timings["total"] == 3.5  # the bot's own
    assert timings["call"] > 0


async def test_a_dry_run_has_an_address_of_its_own() -> None:
    """A bot that knows no dry runs answers 404 there, rather than running the turn."""
    asked: list[httpx.Request] = []

    def bot(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(200, json={"replies": [], "trace": {"would": ["cancel_order"]}})

    result = await dialogue(bot).respond(replace(REQUEST, dry_run=True))
    assert asked[0].url.path == "/webhooks/turn/dry-run"
    assert json.loads(asked[0].content)["dry_run"] is True
    assert result.trace["would"] == ["cancel_order"]
    with pytest.raises(DialogueRefused):
        await dialogue(lambda _: httpx.Response(404)).respond(replace(REQUEST, dry_run=True))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"{}",
        b'{"replies": "hi", "trace": {}}',
        b'{"replies": [], "trace": null}',
        b'{"replies": [{"text": 3}], "trace": {}}',
        b'{"replies": ["hi"], "trace": {}}',
        b'{"replies": [{"text": "x", "handoff": "because"}], "trace": {}}',
        b'{"replies": [{"text": "x", "buttons": [{"title": "no payload"}]}], "trace": {}}',
        b'{"replies": [{"text": "x", "citations": [{"title": "half"}]}], "trace": {}}',
    ],
)
async def test_an_answer_not_as_agreed_is_a_failure(body: bytes) -> None:
    with pytest.raises(DialogueUnavailable):
        await dialogue(lambda _request: httpx.Response(200, content=body)).respond(REQUEST)


async def test_a_bot_that_is_not_ready_may_be_asked_again() -> None:
    with pytest.raises(DialogueUnavailable) as caught:
        await dialogue(lambda _request: httpx.Response(503)).respond(REQUEST)
    assert not isinstance(caught.value, DialogueRefused)


async def test_a_wrong_secret_is_not_worth_asking_again() -> None:
    with pytest.raises(DialogueRefused, match="BOT_SECRET"):
        await dialogue(lambda _request: httpx.Response(401)).respond(REQUEST)


async def test_another_bot_stands_in_for_one_that_is_away() -> None:
    asked: list[str] = []

    def bots(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        if len(asked) == 1:
            raise httpx.ConnectError("refused")
        return httpx.Response(200, json=ANSWER)

    result = await dialogue(bots, "http://one", "http://two").respond(REQUEST)
    assert result.replies
    assert sorted(asked) == ["one", "two"]


async def test_a_conversation_prefers_one_bot_and_all_bots_get_work() -> None:
    asked: list[str] = []

    def bots(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.host)
        return httpx.Response(200, json=ANSWER)

    team = dialogue(bots, "http://one", "http://two", "http://three")
    for _ in range(5):
        await team.respond(REQUEST)
    assert len(set(asked)) == 1
    for n in range(60):
        await team.respond(TurnRequest("t", f"conversation {n}", "hi", None, {}))
    assert set(asked) == {"one", "two", "three"}


async def test_health_tells_each_bots_state() -> None:
    def bots(request: httpx.Request) -> httpx.Response:
        if request.url.host == "one":
            known = request.headers.get("authorization") == "Bearer s3cret"
            return httpx.Response(200, json={"status": "ok", "model_id": "m1"}) if known else httpx.Response(401)
        raise httpx.ConnectError("refused")

    asked = dialogue(bots, "http://one", "http://two")
    health = await asked.health()
    assert health == {"http://one": "ok m1", "http://two": "unreachable: ConnectError"}
    assert asked.fit(health)
    assert asked.fit({"http://two": health["http://two"]}), "messages are stored and people are helped without a bot"


async def test_a_bot_that_answers_without_the_secret_is_not_fit_to_be_asked() -> None:
    """F28: the service does not become ready while a bot serves whoever reaches it."""

    def open_to_all(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"status": "ok", "model_id": "m1"})

    asked = dialogue(open_to_all, "http://one", "http://two")
    health = await asked.health()
    assert all(state.startswith("open: ") for state in health.values())
    assert not asked.fit(health)
    assert not asked.fit({**health, "http://two": "ok m1"})
