"""Keeps which cards agents were shown and what became of them, and which conversations have a digest."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import and_, delete, func, or_, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_tables import episodes, ratings
from conversations.model import Status, new_id
from conversations.store import Database
from conversations.tables import contacts, conversations, messages
from handoff.assist.assist_tables import cards, digests, originals, translations


@dataclass(frozen=True, slots=True)
class Card:
    """Something an agent may insert; ``place`` is the number of its key."""

    kind: str  #: suggestion, phrased, bot, passage or similar
    source: str
    place: int
    text: str
    citations: tuple[dict[str, str], ...] = ()
    score: float | None = None
    took_ms: float | None = None


@dataclass(frozen=True, slots=True)
class Shown:
    """A card as it was shown to one agent, and what is known of its fate."""

    id: str
    conversation_id: str
    seq: int
    agent_id: str
    kind: str
    source: str
    place: int
    text: str | None
    citations: tuple[dict[str, str], ...]
    score: float | None
    took_ms: float | None
    shown_at: datetime
    inserted_at: datetime | None
    outcome: str | None
    decided_at: datetime | None
    distance: float | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Decision:
    """What became of a card when a reply was sent."""

    card_id: str
    outcome: str
    distance: float | None = None


@dataclass(frozen=True, slots=True)
class Ended:
    """How a conversation ended, as far as the lists of the desk say."""

    conversation_id: str
    contact_id: str
    intent: str | None
    rating: int | None


class AssistStore:
    """The tables of agent assist in the service's database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._insert: Any = sqlite.insert if database.is_sqlite else postgresql.insert

    # -- cards

    async def show(
        self, conversation_id: str, contact_id: str, seq: int, agent_id: str, listed: Sequence[Card], at: datetime
    ) -> list[str]:
        """Note that these cards were shown; one shown before keeps its id. Returns the ids in order."""
        if not listed:
            return []
        rows = [
            {
                "id": new_id(), "conversation_id": conversation_id, "contact_id": contact_id, "seq": seq, "agent_id": agent_id,
                "kind": card.kind, "source": card.source[:400], "place": card.place, "text": card.text,
                "citations": list(card.citations) or None, "score": card.score, "took_ms": card.took_ms, "shown_at": at,
            }
            for card in listed
        ]  # fmt: skip
        mine = and_(cards.c.agent_id == agent_id, cards.c.conversation_id == conversation_id, cards.c.seq == seq)
        async with self._database.write() as connection:
            await connection.execute(self._insert(cards).on_conflict_do_nothing(), rows)
            found = await connection.execute(select(cards.c.id, cards.c.kind, cards.c.source).where(mine))
            ids = {(row.kind, row.source): row.id for row in found}
        return [ids[(card.kind, card.source[:400])] for card in listed]

    async def find(self, card_ids: Collection[str], conversation_id: str, agent_id: str) -> list[Shown]:
        """Cards that were shown to this agent in this conversation; others are left out."""
        if not card_ids:
            return []
        query = select(cards).where(
            cards.c.id.in_(list(card_ids)), cards.c.conversation_id == conversation_id, cards.c.agent_id == agent_id
        )
        async with self._database.read() as connection:
            return [_shown(row) for row in await connection.execute(query)]

    async def undecided(self, conversation_id: str, agent_id: str) -> list[Shown]:
        """The cards of this agent in this conversation of which nothing is known yet."""
        query = select(cards).where(
            cards.c.conversation_id == conversation_id, cards.c.agent_id == agent_id, cards.c.outcome.is_(None)
        )
        async with self._database.read() as connection:
            return [_shown(row) for row in await connection.execute(query)]

    async def note_insertion(self, card_id: str, at: datetime) -> None:
        """The agent put the card into the composer; the first time counts."""
        async with self._database.write() as connection:
            await connection.execute(
                update(cards).where(cards.c.id == card_id, cards.c.inserted_at.is_(None)).values(inserted_at=at)
            )

    async def reject(self, card_id: str, reason: str, at: datetime) -> bool:
        """The agent does not want the card; False when its fate was known already."""
        async with self._database.write() as connection:
            changed = await connection.execute(
                update(cards)
                .where(cards.c.id == card_id, cards.c.outcome.is_(None))
                .values(outcome="rejected", reason=reason, decided_at=at, text=None)
            )
            return bool(changed.rowcount)

    async def decide(self, decisions: Sequence[Decision], message_id: str, at: datetime) -> None:
        """Write down what a reply made of the cards; their words are no longer needed."""
        async with self._database.write() as connection:
            for one in decisions:
                values = {
                    "outcome": one.outcome, "distance": one.distance, "message_id": message_id, "decided_at": at, "text": None,
                    "citations": None,
                }  # fmt: skip
                await connection.execute(
                    update(cards).where(cards.c.id == one.card_id, cards.c.outcome.is_(None)).values(**values)
                )

    async def forget_words(self, before: datetime) -> None:
        """Delete the words of cards shown before a moment, also where nothing was ever decided."""
        async with self._database.write() as connection:
            await connection.execute(
                update(cards)
                .where(cards.c.shown_at < before, cards.c.text.is_not(None))
                .values(text=None, citations=None)
            )

    async def shown_since(self, since: datetime, limit: int) -> list[Shown]:
        """The newest cards shown since a moment, for the report."""
        query = select(cards).where(cards.c.shown_at >= since).order_by(cards.c.shown_at.desc()).limit(limit)
        async with self._database.read() as connection:
            return [_shown(row) for row in await connection.execute(query)]

    # -- digests

    async def without_digest(self, form: str, limit: int) -> list[str]:
        """Resolved conversations, newest first, whose digest is not in the index of this form."""
        query = (
            select(conversations.c.id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .outerjoin(digests, and_(digests.c.conversation_id == conversations.c.id, digests.c.form == form))
            .where(
                conversations.c.status == Status.RESOLVED.value,
                contacts.c.erased_at.is_(None),
                conversations.c.forgotten_at.is_(None),
                digests.c.conversation_id.is_(None),
            )
            .order_by(conversations.c.resolved_at.desc())
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(query)).scalars())

    async def note_digest(
        self, conversation_id: str, contact_id: str, form: str, intent: str | None, at: datetime
    ) -> bool:
        """Note that the index holds a conversation; False when its contact was erased meanwhile."""
        values = {"contact_id": contact_id, "intent": intent, "indexed_at": at}
        statement = self._insert(digests).values(conversation_id=conversation_id, form=form, **values)
        async with self._database.write() as connection:
            known = await connection.execute(
                select(contacts.c.erased_at).where(contacts.c.id == contact_id).with_for_update()
            )
            row = known.first()
            if row is None or row.erased_at is not None:
                return False
            await connection.execute(
                statement.on_conflict_do_update(
                    index_elements=[digests.c.conversation_id, digests.c.form],
                    set_=values,
                    where=digests.c.erased.is_(False),
                )
            )
        return True

    async def erased_digests(self, form: str, limit: int) -> list[str]:
        """Conversations whose vectors must go from the index of this form: their contact was erased or is gone."""
        gone = (
            select(digests.c.conversation_id)
            .outerjoin(contacts, contacts.c.id == digests.c.contact_id)
            .where(
                digests.c.form == form,
                or_(digests.c.erased, contacts.c.id.is_(None), contacts.c.erased_at.is_not(None)),
            )
            .limit(limit)
        )
        async with self._database.read() as connection:
            return list((await connection.execute(gone)).scalars())

    async def any_digests(self, conversation_ids: Collection[str]) -> bool:
        """Whether the index may still hold one of these conversations."""
        query = select(digests.c.conversation_id).where(digests.c.conversation_id.in_(list(conversation_ids))).limit(1)
        async with self._database.read() as connection:
            return (await connection.execute(query)).first() is not None

    async def forget_digests(self, form: str, conversation_ids: Collection[str]) -> None:
        """Their vectors are gone from the index of this form."""
        theirs = and_(digests.c.form == form, digests.c.conversation_id.in_(list(conversation_ids)))
        async with self._database.write() as connection:
            await connection.execute(delete(digests).where(theirs))

    async def how_they_ended(self, form: str, conversation_ids: Collection[str]) -> dict[str, Ended]:
        """Facts about resolved conversations whose contacts are still known, by id."""
        score = (  # of what people did last
            select(ratings.c.score)
            .join(episodes, episodes.c.id == ratings.c.episode_id)
            .where(episodes.c.conversation_id == conversations.c.id, episodes.c.kind == "human")
            .order_by(episodes.c.number.desc())
            .limit(1)
            .scalar_subquery()
        )
        query = (
            select(conversations.c.id, conversations.c.contact_id, digests.c.intent, score.label("score"))
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .join(digests, and_(digests.c.conversation_id == conversations.c.id, digests.c.form == form))
            .where(
                conversations.c.id.in_(list(conversation_ids)),
                conversations.c.status == Status.RESOLVED.value,
                contacts.c.erased_at.is_(None),
                conversations.c.forgotten_at.is_(None),
                digests.c.erased.is_(False),
            )
        )
        async with self._database.read() as connection:
            rows = (await connection.execute(query)).all()
        return {row.id: Ended(row.id, row.contact_id, row.intent, row.score) for row in rows}

    async def digest_counts(self, form: str) -> tuple[int, int]:
        """How many conversations have a digest in the index, and how many are resolved."""
        held = select(func.count()).select_from(digests).where(digests.c.form == form, digests.c.erased.is_(False))
        all_resolved = (
            select(func.count()).select_from(conversations).where(conversations.c.status == Status.RESOLVED.value)
        )
        async with self._database.read() as connection:
            return int((await connection.execute(held)).scalar_one()), int(
                (await connection.execute(all_resolved)).scalar_one()
            )


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """Delete a contact's cards and translations with everything else of theirs; marks digests whose vectors must go."""
    for statement in (
        delete(cards).where(cards.c.contact_id == contact_id),
        delete(translations).where(translations.c.contact_id == contact_id),
        delete(originals).where(originals.c.contact_id == contact_id),
        update(digests).where(digests.c.contact_id == contact_id).values(erased=True, intent=None),
    ):
        await connection.execute(statement)


async def forget(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """The same for single conversations."""
    chosen = list(conversation_ids)
    said = select(messages.c.id).where(messages.c.conversation_id.in_(chosen))
    for statement in (
        delete(cards).where(cards.c.conversation_id.in_(chosen)),
        delete(translations).where(translations.c.message_id.in_(said)),
        delete(originals).where(originals.c.conversation_id.in_(chosen)),
        update(digests).where(digests.c.conversation_id.in_(chosen)).values(erased=True, intent=None),
    ):
        await connection.execute(statement)


async def move(connection: AsyncConnection, conversation_ids: Sequence[str], contact_id: str) -> None:
    """These conversations belong to another contact now: their cards, digests and translations go with them."""
    said = select(messages.c.id).where(messages.c.conversation_id.in_(list(conversation_ids)))
    for table, condition in (
        (cards, cards.c.conversation_id.in_(list(conversation_ids))),
        (originals, originals.c.conversation_id.in_(list(conversation_ids))),
        (digests, digests.c.conversation_id.in_(list(conversation_ids))),
        (translations, translations.c.message_id.in_(said)),
    ):
        await connection.execute(update(table).where(condition).values(contact_id=contact_id))


def _shown(row: Any) -> Shown:
    values = {name: row._mapping[name] for name in Shown.__dataclass_fields__}
    return Shown(**{**values, "citations": tuple(values["citations"] or ())})
