"""Who has read what: marks move forward only, and each side hears of the other's."""

from __future__ import annotations

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.model import Conversation
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, address


async def look(desk: TestDesk, conversation_id: str) -> Conversation:
    return await desk.conversations.get_conversation(conversation_id)


async def test_what_the_contact_has_read_is_stored_and_told_to_the_staff(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    last = (await look(desk, conversation_id)).last_seq
    async with desk.hub.subscribe("staff") as staff:
        assert await desk.conversations.read_by_contact(address(), conversation_id, last)
        event = await anext(aiter(staff))
    assert {name: event[name] for name in ("type", "conversation_id", "seq", "by")} == {
        "type": "read",
        "conversation_id": conversation_id,
        "seq": last,
        "by": "contact",
    }
    after = await look(desk, conversation_id)
    assert after.contact_read_seq == last
    assert after.contact_read_at is not None


async def test_marks_never_go_back_nor_beyond_the_end_nor_into_another_contacts_conversation(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    last = (await look(desk, conversation_id)).last_seq
    desks = desk.conversations
    assert not await desks.read_by_contact(address(), conversation_id, last + 1)
    assert not await desks.read_by_contact(address("somebody-else"), conversation_id, last)
    assert await desks.read_by_contact(address(), conversation_id, last)
    assert not await desks.read_by_contact(address(), conversation_id, last - 1)
    assert not await desks.read_by_contact(address(), conversation_id, last)
    assert (await look(desk, conversation_id)).contact_read_seq == last


async def test_the_contact_hears_of_the_agent_who_holds_the_conversation_only(desk: TestDesk) -> None:
    conversation_id = await desk.assigned(LIN)
    conversation = await look(desk, conversation_id)
    async with desk.hub.subscribe(f"contact:{address()}") as contact:
        assert not await desk.conversations.read_by_agent(conversation, MAX, conversation.last_seq)
        assert await desk.conversations.read_by_agent(conversation, LIN, conversation.last_seq)
        event = await anext(aiter(contact))
    assert (event["by"], event["seq"]) == ("agent", conversation.last_seq)
    assert (await look(desk, conversation_id)).agent_read_seq == conversation.last_seq


async def test_a_change_of_the_conversation_keeps_the_marks(desk: TestDesk) -> None:
    conversation_id = await desk.assigned()
    last = (await look(desk, conversation_id)).last_seq
    await desk.conversations.read_by_contact(address(), conversation_id, last)
    await desk.conversations.read_by_agent(await look(desk, conversation_id), LIN, last)
    await desk.conversations.reply_as_agent(conversation_id, LIN, "hello")
    await desk.conversations.resolve(conversation_id, LIN)
    after = await look(desk, conversation_id)
    assert (after.contact_read_seq, after.agent_read_seq) == (last, last)


@given(seqs=st.lists(st.integers(0, 8), min_size=1, max_size=6))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_mark_is_the_highest_that_exists(place: str, seqs: list[int]) -> None:
    import asyncio

    from conversations.store import Database
    from tests.conversations.conftest import clean_postgres

    async def run() -> None:
        database = Database.open(place) if place.startswith("sqlite") else await clean_postgres(place)
        desk = TestDesk(database, Clock())
        contact = f"reader-{id(desk)}-{seqs}"
        conversation_id = await desk.queued(contact=contact)
        last = (await look(desk, conversation_id)).last_seq
        await asyncio.gather(
            *(desk.conversations.read_by_contact(address(contact), conversation_id, seq) for seq in seqs)
        )
        expected = max((seq for seq in seqs if seq <= last), default=0)
        assert (await look(desk, conversation_id)).contact_read_seq == expected
        await database.close()

    asyncio.run(run())
