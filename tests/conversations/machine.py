"""A desk that Hypothesis plays with: opened fresh for each example, and brought to rest and checked at its end."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine

from conversations.audit_check import verify
from conversations.conversation_store import CLOCK_WAS_SET_BACK
from conversations.delivery_store import Delivery, DeliveryStore
from conversations.model import InboundMessage, Message, Receipt, Status
from conversations.store import Database
from conversations.turns import Claim
from tests.conversations.builders import LIN, MAX, Clock, CrashingAudit, TestDesk, says
from tests.conversations.conftest import clean_postgres
from tests.conversations.history import History

T = TypeVar("T")
CONTACTS = ("ann", "bo")


class DeskMachine(RuleBasedStateMachine):
    """The desk and what the test remembers of it."""

    place: str  #: URL of the SQLite template, or a PostgreSQL schema

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.directory = tempfile.TemporaryDirectory()
        self.clock = Clock()
        self.audit = CrashingAudit()
        database = self.do(self.open())
        self.desk = TestDesk(database, self.clock, audit=self.audit)
        self.acknowledged: dict[str, tuple[str, str]] = {}  # external id -> conversation, message
        self.inbounds: list[InboundMessage] = []
        self.statuses: dict[str, Status] = {}  #: of each contact's newest conversation
        self.taken: list[Claim] = []
        self.delivered: dict[str, list[tuple[str, int]]] = {}

    async def open(self) -> Database:
        if self.place.startswith("/"):
            path = Path(self.directory.name) / "desk.db"
            shutil.copy(self.place, path)
            return Database.open(f"sqlite+aiosqlite:///{path}")
        return await clean_postgres(self.place)

    def somebody(self, *statuses: Status) -> bool:
        """Whether a contact's newest conversation is in one of these."""
        return any(status in statuses for status in self.statuses.values())

    def pick(self, data: st.DataObject, *statuses: Status) -> str:
        """A contact whose newest conversation is in one of these."""
        return data.draw(st.sampled_from([name for name in CONTACTS if self.statuses.get(name) in statuses]))

    async def keep_agents(self) -> None:
        for agent in (LIN, MAX):
            await self.desk.conversations.agent_seen(agent.id, agent.name)

    def do(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    def teardown(self) -> None:
        try:
            self.do(self.finish())
        finally:
            self.do(self.desk.database.close())
            self.runner.close()
            self.directory.cleanup()

    async def finish(self) -> None:
        """Let everything come to rest, then check what must hold over the whole history."""
        # So long a message may still wait for its time after the clock was set back.
        self.clock.advance(CLOCK_WAS_SET_BACK.total_seconds())
        for _ in range(200):
            self.clock.advance(46)
            claims = await self.desk.conversations.claim_turns(50)
            for claim in claims:
                await self.desk.conversations.commit_turn(claim, says("at last"), self.clock(), go_on=False)
            if not claims and not await self.deliver(dies=False):
                break
        history = History(self.desk)
        await history.nothing_is_lost_or_answered_twice(self.acknowledged)
        await history.handoffs_and_ratings_are_told()
        await history.deliveries_are_in_order(self.delivered)
        assert (await verify(self.desk.database, [])).exit_code == 0

    async def receive(self, message: InboundMessage) -> Receipt:
        receipt = await self.desk.conversations.receive(message)
        self.inbounds.append(message)
        self.acknowledged[message.external_id] = (receipt.conversation_id, receipt.message_id)
        return receipt

    async def deliver(self, *, dies: bool) -> int:
        """Send what is due; a sender that dies has marked it as being sent but did not send it."""
        now = self.clock()
        async with self.desk.database.write() as connection:
            claimed: list[Delivery] = await DeliveryStore(connection).claim_deliveries(now, now, 10)
        for delivery in [] if dies else claimed:
            arrived = self.delivered.setdefault(str(delivery.address), [])
            arrived.append((delivery.message.conversation_id, delivery.message.seq))
            async with self.desk.database.write() as connection:
                assert await DeliveryStore(connection).settle_delivery(delivery, "sent")
        return len(claimed)

    def transcript(self, conversation_id: str) -> list[Message]:
        return self.do(self.desk.conversations.messages(conversation_id, 0, 10_000))
