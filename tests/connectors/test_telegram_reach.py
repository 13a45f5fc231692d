"""What Telegram says of a contact, and what becomes of it: waiting, trying again, giving up and marking the contact."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from connectors.telegram import TelegramConnector
from conversations.contact_model import ReachedAt
from conversations.model import Author
from conversations.outbox import Outbox
from conversations.store import Database
from conversations.tables import outbox as table
from tests.connectors.test_channels import MEANS
from tests.conversations.builders import Clock, TestDesk, says, until
from tests.doubles.telegram import TOKEN, Refused, TelegramDouble


@dataclass
class Scene:
    """Telegram, and a desk whose clock the test moves."""

    telegram: TelegramDouble
    desk: TestDesk

    async def bot_says(self, words: str, contact: str) -> str:
        conversation_id = (await self.desk.send("?", contact)).conversation_id
        await self.desk.answer(says(words))
        return conversation_id

    async def delivery(self, contact: str) -> tuple[str, str | None]:
        """State and error of the newest delivery to a contact."""
        query = select(table.c.state, table.c.error).where(table.c.contact == contact).order_by(table.c.ordinal.desc())
        async with self.desk.database.read() as connection:
            row: Any = (await connection.execute(query)).first()
            return row.state, row.error

    async def until_delivery(self, contact: str, state: str, error: str = "", *, advance: float = 0.0) -> None:
        async def so() -> bool:
            self.desk.clock.advance(advance)
            found = await self.delivery(contact)
            return found[0] == state and error in (found[1] or "")

        await until(so)

    async def where(self, conversation_id: str) -> ReachedAt:
        contact_id = (await self.desk.get(conversation_id)).contact_id
        [place] = (await self.desk.conversations.contact_profile(contact_id)).addresses
        return place


@asynccontextmanager
async def scene(database: Database) -> AsyncIterator[Scene]:
    desk = TestDesk(database, Clock())
    async with TelegramDouble().running() as telegram:
        for contact in (42, 43):
            telegram.updates.person(contact)
        entry = {"channel": "telegram", "token": TOKEN, "polling": True, "api_base": telegram.url}
        connector = TelegramConnector(
            TelegramConnector.Settings.model_validate(entry | {"chat_per_second": 100, "per_second": 1000}), MEANS
        )
        outbox = Outbox(
            desk.conversations,
            lambda to, message: connector.send(to.contact, message),
            poll_seconds=0.02,
            jitter=lambda: 1.0,
        )
        await outbox.start()
        yield Scene(telegram, desk)
        await outbox.stop()
        await connector.close()


async def test_it_waits_as_asked_tries_again_and_marks_who_blocked_us(database: Database) -> None:
    """F23: 429 ``retry_after=30`` → waits 30 s while others go on; 500 → retries; 403 → dead, contact unreachable."""
    async with scene(database) as on:
        calls = on.telegram.next["sendMessage"]
        calls.append(Refused(429, "Too Many Requests: retry after 30", retry_after=30))
        conversation_id = await on.bot_says("to ann", "42")
        await on.until_delivery("42", "pending", "")
        await on.telegram.called("sendMessage", 1)
        await on.bot_says("to bob", "43")
        await on.until_delivery("43", "sent")
        on.desk.clock.advance(28)
        await asyncio.sleep(0.2)  # time enough to break the promise
        assert [one["chat_id"] for one in on.telegram.sent] == [43]
        assert len(on.telegram.named("sendMessage")) == 2
        assert not (await on.where(conversation_id)).unreachable

        calls.extend(["broken", Refused(403, "Forbidden: bot was blocked by the user")])
        await on.until_delivery("42", "dead", "blocked", advance=1)
        assert len(on.telegram.named("sendMessage")) == 4
        assert [one["chat_id"] for one in on.telegram.sent] == [43]
        assert (await on.where(conversation_id)).unreachable
        said = await on.desk.conversations.messages(conversation_id)
        assert [one.delivery_failed for one in said if one.author is Author.BOT] == [True]

        await on.bot_says("welcome back", "42")  # who writes again can be reached again
        await on.until_delivery("42", "sent")
        assert not (await on.where(conversation_id)).unreachable


async def test_a_message_that_is_refused_says_nothing_about_the_contact(database: Database) -> None:
    async with scene(database) as on:
        on.telegram.next["sendMessage"].append(Refused(400, "Bad Request: message is too long"))
        conversation_id = await on.bot_says("to ann", "42")
        await on.until_delivery("42", "dead")
        assert not (await on.where(conversation_id)).unreachable
