"""A desk whose bots have several versions of the model: real conversations, a real engine, bots as the contract says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

from sqlalchemy import select

from conversations.bot_models import BotModels
from conversations.dialogue import RasaDialogue
from conversations.engine import Engine
from conversations.model import Author, Message
from conversations.store import Database
from conversations.tables import conversations
from conversations.verbs import Surroundings
from conversations.work_leases import WorkLeases
from learning.inbox_store import create_tables as create_inbox_tables
from learning.model_choice import Served
from learning.serving import Serving
from learning.serving_store import create_tables
from tests.conversations.builders import Clock, TestDesk, until
from tests.learning.model_bots import SECRET, ModelBot, ModelBots

REASON = "it is only a test of ours"


class ServingDesk:
    """One service process, or another one on the same database."""

    def __init__(self, database: Database, bots: ModelBots, clock: Clock | None = None) -> None:
        self.database, self.bots = database, bots
        self.clock = clock or Clock()
        self.served = Served()
        self.desk = TestDesk(database, self.clock, surroundings=Surroundings(version_of=self.served.version_of))
        self.dialogue = RasaDialogue(tuple(bots.bots), SECRET, transport=bots)
        quick = {"poll_seconds": 0.02, "first_retry_seconds": 0.001, "drain_seconds": 2.0}
        self.engine = Engine(self.desk.conversations, self.dialogue, lambda: {}, **quick)  # type: ignore[arg-type]
        self.told: list[str] = []
        self.serving = Serving(
            database,
            self.desk.conversations.audit,
            BotModels(self.dialogue),
            self.served,
            WorkLeases(database),
            tell=self._tell,
            now=self.clock,
        )

    async def _tell(self, change: Any) -> None:
        self.told.append(change.what)

    @property
    def revision(self) -> int:
        choice = self.served.choice
        assert choice is not None
        return choice.revision

    async def say(self, text: str = "hello", contact: str = "ann") -> tuple[str, str]:
        """A contact writes and is answered; the conversation and the version that answered."""
        receipt = await self.desk.send(text, contact)
        await until(lambda: self._answered(receipt.message_id))
        return receipt.conversation_id, self.ran_on(receipt.message_id)

    async def _answered(self, message_id: str) -> bool:
        return any(turn["turn_id"] == message_id for turn in self.bots.turns) and not self.engine.running

    def ran_on(self, message_id: str) -> str:
        return next(str(turn["ran_on"]) for turn in self.bots.turns if turn["turn_id"] == message_id)

    async def pin(self, conversation_id: str) -> str | None:
        return (await self.desk.get(conversation_id)).model

    async def episodes(self, conversation_id: str) -> list[tuple[str, str | None]]:
        return [(one.kind.value, one.model) for one in await self.desk.conversations.episodes(conversation_id)]

    async def replies(self, conversation_id: str) -> list[Message]:
        return [one for one in await self.desk.conversations.messages(conversation_id) if one.author is Author.BOT]

    async def pins(self) -> dict[str, str | None]:
        async with self.database.read() as connection:
            rows = await connection.execute(select(conversations.c.id, conversations.c.model))
            return {row.id: row.model for row in rows}


@asynccontextmanager
async def serving_desk(database: Database, bots: Iterable[ModelBot]) -> AsyncIterator[ServingDesk]:
    """A desk at work, which has found what its bots serve."""
    await create_tables(database)
    await create_inbox_tables(database)
    shop = ServingDesk(database, ModelBots(bots))
    await shop.serving.reconcile()
    await shop.engine.start()
    try:
        yield shop
    finally:
        await shop.engine.stop()
