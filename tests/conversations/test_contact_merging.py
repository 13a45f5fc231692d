"""Two contacts that are one person become one and two again: nothing is lost, nothing is unlocked, nothing stays behind."""

from __future__ import annotations

import asyncio
import json
import random
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conversations.audit import AuditLog
from conversations.audit_check import verify
from conversations.audit_store import AuditStore
from conversations.contact_model import ContactMerge, ContactProfile
from conversations.errors import (
    AlreadyMerged,
    CannotSeparate,
    ConversationError,
    DifferentCustomers,
    InvalidMessage,
    NotFound,
    NotYours,
)
from conversations.model import Agent, Author, Status
from conversations.store import Database
from conversations.tables import metadata
from tests.conversations.builders import LIN, MAX, Clock, TestDesk, hands_off, says

BOSS = Agent("agent-boss", "Boss")
#: What is counted or logged rather than moved.
LOGS = {"audit_entries", "audit_head", "contact_keys", "contact_merges", "search_documents", "link_refusals"}


async def contact_of(desk: TestDesk, contact: str, customer_id: str | None = None, **more: Any) -> ContactProfile:
    """A contact who has written, and perhaps proved who they are."""
    receipt = await desk.send("hello", contact, **more)
    await desk.answer(says("fine", customer_id=customer_id))
    return await profile_of(desk, receipt.conversation_id)


async def profile_of(desk: TestDesk, conversation_id: str) -> ContactProfile:
    return await desk.conversations.contact_profile((await desk.get(conversation_id)).contact_id)


async def pair(desk: TestDesk, **more: Any) -> tuple[ContactProfile, ContactProfile]:
    return await contact_of(desk, "bo", **more), await contact_of(desk, "ann")


async def everything(database: Database) -> dict[str, list[str]]:
    """Every row of every table that is not a log, without the counters of changes."""
    rows: dict[str, list[str]] = {}
    async with database.read() as connection:
        for table in metadata.sorted_tables:
            if table.name in LOGS:
                continue
            found = (await connection.execute(table.select())).mappings().all()
            forms = [{name: value for name, value in row.items() if name != "revision"} for row in found]
            rows[table.name] = sorted(json.dumps(form, default=str, sort_keys=True) for form in forms)
    return rows


async def test_everything_of_the_source_belongs_to_the_target(desk: TestDesk) -> None:
    bo, ann = await pair(desk, contact_name="Bo")
    await desk.conversations.note_ticket(bo.id, LIN, "TK100300", "no sound", opened=True)
    await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    merged = await desk.conversations.contact_profile(bo.id)  # an old link leads to where it went
    assert (merged.id, merged.name) == (ann.id, "Bo")
    assert [one.address.contact for one in merged.addresses] == ["ann", "bo"]
    page, _ = await desk.conversations.history([ann.id])
    assert {one.conversation.address.contact for one in page} == {"ann", "bo"}
    assert await desk.conversations.tickets_of_contacts([ann.id]) == ["TK100300"]
    assert [(one.source_id, name) for one, name in await desk.conversations.merges_of_contact(ann.id)] == [
        (bo.id, "Bo")
    ]


async def test_what_is_written_afterwards_lands_in_the_open_conversation_of_its_address(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    before = (await desk.send("one", "bo")).conversation_id
    await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    after = await desk.send("two", "bo")
    assert after.conversation_id == before  # one open conversation at an address, as before
    assert (await desk.get(before)).contact_id == ann.id
    assert (await desk.send("three", "ann")).conversation_id != before


async def test_both_notes_are_kept_and_the_targets_own_values_count(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    bo = await desk.conversations.edit_contact(bo.id, LIN, bo.revision, {"name": "Bo", "note": "likes tea"})
    ann = await desk.conversations.edit_contact(ann.id, LIN, ann.revision, {"name": "Ann", "note": "likes coffee"})
    await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    merged = await desk.conversations.contact_profile(ann.id)
    assert (merged.name, merged.note) == ("Ann", "likes coffee\n\nlikes tea")


async def test_merging_unlocks_nothing_at_the_addresses_of_the_other(desk: TestDesk) -> None:
    bo = await contact_of(desk, "bo", "C0001")
    ann = await contact_of(desk, "ann")
    await desk.conversations.merge_contacts(ann.id, bo.id, LIN)
    merged = await desk.conversations.contact_profile(bo.id)
    assert merged.customer_id == "C0001"  # staff see whom they talk to
    assert {one.address.contact: one.customer_id for one in merged.addresses} == {"ann": None, "bo": "C0001"}
    told: dict[str, str | None] = {}
    for contact in ("ann", "bo"):
        await desk.send("where is my order", contact)
    for claim in await desk.conversations.claim_turns(10):
        told[claim.conversation.address.contact] = claim.conversation.customer_id
    assert told == {"ann": None, "bo": "C0001"}  # the bot is told of what was proved there


async def test_a_proof_after_the_merge_counts_where_it_was_given(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    receipt = await desk.send("it is me", "bo")
    await desk.answer(says("thanks", customer_id="C0001"))
    assert (await desk.get(receipt.conversation_id)).customer_id == "C0001"
    assert (await desk.get((await desk.send("hi", "ann")).conversation_id)).customer_id is None
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert (await desk.conversations.contact_profile(bo.id)).customer_id == "C0001"
    assert (await desk.conversations.contact_profile(ann.id)).customer_id is None


async def test_contacts_of_different_customers_are_two_people(desk: TestDesk) -> None:
    bo, ann = await contact_of(desk, "bo", "C0001"), await contact_of(desk, "ann", "C0002")
    with pytest.raises(DifferentCustomers):
        await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    assert (await desk.conversations.preview_merge(bo.id, ann.id)).refused == "different_customers"
    cal = await contact_of(desk, "cal")
    await desk.conversations.link_customer(cal.id, LIN, "C0002")
    with pytest.raises(DifferentCustomers):
        await desk.conversations.merge_contacts(cal.id, bo.id, LIN)
    await desk.conversations.merge_contacts(cal.id, ann.id, LIN)


async def test_a_contact_does_not_merge_with_itself_with_nobody_or_twice(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    with pytest.raises(InvalidMessage):
        await desk.conversations.merge_contacts(bo.id, bo.id, LIN)
    with pytest.raises(NotFound):
        await desk.conversations.merge_contacts(bo.id, "0" * 32, LIN)
    await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    for source, target in ((bo, ann), (ann, bo)):
        with pytest.raises(AlreadyMerged):
            await desk.conversations.merge_contacts(source.id, target.id, LIN)


async def test_of_merges_at_once_one_wins_and_nothing_leads_in_a_circle(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    cal = await contact_of(desk, "cal")
    ways = [(bo, ann), (ann, bo), (ann, cal), (cal, bo), (cal, ann), (bo, cal)]
    outcomes = await asyncio.gather(
        *(desk.conversations.merge_contacts(source.id, target.id, LIN) for source, target in ways),
        return_exceptions=True,
    )
    won = [one for one in outcomes if isinstance(one, ContactMerge)]
    assert 1 <= len(won) <= 2
    assert all(isinstance(one, (ContactMerge, AlreadyMerged)) for one in outcomes), outcomes
    roots = {(await desk.conversations.contact_profile(one.id)).id for one in (bo, ann, cal)}
    assert len(roots) == 3 - len(won)


async def test_messages_that_arrive_during_merges_are_neither_lost_nor_split(desk: TestDesk) -> None:
    bo, ann = await pair(desk)

    async def writes(contact: str) -> None:
        for n in range(8):
            await desk.send(f"{contact} {n}", contact)

    async def turns() -> None:
        for _ in range(6):
            await desk.answer()

    async def merges() -> None:
        for _ in range(3):
            merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
            await asyncio.sleep(0)
            await desk.conversations.separate_contacts(merge.id, LIN)
        await desk.conversations.merge_contacts(bo.id, ann.id, LIN)

    async with asyncio.timeout(30):
        await asyncio.gather(writes("bo"), writes("ann"), turns(), merges())
    page, _ = await desk.conversations.history([ann.id], None, 50)
    assert len(page) == 2  # one at each address
    for past in page:
        contact = past.conversation.address.contact
        said = await desk.said(past.conversation.id, Author.CONTACT)
        assert said == ["hello", *(f"{contact} {n}" for n in range(8))]


async def test_who_merged_them_or_a_supervisor_separates_them(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    with pytest.raises(NotYours):
        await desk.conversations.separate_contacts(merge.id, MAX)
    await desk.conversations.separate_contacts(merge.id, BOSS, oversees=True)
    with pytest.raises(AlreadyMerged):
        await desk.conversations.separate_contacts(merge.id, LIN)
    assert (await desk.conversations.contact_profile(bo.id)).id == bo.id


async def test_merges_are_taken_back_in_turn(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    cal, dee = await contact_of(desk, "cal"), await contact_of(desk, "dee")
    first = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    second = await desk.conversations.merge_contacts(cal.id, ann.id, LIN)
    with pytest.raises(CannotSeparate, match="newer"):
        await desk.conversations.separate_contacts(first.id, LIN)
    third = await desk.conversations.merge_contacts(ann.id, dee.id, LIN)
    with pytest.raises(CannotSeparate, match="itself merged"):
        await desk.conversations.separate_contacts(second.id, LIN)
    for merge in (third, second, first):
        await desk.conversations.separate_contacts(merge.id, LIN)
    for one in (bo, ann, cal, dee):
        assert (await desk.conversations.contact_profile(one.id)).merged_into is None


async def test_what_was_edited_since_stays_and_what_came_since_goes_where_it_came(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    bo = await desk.conversations.edit_contact(bo.id, LIN, bo.revision, {"note": "likes tea"})
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    merged = await desk.conversations.contact_profile(ann.id)
    await desk.conversations.edit_contact(ann.id, LIN, merged.revision, {"note": "likes tea and cake"})
    old = (await desk.send("bye", "bo")).conversation_id
    await desk.conversations.assign(old, LIN)
    await desk.conversations.resolve(old, LIN)
    new = (await desk.send("hello again", "bo")).conversation_id
    assert new != old
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert (await desk.get(new)).contact_id == bo.id
    assert (await desk.conversations.contact_profile(ann.id)).note == "likes tea and cake"
    assert (await desk.conversations.contact_profile(bo.id)).note == "likes tea"


async def opened(desk: TestDesk) -> list[dict[str, Any]]:
    log = AuditLog(b"k" * 32)
    async with desk.database.read() as connection:
        return [await log.open_entry(connection, row.body) async for row in AuditStore(connection).entries()]


async def test_the_audit_stays_readable_and_erasing_the_merged_contact_erases_all_of_it(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    await desk.send("after the merge", "bo")
    await desk.answer()
    words = [one["personal"]["text"] for one in await opened(desk) if one["kind"] == "turn"]
    assert words == ["hello", "hello", "after the merge"]
    await desk.conversations.erase_contact(bo.id, LIN)  # by whichever of the two ids
    assert not [one for one in await opened(desk) if one["personal"] is not None]
    assert (await verify(desk.database, [])).exit_code == 0
    for contact in ("bo", "ann"):
        receipt = await desk.send("hello, I am new", contact)
        assert (await desk.get(receipt.conversation_id)).contact_id not in (bo.id, ann.id)


async def test_erasing_a_contact_that_was_merged_for_a_while_leaves_nothing_with_the_other(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    await desk.send("while merged", "bo")
    await desk.answer()
    await desk.conversations.separate_contacts(merge.id, LIN)
    await desk.conversations.erase_contact(bo.id, LIN)
    told = [one["personal"]["text"] for one in await opened(desk) if one["kind"] == "turn" and one["personal"]]
    assert told == ["hello"]  # Ann's
    async with desk.database.read() as connection:
        kept = " ".join(str(row) for row in await connection.execute(metadata.tables["contact_merges"].select()))
    assert "'bo'" not in kept
    assert '"bo"' not in kept


async def test_an_erased_contact_is_not_separated(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    await desk.conversations.erase_contact(ann.id, LIN)
    with pytest.raises(CannotSeparate, match="erased"):
        await desk.conversations.separate_contacts(merge.id, LIN)


async def test_suggested_are_the_same_customer_phone_and_mail_never_the_same_name(desk: TestDesk) -> None:
    me = await contact_of(desk, "+8613812345678", "C0001", contact_name="Li Ting")
    same_customer = await contact_of(desk, "visitor-2", "C0001")
    same_phone = await contact_of(desk, "13812345678")
    await contact_of(desk, "visitor-3", contact_name="Li Ting")
    same_mail = await contact_of(desk, "Li@Example.cn")
    found = await desk.conversations.same_person(
        await desk.conversations.contact_profile(me.id), ("13812345678", "li@example.cn")
    )
    assert {one.profile.id: one.why for one in found} == {
        same_customer.id: "customer",
        same_phone.id: "phone",
        same_mail.id: "email",
    }


async def test_a_contact_is_found_by_name_address_and_customer(desk: TestDesk) -> None:
    me = await contact_of(desk, "me")
    named = await contact_of(desk, "visitor-2", contact_name="Nora Field")
    phone = await contact_of(desk, "+8613812345678")
    linked = await contact_of(desk, "visitor-4")
    await desk.conversations.link_customer(linked.id, LIN, "C0007")

    async def found(text: str, customers: tuple[str, ...] = ()) -> list[str]:
        return [one.profile.id for one in await desk.conversations.search_contacts(text, customers, me.id)]

    assert await found("nora") == [named.id]
    assert await found("5678") == [phone.id]
    assert await found("KT20260001", ("C0007",)) == [linked.id]
    merge = await desk.conversations.merge_contacts(named.id, me.id, LIN)
    assert await found("nora") == []  # it is part of this one now
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert await found("nora") == [named.id]


async def test_the_preview_counts_what_moves(desk: TestDesk) -> None:
    bo, ann = await pair(desk)
    seen = await desk.conversations.preview_merge(bo.id, ann.id)
    assert (seen.source_holds.conversations, seen.source_holds.open, seen.source_holds.messages) == (1, 1, 2)
    assert seen.refused is None


async def test_merging_and_separating_a_long_history_changes_nothing(desk: TestDesk) -> None:
    bo, ann = await story(desk, random.Random(7))  # repeatable on purpose
    before = await everything(desk.database)
    merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
    assert await everything(desk.database) != before
    await desk.conversations.separate_contacts(merge.id, LIN)
    assert await everything(desk.database) == before


async def story(desk: TestDesk, pick: random.Random) -> tuple[ContactProfile, ContactProfile]:
    """Two contacts with a past: conversations, proofs, labels, ratings, notes, links, an earlier merge."""
    customer = pick.choice([None, "C0001"])
    people = []
    for contact in ("bo", "ann", "cal"):
        await contact_of(
            desk, contact, pick.choice([None, customer]), contact_name=pick.choice([None, contact.title()])
        )
        receipt = await desk.send("more", contact)
        people.append(receipt.conversation_id)
        if pick.random() < 0.6:
            await desk.answer(hands_off())
        if pick.random() < 0.6:
            current = await desk.get(receipt.conversation_id)
            await desk.conversations.assign(current.id, BOSS)
            if pick.random() < 0.7:
                await desk.conversations.resolve(current.id, BOSS)
                await desk.conversations.rate(current.address, current.id, pick.randint(1, 5))
                await desk.send("back", contact)
        profile = await profile_of(desk, receipt.conversation_id)
        if pick.random() < 0.5:
            values = {"note": f"about {contact}", "tier": pick.choice(["", "vip"]), "name": pick.choice(["", "Kim"])}
            await desk.conversations.edit_contact(profile.id, LIN, profile.revision, values)
        if pick.random() < 0.3 and profile.customer_id is None:
            await desk.conversations.link_customer(profile.id, LIN, "C0001")
        if pick.random() < 0.5:
            await desk.conversations.note_ticket(profile.id, LIN, f"TK-{contact}", "x", opened=True)
    bo, ann, cal = [await profile_of(desk, one) for one in people]
    if pick.random() < 0.6:
        await desk.conversations.merge_contacts(cal.id, pick.choice([bo, ann]).id, LIN)
    return await desk.conversations.contact_profile(bo.id), await desk.conversations.contact_profile(ann.id)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_merging_and_separating_is_identity_whatever_happened_before(sqlite_template: Path, seed: int) -> None:
    async def live() -> None:
        with tempfile.TemporaryDirectory() as folder:
            shutil.copy(sqlite_template, Path(folder) / "desk.db")
            database = Database.open(f"sqlite+aiosqlite:///{folder}/desk.db")
            desk = TestDesk(database, Clock())
            bo, ann = await story(desk, random.Random(seed))  # Hypothesis chose the seed
            before = await everything(database)
            try:
                merge = await desk.conversations.merge_contacts(bo.id, ann.id, LIN)
                await desk.conversations.separate_contacts(merge.id, LIN)
            except ConversationError as error:
                raise AssertionError(f"both are one customer's or nobody's: {error}") from None
            assert await everything(database) == before
            conversations = await desk.conversations.list_conversations("all")
            addresses = [one.address for one in conversations.items if one.status is not Status.RESOLVED]
            assert len(addresses) == len(set(addresses))
            await database.close()

    asyncio.run(live())
