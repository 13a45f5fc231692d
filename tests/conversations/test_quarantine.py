"""A message that breaks its turn again and again is set aside, alone, with its reason, and can be given back."""

from __future__ import annotations

import pytest

from conversations.__main__ import operate
from conversations.engine import Engine
from conversations.errors import ConversationError, IllegalTransition, NotFound
from conversations.model import Author, Status
from conversations.turn_model import TurnRequest, TurnResult
from tests.conversations.builders import LIN, TestDesk, echo, says, until

LEASE = 60


async def set_aside(desk: TestDesk) -> str:
    """A message whose turn was tried three times and never came back."""
    receipt = await desk.send("poison")
    for _ in range(3):
        assert len(await desk.conversations.claim_turns(1)) == 1
        desk.clock.advance(LEASE)
    engine = desk.engine()
    await engine.start()
    await until(lambda: has_turn(desk, receipt.conversation_id))
    await engine.stop()
    return receipt.message_id


async def has_turn(desk: TestDesk, conversation_id: str, count: int = 1) -> bool:
    return len(await desk.conversations.traces(conversation_id)) >= count


async def test_what_was_set_aside_is_listed_with_its_reason(desk: TestDesk) -> None:
    message_id = await set_aside(desk)
    [one] = await desk.conversations.set_aside()
    assert one.message_id == message_id
    assert one.reason == "its worker died or stood still 3 times"
    conversation = await desk.get(one.conversation_id)
    assert conversation.status is Status.QUEUED, "people take over"


async def test_the_reason_is_the_kind_of_error_and_never_its_words(desk: TestDesk) -> None:
    def breaks(request: TurnRequest) -> TurnResult | Exception:
        return KeyError("my secret illness")

    desk.bot.answer = breaks
    receipt = await desk.send("my secret illness")
    engine = desk.engine()
    await engine.start()

    async def gone() -> bool:
        desk.clock.advance(5)
        return bool(await desk.conversations.set_aside())

    await until(gone)
    await engine.stop()
    [one] = await desk.conversations.set_aside()
    assert (one.message_id, one.reason) == (receipt.message_id, "KeyError")


async def test_later_messages_of_the_contact_go_on_with_people(desk: TestDesk) -> None:
    await set_aside(desk)
    receipt = await desk.send("are you there?")
    assert (await desk.get(receipt.conversation_id)).status is Status.QUEUED
    assert await desk.conversations.claim_turns(10) == []


async def test_who_wrote_at_the_same_time_is_not_set_aside_with_it(desk: TestDesk) -> None:
    """F10: a process that dies takes eight turns down; only one of them did it."""
    poison = await desk.send("poison", contact="poison")
    innocent = [await desk.send("hello", contact=f"innocent {n}") for n in range(7)]

    async def a_process_lives() -> bool:
        """Until it dies of the poison, or has nothing left to do."""
        while claims := await desk.conversations.claim_turns(8):
            if any(claim.message.id == poison.message_id and not claim.poisoned for claim in claims):
                desk.clock.advance(LEASE)
                return True
            for claim in claims:
                result = says("sorry") if claim.poisoned else says("fine")
                await desk.conversations.commit_turn(claim, result, desk.clock(), dead=claim.poisoned)
        return False

    deaths = 0
    while await a_process_lives():
        deaths += 1
    assert deaths == 3
    assert [one.message_id for one in await desk.conversations.set_aside()] == [poison.message_id]
    for receipt in innocent:
        assert await desk.said(receipt.conversation_id, Author.BOT) == ["fine"]


async def test_the_engine_runs_one_suspect_at_a_time(desk: TestDesk) -> None:
    sent = [await desk.send("hello", contact=f"suspect {n}") for n in range(3)]
    for _ in range(2):
        assert len(await desk.conversations.claim_turns(8)) == 3
        desk.clock.advance(LEASE)
    assert len(await desk.conversations.claim_turns(8, suspects=1)) == 1
    assert await desk.conversations.claim_turns(8, suspects=0) == []
    desk.clock.advance(LEASE)
    engine: Engine = desk.engine()
    await engine.start()
    for receipt in sent[1:]:
        await until(lambda receipt=receipt: has_turn(desk, receipt.conversation_id))  # type: ignore[misc]
    await engine.stop()


async def test_an_operator_gives_it_back_to_the_bot(desk: TestDesk) -> None:
    message_id = await set_aside(desk)
    [one] = await desk.conversations.set_aside()
    with pytest.raises(IllegalTransition):
        await desk.conversations.release_message(message_id)  # people have the conversation
    await desk.conversations.assign(one.conversation_id, LIN)
    await desk.conversations.release(one.conversation_id, LIN)
    assert "in line" in (await operate(desk.conversations, "release", message_id))[0]
    assert await desk.conversations.set_aside() == []
    [claim] = await desk.conversations.claim_turns(1)
    assert (claim.message.id, claim.attempts) == (message_id, 1)
    with pytest.raises(NotFound, match="set-aside"):
        await desk.conversations.release_message(message_id)


async def test_the_command_lists_what_went_wrong(desk: TestDesk) -> None:
    assert await operate(desk.conversations, "dead-letters") == ["No delivery was given up. 没有放弃投递的消息。"]
    assert await operate(desk.conversations, "set-aside") == ["No message is set aside. 没有被搁置的消息。"]
    message_id = await set_aside(desk)
    [line] = await operate(desk.conversations, "set-aside")
    assert line.startswith(message_id)
    with pytest.raises(ConversationError, match="is not a dead letter"):
        await operate(desk.conversations, "replay", "nothing")


async def test_a_start_that_knows_it_is_alone_waits_for_no_lease(desk: TestDesk) -> None:
    """F11: what a killed process held is taken at once."""
    receipt = await desk.send("hello")
    [dead] = await desk.conversations.claim_turns(1)
    assert await desk.conversations.claim_turns(1) == []
    assert await desk.conversations.recover() == (1, 0)
    [alive] = await desk.conversations.claim_turns(1)
    assert alive.message.id == receipt.message_id
    assert alive.fence > dead.fence, "should the other one live after all, its answer is refused"


async def test_a_slow_bot_is_spoken_for_once_and_a_quick_one_never(desk: TestDesk) -> None:
    """F16: the contact is told that it takes longer; the answer comes after that."""
    import asyncio

    engine = desk.engine(patience_seconds=0.05)
    await engine.start()
    desk.bot.gate = asyncio.Event()
    receipt = await desk.send("hello")

    async def told() -> bool:
        return len(await desk.said(receipt.conversation_id)) == 2

    await until(told)
    await asyncio.sleep(0.2)
    desk.bot.gate.set()
    await until(lambda: has_turn(desk, receipt.conversation_id))
    said = await desk.said(receipt.conversation_id)
    assert said[0] == "hello"
    assert "still on it" in said[1]
    assert said[2:] == ["you said hello"]
    quick = await desk.send("hello", contact="visitor-2")
    desk.bot.answer = echo
    await until(lambda: has_turn(desk, quick.conversation_id))
    assert await desk.said(quick.conversation_id) == ["hello", "you said hello"]
    await engine.stop()
