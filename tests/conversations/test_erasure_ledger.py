"""Erasures are listed outside the database, and repeated on one that is older than they are."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import select

from conversations.attachment_store import AttachmentStore
from conversations.erasure_ledger import ErasureLedger
from conversations.model import Attachment
from conversations.sealing_store import sealed_contact
from conversations.tables import attachments, contacts
from tests.conversations.builders import LIN, TestDesk, address, inbound


async def contact_of(desk: TestDesk, contact: str = "visitor-1") -> str:
    receipt = await desk.conversations.receive(inbound("my secret illness", contact))
    return (await desk.get(receipt.conversation_id)).contact_id


async def test_an_erasure_is_noted_by_ids_only(desk: TestDesk, tmp_path: Path) -> None:
    desk.conversations.erasure_ledger = ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    contact_id = await contact_of(desk)
    await desk.conversations.erase_contact(contact_id, LIN)
    [noted] = ledger.read()
    assert noted.contacts == (contact_id,)
    assert len(noted.conversations) == 1
    assert "visitor" not in ledger.path.read_text()


async def test_what_cannot_be_noted_is_not_erased(desk: TestDesk, tmp_path: Path) -> None:
    desk.conversations.erasure_ledger = ErasureLedger(tmp_path)  # a folder, in which nothing can be noted
    contact_id = await contact_of(desk)
    with pytest.raises(OSError, match="directory"):
        await desk.conversations.erase_contact(contact_id, LIN)
    async with desk.database.read() as connection:
        erased = (await connection.execute(select(contacts.c.erased_at))).scalar_one()
    assert erased is None


async def test_a_restored_database_forgets_again_what_it_does_not_know_of(desk: TestDesk, tmp_path: Path) -> None:
    """F42: the ledger comes from the desk that erased, the database from before."""
    desk.conversations.erasure_ledger = ledger = ErasureLedger(tmp_path / "erasures.jsonl")
    kept = await contact_of(desk, "somebody else")
    erased = await contact_of(desk)
    await desk.conversations.erase_contact(erased, LIN)
    assert await desk.conversations.erase_again(ledger.read()) == [], "nothing to do where it was done"
    async with desk.database.write() as connection:  # as the backup has it
        ann = await sealed_contact(connection, erased, {"name": "Ann", "erased_at": None})
        await connection.execute(contacts.update().where(contacts.c.id == erased).values(ann))
    [again] = await desk.conversations.erase_again(ledger.read())
    assert again.contacts == (erased,)
    assert (await desk.conversations.contact_profile(erased)).name is None
    assert (await desk.conversations.contact_profile(kept)).erased_at is None


async def test_files_that_were_brought_and_never_sent_are_forgotten_too(desk: TestDesk) -> None:
    contact_id = await contact_of(desk)
    brought = Attachment("f" * 32, "x.txt", "text/plain", 1)
    await AttachmentStore(desk.database).add(brought, str(address()), desk.clock())
    assert await desk.conversations.erase_contact(contact_id, LIN) == ["f" * 32]
    async with desk.database.read() as connection:
        assert (await connection.execute(select(attachments.c.owner))).all() == []
