"""What the tests of this room are built from: a desk with reports, and a week at it that one can count by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import select

from conversations.episodes import RatingRules
from conversations.model import Agent, Citation, InboundMessage, new_id
from conversations.sight import EVERYTHING, Sight
from conversations.store import Database
from conversations.turn_model import Reply, TurnResult
from conversations.work_leases import WorkLeases
from learning.limit_following import LimitFollower
from reporting.answers import Answer
from reporting.following import FactFollower
from reporting.query import Query
from reporting.reports import Reports
from reporting.tables import FACTS
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, address

SHANGHAI = ZoneInfo("Asia/Shanghai")
MONDAY, SUNDAY = date(2026, 3, 2), date(2026, 3, 8)
LIMITS = {"answer": 0.6, "clarify": 0.3, "retrieval": 0.5}


def trace(route: str = "task", intent: str = "order_status", confidence: float = 0.9, **more: Any) -> dict[str, Any]:
    return {
        "language": "en", "intent": intent, "confidence": confidence, "route": route, "thresholds": LIMITS,
        "model_id": "model-1", "ranking": [{"name": intent, "confidence": confidence}],
    } | more  # fmt: skip


KNOWLEDGE = trace("knowledge", "ask_knowledge", 0.2, retrieval=[{"passage_id": "p1", "score": 0.8}])
MISSED = trace("clarify", "out_of_scope", 0.1, missed=True)


FAILED = trace(intent="return_refund", failed=True)


class SetClock(Clock):
    """A clock that a test can put to a moment."""

    def at(self, day: int, hour: int, minute: int = 0) -> None:
        """A moment of March 2026, in UTC; Shanghai is eight hours ahead."""
        self._now = datetime(2026, 3, day, hour, minute, tzinfo=UTC)


class Shop:
    """A desk with reports."""

    def __init__(self, database: Database, zone: ZoneInfo = SHANGHAI) -> None:
        self.database = database
        self.clock = SetClock()
        self.desk = TestDesk(database, self.clock, ratings=RatingRules(ask_nps=True))
        self.leases = WorkLeases(database)
        self.reports = Reports(database, self.leases, zone, self.clock)
        self.limits = LimitFollower(database, self.leases, now=self.clock)

    @property
    def follower(self) -> FactFollower:
        return self.reports.follower

    async def asks(
        self,
        contact: str,
        text: str = "where is my parcel",
        traced: dict[str, Any] | None = None,
        *,
        channel: str = "telegram",
        ms: int = 400,
        cites: Sequence[str] = (),
        handoff: str | None = None,
    ) -> str:
        """A contact says something and the bot answers after so many milliseconds; returns the conversation's id."""
        inbound = InboundMessage(address(contact, channel), new_id(), text, language="en")
        conversation_id = (await self.desk.conversations.receive(inbound)).conversation_id
        for claim in await self.desk.conversations.claim_turns(50):
            if claim.conversation.id != conversation_id:
                continue
            began = self.clock()
            self.clock.advance(ms / 1000)
            citations = tuple(Citation("p", one, one.title(), "quoted", "") for one in cites)
            result = TurnResult((Reply("well", handoff=handoff, citations=citations),), traced or trace())
            await self.desk.conversations.commit_turn(claim, result, began, go_on=False)
        return conversation_id

    async def says(self, contact: str, text: str, channel: str = "telegram") -> str:
        """A contact says something that the bot does not answer."""
        inbound = InboundMessage(address(contact, channel), new_id(), text, language="en")
        return (await self.desk.conversations.receive(inbound)).conversation_id

    async def rated(
        self, contact: str, conversation_id: str, score: int | None, channel: str = "telegram", **more: Any
    ) -> None:
        await self.desk.conversations.rate(address(contact, channel), conversation_id, score, **more)

    async def helped(self, conversation_id: str, agent: Agent, *, after: float, resolves_after: float) -> None:
        """An agent accepts, answers so many seconds later, and is done so many seconds after that."""
        await self.desk.conversations.assign(conversation_id, agent, over_capacity=True)
        self.clock.advance(after)
        await self.desk.conversations.reply_as_agent(conversation_id, agent, "let me see")
        self.clock.advance(resolves_after)
        await self.desk.conversations.resolve(conversation_id, agent)

    async def read_everything(self) -> None:
        await self.limits.catch_up()
        await self.follower.catch_up()

    async def ask(self, metric: str, sight: Sight = EVERYTHING, **more: Any) -> Answer:
        period: dict[str, Any] = {"since": MONDAY, "until": SUNDAY}
        query = Query(metric, **period | more)
        return await self.reports.answer(query, sight)

    async def number(self, metric: str, **more: Any) -> float | None:
        return (await self.ask(metric, **more)).total.value

    async def share(self, metric: str, **more: Any) -> tuple[int | float | None, int | None]:
        total = (await self.ask(metric, **more)).total
        return total.part, total.whole

    async def rows(self, metric: str, by: str, **more: Any) -> dict[str, float | None]:
        """The rows that have a number other than 0."""
        found = await self.ask(metric, by=by, **more)
        return {row.key: row.figure.value for row in found.rows if row.figure.value}

    async def facts(self) -> dict[str, list[dict[str, Any]]]:
        """Every fact, in an order of its own."""
        async with self.database.read() as connection:
            return {
                name: sorted((dict(row._mapping) for row in await connection.execute(select(table))), key=repr)
                for name, table in FACTS.items()
            }

    async def week(self) -> dict[str, str]:
        """The week that the golden test counts: seven contacts, who they were is told beside each."""
        clock, desk = self.clock, self.desk.conversations
        ids: dict[str, str] = {}
        # Monday. Ann: the bot did it, and she says so.
        clock.at(2, 10)
        ids["ann"] = await self.asks("ann", ms=400)
        clock.at(2, 11)
        await desk.resolve_idle(60)
        await self.rated("ann", ids["ann"], 5, solved=True, nps=10)
        # Bob: an answer with a source, a miss, then people; he waits 60 s, hears something 30 s later, gives two stars.
        clock.at(2, 12)
        ids["bob"] = await self.asks(
            "bob", "how long is the warranty", KNOWLEDGE, ms=800, cites=["warranty", "returns"]
        )
        await self.asks("bob", "and on mars", MISSED, ms=600)
        await self.asks("bob", "a person please", trace("handoff", "handoff"), ms=200, handoff="asked_for_person")
        clock.advance(60)
        await self.helped(ids["bob"], LIN, after=30, resolves_after=300)
        await self.rated("bob", ids["bob"], 2, nps=3)
        # Tuesday, 16:30 UTC: Wednesday in Shanghai. Cat says nothing more, and comes back on Thursday.
        clock.at(3, 16, 30)
        ids["cat"] = await self.asks("cat", "send it back", trace(intent="return_refund"), channel="webchat", ms=1000)
        clock.at(3, 17, 30)
        await desk.resolve_idle(60)
        # Wednesday. Dan: an agent steps in after 90 s; it was not solved.
        clock.at(4, 9)
        ids["dan"] = await self.asks("dan", ms=500)
        clock.advance(90)
        await self.helped(ids["dan"], MAX, after=0, resolves_after=600)
        await self.rated("dan", ids["dan"], None, solved=False)
        # Thursday. Cat again, still open.
        clock.at(5, 9)
        ids["cat again"] = await self.asks("cat", "still waiting", FAILED, channel="webchat", ms=700)
        # Friday. Eve waits in vain, then leaves the queue by asking the bot again; still open.
        clock.at(6, 9)
        ids["eve"] = await self.asks("eve", "a person", trace("handoff", "handoff"), ms=300, handoff="two_misses")
        clock.at(6, 10)
        await desk.release(ids["eve"], LIN)
        return ids

    async def late_enough(self) -> None:
        """More than seven days after everything."""
        self.clock._now += timedelta(days=14)
