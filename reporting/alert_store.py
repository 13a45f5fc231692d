"""Reads and writes alerts, their rules and what is posted, inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.store import Database
from reporting import digest_tables  # noqa: F401  (puts its tables in the metadata of alerts)
from reporting.alert_tables import alert_rules, alerts, metadata, posts
from reporting.anomalies import State

MOST_SHOWN = 200
Row = RowMapping


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


class AlertStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def listed(self, state: str | None) -> list[Row]:
        """Alerts in a state, or all of them, the latest first."""
        statement = select(alerts).order_by(alerts.c.opened_at.desc(), alerts.c.id).limit(MOST_SHOWN)
        if state is not None:
            statement = statement.where(alerts.c.state == state)
        return [row._mapping for row in await self._connection.execute(statement)]

    async def counts(self) -> dict[str, int]:
        """How many there are in each state."""
        statement = select(alerts.c.state, func.count()).group_by(alerts.c.state)
        return {row[0]: row[1] for row in await self._connection.execute(statement)}

    async def find(self, alert_id: str, *, lock: bool = False) -> Row | None:
        """One alert."""
        statement = select(alerts).where(alerts.c.id == alert_id)
        row = (await self._connection.execute(statement.with_for_update() if lock else statement)).first()
        return None if row is None else row._mapping

    async def current(self, closed_after: datetime) -> list[Row]:
        """Those that are not closed, or were not long ago; the oldest first."""
        statement = select(alerts).where((alerts.c.state != State.CLOSED.value) | (alerts.c.closed_at >= closed_after))
        return [row._mapping for row in await self._connection.execute(statement.order_by(alerts.c.opened_at))]

    async def add(self, values: Mapping[str, Any]) -> None:
        """Keep a new alert."""
        await self._connection.execute(insert(alerts).values(**values))

    async def change(self, alert_id: str, values: Mapping[str, Any], *, unless: State | None = None) -> bool:
        """Change an alert; False where it is not there, or in the state that it must not be in."""
        statement = update(alerts).where(alerts.c.id == alert_id).values(**values)
        if unless is not None:
            statement = statement.where(alerts.c.state != unless.value)
        return bool((await self._connection.execute(statement)).rowcount)

    async def rules(self) -> Row | None:
        """What was saved last."""
        row = (await self._connection.execute(select(alert_rules))).first()
        return None if row is None else row._mapping

    async def save_rules(self, based_on: int, rules: Mapping[str, Any], by_name: str, at: datetime) -> bool:
        """Save over the revision that was looked at; False if another one was saved meanwhile."""
        values = {"revision": based_on + 1, "rules": rules, "by_name": by_name, "at": at}
        statement = update(alert_rules).where(alert_rules.c.revision == based_on).values(**values)
        if (await self._connection.execute(statement)).rowcount:
            return True
        if based_on or await self.rules() is not None:
            return False
        await self._connection.execute(insert(alert_rules).values(id=1, **values))
        return True

    # -- posts

    async def post(self, post_id: str, about: str, about_id: str, url: str, body: str, at: datetime) -> None:
        """Put something in line to be posted; what is there under this id already stays."""
        if (await self._connection.execute(select(posts.c.id).where(posts.c.id == post_id))).first() is not None:
            return
        values = {"id": post_id, "about": about, "about_id": about_id, "url": url, "body": body, "state": "waiting"}
        await self._connection.execute(insert(posts).values(**values, attempts=0, created_at=at, due_at=at))

    async def due_posts(self, now: datetime) -> list[Row]:
        """What is to be posted now, the oldest first."""
        statement = select(posts).where(posts.c.state == "waiting", posts.c.due_at <= now).order_by(posts.c.due_at)
        return [row._mapping for row in await self._connection.execute(statement.limit(20))]

    async def settle_post(self, post_id: str, values: Mapping[str, Any]) -> None:
        """What became of a try."""
        await self._connection.execute(update(posts).where(posts.c.id == post_id).values(**values))

    async def last_posts(self, about: str, limit: int = 10) -> list[Row]:
        """What was posted last, for the page."""
        statement = select(posts).where(posts.c.about == about).order_by(posts.c.created_at.desc()).limit(limit)
        return [row._mapping for row in await self._connection.execute(statement)]

    async def tidy(self, now: datetime, keep: timedelta = timedelta(days=365)) -> None:
        """Forget what closed, and was posted, long ago."""
        await self._connection.execute(
            delete(alerts).where(alerts.c.state == State.CLOSED.value, alerts.c.closed_at < now - keep)
        )
        await self._connection.execute(delete(posts).where(posts.c.state != "waiting", posts.c.created_at < now - keep))
