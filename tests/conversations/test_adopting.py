"""A visitor who signs in takes along what they said, in every browser, and can be parted from it again."""

from __future__ import annotations

import random
import secrets
from datetime import timedelta

import pytest
from sqlalchemy import select

from conversations.errors import SignatureUsed, SignedIn
from conversations.model import Address, Author, Status
from conversations.proof_tables import used_signatures
from tests.conversations.builders import LIN, MAX, TestDesk, hands_off, says
from tests.conversations.test_linking import link
from tests.conversations.test_proving import WORK, contact_of, conversation, proves, write

TELEGRAM = Address("telegram", "shop", "100")
USER = Address("webchat", "default", "u" * 32)


def browser(name: str = "") -> Address:
    return Address("webchat", "default", name or secrets.token_hex(16))


async def sign_in(
    desk: TestDesk, visitor: Address, user: Address = USER, *, signature: str = "", customer: str | None = None
) -> Address:
    """The site says who a visitor is; returns where they write from now on."""
    ends = desk.clock() + timedelta(hours=1)
    await desk.conversations.sign_in(
        user, visitor, signature or secrets.token_hex(32), ends, anonymous=True, name="Ann", customer_id=customer
    )
    return user


async def test_language_agent_and_history_go_with_the_user(desk: TestDesk) -> None:
    begun = await write(desk, browser("v1"), "a person please")
    await desk.answer(hands_off())
    await desk.conversations.assign(begun.conversation_id, MAX)
    at = await sign_in(desk, browser("v1"))
    on = await write(desk, at, "now I am signed in")
    held = await conversation(desk, on)
    assert (held.id, held.agent_id, held.reached_at, held.language) == (begun.conversation_id, MAX.id, USER, "en")
    await desk.conversations.resolve(held.id, MAX, ask=False)
    elsewhere = await sign_in(desk, browser("v2"))
    assert (await desk.conversations.transcript(elsewhere))[0].text == "a person please"
    again = await write(desk, elsewhere, "a person again")
    await desk.answer(hands_off())
    assert (await conversation(desk, again)).previous_agent == MAX.id


async def test_who_wrote_nothing_before_leaves_no_trace_but_the_user(desk: TestDesk) -> None:
    await sign_in(desk, browser("v1"))
    assert await desk.conversations.find_current(USER) is None
    assert (await write(desk, browser("v1"), "hello")).seq == 1  # never heard of, so nothing was retired


async def test_a_retired_visitor_neither_writes_nor_reads_on(desk: TestDesk) -> None:
    await write(desk, browser("v1"), "hello")
    await sign_in(desk, browser("v1"))
    await write(desk, USER, "for my eyes only")
    assert await desk.conversations.is_retired(browser("v1"))
    assert await desk.conversations.transcript(browser("v1")) == []
    with pytest.raises(SignedIn, match="say hello again"):
        await write(desk, browser("v1"), "who is there?")


async def test_a_signature_belongs_to_the_browser_that_brought_it_first(desk: TestDesk) -> None:
    await sign_in(desk, browser("v1"), signature="s" * 64)
    await sign_in(desk, browser("v1"), signature="s" * 64)
    with pytest.raises(SignatureUsed, match="for every page"):
        await sign_in(desk, browser("v2"), signature="s" * 64)
    desk.clock.advance(3 * 3600)
    await sign_in(desk, browser("v3"), signature="t" * 64)
    async with desk.database.read() as connection:
        kept = list((await connection.execute(select(used_signatures.c.signature_hash))).scalars())
    assert kept == ["t" * 64]


async def test_a_visitor_who_was_proved_somebody_else_is_left_alone(desk: TestDesk) -> None:
    other = await proves(desk, browser("v1"), "C0002", by="last4")
    await sign_in(desk, browser("v2"), customer="C0001")
    await sign_in(desk, browser("v1"))
    assert not await desk.conversations.is_retired(browser("v1"))
    assert await contact_of(desk, other) != await contact_of(desk, await write(desk, USER, "hi"))


async def test_a_visitor_who_was_proved_somebody_else_than_the_site_says_is_left_alone(desk: TestDesk) -> None:
    other = await proves(desk, browser("v1"), "C0002", by="last4")
    await sign_in(desk, browser("v1"), customer="C0001")
    mine = await write(desk, USER, "hi")
    assert (await conversation(desk, mine)).customer_id == "C0001"
    assert await contact_of(desk, other) != await contact_of(desk, mine)


async def test_what_was_proved_by_whoever_sat_there_does_not_become_the_users_for_good(desk: TestDesk) -> None:
    begun = await proves(desk, browser("v1"), "C0002", by="last4")
    await sign_in(desk, browser("v1"))
    on = await write(desk, USER, "hi")
    assert on.conversation_id == begun.conversation_id
    assert (await conversation(desk, on)).customer_id is None


async def test_the_sites_word_links_other_channels_of_the_customer(desk: TestDesk) -> None:
    there = await proves(desk, TELEGRAM)
    await write(desk, browser("v1"), "hello")
    await sign_in(desk, browser("v1"), customer="C0001")
    here = await write(desk, USER, "me again")
    assert await contact_of(desk, here) == await contact_of(desk, there)
    assert (await conversation(desk, here)).customer_id == "C0001"
    assert (await write(desk, TELEGRAM, "and here")).conversation_id == here.conversation_id


async def test_a_visitor_whom_an_agent_took_for_the_user_before_goes_on_as_well(desk: TestDesk) -> None:
    user = await write(desk, USER, "hello")
    await desk.conversations.resolve_idle(-1)
    begun = await write(desk, browser("v1"), "hello")
    await desk.conversations.merge_contacts(await contact_of(desk, begun), await contact_of(desk, user), LIN)
    await sign_in(desk, browser("v1"))
    assert (await write(desk, USER, "still here")).conversation_id == begun.conversation_id
    assert await desk.conversations.is_retired(browser("v1"))


async def test_what_was_linked_to_the_visitor_by_code_follows_the_user(desk: TestDesk) -> None:
    begun = await write(desk, browser("v1"), "hello")
    await link(desk, browser("v1"), TELEGRAM)
    await write(desk, browser("v1"), "back at the computer")
    await sign_in(desk, browser("v1"))
    for at in (USER, TELEGRAM, USER):
        assert (await write(desk, at, "here")).conversation_id == begun.conversation_id
    assert (await conversation(desk, begun)).reached_at == USER
    assert await desk.conversations.transcript(browser("v1")) == []


async def test_separating_gives_the_visitor_back_what_they_said(desk: TestDesk) -> None:
    past = await write(desk, USER, "an older matter")
    begun = await write(desk, browser("v1"), "hello")
    opened_at = (await conversation(desk, begun)).opened_at
    await sign_in(desk, browser("v1"))
    assert (await conversation(desk, past)).resolved_by == "linked"
    profile = await desk.conversations.contact_profile((await conversation(desk, begun)).contact_id)
    [(merge, _)] = await desk.conversations.merges_of_contact(profile.id)
    assert merge.by_name == "sign_in"
    await desk.conversations.separate_contacts(merge.id, LIN, oversees=True)
    parted = await conversation(desk, begun)
    assert (parted.address, parted.reply_to, parted.opened_at) == (browser("v1"), None, opened_at)
    assert (await write(desk, browser("v1"), "me again")).conversation_id == begun.conversation_id
    assert (await write(desk, USER, "me too")).conversation_id not in (begun.conversation_id, past.conversation_id)


async def test_what_began_earlier_but_goes_on_is_the_newest_at_the_users_place(desk: TestDesk) -> None:
    begun = await write(desk, browser("v1"), "begun first")
    await write(desk, USER, "begun second")
    await sign_in(desk, browser("v1"))
    on = await write(desk, USER, "which one?")
    assert on.conversation_id == begun.conversation_id
    shown = [one.text for one in await desk.conversations.transcript(USER) if one.author is Author.CONTACT]
    assert shown == ["begun second", "begun first", "which one?"]


async def test_erasing_the_user_forgets_the_signatures_of_their_browsers(desk: TestDesk) -> None:
    begun = await write(desk, browser("v1"), "hello")
    await sign_in(desk, browser("v1"))
    await desk.conversations.erase_contact((await conversation(desk, begun)).contact_id, LIN)
    async with desk.database.read() as connection:
        assert (await connection.execute(select(used_signatures))).first() is None


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_hundred_changes_of_browser_and_channel_keep_one_thread(desk: TestDesk, seed: int) -> None:
    """Browsers come and go, signed in or about to be; Telegram is linked by proof, WeCom by code."""
    pick = random.Random(seed)
    await proves(desk, TELEGRAM)
    await sign_in(desk, browser(), customer="C0001")
    receipt = await link(desk, TELEGRAM, WORK)
    thread, said = receipt.conversation_id, 0
    before = len(await desk.conversations.messages(thread, limit=2000))
    for turn in range(200):
        where = pick.choice(("same browser", "new browser", "telegram", "wecom"))
        if where == "new browser":
            await sign_in(desk, browser(), customer=pick.choice(("C0001", None)))
        at = {"telegram": TELEGRAM, "wecom": WORK}.get(where, USER)
        receipt = await write(desk, at, f"turn {turn}")
        assert receipt.conversation_id == thread, f"turn {turn} at {where} began a conversation of its own"
        said += 1
        if pick.random() < 0.5:
            await desk.answer(says(f"answer {turn}"))
            said += 1
        held = await desk.get(thread)
        assert (held.reached_at, held.customer_id, held.status) == (at, "C0001", Status.BOT)
    messages = await desk.conversations.messages(thread, limit=2000)
    assert [one.seq for one in messages] == list(range(1, len(messages) + 1))
    texts = [one.text for one in messages if one.text.startswith("turn ")]
    assert texts == [f"turn {turn}" for turn in range(200)]
    assert len(messages) >= before + said
    assert len((await desk.conversations.list_conversations("all")).items) == 1
