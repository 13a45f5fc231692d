"""In a thread of a channel whoever called the app goes on without calling it again, and nobody else is overheard."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.base import WebhookRequest
from conversations.model import Address, Author
from tests.connectors.desk import AGENT, Server
from tests.connectors.slack_desk import PATH, app, desk_with_app
from tests.doubles.slack import BOT_USER, Slack


@pytest.fixture
async def double() -> AsyncIterator[Slack]:
    async with Slack().running() as double:
        yield double


def message(double: Slack, text: str, thread: str | None, *, user: str = "U0ANN", **more: Any) -> dict[str, Any]:
    """What ``message.channels`` brings: everything that is said in a channel the app is in."""
    where = {} if thread is None else {"thread_ts": thread}
    event = double.event(user=user, channel="C0SHOP", type="message", channel_type="channel", **(where | more))
    event["event"]["text"] = text
    return event


async def heard(server: Server, thread: str, user: str = "U0ANN") -> list[str]:
    transcript = await server.desk.transcript(Address("slack", "default", f"thread:C0SHOP:{thread}:{user}"))
    return [one.text for one in transcript if one.author is Author.CONTACT]


async def test_the_one_who_mentioned_the_app_goes_on_in_the_thread_without_a_mention(
    double: Slack, tmp_path: Path
) -> None:
    async with desk_with_app(tmp_path, double) as server:
        url = server.url + PATH
        mention = double.event("How do I return?", channel="C0SHOP")
        thread = mention["event"]["ts"]
        await double.post(url, mention)
        await double.until(lambda: len(double.said) == 1)
        await double.post(url, message(double, "And what does it cost?", thread))
        await double.until(lambda: len(double.said) == 2)
        assert double.said[1].thread == thread
        await double.post(url, message(double, "I know that one", thread, user="U0BOB"))  # a colleague
        await double.post(url, message(double, "lunch?", None))
        await double.post(url, message(double, "lunch?", "1700000000.000001"))
        assert await heard(server, thread) == ["How do I return?", "And what does it cost?"]
        assert await heard(server, thread, "U0BOB") == []
        assert len(double.said) == 2


async def test_a_mention_in_the_thread_comes_twice_and_is_heard_once(double: Slack, tmp_path: Path) -> None:
    async with desk_with_app(tmp_path, double) as server:
        url = server.url + PATH
        mention = double.event("How do I return?", channel="C0SHOP")
        thread = mention["event"]["ts"]
        await double.post(url, mention)
        again = double.event("a person please", channel="C0SHOP", thread_ts=thread)
        same = message(double, f"<@{BOT_USER}|shop> a person please", thread, ts=again["event"]["ts"])
        for event in (same, again, same, again):
            assert (await double.post(url, event)).status_code == 200
        unsigned = same | {"authorizations": []}  # Slack does not say who we are: better silent than twice
        await double.post(url, unsigned)
        assert await heard(server, thread) == ["How do I return?", "a person please"]
        bob = message(double, "<@U0BOT2> what do you think?", thread)  # somebody else's id begins like ours
        await double.post(url, bob)
        assert (await heard(server, thread))[-1] == "@U0BOT2 what do you think?"


async def test_an_agent_hears_what_follows_and_after_the_end_the_thread_is_the_peoples(
    double: Slack, tmp_path: Path
) -> None:
    async with desk_with_app(tmp_path, double) as server:
        url = server.url + PATH
        mention = double.event("a person please", channel="C0SHOP")
        thread = mention["event"]["ts"]
        await double.post(url, mention)
        conversation = await server.desk.find_current(Address("slack", "default", f"thread:C0SHOP:{thread}:U0ANN"))
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        await double.post(url, message(double, "it is about my order", thread))
        assert (await heard(server, thread))[-1] == "it is about my order"
        await server.desk.resolve(conversation.id, AGENT)
        await double.post(url, message(double, "thank you", thread))  # within a quarter of an hour
        assert (await heard(server, thread))[-1] == "thank you"
        current = await server.desk.find_current(conversation.address)
        assert current is not None
        if current.resolved_at is None:
            await server.desk.resolve(current.id, AGENT)
        later = server.desk.now
        server.desk.now = lambda: later() + timedelta(minutes=16)
        await double.post(url, message(double, "shall we have lunch?", thread))
        assert "shall we have lunch?" not in await heard(server, thread)


def test_a_thread_of_a_direct_message_is_no_thread_of_a_channel(double: Slack) -> None:
    event = double.event("hello", thread_ts="1700000000.000001")
    raw = json.dumps(event).encode()
    [arrival] = app(double).parse(WebhookRequest("POST", {}, {}, raw))
    assert not arrival.follows
