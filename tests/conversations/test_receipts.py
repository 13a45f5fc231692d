"""Who has read what: marks move forward only, and each side hears of the other's."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.model import Address, Conversation, OutboundMessage
from conversations.outbox import Outbox
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, address, until


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


class Post:
    """A channel account whose clock is the desk's, and an outbox that sends through it."""

    def __init__(self, desk: TestDesk) -> None:
        self.desk = desk
        self.taken: dict[str, tuple[str, datetime]] = {}  #: by its text: outbox id, and when the channel took it
        self._outbox = Outbox(desk.conversations, self._deliver, poll_seconds=0.01)

    async def _deliver(self, _to: Address, message: OutboundMessage) -> str:
        self.taken[message.text] = (message.outbox_id, self.desk.clock())
        return f"mid-{len(self.taken)}"

    async def sends(self, conversation_id: str, *texts: str) -> list[int]:
        """Agent Lin says something; the places of it in the transcript, once all of it is out."""
        seqs = []
        await self._outbox.start()
        for text in texts:
            seqs.append((await self.desk.conversations.reply_as_agent(conversation_id, LIN, text)).seq)

            async def is_out(text: str = text) -> bool:
                return text in self.taken

            await until(is_out)
            self.desk.clock.advance(10)
        await self._outbox.stop()
        return seqs

    async def tells(self, *, read: bool, **named: Any) -> bool:
        return await self.desk.conversations.reached("telegram", "default", "visitor-1", read=read, **named)


@pytest.fixture
async def conversation_id(desk: TestDesk) -> str:
    return await desk.assigned()


async def marks(desk: TestDesk, conversation_id: str) -> tuple[int, int]:
    found = await look(desk, conversation_id)
    return found.contact_received_seq, found.contact_read_seq


async def test_channels_move_the_marks_of_what_arrived_and_was_read_forward_in_whatever_order_they_tell(
    desk: TestDesk, conversation_id: str
) -> None:
    post = Post(desk)
    first, second = await post.sends(conversation_id, "one", "two")
    (one, _), (two, _) = post.taken["one"], post.taken["two"]
    assert await post.tells(read=True, outbox_id=two)
    assert not await post.tells(read=True, outbox_id=one)
    assert await post.tells(read=False, outbox_id=one)
    assert await marks(desk, conversation_id) == (first, second)
    assert await post.tells(read=False, outbox_id=two)
    assert not await post.tells(read=False, outbox_id=two)
    assert await marks(desk, conversation_id) == (second, second)


async def test_the_staff_hear_of_what_arrived(desk: TestDesk, conversation_id: str) -> None:
    post = Post(desk)
    [seq] = await post.sends(conversation_id, "one")
    happened_at = post.taken["one"][1]
    async with desk.hub.subscribe("staff") as staff:
        news = aiter(staff)
        await post.tells(read=False, outbox_id=post.taken["one"][0], at=happened_at)
        await post.tells(read=True, outbox_id=post.taken["one"][0], at=happened_at)
        events = [await anext(news), await anext(news)]
    assert [(event["type"], event["conversation_id"], event["seq"], event["by"]) for event in events] == [
        ("received", conversation_id, seq, "contact"),
        ("read", conversation_id, seq, "contact"),
    ]
    assert (await look(desk, conversation_id)).contact_read_at == happened_at


async def test_a_watermark_means_what_the_channel_had_taken_until_then(desk: TestDesk, conversation_id: str) -> None:
    post = Post(desk)
    first, second = await post.sends(conversation_id, "one", "two")
    taken_first, taken_second = post.taken["one"][1], post.taken["two"][1]
    assert await post.tells(read=True, until=taken_first)
    assert await marks(desk, conversation_id) == (0, first)
    assert not await post.tells(read=True, until=taken_first + timedelta(seconds=1))
    assert await post.tells(read=True, until=taken_second)
    assert not await post.tells(read=True, until=taken_first - timedelta(hours=1))
    assert await marks(desk, conversation_id) == (0, second)


async def test_other_accounts_and_made_up_ids_move_nothing(desk: TestDesk, conversation_id: str) -> None:
    post = Post(desk)
    await post.sends(conversation_id, "one")
    outbox_id, taken_at = post.taken["one"]
    told = desk.conversations.reached
    assert not await told("whatsapp", "default", "visitor-1", read=True, outbox_id=outbox_id)
    assert not await told("telegram", "other", "visitor-1", read=True, outbox_id=outbox_id)
    assert not await told("telegram", "default", "somebody-else", read=True, until=taken_at)
    assert not await post.tells(read=True, outbox_id="nothing-of-ours")
    assert await marks(desk, conversation_id) == (0, 0)
