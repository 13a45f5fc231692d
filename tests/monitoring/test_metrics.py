"""What happens at the desk can be read off its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from connectors.checked_address import ForbiddenAddress
from conversations.errors import DeliveryUnknown, DialogueRefused, DialogueUnavailable, MessageRejected
from conversations.model import Address, OutboundMessage
from conversations.turn_model import Feeling, Reply, TurnRequest, TurnResult
from monitoring.collectors import MOST_VALUES, OTHER, Collectors
from tests.conversations.builders import LIN, hands_off, inbound, says
from tests.conversations.telling import Telling
from tests.monitoring.watched import Watched

PLACE = 'account="default",channel="telegram"'


async def until(true: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not true():  # noqa: ASYNC110  # nobody tells when a figure changes
            await asyncio.sleep(0.01)


def answers(_request: TurnRequest) -> TurnResult:
    trace = {
        "language": "en",
        "intent": "ask_knowledge",
        "confidence": 0.42,
        "route": "knowledge",
        "model_id": "model-7",
        "retrieval": [{"passage_id": "p", "version": 1, "score": 0.83}],
        "timings_ms": {"understand": 4.0, "act": 6.0},
        "generation": {"used": "extractive", "reason": "timeout"},
    }
    return TurnResult((Reply("two years"),), trace, Feeling("negative", -0.8, 0.6))


async def run_turn(watched: Watched, text: str = "how long is the warranty?") -> str:
    engine = watched.engine()
    await engine.start()
    receipt = await watched.desk.conversations.receive(inbound(text))
    await until(lambda: any("frontdesk_turns_total" in name for name in watched.figures))
    await engine.stop()
    return receipt.conversation_id


async def test_a_turn_is_counted_by_route_language_and_what_the_bot_did(watched: Watched) -> None:
    watched.desk.bot.answer = answers
    await run_turn(watched)
    seen = watched.figures
    assert seen['frontdesk_turns_total{language="en",outcome="done",route="knowledge"}'] == 1
    assert seen['frontdesk_answers_total{language="en",outcome="answered"}'] == 1
    assert seen['frontdesk_intent_confidence_sum{language="en"}'] == pytest.approx(0.42)
    assert seen['frontdesk_retrieval_score_sum{language="en"}'] == pytest.approx(0.83)
    assert seen['frontdesk_bot_step_seconds_sum{step="act"}'] == pytest.approx(0.006)
    assert seen['frontdesk_bot_call_seconds_count{outcome="answered"}'] == 1
    assert seen['frontdesk_phrasings_total{reason="timeout",used="extractive"}'] == 1
    assert seen['frontdesk_sentiments_total{label="negative"}'] == 1
    assert seen['frontdesk_model_info{model_id="model-7"}'] == 1


async def test_messages_conversations_and_first_answers_are_counted_by_channel(watched: Watched) -> None:
    conversation_id = await run_turn(watched)
    seen = watched.figures
    assert seen[f"frontdesk_conversations_opened_total{{{PLACE}}}"] == 1
    assert seen['frontdesk_messages_total{account="default",author="contact",channel="telegram",direction="in"}'] == 1
    assert seen['frontdesk_messages_total{account="default",author="bot",channel="telegram",direction="out"}'] == 1
    assert seen['frontdesk_first_response_seconds_count{author="bot"}'] == 1
    await watched.desk.conversations.receive(inbound("and then?"))
    assert watched.figures[f"frontdesk_conversations_opened_total{{{PLACE}}}"] == 1
    assert (await watched.desk.conversations.get_conversation(conversation_id)).last_seq == 3


async def test_a_handoff_is_counted_with_its_reason_its_wait_and_the_first_answer_of_an_agent(
    watched: Watched,
) -> None:
    watched.desk.bot.answer = hands_off
    conversation_id = await run_turn(watched, "a person please")
    desk = watched.desk.conversations
    watched.desk.clock.advance(90)
    await desk.agent_seen(LIN.id, LIN.name)
    await desk.assign(conversation_id, LIN)
    watched.desk.clock.advance(10)
    await desk.reply_as_agent(conversation_id, LIN, "hello, Lin here")
    await desk.reply_as_agent(conversation_id, LIN, "what is it?")
    await desk.resolve(conversation_id, LIN)
    seen = watched.figures
    assert seen['frontdesk_handoffs_total{channel="telegram",reason="asked_for_person"}'] == 1
    assert seen['frontdesk_answers_total{language="en",outcome="handed_off"}'] == 1
    assert seen['frontdesk_queue_wait_seconds_sum{outcome="accepted"}'] == pytest.approx(90, abs=1)
    assert seen['frontdesk_first_response_seconds_count{author="agent"}'] == 1
    assert seen['frontdesk_first_response_seconds_sum{author="agent"}'] == pytest.approx(100, abs=1)
    assert seen['frontdesk_conversations_resolved_total{by="agent",channel="telegram"}'] == 1


async def test_a_rating_is_counted_once_however_often_it_is_corrected(watched: Watched) -> None:
    conversation_id = await run_turn(watched)
    desk = watched.desk.conversations
    await desk.agent_seen(LIN.id, LIN.name)
    await desk.assign(conversation_id, LIN)
    await desk.reply_as_agent(conversation_id, LIN, "done")
    await desk.resolve(conversation_id, LIN)
    address = (await desk.get_conversation(conversation_id)).address
    await desk.rate(address, conversation_id, 4, "")
    await desk.rate(address, conversation_id, 5, "")
    rated = {name: value for name, value in watched.figures.items() if name.startswith("frontdesk_ratings_total")}
    assert rated == {'frontdesk_ratings_total{kind="human",score="4"}': 1}


@pytest.mark.parametrize(
    ("problem", "outcome", "turn"),
    [(DialogueUnavailable("away"), "unavailable", "done"), (DialogueRefused("secret"), "refused", "done")],
    ids=["unavailable", "refused"],
)
async def test_a_bot_that_does_not_answer_is_counted_and_the_contact_is_handed_off(
    watched: Watched, problem: Exception, outcome: str, turn: str
) -> None:
    watched.desk.bot.answer = lambda _request: problem
    await run_turn(watched)
    seen = watched.figures
    assert seen[f'frontdesk_bot_call_seconds_count{{outcome="{outcome}"}}'] >= 1
    assert seen[f'frontdesk_turns_total{{language="en",outcome="{turn}",route="handoff"}}'] == 1
    assert seen['frontdesk_handoffs_total{channel="telegram",reason="dialogue_failed"}'] == 1


async def test_a_turn_that_crashes_is_counted_as_such(watched: Watched) -> None:
    watched.desk.bot.answer = lambda _request: RuntimeError("a bug")
    await run_turn(watched)
    assert watched.figures['frontdesk_turns_total{language="en",outcome="crashed",route="none"}'] >= 1


@pytest.mark.parametrize(
    ("problem", "outcome", "settled"),
    [
        (None, "sent", None),
        (MessageRejected("no"), "rejected", "dead"),
        (ForbiddenAddress("private"), "blocked", "dead"),
        (DeliveryUnknown("cut"), "in_doubt", "unknown"),
    ],
    ids=["sent", "rejected", "blocked", "in doubt"],
)
async def test_deliveries_are_counted_by_what_the_channel_said_and_what_became_of_them(
    watched: Watched, problem: Exception | None, outcome: str, settled: str | None
) -> None:
    async def deliver(_address: Address, message: OutboundMessage) -> str:
        if problem is not None:
            raise problem
        return message.outbox_id

    await run_turn(watched)
    outbox = watched.outbox(deliver)
    await outbox.start()
    awaited = f'frontdesk_deliveries_total{{{PLACE},outcome="{settled or outcome}"}}'
    try:
        async with asyncio.timeout(10):
            while not watched.figures.get(awaited):
                watched.desk.clock.advance(5)
                await asyncio.sleep(0.01)
    finally:
        await outbox.stop()
    seen = watched.figures
    assert seen[f'frontdesk_deliveries_total{{{PLACE},outcome="{outcome}"}}'] >= 1
    assert seen['frontdesk_delivery_seconds_count{channel="telegram"}'] >= 1
    assert seen.get('frontdesk_blocked_addresses_total{channel="telegram"}', 0) == (outcome == "blocked")


async def test_commits_are_timed_and_those_that_fail_are_counted(watched: Watched) -> None:
    await watched.desk.conversations.receive(inbound())
    seen = watched.figures
    assert seen["frontdesk_commit_seconds_count"] == seen["frontdesk_commit_writers_sum"] >= 1
    watched.desk.database.on_lost()
    assert watched.figures["frontdesk_commit_failures_total"] == 1


async def test_each_request_refused_for_a_full_backlog_counts(watched: Watched) -> None:
    full = watched.meter.full(lambda: True)
    assert full()
    assert not watched.meter.full(lambda: False)()
    assert watched.figures["frontdesk_backlog_refusals_total"] == 1


async def test_the_housekeeping_leaves_the_time_of_its_last_round(watched: Watched) -> None:
    async def chore() -> str:
        return "done"

    assert await watched.meter.swept(chore)() == "done"
    assert watched.figures["frontdesk_last_sweep_timestamp_seconds"] > 1_700_000_000


def test_a_label_never_takes_more_values_than_a_short_list_has() -> None:
    collectors = Collectors()
    for number in range(MOST_VALUES):
        assert collectors.bounded("reason", f"reason-{number}") == f"reason-{number}"
    assert collectors.bounded("reason", "one more") == OTHER
    assert collectors.bounded("reason", "reason-0") == "reason-0"
    assert collectors.bounded("reason", None) == OTHER
    assert collectors.bounded("route", None) == "none"


async def test_an_answer_after_a_notice_counts_from_what_was_asked(watched: Watched) -> None:
    desk, telling = watched.desk, Telling(watched.desk)
    conversation_id = await run_turn(watched)
    await telling.proves(conversation_id, "C-1")
    await desk.conversations.agent_seen(LIN.id, LIN.name)
    await desk.conversations.assign(conversation_id, LIN)
    await desk.conversations.resolve(conversation_id, LIN)
    desk.clock.advance(3600)
    before = watched.figures['frontdesk_first_response_seconds_sum{author="bot"}']
    await telling.shipped(customer="C-1")
    await telling.go_on()
    desk.clock.advance(10 * 3600)
    await desk.send("where is it?")
    await desk.answer(says("on its way"))
    assert watched.figures['frontdesk_first_response_seconds_sum{author="bot"}'] - before < 60
