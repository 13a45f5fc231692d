"""What the inbox writes as it follows the conversations: messages that went wrong, their vectors and their groups.

Erasing and moving contacts happens here as well, inside the transaction of whoever erases or moves.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

import numpy as np
from sqlalchemy import ColumnElement, case, delete, distinct, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.episode_store import EpisodeStore
from conversations.export_store import ExportStore
from conversations.model import SPOKEN, Author, MessageKind
from conversations.store import Database
from conversations.tables import audit_head, contacts, conversations, inbox, messages, turns
from learning.grouping import Centres, Floats, mean_of, medoid, packed, unpacked
from learning.inbox_tables import (
    learning_positions,
    metadata,
    mishap_decisions,
    mishap_groups,
    mishap_vectors,
    mishaps,
)
from learning.judging import Asked, Story
from learning.reasons import REASONS, Mishap, Reason

_MOST_TURNS = 400  #: of one conversation that are judged, the latest
_MOST_VECTORS = 400  #: of one group that are looked at for its medoid, the latest
_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Known:
    """A message that is in the inbox already."""

    message_id: str
    group_id: str
    state: str
    reasons: Reason
    seq: int


async def create_tables(database: Database) -> None:
    """Create what is missing, for databases that no migration made."""
    async with database.engine.begin() as connection:
        await connection.run_sync(metadata.create_all)


def plain(text: str) -> str:
    """What was said, without the mark of a message that was spoken."""
    return text.removeprefix(SPOKEN).strip()


class InboxStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection
        self._insert: Any = sqlite.insert if connection.dialect.name == "sqlite" else postgresql.insert

    # -- how far was read

    async def position(self, name: str) -> int:
        """The number of the last audit entry that was read; 0 before the first."""
        query = select(learning_positions.c.n).where(learning_positions.c.name == name)
        return int((await self._connection.execute(query)).scalar() or 0)

    async def move_on(self, name: str, n: int, now: datetime) -> None:
        """Note that everything up to an entry was read; it never goes back."""
        values = {"n": n, "updated_at": now}
        kept = self._insert(learning_positions).values(name=name, **values)
        await self._connection.execute(
            kept.on_conflict_do_update(
                index_elements=[learning_positions.c.name], set_=values, where=learning_positions.c.n < n
            )
        )

    async def head(self) -> int:
        """The number of the newest audit entry."""
        return int((await self._connection.execute(select(func.max(audit_head.c.n)))).scalar() or 0)

    async def entries(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Numbers and bodies of the next audit entries, which are committed in the order of their numbers."""
        return await ExportStore(self._connection).entries(after, limit)

    # -- what is known of conversations

    async def story(
        self, conversation_id: str, corrected: Collection[int], reviewed: Collection[int] = ()
    ) -> Story | None:
        """A conversation to be judged; None where nobody may look any more."""
        query = (
            select(
                conversations.c.contact_id,
                conversations.c.channel,
                conversations.c.language,
                conversations.c.forgotten_at,
                contacts.c.erased_at,
            )
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(conversations.c.id == conversation_id)
        )
        found = (await self._connection.execute(query)).first()
        if found is None or found.forgotten_at is not None or found.erased_at is not None:
            return None
        asked = (
            select(
                messages.c.id, messages.c.seq, messages.c.created_at, messages.c.text, messages.c.recalled_at,
                inbox.c.payload, turns.c.trace, turns.c.finished_at,
            )
            .join(inbox, inbox.c.message_id == messages.c.id, isouter=True)
            .join(turns, turns.c.turn_id == messages.c.id, isouter=True)
            .where(
                messages.c.conversation_id == conversation_id,
                messages.c.author == Author.CONTACT.value,
                messages.c.kind == MessageKind.TEXT.value,
            )
            .order_by(messages.c.seq.desc())
            .limit(_MOST_TURNS)
        )  # fmt: skip
        rows = (await self._connection.execute(asked)).all()
        listed = [
            Asked(
                row.id, row.seq, row.created_at, bool(plain(row.text)) and row.recalled_at is None, row.payload is not None,
                row.finished_at, row.trace,
            )
            for row in reversed(rows)
            if row.finished_at is not None or corrected or reviewed
        ]  # fmt: skip
        episodes = await EpisodeStore(self._connection).of_conversation(conversation_id)
        at, sent = frozenset(_asked_at(listed, corrected)), frozenset(_asked_at(listed, reviewed))
        return Story(conversation_id, found.contact_id, found.channel, found.language, listed, episodes, at, sent)

    async def known_in(self, conversation_id: str) -> list[Known]:
        """The messages of a conversation that are in the inbox."""
        query = select(mishaps).where(mishaps.c.conversation_id == conversation_id)
        return [
            Known(row.message_id, row.group_id, row.state, Reason(row.reasons), row.seq)
            for row in await self._connection.execute(query)
        ]

    async def texts(self, message_ids: Collection[str]) -> dict[str, str]:
        """What was said, by the message's id; nothing of contacts that were erased."""
        wanted = list(message_ids)
        found: dict[str, str] = {}
        for start in range(0, len(wanted), _AT_ONCE):
            texts = await ExportStore(self._connection).texts(wanted[start : start + _AT_ONCE])
            found |= {message_id: plain(said) for message_id, (said, _) in texts.items() if plain(said)}
        return found

    async def still_there(self, conversation_ids: Collection[str]) -> set[str]:
        """Those of these conversations that nobody has erased; nobody can until this transaction ends."""
        query = (
            select(conversations.c.id)
            .join(contacts, contacts.c.id == conversations.c.contact_id)
            .where(
                conversations.c.id.in_(list(conversation_ids)),
                conversations.c.forgotten_at.is_(None),
                contacts.c.erased_at.is_(None),
            )
            .order_by(conversations.c.id)
            .with_for_update(of=conversations)
        )
        return set((await self._connection.execute(query)).scalars())

    # -- messages and groups

    async def centres(self) -> tuple[Centres, dict[str, str]]:
        """The centres of all groups, the oldest group first, and the state of each."""
        query = (
            select(mishap_groups.c.id, mishap_groups.c.centre, mishap_groups.c.weight, mishap_groups.c.state)
            .where(mishap_groups.c.merged_into.is_(None))
            .order_by(mishap_groups.c.created_at, mishap_groups.c.id)
        )
        rows = (await self._connection.execute(query)).all()
        means = as_stored([row.centre for row in rows])
        ids, weights = [row.id for row in rows], [row.weight for row in rows]
        return Centres(ids, means, weights), {row.id: row.state for row in rows}

    async def add_group(self, group_id: str, state: str, medoid_id: str, vector: Floats, now: datetime) -> None:
        """A new group of one message."""
        centre = vector.astype("float32").tobytes()
        values = {"id": group_id, "state": state, "medoid": medoid_id, "centre": centre, "weight": 1, "created_at": now}
        values |= {"first_at": now, "last_at": now}
        await self._connection.execute(insert(mishap_groups).values(**values))

    async def add(self, one: Mishap, group_id: str, state: str, arrived: int, encoder: str, vector: Floats) -> None:
        """A message that went wrong, with its vector."""
        values = asdict(one) | {"reasons": int(one.reasons), "group_id": group_id, "state": state, "arrived": arrived}
        await self._connection.execute(insert(mishaps).values(**values))
        kept = {"message_id": one.message_id, "encoder": encoder, "vector": packed(vector)}
        await self._connection.execute(insert(mishap_vectors).values(**kept))

    async def change(self, one: Mishap) -> None:
        """What is known of a message now."""
        values = {"reasons": int(one.reasons), "episode_id": one.episode_id, "rating": one.rating}
        values |= {"handed_off": one.handed_off, "contact_id": one.contact_id}
        await self._connection.execute(update(mishaps).where(mishaps.c.message_id == one.message_id).values(**values))

    async def groups_with(self, message_ids: Sequence[str]) -> list[str]:
        """The groups that these messages are in."""
        query = select(mishaps.c.group_id).where(mishaps.c.message_id.in_(message_ids)).distinct()
        return list((await self._connection.execute(query)).scalars())

    async def came_again(self, group_id: str, at: datetime, model_id: str | None) -> None:
        """A message came to a group that was done: the group is new again."""
        chosen = update(mishap_groups).where(mishap_groups.c.id == group_id)
        await self._connection.execute(chosen.values(state="new", again_at=at, again_model=model_id))

    async def remove(self, message_ids: Collection[str]) -> None:
        """Take messages out, with their vectors, and settle their groups."""
        chosen = list(message_ids)
        groups = select(mishaps.c.group_id).where(mishaps.c.message_id.in_(chosen)).distinct()
        touched = list((await self._connection.execute(groups)).scalars())
        await self._connection.execute(delete(mishap_vectors).where(mishap_vectors.c.message_id.in_(chosen)))
        await self._connection.execute(delete(mishaps).where(mishaps.c.message_id.in_(chosen)))
        for group_id in touched:
            await self.settle(group_id)

    async def settle(self, group_id: str) -> None:
        """Make a group's centre, medoid and state those of its messages; without any it is gone."""
        states = await self._connection.execute(
            select(mishaps.c.state).where(mishaps.c.group_id == group_id).group_by(mishaps.c.state)
        )
        found = set(states.scalars())
        if not found:
            await self._connection.execute(delete(mishap_decisions).where(mishap_decisions.c.group_id == group_id))
            await self._connection.execute(delete(mishap_groups).where(mishap_groups.c.merged_into == group_id))
            await self._connection.execute(delete(mishap_groups).where(mishap_groups.c.id == group_id))
            return
        state = state_of(found)
        values: dict[str, Any] = {"state": state} | await self.figures(group_id, state)
        latest = (
            select(mishap_vectors.c.message_id, mishap_vectors.c.vector)
            .join(mishaps, mishaps.c.message_id == mishap_vectors.c.message_id)
            .where(mishaps.c.group_id == group_id)
            .order_by(mishaps.c.arrived.desc(), mishaps.c.message_id)
            .limit(_MOST_VECTORS)
        )
        rows = (await self._connection.execute(latest)).all()
        if rows:
            vectors = unpacked([row.vector for row in rows])
            centre = mean_of(vectors)
            values |= {
                "centre": centre.tobytes(),
                "weight": len(rows),
                "medoid": rows[medoid(vectors, centre)].message_id,
            }
        await self._connection.execute(update(mishap_groups).where(mishap_groups.c.id == group_id).values(**values))

    async def figures(self, group_id: str, state: str, seen: ColumnElement[bool] | None = None) -> dict[str, Any]:
        """What the messages of a group add up to, or those ``seen``; of one that came again, only those that are new."""
        m = mishaps.c
        chosen = [
            m.group_id == group_id,
            *([] if seen is None else [seen]),
            *([m.state == "new"] if state == "new" else []),
        ]
        counted = select(
            func.count().label("messages"),
            func.count(distinct(m.contact_id)).label("contacts"),
            func.min(m.at).label("first_at"),
            func.max(m.at).label("last_at"),
            func.max(m.arrived).label("upto"),
            func.sum(case((m.language == "zh", 1), else_=0)).label("zh"),
            *(func.sum(case((m.reasons.bitwise_and(int(one)) != 0, 1), else_=0)).label(f"of_{one}") for one in REASONS),
        ).where(*chosen)
        row = (await self._connection.execute(counted)).one()
        # A part of a conversation counts once, however many of its messages are here.
        parts = (
            select(func.max(m.rating).label("rating"), func.max(case((m.handed_off, 1), else_=0)).label("off"))
            .where(*chosen)
            .group_by(func.coalesce(m.episode_id, m.conversation_id))
            .subquery()
        )
        cost = select(
            func.avg(parts.c.rating).label("mean"),
            func.count(parts.c.rating).label("rated"),
            func.sum(parts.c.off).label("handoffs"),
            func.sum(case((parts.c.rating <= 2, 1), else_=0)).label("low"),
        )
        costs = (await self._connection.execute(cost)).one()
        zh, handoffs = int(row.zh), int(costs.handoffs or 0)
        of_reason = {str(one.name).lower(): int(row._mapping[f"of_{one}"]) for one in REASONS}
        figures = {
            "by_reason": {name: count for name, count in of_reason.items() if count},
            "by_language": {name: count for name, count in (("zh", zh), ("en", row.messages - zh)) if count},
            "mean_rating": None if costs.mean is None else round(float(costs.mean), 2),
            "rated": int(costs.rated),
            "handoffs": handoffs,
        }
        return {
            "messages": row.messages, "contacts": row.contacts, "first_at": row.first_at, "last_at": row.last_at,
            "upto": row.upto, "cost": handoffs + int(costs.low or 0), "figures": figures,
        }  # fmt: skip

    async def merge(self, kept: str, other: str) -> bool:
        """Put one group's messages into another; not while somebody decides about either."""
        busy = select(mishap_decisions.c.id).where(
            mishap_decisions.c.group_id.in_([kept, other]), mishap_decisions.c.state.in_(["begun", "undoing"])
        )
        locked = select(mishap_groups.c.id, mishap_groups.c.state).where(
            mishap_groups.c.id.in_([kept, other]), mishap_groups.c.merged_into.is_(None)
        )
        rows = (await self._connection.execute(locked.order_by(mishap_groups.c.id).with_for_update())).all()
        alike = len(rows) == 2 and rows[0].state == rows[1].state
        if not alike or (await self._connection.execute(busy.limit(1))).first() is not None:
            return False
        for table in (mishaps, mishap_decisions):
            await self._connection.execute(update(table).where(table.c.group_id == other).values(group_id=kept))
        gone = update(mishap_groups).where((mishap_groups.c.id == other) | (mishap_groups.c.merged_into == other))
        await self._connection.execute(gone.values(merged_into=kept))
        grown = update(mishap_groups).where(mishap_groups.c.id == kept)
        await self._connection.execute(grown.values(revision=mishap_groups.c.revision + 1))
        await self.settle(kept)
        return True


def state_of(states: Collection[str]) -> str:
    """What the states of a group's messages add up to: one that is new makes it new, and one that is done makes it done."""
    return next(state for state in ("new", "done", "ignored") if state in states)


def as_stored(rows: Sequence[bytes]) -> Floats:
    """Stored centres, one row each, as they are."""
    if not rows:
        return np.zeros((0, 0), np.float32)
    return np.frombuffer(b"".join(rows), np.float32).reshape(len(rows), -1)


def _asked_at(listed: Sequence[Asked], corrected: Collection[int]) -> list[int]:
    """The contact's messages that corrections at these places are about: there, or the last one before."""
    found = []
    for seq in corrected:
        before = [one.seq for one in listed if one.seq <= seq and one.has_words and not one.pressed]
        found += before[-1:]
    return found


# -- inside the transactions of others


async def erase(connection: AsyncConnection, contact_id: str) -> None:
    """A contact is erased: nothing of their messages stays in the inbox."""
    await _remove_where(connection, mishaps.c.contact_id == contact_id)


async def forget(connection: AsyncConnection, conversation_ids: Sequence[str]) -> None:
    """The same for conversations whose words have become too old."""
    await _remove_where(connection, mishaps.c.conversation_id.in_(list(conversation_ids)))


async def move(connection: AsyncConnection, conversation_ids: Sequence[str], contact_id: str) -> None:
    """These conversations belong to another contact now."""
    moved = update(mishaps).where(mishaps.c.conversation_id.in_(list(conversation_ids)))
    await connection.execute(moved.values(contact_id=contact_id))


async def _remove_where(connection: AsyncConnection, condition: Any) -> None:
    found = await connection.execute(select(mishaps.c.message_id).where(condition))
    ids = list(found.scalars())
    if ids:
        await InboxStore(connection).remove(ids)
