"""The figures of the whole desk that only the database knows, read in few steps along indexes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import func, literal, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.model import HEARTBEATS_MISSED, Status
from conversations.tables import conversations, inbox, outbox, presence

OPEN = (Status.BOT, Status.QUEUED, Status.ASSIGNED)


@dataclass(frozen=True, slots=True)
class Figures:
    """How the desk stands at one moment; ages are seconds, 0 where nothing waits."""

    by_status: dict[str, int] = field(default_factory=dict)  #: open conversations
    inbox_waiting: int = 0  #: messages whose turn is not done
    inbox_oldest_seconds: float = 0.0
    outbox_waiting: int = 0
    outbox_oldest_seconds: float = 0.0
    queue_oldest_seconds: float = 0.0
    agents_online: int = 0
    database_bytes: int = 0


class FiguresStore:
    """Reads inside a transaction of the caller."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    async def read(self, now: datetime) -> Figures:
        """The figures at ``now``; the cost grows with what is open, not with what was ever said."""
        execute = self._connection.execute
        counted = await execute(
            select(conversations.c.status, func.count(), func.min(conversations.c.queued_at))
            .where(conversations.c.status.in_([status.value for status in OPEN]))
            .group_by(conversations.c.status)
        )
        rows = {status: (count, oldest) for status, count, oldest in counted}
        # As literals, which is what the partial indexes are chosen by.
        new, running = literal("new", literal_execute=True), literal("running", literal_execute=True)
        waiting, since = (
            await execute(select(func.count(), func.min(inbox.c.received_at)).where(inbox.c.state.in_([new, running])))
        ).one()
        pending, sending = literal("pending", literal_execute=True), literal("sending", literal_execute=True)
        leaving, made = (
            await execute(
                select(func.count(), func.min(outbox.c.created_at)).where(outbox.c.state.in_([pending, sending]))
            )
        ).one()
        online = await execute(
            select(func.count()).where(presence.c.state == "online", presence.c.last_seen_at >= now - HEARTBEATS_MISSED)
        )
        _, queued_since = rows.get(Status.QUEUED.value, (0, None))
        return Figures(
            by_status={status.value: rows.get(status.value, (0, None))[0] for status in OPEN},
            inbox_waiting=waiting,
            inbox_oldest_seconds=_age(since, now),
            outbox_waiting=leaving,
            outbox_oldest_seconds=_age(made, now),
            queue_oldest_seconds=_age(queued_since, now),
            agents_online=online.scalar_one(),
            database_bytes=await self._size(),
        )

    async def given_up(self) -> dict[str, int]:
        """Deliveries that are dead or in doubt; looks at every delivery, so ask for it seldom."""
        states = ("dead", "unknown")
        counted = await self._connection.execute(
            select(outbox.c.state, func.count()).where(outbox.c.state.in_(states)).group_by(outbox.c.state)
        )
        return dict.fromkeys(states, 0) | {row[0]: row[1] for row in counted}

    async def _size(self) -> int:
        if self._connection.dialect.name == "sqlite":
            pages, size = [
                (await self._connection.execute(text(f"PRAGMA {what}"))).scalar_one()
                for what in ("page_count", "page_size")
            ]
            return int(pages) * int(size)
        sized = await self._connection.execute(text("SELECT pg_database_size(current_database())"))
        return int(sized.scalar_one())


def _age(since: datetime | None, now: datetime) -> float:
    return 0.0 if since is None else max(0.0, (now - since).total_seconds())
