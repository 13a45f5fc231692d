"""Contacts see that somebody writes to them, and nothing waits for that."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, ClassVar

import pytest

from connectors.base import Arrival, BadSignature, Connector, WebhookRequest
from connectors.typing_signs import TypingSigns
from conversations.errors import ChannelUnavailable
from conversations.hub import LocalHub
from conversations.model import Address, InboundMessage, OutboundMessage
from conversations.turn_model import Reply, TurnRequest, TurnResult
from tests.connectors.desk import AGENT, running_server
from tests.connectors.meta_desk import number, page
from tests.connectors.slack_desk import app
from tests.connectors.test_telegram import connector as telegram
from tests.connectors.wechat_desk import until
from tests.doubles.messenger import Messenger
from tests.doubles.slack import Slack
from tests.doubles.whatsapp import ANN as PHONE
from tests.doubles.whatsapp import Whatsapp

ANN = Address("pigeon", "default", "ann")
SAID = {"type": "message", "message": {"author": "bot"}}


class Pigeon(Connector):
    """A channel that shows when somebody writes."""

    channel = "pigeon"
    typing_lasts: ClassVar[float] = 0.3

    def __init__(self) -> None:
        super().__init__()
        self.signs: list[str] = []
        self.trouble: Exception | None = None
        self.hangs = False
        self.sent: list[str] = []

    def verify(self, request: WebhookRequest) -> None:
        raise BadSignature("no")

    def parse(self, request: WebhookRequest) -> list[Arrival]:
        return []

    async def send(self, to: str, message: OutboundMessage) -> str:
        self.sent.append(message.text)
        return "1"

    async def show_typing(self, contact: str) -> None:
        self.signs.append(contact)
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble


@asynccontextmanager
async def signs(pigeon: Connector, bot_seconds: float = 0.1) -> AsyncIterator[tuple[TypingSigns, LocalHub]]:
    hub = LocalHub()
    signs = TypingSigns([pigeon], hub, bot_seconds=bot_seconds)
    yield signs, hub
    await signs.close()
    await hub.close()


async def test_a_quick_answer_needs_no_sign() -> None:
    pigeon = Pigeon()
    async with signs(pigeon, 0.2) as (typing, hub):
        typing.note(ANN, "bot")
        await asyncio.sleep(0.02)
        await hub.publish(f"contact:{ANN}", {"type": "message", "message": {"author": "contact"}})
        await hub.publish(f"contact:{ANN}", SAID)
        await asyncio.sleep(0.4)
        assert pigeon.signs == []


async def test_a_bot_that_works_long_shows_it_again_before_the_sign_fades_until_it_has_answered() -> None:
    pigeon = Pigeon()
    async with signs(pigeon) as (typing, hub):
        typing.note(ANN, "bot")
        await until(lambda: len(pigeon.signs) >= 3)
        await hub.publish(f"contact:{ANN}", SAID)
        await asyncio.sleep(0.02)
        shown = len(pigeon.signs)
        await asyncio.sleep(0.7)
        assert len(pigeon.signs) == shown


async def test_an_agent_who_types_on_and_on_shows_it_no_more_often_than_it_fades() -> None:
    pigeon = Pigeon()
    async with signs(pigeon) as (typing, _):
        for _ in range(20):
            typing.note(ANN, "agent")
            await asyncio.sleep(0.001)
        assert pigeon.signs == ["ann"]
        await asyncio.sleep(pigeon.typing_lasts)
        typing.note(ANN, "agent")
        await until(lambda: pigeon.signs == ["ann"] * 2)


@pytest.mark.parametrize("trouble", [ChannelUnavailable("down"), ValueError("a mistake")])
async def test_failures_are_counted_and_change_nothing_else(trouble: Exception) -> None:
    pigeon = Pigeon()
    pigeon.trouble = trouble
    async with signs(pigeon) as (typing, _):
        typing.note(ANN, "agent")
        await until(lambda: typing.failures["pigeon"] == 1)
        await asyncio.sleep(pigeon.typing_lasts)
        typing.note(ANN, "agent")
        await until(lambda: typing.failures["pigeon"] == 2)


async def test_only_so_many_signs_are_under_way_and_unknown_channels_have_none() -> None:
    pigeon = Pigeon()
    pigeon.hangs = True
    async with signs(pigeon) as (typing, _):
        typing.note(Address("sms", "default", "ann"), "agent")
        for contact in range(200):
            typing.note(Address("pigeon", "default", str(contact)), "agent")
        await until(lambda: pigeon.signs)
        await asyncio.sleep(0.05)
        assert len(pigeon.signs) == 64


def test_channels_without_such_a_sign_are_asked_nothing() -> None:
    typing = TypingSigns([app(Slack())], LocalHub())
    typing.note(Address("slack", "default", "dm:D0ANN:U0ANN"), "agent")  # would need a running loop


class SlowBot:
    """Answers when it is told to."""

    def __init__(self) -> None:
        self.gate = asyncio.Event()

    async def respond(self, request: TurnRequest) -> TurnResult:
        await self.gate.wait()
        person = "asked_for_person" if "person" in request.text else None
        return TurnResult((Reply("done", handoff=person),), {"language": "en"})


async def test_the_desk_shows_when_its_bot_is_slow_and_when_an_agent_types_and_a_hanging_sign_holds_up_no_reply(
    tmp_path: Path,
) -> None:
    pigeon, bot = Pigeon(), SlowBot()
    pigeon.hangs = True
    async with running_server(tmp_path, [pigeon], bot=bot) as server:
        message = InboundMessage(ANN, "1", "a person please")
        await server.desk.receive(message)
        await until(lambda: pigeon.signs == ["ann"])
        bot.gate.set()
        await until(lambda: "done" in pigeon.sent)
        pigeon.hangs = False
        conversation = await server.desk.find_current(message.address)
        assert conversation is not None
        await server.desk.assign(conversation.id, AGENT)
        await until(lambda: not server.typing._tasks)
        await server.desk.agent_typing(conversation.id, AGENT)
        await until(lambda: pigeon.signs == ["ann"] * 2)


async def test_each_channel_calls_its_own_sign() -> None:
    async with Whatsapp().running() as whatsapp, Messenger().running() as messenger:
        one = number(whatsapp)
        await one.show_typing(PHONE)
        assert whatsapp.reads == []  # its sign hangs on a message, and none is known
        body: Any = whatsapp.webhook(whatsapp.message("hello"))

        async def store() -> None:
            return None

        raw = json.dumps(body).encode()
        await one.acknowledge(WebhookRequest("POST", {}, {}, raw), store)
        await until(lambda: len(whatsapp.reads) == 1)
        await one.show_typing(PHONE)
        assert [read["typing_indicator"] for read in whatsapp.reads] == [{"type": "text"}] * 2
        await number(whatsapp, show_typing=False).show_typing(PHONE)
        two = page(messenger)
        await two.show_typing("1")
        assert messenger.actions == [("1", "typing_on")]
        await two.show_typing("nobody of theirs")
        await telegram().show_typing("nobody of theirs")
        assert len(messenger.actions) == 1
        await one.close()
        await two.close()
