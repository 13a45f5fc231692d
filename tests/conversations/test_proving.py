"""Who proves at two places to be the same customer is one person there, and nobody else is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from conversations.model import Address, Conversation, InboundMessage, Receipt, Status
from conversations.proof_store import ProofStore
from conversations.proof_tables import link_refusals, proofs
from conversations.tables import audit_entries
from conversations.teams import Roster
from tests.conversations.builders import LIN, MAX, TestDesk, hands_off, inbound, says, team
from tests.conversations.test_linking import link, sent_to

WEB, PHONE, WORK = (
    Address("webchat", "default", "v-1"),
    Address("telegram", "shop", "100"),
    Address("wecom", "default", "ann@corp"),
)


async def write(desk: TestDesk, at: Address, text: str, **more: Any) -> Receipt:
    return await desk.conversations.receive(InboundMessage(at, inbound().external_id, text, language="en", **more))


async def proves(desk: TestDesk, at: Address, customer: str = "C0001", by: str | None = "code") -> Receipt:
    """The contact proves to the bot who they are, and the desk looks at what that links."""
    receipt = await write(desk, at, "it is me")
    await desk.answer(says("Thank you.", customer_id=customer, proved_by=by))
    await desk.conversations.link_proved()
    return receipt


async def conversation(desk: TestDesk, receipt: Receipt) -> Conversation:
    return await desk.get(receipt.conversation_id)


async def contact_of(desk: TestDesk, receipt: Receipt) -> str:
    profile = await desk.conversations.contact_profile((await conversation(desk, receipt)).contact_id)
    return profile.id


async def test_a_code_in_two_places_makes_them_one_persons(desk: TestDesk) -> None:
    before = await proves(desk, WEB)
    here = await proves(desk, PHONE)
    assert await contact_of(desk, before) == await contact_of(desk, here)
    on = await write(desk, WEB, "back at the computer")
    assert on.conversation_id == here.conversation_id
    moved = await conversation(desk, on)
    assert (moved.address, moved.reached_at, moved.customer_id) == (WEB, WEB, "C0001")


async def test_what_the_contact_was_doing_goes_on_and_they_are_told_once(desk: TestDesk) -> None:
    await proves(desk, WEB)
    here = await proves(desk, PHONE)
    moved = await conversation(desk, here)
    assert (moved.status, moved.reached_at) == (Status.BOT, PHONE)
    await desk.conversations.link_proved()
    told = [text for text in await sent_to(desk, PHONE) if "not me" in text]
    assert len(told) == 1
    assert not [text for text in await sent_to(desk, WEB) if "not me" in text]
    again = await write(desk, PHONE, "so where is it?")
    assert again.conversation_id == here.conversation_id
    await desk.answer(says("On its way."))
    assert (await sent_to(desk, PHONE))[-1] == "On its way."


async def test_both_places_show_the_thread_and_what_the_home_had_before(desk: TestDesk) -> None:
    past = await proves(desk, WEB)
    await desk.conversations.resolve_idle(-1)
    here = await proves(desk, PHONE)
    for at in (WEB, PHONE):
        shown = await desk.conversations.transcript(at)
        assert list(dict.fromkeys(m.conversation_id for m in shown)) == [
            past.conversation_id, here.conversation_id,
        ]  # fmt: skip


@pytest.mark.parametrize("by", ["last4", None])
async def test_four_digits_link_nothing(desk: TestDesk, by: str | None) -> None:
    one = await proves(desk, WEB)
    other = await proves(desk, PHONE, by=by)
    assert (await conversation(desk, other)).customer_id == "C0001"
    assert await contact_of(desk, one) != await contact_of(desk, other)


async def test_four_digits_and_then_a_code_link(desk: TestDesk) -> None:
    one = await proves(desk, WEB)
    other = await proves(desk, PHONE, by="last4")
    await proves(desk, PHONE)
    assert await contact_of(desk, one) == await contact_of(desk, other)


async def test_different_customers_with_the_same_name_stay_apart(desk: TestDesk) -> None:
    for at, customer in ((WEB, "C0001"), (PHONE, "C0002")):
        await write(desk, at, "hello", contact_name="Ann")
        await proves(desk, at, customer)
    one, other = await write(desk, WEB, "hi"), await write(desk, PHONE, "hi")
    assert await contact_of(desk, one) != await contact_of(desk, other)


async def test_an_agent_keeps_the_one_thread_there_is(desk: TestDesk) -> None:
    begun = await proves(desk, WEB)
    await write(desk, WEB, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(begun.conversation_id, LIN)
    stray = await proves(desk, PHONE)
    assert ((await conversation(desk, stray)).status, (await conversation(desk, stray)).resolved_by) == (
        Status.RESOLVED, "linked",
    )  # fmt: skip
    assert "not me" in (await sent_to(desk, PHONE))[-1]  # where they are
    await desk.conversations.reply_as_agent(begun.conversation_id, LIN, "I have your order before me.")
    assert (await sent_to(desk, PHONE))[-1] == "I have your order before me."
    on = await write(desk, PHONE, "here I am")
    assert on.conversation_id == begun.conversation_id
    held = await conversation(desk, on)
    assert (held.status, held.agent_id, held.reached_at) == (Status.ASSIGNED, LIN.id, PHONE)
    assert len((await desk.conversations.list_conversations("all")).items) == 1


async def test_who_people_help_where_the_proof_is_given_takes_the_thread_along(desk: TestDesk) -> None:
    await proves(desk, WEB)
    here = await proves(desk, PHONE, by="last4")
    await write(desk, PHONE, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(here.conversation_id, LIN)
    await write(desk, WORK, "unrelated")
    async with desk.database.write() as connection:
        await ProofStore(connection).note(PHONE, "C0001", "code", desk.clock())
    await desk.conversations.link_proved()
    held = await conversation(desk, here)
    assert (held.status, held.agent_id, held.address, held.reached_at) == (Status.ASSIGNED, LIN.id, WEB, PHONE)
    assert (await write(desk, WEB, "me again")).conversation_id == here.conversation_id


async def test_people_in_both_places_finish_first(desk: TestDesk) -> None:
    held = []
    for at in (WEB, PHONE):
        receipt = await write(desk, at, "it is me, and a person please")
        await desk.answer(says("Thank you.", customer_id="C0001", proved_by="code", handoff="asked_for_person"))
        await desk.conversations.assign(receipt.conversation_id, LIN, over_capacity=True)
        held.append(receipt)
    await desk.conversations.link_proved()
    assert await contact_of(desk, held[0]) != await contact_of(desk, held[1])
    await desk.conversations.resolve(held[0].conversation_id, LIN, ask=False)
    assert await desk.conversations.link_proved() == 0  # not at every look
    desk.clock.advance(31)
    assert await desk.conversations.link_proved() == 1
    assert await contact_of(desk, held[0]) == await contact_of(desk, held[1])
    assert (await conversation(desk, held[1])).agent_id == LIN.id


async def test_not_me_parts_the_places_and_no_proof_links_them_again(desk: TestDesk) -> None:
    before = await proves(desk, WEB)
    here = await proves(desk, PHONE)
    said = await write(desk, PHONE, "That's not me!")
    assert "separate again" in (await desk.last(said.conversation_id)).text
    assert said.conversation_id == here.conversation_id
    parted = await conversation(desk, said)
    assert (parted.address, parted.reply_to) == (PHONE, None)
    assert await contact_of(desk, before) != await contact_of(desk, said)
    assert (await write(desk, WEB, "hello")).conversation_id != said.conversation_id
    await proves(desk, PHONE)
    await proves(desk, WEB)
    assert await contact_of(desk, before) != await contact_of(desk, said)


async def test_not_me_said_at_the_other_place_works_as_well(desk: TestDesk) -> None:
    before = await proves(desk, WEB)
    here = await proves(desk, PHONE)
    said = await write(desk, WEB, "这不是我")
    assert (await conversation(desk, said)).address == WEB
    assert said.conversation_id not in (here.conversation_id,)
    assert (await conversation(desk, here)).address == PHONE
    assert await contact_of(desk, before) == await contact_of(desk, said)


async def test_not_me_is_a_message_like_any_other_where_nothing_was_linked(desk: TestDesk) -> None:
    receipt = await write(desk, WEB, "not me")
    await desk.answer(says("Who then?"))
    assert await desk.said(receipt.conversation_id) == ["not me", "Who then?"]


async def test_not_me_a_week_later_undoes_nothing(desk: TestDesk) -> None:
    before = await proves(desk, WEB)
    await proves(desk, PHONE)
    desk.clock.advance(8 * 24 * 3600)
    said = await write(desk, PHONE, "not me")
    assert await contact_of(desk, before) == await contact_of(desk, said)


async def test_what_a_supervisor_separates_is_not_linked_again(desk: TestDesk) -> None:
    await proves(desk, WEB)
    here = await proves(desk, PHONE)
    profile = await desk.conversations.contact_profile(await contact_of(desk, here))
    [(merge, _)] = await desk.conversations.merges_of_contact(profile.id)
    assert (merge.by_id, merge.by_name) == ("contact", "proof")
    await desk.conversations.separate_contacts(merge.id, LIN, oversees=True)
    await proves(desk, PHONE)
    assert (await conversation(desk, await write(desk, PHONE, "hi"))).address == PHONE
    # A third place joins one of them, and still not the other.
    third = await proves(desk, WORK)
    contacts = {await contact_of(desk, await write(desk, at, "hi")) for at in (WEB, PHONE, WORK)}
    assert len(contacts) == 2
    assert await contact_of(desk, third) in contacts


async def test_the_contacts_own_code_links_what_was_parted(desk: TestDesk) -> None:
    await proves(desk, WEB)
    await proves(desk, PHONE)
    await write(desk, PHONE, "not me")
    receipt = await link(desk, WEB, PHONE)
    assert await contact_of(desk, receipt) == await contact_of(desk, await write(desk, WEB, "hi"))


async def test_a_crash_between_proof_and_link_is_made_good_by_the_next_sweep(desk: TestDesk) -> None:
    one = await proves(desk, WEB)
    other = await write(desk, PHONE, "it is me")
    await desk.answer(says("Thank you.", customer_id="C0001", proved_by="code"))
    assert await contact_of(desk, one) != await contact_of(desk, other)
    assert await desk.conversations.link_proved() == 1
    assert await contact_of(desk, one) == await contact_of(desk, other)


async def test_linking_and_parting_are_in_the_audit_trail(desk: TestDesk) -> None:
    wanted = ("proved", "contacts_merged", "carried", "contacts_separated")
    await proves(desk, WEB)
    await proves(desk, PHONE)
    await write(desk, PHONE, "not me")
    async with desk.database.read() as connection:
        bodies = (await connection.execute(select(audit_entries.c.body).order_by(audit_entries.c.n))).scalars()
        kinds = [json.loads(body)["kind"] for body in bodies]
    assert [kind for kind in kinds if kind in wanted] == [
        "proved", "proved", "contacts_merged", "carried", "contacts_separated",
    ]  # fmt: skip


async def test_erasing_the_contact_forgets_proofs_and_refusals(desk: TestDesk) -> None:
    await proves(desk, WEB)
    here = await proves(desk, PHONE)
    await write(desk, PHONE, "not me")
    await desk.conversations.erase_contact(await contact_of(desk, here), LIN)
    async with desk.database.read() as connection:
        left = [row.channel for row in await connection.execute(select(proofs))]
        assert left == ["webchat"]
        assert (await connection.execute(select(link_refusals))).first() is None


class Shop:
    """The customers of a shop by phone and e-mail, as the desk asks for them."""

    def __init__(self, desk: TestDesk, **customers: str) -> None:
        self.asked: list[str] = []
        self.customers = customers
        object.__setattr__(desk.conversations.surroundings, "customer_of", self.find)

    async def find(self, point: str) -> str | None:
        self.asked.append(point)
        if point == "broken":
            raise ConnectionError("the customer system is down")
        return self.customers.get(point.removeprefix("+"))


async def test_a_phone_the_channel_vouches_for_proves_who_it_is_before_the_first_answer(desk: TestDesk) -> None:
    Shop(desk, **{"8613800000000": "C0001"})
    one = await proves(desk, WEB)
    receipt = await write(desk, PHONE, "where is my order?", vouched="+8613800000000")
    assert (await conversation(desk, receipt)).customer_id == "C0001"
    await desk.conversations.link_proved()
    assert await contact_of(desk, one) == await contact_of(desk, receipt)


async def test_a_phone_of_nobody_and_a_customer_system_that_is_down_prove_nothing(desk: TestDesk) -> None:
    Shop(desk)
    for point in ("+4915112345678", "broken"):
        receipt = await write(desk, PHONE, "hello", vouched=point)
        assert (await conversation(desk, receipt)).customer_id is None


async def test_a_phone_is_looked_up_until_it_is_known_and_then_no_more(desk: TestDesk) -> None:
    shop = Shop(desk, **{"8613800000000": "C0001"})
    for _ in range(3):
        await write(desk, PHONE, "hello", vouched="+8613800000000")
    assert shop.asked == ["+8613800000000"]


async def test_the_customer_system_is_not_asked_about_a_stranger_at_every_message(desk: TestDesk) -> None:
    shop = Shop(desk)
    for seconds in (0, 60, 660):
        desk.clock.advance(seconds)
        await write(desk, PHONE, "hello", vouched="+8613800000000")
    assert len(shop.asked) == 2


async def test_the_channels_word_does_not_turn_one_customer_into_another(desk: TestDesk) -> None:
    Shop(desk, **{"8613800000000": "C0002"})
    await proves(desk, PHONE, "C0001", by="last4")
    receipt = await write(desk, PHONE, "hello", vouched="+8613800000000")
    assert (await conversation(desk, receipt)).customer_id == "C0001"


async def test_the_agent_who_served_them_elsewhere_is_offered_them_first(desk: TestDesk) -> None:
    desk.roster = Roster(teams=(team(mode="offer"),))
    served = await proves(desk, WEB)
    await write(desk, WEB, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(served.conversation_id, MAX)
    await desk.conversations.resolve(served.conversation_id, MAX, ask=False)
    await desk.at_the_desk(LIN, MAX)
    returned = await proves(desk, PHONE)
    await write(desk, PHONE, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.route_queue()
    assert (await conversation(desk, returned)).offered_to == MAX.id


async def test_the_agent_who_gave_it_to_the_bot_still_counts_as_having_served_them(desk: TestDesk) -> None:
    served = await proves(desk, WEB)
    await write(desk, WEB, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(served.conversation_id, MAX)
    await desk.conversations.release(served.conversation_id, MAX)
    await desk.conversations.resolve_idle(-1)
    returned = await write(desk, WEB, "a person again")
    assert returned.conversation_id != served.conversation_id
    await desk.answer(hands_off())
    assert (await conversation(desk, returned)).previous_agent == MAX.id


async def test_nobody_waits_for_the_agent_they_know(desk: TestDesk) -> None:
    desk.roster = Roster(teams=(team(mode="offer"),))
    served = await proves(desk, WEB)
    await write(desk, WEB, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(served.conversation_id, MAX)
    await desk.conversations.resolve(served.conversation_id, MAX, ask=False)
    await desk.conversations.agent_seen(MAX.id, MAX.name, "away")
    await desk.at_the_desk(LIN)
    returned = await proves(desk, PHONE)
    await write(desk, PHONE, "a person please")
    await desk.answer(hands_off())
    await desk.conversations.route_queue()
    assert (await conversation(desk, returned)).offered_to == LIN.id
