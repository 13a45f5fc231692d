"""Reads the story of conversations and keeps the facts taken from it, inside one transaction."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import and_, delete, func, insert, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_store import EpisodeStore
from conversations.export_store import ExportStore
from conversations.model import Author, MessageKind, Status
from conversations.tables import audit_entries, audit_head, contacts, conversations, messages, queue_stays, turns
from learning.inbox_tables import learning_positions, mishap_decisions, mishaps
from learning.limit_tables import limit_cases
from reporting.facts import COMES_BACK_WITHIN, Label, Move, Said, Story, Turn, Values, Wait
from reporting.labels import label_of
from reporting.tables import FACTS, report_positions

_SAID = (Author.CONTACT.value, Author.BOT.value, Author.AGENT.value)
_AT_ONCE = 500


class FactStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    # -- how far was read

    async def position(self, name: str, zone: str) -> int:
        """The number of the last audit entry that was read; 0 before the first, and for another time zone."""
        query = select(report_positions.c.n).where(report_positions.c.name == name, report_positions.c.zone == zone)
        return int((await self._connection.execute(query)).scalar() or 0)

    async def move_on(self, name: str, n: int, zone: str, now: datetime) -> None:
        """Note that everything up to an entry was read."""
        values = {"n": n, "zone": zone, "updated_at": now}
        kept = self._insert(report_positions).values(name=name, **values)
        await self._connection.execute(
            kept.on_conflict_do_update(index_elements=[report_positions.c.name], set_=values)
        )

    async def begin_anew(self) -> None:
        """Read everything again; what is there stays until it is made anew."""
        await self._connection.execute(delete(report_positions))

    async def head(self) -> int:
        """The number of the newest audit entry."""
        return int((await self._connection.execute(select(func.max(audit_head.c.n)))).scalar() or 0)

    async def entries(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Numbers and bodies of the next audit entries, which are committed in the order of their numbers."""
        return await ExportStore(self._connection).entries(after, limit)

    async def labelled_up_to(self) -> int:
        """How far the learning loop has read what outcomes tell of turns."""
        query = select(func.max(learning_positions.c.n)).where(learning_positions.c.name == "limits")
        return int((await self._connection.execute(query)).scalar() or 0)

    async def decided_since(self, since: datetime) -> set[str]:
        """Conversations with a message about which trainers decided since a moment."""
        query = select(mishaps.c.conversation_id).where(mishaps.c.changed_at >= since).distinct()
        return set((await self._connection.execute(query)).scalars())

    # -- stories

    async def of_contacts(self, contact_ids: Collection[str]) -> set[str]:
        """The conversations of these contacts."""
        query = select(conversations.c.id).where(conversations.c.contact_id.in_(sorted(contact_ids)))
        return set((await self._connection.execute(query)).scalars())

    async def before(self, conversation_ids: Collection[str]) -> set[str]:
        """Conversations of the same contacts that were over for at most some days when one of these was opened."""
        earlier = conversations.alias("earlier")
        query = (
            select(earlier.c.id, earlier.c.resolved_at, conversations.c.opened_at)
            .join(conversations, conversations.c.contact_id == earlier.c.contact_id)
            .where(
                conversations.c.id.in_(list(conversation_ids)),
                earlier.c.id != conversations.c.id,
                earlier.c.resolved_at <= conversations.c.opened_at,
            )
        )
        rows = await self._connection.execute(query)
        reach = COMES_BACK_WITHIN + timedelta(days=1)
        return {row.id for row in rows if row.opened_at - row.resolved_at <= reach}

    async def stories(self, conversation_ids: Collection[str]) -> list[Story]:
        """What is known of these conversations."""
        wanted = sorted(conversation_ids)
        found: list[Story] = []
        for start in range(0, len(wanted), _AT_ONCE):
            found += await self._stories(wanted[start : start + _AT_ONCE])
        return found

    async def _stories(self, ids: list[str]) -> list[Story]:
        c = conversations.c
        query = (
            select(
                c.id, c.contact_id, c.channel, c.language, c.team_id, c.agent_id, c.previous_agent, c.opened_at, c.status,
                c.resolved_at, c.resolved_by, c.handoff_reason, c.forgotten_at, contacts.c.erased_at,
            )
            .join(contacts, contacts.c.id == c.contact_id)
            .where(c.id.in_(ids))
        )  # fmt: skip
        rows = (await self._connection.execute(query)).all()
        said, turned, waits, moves = (
            await self._said(ids),
            await self._turns(ids),
            await self._waits(ids),
            await self._moves(ids),
        )
        labels, known = await self._labels(ids), await self.known(ids)
        following = await self._following({row.contact_id for row in rows})
        found = []
        for row in rows:
            over = row.resolved_at if row.status == Status.RESOLVED.value else None
            later = [
                at
                for at, other in following.get(row.contact_id, ())
                if other != row.id and over is not None and at >= over
            ]
            found.append(
                Story(
                    id=row.id,
                    channel=row.channel,
                    language=row.language,
                    team=row.team_id or "",
                    opened_at=row.opened_at,
                    resolved_at=over,
                    merged=row.resolved_by == "merged" and over is not None,
                    forgotten=row.forgotten_at is not None or row.erased_at is not None,
                    reason=row.handoff_reason or "",
                    agent=row.agent_id or row.previous_agent or "",
                    said=said.get(row.id, ()),
                    turns=turned.get(row.id, ()),
                    episodes=await EpisodeStore(self._connection).of_conversation(row.id),
                    waits=waits.get(row.id, ()),
                    moves=moves.get(row.id, ()),
                    next_opened_at=min(later, default=None),
                    labels=labels,
                    known={name: listed.get(row.id, ()) for name, listed in known.items()},
                )
            )
        return found

    async def _said(self, ids: list[str]) -> dict[str, list[Said]]:
        m = messages.c
        query = (
            select(m.conversation_id, m.id, m.seq, m.author, m.created_at, m.author_id, m.turn_id, m.citations)
            .where(m.conversation_id.in_(ids), m.kind == MessageKind.TEXT.value, m.author.in_(_SAID))
            .order_by(m.conversation_id, m.seq)
        )
        found: dict[str, list[Said]] = {}
        for row in await self._connection.execute(query):
            articles = tuple(sorted({one["article_id"] for one in row.citations or () if one.get("article_id")}))
            one = Said(row.id, row.seq, row.author, row.created_at, row.author_id, row.turn_id, articles)
            found.setdefault(row.conversation_id, []).append(one)
        return found

    async def _turns(self, ids: list[str]) -> dict[str, list[Turn]]:
        query = select(turns).where(turns.c.conversation_id.in_(ids)).order_by(turns.c.in_seq)
        found: dict[str, list[Turn]] = {}
        for row in await self._connection.execute(query):
            one = Turn(row.turn_id, row.in_seq, row.started_at, row.finished_at, row.trace or {})
            found.setdefault(row.conversation_id, []).append(one)
        return found

    async def _waits(self, ids: list[str]) -> dict[str, list[Wait]]:
        found: dict[str, list[Wait]] = {}
        for row in await self._connection.execute(select(queue_stays).where(queue_stays.c.conversation_id.in_(ids))):
            one = Wait(row.id, row.team_id, row.queued_at, row.expected_seconds, row.ended_at, row.outcome, row.due_at)
            found.setdefault(row.conversation_id, []).append(one)
        return found

    async def _moves(self, ids: list[str]) -> dict[str, list[Move]]:
        a = audit_entries.c
        query = select(a.conversation_id, a.body).where(a.conversation_id.in_(ids), a.body.like('%"kind":"status"%'))
        found: dict[str, list[Move]] = {}
        for row in await self._connection.execute(query.order_by(a.n)):
            entry = json.loads(row.body)
            if entry["kind"] == "status":
                data = entry["data"]
                one = Move(datetime.fromisoformat(entry["at"]), data["from"], data["to"], str(data["why"]))
                found.setdefault(row.conversation_id, []).append(one)
        return found

    async def _following(self, contact_ids: Collection[str]) -> dict[str, list[tuple[datetime, str]]]:
        """By contact, when conversations were opened in which they said something."""
        spoke = (
            select(messages.c.id)
            .where(messages.c.conversation_id == conversations.c.id, messages.c.author == Author.CONTACT.value)
            .exists()
        )
        query = select(conversations.c.contact_id, conversations.c.opened_at, conversations.c.id).where(
            conversations.c.contact_id.in_(sorted(contact_ids)), spoke
        )
        found: dict[str, list[tuple[datetime, str]]] = {}
        for row in await self._connection.execute(query):
            found.setdefault(row.contact_id, []).append((row.opened_at, row.id))
        return found

    async def _labels(self, ids: list[str]) -> dict[str, Label]:
        c = limit_cases.c
        query = (
            select(
                c.message_id, c.done, c.top, c.score, c.act_wrong, c.answer_wrong,
                mishap_decisions.c.kind, mishap_decisions.c.intent,
            )
            .join(mishaps, mishaps.c.message_id == c.message_id, isouter=True)
            .join(
                mishap_decisions,
                and_(mishap_decisions.c.id == mishaps.c.decision_id, mishap_decisions.c.state == "made"),
                isouter=True,
            )
            .where(c.conversation_id.in_(ids))
        )  # fmt: skip
        found = {}
        for row in await self._connection.execute(query):
            decision = None if row.kind is None else (row.kind, row.intent)
            label = label_of(row.done, row.top, row.score, row.act_wrong, row.answer_wrong, decision)
            if label is not None:
                found[row.message_id] = label
        return found

    # -- facts

    async def known(self, conversation_ids: Collection[str]) -> dict[str, dict[str, list[Values]]]:
        """By table and conversation, what was taken from these before and may be needed once words are erased."""
        found: dict[str, dict[str, list[Values]]] = {}
        for name in ("fact_conversations", "fact_turns", "fact_citations"):
            table = FACTS[name]
            listed = found.setdefault(name, {})
            query = select(table).where(table.c.conversation_id.in_(list(conversation_ids)))
            for row in await self._connection.execute(query):
                listed.setdefault(row.conversation_id, []).append(dict(row._mapping))
        return found

    async def put(self, conversation_ids: Collection[str], facts: Mapping[str, Sequence[Values]]) -> None:
        """The facts of these conversations, in the place of those from before."""
        ids = sorted(conversation_ids)
        for name, table in FACTS.items():
            for start in range(0, len(ids), _AT_ONCE):
                gone = delete(table).where(table.c.conversation_id.in_(ids[start : start + _AT_ONCE]))
                await self._connection.execute(gone)
            rows = facts.get(name)
            if rows:
                await self._connection.execute(insert(table), list(rows))
