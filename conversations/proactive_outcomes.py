"""What became of a message that nobody asked for: noted once, with an entry in the audit chain."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.audit import AuditEntry
from conversations.change import STAFF
from conversations.conversations import Conversations
from conversations.proactive_store import ProactiveStore, Told


class Outcomes:
    """Ends messages, puts them off, and takes over what the outbox says of them."""

    def __init__(self, conversations: Conversations) -> None:
        self._conversations = conversations

    async def settle(self, connection: AsyncConnection, told: Told, state: str, reason: str | None = None) -> None:
        """Note the end of a message, unless it is noted already."""
        if await ProactiveStore(connection).settle(told.id, state, self._conversations.now(), reason=reason):
            await self.record(connection, told, state, reason)

    async def record(self, connection: AsyncConnection, told: Told, state: str, reason: str | None = None) -> None:
        """Put what became of a message in the audit chain."""
        data = {"id": told.id, "kind": told.kind, "channel": told.channel, "reason": reason}
        entry = AuditEntry(f"proactive_{state}", "system", told.conversation_id, told.contact_id, data)
        await self._conversations.audit.append(connection, self._conversations.now(), [entry])

    async def give_up(self, told: Told, reason: str, contact_ids: tuple[str, ...] = ()) -> None:
        """Nobody will be told; staff see why at the contact."""
        async with self._conversations.database.write() as connection:
            store = ProactiveStore(connection)
            current = await store.find(told.id, lock=True)
            if current is None or current.state != "waiting":
                return
            contact_id = current.contact_id or next(iter(contact_ids), None)
            await store.change(told.id, contact_id=contact_id)
            await self.settle(connection, replace(current, contact_id=contact_id), "not_sent", reason)
        if contact_id is not None:
            await self.show(contact_id)

    async def postpone(self, id: str, due_at: datetime, reason: str) -> None:
        """Look at a message again later."""
        async with self._conversations.database.write() as connection:
            current = await ProactiveStore(connection).find(id, lock=True)
            if current is not None and current.state == "waiting":
                await ProactiveStore(connection).change(id, due_at=due_at, reason=reason)

    async def ended(self, id: str, state: str, error: str, *, repeatable: bool, where: str) -> None:
        """The outbox is done with a message: it was sent, or another address is to be tried."""
        async with self._conversations.database.write() as connection:
            store = ProactiveStore(connection)
            told = await store.find(id, lock=True)
            if told is None or told.state not in ("sending", "sent"):
                return
            if state != "dead":
                ends = {"sent": ("sent", None), "unknown": ("unknown", None), "recalled": ("not_sent", "taken_back")}
                await self.settle(connection, told, *ends[state])
            elif told.begun_at is not None and not repeatable:
                await self.settle(connection, told, "unknown")
            else:
                attempt = {"address": where, "how": told.how or "free", "reason": "refused", "error": error[:300]}
                again: dict[str, Any] = {"state": "waiting", "settled_at": None, "begun_at": None, "reason": "refused"}
                tried = [*map(dict, told.tried), attempt]
                await store.change(id, tried=tried, due_at=self._conversations.now(), **again)
                await self.record(connection, told, "refused", "refused")
        if told.contact_id is not None:
            await self.show(told.contact_id)

    async def show(self, contact_id: str) -> None:
        """Consoles that show the contact read it again."""
        event = {"type": "contact", "contact_id": contact_id, "revision": None}
        await self._conversations.hub.publish(STAFF, event)
