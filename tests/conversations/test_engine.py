"""The engine answers every message once, in order, whatever breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from conversations.engine import Engine
from conversations.errors import DialogueRefused, DialogueUnavailable, FencedOut
from conversations.model import Attachment, Author, Status
from conversations.sweeper import Sweeper
from conversations.turn_model import TurnRequest, TurnResult
from conversations.turns import Claim
from tests.conversations.builders import LIN, TestDesk, address, echo, hands_off, says, until


@pytest.fixture
async def engine(desk: TestDesk) -> AsyncIterator[Engine]:
    engine = desk.engine(deadline_seconds=0.2)
    await engine.start()
    yield engine
    await engine.stop()


async def wait_for_turns(desk: TestDesk, conversation_id: str, count: int) -> None:
    async def there() -> bool:
        return len(await desk.conversations.traces(conversation_id)) >= count

    await until(there)


async def test_a_message_is_answered_and_the_trace_kept(desk: TestDesk, engine: Engine) -> None:
    receipt = await desk.send("hello")
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert await desk.said(receipt.conversation_id) == ["hello", "you said hello"]
    [trace] = await desk.conversations.traces(receipt.conversation_id)
    assert (trace.turn_id, trace.in_seq, trace.out_seqs) == (receipt.message_id, 1, (2,))
    assert trace.trace["intent"] == "echo"
    assert desk.bot.requests[0].turn_id == receipt.message_id


async def test_a_burst_is_answered_one_by_one_in_order(desk: TestDesk, engine: Engine) -> None:
    sent = [await desk.send(f"number {n}", contact=f"visitor {n % 3}") for n in range(12)]
    for receipt in sent[:3]:
        await wait_for_turns(desk, receipt.conversation_id, 4)
    for visitor, receipt in enumerate(sent[:3]):
        answers = await desk.said(receipt.conversation_id, Author.BOT)
        assert answers == [f"you said number {n}" for n in range(visitor, 12, 3)]
    turn_ids = [request.turn_id for request in desk.bot.requests]
    assert len(turn_ids) == len(set(turn_ids)) == 12


async def test_one_conversation_has_one_turn_in_flight_while_others_run(desk: TestDesk, engine: Engine) -> None:
    desk.bot.gate = asyncio.Event()
    await desk.send("first", contact="a")
    await desk.send("second", contact="a")
    await desk.send("other", contact="b")

    async def two_asked() -> bool:
        return len(desk.bot.requests) == 2

    await until(two_asked)
    await asyncio.sleep(0.05)
    assert {request.text for request in desk.bot.requests} == {"first", "other"}
    desk.bot.gate.set()


async def test_the_bot_is_seen_typing(desk: TestDesk, engine: Engine) -> None:
    news = desk.hub.subscribe(f"contact:{address()}")
    await desk.send("hello")
    async with asyncio.timeout(5):
        async for event in news:
            if event["type"] == "typing":
                assert event["author"] == "bot"
                break


async def test_a_bot_that_comes_back_in_time_answers(desk: TestDesk, engine: Engine) -> None:
    failures = iter([DialogueUnavailable("starting"), DialogueUnavailable("starting")])
    desk.bot.answer = lambda request: next(failures, None) or echo(request)
    receipt = await desk.send("hello")
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert await desk.said(receipt.conversation_id, Author.BOT) == ["you said hello"]
    assert {request.turn_id for request in desk.bot.requests} == {receipt.message_id}


@pytest.mark.parametrize(
    "trouble",
    [DialogueUnavailable("gone"), DialogueRefused("wrong secret"), TurnResult(()), TurnResult(says("").replies)],
    ids=["unavailable", "refused", "no replies", "empty reply"],
)
async def test_a_bot_that_stays_away_is_never_silence(
    desk: TestDesk, engine: Engine, trouble: TurnResult | Exception
) -> None:
    desk.bot.answer = lambda _request: trouble
    receipt = await desk.send("hello")
    await wait_for_turns(desk, receipt.conversation_id, 1)
    conversation = await desk.conversations.get_conversation(receipt.conversation_id)
    assert (conversation.status, conversation.handoff_reason) == (Status.QUEUED, "dialogue_failed")
    said = await desk.said(receipt.conversation_id)
    assert "something went wrong" in said[1]
    assert "next in line" in said[2]


async def test_a_bot_that_hangs_is_given_up_at_the_deadline(desk: TestDesk, engine: Engine) -> None:
    desk.bot.gate = asyncio.Event()
    receipt = await desk.send("hello")
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert (await desk.conversations.get_conversation(receipt.conversation_id)).status is Status.QUEUED


async def test_messages_that_waited_behind_a_handoff_are_shown_to_people_only(desk: TestDesk, engine: Engine) -> None:
    desk.bot.gate = asyncio.Event()
    desk.bot.answer = hands_off
    receipt = await desk.send("a person please")
    await desk.send("hello? anyone?")
    desk.bot.gate.set()
    await wait_for_turns(desk, receipt.conversation_id, 1)
    await asyncio.sleep(0.05)
    assert len(desk.bot.requests) == 1
    assert (await desk.said(receipt.conversation_id))[:2] == ["a person please", "hello? anyone?"]


async def test_a_message_that_is_only_a_file_is_answered_without_the_bot(desk: TestDesk, engine: Engine) -> None:
    receipt = await desk.send("", attachments=(Attachment("f" * 32, "x.png", "image/png", 1),))
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert "received your file" in (await desk.said(receipt.conversation_id))[-1]
    assert desk.bot.requests == []


async def test_a_message_that_crashes_three_times_is_quarantined_and_order_continues(desk: TestDesk) -> None:
    def crash(request: TurnRequest) -> TurnResult | Exception:
        return ZeroDivisionError("a bug") if request.text == "poison" else echo(request)

    desk.bot.answer = crash
    engine = desk.engine()
    await engine.start()
    receipt = await desk.send("poison")
    await desk.send("after it")

    async def quarantined() -> bool:
        desk.clock.advance(5)
        return bool(await desk.conversations.traces(receipt.conversation_id))

    await until(quarantined)
    assert [request.text for request in desk.bot.requests] == ["poison"] * 3
    conversation = await desk.conversations.get_conversation(receipt.conversation_id)
    assert (conversation.status, conversation.handoff_reason) == (Status.QUEUED, "dialogue_failed")
    await desk.conversations.release(receipt.conversation_id, LIN)
    await desk.send("hello again")
    await wait_for_turns(desk, receipt.conversation_id, 2)
    assert (await desk.said(receipt.conversation_id))[-1] == "you said hello again"
    await engine.stop()


async def test_a_message_whose_workers_died_three_times_is_quarantined(desk: TestDesk) -> None:
    receipt = await desk.send("poison")
    for _ in range(3):
        [claim] = await desk.conversations.claim_turns(1)
        assert not claim.poisoned
        desk.clock.advance(60)
    engine = desk.engine()
    await engine.start()
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert desk.bot.requests == []
    assert "something went wrong" in (await desk.said(receipt.conversation_id))[1]
    await engine.stop()


async def test_a_dead_workers_turn_is_taken_again_after_its_lease(desk: TestDesk) -> None:
    await desk.send("hello")
    [dead] = await desk.conversations.claim_turns(1)
    assert await desk.conversations.claim_turns(1) == []
    desk.clock.advance(60)
    [alive] = await desk.conversations.claim_turns(1)
    assert alive.message.id == dead.message.id
    assert alive.fence > dead.fence


async def test_a_zombies_late_answer_is_refused(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    [zombie] = await desk.conversations.claim_turns(1)
    desk.clock.advance(60)
    [alive] = await desk.conversations.claim_turns(1)
    with pytest.raises(FencedOut):
        await desk.conversations.commit_turn(zombie, says("from the grave"), desk.clock())
    await desk.conversations.commit_turn(alive, says("alive"), desk.clock())
    with pytest.raises(FencedOut):
        await desk.conversations.commit_turn(zombie, says("from the grave"), desk.clock())
    with pytest.raises(FencedOut):
        await desk.conversations.give_back(zombie)
    assert await desk.said(receipt.conversation_id, Author.BOT) == ["alive"]


async def test_a_commit_whose_outcome_nobody_saw_is_not_repeated(desk: TestDesk) -> None:
    receipt = await desk.send("hello")
    [claim] = await desk.conversations.claim_turns(1)
    await desk.conversations.commit_turn(claim, says("once"), desk.clock())
    for again in (
        desk.conversations.commit_turn(claim, says("twice"), desk.clock()),
        desk.conversations.give_back(claim, crashed="KeyError"),
    ):
        with pytest.raises(FencedOut):
            await again
    assert await desk.said(receipt.conversation_id, Author.BOT) == ["once"]
    assert await desk.conversations.claim_turns(5) == []


async def test_a_later_message_never_overtakes_one_that_waits_for_its_retry(desk: TestDesk) -> None:
    first = await desk.send("first")
    [claim] = await desk.conversations.claim_turns(1)
    await desk.conversations.give_back(claim, delay_seconds=30, crashed="KeyError")
    await desk.send("second")
    assert await desk.conversations.claim_turns(5) == []
    desk.clock.advance(31)
    [claim] = await desk.conversations.claim_turns(5)
    assert claim.message.id == first.message_id


async def test_workers_of_several_processes_take_each_turn_once(desk: TestDesk) -> None:
    for number in range(10):
        await desk.send("hello", contact=f"visitor {number}")
    taken = await asyncio.gather(*(desk.conversations.claim_turns(3) for _ in range(6)))
    claims: list[Claim] = [claim for part in taken for claim in part]
    rest = await desk.conversations.claim_turns(10)
    ids = [claim.message.id for claim in [*claims, *rest]]
    assert len(ids) == len(set(ids)) == 10


async def test_a_stopping_engine_gives_unfinished_turns_back(desk: TestDesk) -> None:
    desk.bot.gate = asyncio.Event()
    engine = desk.engine(drain_seconds=0.05)
    await engine.start()
    receipt = await desk.send("hello")

    async def asked() -> bool:
        return bool(desk.bot.requests)

    await until(asked)
    await engine.stop()
    assert engine.running == 0
    desk.bot.gate = None
    following = desk.engine()
    await following.start()
    await wait_for_turns(desk, receipt.conversation_id, 1)
    assert await desk.said(receipt.conversation_id, Author.BOT) == ["you said hello"]
    await following.stop()


async def test_a_stopping_engine_lets_running_turns_finish(desk: TestDesk) -> None:
    desk.bot.gate = asyncio.Event()
    engine = desk.engine(drain_seconds=5.0)
    await engine.start()
    receipt = await desk.send("hello")
    asyncio.get_running_loop().call_later(0.05, desk.bot.gate.set)
    await engine.stop()
    assert await desk.said(receipt.conversation_id, Author.BOT) == ["you said hello"]


async def test_more_messages_than_workers_are_all_answered(desk: TestDesk) -> None:
    engine = desk.engine(workers=2)
    await engine.start()
    receipts = await asyncio.gather(*(desk.send("hi", contact=f"visitor {n}") for n in range(9)))
    for receipt in receipts:
        await wait_for_turns(desk, receipt.conversation_id, 1)
    await engine.stop()


async def test_the_sweeper_finds_lost_agents_and_survives_a_failing_chore(desk: TestDesk) -> None:
    async def broken() -> None:
        raise OSError("the disk with the checkpoints is full")

    conversation_id = await desk.assigned(LIN)
    desk.clock.advance(61)
    await Sweeper(desk.conversations, checkpoint=broken).sweep()
    assert (await desk.conversations.get_conversation(conversation_id)).status is Status.QUEUED


async def test_what_is_due_once_a_day_is_done_once_a_day(desk: TestDesk) -> None:
    done: list[int] = []

    async def forget() -> None:
        done.append(1)

    sweeper = Sweeper(desk.conversations, daily=forget)
    await sweeper.sweep()
    await sweeper.sweep()
    assert len(done) == 1


async def test_what_can_wait_goes_on_when_the_burst_is_over(desk: TestDesk) -> None:
    engine = desk.engine()
    desk.conversations.turn_taker = engine
    for _ in range(200):
        engine.stored(0.001)
    assert engine.pressed
    waiting = asyncio.create_task(desk.conversations.give_way())
    await asyncio.sleep(0.05)
    assert not waiting.done()
    desk.conversations.turn_taker = None
    async with asyncio.timeout(10):
        await waiting
