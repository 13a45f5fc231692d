"""A contact that one process erases is gone from the memory of the others, too."""

from __future__ import annotations

from conversations.audit import AuditLog
from conversations.erased_elsewhere import ErasedElsewhere
from tests.conversations.builders import LIN, TestDesk, says, until


async def test_a_key_that_another_process_destroyed_is_used_no_more(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    await desk.answer(says("Hello."))
    await desk.send("and again")
    await desk.answer(says("Hello again."))
    contact_id = (await desk.get(receipt.conversation_id)).contact_id
    elsewhere = AuditLog(b"k" * 32)  # another process's, on the same database
    listening = ErasedElsewhere(desk.hub, elsewhere)
    await listening.start()

    async def listens() -> bool:
        return "staff" in desk.hub._topics

    await until(listens)
    async with desk.database.write() as connection:
        await elsewhere._key_for(connection, contact_id)
    assert elsewhere.keyring.writing_key(contact_id) is not None
    await desk.conversations.erase_contact(contact_id, LIN)

    async def forgotten() -> bool:
        return elsewhere.keyring.writing_key(contact_id) is None

    await until(forgotten)
    await listening.stop()
