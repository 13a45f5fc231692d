"""Reads and writes how channel accounts are doing, and who wrote to them last, inside one transaction."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.channel_signs import Health
from conversations.channel_tables import channel_health as table
from conversations.tables import contacts, conversations

Account = tuple[str, str]  #: channel and account name


class Known(NamedTuple):
    """What one process last wrote of one account."""

    account: Account
    process: str
    seen_at: datetime
    health: Health


class Writer(NamedTuple):
    """Somebody who wrote to an account."""

    contact: str
    name: str | None
    at: datetime


class ChannelStore:
    """The health of every account, by process."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    async def all(self) -> list[Known]:
        """Everything that was written."""
        rows = await self._connection.execute(select(table))
        found = []
        for row in rows:
            values = dict(row._mapping)
            account = (values.pop("channel"), values.pop("account"))
            process, seen_at = values.pop("process"), values.pop("seen_at")
            found.append(Known(account, process, seen_at, Health(**values)))
        return found

    async def save(self, process: str, health: Mapping[Account, Health], now: datetime) -> None:
        """Write what a process knows of accounts."""
        for (channel, account), known in health.items():
            values = asdict(known) | {"seen_at": now}
            await self._connection.execute(
                self._insert(table)
                .values(channel=channel, account=account, process=process, **values)
                .on_conflict_do_update(index_elements=["channel", "account", "process"], set_=values)
            )

    async def see(self, process: str, now: datetime) -> None:
        """The process is still there."""
        await self._connection.execute(update(table).where(table.c.process == process).values(seen_at=now))

    async def forget(self, before: datetime) -> None:
        """Drop what processes wrote that are gone since."""
        await self._connection.execute(delete(table).where(table.c.seen_at < before))

    async def last_writers(self, account: Account, limit: int) -> list[Writer]:
        """Who wrote to an account last, newest first; nobody who was erased."""
        newest = func.max(conversations.c.updated_at)
        latest = (
            select(conversations.c.contact, func.max(contacts.c.id).label("contact_id"), newest.label("at"))
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(
                conversations.c.channel == account[0],
                conversations.c.account == account[1],
                contacts.c.erased_at.is_(None),
            )
            .group_by(conversations.c.contact)
            .order_by(newest.desc())
            .limit(limit)
            .subquery()
        )
        rows = await self._connection.execute(
            select(latest.c.contact, contacts.c.name, latest.c.at)
            .join(contacts, contacts.c.id == latest.c.contact_id)
            .order_by(latest.c.at.desc())
        )
        return [Writer(*row) for row in rows]
