"""Several instances of the service share a database: each message is one turn, in its order."""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from connectors.base import Means
from connectors.telegram import TelegramConnector
from conversations.model import Address, Author
from conversations.turn_model import TurnRequest, TurnResult
from tests.connectors.desk import Server, running_server
from tests.connectors.shop_bot import ShopBot
from tests.conversations.conftest import connect_again
from tests.doubles.telegram import TOKEN, TelegramDouble

SECRET = "secret-of-the-webhook_1"
HEADERS = {"x-telegram-bot-api-secret-token": SECRET, "content-type": "application/json"}
PATH = "/webhooks/telegram/shop"
ANN = Address("telegram", "shop", "42")


class CarefulBot(ShopBot):
    """Notices when it is asked about a conversation while it still answers there."""

    def __init__(self) -> None:
        super().__init__()
        self.busy: set[str] = set()
        self.interleaved = 0

    async def respond(self, request: TurnRequest) -> TurnResult:
        self.interleaved += request.conversation_id in self.busy
        self.busy.add(request.conversation_id)
        await asyncio.sleep(0)
        result = await super().respond(request)
        self.busy.discard(request.conversation_id)
        return result


@dataclass
class Workers:
    """The desks, their one bot, and Telegram."""

    servers: list[Server]
    bot: CarefulBot
    telegram: TelegramDouble

    async def push(self, update: dict[str, Any], worker: int) -> int:
        """Bring an update to one of the desks."""
        server = self.servers[worker % len(self.servers)]
        answer = await server.http.post(PATH, content=json.dumps(update), headers=HEADERS)
        return answer.status_code

    async def rows(self, query: str) -> list[Any]:
        async with self.servers[0].desk.database.read() as connection:
            return [row[0] for row in await connection.execute(text(query))]

    async def until_idle(self, deliveries: int) -> None:
        """Wait until every message is worked off and so many replies are out."""
        async with asyncio.timeout(60):
            while True:
                waiting = await self.rows("select count(*) from inbox where state <> 'done'")
                sent = await self.rows("select count(*) from outbox where state = 'sent'")
                if waiting == [0] and sent[0] >= deliveries:
                    return
                await asyncio.sleep(0.05)


@asynccontextmanager
async def workers(folder: Path, place: str, count: int) -> AsyncIterator[Workers]:
    bot, telegram = CarefulBot(), TelegramDouble()

    def made(means: Means) -> list[TelegramConnector]:
        entry = {"channel": "telegram", "account": "shop", "token": TOKEN, "secret": SECRET, "api_base": telegram.url}
        settings = TelegramConnector.Settings.model_validate(entry | {"chat_per_second": 100, "per_second": 1000})
        return [TelegramConnector(settings, means)]

    async with telegram.running(), AsyncExitStack() as stack:
        telegram.updates.person(42)
        servers = [
            await stack.enter_async_context(running_server(folder, made, bot=bot, database=connect_again(place)))
            for _ in range(count)
        ]
        yield Workers(servers, bot, telegram)


def update(number: int, words: str) -> dict[str, Any]:
    chat = {"id": 42, "type": "private", "first_name": "Ann"}
    message = {"message_id": number, "date": 1_780_000_000, "chat": chat, "from": chat | {"is_bot": False}}
    return {"update_id": number, "message": message | {"text": words}}


@pytest.mark.usefixtures("database")
async def test_the_same_update_twenty_times_at_once_on_four_workers_is_one_turn(tmp_path: Path, place: str) -> None:
    """F01: the same Telegram update 20× concurrently on 4 workers → 1 turn, 1 reply, 20×200."""
    async with workers(tmp_path, place, 4) as at:
        hello = update(1, "hello")
        assert await asyncio.gather(*(at.push(hello, worker) for worker in range(20))) == [200] * 20
        await at.until_idle(1)
        last = update(2, "bye")  # whatever the first one started besides is over before this one is answered
        assert await at.push(last, 3) == 200
        await at.until_idle(2)
        assert [turn.text for turn in at.bot.turns] == ["hello", "bye"]
        assert [one["text"] for one in at.telegram.sent] == ["you said hello", "you said bye"]
        assert await at.rows("select count(*) from turns") == [2]
        assert await at.rows("select count(*) from outbox") == [2]


@pytest.mark.usefixtures("database")
async def test_a_hundred_messages_over_eight_connections_are_answered_in_the_order_they_were_stored(
    tmp_path: Path, place: str
) -> None:
    """F04: 100 messages of one user in random order over 8 connections → commit order, replies too, no interleaving."""
    numbers = list(range(100))
    random.Random(4).shuffle(numbers)
    async with workers(tmp_path, place, 2) as at:

        async def bring(connection: int) -> None:
            limits = httpx.Limits(max_connections=1)
            url = at.servers[connection % 2].url
            async with httpx.AsyncClient(base_url=url, limits=limits, timeout=30) as http:
                for number in numbers[connection::8]:
                    body = json.dumps(update(number + 1, f"number {number}"))
                    assert (await http.post(PATH, content=body, headers=HEADERS)).status_code == 200

        await asyncio.gather(*(bring(connection) for connection in range(8)))
        await at.until_idle(100)
        transcript = await at.servers[0].desk.transcript(ANN, limit=1000)
        stored = [one.text for one in transcript if one.author is Author.CONTACT]
        assert sorted(stored) == sorted(f"number {number}" for number in numbers)
        assert [turn.text for turn in at.bot.turns] == stored
        assert [one["text"] for one in at.telegram.sent] == [f"you said {words}" for words in stored]
        assert [one.text for one in transcript if one.author is Author.BOT] == [f"you said {words}" for words in stored]
        assert at.bot.interleaved == 0
        assert await at.rows("select seq from messages order by seq") == list(range(1, 201))
