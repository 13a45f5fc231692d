"""What was merged comes apart again with everybody's own words, waits and tickets, and nothing of an erased contact stays."""

from __future__ import annotations

from datetime import timedelta

from conversations.audit_store import AuditStore
from conversations.model import Address, InboundMessage, Status, new_id
from tests.conversations.builders import LIN, TestDesk


async def test_undoing_a_merge_gives_both_their_own_words_and_waits_back(desk: TestDesk) -> None:
    source = await desk.queued("my parcel is lost", contact="bo")
    await desk.at_the_desk(LIN)
    target = await desk.assigned(LIN, contact="ann")
    await desk.conversations.reply_as_agent(target, LIN, "I have refunded you.")
    waits = (await desk.get(source)).waiting_since
    await desk.conversations.merge(source, target, LIN)
    await desk.send("and this is my ID 110101", "bo")
    await desk.conversations.undo_merge(source, LIN)
    after, back = await desk.get(target), await desk.get(source)
    assert (after.preview, after.preview_author, after.waiting_since) == ("I have refunded you.", "agent", None)
    assert (back.status, back.waiting_since) == (Status.QUEUED, waits)


async def test_who_waited_with_an_agent_still_waits_after_the_merge_is_undone(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    source = await desk.assigned(LIN, contact="bo")
    await desk.send("are you there?", "bo")
    target = await desk.assigned(LIN, contact="ann")
    waits = (await desk.get(source)).waiting_since
    assert waits is not None
    await desk.conversations.merge(source, target, LIN)
    await desk.conversations.undo_merge(source, LIN)
    assert (await desk.get(source)).waiting_since == waits


async def test_who_waits_and_is_merged_into_what_sleeps_is_not_put_aside(desk: TestDesk) -> None:
    await desk.at_the_desk(LIN)
    target = await desk.queued(contact="ann")
    await desk.conversations.snooze(target, LIN, desk.clock() + timedelta(days=30))
    source = await desk.queued("are you there? it is urgent", contact="bo")
    await desk.conversations.merge(source, target, LIN)
    queue = await desk.conversations.list_conversations("queued")
    assert target in [one.id for one in queue.items]
    assert (await desk.get(target)).snoozed_until is None


async def test_what_an_erased_contact_wrote_into_a_merged_conversation_is_nowhere(desk: TestDesk) -> None:
    """F42: not in the list, and not in the audit trail under somebody else's key."""
    source = await desk.queued(contact="bo")
    target = await desk.assigned(LIN, contact="ann")
    await desk.conversations.merge(source, target, LIN)
    await desk.send("my passport is E12345678", "bo")
    assert "E12345678" in (await desk.get(target)).preview
    await desk.conversations.erase_contact((await desk.get(source)).contact_id, LIN)
    assert "E12345678" not in (await desk.get(target)).preview
    async with desk.database.read() as connection:
        rows = AuditStore(connection).entries()
        opened = [await desk.conversations.audit.open_entry(connection, row.body) async for row in rows]
    assert not [one for one in opened if "E12345678" in str(one)]


async def test_what_the_other_contact_said_last_stays_in_the_list(desk: TestDesk) -> None:
    source = await desk.queued(contact="bo")
    target = await desk.assigned(LIN, contact="ann")
    await desk.conversations.merge(source, target, LIN)
    await desk.send("my passport is E12345678", "bo")
    await desk.send("and mine is on its way", "ann")
    await desk.conversations.erase_contact((await desk.get(source)).contact_id, LIN)
    assert (await desk.get(target)).preview == "and mine is on its way"


async def test_a_ticket_goes_back_with_the_conversation_in_which_it_came_up(desk: TestDesk) -> None:
    theirs, hers = await desk.send("hello", "bo"), await desk.send("hello", "ann")
    bo, ann = [(await desk.get(one.conversation_id)).contact_id for one in (theirs, hers)]
    merge = await desk.conversations.merge_contacts(bo, ann, LIN)
    for number, where in (("TK1", theirs), ("TK2", hers)):
        await desk.conversations.note_ticket(
            ann, LIN, number, "a parcel", opened=True, conversation_id=where.conversation_id
        )
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert await desk.conversations.tickets_of_contacts([bo]) == ["TK1"]
    assert await desk.conversations.tickets_of_contacts([ann]) == ["TK2"]


async def test_a_separated_contact_is_not_found_by_the_number_of_the_other_one(desk: TestDesk) -> None:
    async def by_phone(number: str, name: str) -> str:
        message = InboundMessage(
            Address("whatsapp", "default", number), new_id(), "hi", contact_name=name, language="en"
        )
        receipt = await desk.conversations.receive(message)
        return (await desk.get(receipt.conversation_id)).contact_id

    bo, ann = await by_phone("+8613800138000", "Bo"), await by_phone("+8613911112222", "Ann")
    merge = await desk.conversations.merge_contacts(bo, ann, LIN)
    profile = await desk.conversations.contact_profile(ann)
    await desk.conversations.edit_contact(ann, LIN, profile.revision, {"name": "Ann Lee"})
    await desk.conversations.separate_contacts(merge.id, LIN)
    found = await desk.conversations.search_contacts("13800138000", [], "nobody")
    assert [one.profile.id for one in found] == [bo]
