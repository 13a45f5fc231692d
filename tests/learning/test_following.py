"""What comes to the trainers' inbox, and why."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import func, select

from conversations.erasing import Periods
from conversations.model import HandoffReason
from learning.inbox_tables import mishap_groups, mishap_vectors, mishaps
from tests.conversations.builders import LIN, address
from tests.learning.builders import Loop

PERSON = HandoffReason.ASKED_FOR_PERSON.value


async def rows_in(loop: Loop, table: object) -> int:
    async with loop.database.read() as connection:
        return int((await connection.execute(select(func.count()).select_from(table))).scalar_one())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("traced", "reasons"),
    [
        ({"route": "clarify", "confidence": 0.4}, ["low_confidence", "clarified"]),
        (
            {"route": "clarify", "confidence": 0.1, "missed": True, "intent": "out_of_scope"},
            ["low_confidence", "missed"],
        ),
        ({"route": "task", "confidence": 0.5}, ["low_confidence"]),
        ({"route": "handoff", "confidence": 0.1, "missed": True}, ["low_confidence", "missed", "handed_off"]),
    ],
)
async def test_what_the_turn_itself_shows_is_a_reason(
    loop: Loop, traced: dict[str, object], reasons: list[str]
) -> None:
    await loop.turn("can you gift wrap it", **traced)
    assert await loop.follower.catch_up() == 1
    assert await loop.reasons() == {"can you gift wrap it": reasons}


@pytest.mark.parametrize(
    "traced",
    [
        {"route": "task", "confidence": 0.95},
        {"route": "smalltalk", "intent": "joke", "confidence": 0.99},
        {"route": "knowledge", "intent": "ask_knowledge", "confidence": 0.2},
        {"route": "task", "intent": "inform", "confidence": 0.2},
        {"route": "handoff", "replies_by": "service", "error": "no answer in time"},
    ],
)
async def test_what_went_well_or_was_nobodys_fault_is_left_out(loop: Loop, traced: dict[str, object]) -> None:
    await loop.turn("where is my parcel", **traced)
    assert await loop.follower.catch_up() == 0
    assert await loop.groups() == []


async def test_a_spoken_message_is_read_without_its_mark(loop: Loop) -> None:
    await loop.turn("🎤 gift wrap", route="clarify", confidence=0.4)
    assert await loop.follower.catch_up() == 1
    assert await loop.texts() == [["gift wrap"]]


async def test_whoever_asks_for_a_person_does_so_for_what_came_before(loop: Loop) -> None:
    await loop.turn("hello", route="smalltalk", intent="greet")
    await loop.turn("where is my parcel")
    await loop.turn("a person please", handoff=PERSON, route="handoff", intent="handoff", confidence=0.99)
    await loop.follower.catch_up()
    assert await loop.reasons() == {"where is my parcel": ["handed_off"]}
    [group] = await loop.groups()
    assert (group.handoffs, group.contacts, group.messages) == (1, 1, 1)


async def test_an_insult_says_that_the_answer_before_was_disliked(loop: Loop) -> None:
    await loop.turn("where is my parcel")
    await loop.turn("you are useless", route="smalltalk", intent="insult")
    await loop.follower.catch_up()
    assert await loop.reasons() == {"where is my parcel": ["disliked"]}


async def test_a_low_rating_finds_the_turns_of_its_part_and_a_corrected_one_lets_them_go(loop: Loop) -> None:
    conversation_id = await loop.turn("where is my parcel")
    await loop.turn("and can you gift wrap it", **{"route": "clarify", "confidence": 0.4})
    await loop.follower.catch_up()
    assert await loop.reasons() == {"and can you gift wrap it": ["low_confidence", "clarified"]}
    await loop.rated(conversation_id, 1, solved=False)
    await loop.follower.catch_up()
    assert await loop.reasons() == {
        "where is my parcel": ["disliked", "low_rating"],
        "and can you gift wrap it": ["low_confidence", "clarified", "disliked", "low_rating"],
    }
    assert {group.mean_rating for group in await loop.groups()} == {1.0}
    await loop.desk.conversations.rate(address("ann"), conversation_id, 5, solved=True)
    await loop.follower.catch_up()
    assert await loop.reasons() == {"and can you gift wrap it": ["low_confidence", "clarified"]}
    assert [group.mean_rating for group in await loop.groups()] == [5.0]


async def test_an_agent_who_turns_the_bots_answer_down_corrects_the_message_it_was_for(loop: Loop) -> None:
    conversation_id = await loop.turn("is the lamp dimmable")
    await loop.follower.catch_up()
    facts = {"conversation_id": conversation_id, "kind": "bot", "seq": 1, "reason": "wrong"}
    await loop.desk.conversations.record("assist_rejected", LIN, facts)
    await loop.follower.catch_up()
    assert await loop.reasons() == {"is the lamp dimmable": ["corrected"]}
    await loop.turn("fine then")  # judged anew, the correction stays
    await loop.follower.catch_up()
    assert await loop.reasons() == {"is the lamp dimmable": ["corrected"]}


async def test_one_wish_is_one_group_in_both_languages_and_repeats_are_counted(loop: Loop) -> None:
    await loop.misses("can you gift wrap it", contact="ann")
    await loop.misses("gift wrap it please can you", contact="ben")
    await loop.misses("gift wrap", "礼品包装", contact="cai")
    await loop.misses("is the shop closed on monday", contact="dan")
    groups = await loop.groups()
    assert [(group.messages, group.contacts) for group in groups] == [(4, 3), (1, 1)]
    assert groups[0].by_reason["missed"] == 4


async def test_a_process_that_dies_in_between_loses_and_repeats_nothing(loop: Loop) -> None:
    for number in range(7):
        await loop.turn(f"gift wrap {number}", **{"route": "clarify", "confidence": 0.4})
    first = loop.another_follower(batch=3)
    await first.step()
    second = loop.another_follower(batch=5)
    await second.catch_up()
    await loop.follower.catch_up()
    assert sum(group.messages for group in await loop.groups()) == 7
    progress = await loop.follower.progress()
    assert (progress.behind, progress.read) == (0, progress.of)


async def test_the_follower_reads_what_happened_before_it_was_first_started(loop: Loop) -> None:
    await loop.turn("gift wrap", **{"route": "clarify", "confidence": 0.4})
    follower = loop.another_follower(poll_seconds=0.01)
    await follower.start()
    try:
        async with asyncio.timeout(20):
            while not await loop.groups():  # noqa: ASYNC110  # it is another task that brings them
                await asyncio.sleep(0.02)
    finally:
        await follower.stop()
    assert await loop.texts() == [["gift wrap"]]


async def test_nothing_of_an_erased_contact_stays_and_the_group_forgets_their_vector(loop: Loop) -> None:
    await loop.misses("can you gift wrap it", contact="ann")
    await loop.misses("gift wrap it please", contact="ben")
    ann = (await loop.desk.conversations.list_conversations("bot")).items
    contact = next(one.contact_id for one in ann if one.address.contact == "ann")
    await loop.desk.conversations.erase_contact(contact, None)
    assert await loop.texts() == [["gift wrap it please"]]
    assert (await rows_in(loop, mishaps), await rows_in(loop, mishap_vectors)) == (1, 1)
    async with loop.database.read() as connection:
        row = (await connection.execute(select(mishap_groups))).one()
        left = (await connection.execute(select(mishap_vectors.c.vector))).scalar_one()
    centre, vector = np.frombuffer(row.centre, np.float32), np.frombuffer(left, np.float16).astype(np.float32)
    assert np.allclose(centre, vector / np.linalg.norm(vector), atol=1e-3)
    other = next(one.contact_id for one in ann if one.address.contact == "ben")
    await loop.desk.conversations.erase_contact(other, None)
    assert (await rows_in(loop, mishaps), await rows_in(loop, mishap_groups)) == (0, 0)


async def test_an_erased_contact_is_not_brought_back_by_what_happened_before(loop: Loop) -> None:
    await loop.turn("can you gift wrap it", **{"route": "clarify", "confidence": 0.4})
    [one] = (await loop.desk.conversations.list_conversations("bot")).items
    await loop.desk.conversations.erase_contact(one.contact_id, None)
    assert await loop.follower.catch_up() == 0
    assert await rows_in(loop, mishap_vectors) == 0


async def test_words_that_became_too_old_leave_the_inbox(loop: Loop) -> None:
    conversation_id = await loop.turn("can you gift wrap it", **{"route": "clarify", "confidence": 0.4})
    await loop.follower.catch_up()
    await loop.desk.conversations.resolve(conversation_id, LIN)
    loop.clock.advance(90 * 86_400)
    await loop.desk.conversations.forget_what_is_old(Periods(messages=timedelta(days=30)))
    assert (await rows_in(loop, mishaps), await rows_in(loop, mishap_vectors)) == (0, 0)


async def test_a_trace_that_became_too_old_takes_no_reason_away(loop: Loop) -> None:
    conversation_id = await loop.turn("can you gift wrap it", **{"route": "clarify", "confidence": 0.4})
    await loop.follower.catch_up()
    loop.clock.advance(90 * 86_400)
    await loop.desk.conversations.forget_what_is_old(Periods(traces=timedelta(days=30)))
    await loop.rated(conversation_id, 2)
    await loop.follower.catch_up()
    assert await loop.reasons() == {"can you gift wrap it": ["low_confidence", "clarified"]}


async def test_groups_that_came_close_are_merged_and_counted_together(loop: Loop) -> None:
    await loop.misses("gift wrap alpha beta gamma", contact="ann")
    await loop.misses("gift wrap delta epsilon zeta", contact="ben")
    apart = await loop.groups()
    await loop.misses("gift wrap", "gift wrap alpha delta", "gift wrap beta epsilon", contact="cai")
    groups = await loop.groups()
    assert sum(group.messages for group in groups) == 5
    assert len(groups) <= len(apart)
    for group in apart:
        assert (await loop.inbox.look(group.id)).group.id in {one.id for one in groups}


async def test_the_follower_waits_while_messages_come_faster_than_they_are_answered(loop: Loop) -> None:
    calm = asyncio.Event()

    async def give_way() -> None:
        await calm.wait()

    await loop.turn("can you gift wrap it", route="clarify", confidence=0.4)
    follower = loop.another_follower(poll_seconds=0.01, give_way=give_way)
    await follower.start()
    try:
        await asyncio.sleep(0.3)
        assert await loop.groups() == []
        calm.set()
        for _ in range(500):
            if await loop.groups():
                return
            await asyncio.sleep(0.02)
        pytest.fail("it never went on")
    finally:
        await follower.stop()


async def test_a_reviewer_sends_a_message_here_whatever_the_turn_showed(loop: Loop) -> None:
    conversation_id = await loop.turn("where is my parcel")
    await loop.follower.catch_up()
    assert await loop.groups() == []
    facts = {"review_id": "r", "conversation_id": conversation_id, "seq": 1}
    await loop.desk.conversations.record("turn_sent_to_inbox", LIN, facts)
    await loop.follower.catch_up()
    assert await loop.reasons() == {"where is my parcel": ["reviewer"]}
    await loop.turn("fine then")  # judged anew, it stays
    await loop.follower.catch_up()
    assert await loop.reasons() == {"where is my parcel": ["reviewer"]}
