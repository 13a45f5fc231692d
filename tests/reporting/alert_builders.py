"""A desk with weeks of facts behind it, on either database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from conversations.audit import AuditLog
from conversations.model import new_id
from conversations.store import Database
from conversations.tables import contacts, conversations
from conversations.work_leases import WorkLeases
from reporting.alerts import Alerts
from reporting.posting import Posting, Sender
from reporting.tables import fact_turns

ZONE = ZoneInfo("Asia/Shanghai")


class Refusing:
    """A sender that nothing is to go through."""

    secret = "whsec_none"

    def check(self, url: str) -> None:
        raise ValueError("it is not a URL")

    async def send(self, url: str, post_id: str, body: str, about: str) -> None:
        raise AssertionError("nothing was to be posted")

    async def close(self) -> None:
        """Nothing is open."""


class AlertDesk:
    """Alerts over one database, with a clock that a test moves."""

    def __init__(self, database: Database, at: datetime, sender: Sender | None = None) -> None:
        self.database = database
        self.at = at
        self.told: list[dict[str, Any]] = []
        posting = Posting(database, sender or Refusing(), self.now)
        self.alerts = Alerts(
            database, AuditLog(b"k" * 32), WorkLeases(database), ZONE, posting, self._tell,
            public_url="https://desk.example", now=self.now,
        )  # fmt: skip

    def now(self) -> datetime:
        return self.at

    async def _tell(self, event: dict[str, Any]) -> None:
        self.told.append(event)

    async def opened(self, weeks_ago: int) -> None:
        """The desk's first conversation was so long ago."""
        at = self.at - timedelta(weeks=weeks_ago, hours=20)
        async with self.database.write() as connection:
            await connection.execute(insert(contacts).values(id="c1", created_at=at))
            await connection.execute(
                insert(conversations).values(
                    id="0" * 32, channel="webchat", account="default", contact="x", contact_id="c1", status="resolved",
                    language="zh", opened_at=at, updated_at=at, preview="",
                )
            )  # fmt: skip

    async def turns(self, at: datetime, count: int, intent: str = "refund", **more: Any) -> list[str]:
        """So many turns about an intent in the half hour before a moment; returns their conversations."""
        ids = [new_id() for _ in range(count)]
        place = at - timedelta(minutes=30)
        local = place.astimezone(ZONE)
        values = {
            "day": local.date().toordinal(), "hour": local.hour, "at": place, "seq": 1, "channel": "webchat", "team": "",
            "agent": "", "language": "zh", "model": "m1", "intent": intent, "missed": False, "knowledge": "", "latency_ms": 9,
        } | more  # fmt: skip
        async with self.database.write() as connection:
            for one in ids:
                await connection.execute(insert(fact_turns).values(turn_id=new_id(), conversation_id=one, **values))
        return ids

    async def usual_weeks(self, weeks: int = 6, each: int = 3) -> None:
        """The same hour of earlier weeks, as usual."""
        await self.opened(weeks)
        for week in range(1, weeks + 1):
            await self.turns(self.at - timedelta(weeks=week), each)
