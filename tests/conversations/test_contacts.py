"""What staff know and change of a contact: profile, history, an agent's link, and notes about tickets."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from conversations.audit import AuditLog
from conversations.audit_store import AuditStore
from conversations.contact_model import ContactProfile
from conversations.errors import ContactChanged, DifferentCustomers, InvalidField, InvalidMessage, NotFound
from conversations.model import Address, MessageKind
from tests.conversations.builders import LIN, MAX, TestDesk, hands_off, says


async def contact_of(desk: TestDesk, contact: str = "visitor-1", **more: Any) -> ContactProfile:
    """A contact who has written."""
    receipt = await desk.send("hello", contact, **more)
    conversation = await desk.get(receipt.conversation_id)
    return await desk.conversations.contact_profile(conversation.contact_id)


async def entries_of(desk: TestDesk, kind: str) -> list[dict[str, Any]]:
    log = AuditLog(b"k" * 32)
    async with desk.database.read() as connection:
        opened = [await log.open_entry(connection, row.body) async for row in AuditStore(connection).entries()]
    return [one for one in opened if one["kind"] == kind]


async def test_an_agent_changes_what_is_known_of_a_contact(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    changed = await desk.conversations.edit_contact(
        contact.id, LIN, contact.revision, {"name": "  Ann   Field ", "tier": "vip", "note": "prefers mornings"}
    )
    assert (changed.name, changed.tier, changed.note) == ("Ann Field", "vip", "prefers mornings")
    assert changed.revision > contact.revision
    cleared = await desk.conversations.edit_contact(contact.id, LIN, changed.revision, {"tier": ""})
    assert (cleared.name, cleared.tier) == ("Ann Field", None)


async def test_a_change_is_audited_with_old_and_new_values_sealed(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"name": "Ann Field"})
    (entry,) = await entries_of(desk, "contact_edited")
    assert (entry["actor"], entry["contact_id"], entry["data"]) == ("agent:agent-lin", contact.id, {"fields": ["name"]})
    assert entry["personal"] == {"old": {"name": None}, "new": {"name": "Ann Field"}}
    async with desk.database.read() as connection:
        assert not [row async for row in AuditStore(connection).entries() if "Ann Field" in row.body]


async def test_an_edit_made_from_an_older_state_is_refused_and_loses_nothing(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"note": "Lin was first"})
    with pytest.raises(ContactChanged):
        await desk.conversations.edit_contact(contact.id, MAX, contact.revision, {"note": "Max came later"})
    assert (await desk.conversations.contact_profile(contact.id)).note == "Lin was first"


async def test_of_two_edits_at_once_one_wins(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    edits = [
        desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"note": f"note {n}"}) for n in range(4)
    ]
    outcomes = await asyncio.gather(*edits, return_exceptions=True)
    assert sum(isinstance(one, ContactProfile) for one in outcomes) == 1
    assert sum(isinstance(one, ContactChanged) for one in outcomes) == 3


@pytest.mark.parametrize(
    ("field", "value"), [("name", "x" * 300), ("language", "fr"), ("tier", "platinum"), ("note", "x" * 5000)]
)
async def test_a_value_that_cannot_be_names_its_field(desk: TestDesk, field: str, value: str) -> None:
    contact = await contact_of(desk)
    with pytest.raises(InvalidField) as refused:
        await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {field: value})
    assert refused.value.field == field
    with pytest.raises(InvalidMessage):
        await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"customer_id": "C0001"})


async def test_the_name_an_agent_set_is_not_replaced_by_the_channels(desk: TestDesk) -> None:
    contact = await contact_of(desk, contact_name="annie_92")
    await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"name": "Ann Field"})
    receipt = await desk.send("again", contact_name="annie_93")
    assert (await desk.get(receipt.conversation_id)).contact_name == "Ann Field"


async def test_a_tier_set_by_hand_counts_in_the_queue_and_at_once(desk: TestDesk) -> None:
    waiting = await desk.queued()
    before = await desk.get(waiting)
    contact = await desk.conversations.contact_profile(before.contact_id)
    await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"tier": "vip"})
    after = await desk.get(waiting)
    assert after.tier == "vip"
    assert after.rank_at is not None
    assert before.rank_at is not None
    assert after.rank_at < before.rank_at
    await desk.conversations.assign(waiting, LIN)
    await desk.conversations.requeue(waiting, LIN)
    assert (await desk.get(waiting)).tier == "vip"


async def test_other_consoles_hear_of_a_change(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    async with desk.hub.subscribe("staff") as events:
        await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"name": "Ann Field"})
        seen = [await anext(events), await anext(events)]
    assert {event["type"] for event in seen} == {"conversation", "contact"}
    (conversation,) = [event["conversation"] for event in seen if event["type"] == "conversation"]
    assert conversation["contact_name"] == "Ann Field"


async def test_what_an_agent_links_proves_nothing_to_the_bot(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    linked = await desk.conversations.link_customer(contact.id, LIN, "C0001")
    assert (linked.known_as, linked.customer_id, linked.linked_by) == ("C0001", None, "Lin")
    receipt = await desk.send("where is my order")
    assert (await desk.get(receipt.conversation_id)).customer_id is None
    for claim in await desk.conversations.claim_turns(10):
        assert claim.conversation.customer_id is None  # this is what the bot is told
    unlinked = await desk.conversations.unlink_customer(contact.id, LIN)
    assert unlinked.known_as is None


async def test_what_the_contact_proved_outweighs_an_agents_link(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    await desk.conversations.link_customer(contact.id, LIN, "C0001")
    await desk.answer(says("thanks", customer_id="C0002"))
    assert (await desk.conversations.contact_profile(contact.id)).known_as == "C0002"
    with pytest.raises(DifferentCustomers):
        await desk.conversations.link_customer(contact.id, LIN, "C0001")


async def test_the_history_holds_every_channel_of_the_customer_page_by_page(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    await desk.answer(says("thanks", customer_id="C0001"))
    first = (await desk.conversations.find_current(Address("telegram", "default", "visitor-1"))).id  # type: ignore[union-attr]
    await desk.conversations.assign(first, LIN)
    await desk.conversations.resolve(first, LIN)
    await desk.conversations.rate(Address("telegram", "default", "visitor-1"), first, 4, "good")
    other = await contact_of(desk, "visitor-2")
    await desk.conversations.link_customer(other.id, LIN, "C0001")
    stranger = await contact_of(desk, "visitor-3")
    profile = await desk.conversations.contact_profile(contact.id)
    everyone = await desk.conversations.contacts_of(profile)
    assert everyone == [contact.id, other.id]
    page, cursor = await desk.conversations.history(everyone, None, 1)
    assert cursor is not None
    rest, end = await desk.conversations.history(everyone, cursor, 1)
    assert end is None
    assert [one.conversation.contact_id for one in (*page, *rest)] == [other.id, contact.id]
    assert stranger.id not in everyone
    (rated,) = rest
    assert rated.rating is not None
    assert (rated.rating.score, rated.first_words) == (4, "hello")


async def test_a_ticket_is_noted_once_for_staff_only(desk: TestDesk) -> None:
    conversation_id = (await desk.send("hello")).conversation_id
    contact_id = (await desk.get(conversation_id)).contact_id
    for _ in range(2):
        await desk.conversations.note_ticket(
            contact_id, LIN, "TK100300", "no sound", opened=True, conversation_id=conversation_id
        )
    notes = [one for one in await desk.conversations.messages(conversation_id) if one.kind is MessageKind.NOTE]
    assert [(one.author_name, one.text) for one in notes] == [("Lin", "Opened ticket TK100300: no sound")]
    assert await desk.conversations.tickets_of_contacts([contact_id]) == ["TK100300"]
    assert len(await entries_of(desk, "ticket_opened")) == 1


async def test_an_erased_contact_cannot_be_changed(desk: TestDesk) -> None:
    contact = await contact_of(desk)
    await desk.conversations.edit_contact(contact.id, LIN, contact.revision, {"note": "secret"})
    await desk.conversations.erase_contact(contact.id, LIN)
    with pytest.raises(NotFound):
        await desk.conversations.link_customer(contact.id, LIN, "C0001")
    gone = await desk.conversations.contact_profile(contact.id)
    assert (gone.note, gone.name, gone.addresses) == ("", None, ())


async def test_editing_while_turns_are_committed_blocks_nobody(desk: TestDesk) -> None:
    contact = await contact_of(desk)

    async def edits() -> None:
        for n in range(5):
            current = await desk.conversations.contact_profile(contact.id)
            try:
                await desk.conversations.edit_contact(contact.id, LIN, current.revision, {"note": f"note {n}"})
            except ContactChanged:
                continue

    async def turns() -> None:
        for n in range(5):
            await desk.send(f"message {n}", contact_name=f"name {n}")
            await desk.answer(hands_off() if n == 4 else says("fine"))

    async with asyncio.timeout(20):
        await asyncio.gather(edits(), turns())
