"""What assist and translation keep beside a conversation goes with it when contacts are merged, and comes back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import insert, select

from conversations.audit import AuditLog
from conversations.model import new_id
from conversations.sealing_store import SealingStore
from conversations.store import Database
from handoff.assist.assist_store import AssistStore, erase, move
from handoff.assist.assist_tables import cards, digests, originals, translations
from tests.conversations.builders import LIN, Clock, TestDesk


async def contacts_in(database: Database) -> dict[str, set[str]]:
    """Whose rows each table holds."""
    found: dict[str, set[str]] = {}
    async with database.read() as connection:
        for table in (cards, digests, originals, translations):
            found[table.name] = set((await connection.execute(select(table.c.contact_id))).scalars())
    return found


async def fill(desk: TestDesk, conversation_id: str, contact_id: str) -> None:
    """One row of a conversation in every table."""
    (message, *_) = await desk.conversations.messages(conversation_id)
    now = desk.clock()
    own: dict[str, Any] = {"contact_id": contact_id}
    here = own | {"conversation_id": conversation_id}
    async with desk.database.write() as connection:
        card = {"id": new_id(), "seq": 1, "agent_id": "a", "kind": "bot", "source": "s", "place": 1, "shown_at": now}
        await connection.execute(insert(cards).values(**here, **card))
        text = {"message_id": message.id, "text": "x", "language": "en", "model": "m"}
        for table, row in ((originals, here | text), (translations, own | text | {"created_at": now})):
            sealed = await SealingStore(connection).sealed(table, message.id, contact_id, row)
            await connection.execute(insert(table).values(sealed))
    assert await AssistStore(desk.database).note_digest(conversation_id, contact_id, "f1", "handoff", now)


async def test_cards_digests_and_translations_go_with_their_conversation(database: Database, store: object) -> None:
    desk = TestDesk(database, Clock(), audit=AuditLog(b"k" * 32))
    desk.conversations.moves_too.append(move)
    desk.conversations.erases_too.append(erase)
    both = []
    for contact in ("bo", "ann"):
        conversation_id = (await desk.send("hello", contact)).conversation_id
        both.append((await desk.get(conversation_id)).contact_id)
        if contact == "bo":
            await fill(desk, conversation_id, both[0])
    bo, ann = both
    assert set().union(*(await contacts_in(database)).values()) == {bo}
    merge = await desk.conversations.merge_contacts(bo, ann, LIN)
    assert all(owners == {ann} for owners in (await contacts_in(database)).values())
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert all(owners == {bo} for owners in (await contacts_in(database)).values())
    await desk.conversations.merge_contacts(bo, ann, LIN)
    await desk.conversations.erase_contact(ann, LIN)
    left = await contacts_in(database)
    assert (left["assist_cards"], left["message_originals"], left["message_translations"]) == (set(), set(), set())
    assert await AssistStore(database).digest_counts("f1") == (0, 0)
