"""Finds conversations by what was written in them, by who wrote, and by the customers and tickets behind them. Only reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, or_, select

from conversations.store import Database
from conversations.tables import contacts, conversations, messages

_SNIPPET_BEFORE = 30
_SNIPPET = 120


@dataclass(frozen=True, slots=True)
class Match:
    """A conversation that fits; ``seq`` and ``snippet`` show the newest message that does, if one does."""

    conversation_id: str
    seq: int | None = None
    snippet: str = ""


class SearchStore:
    """Searches the tables of ``conversations`` in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def matches(self, text: str, customer_ids: Sequence[str], limit: int) -> list[Match]:
        """Conversations about ``text`` or with one of the customers, the one that changed last first."""
        pattern = "%" + text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
        hits = (
            select(messages.c.conversation_id, func.max(messages.c.seq).label("seq"))
            .where(messages.c.text.ilike(pattern, escape="\\"))
            .group_by(messages.c.conversation_id)
            .subquery()
        )
        query = (
            select(conversations.c.id, hits.c.seq, messages.c.text)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .outerjoin(hits, hits.c.conversation_id == conversations.c.id)
            .outerjoin(messages, (messages.c.conversation_id == conversations.c.id) & (messages.c.seq == hits.c.seq))
            .where(
                or_(
                    hits.c.seq.is_not(None),
                    contacts.c.name.ilike(pattern, escape="\\"),
                    contacts.c.customer_id.in_(customer_ids),
                    conversations.c.callback_ticket == text.strip().upper(),
                    conversations.c.id == text.strip().lower(),
                )
            )
            .order_by(conversations.c.updated_at.desc(), conversations.c.id)
            .limit(limit)
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return [Match(row.id, row.seq, _snippet(row.text, text) if row.text else "") for row in rows]


def _snippet(message: str, text: str) -> str:
    """The words around the match, on one line."""
    flat = " ".join(message.split())
    place = max(flat.lower().find(" ".join(text.lower().split())), 0)
    start = max(place - _SNIPPET_BEFORE, 0)
    cut = flat[start : start + _SNIPPET]
    return ("…" if start else "") + cut + ("…" if start + _SNIPPET < len(flat) else "")
