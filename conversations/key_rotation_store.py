"""Every contact's keys, and every sealed value that is not sealed with the newest of them yet, a few rows at a time."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import structlog
from sqlalchemy import String, Table, Text, and_, func, insert, literal, or_, select, type_coerce, update
from sqlalchemy.ext.asyncio import AsyncConnection

from conversations.contact_tables import contact_merges
from conversations.episode_tables import ratings
from conversations.model import Author, new_id
from conversations.proactive_store import names_in
from conversations.proactive_tables import proactive_messages
from conversations.sealed_tables import SealedAddress, keys_of
from conversations.sealing import ADDRESS_FORM, DESK, Keyring, Place, SealBroken, is_sealed, key_of, named_in, seal
from conversations.sealing_store import Marks, SealingStore, sealed_columns, typed_by_people
from conversations.tables import (
    addresses,
    attachments,
    contact_keys,
    contacts,
    conversations,
    inbox,
    key_rotations,
    messages,
    metadata,
    turns,
)

log = structlog.get_logger()
_NOTHING = ("", "null", "{}", "[]", '""')  #: what is written openly because it says nothing
_ADDRESSES = "addresses"
_FILES = "older files"
_BEFORE_SEALING = "older values"  #: the rotation that sealed what was there before anything was sealed
#: The same for tables whose values were sealed only later.
_LATER = {
    "proactive_messages": "older notices",
    "messages": "older lists of files",
    "attachments": "older names of files",
}


@dataclass(frozen=True, slots=True)
class _Kept:
    """A table with sealed values, the column that tells its row, and whose key seals it."""

    table: Table
    row: str
    owner: Any = None  #: None: that of its conversation


_BEGAN_WITH = func.coalesce(conversations.c.origin_id, conversations.c.contact_id)
_KEPT = (
    _Kept(contacts, "id", contacts.c.id),
    _Kept(conversations, "id", _BEGAN_WITH),
    _Kept(contact_merges, "id", contact_merges.c.target_id),
    _Kept(ratings, "episode_id"),
    _Kept(inbox, "message_id"),
    _Kept(turns, "turn_id"),
    _Kept(messages, "id"),
    _Kept(proactive_messages, "id", literal(DESK)),
    _Kept(attachments, "id", literal(DESK)),
)
TABLES = tuple(kept.table.name for kept in _KEPT)


@dataclass(frozen=True, slots=True)
class Batch:
    """What became of some rows: where to go on (None at the end), how many values were sealed, how many nobody can read."""

    after: str | None
    sealed: int
    unreadable: int


class KeyRotationStore:
    """Statements of one transaction."""

    def __init__(self, connection: AsyncConnection) -> None:
        self._connection = connection

    @property
    def _keyring(self) -> Keyring:
        return keys_of(self._connection.dialect)

    # -- wrapping keys ------------------------------------------------------------------------------------------

    async def wrapped_by(self) -> dict[str, int]:
        """By the name of a wrapping key, how many contacts' keys it wraps."""
        query = select(contact_keys.c.wrapped_by, func.count()).group_by(contact_keys.c.wrapped_by)
        return {name: int(count) for name, count in await self._connection.execute(query)}

    async def sample(self, name: str) -> tuple[str, str] | None:
        """One contact and its keys that a wrapping key wraps."""
        query = select(contact_keys.c.contact_id, contact_keys.c.wrapped).where(contact_keys.c.wrapped_by == name)
        row = (await self._connection.execute(query.limit(1))).first()
        return None if row is None else (row.contact_id, row.wrapped)

    async def wrap_anew(self, limit: int) -> int:
        """Wrap some contacts' keys by the key in force; returns how many were not."""
        rows = await self._older(contact_keys.c.wrapped_by != self._keyring.current, limit)
        for owner, wrapped in rows:
            await self._put(owner, wrapped, self._keyring.rewrapped(owner, wrapped))
        return len(rows)

    # -- contacts' keys -----------------------------------------------------------------------------------------

    async def unfinished(self) -> str | None:
        """The rotation that did not come to its end."""
        notes = (_BEFORE_SEALING, _ADDRESSES, *_LATER.values())
        going = and_(key_rotations.c.finished_at.is_(None), key_rotations.c.id.not_in(notes))
        query = select(key_rotations.c.id).where(going).order_by(key_rotations.c.begun_at).limit(1)
        rotation: str | None = (await self._connection.execute(query)).scalar()
        return rotation

    async def begin(self, now: datetime) -> str:
        """Note that every contact gets a new key; returns the name of the rotation."""
        rotation = new_id()
        await self._connection.execute(insert(key_rotations).values(id=rotation, begun_at=now))
        return rotation

    async def finish(self, now: datetime) -> None:
        """Note that everything is sealed with the new keys."""
        await self._connection.execute(
            update(key_rotations).where(key_rotations.c.finished_at.is_(None)).values(finished_at=now)
        )

    async def add_keys(self, rotation: str, limit: int) -> int:
        """Give some contacts a new key who have none of this rotation; returns how many did not."""
        old = or_(contact_keys.c.made_in.is_(None), contact_keys.c.made_in != rotation)
        rows = await self._older(and_(old, contact_keys.c.contact_id != DESK), limit)
        for owner, wrapped in rows:
            await self._put(owner, wrapped, self._keyring.with_new_key(owner, wrapped), made_in=rotation)
            self._keyring.forget(owner)
        return len(rows)

    async def _older(self, condition: Any, limit: int) -> list[tuple[str, str]]:
        query = select(contact_keys.c.contact_id, contact_keys.c.wrapped).where(condition)
        rows = await self._connection.execute(query.order_by(contact_keys.c.contact_id).limit(limit))
        return [(row.contact_id, row.wrapped) for row in rows]

    async def _put(self, owner: str, before: str, after: str, **more: Any) -> None:
        """Replace a contact's keys, unless somebody else was quicker."""
        same = and_(contact_keys.c.contact_id == owner, contact_keys.c.wrapped == before)
        values = {"wrapped": after, "wrapped_by": named_in(after), **more}
        await self._connection.execute(update(contact_keys).where(same).values(**values))

    # -- addresses ----------------------------------------------------------------------------------------------

    async def addresses_are_sealed(self) -> bool:
        """Whether no address is from before they were sealed."""
        return await self._noted(_ADDRESSES)

    async def note_addresses_sealed(self, now: datetime) -> None:
        """No address is written openly from now on."""
        await self._note(_ADDRESSES, now)

    async def seal_addresses(self) -> int:
        """Seal every address, which has to be done at once: half of them sealed would be found by nobody."""
        seal, marks, sealed = self._keyring.addresses.seal, SealingStore(self._connection).marks, 0
        for table in metadata.sorted_tables:
            names = [column.name for column in table.c if isinstance(column.type, SealedAddress)]
            for name in names:
                stored = type_coerce(table.c[name], String)
                for plain in (await self._connection.execute(select(stored).distinct())).scalars().all():
                    if not plain or plain.startswith(ADDRESS_FORM + "."):
                        continue
                    values: dict[str, Any] = {name: type_coerce(seal(plain), String)}
                    if table is addresses and name == "contact" and typed_by_people(plain):
                        values["point_mark"] = marks.of_point(plain)
                    done = await self._connection.execute(update(table).where(stored == plain).values(values))
                    sealed += done.rowcount
        return sealed

    # -- files --------------------------------------------------------------------------------------------------

    async def files_are_sealed(self) -> bool:
        """Whether no file is from before they were sealed."""
        return await self._noted(_FILES)

    async def note_files_sealed(self, now: datetime) -> None:
        """No file is kept openly from now on."""
        await self._note(_FILES, now)

    # -- values -------------------------------------------------------------------------------------------------

    async def with_older(self) -> tuple[str, ...]:
        """The tables that may hold values from before theirs were sealed."""
        if not await self._noted(_BEFORE_SEALING):
            return TABLES
        return tuple([table for table, note in _LATER.items() if not await self._noted(note)])

    async def note_older_sealed(self, now: datetime) -> None:
        """Everything is sealed from now on."""
        for note in (_BEFORE_SEALING, *_LATER.values()):
            await self._note(note, now)

    async def _noted(self, id: str) -> bool:
        query = select(key_rotations.c.finished_at).where(key_rotations.c.id == id)
        return (await self._connection.execute(query)).scalar() is not None

    async def _note(self, id: str, now: datetime) -> None:
        if not await self._noted(id):
            await self._connection.execute(insert(key_rotations).values(id=id, begun_at=now, finished_at=now))

    async def seal_some(self, table_name: str, after: str, limit: int) -> Batch:
        """Seal with its owner's newest key what is not, in some rows of a table; what changes meanwhile stays as it is."""
        kept = _KEPT[TABLES.index(table_name)]
        table, names = kept.table, sorted(sealed_columns(kept.table))
        row_id = table.c[kept.row]
        owner = _BEGAN_WITH if kept.owner is None else kept.owner
        stored = [type_coerce(table.c[name], Text).label(name) for name in names]
        more = [table.c.author] if table is messages else []
        query = select(row_id.label("row_id"), owner.label("owner"), *stored, *more)
        if kept.owner is None:
            query = query.join(conversations, conversations.c.id == table.c.conversation_id)
        if after:
            query = query.where(row_id > after)
        rows = (await self._connection.execute(query.order_by(row_id).limit(limit))).all()
        sealed = unreadable = 0
        for row in rows:
            values = row._mapping
            for name in names:
                openly = name == "author_name" and values["author"] != Author.CONTACT.value
                if openly or values[name] is None or values[name] in _NOTHING:
                    continue
                done = await self._seal_one(table, kept.row, values["row_id"], values["owner"], name, values[name])
                sealed += done is True
                unreadable += done is None
        return Batch(rows[-1].row_id if len(rows) == limit else None, sealed, unreadable)

    async def _seal_one(self, table: Table, key: str, row_id: str, owner: str, name: str, stored: str) -> bool | None:
        """Whether a value had to be sealed; None if nobody can read it: its key was destroyed, or it was changed."""
        store, plain = SealingStore(self._connection), stored
        place = Place(table.name, name, row_id)
        if is_sealed(stored):
            owner, version = key_of(stored)
            wrapped = await store.find_keys(owner)
            if wrapped is None:
                return None
            newest = self._keyring.newest(owner, wrapped)
            if newest.version == version:
                return False
            try:
                plain = self._keyring.open(stored, place, wrapped) or ""
            except SealBroken as error:  # left as it is, so that whoever looks into it finds what was there
                log.error("sealed_value_broken", error=str(error))
                return None
        else:
            newest = await store.writing_key(self._keyring, owner)
        values: dict[str, Any] = {name: seal(newest, place, plain)}
        if (marked := _MARKED.get((table.name, name))) is not None:
            values |= marked(store.marks, plain)
        same = and_(table.c[key] == row_id, type_coerce(table.c[name], Text) == stored)
        changed = await self._connection.execute(update(table).where(same).values(**values))
        return bool(changed.rowcount)


#: The columns by which a value is found once it is sealed.
_MARKED: dict[tuple[str, str], Callable[[Marks, str], dict[str, str | None]]] = {
    ("contacts", "name"): lambda marks, name: {"name_mark": marks.of_name(name)},
    ("conversations", "contact_point"): lambda marks, point: {"contact_point_mark": marks.of_point(point)},
    ("proactive_messages", "recipient"): lambda marks, recipient: names_in(marks, json.loads(recipient)),
}
